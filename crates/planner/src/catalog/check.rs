//! Whether a value can be right: the type check of [`Parameter`].
//!
//! Owns: what 3.7.11's daemons accept for each type, measured, and the sentence for what they do
//! not. Never: looks whether a file exists or a certificate fits; expands `$name` (a value that
//! needs it is [`Checked::Undecided`]).

mod lists;
mod words;

use super::{Empty, Kind, Parameter, Range};
use crate::PostfixVersion;

/// A value that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Of the right type.
    Good,
    /// It holds `$`; only the expanded value can be judged.
    Undecided,
}

/// Why a value is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable code, `value.…`.
    pub code: &'static str,
    /// What is wrong, without the parameter's name and without a full stop.
    pub message: String,
    /// What to do, a sentence.
    pub remedy: String,
}

impl Reason {
    fn new(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

/// The answer of one type check.
type Answer = Result<Checked, Reason>;

const GOOD: Answer = Ok(Checked::Good);

impl Parameter {
    /// Whether `value`, unexpanded and trimmed as main.cf gives it, can be right in `version`.
    ///
    /// # Errors
    /// The [`Reason`] why Postfix would not take it, or would take it for something else.
    pub fn check(&self, value: &str, version: PostfixVersion) -> Answer {
        if value.chars().any(|c| c.is_control() && c != '\t') {
            return Err(Reason::new(
                "value.control-character",
                "the value holds a line break or another control character",
                "Write the value on one line.",
            ));
        }
        if has_inline_comment(value) {
            return Err(Reason::new(
                "value.inline-comment",
                "main.cf has no comments after a value: the text from # on is part of the value",
                "Put the comment on a line of its own, with # in the first column.",
            ));
        }
        if value.is_empty() {
            return self.check_empty(version);
        }
        if value.contains('$') {
            return Ok(Checked::Undecided);
        }
        self.check_kind(value, version)
    }

    fn check_empty(&self, version: PostfixVersion) -> Answer {
        let numeric = matches!(self.kind, Kind::Bool | Kind::Integer(_) | Kind::Time(_));
        let refused = match self.empty {
            Empty::Allowed => numeric,
            Empty::AllowedFrom(from) => !version.at_least(from.major, from.minor),
            Empty::Refused => true,
        };
        if refused {
            return Err(Reason::new(
                "value.empty",
                "an empty value ends every program that reads it",
                format!(
                    "Delete the line to get the default{}.",
                    self.default_hint(version)
                ),
            ));
        }
        GOOD
    }

    fn default_hint(&self, version: PostfixVersion) -> String {
        match self.default_in(version) {
            Some(default) if !default.is_empty() => format!(", {default}"),
            _ => String::new(),
        }
    }

    fn check_kind(&self, value: &str, version: PostfixVersion) -> Answer {
        match self.kind {
            Kind::Bool => words::boolean(value),
            Kind::Integer(range) => integer(value, range),
            Kind::Time(range) => time(value, range),
            Kind::ServerLevel => words::server_level(value),
            Kind::ClientLevel => words::client_level(value),
            Kind::ProtocolList => lists::protocols(value, version),
            Kind::CipherGrade => words::grade(value),
            Kind::CipherList => lists::ciphers(value),
            Kind::Exclusions => lists::exclusions(value),
            Kind::Digest => words::digest(value),
            Kind::DigestList => lists::digests(value),
            Kind::File => lists::path(value),
            Kind::FileOrNone if value.eq_ignore_ascii_case("none") => GOOD,
            Kind::FileOrNone => lists::path(value),
            Kind::DhFile if value == "auto" && version.at_least(3, 7) => GOOD,
            Kind::DhFile => lists::path(value),
            Kind::LibraryFile if ["default", "none"].contains(&value) => GOOD,
            Kind::LibraryFile => lists::path(value),
            Kind::FileList => lists::paths(value),
            Kind::Directory => lists::path(value),
            Kind::MapList => lists::maps(value),
            Kind::CacheDatabase => lists::cache(value),
            Kind::RandomSource => lists::random_source(value),
            Kind::Word(known) => words::one_of(value, known),
            Kind::WordList(known) => lists::words(value, known),
            Kind::ServerName => words::server_name(value),
            Kind::SslOptions(known) => lists::ssl_options(value, known),
            Kind::Groups | Kind::MatchList | Kind::Fingerprints | Kind::MadeFile | Kind::Text => {
                GOOD
            }
        }
    }
}

/// True where blank and `#` follow each other, or the value begins with `#`: what looks like a
/// comment and is none.
pub(crate) fn has_inline_comment(value: &str) -> bool {
    value.starts_with('#') || value.contains(" #") || value.contains("\t#")
}

/// As sscanf reads `%d`: a sign, digits, nothing else.
fn integer(value: &str, range: Range) -> Answer {
    match value.parse::<i32>() {
        Ok(number) if (range.least..=range.most).contains(&number) => GOOD,
        Ok(number) => Err(Reason::new(
            "value.number",
            format!("{number} is out of range (at least {})", range.least),
            format!("Write a number from {} on.", range.least),
        )),
        Err(_) => Err(Reason::new(
            "value.number",
            format!("{value:?} is not a whole number; a process that reads it dies"),
            "Write decimal digits only, without a unit.",
        )),
    }
}

/// A time in seconds, as `conv_time` reads it: digits and one lower-case unit, or none for seconds.
pub(crate) fn seconds(value: &str) -> Option<u64> {
    let (digits, unit) = match value.char_indices().next_back() {
        Some((at, unit)) if !unit.is_ascii_digit() => (&value[..at], unit),
        _ => (value, 's'),
    };
    let unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn time(value: &str, range: Range) -> Answer {
    match seconds(value).and_then(|total| i32::try_from(total).ok()) {
        Some(total) if total >= range.least => GOOD,
        Some(_) => Err(Reason::new(
            "value.time",
            format!(
                "{value:?} is shorter than the {} s that Postfix accepts",
                range.least
            ),
            "Write a longer time, such as 300s.",
        )),
        None => Err(Reason::new(
            "value.time",
            format!("{value:?} is not a time; a process that reads it dies"),
            "Write a number and one of the units s, m, h, d, w (lower case, no blank): 300s, 1h.",
        )),
    }
}

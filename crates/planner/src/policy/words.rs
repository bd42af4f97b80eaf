//! The words about a rule: what may be said, and what is said at all.
//!
//! Owns: their bounds, which characters a person can see, and taking what is not said from the rule
//! that is there. Never: what Postfix reads.

use super::{About, Rule, RuleError};

/// A note is a few lines.
pub(super) const LONGEST_NOTE: usize = 1000;
const LONGEST_WORD: usize = 100;

/// Which words about a rule are said. Those that are not stay as they are where there is such a
/// rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given(u8);

impl Given {
    /// Nothing is said.
    pub const NONE: Self = Self(0);
    /// The note.
    pub const NOTE: Self = Self(1);
    /// The owner.
    pub const OWNER: Self = Self(2);
    /// The tags.
    pub const TAGS: Self = Self(4);
    /// The day of review.
    pub const UNTIL: Self = Self(8);
    /// Why it is put down although a check speaks against it.
    pub const REASON: Self = Self(16);
    /// Which names it is for.
    pub const SCOPE: Self = Self(32);
    /// Everything.
    pub const ALL: Self = Self(63);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is said.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl About {
    /// Checks why a rule is put down although a check speaks against it; `None` where nothing is
    /// said.
    ///
    /// # Errors
    /// As [`Rule::with`].
    pub fn checked_reason(text: String) -> Result<Option<String>, RuleError> {
        checked("the reason", Some(text), LONGEST_NOTE)
    }
}

impl Rule {
    /// Checks the words about it. Blanks around them go, and empty ones.
    ///
    /// # Errors
    /// A text that is too long, or holds control characters or ones that nobody sees; a day that is
    /// none.
    pub fn with(mut self, about: About) -> Result<Self, RuleError> {
        let about = About {
            note: checked("the note", about.note, LONGEST_NOTE)?,
            reason: checked("the reason", about.reason, LONGEST_NOTE)?,
            owner: checked("the owner", about.owner, LONGEST_WORD)?,
            tags: tags(about.tags)?,
            until: about.until,
            entry: about.entry,
            follow: about.follow,
        };
        if let Some(day) = &about.until
            && !is_day(day)
        {
            let why = format!("{day:?} is no day: YYYY-MM-DD");
            return Err(about_error("until", &why));
        }
        self.about = about;
        Ok(self)
    }

    /// Takes what is not said from the rule that is there.
    pub fn keep(&mut self, given: Given, now: &Self) {
        if !given.has(Given::SCOPE) {
            self.both = now.both;
        }
        let (about, now) = (&mut self.about, &now.about);
        let keep = |what: Given, word: &mut Option<String>, now: &Option<String>| {
            if !given.has(what) {
                word.clone_from(now);
            }
        };
        keep(Given::NOTE, &mut about.note, &now.note);
        keep(Given::OWNER, &mut about.owner, &now.owner);
        keep(Given::UNTIL, &mut about.until, &now.until);
        keep(Given::REASON, &mut about.reason, &now.reason);
        if !given.has(Given::TAGS) {
            about.tags.clone_from(&now.tags);
        }
    }
}

pub(super) fn about_error(what: &'static str, why: &str) -> RuleError {
    RuleError::About {
        what,
        why: why.to_owned(),
    }
}

fn checked(
    what: &'static str,
    text: Option<String>,
    longest: usize,
) -> Result<Option<String>, RuleError> {
    let blank = |c: char| c.is_whitespace() && is_seen(c);
    let text = text.map(|text| match text.trim_matches(blank) {
        trimmed if trimmed.len() == text.len() => text,
        trimmed => trimmed.to_owned(),
    });
    let text = text.filter(|text| !text.is_empty());
    if let Some(text) = &text {
        if text.len() > longest {
            return Err(about_error(what, &format!("has more than {longest} bytes")));
        }
        if let Some(bad) = text.chars().find(|c| !is_seen(*c)) {
            let why = format!(
                "is one line, without control characters and ones that nobody sees: it has U+{:04X}",
                u32::from(bad)
            );
            return Err(about_error(what, &why));
        }
    }
    Ok(text)
}

fn tags(given: Vec<String>) -> Result<Vec<String>, RuleError> {
    let mut tags = Vec::with_capacity(given.len());
    for tag in given {
        tags.extend(checked("the tag", Some(tag), LONGEST_WORD)?);
    }
    if tags.iter().any(|tag| tag.contains([' ', ','])) {
        return Err(about_error(
            "the tag",
            "is one word, without blanks or commas",
        ));
    }
    tags.sort();
    tags.dedup();
    Ok(tags)
}

/// Whether a person sees a character, and what is after it where it stands: no control character,
/// no line's end, none that turns the direction of text (UAX #9) and none without a width.
pub fn is_seen(c: char) -> bool {
    let hidden = matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    !hidden && !c.is_control()
}

/// Whether a text is a day of the calendar (RFC 3339 full-date).
pub fn is_day(text: &str) -> bool {
    let mut parts = text.split('-').map(|part| {
        let digits = part.chars().all(|c| c.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    });
    let (Some(Some(year)), Some(Some(month)), Some(Some(day)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    text.len() == 10 && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests;

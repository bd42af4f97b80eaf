//! Commented-out services, as the stock master.cf is full of them.
//!
//! Owns: telling `#submission inet n - y - - smtpd` and its `#  -o …` lines from the prose between
//! them, and taking the `#` away. Never: changes another line.

use super::KINDS;
use super::MasterCf;
use super::service::Service;
use super::token::{FIELDS, tokens};
use crate::EditError;
use crate::line::{Line, LineKind, indent, is_space, lines, trim_start};

/// A commented-out service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The service that it would be. Its lines are those of the template.
    pub service: Service,
    /// The lines that are commented-out text, from 1: the first one has the fields, the others the
    /// arguments. Prose between them is not among them.
    pub lines: Vec<usize>,
}

/// Lines of a template, uncommented.
struct Found {
    lines: Vec<Uncommented>,
    /// Whether indented lines of an active service follow.
    inside: bool,
}

struct Uncommented {
    number: usize,
    text: Vec<u8>,
}

pub(super) fn find(bytes: &[u8]) -> Vec<Template> {
    scan(bytes).iter().filter_map(template).collect()
}

pub(super) fn uncomment(bytes: &[u8], index: usize) -> Result<Vec<u8>, EditError> {
    let found = scan(bytes);
    let found = found.get(index).ok_or(EditError::NoSuchTemplate)?;
    if found.inside {
        return Err(EditError::InsideService);
    }
    let mut new = Vec::with_capacity(bytes.len());
    let mut lines_of = found.lines.iter().peekable();
    for (number, line) in (1..).zip(lines(bytes)) {
        match lines_of.next_if(|l| l.number == number) {
            Some(uncommented) => new.extend_from_slice(&uncommented.text),
            None => new.extend_from_slice(line.bytes),
        }
    }
    Ok(new)
}

/// Whether a line is a commented-out `-o`.
pub(super) fn is_option_comment(line: &[u8]) -> bool {
    let Some(rest) = after_hash(line) else {
        return false;
    };
    let rest = trim_start(rest);
    let given = rest.strip_prefix(b"-o").map(trim_start);
    given.is_some_and(|given| {
        let word = given.split(|&b| is_space(b)).next().unwrap_or(given);
        given.starts_with(b"{") || memchr::memchr(b'=', word).is_some_and(|at| at > 0)
    })
}

fn template(found: &Found) -> Option<Template> {
    let text: Vec<u8> = found.lines.iter().flat_map(|l| l.text.clone()).collect();
    let mut service = MasterCf::parse(&text).services().next()?;
    let numbers: Vec<usize> = found.lines.iter().map(|l| l.number).collect();
    for option in &mut service.overrides {
        option.line = numbers[option.line - 1];
    }
    service.first_line = *numbers.first()?;
    service.last_line = *numbers.last()?;
    Some(Template {
        service,
        lines: numbers,
    })
}

fn scan(bytes: &[u8]) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    // The number of templates whose successor line Postfix reads is not known yet.
    let mut pending = 0;
    let mut open = false;
    let mut prose = false;
    for (number, line) in (1..).zip(lines(bytes)) {
        if line.is_content() {
            let inside = line.kind == LineKind::Continuation;
            all[pending..].iter_mut().for_each(|f| f.inside = inside);
            pending = all.len();
            open = false;
        } else if let Some(text) = header(&line) {
            let lines = vec![Uncommented { number, text }];
            all.push(Found {
                lines,
                inside: false,
            });
            (open, prose) = (true, false);
        } else if let (true, Some(text)) = (open, argument(&line, prose))
            && let Some(found) = all.last_mut()
        {
            found.lines.push(Uncommented { number, text });
        } else {
            prose = true;
            open &= after_hash(line.text()).is_some_and(|rest| !trim_start(rest).is_empty());
        }
    }
    all
}

/// The text after the first `#` of a comment.
fn after_hash(line: &[u8]) -> Option<&[u8]> {
    trim_start(line).strip_prefix(b"#")
}

/// A commented-out line with all eight fields, starting in the first column.
fn header(line: &Line<'_>) -> Option<Vec<u8>> {
    let text = trim_start(after_hash(line.bytes)?);
    let words = tokens(text, FIELDS);
    let word = |i: usize| words[i].text(text);
    if words.len() < FIELDS || word(0).starts_with(b"#") || word(FIELDS - 1).starts_with(b"-") {
        return None;
    }
    let is_flag = |i: usize| matches!(&word(i)[..], b"y" | b"n" | b"-");
    let is_number = |i: usize| {
        let word = word(i);
        let digits = word.strip_suffix(b"?").unwrap_or(&word);
        digits == b"-" || (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
    };
    let fits = KINDS.contains(&&word(1)[..]) && (2..5).all(is_flag) && (5..7).all(is_number);
    fits.then(|| text.to_vec())
}

/// A commented-out line of arguments, indented: `-o …` anywhere in the template, and what only
/// `pipe` and `spawn` have (`flags=…`, `user=…`) directly below its first line, since prose can
/// start with such a word.
fn argument(line: &Line<'_>, prose: bool) -> Option<Vec<u8>> {
    let text = line.bytes;
    let hash = indent(text);
    let rest = text.get(hash + 1..)?;
    let indented = rest.first().is_some_and(|&b| is_space(b));
    let word = trim_start(rest)
        .split(|&b| is_space(b))
        .next()
        .unwrap_or_default();
    let key = word.iter().position(|&b| b == b'=').unwrap_or(0);
    let is_key = |b: &u8| b.is_ascii_lowercase() || *b == b'_';
    let pair = indented && !prose && key > 0 && word[..key].iter().all(is_key);
    if !pair && !is_option_comment(text) {
        return None;
    }
    let gap: &[u8] = if indented { b"" } else { b"  " };
    Some([&text[..hash], gap, rest].concat())
}

#[cfg(test)]
mod tests;

//! Edits of master.cf entries. Each one rewrites the block of one service.
//!
//! Owns: which bytes an edit names. Never: breaks or joins lines that it was not asked to change.

use super::service::{Assignment, Field, OverrideForm, Parsed, ServiceKey};
use super::token::{Token, is_balanced, is_blank};
use super::{Braces, MasterCf};
use crate::EditError;
use crate::document::{Document, content, without_content};
use crate::line::{LineKind, indent, is_space, lines, trim, trim_end, trim_start};
use std::ops::Range;

/// A `-o` as it shall be, already judged.
pub(super) struct Wish<'a> {
    name: &'a str,
    value: &'a [u8],
    braces: Braces,
}

impl<'a> Wish<'a> {
    pub(super) fn new(name: &'a str, value: &'a [u8], braces: Braces) -> Result<Self, EditError> {
        let bad = |b: u8| is_space(b) || matches!(b, b'=' | b'{' | b'}' | 0);
        if name.is_empty() || name.bytes().any(bad) {
            return Err(EditError::BadName);
        }
        if value.iter().any(|b| matches!(b, b'\n' | b'\r' | 0)) {
            return Err(EditError::ControlByte);
        }
        if !is_balanced(value) {
            return Err(EditError::Unbalanced);
        }
        let value = trim(value);
        let wish = Self {
            name,
            value,
            braces,
        };
        if wish.has_blanks() && braces == Braces::Refused {
            return Err(EditError::NeedsBraces);
        }
        Ok(wish)
    }

    fn has_blanks(&self) -> bool {
        self.value.iter().any(|&b| is_space(b))
    }

    /// What `-o` is given.
    fn text(&self) -> Vec<u8> {
        let name = self.name.as_bytes();
        if self.has_blanks() {
            return [b"{ ", name, b" = ", self.value, b" }"].concat();
        }
        [name, b"=", self.value].concat()
    }
}

pub(super) fn set_override(
    document: &mut Document,
    key: ServiceKey<'_>,
    wish: Wish<'_>,
) -> Result<(), EditError> {
    let index = find(document, key)?;
    let (text, body) = document.block(index);
    let parsed = Parsed::of(&text[..body]);
    let new = match parsed.assignments().rfind(|a| a.is(wish.name)) {
        Some(current) if current.value == wish.value => return Ok(()),
        Some(current) => {
            let (range, value) = replacement(&parsed, &current, &wish);
            splice(text, range, &value, document.eol())
        }
        None => insert(document, text, &parsed, &wish),
    };
    check(&parsed, &new, wish.name, Some(wish.value))?;
    document.rewrite(index, new);
    Ok(())
}

/// Postfix must see the edit and nothing else changed: text after a NUL byte or in a brace that is
/// never closed, and lines that go on with a vertical tab, could make it otherwise.
fn check(
    before: &Parsed<'_>,
    text: &[u8],
    parameter: &str,
    value: Option<&[u8]>,
) -> Result<(), EditError> {
    let after = Parsed::of(text);
    let found = after.assignments().rfind(|a| a.is(parameter));
    let found = found.map(|a| a.value);
    if found.as_deref() == value && before.rest(parameter) == after.rest(parameter) {
        return Ok(());
    }
    Err(EditError::MalformedEntry)
}

/// The value alone where the form can hold the new one, else all that the `-o` is given.
fn replacement(
    parsed: &Parsed<'_>,
    current: &Assignment,
    wish: &Wish<'_>,
) -> (Range<usize>, Vec<u8>) {
    let Token { start, end } = current.given;
    let given = &parsed.body[start..end];
    let equals = memchr::memchr(b'=', given).unwrap_or(0);
    let stays = match current.form {
        OverrideForm::Plain => !wish.has_blanks(),
        // A value over several lines has comments between; it is written anew as a whole.
        OverrideForm::Braces => {
            wish.braces == Braces::Allowed && given.ends_with(b"}") && !given.contains(&b'\n')
        }
    };
    if !stays {
        let gap: &[u8] = if current.option.joined { b" " } else { b"" };
        return (start..end, [gap, &wish.text()].concat());
    }
    let after = &given[equals + 1..];
    let after = match current.form {
        OverrideForm::Plain => after,
        OverrideForm::Braces => trim_end(&after[..after.len() - 1]),
    };
    let from = start + equals + 1 + indent(after);
    let to = start + equals + 1 + after.len();
    (from.min(to)..to, wish.value.to_vec())
}

/// A new `-o`, behind the last option: options end where other arguments begin.
fn insert(document: &Document, text: &[u8], parsed: &Parsed<'_>, wish: &Wish<'_>) -> Vec<u8> {
    // A `-o` that is given nothing would take the new one for its value.
    let dangling = parsed.options.last().is_some_and(|o| o.given.is_none());
    let last = parsed.first_argument - 1 - usize::from(dangling);
    let at = parsed.tokens[last].end;
    let line_end = at + memchr::memchr(b'\n', &text[at..]).map_or(text.len() - at, |i| i + 1);
    let (head, rest) = text.split_at(at);
    let option = [b"-o ", &wish.text()[..]].concat();
    if !trim(&text[at..line_end]).is_empty() {
        return [head, b" ", &option, rest].concat();
    }
    let mut new = text[..line_end].to_vec();
    if !new.ends_with(b"\n") {
        new.extend_from_slice(document.eol());
    }
    new.extend_from_slice(&option_indent(document, parsed));
    new.extend_from_slice(&option);
    new.extend_from_slice(document.eol());
    new.extend_from_slice(&text[line_end..]);
    new
}

/// The indentation of the last `-o` line of this service, else of the first one in the file.
fn option_indent(document: &Document, parsed: &Parsed<'_>) -> Vec<u8> {
    let own = last_option_line(parsed.body);
    let other = || document.blocks().find_map(|b| last_option_line(b.body));
    own.or_else(other).unwrap_or(b"  ").to_vec()
}

fn last_option_line(body: &[u8]) -> Option<&[u8]> {
    let is_option = |text: &&[u8]| trim_start(text).starts_with(b"-o");
    let line = content(body)
        .filter(|line| line.kind == LineKind::Continuation)
        .map(|line| line.text())
        .filter(is_option)
        .last()?;
    Some(&line[..indent(line)])
}

pub(super) fn unset_override(
    document: &mut Document,
    key: ServiceKey<'_>,
    parameter: &str,
) -> Result<usize, EditError> {
    let index = find(document, key)?;
    let (text, body) = document.block(index);
    let parsed = Parsed::of(&text[..body]);
    let mut new = text.to_vec();
    let mut count = 0;
    // From the last one up, so that the places of those before it stay true.
    for found in parsed.assignments().rev().filter(|a| a.is(parameter)) {
        new = cut(&new, found.option.start..found.option.end, document.eol())?;
        count += 1;
    }
    if count > 0 {
        check(&parsed, &new, parameter, None)?;
        document.rewrite(index, new);
    }
    Ok(count)
}

pub(super) fn set_field(
    document: &mut Document,
    key: ServiceKey<'_>,
    field: Field,
    value: &str,
) -> Result<(), EditError> {
    let bad = |b: u8| is_space(b) || matches!(b, b'{' | b'}' | 0);
    if value.is_empty() || value.starts_with('#') || value.bytes().any(bad) {
        return Err(EditError::NotOneWord);
    }
    let index = find(document, key)?;
    let (text, body) = document.block(index);
    let Token { start, end } = Parsed::of(&text[..body]).tokens[field.index()];
    let old = end - start;
    let spaces = text[end..].iter().take_while(|&&b| b == b' ').count();
    let more_follows = text.get(end + spaces).is_some_and(|&b| !is_blank(b));
    // One blank must stay between two fields; at the end of a line no column has to be kept.
    let (pad, drop) = if more_follows {
        let drop = value
            .len()
            .saturating_sub(old)
            .min(spaces.saturating_sub(1));
        (old.saturating_sub(value.len()), drop)
    } else {
        (0, 0)
    };
    let padded = [value.as_bytes(), &vec![b' '; pad]].concat();
    let new = splice(text, start..end + drop, &padded, document.eol());
    if Parsed::of(&new)
        .tokens
        .get(field.index())
        .is_none_or(|t| *t.text(&new) != *value.as_bytes())
    {
        return Err(EditError::MalformedEntry);
    }
    document.rewrite(index, new);
    Ok(())
}

pub(super) fn append_service(document: &mut Document, block: &[u8]) -> Result<(), EditError> {
    let block = whole_services(block, document.eol())?;
    document.append(&block);
    Ok(())
}

pub(super) fn insert_after(
    document: &Document,
    key: ServiceKey<'_>,
    block: &[u8],
) -> Result<Vec<u8>, EditError> {
    let index = find(document, key)?;
    let block = whole_services(block, document.eol())?;
    let mut bytes = Vec::new();
    for placed in document.blocks() {
        if placed.index != index {
            bytes.extend_from_slice(placed.text);
            continue;
        }
        // Commented-out options belong to the service above them.
        let options = lines(&placed.text[placed.body.len()..])
            .take_while(|line| super::template::is_option_comment(line.text()))
            .map(|line| line.bytes.len());
        let (head, rest) = placed
            .text
            .split_at(placed.body.len() + options.sum::<usize>());
        bytes.extend_from_slice(head);
        if !bytes.ends_with(b"\n") {
            bytes.extend_from_slice(document.eol());
        }
        bytes.extend_from_slice(&block);
        bytes.extend_from_slice(rest);
    }
    Ok(bytes)
}

/// The text when each of its logical lines is a service, with a newline at its end.
fn whole_services(block: &[u8], eol: &[u8]) -> Result<Vec<u8>, EditError> {
    let parsed = MasterCf::parse(block);
    let mut services = 0;
    for placed in parsed.document.blocks() {
        if !placed.keyed && (placed.starts || !placed.body.is_empty()) {
            return Err(EditError::NotAService);
        }
        services += usize::from(placed.keyed);
    }
    if services == 0 || block.contains(&0) {
        return Err(EditError::NotAService);
    }
    let end: &[u8] = if block.ends_with(b"\n") { b"" } else { eol };
    Ok([block, end].concat())
}

/// A block with `#` before each line that Postfix reads.
pub(super) fn comment_out(text: &[u8]) -> Vec<u8> {
    let mut new = Vec::new();
    for line in lines(text) {
        if line.is_content() {
            new.push(b'#');
        }
        new.extend_from_slice(line.bytes);
    }
    new
}

fn find(document: &Document, key: ServiceKey<'_>) -> Result<usize, EditError> {
    document.find(&key.index()).ok_or(EditError::NoSuchService)
}

/// Puts `new` where `range` was. When the range goes over line ends, its content lines become one
/// and the comments between them stay, below it.
fn splice(text: &[u8], range: Range<usize>, new: &[u8], eol: &[u8]) -> Vec<u8> {
    let rest = &text[range.end..];
    let line_end = range.end + memchr::memchr(b'\n', rest).map_or(rest.len(), |i| i + 1);
    let between = comments_between(text, &range);
    let mut out = [&text[..range.start], new, &text[range.end..line_end]].concat();
    if !between.is_empty() && !out.ends_with(b"\n") {
        out.extend_from_slice(eol);
    }
    out.extend_from_slice(&between);
    out.extend_from_slice(&text[line_end..]);
    out
}

fn comments_between(text: &[u8], range: &Range<usize>) -> Vec<u8> {
    let Some(first) = memchr::memchr(b'\n', &text[range.clone()]) else {
        return Vec::new();
    };
    let from = range.start + first + 1;
    let to = memchr::memrchr(b'\n', &text[..range.end]).map_or(from, |i| i + 1);
    without_content(&text[from..to.max(from)])
}

/// Takes a range out with the blanks before it, and its line when nothing is left on it.
fn cut(text: &[u8], range: Range<usize>, eol: &[u8]) -> Result<Vec<u8>, EditError> {
    let line_start = memchr::memrchr(b'\n', &text[..range.start]).map_or(0, |i| i + 1);
    let before = &text[line_start..range.start];
    let rest = &text[range.end..];
    let line_end = range.end + memchr::memchr(b'\n', rest).map_or(rest.len(), |i| i + 1);
    let after = &text[range.end..line_end];
    let indented = blanks(before.iter()) == before.len();
    if indented && blanks(after.iter()) == after.len() {
        let between = comments_between(text, &range);
        return Ok([&text[..line_start], &between, &text[line_end..]].concat());
    }
    let (start, end) = if indented {
        (range.start, range.end + blanks(after.iter()))
    } else {
        (range.start - blanks(before.iter().rev()), range.end)
    };
    if indented && text[end] == b'#' {
        return Err(EditError::WouldBecomeComment);
    }
    Ok(splice(text, start..end, b"", eol))
}

/// The number of blanks in a row. Other whitespace is part of a word here.
fn blanks<'a>(bytes: impl Iterator<Item = &'a u8>) -> usize {
    bytes.take_while(|&&b| is_blank(b)).count()
}

//! Edits of main.cf. Each one rewrites the block of one entry and no other.
//!
//! Owns: which bytes of an entry stay. Never: joins or reorders what it was not asked to touch.

use super::Parts;
use crate::EditError;
use crate::document::{Document, content, without_content};
use crate::line::{Line, LineKind, indent, is_space, lines, trim};

pub(super) fn set(document: &mut Document, name: &str, value: &[u8]) -> Result<(), EditError> {
    check_name(name)?;
    if value.iter().any(|b| matches!(b, b'\n' | b'\r' | 0)) {
        return Err(EditError::ControlByte);
    }
    let value = trim(value);
    let Some(index) = document.find(name.as_bytes()) else {
        append(document, name, value);
        return Ok(());
    };
    let (text, body) = document.block(index);
    let Ok(parts) = Parts::of(&text[..body]) else {
        return Ok(());
    };
    if parts.value(&text[..body]) != value {
        let text = replace_value(text, body, parts, value);
        document.rewrite(index, text);
    }
    Ok(())
}

pub(super) fn set_raw(document: &mut Document, name: &str, raw: &[u8]) -> Result<(), EditError> {
    if !is_one_entry(name, raw) {
        return Err(EditError::NotOneEntry);
    }
    let Some(index) = document.find(name.as_bytes()) else {
        document.append(raw);
        return Ok(());
    };
    let (text, _) = document.block(index);
    // What `set` leaves of an entry with comments inside is followed by these comments. They go
    // back inside when they still stand there; otherwise they have been edited, and stay as they are.
    let inside = without_content(raw);
    let after = without_content(text);
    let (mut new, after) = match after.strip_prefix(&inside[..]) {
        Some(rest) => (raw.to_vec(), rest.to_vec()),
        None => (content(raw).flat_map(|l| l.bytes.to_vec()).collect(), after),
    };
    let ends_file = after.is_empty() && document.is_last(index);
    if !new.ends_with(b"\n") && !ends_file {
        new.extend_from_slice(document.eol());
    }
    new.extend_from_slice(&after);
    document.rewrite(index, new);
    Ok(())
}

pub(super) fn unset(document: &mut Document, name: &str) -> usize {
    document.take_out(name.as_bytes(), without_content)
}

fn check_name(name: &str) -> Result<(), EditError> {
    let bad = |b: u8| is_space(b) || matches!(b, b'=' | 0);
    if name.is_empty() || name.starts_with('#') || name.bytes().any(bad) {
        return Err(EditError::BadName);
    }
    Ok(())
}

fn append(document: &mut Document, name: &str, value: &[u8]) {
    let mut text = format!("{name} = ").into_bytes();
    text.extend_from_slice(value);
    text.extend_from_slice(document.eol());
    document.append(&text);
}

fn is_one_entry(name: &str, raw: &[u8]) -> bool {
    let starts = lines(raw).filter(|l| l.kind == LineKind::Start).count();
    let first = lines(raw).next().map(|l| l.kind);
    let ends_in_content = lines(raw).last().is_some_and(|l| l.is_content());
    first == Some(LineKind::Start)
        && starts == 1
        && ends_in_content
        && Parts::of(raw).is_ok_and(|parts| &raw[..parts.name] == name.as_bytes())
}

/// Where the new value is written: the line, and the byte that it starts at.
struct Anchor<'a> {
    line: Line<'a>,
    at: usize,
    /// Blanks to write before it.
    gap: &'static [u8],
}

fn replace_value(text: &[u8], body: usize, parts: Parts, value: &[u8]) -> Vec<u8> {
    let Some(anchor) = anchor(&text[..body], parts, value) else {
        return text.to_vec();
    };
    let mut new = text[..anchor.at].to_vec();
    new.extend_from_slice(anchor.gap);
    new.extend_from_slice(value);
    new.extend_from_slice(anchor.line.eol());
    new.extend_from_slice(&without_content(&text[anchor.line.end()..]));
    new
}

/// The value goes to where the old one starts. That may be an indented line; there an empty value
/// would leave a blank line, and one that starts with `#` a comment, so these go beside the `=`.
fn anchor<'a>(body: &'a [u8], parts: Parts, value: &[u8]) -> Option<Anchor<'a>> {
    let after = parts.equals + 1;
    let mut beside = None;
    for line in content(body).filter(|line| line.end() > parts.equals) {
        let from = after.max(line.at);
        let end = line.end() - line.eol().len();
        let blank = indent(&body[from..end]);
        let has_value = from + blank < end;
        if line.at <= parts.equals {
            let bare = blank == 0 && !has_value && !value.is_empty();
            let spaced = is_space(body[parts.equals - 1]);
            let gap: &[u8] = if bare && spaced { b" " } else { b"" };
            let at = from + blank;
            let anchor = Anchor { line, at, gap };
            if has_value || value.is_empty() || value[0] == b'#' {
                return Some(anchor);
            }
            beside = Some(anchor);
        } else if has_value {
            let at = from + blank;
            return Some(Anchor { line, at, gap: b"" });
        }
    }
    beside
}

//! The words of a master.cf entry, with the place where they stand.
//!
//! Owns: splitting at blanks outside braces, over line ends and comments. Never: what a word means.
//! Blanks are space, tab, carriage return and newline here; other whitespace is text, though a line
//! that starts with it is a continuation line.

use crate::document::content;
use std::borrow::Cow;
use std::ops::Range;

/// The fields before the arguments.
pub(super) const FIELDS: usize = 8;

/// A word: where it stands in the logical line's text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token {
    /// The word as Postfix sees it: without newlines and the comments between them.
    pub(super) fn text<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        text(body, self.start..self.end)
    }
}

/// What Postfix sees of a range.
pub(super) fn text(body: &[u8], range: Range<usize>) -> Cow<'_, [u8]> {
    let slice = &body[range.clone()];
    if !slice.contains(&b'\n') {
        return Cow::Borrowed(slice);
    }
    let mut joined = Vec::new();
    for line in content(body) {
        let from = range.start.max(line.at);
        let to = range.end.min(line.at + line.text().len());
        if from < to {
            joined.extend_from_slice(&body[from..to]);
        }
    }
    Cow::Owned(joined)
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The first words of a logical line, at most `limit`. A NUL byte ends it.
pub(super) fn tokens(body: &[u8], limit: usize) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut open: Option<Token> = None;
    let mut level = 0usize;
    'lines: for line in content(body) {
        for (at, &byte) in (line.at..).zip(line.text()) {
            if byte == 0 {
                break 'lines;
            }
            if level == 0 && is_blank(byte) {
                tokens.extend(open.take());
                if tokens.len() == limit {
                    return tokens;
                }
                continue;
            }
            match byte {
                b'{' => level += 1,
                b'}' => level = level.saturating_sub(1),
                _ => (),
            }
            let start = open.map_or(at, |token| token.start);
            let end = at + 1;
            open = Some(Token { start, end });
        }
    }
    tokens.extend(open);
    tokens.truncate(limit);
    tokens
}

/// Whether every brace has its counterpart, in order.
pub(super) fn is_balanced(text: &[u8]) -> bool {
    let mut level = 0usize;
    for byte in text {
        match byte {
            b'{' => level += 1,
            b'}' if level == 0 => return false,
            b'}' => level -= 1,
            _ => (),
        }
    }
    level == 0
}

//! The source of a lookup table: `KEY VALUE` rows (postmap(1)).
//!
//! Owns: which bytes are one row, and its key and value as postmap(1) takes them (measured on
//! 3.7.11). Never: knows what a key or a value means, folds case, holds a second copy of the file:
//! rows are read one after the other, so that a million of them cost no memory.

use crate::line::{LineKind, Lines, is_space, lines, trim};
use memchr::memrchr;
use std::borrow::Cow;
use std::iter::Peekable;

/// One logical line of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// Line number of its first line, from 1.
    pub line: usize,
    /// Every byte from its first line up to the next row: with the comments and blank lines inside
    /// and after it. The texts of all rows are the file.
    pub text: &'a [u8],
    /// What stands there.
    pub content: Content<'a>,
    /// The lines that go on an earlier one because they begin with a blank.
    pub joined: Vec<usize>,
}

/// What postmap(1) makes of a logical line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A row.
    Pair {
        /// The key, in quotes where it stands in quotes.
        key: Cow<'a, [u8]>,
        /// The value, without the blanks around it.
        value: Cow<'a, [u8]>,
    },
    /// A key without a value; postmap warns and leaves it out.
    NoValue(Cow<'a, [u8]>),
    /// An odd number of quotes in the key; left out likewise.
    Unbalanced,
    /// Indented text before the first row; left out likewise.
    Indented,
    /// Comments and blank lines before the first row.
    Nothing,
}

/// The rows of a source.
pub fn rows(source: &[u8]) -> Rows<'_> {
    Rows {
        source,
        lines: lines(source).peekable(),
        line: 1,
    }
}

/// How many of the first bytes of a source are whole rows, whatever follows: a file is read piece
/// by piece with it. Nothing where the last row may begin at the first byte.
pub fn whole(source: &[u8]) -> usize {
    let mut rest = source;
    while let Some(newline) = memrchr(b'\n', rest) {
        let first = source.get(newline + 1);
        if first.is_some_and(|byte| !is_space(*byte) && *byte != b'#') {
            return newline + 1;
        }
        rest = &source[..newline];
    }
    0
}

/// See [`rows`].
pub struct Rows<'a> {
    source: &'a [u8],
    lines: Peekable<Lines<'a>>,
    line: usize,
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        let first = self.lines.peek().copied()?;
        let starts = first.kind == LineKind::Start;
        let (start, line) = (first.at, self.line);
        let mut end = start;
        let mut body: Option<Cow<'a, [u8]>> = None;
        let mut joined = Vec::new();
        while let Some(next) = self.lines.peek().copied() {
            if next.kind == LineKind::Start && next.at > start {
                break;
            }
            if next.is_content() {
                match &mut body {
                    None => body = Some(Cow::Borrowed(next.text())),
                    Some(body) => body.to_mut().extend_from_slice(next.text()),
                }
                if next.kind == LineKind::Continuation {
                    joined.push(self.line);
                }
            }
            end = next.end();
            self.line += usize::from(next.bytes.ends_with(b"\n"));
            self.lines.next();
        }
        let content = match body {
            None => Content::Nothing,
            Some(_) if !starts => Content::Indented,
            Some(body) => content(body),
        };
        Some(Row {
            line,
            text: self.source.get(start..end)?,
            content,
            joined,
        })
    }
}

/// The key ends at the first blank that is neither in quotes nor after a backslash.
fn content(body: Cow<'_, [u8]>) -> Content<'_> {
    let (mut quoted, mut escaped) = (false, false);
    let end = body.iter().position(|&byte| {
        if std::mem::take(&mut escaped) {
            return false;
        }
        match byte {
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        is_space(byte) && !quoted
    });
    if quoted {
        return Content::Unbalanced;
    }
    let end = end.unwrap_or(body.len());
    match body {
        Cow::Borrowed(body) => pair(
            Cow::Borrowed(&body[..end]),
            Cow::Borrowed(trim(&body[end..])),
        ),
        Cow::Owned(body) => pair(
            Cow::Owned(body[..end].to_vec()),
            Cow::Owned(trim(&body[end..]).to_vec()),
        ),
    }
}

fn pair<'a>(key: Cow<'a, [u8]>, value: Cow<'a, [u8]>) -> Content<'a> {
    if value.is_empty() {
        return Content::NoValue(key);
    }
    Content::Pair { key, value }
}

#[cfg(test)]
mod tests;

//! Physical lines, and the four things one can be.
//!
//! Owns: Postfix's idea of whitespace and of a line. Never: joins lines (see `document`).
//! Postfix decides by the first byte and the first byte that is not whitespace, and by nothing else,
//! so a line's kind does not depend on its neighbours.

use memchr::memchr;

/// Whitespace as Postfix's `ISSPACE`: ASCII only, vertical tab and form feed included.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 0x09..=0x0d)
}

/// `text` without whitespace at both ends.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_start(trim_end(text))
}

/// `text` without whitespace at its end.
pub(crate) fn trim_end(text: &[u8]) -> &[u8] {
    let end = text
        .iter()
        .rposition(|&b| !is_space(b))
        .map_or(0, |i| i + 1);
    &text[..end]
}

/// `text` without whitespace at its start.
pub(crate) fn trim_start(text: &[u8]) -> &[u8] {
    &text[indent(text)..]
}

/// The number of whitespace bytes that `text` starts with.
pub(crate) fn indent(text: &[u8]) -> usize {
    text.iter()
        .position(|&b| !is_space(b))
        .unwrap_or(text.len())
}

/// What a physical line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// Nothing but whitespace.
    Blank,
    /// The first byte that is not whitespace is `#`.
    Comment,
    /// Text in the first column: a logical line starts.
    Start,
    /// Text after whitespace: the logical line above goes on, however far above it is.
    Continuation,
}

/// One physical line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// Offset of its first byte.
    pub(crate) at: usize,
    /// Its bytes with the newline, if there is one.
    pub(crate) bytes: &'a [u8],
    pub(crate) kind: LineKind,
}

impl<'a> Line<'a> {
    fn new(at: usize, bytes: &'a [u8]) -> Self {
        let blank = indent(bytes);
        let kind = match bytes.get(blank) {
            None => LineKind::Blank,
            Some(b'#') => LineKind::Comment,
            Some(_) if blank == 0 => LineKind::Start,
            Some(_) => LineKind::Continuation,
        };
        Self { at, bytes, kind }
    }

    /// Whether Postfix reads it: neither blank nor a comment.
    pub(crate) fn is_content(&self) -> bool {
        matches!(self.kind, LineKind::Start | LineKind::Continuation)
    }

    /// Its bytes without the newline. A carriage return stays: to Postfix it is text.
    pub(crate) fn text(&self) -> &'a [u8] {
        self.bytes.strip_suffix(b"\n").unwrap_or(self.bytes)
    }

    /// Its line end: `\r\n`, `\n`, or nothing at the end of a file.
    pub(crate) fn eol(&self) -> &'a [u8] {
        let text = self.text();
        let text = if text.len() < self.bytes.len() {
            text.strip_suffix(b"\r").unwrap_or(text)
        } else {
            text
        };
        &self.bytes[text.len()..]
    }

    /// Offset of the byte after it.
    pub(crate) fn end(&self) -> usize {
        self.at + self.bytes.len()
    }
}

/// The physical lines of `bytes`, in order.
pub(crate) fn lines(bytes: &[u8]) -> Lines<'_> {
    Lines { bytes, at: 0 }
}

/// See [`lines`].
pub(crate) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return None;
        }
        let len = memchr(b'\n', rest).map_or(rest.len(), |i| i + 1);
        let line = Line::new(self.at, &rest[..len]);
        self.at += len;
        Some(line)
    }
}

#[cfg(test)]
mod tests;

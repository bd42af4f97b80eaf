//! Where something stands in a document.
//!
//! Owns: from a span of bytes to a line, and the words for what is unknown. Never: what it means.

use std::ops::Range;
use std::rc::Rc;
use toml::Spanned;

/// The lines of a text.
#[derive(Clone)]
pub(crate) struct Lines<'t> {
    text: &'t str,
    /// Where each begins.
    begins: Rc<[usize]>,
    /// The byte from which spans are counted.
    from: usize,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let begins = std::iter::once(0)
            .chain(breaks.map(|(at, _)| at + 1))
            .collect();
        Self {
            text,
            begins,
            from: 0,
        }
    }

    /// The same lines, for a part of the text that begins at a byte.
    pub(crate) fn from(&self, byte: usize) -> Self {
        Self {
            from: byte,
            ..self.clone()
        }
    }

    /// The bytes at which lines begin that have just this text, without the blanks around it.
    pub(crate) fn of_text(&self, line: &str) -> impl Iterator<Item = usize> {
        let ends = self.begins[1..].iter().copied();
        let ends = ends.chain([self.text.len()]);
        let whole = self.begins.iter().copied().zip(ends);
        let same = move |(begin, end): &(usize, usize)| self.text[*begin..*end].trim() == line;
        whole.filter(same).map(|(begin, _)| begin)
    }

    /// The line of something that was read, from 1.
    pub(crate) fn of<T>(&self, spanned: &Spanned<T>) -> usize {
        self.at(self.from + spanned.span().start)
    }

    /// The line of a byte, from 1.
    pub(crate) fn at(&self, byte: usize) -> usize {
        self.begins.partition_point(|begin| *begin <= byte)
    }

    /// The line of where something begins that a parser speaks of.
    pub(crate) fn of_span(&self, span: Option<Range<usize>>) -> usize {
        let begin = span.map_or(self.text.len(), |span| span.start);
        self.at(begin.min(self.text.len()))
    }
}

/// That a key is not known, and which are.
pub(crate) fn unknown_key(key: &str, of: &str, known: &str) -> String {
    format!("{key:?} is no key of {of}; there are {known}")
}

#[cfg(test)]
mod tests;

//! main.cf: parameters.
//!
//! Owns: what Postfix reads as name and value. Never: knows a parameter. The rules are those of
//! Postfix's `readlline` and `split_nameval`: lines are joined without their newline, the name ends
//! at whitespace or `=`, the value is trimmed at both ends, and a NUL byte ends everything.

mod edit;
mod findings;

use crate::document::{Document, Placed, content};
use crate::line::{indent, is_space, trim};
use crate::{EditError, Finding};
use memchr::memchr;
use std::borrow::Cow;

/// A main.cf file.
#[derive(Clone, Debug)]
pub struct MainCf {
    document: Document,
}

/// One `name = value`, wherever it stands in the file and whether or not it wins.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    body: &'a [u8],
    parts: Parts,
    line: usize,
}

impl MainCf {
    /// The value of a file. Nothing is refused and nothing is lost.
    pub fn parse(bytes: &[u8]) -> Self {
        Self {
            document: Document::parse(bytes, |body| {
                let parts = Parts::of(body).ok()?;
                Some(body[..parts.name].into())
            }),
        }
    }

    /// The file, byte for byte, with the edits made.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.document.to_bytes()
    }

    /// The value that Postfix sees, before `$name` expansion: that of the last entry.
    pub fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let body = self.raw(name)?;
        let parts = Parts::of(body).ok()?;
        Some(parts.value(body))
    }

    /// The text of the entry that wins, from its name to the end of its last line, comments and
    /// blank lines inside it included. [`MainCf::set_raw`] takes it back.
    pub fn raw(&self, name: &str) -> Option<&[u8]> {
        let index = self.document.find(name.as_bytes())?;
        let (text, body) = self.document.block(index);
        Some(&text[..body])
    }

    /// All entries in the order of the file, overridden ones included.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.document.blocks().filter_map(entry)
    }

    /// Gives the entry that wins a new value, in place: what stands left of the value, line ends,
    /// and the comments and blank lines inside the entry stay. The lines that it went on over are
    /// taken out. An equal value changes nothing. An absent parameter is appended.
    ///
    /// # Errors
    /// [`EditError::ControlByte`] and [`EditError::BadName`]; nothing is changed then.
    pub fn set(&mut self, name: &str, value: &[u8]) -> Result<(), EditError> {
        edit::set(&mut self.document, name, value)
    }

    /// Puts back what [`MainCf::raw`] gave, so that `set` and then `set_raw` of what stood there
    /// before gives the file byte for byte, also when the file was printed and parsed in between.
    ///
    /// # Errors
    /// [`EditError::NotOneEntry`] when `raw` is not exactly one entry with that name.
    pub fn set_raw(&mut self, name: &str, raw: &[u8]) -> Result<(), EditError> {
        edit::set_raw(&mut self.document, name, raw)
    }

    /// Takes all entries with that name out, and returns how many there were. Comments and blank
    /// lines inside them stay.
    pub fn unset(&mut self, name: &str) -> usize {
        edit::unset(&mut self.document, name)
    }

    /// What is remarkable, in the order of lines.
    pub fn findings(&self) -> Vec<Finding> {
        findings::findings(&self.document)
    }
}

impl<'a> Entry<'a> {
    /// The name; bytes that are not UTF-8 show as U+FFFD.
    pub fn name(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.name_bytes())
    }

    /// The name as it stands.
    pub fn name_bytes(&self) -> &'a [u8] {
        &self.body[..self.parts.name]
    }

    /// The value that Postfix sees, before `$name` expansion.
    pub fn value(&self) -> Cow<'a, [u8]> {
        self.parts.value(self.body)
    }

    /// Its text, from its name to the end of its last line.
    pub fn raw(&self) -> &'a [u8] {
        self.body
    }

    /// The line of its name, from 1.
    pub fn first_line(&self) -> usize {
        self.line
    }

    /// Its last line, the one that Postfix names in its warnings when nothing follows.
    pub fn last_line(&self) -> usize {
        let inner = self.body.strip_suffix(b"\n").unwrap_or(self.body);
        self.line + memchr::memchr_iter(b'\n', inner).count()
    }
}

fn entry(placed: Placed<'_>) -> Option<Entry<'_>> {
    if !placed.keyed {
        return None;
    }
    Some(Entry {
        body: placed.body,
        parts: Parts::of(placed.body).ok()?,
        line: placed.line,
    })
}

/// Where the parts of an entry stand in its logical line.
#[derive(Clone, Copy, Debug)]
struct Parts {
    /// The byte after the name, which starts at 0.
    name: usize,
    /// The `=`.
    equals: usize,
}

/// Why Postfix refuses a logical line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Malformed {
    Name,
    Equals,
}

impl Parts {
    fn of(body: &[u8]) -> Result<Self, Malformed> {
        let name = body
            .iter()
            .position(|&b| is_space(b) || b == b'=' || b == 0)
            .unwrap_or(body.len());
        if name == 0 {
            return Err(Malformed::Name);
        }
        for line in content(body) {
            let from = name.max(line.at);
            let at = from + indent(&body[from..line.end()]);
            if at < line.end() {
                return match body[at] {
                    b'=' => Ok(Self { name, equals: at }),
                    _ => Err(Malformed::Equals),
                };
            }
        }
        Err(Malformed::Equals)
    }

    fn value<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        match join(body, self.equals + 1) {
            Cow::Borrowed(text) => Cow::Borrowed(trim(until_nul(text))),
            Cow::Owned(text) => Cow::Owned(trim(until_nul(&text)).to_vec()),
        }
    }
}

/// The content lines from an offset on, joined as Postfix joins them.
fn join(body: &[u8], from: usize) -> Cow<'_, [u8]> {
    let mut joined = Cow::Borrowed(&body[..0]);
    for line in content(body).filter(|line| line.end() > from) {
        let text = line.text();
        let text = &text[from.saturating_sub(line.at).min(text.len())..];
        if joined.is_empty() {
            joined = Cow::Borrowed(text);
        } else {
            joined.to_mut().extend_from_slice(text);
        }
    }
    joined
}

fn until_nul(text: &[u8]) -> &[u8] {
    &text[..memchr(0, text).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests;

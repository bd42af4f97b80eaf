//! Findings that both files share, because they are about lines and bytes.
//!
//! Owns: indented text before the first entry, NUL bytes, bytes that are not UTF-8, the end of the
//! file. Never: looks into a value.

use crate::document::{Document, Placed, content};
use crate::finding::{Finding, FindingCode as Code, Findings};

/// Whether bytes of entries are worth a look: asked once of the file, because nearly all files
/// hold nothing odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bytes {
    /// UTF-8 without NUL bytes.
    Plain,
    /// Anything.
    Odd,
}

impl Bytes {
    pub(crate) fn of(document: &Document) -> Self {
        match document.is_plain() {
            true => Self::Plain,
            false => Self::Odd,
        }
    }
}

/// What is remarkable about the file as a whole.
pub(crate) fn file(document: &Document) -> Findings {
    let mut findings = Findings::default();
    if let Some(first) = document.blocks().next()
        && let Some(name) = first.text.strip_prefix("\u{feff}".as_bytes())
    {
        let text = "a byte order mark stands before the first name and is part of it";
        findings.push(Finding::new(
            Code::ByteOrderMark,
            1,
            begins(name).as_bytes(),
            text.into(),
        ));
    }
    let last = document.blocks().filter(|b| !b.text.is_empty()).last();
    if let Some(last) = last
        && !last.text.ends_with(b"\n")
    {
        let text = "the last line has no newline: postconf -e (before 3.7.15, 3.8.10, 3.9.4) \
                    joins a new entry to it";
        let line = line_of(&last, last.text.len());
        let end = last.text.rsplit(|byte| *byte == b'\n').next();
        let subject = begins(end.unwrap_or_default());
        findings.push(Finding::new(
            Code::NoFinalNewline,
            line,
            subject.as_bytes(),
            text.into(),
        ));
    }
    findings
}

/// What is remarkable about the bytes of a logical line.
pub(crate) fn bytes(placed: &Placed<'_>, kind: Bytes, subject: &[u8], findings: &mut Findings) {
    if !placed.starts {
        if let Some(line) = content(placed.body).next() {
            let text = "indented text before the first entry: Postfix drops it";
            let number = line_of(placed, line.at);
            findings.push(Finding::new(
                Code::IndentedFirstLine,
                number,
                begins(line.text()).as_bytes(),
                text.into(),
            ));
        }
        return;
    }
    if kind == Bytes::Plain {
        return;
    }
    if let Some(at) = content(placed.body).find_map(|l| Some(l.at + memchr::memchr(0, l.text())?)) {
        let text = "a NUL byte: Postfix does not see what follows it in this entry";
        let line = line_of(placed, at);
        findings.push(Finding::new(Code::NulByte, line, subject, text.into()));
    }
    let odd = |text: &[u8]| std::str::from_utf8(text).err().map(|e| e.valid_up_to());
    if let Some(at) = content(placed.body).find_map(|l| Some(l.at + odd(l.text())?)) {
        let text = "bytes that are not UTF-8";
        let line = line_of(placed, at);
        findings.push(Finding::new(Code::NotUtf8, line, subject, text.into()));
    }
}

/// The line number of a byte of a block.
pub(crate) fn line_of(placed: &Placed<'_>, at: usize) -> usize {
    placed.line + memchr::memchr_iter(b'\n', &placed.text[..at]).count()
}

/// How a line begins: what stands before its value, and nothing of what may be secret.
fn begins(line: &[u8]) -> String {
    let mut parts = line.split(|byte| b"=\n".contains(byte));
    shown(parts.next().unwrap_or_default().trim_ascii())
}

/// Text for a message: whole characters, not too many.
pub(crate) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

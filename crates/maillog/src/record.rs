//! Log lines: time, host, program, process, text.
//!
//! Owns: the three forms that Postfix's lines come in — syslog with the traditional stamp, with
//! an ISO 8601 stamp, and postlogd's `maillog_file` (which writes the traditional one) — and the
//! bare form that Postfix's commands print on standard error. Never: interprets a stamp, which
//! may lack the year and the zone.

use memchr::{memchr, memchr_iter, memmem};

/// One line of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// The time as written; empty where there is none.
    pub stamp: &'a str,
    /// The host as written; empty where there is none.
    pub host: &'a str,
    /// The program as it calls itself: `postfix/submission/smtpd`, or what `syslog_name` makes of
    /// it. Empty where the line names none.
    pub tag: &'a str,
    /// The process id.
    pub pid: Option<u32>,
    /// All that follows `tag[pid]: `.
    pub text: &'a [u8],
}

/// How a program marks what it says. Ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "Postfix's own words")]
pub enum Severity {
    Info,
    Warning,
    Error,
    Fatal,
    Panic,
}

const SEVERITIES: [(&[u8], Severity); 4] = [
    (b"warning: ", Severity::Warning),
    (b"error: ", Severity::Error),
    (b"fatal: ", Severity::Fatal),
    (b"panic: ", Severity::Panic),
];

/// The lines of a log that can be read as such, in order.
pub fn records(log: &[u8]) -> impl Iterator<Item = Record<'_>> {
    lines(log)
        .enumerate()
        .filter_map(|(i, line)| Record::parse(i + 1, line))
}

impl<'a> Record<'a> {
    /// Reads one line (without its end).
    pub fn parse(number: usize, line: &'a [u8]) -> Option<Self> {
        let line = line.trim_ascii_end();
        // syslog's priority, where a collector kept it.
        let line = match line.strip_prefix(b"<") {
            Some(rest) => rest.get(memchr(b'>', rest)? + 1..)?,
            None => line,
        };
        let (stamp, rest) = stamp(line).unwrap_or((b"", line));
        let (host, rest) = match stamp {
            b"" => (&b""[..], rest),
            _ => split(rest, b" ")?,
        };
        let (tag, pid, text) = program(rest)?;
        Some(Self {
            number,
            stamp: readable(stamp),
            host: readable(host),
            tag: readable(tag),
            pid,
            text,
        })
    }

    /// The daemon or command: what follows the last `/` of the tag (`smtpd`).
    pub fn service(&self) -> &'a str {
        self.tag.rsplit_once('/').map_or(self.tag, |parts| parts.1)
    }

    /// How the program marked the line.
    pub fn severity(&self) -> Severity {
        SEVERITIES
            .into_iter()
            .find(|(mark, _)| self.text.starts_with(mark))
            .map_or(Severity::Info, |(_, severity)| severity)
    }

    /// The text without that mark.
    pub fn message(&self) -> &'a [u8] {
        SEVERITIES
            .into_iter()
            .find_map(|(mark, _)| self.text.strip_prefix(mark))
            .unwrap_or(self.text)
    }

    /// The queue id that the line is about, short or long (`enable_long_queue_ids`).
    pub fn queue_id(&self) -> Option<&'a str> {
        self.about_message().map(|(id, _)| id)
    }

    /// The queue id, and what the line says of that message.
    pub(crate) fn about_message(&self) -> Option<(&'a str, &'a [u8])> {
        let (id, rest) = split(self.text, b": ")?;
        is_queue_id(id).then(|| (readable(id), rest))
    }
}

fn is_queue_id(id: &[u8]) -> bool {
    let short = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
    // Long ids have no vowels, so that they spell no words.
    let long = |byte: &u8| byte.is_ascii_alphanumeric() && !b"AEIOUaeiou".contains(byte);
    (5..=20).contains(&id.len()) && id.iter().all(short)
        || (10..=40).contains(&id.len()) && id.iter().all(long)
}

/// Lines without their ends; a last one without an end counts.
fn lines(log: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr_iter(b'\n', log)
        .chain((!log.ends_with(b"\n") && !log.is_empty()).then_some(log.len()))
        .map(move |end| {
            let line = &log[start..end];
            start = end + 1;
            line
        })
}

/// The stamp and what follows it.
fn stamp(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    if line.len() > 19 && digits(&line[..4]) && line[4] == b'-' && line[10] == b'T' {
        return split(line, b" ");
    }
    // `Nov  1 03:15:49` or `Nov 01 03:15:49`, perhaps with a fraction.
    let head = line.get(..15)?;
    let is_time = head[9] == b':' && head[12] == b':' && digits(&head[10..12]);
    if !head[..3].iter().all(u8::is_ascii_alphabetic) || head[3] != b' ' || !is_time {
        return None;
    }
    let end = 15 + memchr(b' ', &line[15..])?;
    Some((&line[..end], &line[end + 1..]))
}

/// `tag[pid]: text`, `tag: text`, or text alone.
fn program(rest: &[u8]) -> Option<(&[u8], Option<u32>, &[u8])> {
    let is_tag = |tag: &[u8]| {
        let fits = |b: &u8| b.is_ascii_alphanumeric() || b"/._-+@".contains(b);
        !tag.is_empty() && tag.iter().all(fits)
    };
    if rest.is_empty() {
        return None;
    }
    if SEVERITIES.iter().any(|(mark, _)| rest.starts_with(mark)) {
        return Some((b"", None, rest));
    }
    let Some((head, text)) = split(rest, b": ").or_else(|| Some((rest.strip_suffix(b":")?, b"")))
    else {
        return Some((b"", None, rest));
    };
    let (tag, pid) = match split(head, b"[") {
        Some((tag, pid)) => (tag, pid.strip_suffix(b"]").and_then(number)),
        None => (head, None),
    };
    match is_tag(tag) && (pid.is_some() || tag.len() == head.len()) {
        true => Some((tag, pid, text)),
        false => Some((b"", None, rest)),
    }
}

pub(crate) fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The parts before and after the first `separator`.
pub(crate) fn split<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::find(bytes, separator)?;
    Some((&bytes[..at], &bytes[at + separator.len()..]))
}

/// The bytes as text, or the replacement character for what is none.
pub(crate) fn readable(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or("\u{fffd}")
}

#[cfg(test)]
mod tests;

//! SMTP replies out of bytes (RFC 5321 §4.2).
//!
//! Owns: [`Reply`], and the reader that cuts a stream into replies within bounds. Never: reads a
//! socket, knows which reply was hoped for. Whatever a server sends, a reply holds printable
//! ASCII only, and the memory taken is bounded.

use std::fmt;

/// Bytes kept of a line. RFC 5321 §4.5.3.1.5 allows 512; longer ones exist.
const LINE_KEPT: usize = 4096;
/// Bytes told of what no reply takes up.
const LEFT_KEPT: usize = 200;
/// Bytes of one reply, kept or not.
const REPLY_BYTES: usize = 64 * 1024;
/// Lines of one reply.
const REPLY_LINES: usize = 1000;

/// One reply, of one line or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The three digits.
    pub code: u16,
    /// What follows them, line by line, made printable.
    pub lines: Vec<String>,
}

impl Reply {
    /// 2xx.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }
}

impl fmt::Display for Reply {
    /// The reply as one line (`530 5.7.0 Must issue a STARTTLS command first`), at most 1000 bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.lines.join(" ").chars().take(1000).collect();
        write!(f, "{} {}", self.code, text.trim())
    }
}

/// Why a stream of bytes is not SMTP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// A line does not begin with a reply code.
    #[error("not an SMTP reply: {0:?}")]
    NotSmtp(String),
    /// More bytes than a reply may have.
    #[error("a reply of more than {} KiB", REPLY_BYTES / 1024)]
    TooLong,
    /// More lines than a reply may have.
    #[error("a reply of more than {REPLY_LINES} lines")]
    TooManyLines,
}

/// Cuts bytes into replies.
#[derive(Debug, Default)]
pub struct ReplyReader {
    /// Bytes that came and were not looked at yet.
    input: Vec<u8>,
    /// The beginning of the line under way.
    line: Vec<u8>,
    /// The lines of the reply under way.
    lines: Vec<String>,
    /// Bytes of the reply under way, those not kept included.
    length: usize,
}

impl ReplyReader {
    /// Takes bytes in. The caller asks [`Self::next_reply`] before it brings more.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The next whole reply, if it is there.
    pub fn next_reply(&mut self) -> Result<Option<Reply>, ReplyError> {
        let input = std::mem::take(&mut self.input);
        let mut rest = input.as_slice();
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (piece, after) = rest.split_at(end.map_or(rest.len(), |at| at + 1));
            rest = after;
            self.extend_line(piece)?;
            if end.is_none() {
                break;
            }
            if let Some(reply) = self.end_line()? {
                self.input = rest.to_vec();
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    /// Forgets what came after the last whole reply; the first of it, made printable, where there is any.
    pub fn take_leftover(&mut self) -> Option<String> {
        let left = std::mem::take(self).input;
        let told = printable(left.get(..LEFT_KEPT).unwrap_or(&left));
        match (left.is_empty(), told.is_empty()) {
            (true, _) => None,
            (false, true) => Some("an empty line".to_owned()),
            (false, false) => Some(told),
        }
    }

    fn extend_line(&mut self, piece: &[u8]) -> Result<(), ReplyError> {
        self.length += piece.len();
        if self.length > REPLY_BYTES {
            return Err(ReplyError::TooLong);
        }
        let room = LINE_KEPT.saturating_sub(self.line.len());
        self.line.extend_from_slice(&piece[..piece.len().min(room)]);
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<Reply>, ReplyError> {
        let line = printable(&std::mem::take(&mut self.line));
        let Some(Line { code, text, more }) = Line::cut(&line) else {
            return Err(ReplyError::NotSmtp(line.chars().take(200).collect()));
        };
        if self.lines.len() == REPLY_LINES {
            return Err(ReplyError::TooManyLines);
        }
        self.lines.push(text.to_owned());
        if more == More::Follow {
            return Ok(None);
        }
        self.length = 0;
        Ok(Some(Reply {
            code,
            lines: std::mem::take(&mut self.lines),
        }))
    }
}

/// One line of a reply.
struct Line<'a> {
    code: u16,
    text: &'a str,
    more: More,
}

#[derive(PartialEq)]
enum More {
    Follow,
    End,
}

impl<'a> Line<'a> {
    fn cut(line: &'a str) -> Option<Self> {
        let (digits, rest) = line.split_at_checked(3)?;
        let code = digits
            .parse()
            .ok()
            .filter(|code| (200..600).contains(code))?;
        let (more, text) = match rest.split_at_checked(1) {
            None => (More::End, ""),
            Some((" ", text)) => (More::End, text),
            Some(("-", text)) => (More::Follow, text),
            Some(_) => return None,
        };
        Some(Self { code, text, more })
    }
}

/// A line without its end; what is not printable ASCII becomes `?`, as in Postfix's own log.
fn printable(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.iter()
        .map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '?',
        })
        .collect()
}

#[cfg(test)]
mod tests;

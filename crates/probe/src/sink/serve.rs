//! One connection of a sink.
//!
//! Owns: the server's side of SMTP, as much as a Postfix client needs. Never: believes a client:
//! lines, recipients and messages are bounded, and a silent client is left after a minute.

use super::record::{Delivered, Record, SinkSession, TlsUsed};
use super::{Keep, SinkOptions, SinkTls, context};
use crate::tls::{failure, version};
use crate::wire::Wire;
use mailtls::Fingerprint;
use openssl::error::ErrorStack;
use openssl::ssl::{NameType, Ssl, SslContext, SslRef};
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of a message (announced by SIZE).
const MESSAGE: usize = 1024 * 1024;
/// Bytes of a command line.
const LINE: usize = 4096;
/// Recipients of a message.
const RECIPIENTS: usize = 1000;
/// How long a client may be silent.
const IDLE: Duration = Duration::from_secs(60);

/// What all connections of a sink share.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) record: Arc<Record>,
    hostname: String,
    tls: Speaks,
    keep: Keep,
}

#[derive(Debug)]
enum Speaks {
    Clear,
    StartTls(SslContext),
    Implicit(SslContext),
}

impl Server {
    pub(super) fn new(options: SinkOptions) -> Result<Self, ErrorStack> {
        Ok(Self {
            record: Arc::default(),
            hostname: options.hostname,
            tls: match &options.tls {
                SinkTls::None => Speaks::Clear,
                SinkTls::StartTls(certificate) => Speaks::StartTls(context(certificate)?),
                SinkTls::Implicit(certificate) => Speaks::Implicit(context(certificate)?),
            },
            keep: options.keep,
        })
    }

    /// Serves a connection to its end.
    pub(super) fn serve(&self, socket: TcpStream) {
        let mut seen = SinkSession::default();
        if let Ok(wire) = Wire::over(socket, Instant::now() + IDLE) {
            // A client that leaves in the middle is nothing to report: what it did is on record.
            let _ = self.session(wire, &mut seen);
        }
        self.record.end(seen);
    }

    fn session(&self, wire: Wire, seen: &mut SinkSession) -> io::Result<()> {
        let wire = match &self.tls {
            Speaks::Implicit(context) => shake(wire, context, seen)?,
            Speaks::Clear | Speaks::StartTls(_) => wire,
        };
        let mut connection = Connection::new(self, wire, seen);
        connection.say(&format!("220 {} ESMTP", self.hostname))?;
        while connection.talk()? == Then::StartTls {
            connection = connection.under_tls()?;
        }
        Ok(())
    }
}

/// Turns a connection away.
pub(super) fn too_many(socket: TcpStream) {
    if let Ok(mut wire) = Wire::over(socket, Instant::now() + Duration::from_secs(1)) {
        let _ = wire.send(b"421 4.7.0 too many connections\r\n");
    }
}

/// The handshake as a server, and what it showed.
fn shake(wire: Wire, context: &SslContext, seen: &mut SinkSession) -> io::Result<Wire> {
    let ssl = Ssl::new(context)?;
    match wire.accept_tls(ssl) {
        Ok(stream) => {
            seen.tls = tls_used(stream.ssl());
            Ok(Wire::Tls(stream))
        }
        Err(error) => {
            seen.tls_error = Some(failure(error).to_string());
            Err(ErrorKind::ConnectionAborted.into())
        }
    }
}

fn tls_used(ssl: &SslRef) -> Option<TlsUsed> {
    let client = ssl.peer_certificate().and_then(|leaf| leaf.to_der().ok());
    Some(TlsUsed {
        version: version(ssl).ok()?,
        cipher: ssl.current_cipher()?.name().to_owned(),
        sni: ssl.servername(NameType::HOST_NAME).map(str::to_owned),
        client: client.map(|leaf| Fingerprint::of(&leaf)),
    })
}

/// The state of one connection.
struct Connection<'s> {
    server: &'s Server,
    lines: Lines,
    seen: &'s mut SinkSession,
    mail_from: Option<String>,
    rcpt_to: Vec<String>,
}

/// What comes after a command.
#[derive(PartialEq)]
enum Then {
    Go,
    StartTls,
    End,
}

impl<'s> Connection<'s> {
    fn new(server: &'s Server, wire: Wire, seen: &'s mut SinkSession) -> Self {
        Self {
            server,
            lines: Lines::new(wire),
            seen,
            mail_from: None,
            rcpt_to: Vec::new(),
        }
    }

    /// What the client sent before the handshake is forgotten with the state (RFC 3207 §4.2).
    fn under_tls(self) -> io::Result<Self> {
        let Speaks::StartTls(context) = &self.server.tls else {
            return Err(ErrorKind::Unsupported.into());
        };
        self.seen.helo = None;
        let wire = shake(self.lines.wire, context, self.seen)?;
        Ok(Self::new(self.server, wire, self.seen))
    }

    /// Answers commands until the session ends or its layer changes.
    fn talk(&mut self) -> io::Result<Then> {
        loop {
            let line = self.lines.next(LINE)?;
            if line.is_cut {
                self.say("500 5.5.6 Line too long")?;
                return Ok(Then::End);
            }
            let line = String::from_utf8_lossy(&line.bytes).into_owned();
            match self.command(line.trim_end())? {
                Then::Go => {}
                then => return Ok(then),
            }
        }
    }

    fn command(&mut self, line: &str) -> io::Result<Then> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "LHLO" => self.ehlo(rest)?,
            "HELO" => self.helo(rest)?,
            "STARTTLS" if self.offers_starttls() => {
                self.say("220 2.0.0 Ready to start TLS")?;
                return Ok(Then::StartTls);
            }
            "MAIL" => self.mail(rest)?,
            "RCPT" => self.rcpt(rest)?,
            "DATA" => self.data()?,
            "RSET" => {
                self.reset();
                self.say("250 2.0.0 Ok")?;
            }
            "NOOP" => self.say("250 2.0.0 Ok")?,
            "QUIT" => {
                self.say("221 2.0.0 Bye")?;
                return Ok(Then::End);
            }
            _ => self.say("502 5.5.2 Command not known here")?,
        }
        Ok(Then::Go)
    }

    fn offers_starttls(&self) -> bool {
        matches!(self.server.tls, Speaks::StartTls(_)) && self.seen.tls.is_none()
    }

    fn ehlo(&mut self, name: &str) -> io::Result<()> {
        self.reset();
        self.seen.helo = Some(name.to_owned());
        let starttls = if self.offers_starttls() {
            "250-STARTTLS\r\n"
        } else {
            ""
        };
        self.say(&format!(
            "250-{}\r\n{starttls}250-SIZE {MESSAGE}\r\n250-PIPELINING\r\n\
             250-ENHANCEDSTATUSCODES\r\n250 8BITMIME",
            self.server.hostname
        ))
    }

    fn helo(&mut self, name: &str) -> io::Result<()> {
        self.reset();
        self.seen.helo = Some(name.to_owned());
        let name = &self.server.hostname;
        self.say(&format!("250 {name}"))
    }

    fn mail(&mut self, rest: &str) -> io::Result<()> {
        match path(rest, "FROM:") {
            Some(address) if self.mail_from.is_none() => {
                self.mail_from = Some(address);
                self.say("250 2.1.0 Ok")
            }
            Some(_) => self.say("503 5.5.1 Sender already given"),
            None => self.say("501 5.5.4 Syntax: MAIL FROM:<address>"),
        }
    }

    fn rcpt(&mut self, rest: &str) -> io::Result<()> {
        match path(rest, "TO:") {
            None => self.say("501 5.5.4 Syntax: RCPT TO:<address>"),
            Some(_) if self.mail_from.is_none() => self.say("503 5.5.1 MAIL first"),
            Some(_) if self.rcpt_to.len() == RECIPIENTS => {
                self.say("452 4.5.3 Too many recipients")
            }
            Some(address) => {
                self.rcpt_to.push(address);
                self.say("250 2.1.5 Ok")
            }
        }
    }

    fn data(&mut self) -> io::Result<()> {
        let (Some(mail_from), false) = (self.mail_from.take(), self.rcpt_to.is_empty()) else {
            return self.say("503 5.5.1 RCPT first");
        };
        self.say("354 End data with <CR><LF>.<CR><LF>")?;
        let Some(data) = self.lines.message(self.server.keep)? else {
            self.reset();
            return self.say("552 5.3.4 Message too big");
        };
        let message = Delivered {
            helo: self.seen.helo.clone().unwrap_or_default(),
            tls: self.seen.tls.clone(),
            mail_from,
            rcpt_to: std::mem::take(&mut self.rcpt_to),
            data,
        };
        if self.server.record.deliver(message) {
            self.seen.messages += 1;
            self.say("250 2.0.0 Ok: on record")
        } else {
            self.say("452 4.3.1 No room for more messages")
        }
    }

    fn reset(&mut self) {
        self.mail_from = None;
        self.rcpt_to.clear();
    }

    fn say(&mut self, words: &str) -> io::Result<()> {
        self.lines.wire.set_deadline(Instant::now() + IDLE);
        self.lines.wire.send(format!("{words}\r\n").as_bytes())
    }
}

/// The address of `FROM:<a@b> SIZE=1`.
fn path(rest: &str, keyword: &str) -> Option<String> {
    let (word, rest) = rest.split_at_checked(keyword.len())?;
    let rest = rest.trim_start().strip_prefix('<')?;
    let (address, _) = rest.split_once('>')?;
    word.eq_ignore_ascii_case(keyword)
        .then(|| address.to_owned())
}

/// A connection, line by line.
struct Lines {
    wire: Wire,
    buffer: Vec<u8>,
    at: usize,
}

/// One line, without its end.
struct Line {
    bytes: Vec<u8>,
    /// It was longer, and the rest was thrown away.
    is_cut: bool,
}

impl Lines {
    fn new(wire: Wire) -> Self {
        Self {
            wire,
            buffer: Vec::new(),
            at: 0,
        }
    }

    /// The next line, of which at most `limit` bytes are kept.
    fn next(&mut self, limit: usize) -> io::Result<Line> {
        let mut line = Line {
            bytes: Vec::new(),
            is_cut: false,
        };
        loop {
            let rest = &self.buffer[self.at..];
            let end = rest.iter().position(|byte| *byte == b'\n');
            let piece = &rest[..end.unwrap_or(rest.len())];
            let room = limit - line.bytes.len();
            line.is_cut |= piece.len() > room;
            line.bytes
                .extend_from_slice(&piece[..piece.len().min(room)]);
            if let Some(end) = end {
                self.at += end + 1;
                if line.bytes.ends_with(b"\r") {
                    line.bytes.pop();
                }
                return Ok(line);
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.wire.set_deadline(Instant::now() + IDLE);
        self.at = 0;
        self.buffer.resize(16 * 1024, 0);
        let length = self
            .wire
            .receive(&mut self.buffer)
            .inspect_err(|_| self.buffer.clear())?;
        self.buffer.truncate(length);
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// A message up to the final dot, or as much as is to be kept; `None` when it was too big.
    fn message(&mut self, keep: Keep) -> io::Result<Option<Vec<u8>>> {
        let mut data: Vec<u8> = Vec::new();
        let (mut length, mut in_header) = (0, true);
        loop {
            let line = self.next(MESSAGE)?;
            if line.bytes == b"." {
                return Ok((length <= MESSAGE).then_some(data));
            }
            let text = line.bytes.strip_prefix(b".").unwrap_or(&line.bytes);
            length += text.len() + 2;
            in_header &= !text.is_empty();
            if length <= MESSAGE && (in_header || keep == Keep::Whole) {
                data.extend_from_slice(text);
                data.extend_from_slice(b"\r\n");
            }
            if line.is_cut {
                length = MESSAGE + 1;
            }
        }
    }
}

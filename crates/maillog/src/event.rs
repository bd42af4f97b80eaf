//! What a log line says, as far as it concerns TLS, deliveries and the life of the master.
//!
//! Owns: the shapes of those lines from Postfix 3.4 to 3.11. Never: judges one (that is
//! `warning`).

mod read;

use crate::record::{Record, Severity, number, readable, split};
use memchr::memrchr;

/// What one line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A TLS session began, or a message went through one that was open already.
    Tls(TlsSession<'a>),
    /// One recipient's delivery was tried.
    Delivery(Delivery<'a>),
    /// A server offered STARTTLS and the level is `none` (`smtp_tls_note_starttls_offer`).
    StartTlsOffered {
        /// The server's name.
        host: &'a str,
    },
    /// A server's certificate did not verify.
    Unverified {
        /// The server.
        peer: Peer<'a>,
        /// OpenSSL's or Postfix's reason.
        reason: &'a str,
    },
    /// A handshake failed.
    HandshakeFailed {
        /// Which side we are on.
        direction: Direction,
        /// The other side.
        peer: Peer<'a>,
        /// `-1`, `lost connection`, ….
        reason: &'a str,
    },
    /// A client connected.
    Connected(Peer<'a>),
    /// A client disconnected.
    Disconnected {
        /// The client.
        peer: Peer<'a>,
        /// Its STARTTLS commands; `None` where it gave none.
        starttls: Option<Attempts>,
    },
    /// A message came in.
    Received {
        /// Its queue id.
        queue_id: &'a str,
        /// The client it came from.
        client: Peer<'a>,
    },
    /// The queue manager took a message up.
    Queued {
        /// Its queue id.
        queue_id: &'a str,
        /// Its envelope sender, as it is logged; empty for none.
        sender: &'a str,
    },
    /// A message left the queue.
    Removed {
        /// Its queue id.
        queue_id: &'a str,
    },
    /// The master started.
    Started,
    /// The master read its configuration again.
    Reloaded,
    /// The master ends.
    Stopped,
    /// A daemon could not start, and the master waits a minute before the next try.
    Throttled {
        /// The daemon's program.
        command: &'a str,
    },
    /// A warning, error, fatal error or panic of any other kind.
    Complaint {
        /// Which of them.
        severity: Severity,
        /// What it says, without the mark.
        message: &'a [u8],
    },
    /// Anything else.
    Other,
}

/// A TLS session as logged at log level 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsSession<'a> {
    /// How far the peer was authenticated.
    pub trust: TrustWord,
    /// Which side we are on.
    pub direction: Direction,
    /// Whether the connection was open already (`smtp_tls_connection_reuse`).
    pub is_reused: bool,
    /// The other side.
    pub peer: Peer<'a>,
    /// The name the client asked for, where the server has a chain for it.
    pub sni: Option<&'a str>,
    /// `TLSv1.3`.
    pub protocol: &'a str,
    /// The cipher suite, OpenSSL's name.
    pub cipher: &'a str,
    /// The key's bits in use.
    pub bits: u32,
    /// Key exchange of TLS 1.3 (`X25519`).
    pub key_exchange: Option<&'a str>,
}

/// The first word of a TLS session's line. Ordered by strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrustWord {
    /// No certificate: an anonymous cipher, or (on a server) no client certificate.
    Anonymous,
    /// A certificate that did not verify, or was not asked to.
    Untrusted,
    /// A trusted chain; the name was not checked.
    Trusted,
    /// Name, fingerprint or TLSA record matched.
    Verified,
}

/// Which side of a connection we are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// We are the server: `from`.
    Inbound,
    /// We are the client: `to`.
    Outbound,
}

/// The other side of a connection: `mx.example.com[192.0.2.1]:25`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer<'a> {
    /// Its name, `unknown`, or nothing (postscreen and tlsproxy).
    pub host: &'a str,
    /// Its address, or the path of a socket.
    pub address: &'a str,
    /// Its port, where the line says it.
    pub port: Option<u16>,
}

/// How often a command was tried, and how often it succeeded (`starttls=0/1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// Successes.
    pub succeeded: u32,
    /// Tries.
    pub tried: u32,
}

/// One delivery of one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// The message.
    pub queue_id: &'a str,
    /// The recipient.
    pub to: &'a str,
    /// The server as logged; `none` where none was reached.
    pub relay: &'a str,
    /// Which message of a reused connection this was.
    pub conn_use: Option<u32>,
    /// The TLS feature status of Postfix 3.11 (`may:none`, `!encrypt`).
    pub tls: Option<&'a str>,
    /// The status code, `2.0.0`.
    pub dsn: &'a str,
    /// `sent`, `deferred`, `bounced`, ….
    pub status: &'a str,
    /// The reason, without its parentheses.
    pub reason: &'a str,
}

impl<'a> Event<'a> {
    /// What a line says.
    pub fn of(record: &Record<'a>) -> Self {
        let event = match record.severity() {
            Severity::Info => read::connection(record.text)
                .or_else(|| read::message(record))
                .or_else(|| read::master(record)),
            _ => read::throttled(record.message()),
        };
        match (event, record.severity()) {
            (Some(event), _) => event,
            (None, Severity::Info) => Self::Other,
            (None, severity) => Self::Complaint {
                severity,
                message: record.message(),
            },
        }
    }
}

impl<'a> Peer<'a> {
    /// Reads `host[address]` or `host[address]:port`.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let close = memrchr(b']', bytes)?;
        let (host, address) = split(&bytes[..close], b"[")?;
        let port = match &bytes[close + 1..] {
            b"" => None,
            rest => Some(number(rest.strip_prefix(b":")?)?.try_into().ok()?),
        };
        Some(Self {
            host: readable(host),
            address: readable(address),
            port,
        })
    }
}

impl<'a> Delivery<'a> {
    /// The server, where one was reached.
    pub fn relay_peer(&self) -> Option<Peer<'a>> {
        Peer::parse(self.relay.as_bytes())
    }
}

#[cfg(test)]
mod tests;

//! What a sink remembers.
//!
//! Owns: the messages and sessions, and the bounds on both. Never: forgets a message that was
//! accepted.

use mailtls::{Fingerprint, TlsVersion};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Messages remembered.
const MESSAGES: usize = 100_000;
/// Bytes remembered, of all messages together.
const BYTES: usize = 256 * 1024 * 1024;
/// Sessions remembered; of later ones nothing is known, their messages are.
const SESSIONS: usize = 100_000;

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The client's name in its last EHLO or HELO.
    pub helo: String,
    /// TLS at that time, if any.
    pub tls: Option<TlsUsed>,
    /// The sender, without brackets.
    pub mail_from: String,
    /// The recipients, without brackets.
    pub rcpt_to: Vec<String>,
    /// The message, without the dots of DATA; only its header where the sink was told so.
    pub data: Vec<u8>,
}

/// TLS as it was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsUsed {
    /// The version.
    pub version: TlsVersion,
    /// The cipher suite, OpenSSL's name.
    pub cipher: String,
    /// The name the client asked for (RFC 6066 §3).
    pub sni: Option<String>,
    /// The certificate the client showed, where it was asked for one (`SinkCertificate::asks`).
    pub client: Option<Fingerprint>,
}

/// A session that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkSession {
    /// The client's name, if it said one.
    pub helo: Option<String>,
    /// TLS, if a handshake succeeded.
    pub tls: Option<TlsUsed>,
    /// Why a handshake failed (`tlsv1 alert unknown ca`).
    pub tls_error: Option<String>,
    /// Messages accepted in it.
    pub messages: usize,
}

/// The memory of a sink.
#[derive(Debug, Default)]
pub(super) struct Record {
    kept: Mutex<Kept>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Kept {
    delivered: Vec<Delivered>,
    bytes: usize,
    sessions: Vec<SinkSession>,
}

impl Record {
    /// Remembers a message; false, and nothing remembered, when there is no room.
    #[must_use]
    pub(super) fn deliver(&self, message: Delivered) -> bool {
        let mut kept = self.kept();
        let bytes = kept.bytes + message.data.len();
        if kept.delivered.len() == MESSAGES || bytes > BYTES {
            return false;
        }
        kept.bytes = bytes;
        kept.delivered.push(message);
        self.changed.notify_all();
        true
    }

    /// Remembers a session, if there is room.
    pub(super) fn end(&self, session: SinkSession) {
        let mut kept = self.kept();
        if kept.sessions.len() < SESSIONS {
            kept.sessions.push(session);
        }
    }

    pub(super) fn delivered(&self) -> Vec<Delivered> {
        self.kept().delivered.clone()
    }

    pub(super) fn sessions(&self) -> Vec<SinkSession> {
        self.kept().sessions.clone()
    }

    pub(super) fn wait_for(&self, count: usize, deadline: Duration) -> usize {
        let few = |kept: &mut Kept| kept.delivered.len() < count;
        let waited = self.changed.wait_timeout_while(self.kept(), deadline, few);
        waited
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .delivered
            .len()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

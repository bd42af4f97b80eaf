//! What to look at, and how far.
//!
//! Owns: [`Target`] and its words. Never: what is expected there; that is the planner's.

use mailtls::TlsVersion;
use postseal_planner::preflight::Opening;
use postseal_planner::report::{Ask, Limits};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use zeroize::Zeroizing;

/// One address of one service, and what to ask there.
#[derive(Clone, Debug)]
pub struct Target {
    /// The service as master.cf names it, `name/type`; copied into the report.
    pub service: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// The address of this host to come from; where it cannot be taken, whatever the system takes.
    pub from: Option<IpAddr>,
    /// How TLS starts.
    pub tls: Start,
    /// The server name to ask for (RFC 6066 §3), if any.
    pub sni: Option<String>,
    /// Our name in EHLO.
    pub ehlo_name: String,
    /// The word before it.
    pub greeting: Greeting,
    /// What the handshake is held to, as by a client with such lists.
    pub limits: Option<Limits>,
    /// Whether MAIL FROM is tried before TLS, to see the 530 of a service that requires TLS.
    pub mail_before_tls: MailBeforeTls,
    /// Try a second handshake with only versions older than this.
    pub floor: Option<TlsVersion>,
    /// Further handshakes, as clients do that ask for a name or take one kind of key only.
    pub asks: Vec<Ask>,
    /// For AUTH PLAIN, which is sent under TLS only.
    pub credentials: Option<Credentials>,
}

impl Target {
    /// A target that is only greeted: no MAIL before TLS, no floor test, no AUTH.
    pub fn new(service: impl Into<String>, address: SocketAddr, tls: Start) -> Self {
        Self {
            service: service.into(),
            address,
            from: None,
            tls,
            sni: None,
            ehlo_name: "localhost".to_owned(),
            greeting: Greeting::Ehlo,
            limits: None,
            mail_before_tls: MailBeforeTls::Skip,
            floor: None,
            asks: Vec::new(),
            credentials: None,
        }
    }
}

/// How a client greets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// In SMTP.
    Ehlo,
    /// In LMTP (RFC 2033 §4.1).
    Lhlo,
}

/// How TLS starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// By STARTTLS (RFC 3207).
    StartTls,
    /// With the first byte (`smtpd_tls_wrappermode`, RFC 8314).
    Implicit,
    /// Not at all.
    Clear,
}

impl From<Opening> for Start {
    fn from(opening: Opening) -> Self {
        match opening {
            Opening::StartTls => Self::StartTls,
            Opening::Wrapper => Self::Implicit,
        }
    }
}

/// Whether MAIL FROM is tried before TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailBeforeTls {
    /// `MAIL FROM:<>`, and RSET if that was accepted.
    Ask,
    /// No.
    Skip,
}

/// A user and a password.
#[derive(Clone)]
pub struct Credentials {
    /// Who.
    pub user: String,
    /// The secret; wiped when dropped.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({:?}, password hidden)", self.user)
    }
}

//! What DNS said, as part of the picture of a host.
//!
//! Owns: the questions that the planner may have, and the shape of their answers. Never: asks a
//! resolver (`probe` does), follows an alias.

use mailtls::tlsa::{self, TlsaRecord};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A question to DNS; names are A-labels without a final dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// The mail exchangers of a domain.
    Mx(String),
    /// The addresses of a host, both families.
    Addresses(String),
    /// The texts of a name.
    Txt(String),
    /// The TLSA records of a host's port (RFC 6698 §3).
    Tlsa {
        /// The TLSA base domain.
        base: String,
        /// The TCP port.
        port: u16,
    },
}

/// What came of a question, or why nothing did.
pub type Answered = Result<Answer, String>;

/// All that was asked, by question. What is missing was not asked.
pub type Answers = BTreeMap<Question, Answered>;

/// An answer. A name that has nothing of the kind is an answer, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was found.
    pub records: Records,
    /// Where it was found: the name that aliases led to, or the name asked for.
    pub owner: String,
    /// Whether DNSSEC vouches for all of it, the aliases and an absence included.
    pub security: Security,
    /// The longest time to live of what led here; `None` where nothing was found.
    pub ttl: Option<Ttl>,
}

/// How long caches keep records. Ordered by that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ttl {
    /// Seconds.
    pub seconds: u32,
    /// Whether the zone has it so, by what DNSSEC signed (RFC 4034 §3.1.4). Else it is what is left of
    /// it in a cache, and the zone may say more.
    pub of_zone: bool,
}

impl Ttl {
    /// `300 s`, or `at least 300 s`.
    pub fn text(self) -> String {
        match self.of_zone {
            true => format!("{} s", self.seconds),
            false => format!("at least {} s", self.seconds),
        }
    }
}

/// Records of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    /// The preferred first. A null MX (RFC 7505) is one empty name.
    Mx(Vec<Exchanger>),
    /// Addresses.
    Addresses(Vec<IpAddr>),
    /// TLSA records.
    Tlsa(Vec<TlsaRecord>),
    /// Texts, the strings of each joined.
    Txt(Vec<Vec<u8>>),
}

/// A mail exchanger (RFC 5321 §5.1). Ordered as mailers try them, by preference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exchanger {
    /// The lower, the sooner.
    pub preference: u16,
    /// The host, in A-labels without a final dot; empty in a null MX.
    pub host: String,
}

/// Whether DNSSEC vouches for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Security {
    /// A resolver that may be trusted says so (AD; RFC 6840 §5.8).
    Secure,
    /// Nobody says so.
    Insecure,
}

impl Question {
    /// The name that is asked for, without a final dot.
    pub fn name(&self) -> String {
        match self {
            Self::Mx(name) | Self::Addresses(name) | Self::Txt(name) => name.clone(),
            Self::Tlsa { base, port } => tlsa::owner_name(base, *port)
                .map(|owner| owner.trim_end_matches('.').to_owned())
                .unwrap_or_default(),
        }
    }
}

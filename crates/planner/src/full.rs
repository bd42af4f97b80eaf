//! What a server's TLS shows when it is asked for everything: versions, cipher suites, groups,
//! certificates, sessions, and how STARTTLS behaves.
//!
//! Owns: the shapes, the grades of what is in them (`grade`, beside this file), what changed between two
//! looks (`compare`), and what STARTTLS looks like where it is taken out (`stripped`). Never: looks at a wire (`probe` does). Every fact has a third answer, *undetermined*, with the reason: what a
//! rate limit, a deadline or a budget hid is neither good nor bad.

mod compare;
mod grade;
mod stripped;

pub use compare::{FullChanges, Looks, full_changes};
pub use grade::{Graded, Mozilla, Ncsc, grades, worst};
pub use stripped::{stripped, stripped_by};

use mailtls::{Fingerprint, TlsVersion};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

pub use crate::ciphers::Order;

/// Yes, no, or not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "seen", content = "why")]
pub enum Seen {
    /// It was seen.
    Yes,
    /// It was asked for and refused, or is not there.
    No,
    /// It could not be seen, and why.
    Undetermined(String),
}

impl Seen {
    /// Nothing to be seen: the reason.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Undetermined(why.into())
    }
}

/// All that was seen of one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Full {
    /// Connections that were made.
    pub connections: u32,
    /// Connections that were allowed.
    pub budget: u32,
    /// Why the look ended before everything was asked: the server refused, or the budget was used up.
    pub stopped: Option<String>,
    /// Why there is nothing to ask for: the server was seen to start no TLS.
    pub no_tls: Option<String>,
    /// SSLv3 to TLS 1.3, the oldest first.
    pub versions: Vec<VersionSeen>,
    /// The key exchange groups, by version.
    pub groups: Vec<GroupsSeen>,
    /// The finite-field groups that it uses up to TLS 1.2.
    pub dh: Vec<DhSeen>,
    /// The certificates that it shows, one a kind of key.
    pub certificates: Vec<LeafSeen>,
    /// Whether it asks clients for a certificate.
    pub client_certificate: ClientAsked,
    /// Sessions and extensions.
    pub features: Features,
    /// How STARTTLS behaves; `None` for implicit TLS.
    pub starttls: Option<StarttlsSeen>,
}

/// One address, looked at in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullAt {
    /// The server's name.
    pub host: String,
    /// Where.
    pub address: SocketAddr,
    /// What was seen.
    pub seen: Full,
    /// What that is worth.
    pub grades: Vec<Graded>,
}

/// One protocol version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionSeen {
    /// Which.
    pub version: TlsVersion,
    /// Whether the server speaks it.
    pub seen: Seen,
    /// Its suites: in the server's order where it has one.
    pub suites: Vec<SuiteSeen>,
    /// Who chooses; `None` where that could not be told (one suite only, or not asked).
    pub order: Option<Order>,
    /// Why there may be more suites than these.
    pub unasked: Option<String>,
}

/// A cipher suite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteSeen {
    /// Its number in IANA's registry (`0xC030`).
    pub id: String,
    /// Its name there.
    pub name: String,
    /// OpenSSL's name, where the library at hand knows it.
    pub openssl: Option<String>,
    /// How it is known.
    pub evidence: Evidence,
}

/// How a suite or group is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "evidence", content = "version")]
pub enum Evidence {
    /// The server chose it in this version.
    Chosen,
    /// The server chose it in another version. In this one it chose the first and the last of
    /// them, and refused all others.
    Alike(TlsVersion),
}

impl Evidence {
    const fn chosen() -> Self {
        Self::Chosen
    }
}

/// The groups of one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupsSeen {
    /// The version.
    pub version: TlsVersion,
    /// OpenSSL's names, in the order in which the server chose them.
    pub groups: Vec<String>,
    /// How they are known. Not flattened: its content is a version, too, and would stand in the place of the
    /// version above. Reports of before lack it.
    #[serde(rename = "known_by", default = "Evidence::chosen")]
    pub evidence: Evidence,
    /// Why there may be more than these.
    pub unasked: Option<String>,
}

/// A finite-field group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhSeen {
    /// Bits of the prime.
    pub bits: u32,
    /// `ffdhe3072` (RFC 7919), `modp2048` (RFC 3526) and the like; `None` for a group of its own.
    pub name: Option<String>,
    /// A suite that it was seen with. OpenSSL takes smaller ones for suites without a certificate.
    pub suite: String,
}

/// A certificate as it was presented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeafSeen {
    /// The leaf's fingerprint (SHA-256).
    pub fingerprint: Fingerprint,
    /// The chain as presented, leaf first, DER; not part of a report.
    #[serde(skip)]
    pub chain: Vec<Vec<u8>>,
}

/// Whether a server asks clients for a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    tag = "client-certificate",
    content = "detail"
)]
pub enum ClientAsked {
    /// It does, and names these authorities (`smtpd_tls_CAfile`); none means any.
    Asked(Vec<String>),
    /// It does, in TLS 1.3 only, which hides the names.
    AskedUnderKeys,
    /// It does not.
    NotAsked,
    /// Not known, and why.
    Undetermined(String),
}

/// Sessions and extensions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// A session is taken up again by its number (up to TLS 1.2).
    pub session_ids: Seen,
    /// A session is taken up again by a ticket (RFC 5077, up to TLS 1.2).
    pub tickets: Seen,
    /// Tickets are issued in TLS 1.3.
    pub tickets_1_3: Seen,
    /// A session is taken up again in TLS 1.3, by a ticket (RFC 8446 §2.2).
    pub resumption_1_3: Seen,
    /// Early data, 0-RTT (RFC 8446 §2.3).
    pub early_data: Seen,
    /// A client that comes back with an older version is refused (`TLS_FALLBACK_SCSV`, RFC 7507);
    /// `None` where there is one version only.
    pub fallback_scsv: Option<Seen>,
    /// Secure renegotiation (RFC 5746).
    pub secure_renegotiation: Seen,
    /// A client may begin a handshake anew.
    pub client_renegotiation: Seen,
    /// Compression (RFC 3749).
    pub compression: Seen,
    /// Extended master secret (RFC 7627).
    pub extended_master_secret: Seen,
    /// A stapled OCSP answer (RFC 6066 §8).
    pub ocsp: Seen,
    /// It signs with SHA-1 for a client that knows nothing else (RFC 9155), in TLS 1.2.
    pub sha1_signatures: Seen,
}

/// How STARTTLS behaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StarttlsSeen {
    /// What was sent with STARTTLS, before the handshake, is answered under TLS (CVE-2011-0411);
    /// `None` where there is no STARTTLS to send it with.
    pub injection: Option<Seen>,
    /// Something on the way takes STARTTLS out of EHLO, and how that shows.
    pub stripped: Seen,
    /// What made it look so.
    pub stripped_by: Option<String>,
}

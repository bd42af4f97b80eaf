//! Expectations, reports and verdicts: what the wire must show, what it showed, and whether
//! that is the same.
//!
//! Owns: the shapes, and the judgement (`judge`, beside this file). Never: looks at a wire
//! (`probe` does).

use mailtls::{Certificate, Fingerprint, KeyKind, TlsVersion};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// What one inet service must show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceExpectation {
    /// The service as master.cf names it, `name/type` (`submission/inet`, `127.0.0.1:10025/inet`).
    pub service: String,
    /// Where it listens; each address is probed.
    pub addresses: Vec<SocketAddr>,
    /// What must be seen there.
    pub wire: WireExpectation,
}

impl ServiceExpectation {
    /// What its handshake must show, where it shows a certificate.
    pub(crate) const fn certified(&self) -> Option<&HandshakeExpectation> {
        match &self.wire {
            WireExpectation::Serving {
                tls:
                    TlsExpectation::StartTls { handshake, .. } | TlsExpectation::Wrapper { handshake },
                ..
            } if !handshake.anonymous => Some(handshake),
            _ => None,
        }
    }
}

/// How a service must behave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "wire")]
pub enum WireExpectation {
    /// Nothing answers there (the service was switched off).
    Closed,
    /// An SMTP server answers.
    Serving {
        /// How TLS starts, if it does.
        tls: TlsExpectation,
        /// When AUTH is offered.
        auth: AuthExpectation,
    },
}

/// What TLS a service must speak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "tls")]
pub enum TlsExpectation {
    /// STARTTLS is not offered.
    Off,
    /// STARTTLS is offered; a full handshake succeeds.
    StartTls {
        /// MAIL before STARTTLS is refused with 530.
        required: bool,
        /// What the handshake shows.
        #[serde(flatten)]
        handshake: HandshakeExpectation,
    },
    /// TLS from the first byte; a full handshake succeeds.
    Wrapper {
        /// What the handshake shows.
        #[serde(flatten)]
        handshake: HandshakeExpectation,
    },
}

/// What a handshake must show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandshakeExpectation {
    /// The leaf is one of these; empty: any certificate.
    pub certificates: Vec<Fingerprint>,
    /// No certificate at all is presented (anonymous TLS).
    pub anonymous: bool,
    /// An older version than this must be refused.
    pub floor: Option<TlsVersion>,
    /// Whether a client has to show a certificate of its own.
    #[serde(default)]
    pub client_certificate: ClientCertificate,
    /// What clients see that ask for a name, or that take one kind of key only.
    #[serde(default)]
    pub presented: Vec<Presented>,
}

/// What a particular client must see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presented {
    /// How it asks.
    pub ask: Ask,
    /// The leaf is one of these; empty: any certificate, as the row of an administrator's own table says.
    pub certificates: Vec<Fingerprint>,
}

/// What a client holds a handshake to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limits {
    /// The versions that may be used, the oldest first.
    pub versions: Vec<TlsVersion>,
    /// The ciphers up to TLS 1.2: an OpenSSL cipher list.
    pub ciphers: String,
    /// OpenSSL's security level (`SSL_CTX_set_security_level`).
    pub security_level: u32,
}

/// How a client asks for a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ask {
    /// The server name it asks for (RFC 6066 §3).
    pub name: Option<String>,
    /// The only kind of key it takes.
    pub algorithm: Option<KeyAlgorithm>,
}

/// A kind of key by which servers prove themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum KeyAlgorithm {
    Rsa,
    Ecdsa,
    Ed25519,
}

impl KeyAlgorithm {
    /// The kind of a certificate's key; `None` for one that no client can ask for alone.
    pub const fn of(certificate: &Certificate) -> Option<Self> {
        match certificate.key {
            KeyKind::Rsa { .. } => Some(Self::Rsa),
            KeyKind::Ec { .. } => Some(Self::Ecdsa),
            KeyKind::Ed25519 => Some(Self::Ed25519),
            KeyKind::Ed448 | KeyKind::Other => None,
        }
    }
}

/// Whether a client has to show a certificate of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificate {
    /// No.
    #[default]
    Optional,
    /// One that shows none is sent away (421).
    Required,
}

/// When AUTH is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthExpectation {
    /// Not judged.
    Any,
    /// Never.
    Never,
    /// Only after TLS has started, and then it is.
    OnlyUnderTls,
    /// Before TLS too.
    Always,
}

/// What was seen at one address of one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The service as master.cf names it.
    pub service: String,
    /// The address looked at.
    pub address: SocketAddr,
    /// The stages, in order, each with its outcome and time; ends with the first that failed, but
    /// for the test of the floor, which only needs a handshake.
    pub stages: Vec<Stage>,
    /// The banner line.
    pub banner: Option<String>,
    /// EHLO keywords with arguments before TLS (empty for implicit TLS).
    pub ehlo_before: Vec<String>,
    /// EHLO keywords with arguments under TLS.
    pub ehlo_after: Vec<String>,
    /// The answer to MAIL FROM before STARTTLS (`530 5.7.0 …`), where it was asked.
    pub mail_before_tls: Option<String>,
    /// The first of what came between the answer to STARTTLS and the handshake, where anything did: whoever
    /// put it there hoped that it would be taken for words under TLS (RFC 3207 §4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_starttls: Option<String>,
    /// What the handshake showed.
    pub handshake: Option<Handshake>,
    /// The outcome of a handshake limited to a version below the floor, where it was tried.
    pub below_floor: Option<FloorTest>,
    /// What clients saw that asked in a particular way.
    pub asked: Vec<Asked>,
    /// The answer to AUTH with the credentials given, where it was asked (`235 …`).
    pub auth: Option<String>,
}

impl Report {
    /// Of an address where nothing was seen yet.
    pub fn unseen(service: impl Into<String>, address: SocketAddr) -> Self {
        Self {
            service: service.into(),
            address,
            stages: Vec::new(),
            banner: None,
            ehlo_before: Vec::new(),
            ehlo_after: Vec::new(),
            mail_before_tls: None,
            after_starttls: None,
            handshake: None,
            below_floor: None,
            asked: Vec::new(),
            auth: None,
        }
    }

    /// Whether a service accepts but does not speak. Where TLS comes first, the silence is met in the
    /// handshake.
    pub fn is_silent(&self) -> bool {
        let stages = || self.stages.iter();
        let greeted = stages().any(|stage| stage.name == StageName::Banner);
        stages().next_back().is_some_and(|last| match last.name {
            StageName::Banner => matches!(last.outcome, StageOutcome::Unknown(_)),
            StageName::Handshake => !greeted && last.outcome.is_silence(),
            _ => false,
        })
    }
}

/// What a client saw that asked in a particular way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// How it asked.
    pub ask: Ask,
    /// The answer.
    pub answer: Answered,
    /// The leaf that it was shown, DER.
    #[serde(skip)]
    pub leaf: Option<Vec<u8>>,
}

/// The answer to a client that asked in a particular way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer", content = "detail")]
pub enum Answered {
    /// The fingerprint of the leaf it was shown; `None` for a handshake without certificate.
    Shown(Option<Fingerprint>),
    /// The server said no: its words.
    Refused(String),
    /// Nothing is known: the network, the deadline, or our own library.
    Unknown(String),
}

/// One stage of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Which.
    pub name: StageName,
    /// How it ended.
    pub outcome: StageOutcome,
    /// Time it took, in microseconds.
    pub micros: u64,
}

/// The stages of a probe, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "self-evident")]
pub enum StageName {
    Connect,
    Banner,
    Ehlo,
    MailBeforeTls,
    StartTls,
    Handshake,
    EhloUnderTls,
    Auth,
    Floor,
}

/// How a report says that the other side accepted the connection and then said nothing.
pub const NO_ANSWER: &str = "no answer within the deadline";

/// How a stage ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome", content = "detail")]
pub enum StageOutcome {
    /// As the protocol wants it.
    Ok,
    /// The server said no, or nonsense: its words (one line, printable).
    Refused(String),
    /// Nothing listens (connection refused).
    Closed,
    /// The deadline passed, the connection broke, or the network was at fault: nothing is known.
    Unknown(String),
}

impl StageOutcome {
    /// Whether nothing came before the deadline. A connection that broke is an answer of a kind.
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::Unknown(why) if why == NO_ANSWER)
    }
}

/// What a completed handshake showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// Protocol version.
    pub version: TlsVersion,
    /// Cipher suite, OpenSSL's name.
    pub cipher: String,
    /// Key exchange group, where known (`X25519`).
    pub group: Option<String>,
    /// The chain as presented, leaf first, DER; empty for anonymous TLS.
    #[serde(skip)]
    pub chain: Vec<Vec<u8>>,
    /// SHA-256 fingerprint of the leaf.
    pub fingerprint: Option<Fingerprint>,
}

/// A handshake with only versions below the floor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "floor", content = "detail")]
pub enum FloorTest {
    /// Refused by the server, as it must be: its alert.
    Refused(String),
    /// Accepted: the floor does not hold.
    Accepted(TlsVersion),
    /// Our own library could not speak it, or the network failed.
    Undetermined(String),
}

/// Reports judged against expectations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// A judgement for each expectation and address, in order.
    pub judgements: Vec<Judgement>,
}

/// One service at one address, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The service.
    pub service: String,
    /// The address.
    pub address: SocketAddr,
    /// Pass, fail or undetermined.
    pub outcome: Outcome,
    /// What was proved or missed, a sentence each.
    pub sentences: Vec<String>,
    /// Findings of the misses (`wire.starttls-broken`, `wire.wrong-certificate`, …).
    pub findings: Vec<crate::Finding>,
}

/// Pass, fail, or neither. Ordered by what it means for a whole: `Pass < Undetermined < Fail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As expected.
    Pass,
    /// Could not be seen.
    Undetermined,
    /// Seen to be otherwise.
    Fail,
}

impl Verdict {
    /// The worst outcome of all; `Pass` where there was nothing to judge.
    pub fn outcome(&self) -> Outcome {
        self.judgements
            .iter()
            .map(|j| j.outcome)
            .max()
            .unwrap_or(Outcome::Pass)
    }
}

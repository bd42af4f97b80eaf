//! Servers that mail is sent to, by what their certificate is.
//!
//! Owns: a CA, its certificates, and sinks that show them. Never: judges.

use mailtls::TlsVersion;
use postseal_issue::{Issued, KeyType, LeafRequest, PrivateCa, Validity, self_signed};
use postseal_probe::{Sink, SinkCertificate, SinkOptions, SinkTls};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;
/// The name in the good certificates.
pub(crate) const NAME: &str = "mx.peer.test";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Cleartext,
    SelfSigned,
    Trusted,
    WrongName,
    Expired,
    /// For `*.peer.test`.
    Wildcard,
    /// Trusted, and nothing newer than TLS 1.2.
    Old,
}

/// The certificates of the peers.
pub(crate) struct Chains {
    authority: PrivateCa,
    pub(crate) ca: String,
    trusted: Issued,
    wrong_name: Issued,
    expired: Issued,
    own: Issued,
    wildcard: Issued,
    pub(crate) fingerprint: String,
}

impl Chains {
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = i64::try_from(now.as_secs()).unwrap();
        let validity = |from: i64, to: i64| Validity {
            not_before: now + from * DAY,
            not_after: now + to * DAY,
        };
        let valid = validity(-30, 60);
        let request = |name: &str, validity| LeafRequest {
            names: vec![name.to_owned()],
            key_type: KeyType::EcdsaP256,
            validity,
        };
        let ca = PrivateCa::new("Peer Root CA", KeyType::EcdsaP256, valid).unwrap();
        let own = self_signed(&request(NAME, valid)).unwrap();
        let leaf = mailtls::pem_certificates(own.cert_pem.as_bytes()).unwrap();
        Self {
            ca: ca.certificate_pem(),
            trusted: ca.issue(&request(NAME, valid)).unwrap(),
            wrong_name: ca.issue(&request("other.peer.test", valid)).unwrap(),
            wildcard: ca.issue(&request("*.peer.test", valid)).unwrap(),
            expired: ca.issue(&request(NAME, validity(-30, -1))).unwrap(),
            fingerprint: leaf[0].fingerprint().to_string(),
            own,
            authority: ca,
        }
    }

    /// The certificate of [`Peer::SelfSigned`].
    pub(crate) fn own_pem(&self) -> &str {
        &self.own.cert_pem
    }

    /// A server with a trusted certificate for another name.
    pub(crate) fn sink_named(&self, name: &str, address: SocketAddr) -> Sink {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = i64::try_from(now.as_secs()).unwrap();
        let request = LeafRequest {
            names: vec![name.to_owned()],
            key_type: KeyType::EcdsaP256,
            validity: Validity {
                not_before: now - DAY,
                not_after: now + DAY,
            },
        };
        let chain = self.authority.issue(&request).unwrap();
        let certificate = SinkCertificate::new(chain.fullchain_pem(), chain.key_pem.as_bytes());
        let tls = SinkTls::StartTls(certificate);
        let options = SinkOptions {
            address,
            ..SinkOptions::new(tls)
        };
        Sink::start(options).unwrap()
    }

    /// A server with this certificate on a free port of 127.0.0.1.
    pub(crate) fn sink(&self, peer: Peer) -> Sink {
        Sink::start(self.options(peer)).unwrap()
    }

    /// The same at an address.
    pub(crate) fn sink_at(&self, peer: Peer, address: SocketAddr) -> Sink {
        let options = SinkOptions {
            address,
            ..self.options(peer)
        };
        Sink::start(options).unwrap()
    }

    pub(crate) fn options(&self, peer: Peer) -> SinkOptions {
        let chain = match peer {
            Peer::Cleartext => return SinkOptions::new(SinkTls::None),
            Peer::SelfSigned => &self.own,
            Peer::Trusted => &self.trusted,
            Peer::WrongName => &self.wrong_name,
            Peer::Expired => &self.expired,
            Peer::Wildcard => &self.wildcard,
            Peer::Old => &self.trusted,
        };
        let key = chain.key_pem.as_bytes();
        let mut certificate = SinkCertificate::new(chain.fullchain_pem(), key);
        certificate.newest = (peer == Peer::Old).then_some(TlsVersion::Tls1_2);
        SinkOptions::new(SinkTls::StartTls(certificate))
    }
}

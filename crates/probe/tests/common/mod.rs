//! What the tests over sockets share: certificates, TLS contexts, targets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test support: a panic is the message"
)]
#![allow(dead_code, reason = "each test file uses its part")]

use mailtls::Fingerprint;
use openssl::pkey::PKey;
use openssl::ssl::{SslContext, SslContextBuilder, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::X509;
use postseal_issue::{Issued, KeyType, LeafRequest, PrivateCa, Validity, self_signed};
use postseal_planner::report::{Report, StageName, StageOutcome};
use postseal_probe::{Start, Target};
use std::net::SocketAddr;
use std::time::Duration;

/// More than any of these tests needs.
pub(crate) const PATIENT: Duration = Duration::from_secs(20);
/// For what would last for ever; what comes before it is there in time on a loaded machine, too.
pub(crate) const SHORT: Duration = Duration::from_secs(2);

/// From 2020 to 2099.
const VALIDITY: Validity = Validity {
    not_before: 1_577_836_800,
    not_after: 4_070_908_800,
};

fn request(name: &str, key_type: KeyType) -> LeafRequest {
    LeafRequest {
        names: vec![name.to_owned()],
        key_type,
        validity: VALIDITY,
    }
}

/// A certificate of its own.
pub(crate) fn certificate(name: &str) -> Issued {
    self_signed(&request(name, KeyType::EcdsaP256)).unwrap()
}

/// An RSA certificate of its own: TLS 1.0 knows no newer kind everywhere.
pub(crate) fn rsa_certificate(name: &str) -> Issued {
    self_signed(&request(name, KeyType::Rsa2048)).unwrap()
}

/// A certificate below an intermediate.
pub(crate) fn chain(name: &str) -> Issued {
    let root = PrivateCa::new("Test root", KeyType::EcdsaP256, VALIDITY).unwrap();
    let below = root.intermediate("Test issuer", KeyType::EcdsaP256, VALIDITY);
    below
        .unwrap()
        .issue(&request(name, KeyType::EcdsaP256))
        .unwrap()
}

/// The leaf's fingerprint.
pub(crate) fn fingerprint(issued: &Issued) -> Fingerprint {
    let leaf = X509::from_pem(issued.cert_pem.as_bytes()).unwrap();
    Fingerprint::of(&leaf.to_der().unwrap())
}

/// A server's context that shows `issued` and takes part in nearly everything.
pub(crate) fn server(issued: &Issued, newest: Option<SslVersion>) -> SslContext {
    server_between(issued, None, newest)
}

/// The same, with an oldest version too.
pub(crate) fn server_between(
    issued: &Issued,
    oldest: Option<SslVersion>,
    newest: Option<SslVersion>,
) -> SslContext {
    certified(issued, oldest, newest).build()
}

/// The same, and nobody without a certificate is served.
pub(crate) fn demanding(issued: &Issued) -> SslContext {
    let mut context = certified(issued, None, None);
    context.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    context.build()
}

fn certified(
    issued: &Issued,
    oldest: Option<SslVersion>,
    newest: Option<SslVersion>,
) -> SslContextBuilder {
    let mut context = bare();
    context.set_min_proto_version(oldest).unwrap();
    let mut chain = X509::stack_from_pem(issued.fullchain_pem().as_bytes())
        .unwrap()
        .into_iter();
    context.set_certificate(&chain.next().unwrap()).unwrap();
    for issuer in chain {
        context.add_extra_chain_cert(issuer).unwrap();
    }
    let key = PKey::private_key_from_pem(issued.key_pem.as_bytes()).unwrap();
    context.set_private_key(&key).unwrap();
    context.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    context.set_max_proto_version(newest).unwrap();
    context
}

/// A server's context without a certificate.
pub(crate) fn anonymous() -> SslContext {
    let mut context = bare();
    context.set_cipher_list("aNULL:@SECLEVEL=0").unwrap();
    context.build()
}

fn bare() -> SslContextBuilder {
    let mut context = SslContext::builder(SslMethod::tls_server()).unwrap();
    context.set_security_level(0);
    context.set_min_proto_version(None).unwrap();
    context
}

pub(crate) fn target(address: SocketAddr, tls: Start) -> Target {
    Target {
        ehlo_name: "probe.example".to_owned(),
        ..Target::new("smtp/inet", address, tls)
    }
}

/// The stages' names.
pub(crate) fn names(report: &Report) -> Vec<StageName> {
    report.stages.iter().map(|stage| stage.name).collect()
}

/// Every stage is as the protocol wants it.
pub(crate) fn all_ok(report: &Report) {
    let ok = report
        .stages
        .iter()
        .all(|stage| stage.outcome == StageOutcome::Ok);
    assert!(ok, "{:#?}", report.stages);
}

//! The full look at real Postfix services: every fact is what the settings say, or what OpenSSL's
//! own handshakes show.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test support: a panic is the message"
)]

mod common;
#[path = "common/postfix.rs"]
mod postfix;

use common::{certificate, fingerprint, rsa_certificate, target};
use mailtls::TlsVersion;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode, SslVersion};
use postfix::Postfix;
use postseal_planner::full::{ClientAsked, Evidence, Full, Order, Seen};
use postseal_probe::{FullBudget, Start, full};
use postseal_testkit::postfix_box::PostfixBox;
use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream};

fn look(address: SocketAddr, start: Start) -> Full {
    let full = full(&target(address, start), FullBudget::default());
    assert_eq!(full.stopped, None);
    full
}

fn spoken(full: &Full) -> Vec<TlsVersion> {
    let yes = full.versions.iter().filter(|one| one.seen == Seen::Yes);
    yes.map(|one| one.version).collect()
}

fn suites(full: &Full, version: TlsVersion) -> Vec<String> {
    let one = full
        .versions
        .iter()
        .find(|one| one.version == version)
        .unwrap();
    assert_eq!(one.unasked, None);
    one.suites
        .iter()
        .map(|suite| suite.openssl.clone().unwrap())
        .collect()
}

fn order(full: &Full, version: TlsVersion) -> Option<Order> {
    full.versions
        .iter()
        .find(|one| one.version == version)
        .unwrap()
        .order
}

/// Whether OpenSSL gets a handshake with one suite, in one version.
fn shakes(address: SocketAddr, version: SslVersion, cipher: &str) -> bool {
    let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
    context.set_verify(SslVerifyMode::NONE);
    context.set_min_proto_version(Some(version)).unwrap();
    context.set_max_proto_version(Some(version)).unwrap();
    context.set_security_level(0);
    context
        .set_cipher_list(&format!("{cipher}:@SECLEVEL=0"))
        .unwrap();
    let ssl = Ssl::new(&context.build()).unwrap();
    ssl.connect(TcpStream::connect(address).unwrap()).is_ok()
}

#[test]
fn every_suite_of_the_defaults_as_openssl_shakes_them() {
    let postfix = Postfix::start(
        &rsa_certificate("mx.example"),
        &[&["smtpd_tls_wrappermode=yes"]],
    );
    let address = postfix.address(0);
    let full = look(address, Start::Implicit);
    assert!(full.connections <= 100, "{} connections", full.connections);
    assert_eq!(full.starttls, None);
    let everything =
        postseal_probe::cipher_list("ALL:COMPLEMENTOFALL:!PSK:!SRP:@SECLEVEL=0").unwrap();
    for (version, ours) in [
        (TlsVersion::Tls1_2, SslVersion::TLS1_2),
        (TlsVersion::Tls1_1, SslVersion::TLS1_1),
        (TlsVersion::Tls1_0, SslVersion::TLS1),
    ] {
        let seen: BTreeSet<String> = suites(&full, version).into_iter().collect();
        let by_openssl = everything
            .iter()
            .filter(|cipher| shakes(address, ours, cipher));
        let by_openssl: BTreeSet<String> = by_openssl.cloned().collect();
        assert_eq!(seen, by_openssl, "{version}");
        assert_eq!(order(&full, TlsVersion::Tls1_2), Some(Order::Client));
    }
}

#[test]
fn the_defaults() {
    let issued = rsa_certificate("mx.example");
    let postfix = Postfix::start(&issued, &[&[]]);
    let full = look(postfix.address(0), Start::StartTls);
    assert!(full.connections <= 100, "{} connections", full.connections);
    let all = [
        TlsVersion::Tls1_0,
        TlsVersion::Tls1_1,
        TlsVersion::Tls1_2,
        TlsVersion::Tls1_3,
    ];
    assert_eq!(spoken(&full), all, "{}", postfix.log());
    let new = [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
    ];
    let seen: BTreeSet<String> = suites(&full, TlsVersion::Tls1_3).into_iter().collect();
    assert_eq!(seen, new.map(str::to_owned).into());
    let older = full
        .versions
        .iter()
        .find(|one| one.version == TlsVersion::Tls1_0)
        .unwrap();
    assert!(
        older
            .suites
            .iter()
            .all(|suite| suite.evidence == Evidence::Alike(TlsVersion::Tls1_2))
    );
    // `tls_eecdh_auto_curves`, in its order.
    for groups in &full.groups {
        let wanted = ["X25519", "X448", "prime256v1", "secp521r1", "secp384r1"];
        assert_eq!(groups.groups, wanted, "{}", groups.version);
    }
    let leaves: Vec<_> = full
        .certificates
        .iter()
        .map(|one| one.fingerprint)
        .collect();
    assert_eq!(leaves, [fingerprint(&issued)]);
    assert_eq!(full.client_certificate, ClientAsked::NotAsked);
    let features = full.features;
    assert_eq!(features.compression, Seen::No);
    assert_eq!(features.secure_renegotiation, Seen::Yes);
    assert_eq!(features.extended_master_secret, Seen::Yes);
    assert_eq!(features.client_renegotiation, Seen::No);
    assert_eq!(features.early_data, Seen::No);
    assert_eq!(features.ocsp, Seen::No);
    assert_eq!(features.tickets, Seen::Yes);
    assert_eq!(features.tickets_1_3, Seen::Yes);
    assert_eq!(features.resumption_1_3, Seen::Yes);
    assert_eq!(features.fallback_scsv, Some(Seen::Yes));
    let starttls = full.starttls.unwrap();
    assert_eq!(
        (starttls.injection, starttls.stripped),
        (Some(Seen::No), Seen::No)
    );
}

#[test]
fn one_version_alone() {
    let only = |version: &'static str| format!("smtpd_tls_protocols=>={version}, <={version}");
    let protocols = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"].map(only);
    let options: Vec<[&str; 1]> = protocols.iter().map(|one| [one.as_str()]).collect();
    let services: Vec<&[&str]> = options.iter().map(|one| one.as_slice()).collect();
    let postfix = Postfix::start(&rsa_certificate("mx.example"), &services);
    for (service, version) in TlsVersion::ALL.into_iter().skip(2).enumerate() {
        let full = look(postfix.address(service), Start::StartTls);
        assert_eq!(spoken(&full), [version], "{}", postfix.log());
        assert!(suites(&full, version).len() > 2);
        assert_eq!(full.groups.len(), 1);
        let new = version == TlsVersion::Tls1_3;
        assert_eq!(full.features.tickets_1_3 == Seen::Yes, new);
        assert_eq!(full.features.tickets == Seen::Yes, !new);
        assert_eq!(full.features.resumption_1_3 == Seen::Yes, new);
        assert_eq!(full.features.fallback_scsv, None, "there is nothing older");
        assert_eq!(full.features.secure_renegotiation, Seen::Yes);
        assert_eq!(full.dh.is_empty(), new);
        assert_eq!(full.certificates.len(), 1);
    }
}

#[test]
fn whose_order_it_is() {
    let list = "tls_medium_cipherlist=AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA";
    let server = [
        "tls_preempt_cipherlist=yes",
        "smtpd_tls_protocols=<=TLSv1.2",
        list,
    ];
    let client = ["smtpd_tls_protocols=<=TLSv1.2", list];
    let single = [
        "smtpd_tls_protocols=<=TLSv1.2",
        "tls_medium_cipherlist=AES128-SHA",
    ];
    let postfix = Postfix::start(&rsa_certificate("mx.example"), &[&server, &client, &single]);
    let full = look(postfix.address(0), Start::StartTls);
    assert_eq!(order(&full, TlsVersion::Tls1_2), Some(Order::Server));
    let wanted = [
        "AES128-SHA",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES128-SHA",
    ];
    assert_eq!(suites(&full, TlsVersion::Tls1_2), wanted);
    assert_eq!(
        suites(&full, TlsVersion::Tls1_0),
        ["AES128-SHA", "ECDHE-RSA-AES128-SHA"]
    );
    let full = look(postfix.address(1), Start::StartTls);
    assert_eq!(order(&full, TlsVersion::Tls1_2), Some(Order::Client));
    let mut seen = suites(&full, TlsVersion::Tls1_2);
    seen.sort_by_key(|one| wanted.iter().position(|other| other == one));
    assert_eq!(seen, wanted);
    let full = look(postfix.address(2), Start::StartTls);
    assert_eq!(
        order(&full, TlsVersion::Tls1_2),
        None,
        "one suite has no order"
    );
    assert_eq!(suites(&full, TlsVersion::Tls1_2), ["AES128-SHA"]);
}

#[test]
fn certificates_of_every_kind() {
    let (rsa, ecdsa) = (rsa_certificate("mx.example"), certificate("mx.example"));
    let both = "smtpd_tls_chain_files=ETC/chain.pem, ETC/other.pem";
    let newest = "smtpd_tls_protocols=>=TLSv1.3";
    let one = "smtpd_tls_chain_files=ETC/other.pem";
    let none = ["smtpd_tls_chain_files=", "smtpd_tls_cert_file=none"];
    let postfix = Postfix::start(&rsa, &[&[both], &[both, newest], &[one], &none]);
    postfix.write(
        "other.pem",
        &format!("{}{}", *ecdsa.key_pem, ecdsa.fullchain_pem()),
    );
    let leaves = |full: &Full| -> BTreeSet<String> {
        full.certificates
            .iter()
            .map(|one| one.fingerprint.to_string())
            .collect()
    };
    let [rsa, ecdsa] = [&rsa, &ecdsa].map(|one| fingerprint(one).to_string());
    let two: BTreeSet<String> = [rsa, ecdsa.clone()].into();
    for service in 0..2 {
        let full = look(postfix.address(service), Start::StartTls);
        assert_eq!(leaves(&full), two, "{}", postfix.log());
    }
    let full = look(postfix.address(2), Start::StartTls);
    assert_eq!(leaves(&full), [ecdsa].into());
    let full = look(postfix.address(3), Start::StartTls);
    assert_eq!(leaves(&full), BTreeSet::new());
    let seen = suites(&full, TlsVersion::Tls1_2);
    assert!(
        seen.len() > 10
            && seen
                .iter()
                .all(|one| one.starts_with("ADH-") || one.starts_with("AECDH-")),
        "{seen:?}"
    );
    assert!(matches!(
        full.client_certificate,
        ClientAsked::Undetermined(_)
    ));
}

#[test]
fn client_certificates() {
    let ca = rsa_certificate("Some authority");
    let ask = ["smtpd_tls_ask_ccert=yes", "smtpd_tls_CAfile=ETC/ca.pem"];
    let newest = ["smtpd_tls_ask_ccert=yes", "smtpd_tls_protocols=>=TLSv1.3"];
    let postfix = Postfix::start(&rsa_certificate("mx.example"), &[&ask, &newest]);
    postfix.write("ca.pem", &ca.cert_pem);
    let full = look(postfix.address(0), Start::StartTls);
    assert_eq!(
        full.client_certificate,
        ClientAsked::Asked(vec!["CN=Some authority".to_owned()])
    );
    let full = look(postfix.address(1), Start::StartTls);
    assert_eq!(full.client_certificate, ClientAsked::AskedUnderKeys);
}

/// tlsmgr(8) keeps the sessions: what a service says of their database of its own counts for nothing.
#[test]
fn sessions() {
    let issued = rsa_certificate("mx.example");
    let older = "smtpd_tls_protocols=<=TLSv1.2";
    let cached = || {
        let database = "btree:$data_directory/sessions";
        PostfixBox::builder().set("smtpd_tls_session_cache_database", database)
    };
    for (builder, ids) in [(PostfixBox::builder(), Seen::No), (cached(), Seen::Yes)] {
        let services: [&[&str]; 2] = [&[older], &[older, "tls_ssl_options=NO_TICKET"]];
        let postfix = Postfix::start_with(builder, &issued, &services);
        for (service, tickets) in [(0, Seen::Yes), (1, Seen::No)] {
            let features = look(postfix.address(service), Start::StartTls).features;
            assert_eq!(
                (features.session_ids, features.tickets),
                (ids.clone(), tickets),
                "{service}"
            );
        }
    }
}

#[test]
fn no_tls_at_all() {
    let postfix = Postfix::start(
        &rsa_certificate("mx.example"),
        &[&["smtpd_tls_security_level=none"]],
    );
    let full = look(postfix.address(0), Start::StartTls);
    assert_eq!(spoken(&full), []);
    assert!(full.versions.iter().all(|one| one.seen == Seen::No));
    assert_eq!(full.no_tls.as_deref(), Some("STARTTLS is not offered"));
    assert!(full.connections <= 4, "{}", full.connections);
    assert_eq!(full.starttls.unwrap().stripped, Seen::No);
}

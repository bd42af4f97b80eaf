//! Tests of `expect`.
//!
//! Owns: what each configuration promises on the wire. Never: a wire.

use super::*;
use crate::facts::FileLook;
use crate::report::AuthExpectation;
use crate::view::tests::facts;
use zeroize::Zeroizing;

fn expected(main: &str, master: &str) -> Vec<ServiceExpectation> {
    with(main, master, |_| ())
}

fn with(main: &str, master: &str, change: impl Fn(&mut Facts)) -> Vec<ServiceExpectation> {
    let mut facts = facts(main, master);
    change(&mut facts);
    expect(
        &MainCf::parse(main.as_bytes()),
        &MasterCf::parse(master.as_bytes()),
        &facts,
        &Intent::default(),
    )
}

/// The one server on port 25 with this main.cf.
fn mx(main: &str) -> WireExpectation {
    let mut services = expected(main, "25 inet n - n - - smtpd\n");
    services.remove(0).wire
}

fn tls_of(wire: &WireExpectation) -> &TlsExpectation {
    match wire {
        WireExpectation::Serving { tls, .. } => tls,
        WireExpectation::Closed => panic!("closed"),
    }
}

fn handshake_of(wire: &WireExpectation) -> &HandshakeExpectation {
    match tls_of(wire) {
        TlsExpectation::StartTls { handshake, .. } | TlsExpectation::Wrapper { handshake } => {
            handshake
        }
        TlsExpectation::Off => panic!("no TLS"),
    }
}

fn auth(main: &str) -> AuthExpectation {
    match mx(&format!("smtpd_sasl_auth_enable = yes\n{main}")) {
        WireExpectation::Serving { auth, .. } => auth,
        WireExpectation::Closed => panic!("closed"),
    }
}

#[test]
fn the_level_decides_how_tls_starts() {
    assert_eq!(tls_of(&mx("")), &TlsExpectation::Off);
    assert_eq!(
        tls_of(&mx("smtpd_tls_security_level = none\n")),
        &TlsExpectation::Off
    );
    for (level, needed) in [("may", false), ("encrypt", true), ("verify", true)] {
        let wire = mx(&format!("smtpd_tls_security_level = {level}\n"));
        let TlsExpectation::StartTls { required, .. } = tls_of(&wire) else {
            panic!("{level}")
        };
        assert_eq!(*required, needed, "{level}");
    }
    // postconf(5): wrapper mode ignores the level.
    let wire = mx("smtpd_tls_security_level = none\nsmtpd_tls_wrappermode = yes\n");
    assert!(matches!(tls_of(&wire), TlsExpectation::Wrapper { .. }));
    let hidden =
        mx("smtpd_tls_security_level = may\nsmtpd_discard_ehlo_keywords = STARTTLS, dsn\n");
    assert_eq!(tls_of(&hidden), &TlsExpectation::Off);
}

#[test]
fn the_floor_is_that_of_the_level_and_only_where_it_can_be_tested() {
    let floor = |main: &str| handshake_of(&mx(main)).floor;
    let (may, must) = (
        "smtpd_tls_security_level = may\n",
        "smtpd_tls_security_level = encrypt\n",
    );
    let lists =
        "smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1\nsmtpd_tls_mandatory_protocols = >=TLSv1.3\n";
    assert_eq!(floor(&format!("{may}{lists}")), Some(TlsVersion::Tls1_1));
    assert_eq!(floor(&format!("{must}{lists}")), Some(TlsVersion::Tls1_3));
    assert_eq!(floor(may), None);
    assert_eq!(
        floor(&format!("{may}smtpd_tls_protocols = nonsense\n")),
        None
    );
}

#[test]
fn a_client_certificate_is_demanded_only_where_tls_is() {
    use ClientCertificate::{Optional, Required};
    for (level, expected) in [("may", Optional), ("encrypt", Required)] {
        let main = format!("smtpd_tls_security_level = {level}\nsmtpd_tls_req_ccert = yes\n");
        let wire = mx(&main);
        assert_eq!(handshake_of(&wire).client_certificate, expected, "{level}");
    }
    let wrapper = mx("smtpd_tls_wrappermode = yes\nsmtpd_tls_req_ccert = yes\n");
    assert_eq!(handshake_of(&wrapper).client_certificate, Required);
}

#[test]
fn auth_follows_tls() {
    use AuthExpectation::{Always, Any, Never, OnlyUnderTls};
    assert_eq!(auth(""), Always);
    assert_eq!(auth("smtpd_tls_auth_only = yes\n"), Never);
    let may = "smtpd_tls_security_level = may\n";
    assert_eq!(auth(may), Always);
    assert_eq!(
        auth(&format!("{may}smtpd_tls_auth_only = yes\n")),
        OnlyUnderTls
    );
    assert_eq!(auth("smtpd_tls_security_level = encrypt\n"), OnlyUnderTls);
    assert_eq!(auth("smtpd_tls_wrappermode = yes\n"), OnlyUnderTls);
    assert_eq!(
        auth(&format!("{may}smtpd_sasl_security_options = noplaintext\n")),
        Any
    );
    assert_eq!(auth("smtpd_sasl_exceptions_networks = 192.0.2.0/24\n"), Any);
    assert_eq!(auth("smtpd_discard_ehlo_keywords = auth\n"), Never);
    assert_eq!(auth("smtpd_sasl_auth_enable = no\n"), Never);
}

#[test]
fn a_certificate_that_is_missing_is_promised_all_the_same() {
    let main = "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /etc/ssl/gone.pem\n";
    let wire = with(main, "25 inet n - n - - smtpd\n", |facts| {
        facts
            .files
            .insert("/etc/ssl/gone.pem".into(), FileLook::Missing);
    });
    let handshake = handshake_of(&wire[0].wire);
    assert!(handshake.certificates.is_empty() && !handshake.anonymous);
}

#[test]
fn the_leaf_of_each_configured_file_is_expected() {
    let pem = include_bytes!("../../tests/plans/certificates/mx.pem");
    let leaf = mailtls::pem_certificates(pem).expect("a certificate")[0].fingerprint();
    for main in [
        "smtpd_tls_chain_files = /etc/ssl/mx.pem\n",
        "smtpd_tls_cert_file = /etc/ssl/mx.pem\n",
        "dir = /etc/ssl\nsmtpd_tls_eccert_file = $dir/mx.pem\nsmtpd_tls_eckey_file = $smtpd_tls_eccert_file\n",
    ] {
        let main = format!("smtpd_tls_security_level = may\n{main}");
        let wire = with(&main, "25 inet n - n - - smtpd\n", |facts| {
            let look = FileLook::File {
                bytes: Zeroizing::new(pem.to_vec()),
                mode: 0o600,
                uid: 0,
            };
            facts.files.insert("/etc/ssl/mx.pem".into(), look);
        });
        assert_eq!(handshake_of(&wire[0].wire).certificates, [leaf], "{main}");
    }
}

#[test]
fn none_is_anonymous_unless_chain_files_override_it() {
    let level = "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = none\n";
    assert!(handshake_of(&mx(level)).anonymous);
    let both = format!("{level}smtpd_tls_chain_files = /etc/ssl/mx.pem\n");
    assert!(!handshake_of(&mx(&both)).anonymous);
}

#[test]
fn only_smtp_servers_on_inet_sockets_are_looked_at() {
    let master = "25 inet n - n - - smtpd\n628 inet n - n - - qmqpd\npickup unix n - n 60 1 pickup\n\
        smtpd pass - - n - - smtpd\n26 inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy\n";
    let names: Vec<String> = expected("", master)
        .into_iter()
        .map(|s| s.service)
        .collect();
    assert_eq!(names, ["25/inet"]);
}

#[test]
fn behind_postscreen_the_passed_smtpd_talks() {
    let main = "smtpd_tls_security_level = may\n";
    let master = "25 inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd -o smtpd_tls_security_level=encrypt\n";
    let services = expected(main, master);
    assert_eq!(services[0].service, "25/inet");
    assert!(matches!(
        tls_of(&services[0].wire),
        TlsExpectation::StartTls { required: true, .. }
    ));
}

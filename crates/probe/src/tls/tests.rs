//! What can be said of TLS without a server; the rest is in `tests/`.

use super::*;

#[test]
fn nothing_is_below_the_oldest_version() {
    for floor in [TlsVersion::Ssl2, TlsVersion::Ssl3] {
        let failure = client(Offer::Below(floor), None).map(|_| ()).unwrap_err();
        assert_eq!(
            failure,
            HandshakeFailure::Ours(format!("OpenSSL speaks nothing older than {floor}"))
        );
    }
}

#[test]
fn every_other_floor_has_a_version_below() {
    for (floor, below) in [
        (TlsVersion::Tls1_3, SslVersion::TLS1_2),
        (TlsVersion::Tls1_2, SslVersion::TLS1_1),
        (TlsVersion::Tls1_1, SslVersion::TLS1),
        (TlsVersion::Tls1_0, SslVersion::SSL3),
    ] {
        assert_eq!(newest_below(floor), Ok(below));
    }
}

#[test]
fn a_server_name_with_nul_is_not_asked_for() {
    let failure = client(Offer::Everything, Some("a\0b"))
        .map(|_| ())
        .unwrap_err();
    assert!(matches!(failure, HandshakeFailure::Ours(_)));
}

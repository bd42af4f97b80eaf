//! Good and bad levels, their order and their promises.

use super::*;

#[test]
fn every_configurable_level_parses_in_any_case_and_prints_itself() {
    for level in Level::CONFIGURABLE {
        assert_eq!(level.name().parse(), Ok(level));
        assert_eq!(level.name().to_uppercase().parse(), Ok(level));
        assert_eq!(level.to_string(), level.name());
        assert!(level.promises().ends_with('.'), "{level}");
    }
}

#[test]
fn what_postfix_rejects_is_rejected() {
    for bad in [
        "",
        "maybe",
        "ecnrypt",
        " may",
        "may ",
        "daneonly",
        "dane only",
        "half-dane",
        "halfdane",
        "may,encrypt",
        "encrypt # comment",
        "1",
        "MAY\0",
    ] {
        assert!(bad.parse::<Level>().is_err(), "{bad:?}");
    }
}

#[test]
fn halfdane_is_read_from_logs_only() {
    assert_eq!(Level::from_log("halfdane"), Some(Level::HalfDane));
    assert_eq!(Level::from_log("dane-only"), Some(Level::DaneOnly));
    assert_eq!(Level::from_log("nonsense"), None);
}

#[test]
fn the_order_is_postfix_order() {
    let mut sorted = Level::CONFIGURABLE;
    sorted.sort();
    assert_eq!(sorted, Level::CONFIGURABLE);
    assert!(Level::HalfDane > Level::Fingerprint && Level::HalfDane < Level::Dane);
}

#[test]
fn encrypt_does_not_authenticate_and_dane_may_be_cleartext() {
    assert!(Level::Encrypt.never_cleartext() && !Level::Encrypt.authenticates());
    assert!(!Level::Dane.never_cleartext() && !Level::Dane.authenticates());
    assert!(Level::Secure.never_cleartext() && Level::Secure.authenticates());
}

#[test]
fn a_server_knows_three_levels() {
    let of = |on: OnServer| {
        Level::CONFIGURABLE
            .into_iter()
            .filter(|level| level.on_server() == on)
            .map(Level::name)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(OnServer::AsWritten), ["none", "may", "encrypt"]);
    assert_eq!(of(OnServer::AsEncrypt), ["fingerprint", "verify", "secure"]);
    assert_eq!(of(OnServer::Fatal), ["dane", "dane-only"]);
}

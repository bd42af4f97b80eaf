//! Tests of `ciphers`: which list each program is given, at which level.

use super::*;
use crate::view::tests::facts;

const MASTER: &str = "smtp inet n - n - - smtpd
587 inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
cleanup unix n - n - 0 cleanup
";

fn told(main: &str, master: &str, service: Option<&str>) -> Vec<CipherUse> {
    uses(&facts(main, master), service).unwrap()
}

fn list(main: &str, service: &str, level: Level) -> Result<Allowed, String> {
    let uses = told(main, MASTER, Some(service));
    let found = uses.into_iter().find(|one| one.level == level);
    found.unwrap().allowed
}

#[test]
fn a_server_has_the_list_of_its_level() {
    let main = "smtpd_tls_security_level = may
smtpd_tls_ciphers = high
smtpd_tls_exclude_ciphers = RC4, MD5
smtpd_tls_mandatory_exclude_ciphers = aNULL
tls_high_cipherlist = HIGH
tls_medium_cipherlist = MEDIUM
smtpd_tls_protocols = >=TLSv1.1
smtpd_tls_mandatory_protocols = >=TLSv1.2
";
    let may = list(main, "smtp/inet", Level::May).unwrap();
    assert_eq!(may.list, "HIGH:!RC4:!MD5");
    assert_eq!(may.grade, Grade::High);
    assert_eq!(may.versions[0], TlsVersion::Tls1_1);
    let encrypt = list(main, "587", Level::Encrypt).unwrap();
    assert_eq!(encrypt.list, "MEDIUM:!RC4:!MD5:!aNULL");
    assert_eq!(encrypt.versions, [TlsVersion::Tls1_2, TlsVersion::Tls1_3]);
    let asks = format!("{main}smtpd_tls_ask_ccert = yes\n");
    assert_eq!(
        list(&asks, "smtp/inet", Level::May).unwrap().list,
        "HIGH:!RC4:!MD5:!aNULL"
    );
    assert!(told("", MASTER, Some("smtp/inet")).is_empty());
}

#[test]
fn a_client_has_three_and_says_which_is_in_force() {
    let main = "tls_medium_cipherlist = MEDIUM\nsmtp_tls_protocols = >=TLSv1, !TLSv1.2\n";
    let uses = told(
        &format!("{main}smtp_tls_security_level = dane\n"),
        MASTER,
        Some("smtp/unix"),
    );
    let standing: Vec<_> = uses.iter().map(|one| (one.level, one.standing)).collect();
    let policy = Standing::ByPolicy;
    assert_eq!(
        standing,
        [
            (Level::May, policy),
            (Level::Encrypt, policy),
            (Level::Verify, Standing::InForce)
        ]
    );
    let lists: Vec<_> = uses
        .iter()
        .map(|one| &*one.allowed.as_ref().unwrap().list)
        .collect();
    assert_eq!(lists, ["MEDIUM", "MEDIUM:!eNULL", "MEDIUM:!aNULL"]);
    let levels: Vec<_> = uses
        .iter()
        .map(|one| one.allowed.as_ref().unwrap().security_level)
        .collect();
    assert_eq!(levels, [0, 0, 1]);
    // OpenSSL's clients offer what is below a gap.
    let may = uses[0].allowed.as_ref().unwrap();
    assert_eq!(may.versions, [TlsVersion::Tls1_0, TlsVersion::Tls1_1]);
}

#[test]
fn what_leaves_nothing_is_told() {
    let why = |setting: &str| {
        let main = format!("smtpd_tls_security_level = may\n{setting}\n");
        list(&main, "smtp/inet", Level::May).unwrap_err()
    };
    assert!(why("smtpd_tls_ciphers = strong").contains("no grade"));
    assert!(why("smtpd_tls_exclude_ciphers = !RC4").contains("refuses the exclusion !RC4"));
    assert!(why("smtpd_tls_protocols = TLSv9").contains("smtpd_tls_protocols = TLSv9"));
    assert!(why("smtpd_tls_protocols = !TLSv1 !TLSv1.1 !TLSv1.2 !TLSv1.3").contains("no version"));
}

#[test]
fn without_a_service_every_program_with_tls_is_told() {
    let uses = told("smtpd_tls_security_level = may\n", MASTER, None);
    let names: BTreeSet<&str> = uses.iter().map(|one| one.service.as_str()).collect();
    let expected = ["587/inet", "lmtp/unix", "smtp/inet", "smtp/unix"];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), expected);
    // Without a master.cf main.cf speaks for all.
    let bare = told("smtpd_tls_security_level = may\n", "", None);
    assert!(bare.iter().all(|one| one.service == "main.cf") && bare.len() == 4);
    for other in ["cleanup", "nobody"] {
        assert!(uses_of(other).is_err(), "{other}");
    }
}

fn uses_of(service: &str) -> Result<Vec<CipherUse>, Refusal> {
    uses(&facts("", MASTER), Some(service))
}

#[test]
fn suites_want_a_certificate_of_their_kind() {
    for (suite, wanted) in [
        ("ECDHE-ECDSA-AES128-SHA", Wants::Ecdsa),
        ("ECDHE-RSA-AES128-SHA", Wants::Rsa),
        ("DHE-RSA-CAMELLIA256-SHA", Wants::Rsa),
        ("DHE-DSS-AES128-SHA", Wants::Dsa),
        ("AES128-SHA", Wants::Rsa),
        ("ADH-AES128-SHA", Wants::None),
        ("AECDH-AES128-SHA", Wants::None),
    ] {
        assert_eq!(wants(suite), wanted, "{suite}");
    }
    let keys = BTreeSet::from([KeyAlgorithm::Ed25519]);
    assert!(Wants::Ecdsa.is_met(&keys) && !Wants::Rsa.is_met(&keys));
    assert!(Wants::None.is_met(&BTreeSet::new()) && !Wants::Dsa.is_met(&keys));
}

#[test]
fn old_signatures_are_taken_at_level_0_only() {
    use TlsVersion::{Tls1_1, Tls1_2};
    let (new, signed, plain) = ("OpenSSL 3.0.22", "ECDHE-RSA-AES128-SHA", "AES128-SHA");
    let [may, _, verify] = <[CipherUse; 3]>::try_from(told("", MASTER, Some("smtp/unix"))).unwrap();
    assert!(may.is_signable(signed, Tls1_1, new));
    assert!(!verify.is_signable(signed, Tls1_1, new) && verify.is_signable(plain, Tls1_1, new));
    assert!(verify.is_signable(signed, Tls1_2, new));
    assert!(verify.is_signable(signed, Tls1_1, "OpenSSL 1.1.1w  11 Sep 2023"));
    let main = "smtpd_tls_security_level = may\ntls_medium_cipherlist = HIGH:@SECLEVEL=1\n";
    let server = told(main, MASTER, Some("smtp/inet")).remove(0);
    assert!(!server.is_signable(plain, Tls1_1, new) && server.is_signable(plain, Tls1_2, new));
    let main =
        "smtpd_tls_security_level = may\ntls_medium_cipherlist = HIGH:@SECLEVEL=1:@SECLEVEL=2\n";
    assert_eq!(
        list(main, "smtp/inet", Level::May).unwrap().security_level,
        2
    );
}

//! The sentence names what the certificate is held to.

use super::of;
use crate::preflight::Client;
use crate::view::tests::facts;
use mailtls::Level;
use mailtls::policy::{Dialect, Policy};

const MASTER: &str = "smtp unix - - n - - smtp\n";

fn told(main: &str, row: &str) -> String {
    let client = Client::of(&facts(main, MASTER), "smtp");
    let dialect = Dialect { major: 3, minor: 7 };
    let policy = Policy::parse(row, dialect).unwrap();
    of(policy.level, Some(&policy), &client)
}

#[test]
fn a_name_that_is_given_stands_in_the_sentence() {
    for level in ["verify", "secure"] {
        let told = told("", &format!("{level} match=mx.example.net"));
        assert_eq!(
            told,
            "Mail is only sent encrypted, to a server with a trusted certificate for \
             mx.example.net; a forged DNS answer does not help."
        );
    }
    let several = told("", "secure match=a.example:.b.example:nexthop");
    let names = "for a.example, a name below b.example or the name of the next hop;";
    assert!(several.contains(names), "{several}");
    // The same name twice given, by two attributes.
    let two = told("", "verify match=a.example match=b.example");
    assert!(two.contains("for a.example or b.example;"), "{two}");
}

#[test]
fn what_comes_from_dns_is_called_so() {
    let one = told("", "secure match=hostname");
    assert!(
        one.contains("the MX host's name; that name is taken from the DNS"),
        "{one}"
    );
    let several = told("", "verify match=hostname:a.example");
    assert!(
        several.contains("the MX host's name or a.example; the MX host's name is taken"),
        "{several}"
    );
}

#[test]
fn a_level_without_names_has_its_own_words() {
    for row in ["verify", "secure", "encrypt", "fingerprint", "none", "may"] {
        let level: Level = row.parse().unwrap();
        assert_eq!(told("", row), level.promises());
    }
    // Written out, they are what is usual.
    let main = "smtp_tls_verify_cert_match = hostname\nsmtp_tls_secure_cert_match = nexthop, dot-nexthop\n";
    assert_eq!(told(main, "verify"), Level::Verify.promises());
    assert_eq!(told(main, "secure"), Level::Secure.promises());
}

#[test]
fn the_names_of_a_parameter_count_where_the_row_has_none() {
    let main =
        "smtp_tls_verify_cert_match = relay.example\nsmtp_tls_fingerprint_cert_match = AB:CD\n";
    assert!(told(main, "verify").contains("for relay.example;"));
    let nexthop = told("smtp_tls_verify_cert_match = nexthop\n", "verify");
    assert!(
        nexthop.contains("the name of the next hop; a forged"),
        "{nexthop}"
    );
    assert!(told(main, "verify match=own.example").contains("for own.example;"));
    assert!(told(main, "fingerprint").contains("the fingerprint AB:CD;"));
    let two = told(main, "fingerprint match=11:22|33:44");
    assert!(
        two.contains("one of the fingerprints 11:22 or 33:44;"),
        "{two}"
    );
}

#[test]
fn of_many_names_the_first_are_told() {
    let names: Vec<String> = (0..9).map(|i| format!("h{i}.example")).collect();
    let told = told("", &format!("secure match={}", names.join(":")));
    assert!(told.contains("h4.example or one of 4 more;"), "{told}");
    assert!(!told.contains("h5.example"), "{told}");
}

//! Tests of `compile`.
//!
//! Owns: what each word of an intent becomes in the two files. Never: judges the result.

use super::comment::{comment_out, commented, replace_lines};
use super::*;

#[test]
fn what_is_commented_out_comes_back_to_its_place() {
    let text = "a = 1\nsmtp_tls_protocols =\n  !SSLv2,\n# why\n  !SSLv3\nb = 2\n";
    let main = MainCf::parse(text.as_bytes());
    let raw = String::from_utf8(main.raw("smtp_tls_protocols").expect("an entry").to_vec())
        .expect("text");
    let hidden = comment_out(&main, "smtp_tls_protocols");
    let shown = String::from_utf8(hidden.to_bytes()).expect("text");
    assert_eq!(
        shown,
        "a = 1\n#smtp_tls_protocols =\n#  !SSLv2,\n# why\n#  !SSLv3\nb = 2\n"
    );
    let back = replace_lines(shown.as_bytes(), &commented(&raw), &raw).expect("found");
    assert_eq!(back, text.as_bytes());
}

#[test]
fn all_entries_of_a_name_are_commented_out() {
    let main = MainCf::parse(b"a = 1\nb = 2\na = 3");
    assert_eq!(comment_out(&main, "a").to_bytes(), b"#a = 1\nb = 2\n#a = 3");
    assert!(comment_out(&main, "a").get("a").is_none());
}

#[test]
fn lines_are_replaced_whole_and_the_last_of_several() {
    let replaced = |bytes: &str, old: &str| {
        replace_lines(bytes.as_bytes(), old, "X\n").map(|b| String::from_utf8(b).expect("text"))
    };
    assert_eq!(replaced("a\nb\na\n", "a\n").as_deref(), Some("a\nb\nX\n"));
    assert_eq!(replaced("ba\nc\n", "a\n"), None);
    assert_eq!(replaced("ab\n", "a"), None);
    assert_eq!(replaced("b\na", "a").as_deref(), Some("b\nX\n"));
    assert_eq!(replaced("", "a\n"), None);
    assert_eq!(replaced("a\n", ""), None);
}

#[test]
fn a_certificates_file_has_a_plain_name_that_holds_its_fingerprint() {
    let fingerprint = mailtls::Fingerprint::of(b"x");
    let path = |name: &str| {
        let path = super::certificates::installed_at(
            std::path::Path::new("/etc/postfix"),
            name,
            &fingerprint,
        );
        path.display().to_string()
    };
    let prefix = fingerprint.prefix(4);
    assert_eq!(
        path("mx"),
        format!("/etc/postfix/postseal.d/mx-{prefix}.pem")
    );
    assert_eq!(
        path("../a b,$c"),
        format!("/etc/postfix/postseal.d/.._a_b__c-{prefix}.pem")
    );
}

#[test]
fn next_hops_on_loopback_are_told_from_others() {
    for (hop, loopback) in [
        ("[127.0.0.1]:10024", true),
        ("127.0.0.1:10024", true),
        ("[::1]:10024", true),
        ("[IPv6:::1]:10024", true),
        ("localhost:10024", true),
        ("[localhost]", true),
        ("127.0.0.1", true),
        ("[192.0.2.1]:10024", false),
        ("filter.example.com", false),
        ("", false),
    ] {
        assert_eq!(is_loopback(hop), loopback, "{hop}");
    }
}

#[test]
fn levels_that_demand_tls() {
    for level in ["encrypt", "verify", "secure", "fingerprint", "dane-only"] {
        assert!(is_mandatory(level), "{level}");
    }
    for level in ["", "none", "may", "dane"] {
        assert!(!is_mandatory(level), "{level}");
    }
}

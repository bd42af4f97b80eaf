//! What is a fingerprint of which digest, and what a certificate can have for a name.

use super::{fault, is_of_a_certificate};

#[test]
fn names_that_no_certificate_has() {
    for good in [
        "nexthop",
        "dot-nexthop",
        "hostname",
        ".a.example",
        "*.a.example",
        "192.0.2.1",
    ] {
        assert!(is_of_a_certificate(good), "{good}");
    }
    for bad in ["a..b", "a b", "a|b.example", "-", "a.example;b.example"] {
        assert!(!is_of_a_certificate(bad), "{bad}");
    }
}

#[test]
fn a_fingerprint_has_the_length_of_its_digest_in_pairs() {
    let sha256 = vec!["AB"; 32].join(":");
    let sha1 = vec!["cd"; 20].join(":");
    let two = format!("{sha256}:{sha256}");
    let good = [
        (sha256.as_str(), "sha256"),
        (&sha256.replace(':', ""), "SHA256"),
        (&sha256.replacen(':', "", 1), "sha256"),
        (&sha1, "sha1"),
        (&sha1, "whirlpool"),
    ];
    for (word, digest) in good {
        assert_eq!(fault(word, digest), None, "{digest}");
    }
    let bad = [
        ("", "sha256", "not hexadecimal"),
        (":::", "sha256", "not hexadecimal"),
        ("mx.example.net", "sha256", "not hexadecimal"),
        (&sha256.replace("AB", "AG"), "sha256", "not hexadecimal"),
        (&sha256[1..], "sha256", "not made of pairs"),
        (
            &sha256.replacen("AB:AB", "A:BAB", 1),
            "sha256",
            "not made of pairs",
        ),
        (&format!("{sha256}:"), "sha256", "not made of pairs"),
        (&sha1, "sha256", "20 bytes, not 32"),
        (&sha256, "sha1", "32 bytes, not 20"),
        (&two, "sha256", "2 fingerprints"),
    ];
    for (word, digest, why) in bad {
        let told = fault(word, digest).unwrap_or_default();
        assert!(told.contains(why), "{word} {digest}: {told}");
    }
}

//! Fingerprints and hashes beside the `openssl` command's, and names below a domain.

use crate::forge::Recipe;
use crate::{Certificate, Fingerprint};
use std::io::Write as _;
use std::process::{Command, Stdio};

fn named(dns: &[&str]) -> Certificate {
    let mut recipe = Recipe::leaf("cn.example.com");
    recipe.dns = dns.iter().map(|name| (*name).to_owned()).collect();
    recipe.make().certificate()
}

/// What `openssl x509` says of a certificate.
fn openssl(certificate: &Certificate, words: &[&str]) -> String {
    let mut command = Command::new("openssl");
    command.args(["x509", "-noout"]).args(words);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&certificate.to_pem().unwrap()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn fingerprints_are_those_that_openssl_prints() {
    let leaf = named(&["mx.example.com"]);
    for digest in ["sha256", "sha1", "md5", "sha512"] {
        let said = openssl(&leaf, &["-fingerprint", &format!("-{digest}")]);
        let (_, said) = said.split_once('=').unwrap();
        assert_eq!(leaf.digests(digest).unwrap().certificate, said, "{digest}");
        assert_eq!(leaf.digests(&digest.to_uppercase()), leaf.digests(digest));
    }
    let sha256 = leaf.digests("sha256").unwrap();
    assert_eq!(sha256.certificate, leaf.fingerprint().to_string());
    assert_eq!(sha256.key, leaf.key_fingerprint().to_string());
    assert_eq!(
        sha256.key.parse::<Fingerprint>(),
        Ok(leaf.key_fingerprint())
    );
    assert_eq!(leaf.digests("sha257"), None);
    assert_eq!(leaf.digests(""), None);
}

#[test]
fn hashes_are_those_of_folders_of_cas() {
    let leaf = named(&["mx.example.com"]);
    let hash = |words: &str| u32::from_str_radix(&openssl(&leaf, &[words]), 16).unwrap();
    assert_eq!(leaf.subject_hash(), hash("-subject_hash"));
    assert_eq!(leaf.issuer_hash(), hash("-issuer_hash"));
}

#[test]
fn names_below_a_domain() {
    let leaf = named(&["mx.example.com", "*.example.org", "a.b.example.net"]);
    for domain in [
        "example.com",
        "Example.COM",
        "com",
        "example.org",
        "org",
        "b.example.net",
    ] {
        assert!(leaf.has_name_below(domain), "{domain}");
    }
    for domain in [
        "mx.example.com",
        "xample.com",
        "a.b.example.net",
        "example.info",
        "",
        ".",
    ] {
        assert!(!leaf.has_name_below(domain), "{domain:?}");
    }
    // The common name counts where there is no other.
    assert!(named(&[]).has_name_below("example.com"));
    assert!(!leaf.has_name_below("cn.example.com"));
}

#[test]
fn a_sentence_lists_a_few_names() {
    assert_eq!(named(&[]).names_shown(), "cn.example.com");
    assert_eq!(named(&["a.test", "b.test"]).names_shown(), "a.test, b.test");
    let many = ["a.test", "b.test", "c.test", "d.test", "e.test", "f.test"];
    assert_eq!(
        named(&many).names_shown(),
        "a.test, b.test, c.test, d.test and 2 more"
    );
}

//! Whom a policy trusts, and nobody: files of anchors that are missing, empty or not readable, no
//! CA at all, DANE without DNSSEC, fingerprints of main.cf.

use crate::grid::{Kind, cases, must_agree, scene};
use crate::peers::{Chains, Peer};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

const KINDS: [Kind; 3] = [
    Kind::Sink(Peer::Cleartext),
    Kind::Sink(Peer::SelfSigned),
    Kind::Sink(Peer::Trusted),
];

const FILES: [&str; 7] = [
    "secure match=mx.peer.test tafile=/anchors.pem",
    "secure match=mx.peer.test tafile=/nowhere.pem",
    "secure match=mx.peer.test tafile=/empty.pem",
    "secure match=mx.peer.test tafile=/text.pem",
    "secure match=mx.peer.test tafile=/secret.pem",
    "secure match=mx.peer.test tafile=/folder",
    "secure match=mx.peer.test tafile=/anchors.pem tafile=/nowhere.pem",
];

#[test]
fn files_of_anchors_that_cannot_be_used_hold_mail_back() {
    let chains = Chains::new();
    let cases = cases(&chains, 91, &FILES, &KINDS);
    let scene = scene(&cases, &chains, &[]);
    let jail = scene.postfix.queue_directory();
    fs::write(jail.join("empty.pem"), "").unwrap();
    fs::write(jail.join("text.pem"), "no certificate\n").unwrap();
    fs::write(jail.join("secret.pem"), &chains.ca).unwrap();
    fs::set_permissions(jail.join("secret.pem"), Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(jail.join("folder")).unwrap();
    must_agree(&scene, &cases);
}

#[test]
fn who_trusts_nobody_delivers_to_nobody() {
    let chains = Chains::new();
    let rows = [
        "encrypt",
        "verify",
        "secure match=mx.peer.test",
        "fingerprint match={self}",
        "dane",
        "dane-only",
    ];
    let cases = cases(&chains, 92, &rows, &KINDS);
    must_agree(&scene(&cases, &chains, &[("smtp_tls_CAfile", "")]), &cases);
}

#[test]
fn fingerprints_may_stand_in_main_cf() {
    let chains = Chains::new();
    let rows = ["fingerprint", "encrypt"];
    let without = cases(&chains, 94, &rows, &KINDS);
    must_agree(&scene(&without, &chains, &[]), &without);
    let cases = cases(&chains, 93, &rows, &KINDS);
    let main = [(
        "smtp_tls_fingerprint_cert_match",
        chains.fingerprint.as_str(),
    )];
    must_agree(&scene(&cases, &chains, &main), &cases);
}

#[test]
fn anchors_of_main_cf_stand_in_place_of_cas() {
    let chains = Chains::new();
    let rows = ["verify", "secure match=mx.peer.test", "encrypt"];
    for (net, file) in [(95, "/anchors.pem"), (96, "/nowhere.pem")] {
        let cases = cases(&chains, net, &rows, &KINDS);
        let main = [
            ("smtp_tls_CAfile", ""),
            ("smtp_tls_trust_anchor_file", file),
        ];
        must_agree(&scene(&cases, &chains, &main), &cases);
    }
}

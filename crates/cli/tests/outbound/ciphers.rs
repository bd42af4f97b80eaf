//! Ciphers and protocols of a policy and of main.cf: what `policy check` says of them is what
//! smtp(8) does, whatever OpenSSL makes of the lists.

use crate::grid::{Kind, cases, must_agree, scene};
use crate::peers::{Chains, Peer};

const KINDS: [Kind; 4] = [
    Kind::Sink(Peer::Cleartext),
    Kind::Sink(Peer::SelfSigned),
    Kind::Sink(Peer::Trusted),
    Kind::Sink(Peer::Old),
];

const NAMED: &str = "secure match=mx.peer.test exclude=ALL";

const ROWS: [&str; 20] = [
    "may exclude=ALL",
    "encrypt exclude=ALL",
    NAMED,
    "may ciphers=null",
    "encrypt ciphers=null",
    "encrypt ciphers=null exclude=",
    "secure match=mx.peer.test ciphers=null",
    "encrypt ciphers=high",
    "encrypt exclude=NOSUCHCIPHER",
    "encrypt exclude=AESGCM:CHACHA20",
    "encrypt exclude=aECDSA",
    "secure match=mx.peer.test exclude=ECDHE",
    "may exclude=ECDHE",
    "encrypt exclude=HIGH:MEDIUM",
    "may protocols=TLSv1.1",
    "encrypt protocols=TLSv1.1",
    "encrypt protocols=TLSv1.3:TLSv1.1",
    "encrypt protocols=!TLSv1.2",
    "encrypt protocols=TLSv1.2:TLSv1",
    "secure match=mx.peer.test protocols=TLSv1.1",
];

#[test]
fn what_a_check_says_of_ciphers_and_protocols_is_what_smtp_makes_of_them() {
    let chains = Chains::new();
    let cases = cases(&chains, 83, &ROWS, &KINDS);
    must_agree(&scene(&cases, &chains, &[]), &cases);
}

const DEFAULTS: [&str; 7] = [
    "dane",
    "none",
    "may",
    "encrypt",
    "encrypt exclude=",
    "encrypt ciphers=medium",
    "secure match=mx.peer.test",
];

#[test]
fn so_it_does_of_the_lists_of_main_cf() {
    let chains = Chains::new();
    let lists: [&[(&str, &str)]; 7] = [
        &[("smtp_tls_exclude_ciphers", "!RC4")],
        &[("smtp_tls_mandatory_ciphers", "bogus")],
        &[("smtp_tls_exclude_ciphers", "ALL")],
        &[("smtp_tls_mandatory_exclude_ciphers", "ECDHE, aNULL")],
        &[
            ("smtp_tls_mandatory_ciphers", "high"),
            ("tls_high_cipherlist", "AES128-SHA:AES256-SHA"),
        ],
        &[("tls_medium_cipherlist", "NOSUCH")],
        &[
            ("smtp_tls_mandatory_protocols", "!TLSv1.3, >=TLSv1.2"),
            ("smtp_tls_protocols", "TLSv1.1"),
        ],
    ];
    for (net, main) in (84..).zip(lists) {
        let cases = cases(&chains, net, &DEFAULTS, &KINDS);
        must_agree(&scene(&cases, &chains, main), &cases);
    }
}

//! Tests of `live_log`: which lines count, whose they are, and how bad they are.

use super::*;

fn log(lines: &[&str]) -> Vec<u8> {
    let stamp = "Nov 22 03:00:00 mx ";
    lines
        .iter()
        .flat_map(|line| format!("{stamp}{line}\n").into_bytes())
        .collect()
}

fn told(lines: &[&str]) -> Vec<String> {
    let own = ["192.0.2.1".parse().unwrap()];
    let seen = seen("postfix/", &own, &log(lines));
    let told = seen.findings.iter();
    told.map(|one| format!("{:?} {}", one.severity, one.code))
        .collect()
}

const RELOAD: &str = "postfix/master[1]: reload -- version 3.7.11, configuration /etc/postfix";
const MISMATCH: &str = "postfix/smtpd[7]: warning: TLS library problem: key values mismatch:x";
const ALERT: &str =
    "postfix/smtpd[7]: warning: TLS library problem: error:1: tlsv1 alert unknown ca:x";

#[test]
fn only_what_was_logged_since_the_last_reload_counts() {
    assert!(told(&[MISMATCH, RELOAD]).is_empty());
    assert_eq!(told(&[RELOAD, MISMATCH]), ["Error log.key-mismatch"]);
    // Where the reload is not in the log any more, all of it counts.
    assert_eq!(told(&[MISMATCH]), ["Error log.key-mismatch"]);
    assert!(seen("postfix/", &[], &log(&[RELOAD])).since_reload);
    assert!(!seen("postfix/", &[], &log(&[MISMATCH])).since_reload);
}

#[test]
fn what_each_fault_does_to_mail_says_how_bad_it_is() {
    let fatal = "postfix/smtpd[7]: fatal: Invalid TLS level \"maybe\"";
    let latent = "postfix/smtpd[7]: warning: ignoring unknown ECDHE curve \"x\"";
    let dns = "postfix/smtp[7]: warning: TLS policy lookup for a/b: TLSA lookup error for b:25";
    assert_eq!(
        told(&[latent, MISMATCH, fatal]),
        [
            "Fatal log.bad-level",
            "Error log.key-mismatch",
            "Warning log.unknown-curve"
        ]
    );
    assert!(
        told(&[dns])[0].starts_with("Error log.policy-row"),
        "{:?}",
        told(&[dns])
    );
    let dns = "postfix/smtp[7]: warning: TLSA lookup error for mx.example:25";
    assert_eq!(told(&[dns]), ["Warning log.tlsa-lookup"]);
}

#[test]
fn a_command_that_dies_kills_no_service() {
    let usage = "fatal: usage: postmap [-bfFhimnNoprsuUvw] [map_type:]file...";
    assert!(told(&[&format!("postfix/postmap[7]: {usage}")]).is_empty());
    let dies = told(&[&format!("postfix/smtpd[7]: {usage}")]);
    assert_eq!(dies, ["Fatal log.fatal"]);
}

#[test]
fn what_peers_did_is_information_and_counted() {
    let connect = "postfix/smtpd[7]: connect from x[203.0.113.5]";
    let log = [connect, ALERT, ALERT];
    assert_eq!(told(&log), ["Info log.peer-handshake"]);
    let seen = seen("postfix/", &[], &super::tests::log(&log));
    assert!(seen.findings[0].message.contains("2 times"), "{seen:?}");
}

#[test]
fn what_a_look_of_ours_provoked_is_no_news() {
    for own in ["127.0.0.1", "::1", "192.0.2.1"] {
        let connect = format!("postfix/smtpd[7]: connect from x[{own}]");
        assert!(told(&[&connect, ALERT]).is_empty(), "{own}");
        // A fault of this host is one, whoever was there.
        assert_eq!(told(&[&connect, MISMATCH]), ["Error log.key-mismatch"]);
        // The process goes on with another client.
        let next = "postfix/smtpd[7]: connect from x[203.0.113.5]";
        assert_eq!(told(&[&connect, next, ALERT]), ["Info log.peer-handshake"]);
    }
}

#[test]
fn what_openssl_says_of_a_session_is_the_peers_doing() {
    let failed = "postfix/tlsproxy[7]: SSL_accept error from [203.0.113.5]:4711: -1";
    let to = "postfix/smtp[7]: SSL_connect error to mx.test[203.0.113.5]:25: -1";
    let connect = "postfix/smtpd[7]: connect from x[203.0.113.5]";
    let end = "postfix/smtpd[7]: disconnect from x[203.0.113.5] ehlo=1";
    let problem = |words: &str| {
        format!(
            "postfix/smtpd[7]: warning: TLS library problem: error:0A000175:SSL routines::{words}:x.c:1:"
        )
    };
    let peer = ["Info log.peer-handshake"];
    for words in [
        "inappropriate fallback",
        "length too short",
        "cipher operation failed",
    ] {
        let said = problem(words);
        assert_eq!(told(&[failed, &said, &said]), peer, "{words}");
        assert_eq!(told(&[to, &said]), peer, "{words}");
        assert_eq!(told(&[connect, &said]), peer, "{words}");
        // Without a session it is about what this host set.
        let fault = ["Error log.tls-library"];
        assert_eq!(told(&[&said]), fault, "{words}");
        assert_eq!(told(&[connect, end, &said]), fault, "{words}");
        assert_eq!(
            told(&[to, "postfix/smtp[7]: done", &said]),
            fault,
            "{words}"
        );
        let ours = failed.replace("203.0.113.5", "127.0.0.1");
        assert!(told(&[&ours, &said]).is_empty(), "{words}");
    }
    let internal = problem("internal error");
    assert_eq!(told(&[connect, &internal]), ["Error log.tls-library"]);
    let weak = problem("dh key too small");
    assert_eq!(told(&[to, &weak]), peer);
    assert_eq!(told(&[connect, &weak]), ["Error log.weak-certificate"]);
}

#[test]
fn other_programs_and_instances_do_not_count() {
    let other = MISMATCH.replace("postfix/", "postfix-out/");
    let dovecot = "dovecot: fatal: Invalid TLS level \"maybe\"";
    assert!(told(&[&other, dovecot]).is_empty());
    let mut hostile = log(&[MISMATCH]);
    hostile.extend_from_slice(b"\0\xff\n\n postfix/\n");
    assert_eq!(seen("postfix/", &[], &hostile).findings.len(), 1);
}

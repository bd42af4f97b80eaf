//! Codes and remedies: each error has its own.

use super::*;
use std::collections::BTreeSet;

fn all() -> Vec<SolverError> {
    let server: SocketAddr = "192.0.2.53:53".parse().unwrap();
    let source = || io::Error::other("why");
    let name = || "_acme-challenge.mx.example.com".to_owned();
    vec![
        SolverError::Webroot {
            path: "/srv/www".into(),
            source: source(),
        },
        SolverError::Outside {
            path: "/srv/www".into(),
        },
        SolverError::Listener(source()),
        SolverError::HookMissing {
            program: "/bin/hook".into(),
            source: source(),
        },
        SolverError::HookFailed {
            program: "/bin/hook".into(),
            status: "exit status: 1".into(),
            output: "no".into(),
        },
        SolverError::DnsUnreachable {
            server,
            source: source(),
        },
        SolverError::DnsRefused {
            server,
            name: name(),
            rcode: "REFUSED".into(),
        },
        SolverError::NoZone {
            server,
            name: name(),
        },
        SolverError::DnsAnswer {
            server,
            reason: "no".into(),
        },
        SolverError::NotPublished {
            server,
            name: name(),
        },
        SolverError::Unusable("mx..example".into()),
        SolverError::from(Halt::Deadline),
        SolverError::from(Halt::Interrupted),
    ]
}

#[test]
fn every_error_has_its_own_code_and_a_remedy() {
    let errors = all();
    let codes: BTreeSet<_> = errors.iter().map(SolverError::code).collect();
    assert_eq!(codes.len(), errors.len());
    for error in &errors {
        assert!(!error.remedy().is_empty() && !error.to_string().is_empty());
        assert!(error.code().split_once('.').is_some());
    }
}

#[test]
fn every_rcode_that_an_operator_can_cause_has_its_own_remedy() {
    let rcodes = [
        "BADKEY", "BADSIG", "BADTIME", "NOTAUTH", "REFUSED", "NOTZONE", "SERVFAIL", "rcode 99",
    ];
    let remedies: BTreeSet<_> = rcodes.iter().map(|rcode| rcode_remedy(rcode)).collect();
    assert_eq!(remedies.len(), rcodes.len());
}

#[test]
fn others_text_is_one_line_of_bounded_length() {
    assert_eq!(printable("a\nb\u{1b}[31mc\r\u{0}"), "a b [31mc  ");
    assert_eq!(printable(&"ä".repeat(5000)).chars().count(), MAX_TEXT);
}

//! Which clients ask the rules, and which policies one of them could not keep.

use super::{Askers, Home, askers, unkept};
use crate::resolve::{Answer, Answers, Asked, Question};
use crate::view::tests::facts;

const MAP: &str = "smtp_tls_policy_maps = hash:/etc/postfix/postseal.d/policy-0011223344556677\n";
const SMTP: &str = "smtp unix - - n - - smtp\nrelay unix - - n - - smtp -o syslog_name=x\n";

fn of(main: &str, master: &str) -> Askers {
    askers(
        Home::Rules(None),
        &facts(&format!("{MAP}{main}"), &format!("{SMTP}{master}")),
    )
}

fn names(found: &Askers) -> Vec<&str> {
    found.transports.iter().map(String::as_str).collect()
}

#[test]
fn clients_that_ask_the_rules() {
    let usual = of(
        "",
        "local unix - n n - - local\nsmtp inet n - n - - smtpd\n",
    );
    assert_eq!(
        (names(&usual), usual.are_alike),
        (vec!["relay", "smtp"], true)
    );
    let own = of("", "own unix - - n - - smtp -o smtp_tls_CAfile=/ca.pem\n");
    assert_eq!(
        (names(&own), own.are_alike),
        (vec!["own", "relay", "smtp"], false)
    );
    // What has tables of its own is none, however it differs.
    for tables in ["", "hash:/other"] {
        let service = format!(
            "own unix - - n - - smtp -o smtp_tls_CAfile=/ca.pem -o smtp_tls_policy_maps={tables}\n"
        );
        // Without a map in force it would be put before the other table.
        let own = of("", &service);
        let asks = !tables.is_empty();
        assert_eq!(
            (names(&own).contains(&"own"), own.are_alike),
            (asks, !asks),
            "{tables}"
        );
    }
    let lmtp = "lmtp unix - - n - - lmtp\n";
    assert_eq!(names(&of("", lmtp)), ["relay", "smtp"]);
    let shared = of("lmtp_tls_policy_maps = $smtp_tls_policy_maps\n", lmtp);
    assert_eq!(names(&shared), ["lmtp", "relay", "smtp"]);
}

/// The policies that a client could not keep, where only `/ca.pem` is a file of CAs.
fn not_kept(main: &str, master: &str, policies: &[&str]) -> Vec<String> {
    let facts = facts(&format!("{MAP}{main}"), &format!("{SMTP}{master}"));
    let policies: Vec<String> = policies.iter().map(|one| (*one).to_owned()).collect();
    let mut answers = Answers::default();
    for _ in 0..20 {
        match unkept(&policies, None, &facts, &answers) {
            Asked::Answered(found) => return found,
            Asked::Unanswered(question) => {
                let answer = match &question {
                    Question::File(path) if path == "/ca.pem" => {
                        Answer::Found("-----BEGIN CERTIFICATE-----\n".to_owned())
                    }
                    _ => Answer::NotFound,
                };
                answers.put(question, answer);
            }
        }
    }
    panic!("it asks without end");
}

#[test]
fn a_policy_is_held_against_each_client_that_asks() {
    let all = ["none", "encrypt", "secure", "fingerprint"];
    let trusts = "smtp_tls_CAfile = /ca.pem\nsmtp_tls_fingerprint_cert_match = AA\n";
    assert_eq!(not_kept(trusts, "", &all), [] as [&str; 0]);
    assert_eq!(not_kept("", "", &all), ["secure", "fingerprint"]);
    let own = "own unix - - n - - smtp -o smtp_tls_CAfile=/gone.pem\n";
    assert_eq!(
        not_kept(trusts, own, &all),
        ["encrypt", "secure", "fingerprint"]
    );
    let blind = "own unix - - n - - smtp -o smtp_tls_CAfile=\n";
    assert_eq!(not_kept(trusts, blind, &all), ["secure"]);
    let deaf = "own unix - - n - - smtp -o smtp_tls_CAfile=/gone.pem -o smtp_tls_policy_maps=\n";
    assert_eq!(not_kept(trusts, deaf, &all), [] as [&str; 0]);
    // A map of the rules that was made by another version.
    assert_eq!(
        not_kept(trusts, "", &["encrypt nonsense=1"]),
        ["encrypt nonsense=1"]
    );
}

//! Which mail waits for TLS by a log, and since when.

use super::{HeldBack, held_back, mail_waits};
use crate::Severity;
use crate::view::tests::facts;

const NOT_OFFERED: &str = "TLS is required, but was not offered by host mx.peer.test[127.0.0.1]";
const UNAVAILABLE: &str = "TLS is required, but our TLS engine is unavailable";

fn line(tag: &str, at: u32, text: &str) -> String {
    format!("Nov 21 03:15:{at:02} mx {tag}[7]: {text}\n")
}

fn delivery(at: u32, id: &str, to: &str, (status, reason): (&str, &str)) -> String {
    let text = format!(
        "{id}: to=<{to}>, relay=mx.peer.test[127.0.0.1]:25, delay=0.1, delays=0/0/0/0.1, dsn=4.7.4, \
         status={status} ({reason})"
    );
    line("postfix/smtp", at, &text)
}

fn waits(at: u32, id: &str, to: &str) -> String {
    delivery(at, id, to, ("deferred", NOT_OFFERED))
}

fn held(main: &str, log: &str) -> Vec<HeldBack> {
    held_back(&facts(main, ""), log.as_bytes())
}

fn counts(log: &str) -> Vec<(String, usize, String)> {
    let held = held("", log).into_iter();
    held.map(|one| (one.recipient, one.messages, one.since))
        .collect()
}

#[test]
fn what_was_sent_or_taken_away_since_does_not_wait() {
    let two = waits(1, "AAAA1", "a@peer.test") + &waits(2, "AAAA2", "b@peer.test");
    let again = two.clone() + &waits(9, "AAAA1", "a@peer.test");
    let since = "Nov 21 03:15:01".to_owned();
    let wanted = vec![("a@peer.test".to_owned(), 2, since)];
    assert_eq!(counts(&again), wanted);
    let sent = two.clone() + &delivery(3, "AAAA1", "a@peer.test", ("sent", "250 ok"));
    assert_eq!(counts(&sent)[0].0, "b@peer.test");
    let gone = sent + &line("postfix/qmgr", 4, "AAAA2: removed");
    assert_eq!(counts(&gone), []);
    let reload = line(
        "postfix/master",
        5,
        "reload -- version 3.7.11, configuration /c",
    );
    assert_eq!(counts(&(two + &reload)), []);
}

#[test]
fn what_a_server_says_is_no_reason_of_smtp() {
    let said = format!("host mx.peer.test[127.0.0.1] said: 450 4.7.4 {NOT_OFFERED}");
    for reason in [&*said, "Connection refused", "4.7.4"] {
        let log = delivery(1, "AAAA1", "a@peer.test", ("deferred", reason));
        assert_eq!(counts(&log), [], "{reason}");
    }
}

#[test]
fn a_message_is_known_by_its_queue_whatever_its_client_is_called() {
    let own = "syslog_name = mx-out\n";
    let queued = "AAAA1: from=<me@mx.test>, size=1, nrcpt=1 (queue active)";
    let relay = waits(2, "AAAA1", "a@peer.test").replace("postfix/smtp", "postfix/relay/smtp");
    let log = line("mx-out/qmgr", 1, queued) + &relay;
    assert_eq!(held(own, &log).len(), 1);
    // Another instance writes into the same log.
    let others = line("postfix/qmgr", 1, queued) + &relay;
    assert_eq!(held(own, &others), []);
    let by_sender = "sender_dependent_relayhost_maps = inline:{ { a = b } }\n";
    let found = held(&format!("{own}{by_sender}"), &log);
    assert_eq!(found[0].sender, "me@mx.test");
}

#[test]
fn what_others_do_is_a_warning_and_what_this_host_lacks_an_error() {
    let log = waits(1, "AAAA1", "a@peer.test")
        + &delivery(2, "AAAA2", "a@peer.test", ("deferred", UNAVAILABLE));
    let held = held("", &log).into_iter().map(|one| (one, None));
    let told = mail_waits(&held.collect::<Vec<_>>());
    let severities: Vec<Severity> = told.iter().map(|one| one.severity).collect();
    assert_eq!(severities, [Severity::Warning, Severity::Error]);
    let first = &told[0].message;
    assert!(first.contains("peer.test waits for TLS (1 message, since Nov 21 03:15:01)"));
    assert!(first.contains(NOT_OFFERED), "{first}");
}

/// Only some ways are looked up: of the others that is said, with where to ask.
#[test]
fn a_way_that_was_not_looked_up_is_said_to_be_so() {
    let held = held("", &waits(1, "AAAA1", "a@peer.test")).into_iter();
    let told = mail_waits(&held.map(|one| (one, None)).collect::<Vec<_>>());
    let message = &told[0].message;
    assert!(
        message.contains("was not looked up (it is for"),
        "{message}"
    );
    assert!(message.contains("`postseal explain` tells"), "{message}");
}

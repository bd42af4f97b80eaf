//! The forms a line comes in, and bytes that are no line.

use super::*;
use proptest::prelude::*;

fn parse(line: &str) -> Record<'_> {
    Record::parse(1, line.as_bytes()).unwrap_or_else(|| panic!("{line:?}"))
}

#[test]
fn every_form_of_a_line_is_read() {
    // line, stamp, host, tag, pid, text
    for (line, stamp, host, tag, pid, text) in [
        (
            "Nov 21 03:15:49 mx postfix/smtpd[123]: connect from a[192.0.2.1]",
            "Nov 21 03:15:49",
            "mx",
            "postfix/smtpd",
            Some(123),
            "connect from a[192.0.2.1]",
        ),
        (
            "Nov  1 03:15:49 mx postfix-out/submission/smtpd[1]: x: y",
            "Nov  1 03:15:49",
            "mx",
            "postfix-out/submission/smtpd",
            Some(1),
            "x: y",
        ),
        (
            "2026-11-21T03:15:49.548478+03:00 mx postfix/master[7]: daemon started -- version 3.7.11",
            "2026-11-21T03:15:49.548478+03:00",
            "mx",
            "postfix/master",
            Some(7),
            "daemon started -- version 3.7.11",
        ),
        (
            "<22>Nov 21 03:15:49 mx postfix/smtp[2]: text\r",
            "Nov 21 03:15:49",
            "mx",
            "postfix/smtp",
            Some(2),
            "text",
        ),
        (
            "Nov 21 03:15:49 mx postfix/postfix-script: fatal: no",
            "Nov 21 03:15:49",
            "mx",
            "postfix/postfix-script",
            None,
            "fatal: no",
        ),
        (
            "postconf: warning: /etc/postfix/main.cf: unused parameter: a=b",
            "",
            "",
            "postconf",
            None,
            "warning: /etc/postfix/main.cf: unused parameter: a=b",
        ),
        (
            "warning: TLS library problem: error:1",
            "",
            "",
            "",
            None,
            "warning: TLS library problem: error:1",
        ),
        ("no program at all", "", "", "", None, "no program at all"),
        ("two words: text", "", "", "", None, "two words: text"),
    ] {
        let record = parse(line);
        assert_eq!(record.stamp, stamp, "{line}");
        assert_eq!(record.host, host, "{line}");
        assert_eq!(record.tag, tag, "{line}");
        assert_eq!(record.pid, pid, "{line}");
        assert_eq!(readable(record.text), text, "{line}");
    }
}

#[test]
fn what_is_no_line_is_left_out_and_still_counted() {
    let log = b"\n\nNov 21 03:15:49 mx postfix/smtp[2]: a\n  \nNov 21 03:15:49 mx\nNov 21 03:15:49 mx postfix/smtp[2]: b";
    let numbers: Vec<_> = records(log).map(|record| record.number).collect();
    assert_eq!(numbers, [3, 6]);
    assert_eq!(records(b"").count(), 0);
}

#[test]
fn the_service_is_the_last_part_of_the_tag() {
    for (tag, service) in [
        ("postfix/smtpd", "smtpd"),
        ("postfix/submission/smtpd", "smtpd"),
        ("postfix-a/smtp", "smtp"),
        ("postfix", "postfix"),
    ] {
        let line = format!("Nov 21 03:15:49 mx {tag}[1]: x");
        assert_eq!(parse(&line).service(), service);
    }
}

#[test]
fn queue_ids_are_told_from_other_words() {
    for (text, id) in [
        ("4D49F9A8503: removed", Some("4D49F9A8503")),
        ("4bCd1234zXy9Qr: removed", Some("4bCd1234zXy9Qr")),
        ("NOQUEUE: abort: TLS from a[1]: b", None),
        ("warning: 4D49F9A8503: x", None),
        ("statistics: max", None),
        ("4D49F9A8503 removed", None),
        ("ABC: x", None),
        (": x", None),
    ] {
        let line = format!("Nov 21 03:15:49 mx postfix/qmgr[1]: {text}");
        assert_eq!(parse(&line).queue_id(), id, "{text}");
    }
}

#[test]
fn severities_are_the_marks_postfix_sets() {
    for (text, severity, message) in [
        ("warning: a", Severity::Warning, "a"),
        ("error: a", Severity::Error, "a"),
        ("fatal: a", Severity::Fatal, "a"),
        ("panic: a", Severity::Panic, "a"),
        ("a warning: b", Severity::Info, "a warning: b"),
        ("warning:a", Severity::Info, "warning:a"),
    ] {
        let line = format!("Nov 21 03:15:49 mx postfix/smtpd[1]: {text}");
        let record = parse(&line);
        assert_eq!(record.severity(), severity);
        assert_eq!(readable(record.message()), message);
    }
    assert!(Severity::Info < Severity::Warning && Severity::Fatal < Severity::Panic);
}

#[test]
fn bytes_that_are_no_text_spoil_their_field_only() {
    let line = b"Nov 21 03:15:49 m\xffx postfix/smtpd[1]: warning: \xfe";
    let record = Record::parse(1, line).unwrap();
    assert_eq!(record.host, "\u{fffd}");
    assert_eq!((record.tag, record.pid), ("postfix/smtpd", Some(1)));
    assert_eq!(record.message(), b"\xfe");
}

proptest! {
    #[test]
    fn never_panics(log in prop::collection::vec(any::<u8>(), 0..200)) {
        let lines = log.split(|byte| *byte == b'\n').count();
        prop_assert!(records(&log).count() <= lines);
    }

    #[test]
    fn never_panics_on_near_misses(line in "(<[0-9]{0,3}>)?([A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8}|[0-9T:-]{19,22})?[ a-z/\\[\\]0-9:]{0,40}") {
        let _ = Record::parse(1, line.as_bytes());
    }
}

//! Mails about what others have written.

use super::*;
use postseal_planner::notice::{Decision, Notices, decide};

fn seen(said: &[&str]) -> Seen {
    let causes = said.iter().enumerate();
    Seen {
        causes: causes
            .map(|(n, said)| Note::new(State::Critical, format!("service {n}"), *said))
            .collect(),
        news: Vec::new(),
        operation: 0,
    }
}

/// The mail that tells of these, where all was well before.
fn mail(said: &[&str]) -> String {
    let mut notices = Notices::default();
    let Decision::Silent(base) = decide(&notices, &seen(&[]), 0) else {
        panic!("the first look tells nothing");
    };
    notices.base = Some(base);
    let seen = seen(said);
    let Decision::Tell(telling) = decide(&notices, &seen, 1) else {
        panic!("what is worse is told");
    };
    let to = [
        Address::parse("a@example.org").unwrap(),
        Address::parse("root").unwrap(),
    ];
    let bytes = Letter::of("mx.example", &telling, &seen, 1).bytes(&to);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_mail_tells_the_state_and_its_cause() {
    let mail = mail(&["port 25 presents a certificate that ended"]);
    let (head, body) = mail.split_once("\n\n").unwrap();
    assert!(head.starts_with("To: a@example.org,\n root\n"), "{head}");
    assert!(
        head.contains("\nSubject: Postseal: mx.example is CRITICAL: port 25 presents a certificate that ended\n"),
        "{head}"
    );
    assert!(
        body.contains("mx.example is CRITICAL (it was OK)"),
        "{body}"
    );
    assert!(body.contains("  CRITICAL  port 25 presents"), "{body}");
}

#[test]
fn what_several_services_have_in_common_is_told_once() {
    let mail = mail(&[
        "the certificate ended",
        "nobody answers",
        "the certificate ended",
    ]);
    assert_eq!(mail.matches("  CRITICAL  ").count(), 2, "{mail}");
    assert_eq!(mail.matches("  the certificate ended").count(), 1, "{mail}");
}

#[test]
fn what_others_wrote_is_no_header_and_no_second_line() {
    let hostile = "CN=x\r\nBcc: victim@example.org\r\n\r\n.\r\n\u{202e}gnp\u{61c}\u{2028}y\u{7f}ü"
        .to_owned()
        + &"z".repeat(5000);
    let mail = mail(&[&hostile]);
    let (head, body) = mail.split_once("\n\n").unwrap();
    let names: Vec<&str> = head
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "To",
            "Subject",
            "Message-ID",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type",
            "Content-Transfer-Encoding"
        ]
    );
    assert!(head.is_ascii() && !head.contains('\r'), "{head}");
    assert!(
        !body.contains(['\r', '\u{61c}', '\u{202e}', '\u{2028}', '\u{7f}']),
        "{body}"
    );
    assert!(mail.lines().all(|line| line.len() <= 998 && line != "."));
    assert!(body.contains('ü') && body.contains('…'), "{body}");
}

//! The dialogue, played by bytes alone.

use super::*;
use crate::target::Credentials;
use StageName as N;
use StageOutcome::{Ok as Done, Refused, Unknown};

fn target(tls: Start) -> Target {
    let address = ([127, 0, 0, 1], 25).into();
    Target {
        ehlo_name: "probe.example".to_owned(),
        ..Target::new("smtp/inet", address, tls)
    }
}

fn asking(tls: Start) -> Target {
    Target {
        mail_before_tls: MailBeforeTls::Ask,
        ..target(tls)
    }
}

fn with_password(tls: Start) -> Target {
    let credentials = Credentials {
        user: "ada".to_owned(),
        password: "secret".to_owned().into(),
    };
    Target {
        credentials: Some(credentials),
        ..target(tls)
    }
}

/// What a play shows.
struct Play {
    sent: Vec<String>,
    stages: Vec<Ended>,
    said: Said,
}

/// Plays the server's `answers`, one for each time the dialogue wants to read; handshakes succeed.
fn play(target: &Target, answers: &[&str]) -> Play {
    let mut dialogue = Dialogue::new(target);
    let mut answers = answers.iter();
    let mut sent = Vec::new();
    loop {
        match dialogue.turn() {
            Next::Send(bytes) => sent.push(String::from_utf8(bytes.to_vec()).unwrap()),
            Next::Receive => match answers.next() {
                Some(answer) => dialogue.receive(answer.as_bytes()),
                None => dialogue.fail(Unknown("silence".to_owned())),
            },
            Next::Handshake => {
                sent.push("(handshake)".to_owned());
                dialogue.under_tls();
            }
            Next::Done => break,
        }
    }
    let left: Vec<_> = answers.collect();
    assert!(left.is_empty(), "never read: {left:?}");
    Play {
        sent,
        stages: dialogue.stages().to_vec(),
        said: dialogue.into_said(),
    }
}

/// The stages, all as the protocol wants them.
fn all_ok(play: &Play, names: &[StageName]) {
    let seen: Vec<_> = play.stages.iter().map(|ended| ended.name).collect();
    assert_eq!(seen, names);
    assert!(
        play.stages.iter().all(|ended| ended.outcome == Done),
        "{:?}",
        play.stages
    );
}

fn ends(play: &Play, name: StageName, outcome: StageOutcome) {
    assert_eq!(play.stages.last(), Some(&Ended { name, outcome }));
    let before = &play.stages[..play.stages.len() - 1];
    assert!(
        before.iter().all(|ended| ended.outcome == Done),
        "{:?}",
        play.stages
    );
}

fn refused(words: &str) -> StageOutcome {
    Refused(words.to_owned())
}

const EHLO: &str = "250-mx.example\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 8BITMIME\r\n";
const EHLO_TLS: &str = "250-mx.example\r\n250-AUTH LOGIN PLAIN\r\n250 8BITMIME\r\n";

#[test]
fn starttls() {
    let target = asking(Start::StartTls);
    let play = play(
        &target,
        &[
            "220 mx.example ESMTP\r\n",
            EHLO,
            "530 5.7.0 TLS first\r\n",
            "220 go\r\n",
            EHLO_TLS,
        ],
    );
    let sent = [
        "EHLO probe.example\r\n",
        "MAIL FROM:<>\r\n",
        "STARTTLS\r\n",
        "(handshake)",
    ];
    assert_eq!(play.sent, [&sent[..], &["EHLO probe.example\r\n"]].concat());
    all_ok(
        &play,
        &[
            N::Banner,
            N::Ehlo,
            N::MailBeforeTls,
            N::StartTls,
            N::Handshake,
            N::EhloUnderTls,
        ],
    );
    assert_eq!(play.said.banner.as_deref(), Some("220 mx.example ESMTP"));
    assert_eq!(
        play.said.ehlo_before,
        ["SIZE 10240000", "STARTTLS", "8BITMIME"]
    );
    assert_eq!(
        play.said.mail_before_tls.as_deref(),
        Some("530 5.7.0 TLS first")
    );
    assert_eq!(play.said.ehlo_after, ["AUTH LOGIN PLAIN", "8BITMIME"]);
    assert_eq!(play.said.auth, None);
}

#[test]
fn mail_that_was_accepted_before_tls_is_taken_back() {
    let target = asking(Start::StartTls);
    let play = play(
        &target,
        &[
            "220 x\r\n",
            EHLO,
            "250 2.1.0 Ok\r\n",
            "250 2.0.0 Ok\r\n",
            "220 go\r\n",
            EHLO_TLS,
        ],
    );
    assert_eq!(
        play.sent[1..4],
        ["MAIL FROM:<>\r\n", "RSET\r\n", "STARTTLS\r\n"]
    );
    assert_eq!(play.said.mail_before_tls.as_deref(), Some("250 2.1.0 Ok"));
}

#[test]
fn implicit_tls() {
    let target = asking(Start::Implicit);
    let play = play(&target, &["220 x\r\n", EHLO_TLS]);
    assert_eq!(play.sent, ["(handshake)", "EHLO probe.example\r\n"]);
    all_ok(&play, &[N::Handshake, N::Banner, N::EhloUnderTls]);
    assert_eq!(play.said.ehlo_before, [""; 0]);
    assert_eq!(play.said.ehlo_after, ["AUTH LOGIN PLAIN", "8BITMIME"]);
}

#[test]
fn clear() {
    let target = asking(Start::Clear);
    let play = play(&target, &["220 x\r\n", EHLO, "250 Ok\r\n", "250 Ok\r\n"]);
    assert_eq!(
        play.sent,
        ["EHLO probe.example\r\n", "MAIL FROM:<>\r\n", "RSET\r\n"]
    );
    all_ok(&play, &[N::Banner, N::Ehlo, N::MailBeforeTls]);
}

#[test]
fn a_greeting_in_parts() {
    // postscreen(8) sends its teaser first, and the rest some seconds later.
    let play = play(
        &target(Start::Clear),
        &["220-mx.example wait\r\n", "220 mx.", "example\r\n", EHLO],
    );
    all_ok(&play, &[N::Banner, N::Ehlo]);
    assert_eq!(
        play.said.banner.as_deref(),
        Some("220 mx.example wait mx.example")
    );
}

#[test]
fn a_password_goes_out_under_tls_only() {
    let script = [
        "220 x\r\n",
        EHLO,
        "220 go\r\n",
        EHLO_TLS,
        "235 2.7.0 Welcome\r\n",
    ];
    let starttls = play(&with_password(Start::StartTls), &script);
    assert_eq!(
        starttls.sent.last().unwrap(),
        "AUTH PLAIN AGFkYQBzZWNyZXQ=\r\n"
    );
    assert_eq!(starttls.said.auth.as_deref(), Some("235 2.7.0 Welcome"));
    all_ok(
        &starttls,
        &[
            N::Banner,
            N::Ehlo,
            N::StartTls,
            N::Handshake,
            N::EhloUnderTls,
            N::Auth,
        ],
    );
    let clear = play(&with_password(Start::Clear), &["220 x\r\n", EHLO_TLS]);
    assert!(!clear.sent.concat().contains("AUTH"));
    assert_eq!(clear.said.auth, None);
}

#[test]
fn the_answer_to_auth_is_kept() {
    let play = play(
        &with_password(Start::Implicit),
        &["220 x\r\n", EHLO_TLS, "535 5.7.8 no such user\r\n"],
    );
    assert_eq!(play.said.auth.as_deref(), Some("535 5.7.8 no such user"));
    ends(&play, N::Auth, refused("535 5.7.8 no such user"));
}

#[test]
fn auth_must_be_offered() {
    for (offer, is) in [
        ("250 AUTH PLAIN\r\n", true),
        ("250 auth cram-md5 plain\r\n", true),
        ("250 AUTH=PLAIN LOGIN\r\n", true),
        ("250 AUTH LOGIN\r\n", false),
        ("250 AUTHPLAIN\r\n", false),
        ("250 XAUTH PLAIN\r\n", false),
        ("250 HELP\r\n", false),
    ] {
        let ehlo = format!("250-mx\r\n{offer}");
        let answers = ["220 x\r\n", &ehlo, "235 ok\r\n"];
        let target = with_password(Start::Implicit);
        if is {
            assert_eq!(
                play(&target, &answers).said.auth.as_deref(),
                Some("235 ok"),
                "{offer}"
            );
        } else {
            let play = play(&target, &answers[..2]);
            ends(
                &play,
                N::Auth,
                refused("AUTH PLAIN is not offered under TLS"),
            );
            assert!(!play.sent.concat().contains("AUTH"), "{offer}");
        }
    }
}

#[test]
fn a_server_that_says_no() {
    let table: [(&[&str], StageName, &str); 8] = [
        (&["421 4.3.2 too busy\r\n"], N::Banner, "421 4.3.2 too busy"),
        (&["554 5.7.1 go away\r\n"], N::Banner, "554 5.7.1 go away"),
        (
            &["SSH-2.0-x\r\n"],
            N::Banner,
            "not an SMTP reply: \"SSH-2.0-x\"",
        ),
        (&["220 x\r\n", "502 what?\r\n"], N::Ehlo, "502 what?"),
        (
            &["220 x\r\n", EHLO, "421 4.7.0 enough\r\n"],
            N::MailBeforeTls,
            "421 4.7.0 enough",
        ),
        (
            &["220 x\r\n", "250 mx\r\n", "250 ok\r\n", "250 ok\r\n"],
            N::StartTls,
            "STARTTLS is not offered",
        ),
        (
            &[
                "220 x\r\n",
                EHLO,
                "530 tls\r\n",
                "454 4.7.0 TLS not available due to local problem\r\n",
            ],
            N::StartTls,
            "454 4.7.0 TLS not available due to local problem",
        ),
        (
            &["220 x\r\n", EHLO, "530 tls\r\n", "220 go\r\n", "502 no\r\n"],
            N::EhloUnderTls,
            "502 no",
        ),
    ];
    for (answers, name, words) in table {
        ends(
            &play(&asking(Start::StartTls), answers),
            name,
            refused(words),
        );
    }
}

#[test]
fn words_slipped_in_before_tls_are_noticed_and_forgotten() {
    let slipped = [
        ("250-mx\r\n250 AUTH PLAIN\r\n", "250-mx??250 AUTH PLAIN"),
        ("2", "2"),
        ("\r\n", "an empty line"),
        ("\0", "?"),
    ];
    for (more, told) in slipped {
        let answer = format!("220 go\r\n{more}");
        let answers = ["220 x\r\n", EHLO, &answer, "250-mx\r\n250 DSN\r\n"];
        let play = play(&target(Start::StartTls), &answers);
        assert!(
            play.stages.iter().all(|ended| ended.outcome == Done),
            "{more:?}"
        );
        assert_eq!(play.said.after_starttls.as_deref(), Some(told));
        assert_eq!(play.said.ehlo_after, ["DSN"]);
    }
}

#[test]
fn a_name_that_would_be_two_commands_is_not_said() {
    for name in ["", "a b", "a\r\nMAIL FROM:<>", "a\0", "bücher.example"] {
        let target = Target {
            ehlo_name: name.to_owned(),
            ..target(Start::Clear)
        };
        let play = play(&target, &["220 x\r\n"]);
        assert_eq!(play.sent, [""; 0], "{name:?}");
        assert!(matches!(
            &play.stages[1],
            Ended {
                name: N::Ehlo,
                outcome: Unknown(_)
            }
        ));
    }
}

#[test]
fn after_a_failure_nothing_is_said_any_more() {
    let target = target(Start::StartTls);
    let mut dialogue = Dialogue::new(&target);
    dialogue.receive(b"220 x\r\n");
    dialogue.fail(Unknown("the connection was reset".to_owned()));
    assert_eq!(dialogue.turn(), Next::Done);
    dialogue.receive(b"250 mx\r\n");
    dialogue.fail(Unknown("again".to_owned()));
    assert_eq!(dialogue.turn(), Next::Done);
    assert_eq!(dialogue.stages().len(), 2);
}

#[test]
fn a_flood_ends_the_dialogue_and_is_not_kept() {
    let target = target(Start::Clear);
    let mut dialogue = Dialogue::new(&target);
    dialogue.receive(b"220 x\r\n");
    let mut length = 0;
    while dialogue.turn() != Next::Done {
        dialogue.receive(&b"250-KEYWORD\r\n".repeat(1000));
        length += 13_000;
        assert!(length < 100_000, "the flood was swallowed");
    }
    assert!(matches!(&dialogue.stages()[1].outcome, Refused(_)));
    assert_eq!(dialogue.into_said().ehlo_before, [""; 0]);
}

#[test]
fn lmtp_is_greeted_by_its_own_word_before_and_under_tls() {
    let target = Target {
        greeting: Greeting::Lhlo,
        ..target(Start::StartTls)
    };
    let answers = [
        "220 x\r\n",
        "250-x\r\n250 STARTTLS\r\n",
        "220 go\r\n",
        "250 x\r\n",
    ];
    let seen = play(&target, &answers);
    let hello = "LHLO probe.example\r\n";
    assert_eq!(seen.sent, [hello, "STARTTLS\r\n", "(handshake)", hello]);
}

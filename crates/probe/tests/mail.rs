//! Messages from our client to our sink, and both against scripts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test support: a panic is the message"
)]

mod common;

use common::{PATIENT, certificate, target};
use mailtls::TlsVersion;
use openssl::ssl::{SslContext, SslMethod, SslVerifyMode};
use postseal_planner::report::{StageName, StageOutcome};
use postseal_probe::sink::{SinkCertificate, SinkError};
use postseal_probe::{
    Credentials, Envelope, Keep, SendError, Session, Sink, SinkOptions, SinkTls, Start, relay_test,
    send,
};
use postseal_testkit::smtp_script::SmtpScript;
use std::net::TcpStream;
use std::thread;

fn envelope() -> Envelope {
    Envelope {
        mail_from: "ada@example.com".to_owned(),
        rcpt_to: vec!["bob@example.net".to_owned(), "eve@example.net".to_owned()],
    }
}

fn sink(tls: SinkTls) -> Sink {
    Sink::start(SinkOptions::new(tls)).unwrap()
}

fn with_certificate() -> SinkCertificate {
    let issued = certificate("sink.example");
    SinkCertificate::new(issued.cert_pem, issued.key_pem.as_bytes())
}

const MESSAGE: &[u8] = b"Subject: dots\r\n\r\n.\r\n..\r\nend without a line end";

#[test]
fn a_message_arrives_as_it_was_in_clear_and_under_tls() {
    for (tls, start) in [
        (SinkTls::None, Start::Clear),
        (SinkTls::StartTls(with_certificate()), Start::StartTls),
        (SinkTls::Implicit(with_certificate()), Start::Implicit),
    ] {
        let sink = sink(tls);
        let target = target(sink.address(), start);
        let accepted = send(&target, &envelope(), MESSAGE, PATIENT).unwrap();
        assert_eq!(accepted.reply, "250 2.0.0 Ok: on record");
        assert_eq!(sink.wait_for(1, PATIENT), 1);
        let seen = sink.delivered().remove(0);
        assert_eq!(seen.helo, "probe.example");
        assert_eq!(seen.mail_from, "ada@example.com");
        assert_eq!(seen.rcpt_to, ["bob@example.net", "eve@example.net"]);
        assert_eq!(seen.data, [MESSAGE, b"\r\n"].concat());
        let version = seen.tls.map(|tls| tls.version);
        assert_eq!(
            version,
            (start != Start::Clear).then_some(TlsVersion::Tls1_3)
        );
    }
}

#[test]
fn many_messages_in_one_session() {
    let sink = sink(SinkTls::StartTls(with_certificate()));
    let mut session = Session::open(&target(sink.address(), Start::StartTls), PATIENT).unwrap();
    assert!(session.handshake().is_some());
    for number in 0..50 {
        session
            .send(&envelope(), format!("Subject: {number}\n\n").as_bytes())
            .unwrap();
    }
    session.quit();
    let delivered = sink.delivered();
    assert_eq!(delivered.len(), 50);
    assert_eq!(delivered[49].data, b"Subject: 49\r\n\r\n");
}

#[test]
fn what_the_server_refuses_is_an_error_and_the_session_lives() {
    let sink = sink(SinkTls::None);
    let mut session = Session::open(&target(sink.address(), Start::Clear), PATIENT).unwrap();
    let nobody = Envelope {
        rcpt_to: Vec::new(),
        ..envelope()
    };
    let refused = session.send(&nobody, MESSAGE).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "DATA was answered 503 5.5.1 RCPT first"
    );
    let bad = Envelope {
        mail_from: "a@b>\r\nRSET".to_owned(),
        ..envelope()
    };
    assert!(matches!(
        session.send(&bad, MESSAGE),
        Err(SendError::Address(_))
    ));
    session.send(&envelope(), MESSAGE).unwrap();
    assert_eq!(sink.delivered().len(), 1);
}

#[test]
fn accepted_is_only_what_was_answered_250() {
    let ready = || {
        SmtpScript::new()
            .say("220 x\r\n")
            .hear("EHLO")
            .say("250 x\r\n")
            .hear("MAIL FROM:<ada@example.com>")
            .say("250 ok\r\n")
            .hear("RCPT TO:<bob@example.net>")
            .say("250 ok\r\n")
            .hear("RCPT TO:<eve@example.net>")
            .say("250 ok\r\n")
            .hear("DATA")
    };
    let lost = ready().say("354 go\r\n").hear("Subject");
    let full = ready()
        .say("354 go\r\n")
        .swallow(4096)
        .say("452 full\r\n")
        .hear("RSET")
        .say("250 ok\r\n");
    for (script, words) in [
        (lost, "the final dot: "),
        (full, "the final dot was answered 452 full"),
    ] {
        let server = script.serve();
        let error = send(
            &target(server.address(), Start::Clear),
            &envelope(),
            MESSAGE,
            PATIENT,
        );
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with(words), "{error}");
    }
}

#[test]
fn a_stranger_is_asked_for_and_no_message_is_sent() {
    let script = SmtpScript::new()
        .say("220 x\r\n")
        .hear("EHLO")
        .say("250 SIZE 1\r\n")
        .hear("MAIL FROM:<ada@example.com>")
        .say("250 ok\r\n")
        .hear("RCPT TO:<stranger@example.invalid>")
        .say("554 5.7.1 Relay access denied\r\n")
        .hear("QUIT")
        .say("221 bye\r\n");
    let server = script.serve();
    let target = target(server.address(), Start::Clear);
    let answer = relay_test(
        &target,
        "ada@example.com",
        "stranger@example.invalid",
        PATIENT,
    );
    assert_eq!(answer.unwrap(), "554 5.7.1 Relay access denied");
    assert!(server.finish()[0].is_ok());
}

#[test]
fn a_session_that_does_not_come_about_says_where() {
    let refused = sink(SinkTls::None);
    let error = Session::open(&target(refused.address(), Start::StartTls), PATIENT).unwrap_err();
    let outcome = StageOutcome::Refused("STARTTLS is not offered".to_owned());
    assert_eq!(
        error,
        SendError::Stage {
            stage: StageName::StartTls,
            outcome
        }
    );
    let mut clear = target(refused.address(), Start::Clear);
    clear.credentials = Some(Credentials {
        user: "a".into(),
        password: "b".to_owned().into(),
    });
    assert_eq!(
        Session::open(&clear, PATIENT).unwrap_err(),
        SendError::AuthInClear
    );
}

#[test]
fn a_sink_listens_on_loopback_only() {
    let options = SinkOptions {
        address: ([0, 0, 0, 0], 0).into(),
        ..SinkOptions::new(SinkTls::None)
    };
    assert!(matches!(
        Sink::start(options),
        Err(SinkError::NotLoopback(_))
    ));
    let foreign = SinkCertificate {
        key_pem: SinkCertificate::new("", certificate("other.example").key_pem.as_bytes()).key_pem,
        ..with_certificate()
    };
    let options = SinkOptions::new(SinkTls::StartTls(foreign));
    assert!(matches!(
        Sink::start(options),
        Err(SinkError::Certificate(_))
    ));
}

#[test]
fn a_sink_ends_with_its_sessions() {
    let sink = sink(SinkTls::None);
    let address = sink.address();
    let open = Session::open(&target(address, Start::Clear), PATIENT).unwrap();
    drop(sink);
    assert!(TcpStream::connect(address).is_err());
    drop(open);
}

#[test]
fn a_sink_knows_sessions_without_a_message() {
    let one = sink(SinkTls::StartTls(with_certificate()));
    Session::open(&target(one.address(), Start::StartTls), PATIENT)
        .unwrap()
        .quit();
    let mut strict = SslContext::builder(SslMethod::tls_client()).unwrap();
    strict.set_verify(SslVerifyMode::PEER);
    let script = SmtpScript::new()
        .hear("220")
        .say("STARTTLS\r\n")
        .hear("220");
    assert!(
        script
            .connect_tls(&strict.build())
            .run(one.address())
            .is_err()
    );
    let sessions = loop {
        let sessions = one.sessions();
        if sessions.len() == 2 {
            break sessions;
        }
        thread::yield_now();
    };
    assert!(sessions[0].tls.is_some() && sessions[0].tls_error.is_none());
    assert_eq!(sessions[0].messages, 0);
    assert!(sessions[1].tls.is_none());
    assert_eq!(
        sessions[1].tls_error.as_deref(),
        Some("TLS alert: tlsv1 alert unknown ca")
    );
}

/// Says `lines` to a sink, after the greeting, and expects `answers`.
fn dialogue(sink: &Sink, lines: &[(&str, &str)]) {
    let script = SmtpScript::new().hear("220 sink.invalid ESMTP");
    let script = lines.iter().fold(script, |script, (line, answer)| {
        script.say(format!("{line}\r\n")).hear(answer)
    });
    script.run(sink.address()).unwrap();
}

#[test]
fn a_sink_keeps_the_order_of_commands() {
    let sink = sink(SinkTls::None);
    dialogue(
        &sink,
        &[
            ("HELO c", "250 sink.invalid"),
            ("STARTTLS", "502"),
            ("RCPT TO:<a@b>", "503"),
            ("DATA", "503"),
            ("MAIL FROM:a@b", "501"),
            ("MAIL FROM:", "501"),
            ("MAIL", "501"),
            ("mail from:<> SIZE=3", "250"),
            ("MAIL FROM:<>", "503"),
            ("DATA", "503"),
            ("MAIL FROM:<>", "250"),
            ("RCPT TO:<ä@b>", "250"),
            ("NOOP", "250"),
            ("VRFY a", "502"),
            ("DATA", "354"),
            ("Subject: x\r\n\r\n..\r\n.", "250"),
            ("QUIT", "221"),
        ],
    );
    let seen = sink.delivered().remove(0);
    assert_eq!(
        (seen.mail_from.as_str(), seen.data.as_slice()),
        ("", &b"Subject: x\r\n\r\n.\r\n"[..])
    );
}

#[test]
fn a_sink_is_bounded() {
    let sink = sink(SinkTls::None);
    let big = "x".repeat(1000).add_line().repeat(1100);
    let huge = "x".repeat(2 << 20);
    for message in [big, huge] {
        dialogue(
            &sink,
            &[
                ("HELO c", "250"),
                ("MAIL FROM:<>", "250"),
                ("RCPT TO:<a@b>", "250"),
                ("DATA", "354"),
                (&format!("{message}\r\n."), "552"),
                ("NOOP", "250"),
            ],
        );
    }
    dialogue(&sink, &[(&"x".repeat(5000), "500 5.5.6")]);
    assert!(sink.delivered().is_empty());
}

trait AddLine {
    fn add_line(self) -> String;
}

impl AddLine for String {
    fn add_line(self) -> String {
        self + "\r\n"
    }
}

#[test]
fn a_sink_can_keep_headers_only() {
    let options = SinkOptions {
        keep: Keep::Header,
        ..SinkOptions::new(SinkTls::None)
    };
    let sink = Sink::start(options).unwrap();
    let message = b"Subject: a\r\nMessage-ID: <1@x>\r\n\r\nbody\r\n\r\nmore\r\n";
    send(
        &target(sink.address(), Start::Clear),
        &envelope(),
        message,
        PATIENT,
    )
    .unwrap();
    assert_eq!(
        sink.delivered()[0].data,
        b"Subject: a\r\nMessage-ID: <1@x>\r\n"
    );
}

#[test]
fn words_before_tls_are_forgotten_by_a_sink() {
    let sink = sink(SinkTls::StartTls(with_certificate()));
    let mut client = SslContext::builder(SslMethod::tls_client()).unwrap();
    client.set_verify(SslVerifyMode::NONE);
    let script = SmtpScript::new()
        .hear("220")
        .say("STARTTLS\r\nMAIL FROM:<injected@x>\r\n")
        .hear("220 2.0.0")
        .connect_tls(&client.build())
        .say("RCPT TO:<a@b>\r\n")
        .hear("503 5.5.1 MAIL first");
    script.run(sink.address()).unwrap();
}

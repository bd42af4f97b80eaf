//! Lines of every version, near misses of them, and the real logs beside the project.

use super::*;
use crate::records;
use proptest::prelude::*;

fn with_event(tag: &str, text: &str, check: impl FnOnce(Event<'_>)) {
    let line = format!("Nov 21 03:15:49 mx {tag}[77]: {text}");
    check(Event::of(&Record::parse(1, line.as_bytes()).unwrap()));
}

fn tls(text: &str, check: impl FnOnce(TlsSession<'_>)) {
    with_event("postfix/smtp", text, |event| match event {
        Event::Tls(session) => check(session),
        other => panic!("{text}: {other:?}"),
    });
}

#[test]
fn tls_sessions_of_every_version_are_read() {
    tls(
        "Verified TLS connection established to mx.example.com[192.0.2.1]:25: TLSv1.3 with cipher \
         TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature ECDSA \
         (prime256v1) server-digest SHA256",
        |session| {
            assert_eq!(session.trust, TrustWord::Verified);
            assert_eq!(session.direction, Direction::Outbound);
            assert!(!session.is_reused);
            let peer = Peer {
                host: "mx.example.com",
                address: "192.0.2.1",
                port: Some(25),
            };
            assert_eq!(session.peer, peer);
            assert_eq!((session.protocol, session.bits), ("TLSv1.3", 256));
            assert_eq!(session.cipher, "TLS_AES_256_GCM_SHA384");
            assert_eq!(session.key_exchange, Some("X25519"));
            assert_eq!(session.sni, None);
        },
    );
    tls(
        "Anonymous TLS connection established from unknown[2001:db8::1] to mx.example.com: TLSv1.2 \
         with cipher ECDHE-RSA-AES128-GCM-SHA256 (128/128 bits)",
        |session| {
            assert_eq!(session.trust, TrustWord::Anonymous);
            assert_eq!(session.direction, Direction::Inbound);
            assert_eq!(session.peer.address, "2001:db8::1");
            assert_eq!(session.peer.port, None);
            assert_eq!(session.sni, Some("mx.example.com"));
            assert_eq!(session.key_exchange, None);
        },
    );
    tls(
        "Untrusted TLS connection reused to [192.0.2.1]:2525: TLSv1 with cipher ADH-AES256-SHA \
         (256/256 bits)",
        |session| {
            assert!(session.is_reused);
            assert_eq!((session.peer.host, session.protocol), ("", "TLSv1"));
        },
    );
}

#[test]
fn deliveries_are_read_whatever_the_address_holds() {
    let text = r#"4D49F9A8503: to=<"a>, relay=evil, status=sent"@example.com>, orig_to=<"b\">, dsn=9"@x>, relay=mx.example.com[192.0.2.1]:25, conn_use=2, delay=0.1, delays=0/0/0/0.1, tls=!encrypt, dsn=4.7.4, status=deferred (TLS is required, but was not offered by host mx.example.com[192.0.2.1])"#;
    with_event("postfix/smtp", text, |event| {
        let Event::Delivery(delivery) = event else {
            panic!("{event:?}")
        };
        assert_eq!(delivery.queue_id, "4D49F9A8503");
        assert_eq!(delivery.to, r#""a>, relay=evil, status=sent"@example.com"#);
        assert_eq!(delivery.relay, "mx.example.com[192.0.2.1]:25");
        assert_eq!(delivery.conn_use, Some(2));
        assert_eq!(delivery.tls, Some("!encrypt"));
        assert_eq!((delivery.dsn, delivery.status), ("4.7.4", "deferred"));
        assert!(delivery.reason.starts_with("TLS is required, but"));
        assert!(delivery.reason.ends_with("[192.0.2.1]"));
        assert_eq!(delivery.relay_peer().unwrap().port, Some(25));
    });
    let text = "4D49F9A8503: to=<a@b>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (x)";
    with_event("postfix/smtp", text, |event| {
        let Event::Delivery(delivery) = event else {
            panic!("{event:?}")
        };
        assert_eq!(delivery.relay_peer(), None);
    });
}

#[test]
fn the_other_lines_that_matter_are_read() {
    let peer = Peer {
        host: "unknown",
        address: "127.0.0.1",
        port: None,
    };
    let with_port = Peer {
        port: Some(25),
        ..peer
    };
    let disconnected = |starttls| Event::Disconnected { peer, starttls };
    let failed = |direction, peer, reason| Event::HandshakeFailed {
        direction,
        peer,
        reason,
    };
    for (tag, text, event) in [
        (
            "smtpd",
            "connect from unknown[127.0.0.1]",
            Event::Connected(peer),
        ),
        (
            "smtpd",
            "disconnect from unknown[127.0.0.1]",
            disconnected(None),
        ),
        (
            "smtpd",
            "disconnect from unknown[127.0.0.1] ehlo=2 starttls=1 quit=1 commands=4",
            disconnected(Some(Attempts {
                succeeded: 1,
                tried: 1,
            })),
        ),
        (
            "smtpd",
            "disconnect from unknown[127.0.0.1] ehlo=1 starttls=0/1 commands=1/2",
            disconnected(Some(Attempts {
                succeeded: 0,
                tried: 1,
            })),
        ),
        (
            "smtpd",
            "SSL_accept error from unknown[127.0.0.1]: -1",
            failed(Direction::Inbound, peer, "-1"),
        ),
        (
            "smtp",
            "SSL_connect error to unknown[127.0.0.1]:25: lost connection",
            failed(Direction::Outbound, with_port, "lost connection"),
        ),
        (
            "smtp",
            "server certificate verification failed for unknown[127.0.0.1]:25: num=62:hostname mismatch",
            Event::Unverified {
                peer: with_port,
                reason: "num=62:hostname mismatch",
            },
        ),
        (
            "smtp",
            "certificate verification failed for unknown[127.0.0.1]:25: untrusted issuer /CN=x: y",
            Event::Unverified {
                peer: with_port,
                reason: "untrusted issuer /CN=x: y",
            },
        ),
        (
            "smtp",
            "Host offered STARTTLS: [mx.example.com]",
            Event::StartTlsOffered {
                host: "mx.example.com",
            },
        ),
        (
            "smtpd",
            "4D49F9A8503: client=unknown[127.0.0.1], sasl_method=PLAIN, sasl_username=a",
            Event::Received {
                queue_id: "4D49F9A8503",
                client: peer,
            },
        ),
        (
            "qmgr",
            "4D49F9A8503: removed",
            Event::Removed {
                queue_id: "4D49F9A8503",
            },
        ),
        (
            "master",
            "daemon started -- version 3.7.11, configuration /etc/postfix",
            Event::Started,
        ),
        (
            "master",
            "reload -- version 3.7.11, configuration /etc/postfix",
            Event::Reloaded,
        ),
        ("master", "terminating on signal 15", Event::Stopped),
        ("smtpd", "terminating on signal 15", Event::Other),
        (
            "master",
            "warning: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling",
            Event::Throttled {
                command: "/usr/lib/postfix/sbin/smtpd",
            },
        ),
        (
            "smtpd",
            "fatal: Invalid TLS level \"maybe\"",
            Event::Complaint {
                severity: Severity::Fatal,
                message: b"Invalid TLS level \"maybe\"",
            },
        ),
        ("smtpd", "anything else", Event::Other),
        (
            "smtpd",
            "Anonymous TLS connection established ...: TLSv1.3",
            Event::Other,
        ),
    ] {
        with_event(&format!("postfix/{tag}"), text, |found| {
            assert_eq!(found, event, "{text}");
        });
    }
}

#[test]
fn every_session_and_delivery_of_the_samples_is_read() {
    for (name, log) in crate::samples::logs() {
        let (mut sessions, mut deliveries) = (0, 0);
        for record in records(&log) {
            let text = String::from_utf8_lossy(record.text);
            let event = Event::of(&record);
            if text.contains(" TLS connection established")
                || text.contains(" TLS connection reused")
            {
                assert!(matches!(event, Event::Tls(_)), "{name}: {text}");
                sessions += 1;
            }
            if text.contains(": to=<") && text.contains(" status=") {
                assert!(matches!(event, Event::Delivery(_)), "{name}: {text}");
                deliveries += 1;
            }
        }
        assert!(
            sessions > 20 && deliveries > 20,
            "{name}: {sessions} {deliveries}"
        );
    }
}

#[test]
fn the_corpus_is_read_without_loss() {
    for (name, log) in crate::samples::corpus() {
        for record in records(&log) {
            let text = String::from_utf8_lossy(record.text);
            let is_session = text.contains(" TLS connection established ")
                && text.contains(" with cipher ")
                && text.contains(" bits)")
                && !record.tag.is_empty();
            if is_session {
                let event = Event::of(&record);
                assert!(matches!(event, Event::Tls(_)), "{name}: {text}");
            }
        }
    }
}

proptest! {
    #[test]
    fn never_panics(text in prop::collection::vec(any::<u8>(), 0..120)) {
        let line = [b"Nov 21 03:15:49 mx postfix/smtp[1]: ", text.as_slice()].concat();
        if let Some(record) = Record::parse(1, &line) {
            let _ = Event::of(&record);
        }
    }

    #[test]
    fn never_panics_on_near_misses(
        start in "(Trusted TLS connection established to |4D49F9A8503: to=<|disconnect from |SSL_accept error from |4D49F9A8503: client=)",
        rest in "[a\\[\\]<>\",:= ().0-9]{0,40}( with cipher [A ()/0-9]{0,12}| status=[a-z ()]{0,9})?",
    ) {
        let line = format!("Nov 21 03:15:49 mx postfix/smtp[1]: {start}{rest}");
        let _ = Event::of(&Record::parse(1, line.as_bytes()).unwrap());
    }
}

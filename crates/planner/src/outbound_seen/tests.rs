//! Deliveries in pieces of log.

use super::{OutboundSeen, outbound_seen};
use crate::view::tests::facts;

const LOGGED: &str = "smtp_tls_loglevel = 1\n";

fn line(pid: u32, text: &str) -> String {
    format!("Nov 21 03:15:49 mx postfix/smtp[{pid}]: {text}\n")
}

fn session(pid: u32, trust: &str) -> String {
    let text = format!(
        "{trust} TLS connection established to mx.peer.test[127.0.0.1]:25: TLSv1.3 with cipher \
         TLS_AES_256_GCM_SHA384 (256/256 bits)"
    );
    line(pid, &text)
}

fn delivery(pid: u32, status: &str) -> String {
    let text = format!(
        "DC2F69F41{pid:02X}: to=<a@peer.test>, relay=mx.peer.test[127.0.0.1]:25, delay=0.1, \
         delays=0/0/0/0.1, dsn=2.0.0, status={status} (250 ok)"
    );
    line(pid, &text)
}

fn seen(main: &str, log: &str) -> OutboundSeen {
    outbound_seen(&facts(main, ""), log.as_bytes())
}

#[test]
fn deliveries_count_by_what_was_authenticated() {
    let mut log = String::new();
    for (pid, trust) in ["Verified", "Trusted", "Untrusted", "Anonymous", "Untrusted"]
        .into_iter()
        .enumerate()
    {
        let pid = u32::try_from(pid).unwrap() + 1;
        log += &session(pid, trust);
        log += &delivery(pid, "sent");
    }
    log += &delivery(9, "sent");
    log += &delivery(10, "deferred");
    let wanted = OutboundSeen {
        verified: 1,
        trusted: 1,
        untrusted: 2,
        anonymous: 1,
        none: 1,
        ..OutboundSeen::default()
    };
    assert_eq!(seen(LOGGED, &log), wanted);
    assert_eq!(wanted.all(), 6);
    // What is not logged says nothing.
    let quiet = seen("smtp_tls_loglevel = 0\n", &delivery(9, "sent"));
    assert_eq!((quiet.none, quiet.untold, quiet.told()), (0, 1, 0));
}

#[test]
fn only_what_came_after_the_last_reload_of_this_instance_counts() {
    let reload =
        "Nov 21 03:15:50 mx postfix/master[1]: reload -- version 3.7.11, configuration /c\n";
    let log = format!("{}{reload}{}", delivery(1, "sent"), delivery(2, "sent"));
    let found = seen(LOGGED, &log);
    assert_eq!((found.none, found.since_reload), (1, true));
    let other = log.replace("postfix/", "postfix-out/");
    assert_eq!(seen(LOGGED, &other), OutboundSeen::default());
    let out = format!("{LOGGED}syslog_name = postfix-out\n");
    assert_eq!(seen(&out, &other), found);
    assert_eq!(seen(LOGGED, "\0\u{fffd}\n: :\n"), OutboundSeen::default());
}

#[test]
fn a_client_with_another_name_in_the_log_counts_by_its_messages() {
    let relay = delivery(1, "sent").replace("postfix/smtp", "postfix/relay/smtp");
    let queued = |name: &str| {
        format!(
            "Nov 21 03:15:48 mx {name}/qmgr[5]: DC2F69F4101: from=<>, size=1, nrcpt=1 (queue active)\n"
        )
    };
    let out = format!("{LOGGED}syslog_name = postfix-out\n");
    assert_eq!(seen(&out, &(queued("postfix-out") + &relay)).none, 1);
    assert_eq!(seen(&out, &(queued("postfix") + &relay)).none, 0);
}

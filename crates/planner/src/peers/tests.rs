//! Counting a log: versions for sure, suites perhaps, each by the program that it came to.

use super::terms::group;
use super::{Counts, Expanded, Peers, Tally};
use crate::facts::Facts;
use crate::view::tests::facts;
use crate::{Intent, Plan, Request, plan};

const MASTER: &str = "25 inet n - n - - smtpd\n\
                      587 inet n - n - - smtpd\n  -o smtpd_tls_security_level=encrypt\n  \
                      -o syslog_name=postfix/submission\n  -o smtpd_sasl_auth_enable=yes\n\
                      smtp unix - - n - - smtp\n\
                      slow unix - - n - - smtp\n  -o smtp_tls_security_level=encrypt\n  \
                      -o syslog_name=postfix/$service_name\n";
const MAIN: &str = "smtpd_tls_security_level = may\nsmtp_tls_security_level = may\n\
                    smtpd_tls_protocols = >=TLSv1.2\nsmtp_tls_protocols = >=TLSv1.2\n\
                    smtpd_tls_mandatory_protocols = >=TLSv1.3\n\
                    smtp_tls_mandatory_protocols = >=TLSv1.3\n";

/// The plan of nothing to do.
fn settled(facts: &Facts) -> Plan {
    let intent = Intent::default();
    let written = crate::owned::of(facts);
    let adopted = Intent {
        adopted: written.clone(),
        ..intent
    };
    let request = Request {
        intent: &adopted,
        in_force: &adopted,
        parent: None,
        written: &written,
    };
    plan(&request, facts, 0).expect("a plan of nothing")
}

fn counts(main: &str, log: &[&[u8]]) -> Counts {
    let facts = facts(main, MASTER);
    let peers = Peers::of(&settled(&facts), &facts);
    let suites = ["ECDHE-RSA-AES128-GCM-SHA256".to_owned()];
    let expanded: Expanded = peers
        .lists()
        .into_iter()
        .map(|list| (list, suites.to_vec()))
        .collect();
    let mut tally = Tally::new(&peers, &expanded);
    log.iter().for_each(|line| tally.line(line));
    tally.counts()
}

fn line(tag: &str, way: &str, peer: &str, version: &str, cipher: &str) -> String {
    format!(
        "Nov 22 03:15:49 mx postfix/{tag}[7]: Anonymous TLS connection established {way} {peer}: \
         {version} with cipher {cipher} (256/256 bits)"
    )
}

fn told(lines: &[String]) -> Counts {
    let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    counts(MAIN, &lines)
}

const GOOD: &str = "ECDHE-RSA-AES128-GCM-SHA256";

#[test]
fn a_version_that_goes_is_left_out_and_a_suite_that_goes_may_be() {
    let old = |peer: &str| line("smtpd", "from", peer, "TLSv1.1", "ECDHE-RSA-AES256-SHA");
    let counts = told(&[
        old("a.test[192.0.2.1]"),
        old("b.test[192.0.2.2]"),
        old("b.test[192.0.2.2]"),
        line(
            "smtpd",
            "from",
            "c.test[192.0.2.3]",
            "TLSv1.2",
            "AES128-SHA",
        ),
        line("smtpd", "from", "d.test[192.0.2.4]", "TLSv1.2", GOOD),
        line(
            "smtpd",
            "from",
            "d.test[192.0.2.4]",
            "TLSv1.3",
            "TLS_AES_256_GCM_SHA384",
        ),
        line("smtp", "to", "e.test[192.0.2.5]:25", "TLSv1", "AES128-SHA"),
        "Nov 22 03:15:49 mx postfix/smtpd[7]: connect from a.test[192.0.2.1]".to_owned(),
        "not a line of a log".to_owned(),
    ]);
    assert_eq!(counts.lines, 9);
    let inbound = &counts.inbound;
    assert_eq!((inbound.sessions, inbound.unplaced), (6, 0));
    assert_eq!((inbound.excluded.sessions, inbound.excluded.peers), (3, 2));
    assert_eq!(inbound.excluded.by[0].name, "TLSv1.1");
    let first = &inbound.excluded.top[0];
    assert_eq!(
        (first.name.as_str(), first.sessions),
        ("b.test[192.0.2.2]", 2)
    );
    assert_eq!((inbound.doubtful.sessions, inbound.doubtful.peers), (1, 1));
    assert_eq!(inbound.doubtful.by[0].name, "AES128-SHA");
    let outbound = &counts.outbound;
    assert_eq!((outbound.sessions, outbound.excluded.sessions), (1, 1));
    assert_eq!(outbound.doubtful.sessions, 0);
}

#[test]
fn where_postfix_makes_no_list_every_session_is_left_out() {
    for refused in [
        "smtpd_tls_exclude_ciphers = -RC4",
        "smtpd_tls_exclude_ciphers = !RC4",
        "smtpd_tls_ciphers = best",
    ] {
        let main = format!("{MAIN}{refused}\n");
        let newest = line("smtpd", "from", "a.test[192.0.2.1]", "TLSv1.3", "any");
        let counts = counts(&main, &[newest.as_bytes()]);
        assert_eq!(counts.inbound.excluded.sessions, 1, "{refused}");
    }
}

#[test]
fn each_program_is_counted_by_what_it_asks_for() {
    let one = |tag: &str, way: &str| {
        let line = line(tag, way, "a.test[192.0.2.1]", "TLSv1.2", GOOD);
        let counts = told(&[line]);
        counts.inbound.excluded.sessions + counts.outbound.excluded.sessions
    };
    assert_eq!(one("smtpd", "from"), 0);
    assert_eq!(one("submission/smtpd", "from"), 1);
    assert_eq!(one("smtp", "to"), 0);
    assert_eq!(one("slow/smtp", "to"), 1);
    // Of a service that was called otherwise then: as the usual one.
    assert_eq!(one("other/smtpd", "from"), 0);
}

#[test]
fn programs_without_tls_and_strangers_are_not_placed() {
    let log = [
        line("smtp", "to", "a.test[192.0.2.1]:25", "TLSv1", "AES128-SHA"),
        line("lmtp", "to", "a.test[192.0.2.1]:24", "TLSv1", "AES128-SHA"),
    ];
    let lines: Vec<&[u8]> = log.iter().map(String::as_bytes).collect();
    let outbound = counts("smtp_tls_security_level = none\n", &lines).outbound;
    assert_eq!((outbound.sessions, outbound.unplaced), (2, 2));
    assert_eq!(outbound.excluded.sessions, 0);
    let outbound = counts(MAIN, &lines).outbound;
    assert_eq!((outbound.unplaced, outbound.excluded.sessions), (1, 1));
}

#[test]
fn a_reused_connection_is_no_session_of_its_own() {
    let first = line("smtp", "to", "a.test[192.0.2.1]:25", "TLSv1", "AES128-SHA");
    let again = first.replace("established", "reused");
    let counts = told(&[first, again]);
    assert_eq!(counts.outbound.sessions, 1);
}

#[test]
fn a_hostile_log_costs_no_more_than_its_bound() {
    let mut log: Vec<Vec<u8>> = (0..20_000)
        .map(|n| {
            let peer = format!("x{n}.test[192.0.2.1]");
            line("smtpd", "from", &peer, "TLSv1", &format!("C{n}")).into_bytes()
        })
        .collect();
    let long = "\u{fc}".repeat(5000);
    log.push(line("smtpd", "from", &format!("{long}[1]"), "TLSv1", "x").into_bytes());
    log.push(b"\xff\xfe TLS connection established from".to_vec());
    log.push(line("smtpd", "from", "a[1]", "SSLv9 \x1b", "x").into_bytes());
    let lines: Vec<&[u8]> = log.iter().map(Vec::as_slice).collect();
    let inbound = counts(MAIN, &lines).inbound;
    assert_eq!(inbound.excluded.sessions, 20_001);
    assert_eq!(inbound.excluded.peers, 10_000);
    assert_eq!(inbound.excluded.uncounted, 10_001);
    assert!(inbound.excluded.top.len() <= 5 && inbound.excluded.by.len() <= 5);
    assert!(inbound.excluded.top.iter().all(|one| one.name.len() <= 320));
}

#[test]
fn curves_have_one_name_each() {
    assert_eq!(group("P-256"), group("prime256v1"));
    assert_eq!(group("secp256r1"), group("prime256v1"));
    assert_eq!(group("X25519"), group("x25519"));
    assert_ne!(group("P-384"), group("P-521"));
}

#[test]
fn groups_in_openssls_own_words_are_not_guessed() {
    use super::terms::places;
    let groups = |value: &str| {
        let main = format!("{MAIN}tls_eecdh_auto_curves = {value}\n");
        let facts = facts(&main, MASTER);
        let files = crate::view::Files::of(&facts);
        let view = files.view(&facts);
        places(&view)[0].terms.groups.clone()
    };
    assert_eq!(
        groups("X25519 P-256"),
        Some(vec!["x25519".into(), "prime256v1".into()])
    );
    for own in ["?X25519MLKEM768:DEFAULT", "DEFAULT", ""] {
        assert_eq!(groups(own), None, "{own:?}");
    }
}

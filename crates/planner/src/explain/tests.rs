//! Tests of `explain`: what may be asked, and what a configuration makes of a next hop.

use super::{Explanation, Subject, explain};
use crate::facts::Facts;
use crate::resolve::{Answer, Answers, Asked, Question};
use crate::view::tests::facts;
use mailtls::Level;

const MASTER: &str = "smtp unix - - n - - smtp
relay unix - - n - - smtp -o smtp_tls_security_level=encrypt
smtps unix - - n - - smtp -o smtp_tls_wrappermode=yes -o smtp_tls_security_level=encrypt
naked unix - - n - - smtp -o smtp_tls_wrappermode=yes
lmtp unix - - n - - lmtp
local unix - n n - - local
virtual unix - n n - - virtual
error unix - - n - - error
";

/// Rows of the table `hash:/p`, and of `hash:/t` where the key begins with `t:`.
fn ask(main: &str, subject: &str, rows: &[(&str, &str)]) -> Explanation {
    ask_of(&facts(main, MASTER), subject, rows)
}

fn ask_of(facts: &Facts, subject: &str, rows: &[(&str, &str)]) -> Explanation {
    let subject = Subject::parse(subject).unwrap();
    let mut answers = Answers::default();
    for _ in 0..100 {
        match explain(facts, &subject, "", None, &answers) {
            Asked::Answered(explanation) => return explanation,
            Asked::Unanswered(question) => {
                let Question::Lookup { table, key } = &question else {
                    let answer = match &question {
                        Question::File(path) if path == "/ca.pem" => {
                            Answer::Found("-----BEGIN CERTIFICATE-----\n".to_owned())
                        }
                        _ => Answer::NotFound,
                    };
                    answers.put(question, answer);
                    continue;
                };
                let wanted = match table.as_str() {
                    "hash:/t" => format!("t:{key}"),
                    _ => key.clone(),
                };
                let found = rows
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(&wanted));
                let answer = match found {
                    Some((_, "FAIL")) => Answer::Failed("no such file".to_owned()),
                    Some((_, value)) => Answer::Found((*value).to_owned()),
                    None => Answer::NotFound,
                };
                answers.put(question, answer);
            }
        }
    }
    panic!("it asks without end");
}

fn level(main: &str, subject: &str, rows: &[(&str, &str)]) -> Option<Level> {
    ask(main, subject, rows).hops[0].level
}

fn codes(explanation: &Explanation) -> Vec<&str> {
    let findings = explanation.findings.iter();
    findings.map(|finding| &*finding.code).collect()
}

const MAPS: &str = "smtp_tls_policy_maps = hash:/p\nsmtp_tls_security_level = may\n\
                    smtp_tls_CAfile = /ca.pem\n";

#[test]
fn good_subjects() {
    let address = |text: &str| Subject::Address(text.to_owned());
    let domain = |text: &str| Subject::Domain(text.to_owned());
    let hop = |text: &str| Subject::NextHop(text.to_owned());
    let all = [
        ("a@example.org", address("a@example.org")),
        ("a@b@example.org", address("a@b@example.org")),
        ("a@[192.0.2.1]", address("a@[192.0.2.1]")),
        ("ü@bücher.example", address("ü@bücher.example")),
        ("a@example.org.", address("a@example.org")),
        (r#""quo ted"@q.test"#, address("quo ted@q.test")),
        (r#""a\"b@c\\"@q.test."#, address(r#"a"b@c\@q.test"#)),
        (r#""plain"@q.test"#, address("plain@q.test")),
        (r#"""@q.test"#, address("@q.test")),
        ("example.org", domain("example.org")),
        ("example.org.", domain("example.org")),
        ("xn--bcher-kva.example", domain("xn--bcher-kva.example")),
        ("[mx.example.org]", hop("[mx.example.org]")),
        ("[mx.example.org]:587", hop("[mx.example.org]:587")),
        (
            "[mx.example.org]:submission",
            hop("[mx.example.org]:submission"),
        ),
        ("mx.example.org:26", hop("mx.example.org:26")),
        ("[192.0.2.1]:25", hop("[192.0.2.1]:25")),
        ("[2001:db8::1]:25", hop("[2001:db8::1]:25")),
        ("[IPv6:2001:db8::1]", hop("[IPv6:2001:db8::1]")),
        ("192.0.2.1:25", hop("192.0.2.1:25")),
    ];
    for (text, subject) in all {
        assert_eq!(Subject::parse(text), Ok(subject), "{text}");
    }
}

#[test]
fn an_address_is_shown_as_it_is_written() {
    for text in [
        "a@b.c",
        r#""quo ted"@q.test"#,
        r#""a\"b"@q.test"#,
        r#"""@q.test"#,
        "a@b@c.d",
    ] {
        assert_eq!(Subject::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn bad_subjects() {
    let long = "a.".repeat(300);
    let label = format!("{}.example", "a".repeat(64));
    let all = [
        "",
        &long,
        &label,
        "@example.org",
        "a@",
        "a@b..c",
        "a@b.c..",
        "a@.",
        "\"a b\"",
        "\"a b@q.test",
        "\"a b\"x@q.test",
        "\"a\nb\"@q.test",
        "\"a b\"@",
        "a@.c",
        "*.example.org",
        ".example.org.",
        "example..org",
        "a b",
        "a\tb.c",
        "a\n",
        "a\0b",
        "x\u{2028}y",
        "192.0.2.1",
        "[mx.example.org]:0",
        "[mx.example.org]:70000",
        "[mx.example.org]:",
        "[mx.example.org",
        "mx.example.org:",
        "mx.example.org:a b",
        "[]",
        "-a.example",
    ];
    for text in all {
        assert!(Subject::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_row_is_found_by_next_hop_and_by_parent_of_a_bare_name() {
    let rows = [
        (".example.org", "encrypt"),
        ("[mx.example.org]:587", "secure match=nexthop"),
    ];
    assert_eq!(
        level(MAPS, "a@sub.example.org", &rows),
        Some(Level::Encrypt)
    );
    assert_eq!(
        level(MAPS, "a@x.sub.example.org", &rows),
        Some(Level::Encrypt)
    );
    assert_eq!(
        level(MAPS, "a@example.org", &rows),
        Some(Level::May),
        "a dot is not the domain"
    );
    assert_eq!(
        level(MAPS, "[mx.example.org]:587", &rows),
        Some(Level::Secure)
    );
    assert_eq!(
        level(MAPS, "[mx.example.org]", &rows),
        Some(Level::May),
        "without its port another"
    );
    assert_eq!(
        level(MAPS, "mx.example.org:587", &rows),
        Some(Level::May),
        "without brackets too"
    );
}

#[test]
fn the_first_table_with_the_key_wins() {
    let main = "smtp_tls_policy_maps = hash:/t, hash:/p\n";
    let rows = [("t:example.org", "encrypt"), ("example.org", "none")];
    let explanation = ask(main, "example.org", &rows);
    assert_eq!(explanation.hops[0].level, Some(Level::Encrypt));
    assert_eq!(explanation.consulted.len(), 1);
}

#[test]
fn a_row_for_the_domain_does_nothing_where_mail_leaves_by_a_relay() {
    let main = format!("{MAPS}relayhost = [relay.example.net]:587\n");
    let rows = [("example.org", "encrypt")];
    let explanation = ask(&main, "a@example.org", &rows);
    assert_eq!(explanation.hops[0].level, Some(Level::May));
    assert_eq!(codes(&explanation), ["policy.never-matches"]);
    let consulted = explanation.consulted.iter().map(|one| one.key.as_str());
    let consulted: Vec<&str> = consulted.collect();
    assert_eq!(consulted, ["[relay.example.net]:587"], "what Postfix asks");
    let finding = &explanation.findings[0];
    assert!(finding.message.contains("relayhost"), "{}", finding.message);
    assert!(
        finding.remedy.contains("`[relay.example.net]:587 encrypt`"),
        "{}",
        finding.remedy
    );

    let rows = [("[relay.example.net]:587", "encrypt")];
    let explanation = ask(&main, "a@example.org", &rows);
    assert_eq!(explanation.hops[0].level, Some(Level::Encrypt));
    assert!(explanation.findings.is_empty());
}

#[test]
fn a_service_has_options_of_its_own() {
    let main = "transport_maps = hash:/t\n";
    assert_eq!(
        level(main, "a@x.org", &[("t:x.org", "relay:")]),
        Some(Level::Encrypt)
    );
    assert_eq!(
        level(main, "a@x.org", &[("t:x.org", "smtp:")]),
        Some(Level::None)
    );
}

#[test]
fn who_speaks_no_smtp_has_no_policy() {
    let main = format!(
        "{MAPS}mydestination = here.org\ntransport_maps = hash:/t\nlocal_transport = local\n"
    );
    for (to, word) in [
        ("error:closed", "not delivered"),
        ("nothere:", "no service"),
        ("virtual:", "on this host"),
    ] {
        let explanation = ask(&main, "a@x.org", &[("t:x.org", to), ("x.org", "encrypt")]);
        assert_eq!(explanation.hops[0].level, None, "{to}");
        assert!(
            explanation.hops[0].sentence.contains(word),
            "{to}: {}",
            explanation.hops[0].sentence
        );
    }
    let explanation = ask(&main, "a@here.org", &[]);
    assert_eq!(explanation.hops[0].level, None);
    let explanation = ask(&main, "a@x.org", &[("t:x.org", "lmtp:unix:private/x")]);
    assert!(explanation.hops[0].sentence.contains("socket of this host"));
}

#[test]
fn what_postfix_refuses_holds_the_mail_back() {
    for row in [
        "bogus",
        "encrypt mach=x",
        "encrypt protocols=TLSv1.2,TLSv1.3",
        "encrypt exclude=!RC4",
    ] {
        let explanation = ask(MAPS, "example.org", &[("example.org", row)]);
        assert_eq!(explanation.hops[0].level, None, "{row}");
        assert_eq!(codes(&explanation), ["policy.row-refused"], "{row}");
    }
    let explanation = ask(MAPS, "example.org", &[("example.org", "FAIL")]);
    assert_eq!(codes(&explanation), ["policy.table-failed"]);
    let main = format!("{MAPS}transport_maps = hash:/t\n");
    let explanation = ask(&main, "a@example.org", &[("t:*", "FAIL")]);
    assert_eq!(codes(&explanation), ["policy.table-failed"]);
    assert!(explanation.hops.is_empty());
}

#[test]
fn dane_rests_on_dnssec() {
    let dane = [("example.org", "dane"), ("only.org", "dane-only")];
    assert_eq!(level(MAPS, "example.org", &dane), Some(Level::May));
    assert_eq!(level(MAPS, "only.org", &dane), None);
    let main = format!("{MAPS}smtp_dns_support_level = dnssec\n");
    assert_eq!(level(&main, "example.org", &dane), Some(Level::Dane));
    assert_eq!(level(&main, "only.org", &dane), Some(Level::DaneOnly));
}

#[test]
fn port_465_needs_wrapper_mode_and_that_a_level() {
    let main = "transport_maps = hash:/t\n";
    let to = |transport: &str| ask(main, "a@x.org", &[("t:x.org", transport)]);
    assert_eq!(codes(&to("smtp:[mx.x.org]:465")), ["policy.no-wrappermode"]);
    let good = to("smtps:[mx.x.org]:465");
    assert!(good.findings.is_empty());
    assert_eq!(good.hops[0].level, Some(Level::Encrypt));
    let naked = to("naked:[mx.x.org]:465");
    assert_eq!(naked.hops[0].level, None);
    assert!(naked.hops[0].sentence.contains("needs the level encrypt"));
    let dane = "smtp_tls_security_level = dane\nsmtp_dns_support_level = dnssec\n";
    let to = |transport: &str| {
        let rows = [("t:x.org", transport)];
        ask(&format!("{main}{dane}"), "a@x.org", &rows)
            .hops
            .remove(0)
    };
    let (wrapped, plain) = (to("naked:[mx.x.org]:465"), to("smtp:[mx.x.org]:587"));
    assert_eq!(wrapped.level, Some(Level::Dane));
    assert!(wrapped.sentence.contains("where none exist it waits"));
    assert!(
        plain
            .sentence
            .contains("where none exist it is sent as with may")
    );
}

#[test]
fn each_of_several_next_hops_has_its_policy() {
    let main = format!("{MAPS}relayhost = [a.net]:587, b.net\n");
    let explanation = ask(
        &main,
        "x@y.org",
        &[("[a.net]:587", "encrypt"), ("b.net", "none")],
    );
    let levels: Vec<_> = explanation.hops.iter().map(|hop| hop.level).collect();
    assert_eq!(levels, [Some(Level::Encrypt), Some(Level::None)]);
}

#[test]
fn trust_anchors_of_a_row_lie_in_the_jail_of_what_sends() {
    let main = format!("{MAPS}queue_directory = /jail\n");
    let jailed = MASTER.replacen("- - n", "- - y", 1);
    for (master, place) in [(MASTER, "/etc/ca.pem"), (&jailed, "/jail/etc/ca.pem")] {
        let row = [("example.org", "secure tafile=/etc/ca.pem match=nexthop")];
        let explanation = ask_of(&facts(&main, master), "example.org", &row);
        assert_eq!(explanation.hops[0].level, None);
        assert_eq!(codes(&explanation), ["policy.tafile-missing"]);
        let said = &explanation.findings[0].message;
        assert!(said.contains(&format!("anchors {place} ")), "{said}");
    }
}

/// The level that is left of a row, and the codes that are said.
fn of_row(main: &str, row: &str) -> (Option<Level>, Vec<String>) {
    let main = format!("smtp_tls_policy_maps = hash:/p\n{main}");
    let explanation = ask(&main, "example.org", &[("example.org", row)]);
    let codes = codes(&explanation).into_iter().map(str::to_owned).collect();
    (explanation.hops[0].level, codes)
}

#[test]
fn what_this_host_lacks_for_a_policy_holds_the_mail_back() {
    let print = "smtp_tls_fingerprint_cert_match = AA:BB\n";
    let cas = "smtp_tls_CApath = /cas\n";
    let sha256 = "smtp_tls_fingerprint_digest = sha256\n";
    let listed = format!("fingerprint match={}", ["AA"; 32].join(":"));
    for (main, row, level, codes) in [
        ("", "secure", None, &["policy.nobody-trusted"][..]),
        (cas, "secure", Some(Level::Secure), &[]),
        (
            "tls_append_default_CA = yes\n",
            "verify",
            Some(Level::Verify),
            &[],
        ),
        ("", "fingerprint", None, &["policy.no-fingerprint"]),
        (print, "fingerprint", Some(Level::Fingerprint), &[]),
        (sha256, &listed, Some(Level::Fingerprint), &[]),
        // Nothing has so short a fingerprint.
        (
            sha256,
            "fingerprint match=AA",
            None,
            &["policy.bad-fingerprint"],
        ),
        // The tests' OpenSSL finds no cipher in any list that is not Postfix's own.
        ("", "encrypt exclude=ALL", None, &["policy.no-cipher"]),
        (
            "",
            "may exclude=ALL",
            Some(Level::May),
            &["policy.no-cipher"],
        ),
        ("", "none", Some(Level::None), &[]),
        (
            "smtp_tls_mandatory_ciphers = no\n",
            "encrypt",
            None,
            &["policy.no-cipher"],
        ),
        (
            "smtp_tls_trust_anchor_file = /a.pem\n",
            "secure",
            None,
            &["policy.tafile-missing"],
        ),
        // Without it smtp(8) has no TLS at all.
        (
            "smtp_tls_CAfile = /gone.pem\n",
            "encrypt",
            None,
            &["policy.ca-file-unusable"],
        ),
        (
            "smtp_tls_CAfile = /gone.pem\n",
            "may",
            Some(Level::May),
            &["policy.ca-file-unusable"],
        ),
        (
            "smtp_tls_CAfile = /gone.pem\n",
            "none",
            Some(Level::None),
            &[],
        ),
        (
            "smtp_tls_CAfile = /ca.pem\n",
            "secure",
            Some(Level::Secure),
            &[],
        ),
    ] {
        let (left, said) = of_row(main, row);
        assert_eq!(
            (left, said.iter().map(String::as_str).collect::<Vec<_>>()),
            (level, codes.to_vec()),
            "{main}{row}"
        );
    }
}

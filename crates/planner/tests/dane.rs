//! Which names senders find a host by, what is asked of DNS for that, and where records stand.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use postseal_planner::dane::{self, Published};
use postseal_planner::dns::Question;
use postseal_planner::{Request, Severity};
use support::{Host, NOW, script};

const MASTER: &str = "smtp inet n - n - - smtpd\ntlsmgr unix - - n 1000? 1 tlsmgr\n";

fn host(main: &str) -> Host {
    Host::new(main.as_bytes(), MASTER.as_bytes())
}

/// The names, after these lines of DNS.
fn names(main: &str, dns: &[&str]) -> (Vec<String>, Vec<String>) {
    let mut host = host(main);
    for line in dns {
        support::dns::said(&mut host, line);
    }
    let names = dane::mx_names(&host.facts, &[]);
    (names.hosts, names.unlisted)
}

/// The questions, in words.
fn asked(host: &Host, given: &[String]) -> Vec<String> {
    let word = |question: Question| match question {
        Question::Mx(name) => format!("mx {name}"),
        Question::Addresses(name) => format!("a {name}"),
        Question::Txt(name) => format!("txt {name}"),
        Question::Tlsa { base, port } => format!("tlsa {base} {port}"),
    };
    let questions = dane::questions(&host.facts, given);
    questions.into_iter().map(word).collect()
}

#[test]
fn the_names_are_myhostname_and_those_mail_exchangers_that_are_here() {
    let main = "myhostname = MX.Example.com\nmydestination = $myhostname, example.com, localhost\n\
        virtual_mailbox_domains = bücher.example example.org\n\
        relay_domains = .example.net, !example.info, localhost.$mydomain\n";
    let (hosts, unlisted) = names(main, &["a mx.example.com 203.0.113.1"]);
    assert_eq!(
        (hosts, unlisted),
        (vec!["mx.example.com".to_owned()], Vec::new())
    );
    let (hosts, unlisted) = names(
        main,
        &[
            "a mx.example.com 203.0.113.1",
            "mx example.com mx.example.com a.example.com b.example.com",
            "mx example.org c.example.com d.example.com localhost",
            "mx xn--bcher-kva.example failed",
            // An address of an interface; one that only DNS knows as ours; others'; not told.
            "a a.example.com 192.0.2.25",
            "a b.example.com 203.0.113.1",
            "a c.example.com 198.51.100.7",
            "a d.example.com failed",
        ],
    );
    assert_eq!(hosts, ["mx.example.com", "a.example.com", "b.example.com"]);
    assert_eq!(unlisted.len(), 2, "{unlisted:?}");
    assert!(
        unlisted
            .iter()
            .any(|said| said.starts_with("the MX of xn--bcher-kva.example: "))
    );
    assert!(
        unlisted
            .iter()
            .any(|said| said.starts_with("d.example.com: "))
    );
}

/// RFC 5321, 5.1, and RFC 7505.
#[test]
fn a_domain_without_mail_exchangers_is_its_own_and_one_with_a_null_mx_has_none() {
    let main = "myhostname = mx.example.com\nmydestination = example.org example.net\n";
    let mut host = host(main);
    support::dns::said(&mut host, "a mx.example.com 203.0.113.1");
    support::dns::said(&mut host, "mx example.org");
    support::dns::said(&mut host, "a example.org 192.0.2.25");
    support::dns::said(&mut host, "mx example.net none");
    let names = dane::mx_names(&host.facts, &[]);
    assert_eq!(names.hosts, ["mx.example.com", "example.org"]);
    let more = asked(&host, &[]);
    assert!(!more.contains(&"a example.net".to_owned()), "{more:?}");
}

#[test]
fn tables_are_not_listed_and_a_name_without_a_dot_is_nobodys() {
    let main = "myhostname = mail\nmydestination = mail, /etc/postfix/domains\n\
        virtual_alias_domains = hash:/etc/postfix/virtual, example.org\n";
    let (hosts, unlisted) = names(main, &["mx example.org mail"]);
    assert_eq!(hosts, [""; 0]);
    let wanted = [
        "mydestination: /etc/postfix/domains",
        "virtual_alias_domains: hash:/etc/postfix/virtual",
    ];
    assert_eq!(unlisted, wanted);
}

#[test]
fn questions_come_in_rounds_and_end() {
    let mut host = host("myhostname = mx.example.com\nmydestination = example.com\n");
    assert_eq!(asked(&host, &[]), ["a mx.example.com", "mx example.com"]);
    support::dns::said(&mut host, "mx example.com mail.example.com");
    support::dns::said(&mut host, "a mx.example.com 192.0.2.25");
    assert_eq!(
        asked(&host, &[]),
        ["a mail.example.com", "tlsa mx.example.com 25"]
    );
    support::dns::said(
        &mut host,
        "a mail.example.com at host.example.net 192.0.2.25",
    );
    support::dns::said(&mut host, "tlsa mx.example.com 25");
    assert_eq!(
        asked(&host, &[]),
        ["tlsa host.example.net 25", "tlsa mail.example.com 25"]
    );
    support::dns::said(&mut host, "tlsa host.example.net 25 failed");
    support::dns::said(&mut host, "tlsa mail.example.com 25 failed");
    assert_eq!(asked(&host, &[]), [""; 0]);
    let given = ["Mail.Example.org.".to_owned(), "not a name".to_owned()];
    assert_eq!(asked(&host, &given), ["a mail.example.org"]);
}

#[test]
fn domains_beyond_number_are_not_asked_for() {
    let many: Vec<String> = (0..5000).map(|n| format!("d{n}.example.com")).collect();
    let mut host = host(&format!(
        "myhostname = mx.example.com\nrelay_domains = {}\n",
        many.join(" ")
    ));
    assert!(asked(&host, &[]).len() <= 31);
    let hosts: Vec<String> = (0..5000).map(|n| format!("h{n}.example.com")).collect();
    support::dns::said(&mut host, &format!("mx d0.example.com {}", hosts.join(" ")));
    assert!(asked(&host, &[]).len() <= 100);
    let unlisted = dane::mx_names(&host.facts, &[]).unlisted;
    assert!(
        unlisted.iter().any(|said| said == "4970 more domains"),
        "{unlisted:?}"
    );
}

/// RFC 7671, 7: the name that a vouched-for alias leads to comes first, then the name itself.
#[test]
fn records_stand_where_a_vouched_for_alias_leads_and_else_at_the_name() {
    let cases: [(&[&str], &str); 7] = [
        (
            &["a mx.example.com 192.0.2.1", "tlsa mx.example.com 25 wrong"],
            "_25._tcp.mx.example.com.",
        ),
        (
            &[
                "a mx.example.com at real.example.net 192.0.2.1",
                "tlsa real.example.net 25 wrong",
                "tlsa mx.example.com 25 unusable",
            ],
            "_25._tcp.real.example.net.",
        ),
        (
            &[
                "a mx.example.com at real.example.net 192.0.2.1",
                "tlsa real.example.net 25",
                "tlsa mx.example.com 25 wrong",
            ],
            "_25._tcp.mx.example.com.",
        ),
        (
            &[
                "a mx.example.com at real.example.net 192.0.2.1 insecure",
                "tlsa real.example.net 25 unusable",
                "tlsa mx.example.com 25 wrong",
            ],
            "_25._tcp.mx.example.com.",
        ),
        (
            &[
                "a mx.example.com at real.example.net 192.0.2.1",
                "tlsa real.example.net 25 failed",
                "tlsa mx.example.com 25 wrong",
            ],
            "failed",
        ),
        (
            &[
                "a mx.example.com at not/a/host 192.0.2.1",
                "tlsa mx.example.com 25 wrong",
            ],
            "_25._tcp.mx.example.com.",
        ),
        (
            &["a mx.example.com failed", "tlsa mx.example.com 25 wrong"],
            "failed",
        ),
    ];
    for (lines, wanted) in cases {
        let mut host = host("myhostname = mx.example.com\n");
        for line in lines {
            support::dns::said(&mut host, line);
        }
        let seen = match dane::published(&host.facts.dns, "mx.example.com", 25) {
            Published::Vouched(found) => {
                assert_eq!(found.records.len(), 1);
                found.owner
            }
            Published::Failed(_) => "failed".to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(seen, wanted, "{lines:?}");
    }
    let nobody = host("myhostname = mx.example.com\n");
    let seen = dane::published(&nobody.facts.dns, "mx.example.com", 25);
    assert_eq!(seen, Published::NotAsked);
}

/// What is presented at a port where several servers listen depends on the address that DNS gives.
#[test]
fn a_name_is_judged_by_the_server_that_has_its_address() {
    let master = "192.0.2.25:smtp inet n - n - - smtpd\n\
        192.0.2.26:smtp inet n - n - - smtpd -o smtpd_tls_chain_files=/etc/other.pem\n";
    let main = "myhostname = mx.example.com\nmydestination = example.com\n\
        smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /etc/own.pem\n";
    let mut host = Host::new(main.as_bytes(), master.as_bytes());
    host.put("/etc/own.pem", support::file(support::pem("mx")));
    host.put("/etc/other.pem", support::file(support::pem("next")));
    host.facts
        .addresses
        .push("192.0.2.26".parse().expect("an address"));
    for line in [
        "mx example.com a.example.com b.example.com",
        "a mx.example.com 192.0.2.25",
        "a a.example.com 192.0.2.25",
        "a b.example.com 192.0.2.26",
        "tlsa mx.example.com 25 mx",
        "tlsa a.example.com 25 mx",
        "tlsa b.example.com 25 next",
    ] {
        support::dns::said(&mut host, line);
    }
    let found = dane::findings(&host.facts, &host.desired, NOW);
    let dane = |code: &str| found.iter().filter(|finding| finding.code == code).count();
    assert_eq!(
        (dane("dane.mismatch"), dane("dane.undetermined")),
        (0, 0),
        "{found:#?}"
    );
    support::dns::said(&mut host, "tlsa b.example.com 25 mx");
    let found = dane::findings(&host.facts, &host.desired, NOW);
    let wrong: Vec<_> = found.iter().filter(|f| f.code == "dane.mismatch").collect();
    assert_eq!(wrong.len(), 1, "{found:#?}");
    assert_eq!(wrong[0].severity, Severity::Error);
    assert!(wrong[0].message.contains("b.example.com"), "{wrong:#?}");
}

#[test]
fn behind_a_router_the_servers_on_loopback_are_not_meant() {
    let master = "192.0.2.25:smtp inet n - n - - smtpd\n\
        127.0.0.1:smtp inet n - n - - smtpd -o smtpd_tls_chain_files=/etc/other.pem\n";
    let main = "myhostname = mx.example.com\nsmtpd_tls_security_level = may\n\
        smtpd_tls_chain_files = /etc/own.pem\n";
    let mut host = Host::new(main.as_bytes(), master.as_bytes());
    host.put("/etc/own.pem", support::file(support::pem("mx")));
    host.put("/etc/other.pem", support::file(support::pem("next")));
    support::dns::said(&mut host, "a mx.example.com 203.0.113.5");
    let mut found = |line: &str| {
        support::dns::said(&mut host, line);
        let found = dane::findings(&host.facts, &host.desired, NOW);
        let codes = found.iter().map(|finding| finding.code.to_string());
        codes
            .filter(|code| code.starts_with("dane."))
            .collect::<Vec<_>>()
    };
    assert_eq!(found("tlsa mx.example.com 25 mx"), [""; 0]);
    assert_eq!(found("tlsa mx.example.com 25 next"), ["dane.mismatch"]);
    assert_eq!(
        found("tlsa mx.example.com 25 unusable"),
        [""; 0],
        "they ask for TLS, and no more"
    );
    assert_eq!(found("tlsa mx.example.com 25"), [""; 0]);
    assert_eq!(
        found("tlsa mx.example.com 25 next failed"),
        ["dane.undetermined"]
    );
}

/// Records ask for TLS where there is none at all.
#[test]
fn a_server_without_tls_does_not_match_what_is_published() {
    let mut host = host("myhostname = mx.example.com\n");
    for line in [
        "a mx.example.com 192.0.2.25",
        "tlsa mx.example.com 25 wrong",
    ] {
        support::dns::said(&mut host, line);
    }
    let found = dane::findings(&host.facts, &host.desired, NOW);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].code, "dane.mismatch");
    let shown = format!("{:?}", found[0].evidence);
    assert!(shown.contains("presented: no certificate"), "{shown}");
}

#[test]
fn a_plan_asks_only_where_it_changes_what_is_presented() {
    let mut host = Host::new(
        b"myhostname = mx.example.com\nmydestination = example.com\n",
        MASTER.as_bytes(),
    );
    let mut questions = |wish: &str| {
        script::run(&mut host, wish).expect("a plan");
        let request = Request {
            intent: &host.wanted,
            in_force: &host.desired,
            parent: host.head,
            written: &host.written,
        };
        postseal_planner::questions(&request, &host.facts).len()
    };
    assert_eq!(questions("set inbound=may\nbind mx"), 2);
    assert_eq!(questions("apply"), 0, "nothing is wished");
    assert_eq!(questions("set loglevel.inbound=1"), 0);
    assert_eq!(questions("set outbound=may"), 0);
    assert_eq!(
        questions("bind client client"),
        0,
        "the client presents it, to nobody who looks for records"
    );
    assert_eq!(questions("bind next sni=mail.example.com"), 2);
    assert_eq!(questions("apply"), 0);
    assert_eq!(questions("set inbound=off"), 2);
}

//! What routes say for and against a rule for the next hop that they name.

use super::by_routes;
use crate::policy::{Cause, Home, Hops, Judged, Rule, Useless, askers, passed_by};
use crate::view::tests::facts;
use mailtls::policy::Dialect;
use std::collections::BTreeMap;

const MASTER: &str = "smtp unix - - n - - smtp\nlmtp unix - - n - - lmtp\nrelay unix - - n - - smtp\nbare unix - - n - - smtp -o smtp_tls_policy_maps=\nwrap unix - - n - - smtp -o smtp_tls_wrappermode=yes\ndiscard unix - - n - - discard\n";

/// What is found for a rule with routes to its next hop by these transports.
fn found(destination: &str, by: &[&str], before: Judged) -> Judged {
    let dialect = Dialect { major: 3, minor: 7 };
    let rule = Rule::new(destination, None, "encrypt", dialect).unwrap();
    let clients = askers(Home::Rules(None), &facts("", MASTER));
    let mut hops = Hops::new();
    if !by.is_empty() {
        let by = by.iter().map(|one| (*one).to_owned()).collect();
        hops.insert(destination.to_owned(), by);
    }
    let mut found = before;
    by_routes(&rule, &mut found, (&hops, &BTreeMap::new()), &clients);
    found
}

fn usual(client: &str) -> Judged {
    Judged {
        useless: Vec::new(),
        clients: vec![client.to_owned()],
        ..Judged::default()
    }
}

fn causes(found: &Judged) -> Vec<&Cause> {
    found.useless.iter().map(|one| &one.cause).collect()
}

fn silent(service: &str, parameter: &'static str, own: Option<&str>) -> Cause {
    Cause::NotAsked {
        service: service.to_owned(),
        parameter,
        own: own.map(str::to_owned),
    }
}

#[test]
fn a_rule_does_nothing_where_no_service_that_sends_there_asks_it() {
    let hop = "[h.example]:25";
    let bare = found(hop, &["bare"], usual("smtp"));
    let cause = silent("bare/unix", "smtp_tls_policy_maps", Some(""));
    assert_eq!(causes(&bare), [&cause]);
    assert_eq!(bare.clients, [] as [&str; 0]);
    let lmtp = found(hop, &["lmtp"], usual("smtp"));
    assert_eq!(
        causes(&lmtp),
        [&silent("lmtp/unix", "lmtp_tls_policy_maps", None)]
    );
    let both = found(hop, &["bare", "relay"], usual("smtp"));
    assert_eq!(
        (causes(&both).len(), both.clients),
        (0, vec!["relay".to_owned()])
    );
    for other in [&["discard"][..], &["unknown"], &[]] {
        assert_eq!(found(hop, other, usual("smtp")), usual("smtp"), "{other:?}");
    }
}

#[test]
fn on_465_the_client_that_the_route_names_must_begin_with_tls() {
    let hop = "[h.example]:465";
    let clear = found(hop, &["smtp"], usual("wrap"));
    assert_eq!(
        causes(&clear),
        [&Cause::BeginsInClear {
            instead: Some("wrap".to_owned()),
            leads: Vec::new(),
        }]
    );
    assert_eq!(clear.clients, ["smtp"]);
    assert_eq!(found(hop, &["wrap"], usual("wrap")), usual("wrap"));
    assert_eq!(found(hop, &[], usual("wrap")), usual("wrap"));
    let both = found(hop, &["smtp", "wrap"], usual("wrap"));
    assert_eq!(causes(&both), [] as [&Cause; 0]);
    let other = found("[h.example]:587", &["smtp"], usual("smtp"));
    assert_eq!(other, usual("smtp"));
}

#[test]
fn a_name_that_routes_send_others_mail_to_is_judged_by_those() {
    let elsewhere = || Judged {
        useless: vec![Useless {
            name: "h.example".to_owned(),
            cause: Cause::OtherHop {
                hops: vec!["[r.example]".to_owned()],
                nexthop: "[r.example]".to_owned(),
                by: "relayhost".to_owned(),
                not_asked: None,
            },
        }],
        clients: Vec::new(),
        ..Judged::default()
    };
    assert_eq!(found("h.example", &[], elsewhere()), elsewhere());
    assert_eq!(found("h.example", &["smtp"], elsewhere()), usual("smtp"));
    let bare = found("h.example", &["bare"], elsewhere());
    let cause = silent("bare/unix", "smtp_tls_policy_maps", Some(""));
    assert_eq!(causes(&bare), [&cause]);
}

#[test]
fn where_one_service_asks_and_another_does_not_a_part_of_the_mail_passes_by() {
    let hop = "[h.example]:25";
    let both = found(hop, &["bare", "relay", "smtp"], usual("smtp"));
    assert_eq!(causes(&both), [] as [&Cause; 0]);
    assert_eq!(both.clients, ["relay", "smtp"]);
    let bare = silent("bare/unix", "smtp_tls_policy_maps", Some(""));
    assert_eq!(both.passed_by.first(), Some(&bare));
    // The mail of a domain itself goes by smtp, that of others is sent there by another service.
    let domain = found("h.example", &["bare"], usual("smtp"));
    assert_eq!((causes(&domain).len(), domain.passed_by), (0, vec![bare]));
    for all in [&["relay", "smtp"][..], &["bare"], &["discard"], &[]] {
        let none: [Cause; 0] = [];
        assert_eq!(found(hop, all, usual("smtp")).passed_by, none, "{all:?}");
    }
}

#[test]
fn it_is_told_with_the_service_that_does_not_ask() {
    let dialect = Dialect { major: 3, minor: 7 };
    let rule = |of: &str| Rule::new(of, None, "encrypt", dialect).unwrap();
    let hops = ["[h.example]:25", "[i.example]:25"];
    let judged = hops.map(|hop| found(hop, &["bare", "smtp"], usual("smtp")));
    let rules = hops.map(rule);
    let one = passed_by(&[(&rules[0], &judged[0])]);
    let text = format!("{} {}", one[0].message, one[0].remedy);
    for part in ["[h.example]:25", "bare/unix", "asks no table", "master.cf"] {
        assert!(text.contains(part), "{text}");
    }
    // Several rules of one service are one finding.
    let pairs: Vec<(&Rule, &Judged)> = rules.iter().zip(&judged).collect();
    let both = passed_by(&pairs);
    assert_eq!(both.len(), 1);
    let seen: Vec<&str> = both[0]
        .evidence
        .iter()
        .map(|one| one.text.as_str())
        .collect();
    assert!(seen.contains(&"[i.example]:25 encrypt"), "{seen:?}");
    assert!(passed_by(&[(&rules[0], &usual("smtp"))]).is_empty());
}

#[test]
fn where_tls_is_expected_at_once_the_client_that_begins_so_is_named_first() {
    let both = found("[h.example]:smtps", &["smtp", "wrap"], usual("wrap"));
    assert_eq!(both.clients, ["wrap", "smtp"]);
    assert_eq!(both.client().as_deref(), Some("wrap"));
    // The other one is no client for it, and is named.
    assert_eq!(both.late, ["smtp"]);
    for all in [&["wrap"][..], &["smtp"], &[]] {
        let found = found("[h.example]:smtps", all, usual("wrap"));
        assert_eq!(found.late, [""; 0], "{all:?}");
    }
    assert_eq!(
        found("[h.example]:25", &["smtp", "wrap"], usual("smtp")).late,
        [""; 0]
    );
    let silent = found("[h.example]:25", &["bare"], usual("smtp"));
    assert_eq!(silent.client().as_deref(), Some("bare"));
}

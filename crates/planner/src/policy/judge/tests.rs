//! What speaks against rules, and what does not.

use super::{Home, judge_all};
use crate::Digest;
use crate::intent::{AdoptedTables, Named, Policies, PolicyTable};
use crate::policy::{Cause, IdleRow, Rule, Useless, idle};
use crate::resolve::{Answer, Answers, Asked};
use crate::view::tests::facts;
use mailtls::policy::Dialect;

const MASTER: &str = "smtp unix - - n - - smtp\nlmtp unix - - n - - lmtp\nbare unix - - n - - smtp -o smtp_tls_policy_maps=\nown unix - - n - - smtp -o smtp_tls_policy_maps=hash:/own\nours unix - - n - - smtp -o smtp_tls_policy_maps=hash:/etc/postfix/postseal.d/policy-0a1b,hash:/own\n";

fn rule(destination: &str) -> Rule {
    let dialect = Dialect { major: 3, minor: 7 };
    Rule::new(destination, None, "encrypt", dialect).unwrap()
}

fn adopted(name: &str) -> AdoptedTables {
    AdoptedTables {
        tables: vec![PolicyTable {
            name: name.to_owned(),
            table: name.to_owned(),
            path: "/x".into(),
            digest: Digest::of(b""),
            rows: 1,
        }],
        policies: Policies {
            digest: Digest::of(b""),
            rows: 1,
        },
        named: Named::Still,
        before: Vec::new(),
    }
}

/// The causes; no table has any row.
fn causes(main: &str, home: Home<'_>, destination: &str) -> Vec<Cause> {
    let facts = facts(main, MASTER);
    let rule = rule(destination);
    let mut answers = Answers::default();
    for _ in 0..50 {
        match judge_all(&[&rule], home, &facts, &answers).remove(0) {
            Asked::Answered(found) => {
                return found.useless.into_iter().map(|one| one.cause).collect();
            }
            Asked::Unanswered(question) => answers.put(question, Answer::NotFound),
        }
    }
    panic!("it does not end");
}

fn not_asked(service: &str, own: Option<&str>) -> Vec<Cause> {
    vec![Cause::NotAsked {
        service: service.to_owned(),
        parameter: "smtp_tls_policy_maps",
        own: own.map(str::to_owned),
    }]
}

#[test]
fn a_service_gets_the_map_where_compile_names_it() {
    let none = Home::Rules(None);
    assert_eq!(causes("", none, "a.example"), []);
    let by = |service: &str| format!("default_transport = {service}\n");
    assert_eq!(
        causes(&by("bare"), none, "a.example"),
        not_asked("bare/unix", Some(""))
    );
    assert_eq!(causes(&by("own"), none, "a.example"), []);
    assert_eq!(causes(&by("ours"), none, "a.example"), []);
    let (own, other) = (adopted("hash:/own"), adopted("hash:/other"));
    assert_eq!(causes(&by("own"), Home::Rules(Some(&own)), "a.example"), []);
    let refused = not_asked("own/unix", Some("hash:/own"));
    assert_eq!(
        causes(&by("own"), Home::Rules(Some(&other)), "a.example"),
        refused
    );
    assert_eq!(
        causes(&by("ours"), Home::Rules(Some(&other)), "a.example"),
        []
    );
}

#[test]
fn a_row_is_asked_where_its_table_is_named() {
    let main = "dir = /t\nsmtp_tls_policy_maps = hash:$dir/main, hash:/second\n";
    let with = |service: &str| format!("{main}default_transport = {service}\n");
    for table in ["hash:$dir/main", "hash:/t/main", "hash:/second"] {
        assert_eq!(causes(main, Home::Table(table), "a.example"), [], "{table}");
    }
    let own = Home::Table("hash:/own");
    assert_eq!(causes(&with("own"), own, "a.example"), []);
    assert_eq!(causes(main, own, "a.example"), not_asked("smtp/unix", None));
    let bare = causes(&with("bare"), Home::Table("hash:/second"), "a.example");
    assert_eq!(bare, not_asked("bare/unix", Some("")));
}

#[test]
fn lmtp_asks_tables_of_its_own() {
    let main = "default_transport = lmtp\n";
    let none = Home::Rules(None);
    let found = causes(main, none, "a.example");
    let [Cause::NotAsked { parameter, own, .. }] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!((*parameter, own), ("lmtp_tls_policy_maps", &None));
    let follows = format!("{main}lmtp_tls_policy_maps = $smtp_tls_policy_maps\n");
    assert_eq!(causes(&follows, none, "a.example"), []);
}

#[test]
fn a_next_hop_is_judged_where_everybodys_mail_leaves_by_it() {
    let main = "default_transport = bare\nrelayhost = [relay.example]:587\n";
    let none = Home::Rules(None);
    let refused = not_asked("bare/unix", Some(""));
    assert_eq!(causes(main, none, "[relay.example]:587"), refused);
    assert_eq!(causes(main, none, "[other.example]:587"), []);
    let sound = main.replace("bare", "smtp");
    assert_eq!(causes(&sound, none, "[relay.example]:587"), []);
    let wrapped = causes(main, none, "[relay.example]:465");
    assert_eq!(
        wrapped,
        [Cause::BeginsInClear {
            instead: None,
            leads: Vec::new()
        }]
    );
}

#[test]
fn both_halves_that_fail_for_one_cause_are_one() {
    let main = "relayhost = [relay.example]\n";
    let found = causes(main, Home::Rules(None), "a.example");
    let hop = Cause::OtherHop {
        hops: vec!["[relay.example]".to_owned()],
        nexthop: "[relay.example]".to_owned(),
        by: "relayhost".to_owned(),
        not_asked: None,
    };
    assert_eq!(found.as_slice(), std::slice::from_ref(&hop));
    assert_eq!(causes(main, Home::Rules(None), ".a.example"), [hop]);
}

#[test]
fn rows_of_one_cause_are_one_finding() {
    let row = |line: usize, by: &str, hop: &str| IdleRow {
        path: "/t".into(),
        line,
        rule: rule(&format!("d{line}.example")),
        useless: Useless {
            name: format!("d{line}.example"),
            cause: Cause::OtherHop {
                hops: vec![hop.to_owned()],
                nexthop: hop.to_owned(),
                by: by.to_owned(),
                not_asked: None,
            },
        },
    };
    let mut rows: Vec<IdleRow> = (1..=12)
        .map(|line| row(line, &format!("transport_maps (d{line}.example)"), "[r]"))
        .collect();
    rows.push(row(13, "relayhost", "[r]"));
    let found = idle(&rows);
    assert_eq!(found.len(), 2);
    let words = format!("{:?}", found[1]);
    for part in ["12 rows do nothing", "(transport_maps)", "and 2 more rows"] {
        assert!(words.contains(part), "{words}");
    }
    assert_eq!(found[1].evidence.len(), 12);
    assert!(
        found[0]
            .message
            .starts_with("The row does nothing: mail for d13.example leaves by [r]")
    );
    assert!(idle(&[]).is_empty());
}

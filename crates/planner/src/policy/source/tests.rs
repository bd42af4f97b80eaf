//! Rows that are rules, and rows that are none.

use super::{About, RowReader, Rule, Scopes, annotated};
use mailtls::destination::Scope;
use mailtls::policy::Dialect;
use postfix_cf::table::rows;
use proptest::prelude::*;
use proptest::sample::select;

const DIALECT: Dialect = Dialect { major: 3, minor: 7 };

/// `line: destination policy (note)`, or `line: key code`.
fn read(source: &str) -> Vec<String> {
    let mut reader = RowReader::new(Dialect { major: 3, minor: 7 }, Scopes::AsMarked);
    rows(source.as_bytes())
        .filter_map(|row| reader.read(&row))
        .map(|read| match read {
            Ok(row) => {
                let note = row.rule.about.note.unwrap_or_default();
                let (id, policy) = (row.rule.id.destination, row.rule.policy);
                format!("{}: {id} {policy} ({note})", row.line)
            }
            Err(bad) => format!("{}: {} {}", bad.line, bad.key, bad.code),
        })
        .collect()
}

#[test]
fn a_comment_right_above_a_row_is_its_note() {
    let source = "# head\n\n# one\n#  two\nA.example  encrypt\n# gone\n\nb.example may\n#c\n.c.example dane\n";
    let wanted = [
        "5: a.example encrypt (one two)",
        "8: b.example may ()",
        "10: .c.example dane (c)",
    ];
    assert_eq!(read(source), wanted);
}

#[test]
fn what_is_no_rule_is_told_with_its_line() {
    let source = "a.example encrypt\n b.example may\n*.c.example may\nd.example\ne.example bogus\n\"f may\n192.0.2.1 may\ng.example encrypt enable_rpk=yes\n";
    let wanted = [
        "1: a.example policy.joined-row",
        "3: *.c.example policy.bad-destination",
        "4: d.example policy.no-policy",
        "5: e.example policy.bad-policy",
        "6:  policy.bad-file",
        "7: 192.0.2.1 policy.bad-destination",
        "8: g.example policy.bad-policy",
    ];
    assert_eq!(read(source), wanted);
}

#[test]
fn a_note_too_long_is_cut_and_its_control_characters_are_blanks() {
    let long = format!("# {}\u{1b}[31m\na.example may\n", "ä".repeat(900));
    let note = &read(&long)[0];
    assert!(note.ends_with("…)"), "{note}");
    assert!(note.len() < 1050);
    assert_eq!(
        read("# a\u{1b}b\na.example may\n"),
        ["2: a.example may (a b)"]
    );
}

/// The rules of a map as it was written by [`annotated`], each once.
fn read_back(map: &str) -> Vec<Rule> {
    let mut reader = RowReader::new(DIALECT, Scopes::AsMarked);
    let rows = rows(map.as_bytes());
    let mut found: Vec<Rule> = rows
        .filter_map(|row| reader.read(&row))
        .map(|row| row.unwrap().rule)
        .collect();
    found.dedup();
    found
}

fn some_rule() -> impl Strategy<Value = Rule> {
    let words = || proptest::option::of("[ -~äß☂]{0,40}");
    let names = select(vec![
        "a.example",
        "bücher.example",
        "x.bücher.example",
        "[mx.example]:587",
    ]);
    let policies = select(vec![
        "may",
        "encrypt ciphers=high",
        "secure match=nexthop:dot-nexthop",
    ]);
    let scopes = select(Scope::ALL.to_vec());
    let tags = proptest::collection::vec("[a-z#:]{1,5}", 0..3);
    let days = proptest::option::of(Just("2027-01-31".to_owned()));
    let about = (words(), words(), tags, days, words());
    (names, scopes, policies, about).prop_filter_map("a next hop has no scope", |parts| {
        let (name, scope, policy, (note, owner, tags, until, reason)) = parts;
        let about = About {
            note,
            owner,
            tags,
            until,
            reason,
            entry: None,
            follow: None,
        };
        let rule = Rule::new(name, Some(scope), policy, DIALECT).ok()?;
        rule.with(about).ok()
    })
}

proptest! {
    #[test]
    fn what_is_written_of_a_rule_is_read_back_the_same(rules in proptest::collection::vec(some_rule(), 1..6)) {
        let mut map = String::new();
        for rule in &rules {
            annotated(rule, &mut map);
        }
        let mut wanted = rules;
        wanted.dedup();
        prop_assert_eq!(read_back(&map), wanted, "{}", map);
    }
}

#[test]
fn a_managed_row_is_told_and_never_read() {
    let mut rule = Rule::new("a.example", None, "may", DIALECT).unwrap();
    rule.id.manager = "domain b.example".to_owned();
    let mut map = String::new();
    annotated(&rule, &mut map);
    assert_eq!(
        map,
        "#postseal: managed a.example may by domain b.example\n"
    );
    assert_eq!(read_back(&map), []);
}

#[test]
fn marked_words_are_no_note_and_scopes_are_only_read_where_they_are_asked_for() {
    let source = "# note\n#postseal: scope both\n#postseal: owner alice\n#postseal: colour red\na.example may\n";
    let read = |scopes| {
        let mut reader = RowReader::new(DIALECT, scopes);
        let mut rows = rows(source.as_bytes());
        rows.find_map(|row| reader.read(&row)).unwrap().unwrap()
    };
    let marked = read(Scopes::AsMarked).rule;
    assert_eq!(marked.scope(), Scope::Both);
    assert_eq!(marked.about.owner.as_deref(), Some("alice"));
    assert_eq!(
        marked.about.note.as_deref(),
        Some("note postseal: colour red")
    );
    assert_eq!(read(Scopes::OfKeys).rule.scope(), Scope::Domain);
}

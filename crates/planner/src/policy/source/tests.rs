//! Rows that are rules, and rows that are none.

use super::RowReader;
use mailtls::policy::Dialect;
use postfix_cf::table::rows;

/// `line: destination policy (note)`, or `line: key code`.
fn read(source: &str) -> Vec<String> {
    let mut reader = RowReader::new(Dialect { major: 3, minor: 7 });
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

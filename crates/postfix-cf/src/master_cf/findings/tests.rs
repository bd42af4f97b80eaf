//! One row a finding.

use crate::{FindingCode as Code, MasterCf};

type Row = (&'static str, &'static [(Code, usize, Option<usize>)]);

#[test]
fn table() {
    let table: &[Row] = &[
        (
            "smtp inet n - y - - smtpd\n  -o a=b\n# c\n  -o { c = $d e }\n",
            &[],
        ),
        (
            "x unix - n n - 2 pipe\n  flags=R user=u argv=/bin/x -o y\n",
            &[],
        ),
        ("x unix - n n - 0 /usr/lib/spawn user=u argv=/x\n", &[]),
        ("smtp inet n - y -\n  - smtpd\n", &[]),
        ("smtp inet n - y - -\n", &[(Code::FieldCount, 1, None)]),
        ("smtp/inet/a = b\n", &[(Code::FieldCount, 1, None)]),
        ("a tcp n - y - - smtpd\n", &[(Code::BadType, 1, None)]),
        ("a unix x - y - - smtpd\n", &[(Code::BadField, 1, None)]),
        ("a unix - - yes - - smtpd\n", &[(Code::BadField, 1, None)]),
        (
            "a unix - -\n  - 60? 1? smtpd\n",
            &[(Code::BadField, 2, None)],
        ),
        ("a unix - - - 1m - smtpd\n", &[(Code::BadField, 1, None)]),
        ("a unix - - - -? - smtpd\n", &[]),
        ("a unix - - - - -1 smtpd\n", &[(Code::BadField, 1, None)]),
        ("a inet - - y - - smtpd\n", &[(Code::BadField, 1, None)]),
        ("a inet y - y - - smtpd\n", &[(Code::BadField, 1, None)]),
        (
            "a inet n - y - - smtpd\n\na inet n - n - - smtpd\na unix n - n - - smtpd\n",
            &[(Code::DuplicateService, 1, Some(3))],
        ),
        (
            "a inet n - y - - smtpd\n  -o n = v\n",
            &[(Code::BadOverride, 2, None)],
        ),
        (
            "a inet n - y - - smtpd\n  -o n\n",
            &[(Code::BadOverride, 2, None)],
        ),
        (
            "a inet n - y - - smtpd -o\n",
            &[(Code::BadOverride, 1, None)],
        ),
        (
            "a inet n - y - - smtpd -o =v\n",
            &[(Code::BadOverride, 1, None)],
        ),
        (
            "a inet n - y - - smtpd\n  -o a=b, c\n  -o d=e\n",
            &[(Code::StrayArgument, 2, None)],
        ),
        (
            "a inet n - y - - smtpd\n -o a=b\n c\n",
            &[(Code::StrayArgument, 3, None)],
        ),
        (
            "a inet n - y - - smtpd\n  -o a=b\n  -o c=d\n  -o a=e\n",
            &[(Code::RepeatedOverride, 2, Some(4))],
        ),
        (
            "a inet n - y - - smtpd -o a=${b\n",
            &[(Code::BadExpansion, 1, None)],
        ),
        (
            "a inet n - y - - smtpd -o { a = b\n",
            &[(Code::UnbalancedArgument, 1, None)],
        ),
        (
            "a inet n - y - - smtpd -o {a=b}c\n",
            &[(Code::UnbalancedArgument, 1, None)],
        ),
        (
            "a inet n - y - - smtpd -o{a=b}c\n",
            &[(Code::UnbalancedArgument, 1, None)],
        ),
        (
            "  -o a=b\na inet n - y - - smtpd\n",
            &[(Code::IndentedFirstLine, 1, None)],
        ),
        ("a inet n - y - - smtpd\0 x\n", &[(Code::NulByte, 1, None)]),
        ("a inet n - y - - smtpd", &[(Code::NoFinalNewline, 1, None)]),
        ("", &[]),
    ];
    for (text, expected) in table {
        let found = MasterCf::parse(text.as_bytes()).findings();
        let found: Vec<_> = found
            .iter()
            .map(|f| (f.code, f.line, f.other_line))
            .collect();
        assert_eq!(found, *expected, "{text:?}");
    }
}

#[test]
fn sentences() {
    let master = MasterCf::parse(b"a inet n - y - - smtpd\n  -o a=b, c\n  -o d = e\n");
    let text: Vec<_> = master.findings().iter().map(ToString::to_string).collect();
    let expected = ["line 2: a/inet: \"c\" is no option: smtpd sees neither it nor what follows"];
    assert_eq!(text, expected);
    let master = MasterCf::parse(b"a inet n - y - - smtpd\n  -o d = e\n");
    let text: Vec<_> = master.findings().iter().map(ToString::to_string).collect();
    let expected = ["line 2: a/inet: -o is given \"d\", not name=value without blanks"];
    assert_eq!(text, expected);
}

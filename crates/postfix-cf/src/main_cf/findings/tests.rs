//! One row a finding.

use crate::{FindingCode as Code, MainCf, Severity};

type Row = (&'static [u8], &'static [(Code, usize, Option<usize>)]);

#[test]
fn table() {
    let table: &[Row] = &[
        (b"a = 1\n# c\nb = $a ${a?{x}:{y}}\n", &[]),
        (b"a = 1\nno equals\n", &[(Code::MissingEquals, 2, None)]),
        (
            b"a = 1\nname\n# c\n  more\n",
            &[(Code::MissingEquals, 2, None)],
        ),
        (b"= 1\n", &[(Code::MissingName, 1, None)]),
        (
            b"# c\n\n a = 1\n b\n",
            &[(Code::IndentedFirstLine, 3, None)],
        ),
        (b"a = 1\n\na = 2\n", &[(Code::Overridden, 1, Some(3))]),
        (
            b"a = 1\na = 2\na = 3\n",
            &[
                (Code::Overridden, 1, Some(2)),
                (Code::Overridden, 2, Some(3)),
            ],
        ),
        (b"a = 1\na =   1\n", &[(Code::Repeated, 1, Some(2))]),
        (b"a = ${b\n", &[(Code::BadExpansion, 1, None)]),
        (b"a = $\n", &[(Code::BadExpansion, 1, None)]),
        (b"a = $b?{c}:d\n", &[]),
        (b"a = {b\n", &[(Code::UnbalancedBraces, 1, None)]),
        (b"a = b}\n", &[(Code::UnbalancedBraces, 1, None)]),
        (b"a = b\n  \0c\n", &[(Code::NulByte, 2, None)]),
        (
            b"a\0 = b\n",
            &[(Code::NulByte, 1, None), (Code::MissingEquals, 1, None)],
        ),
        (b"a = b\n  \xff\n", &[(Code::NotUtf8, 2, None)]),
        (b"# \xff \0\na = b\n", &[]),
        (b"a = b # c\n", &[(Code::InlineComment, 1, None)]),
        (b"a = b\n  c #d\n", &[(Code::InlineComment, 2, None)]),
        (b"a = #b\n", &[(Code::InlineComment, 1, None)]),
        (b"a = b#c\n", &[]),
        (b"a = b\r\n", &[]),
        (b"a = b\r\n  c\r\n", &[(Code::CarriageReturn, 1, None)]),
        (
            b"a = b\n# c\n\n  d\n  e\n",
            &[(Code::SplitContinuation, 4, None)],
        ),
        (b"a = b\nc = d", &[(Code::NoFinalNewline, 2, None)]),
        (b"a = b\n# c", &[(Code::NoFinalNewline, 2, None)]),
        (b"\xef\xbb\xbfa = b\n", &[(Code::ByteOrderMark, 1, None)]),
        (b"", &[]),
    ];
    for (bytes, expected) in table {
        let found = MainCf::parse(bytes).findings();
        let found: Vec<_> = found
            .iter()
            .map(|f| (f.code, f.line, f.other_line))
            .collect();
        assert_eq!(found, *expected, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn sentences_name_the_parameter_and_both_lines() {
    let findings = MainCf::parse(b"\nbiff = yes\nbiff = no\n").findings();
    let [finding] = &findings[..] else {
        panic!("{findings:?}");
    };
    assert_eq!(finding.subject, "biff");
    assert_eq!(finding.severity(), Severity::Warning);
    assert_eq!(finding.to_string(), "line 2: biff is overridden at line 3");
}

#[test]
fn long_and_odd_text_is_cut_whole() {
    let line = "é".repeat(500);
    let findings = MainCf::parse(format!("{line}\n").as_bytes()).findings();
    assert!(findings[0].text.ends_with("é…\""), "{}", findings[0].text);
}

#[test]
fn findings_are_in_the_order_of_lines() {
    let main = MainCf::parse(b"a = 1\nb = ${\nc\na = {\n");
    let lines: Vec<_> = main.findings().iter().map(|f| f.line).collect();
    assert_eq!(lines, [1, 2, 3, 4]);
}

#[test]
fn of_a_kind_a_hundred_are_kept_and_the_last_counts_the_others() {
    let bytes = b"x\n".repeat(100);
    let kept = MainCf::parse(&bytes).findings();
    assert_eq!(kept.len(), 100);
    assert!(kept.iter().all(|finding| finding.more == 0));

    let bytes = [
        b"a = 1\n = 2\n".to_vec(),
        b"x\n".repeat(1234),
        b"= 1\n".to_vec(),
    ]
    .concat();
    let kept = MainCf::parse(&bytes).findings();
    let more: Vec<_> = kept.iter().filter(|f| f.more > 0).collect();
    assert_eq!(
        kept.iter()
            .filter(|f| f.code == Code::MissingEquals)
            .count(),
        100
    );
    assert_eq!(more.len(), 1);
    assert_eq!(
        (more[0].code, more[0].line, more[0].more),
        (Code::MissingEquals, 102, 1134)
    );
    // One kind hides no other.
    assert!(
        kept.iter()
            .any(|f| f.code == Code::MissingName && f.line == 1237)
    );
}

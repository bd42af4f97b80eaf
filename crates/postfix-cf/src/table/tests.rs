//! Tests of `table`; what postmap(1) itself makes of a source is in `tests/table.rs`.

use super::{Content, Row, rows, whole};

fn all(source: &str) -> Vec<(usize, String)> {
    let word = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    rows(source.as_bytes())
        .map(|Row { line, content, .. }| {
            let text = match content {
                Content::Pair { key, value } => format!("{}={}", word(&key), word(&value)),
                Content::NoValue(key) => format!("{}!", word(&key)),
                Content::Unbalanced => "unbalanced".to_owned(),
                Content::Indented => "indented".to_owned(),
                Content::Nothing => "nothing".to_owned(),
            };
            (line, text)
        })
        .collect()
}

fn is(source: &str, expected: &[(usize, &str)]) {
    let found = all(source);
    let found: Vec<(usize, &str)> = found.iter().map(|(n, t)| (*n, t.as_str())).collect();
    assert_eq!(found, expected, "{source:?}");
}

#[test]
fn rows_have_a_key_and_a_value() {
    is("a b\n", &[(1, "a=b")]);
    is("a\tb c \n\nd e", &[(1, "a=b c"), (3, "d=e")]);
    is(
        "# x\na b\n# y\nc d\n",
        &[(1, "nothing"), (2, "a=b"), (4, "c=d")],
    );
    is("", &[]);
}

#[test]
fn a_line_that_begins_with_a_blank_goes_on_the_one_before() {
    is("a encrypt\n b encrypt\n", &[(1, "a=encrypt b encrypt")]);
    is("a\n  b\n", &[(1, "a=b")]);
    is("a b\n# c\n\n d\n", &[(1, "a=b d")]);
    let joined: Vec<usize> = rows(b"a b\n# c\n d\n e\nf g\n")
        .flat_map(|row| row.joined)
        .collect();
    assert_eq!(joined, [3, 4]);
}

#[test]
fn what_postmap_leaves_out_is_told_apart() {
    is(" a b\nc d\n", &[(1, "indented"), (2, "c=d")]);
    is("a\nb c\n", &[(1, "a!"), (2, "b=c")]);
    is("\"a b c\nd e\n", &[(1, "unbalanced"), (2, "d=e")]);
    is("\"a b\" c\n", &[(1, "\"a b\"=c")]);
}

#[test]
fn every_byte_is_in_a_row() {
    let sources: [&[u8]; 5] = [
        b"",
        b"\n",
        b"# c\n a\n\nb c\n d\n#e",
        b"a b\r\nc d\r\n",
        b"\0\n\xe9 x",
    ];
    for bytes in sources {
        let printed: Vec<u8> = rows(bytes).flat_map(|row| row.text.to_vec()).collect();
        assert_eq!(printed, bytes);
    }
}

#[test]
fn whole_rows_are_told_from_the_one_that_may_go_on() {
    let cases: [(&[u8], usize); 7] = [
        (b"", 0),
        (b"a b", 0),
        (b"a b\n", 0),
        (b"a b\nc", 4),
        (b"a b\n# x\n d\n", 0),
        (b"a b\nc d\n# x\n\n e\n", 4),
        (b"# x\n\na", 5),
    ];
    for (bytes, wanted) in cases {
        assert_eq!(whole(bytes), wanted, "{:?}", String::from_utf8_lossy(bytes));
    }
}

//! Reading values, and refusing edits.

use super::MainCf;
use crate::EditError;

#[test]
fn what_postfix_sees() {
    // Each row was seen with `postconf -n` of Postfix 3.7.11.
    let table: &[(&[u8], Option<&[u8]>)] = &[
        (b"x = a\n", Some(b"a")),
        (b"x=a", Some(b"a")),
        (b"x\t=\t a \t\n", Some(b"a")),
        (b"x = a = b\n", Some(b"a = b")),
        (b"x =\n", Some(b"")),
        (b"x =", Some(b"")),
        (b"x = a\n  b\n", Some(b"a  b")),
        (b"x = a   \n b  \n", Some(b"a    b")),
        (b"x = a\n  b\n# c\n  c\n\n  d\n", Some(b"a  b  c  d")),
        (b"x =\n  a\n", Some(b"a")),
        (b"x\n# c\n\n  = a\n", Some(b"a")),
        (b"x = a\r\n  b\r\n", Some(b"a\r  b")),
        (b"x = a\r\n", Some(b"a")),
        (b"x = a\n\x0cb\n\x0b c\n", Some(b"a\x0cb\x0b c")),
        (b"x = a # b\n", Some(b"a # b")),
        (b"x = #a\n", Some(b"#a")),
        (b"x = a\0b\n  c\n", Some(b"a")),
        (b"x = a\n# c", Some(b"a")),
        (b"x = a\n = b\n", Some(b"a = b")),
        (b"x = \xe9\n", Some(b"\xe9")),
        (b"x = 1\nx = 2\n", Some(b"2")),
        (b"X = a\n", None),
        (b"#x = a\n", None),
        (b" x = a\n", None),
        (b"x a\n", None),
        (b"x\n", None),
        (b"x\0 = a\n", None),
        (b"x y = a\n", None),
        (b"\xef\xbb\xbfx = a\n", None),
        (b"= a\n", None),
        (b"", None),
    ];
    for (bytes, value) in table {
        let main = MainCf::parse(bytes);
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(main.get("x").as_deref(), *value, "{shown:?}");
        assert_eq!(main.to_bytes(), *bytes, "{shown:?}");
    }
}

#[test]
fn names_may_hold_anything_else() {
    let main = MainCf::parse(b"a.b = 1\na-b=2\n-=3\n\xe9 = 4\n");
    let names: Vec<_> = main.entries().map(|e| e.name().into_owned()).collect();
    assert_eq!(names, ["a.b", "a-b", "-", "\u{fffd}"]);
    assert_eq!(main.get("a-b").as_deref(), Some(&b"2"[..]));
    let last = main.entries().last().expect("four entries");
    assert_eq!(
        (last.name_bytes(), &*last.value()),
        (&b"\xe9"[..], &b"4"[..])
    );
}

#[test]
fn entries_know_their_lines() {
    let main = MainCf::parse(b"# 1\na = 1\n# 3\n  2\n\nbad\nb =\n\n  x\n# 10\n");
    let lines: Vec<_> = main
        .entries()
        .map(|e| (e.name().into_owned(), e.first_line(), e.last_line()))
        .collect();
    assert_eq!(lines, [("a".into(), 2, 4), ("b".into(), 7, 9)]);
    let first = main.entries().next().expect("two entries");
    assert_eq!(first.raw(), b"a = 1\n# 3\n  2\n");
    assert_eq!(main.raw("a"), Some(first.raw()));
    assert_eq!(main.raw("none"), None);
}

#[test]
fn no_value_becomes_a_second_line() {
    let before = b"a = 1\nb = 2\n";
    for value in ["x\ny = z", "\n", "x\r", "\r\n", "x\0", "a\n\tb"] {
        let mut main = MainCf::parse(before);
        assert_eq!(main.set("a", value.as_bytes()), Err(EditError::ControlByte));
        assert_eq!(main.set("c", value.as_bytes()), Err(EditError::ControlByte));
        assert_eq!(main.to_bytes(), before, "{value:?}");
    }
}

#[test]
fn no_name_becomes_something_else() {
    let before = b"a = 1\n";
    for name in [
        "", " a", "a ", "a b", "a=b", "=", "#a", "a\nb", "a\0", "\ta", "a\x0c",
    ] {
        let mut main = MainCf::parse(before);
        assert_eq!(main.set(name, b"x"), Err(EditError::BadName), "{name:?}");
        assert_eq!(main.to_bytes(), before, "{name:?}");
        assert_eq!(main.unset(name), 0, "{name:?}");
    }
}

#[test]
fn raw_is_taken_back_only_as_one_entry() {
    let before = b"a = 1\nb = 2\n";
    let bad: [&[u8]; 12] = [
        b"",
        b"a",
        b"b = 1\n",
        b"a = 1\nb = 3\n",
        b"a = 1\na = 2\n",
        b" a = 1\n",
        b"# c\na = 1\n",
        b"a = 1\n# c\n",
        b"a = 1\n\n",
        b"a 1\n",
        b"= 1\n",
        b"a\0= 1\n",
    ];
    for raw in bad {
        let mut main = MainCf::parse(before);
        let shown = String::from_utf8_lossy(raw);
        assert_eq!(
            main.set_raw("a", raw),
            Err(EditError::NotOneEntry),
            "{shown:?}"
        );
        assert_eq!(main.to_bytes(), before, "{shown:?}");
    }
}

#[test]
fn raw_goes_back_where_comments_have_changed_since() {
    let raw = b"a = 1\n# one\n  2\n";
    let table: [(&[u8], &[u8]); 5] = [
        // Still there.
        (
            b"a = x\n# one\n# two\nb = 2\n",
            b"a = 1\n# one\n  2\n# two\nb = 2\n",
        ),
        // Edited: nothing of the administrator's is lost or doubled.
        (b"a = x\n# uno\nb = 2\n", b"a = 1\n  2\n# uno\nb = 2\n"),
        (b"a = x\nb = 2\n", b"a = 1\n  2\nb = 2\n"),
        // Gone.
        (b"b = 2\n", b"b = 2\na = 1\n# one\n  2\n"),
        (b"b = 2", b"b = 2\na = 1\n# one\n  2\n"),
    ];
    for (before, after) in table {
        let mut main = MainCf::parse(before);
        main.set_raw("a", raw).expect("one entry");
        assert_eq!(main.to_bytes(), after);
    }
}

#[test]
fn raw_without_a_newline_gets_one_when_something_follows() {
    let mut main = MainCf::parse(b"a = x\nb = 2\n");
    main.set_raw("a", b"a = 1").expect("one entry");
    assert_eq!(main.to_bytes(), b"a = 1\nb = 2\n");
    main.unset("b");
    main.set_raw("a", b"a = 3").expect("one entry");
    assert_eq!(main.to_bytes(), b"a = 3");
    main.set("c", b"4").expect("a plain value");
    assert_eq!(main.to_bytes(), b"a = 3\nc = 4\n");
}

#[test]
fn edits_follow_each_other() {
    let mut main = MainCf::parse(b"a = 1\n  2\n# c\n  3\nb = 4");
    main.set("a", b"x").expect("a plain value");
    main.set("a", b"y").expect("a plain value");
    main.set("c", b"").expect("a plain value");
    assert_eq!(main.unset("b"), 1);
    main.set("b", b" z ").expect("a plain value");
    assert_eq!(main.to_bytes(), b"a = y\n# c\nc = \nb = z\n");
    assert_eq!(main.get("b").as_deref(), Some(&b"z"[..]));
    let lines: Vec<_> = main.entries().map(|e| e.first_line()).collect();
    assert_eq!(lines, [1, 3, 4]);
}

/// A million lines, a part of them looked up and set: this ends only when each edit is local.
#[test]
fn a_million_lines() {
    let count = 1_000_000;
    let mut bytes = Vec::new();
    for i in 0..count {
        bytes.extend_from_slice(format!("p{i} = {i}\n").as_bytes());
    }
    let mut main = MainCf::parse(&bytes);
    for i in (0..count).step_by(20) {
        let name = format!("p{i}");
        assert!(main.get(&name).is_some());
        main.set(&name, b"x").expect("a plain value");
    }
    for i in 0..1000 {
        main.set(&format!("new{i}"), b"y").expect("a plain value");
    }
    assert_eq!(main.unset("p0"), 1);
    let lines = main.to_bytes().iter().filter(|&&b| b == b'\n').count();
    assert_eq!(lines, count + 1000 - 1);
    assert_eq!(main.findings(), []);
}

#[test]
fn a_million_lines_of_one_entry() {
    let mut bytes = b"a =\n".to_vec();
    bytes.extend_from_slice(&b"# c\n x\n".repeat(500_000));
    let mut main = MainCf::parse(&bytes);
    assert_eq!(main.get("a").map(|v| v.len()), Some(999_999));
    let raw = main.raw("a").expect("an entry").to_vec();
    main.set("a", b"y").expect("a plain value");
    main.set_raw("a", &raw).expect("what raw gave");
    assert_eq!(main.to_bytes(), bytes);
    assert_eq!(main.unset("a"), 1);
    assert_eq!(main.to_bytes().len(), 4 * 500_000);
}

//! Kinds and ends of physical lines.

use super::LineKind::{Blank, Comment, Continuation, Start};
use super::{lines, trim};

#[test]
fn a_line_is_what_its_first_bytes_say() {
    let table: &[(&[u8], super::LineKind)] = &[
        (b"a = b\n", Start),
        (b"a", Start),
        (b"=", Start),
        (b"\0\n", Start),
        (b"\xa0x\n", Start),
        (b"\n", Blank),
        (b" \t\r\n", Blank),
        (b"\x0b\x0c", Blank),
        (b"#", Comment),
        (b" \t# x\n", Comment),
        (b"\r#\n", Comment),
        (b" a\n", Continuation),
        (b"\x0ca\n", Continuation),
        (b"\ra\n", Continuation),
    ];
    for (bytes, kind) in table {
        let mut found = lines(bytes);
        assert_eq!(found.next().map(|l| l.kind), Some(*kind), "{bytes:?}");
        assert!(found.next().is_none(), "{bytes:?}");
    }
}

#[test]
fn line_ends() {
    let table: [(&[u8], &[u8], &[u8]); 5] = [
        (b"a\n", b"a", b"\n"),
        (b"a\r\n", b"a\r", b"\r\n"),
        (b"a", b"a", b""),
        (b"a\r", b"a\r", b""),
        (b"\n", b"", b"\n"),
    ];
    for (bytes, text, eol) in table {
        let line = lines(bytes).next().expect("a line");
        assert_eq!((line.text(), line.eol()), (text, eol), "{bytes:?}");
    }
}

#[test]
fn offsets_add_up() {
    let bytes = b"a\n\n b\r\n#";
    let ends: Vec<_> = lines(bytes).map(|l| (l.at, l.end())).collect();
    assert_eq!(ends, [(0, 2), (2, 3), (3, 7), (7, 8)]);
}

#[test]
fn trim_takes_ascii_whitespace_only() {
    assert_eq!(trim(b" \t\r\n\x0b\x0ca b\x0c "), b"a b");
    assert_eq!(trim(b"\xa0a\xa0"), b"\xa0a\xa0");
    assert_eq!(trim(b"  "), b"");
}

//! Lists as Postfix splits them.

use super::{elements, elements_of_bytes};

fn split(list: &str) -> Vec<&str> {
    elements(list).collect()
}

#[test]
fn commas_and_blanks_part_elements() {
    assert_eq!(split("a,b c\td\r\n  e"), ["a", "b", "c", "d", "e"]);
    assert_eq!(split(" , a ,, b , "), ["a", "b"]);
    for nothing in ["", " ", ",", " ,\t\r\n"] {
        assert!(split(nothing).is_empty(), "{nothing:?}");
    }
}

#[test]
fn braces_hold_together() {
    assert_eq!(
        split("inline:{ a.example = smtp:[x]:25, b = c }, hash:/etc/t"),
        ["inline:{ a.example = smtp:[x]:25, b = c }", "hash:/etc/t"]
    );
    assert_eq!(
        split("inline:{ { a = b c }, { d = e } } pipemap:{hash:/a, hash:/b}"),
        [
            "inline:{ { a = b c }, { d = e } }",
            "pipemap:{hash:/a, hash:/b}"
        ]
    );
    assert_eq!(split("{ a b }c d"), ["{ a b }c", "d"]);
}

/// As `mystrtokq()` counts them.
#[test]
fn braces_without_their_like() {
    assert_eq!(split("a} b"), ["a}", "b"]);
    assert_eq!(split("} { a b"), ["}", "{ a b"]);
    assert_eq!(split("inline:{ a = b, c"), ["inline:{ a = b, c"]);
    assert_eq!(split("a{ } } b"), ["a{ }", "}", "b"]);
}

#[test]
fn letters_of_other_scripts_stay_whole() {
    assert_eq!(split("é,{ü ö} ß"), ["é", "{ü ö}", "ß"]);
}

#[test]
fn bytes_are_split_as_letters_are() {
    let list = b"a\xff, {b \xfe} c";
    let split: Vec<&[u8]> = elements_of_bytes(list).collect();
    assert_eq!(split, [&b"a\xff"[..], b"{b \xfe}", b"c"]);
}

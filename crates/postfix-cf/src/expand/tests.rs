//! Expansion: what it yields, what it refuses, where it ends.

use super::{MAX_OUTPUT, check_expansion, expand, references};
use crate::ExpandError;
use std::borrow::Cow;

fn lookup(name: &str) -> Option<Cow<'static, [u8]>> {
    let value: &'static [u8] = match name {
        "a" => b"A",
        "b" => b"[$a]",
        "empty" => b"",
        "dollar" => b"$$a",
        "loop" => b"x$loop",
        "ping" => b"${a?$pong}",
        "pong" => b"$ping",
        "bad" => b"${",
        "level" => b"3.6",
        _ => return None,
    };
    Some(Cow::Borrowed(value))
}

fn expanded(value: &str) -> Result<String, ExpandError> {
    let bytes = expand(value.as_bytes(), &lookup)?;
    Ok(String::from_utf8(bytes).expect("UTF-8 in, UTF-8 out"))
}

/// Each row was seen with `postconf -x` of Postfix 3.7.11 (the test `expansion` asks it again).
#[test]
fn good() {
    let table = include_str!("../../tests/expansion/good.tsv");
    for row in table.lines() {
        let (value, expected) = row.split_once('\t').expect("two columns");
        assert_eq!(expanded(value).as_deref(), Ok(expected), "{value}");
        assert_eq!(check_expansion(value.as_bytes()), Ok(()), "{value}");
    }
}

#[test]
fn bad() {
    let table = include_str!("../../tests/expansion/bad.tsv");
    for row in table.lines() {
        let (value, expected) = row.split_once('\t').expect("two columns");
        let error = expanded(value).expect_err(value);
        assert!(error.to_string().contains(expected), "{value}: {error}");
    }
}

#[test]
fn bytes_pass_through() {
    let expanded = expand(b"\xff$a\0\xe9", &lookup);
    assert_eq!(expanded.as_deref(), Ok(&b"\xffA\0\xe9"[..]));
}

#[test]
fn names_that_refer_to_each_other_end() {
    for value in ["$loop", "$ping", "${{$loop} == {x}}"] {
        let error = expanded(value).expect_err(value);
        assert!(matches!(error, ExpandError::TooDeep(_)), "{value}: {error}");
    }
}

#[test]
fn doubling_names_end() {
    // Thirty levels of two: a billion steps without any output.
    let lookup = |name: &str| {
        let level: u32 = name[1..].parse().ok()?;
        let value = if level < 30 {
            format!("$n{0}$n{0}", level + 1)
        } else {
            String::new()
        };
        Some(Cow::Owned(value.into_bytes()))
    };
    let error = expand(b"$n0", &lookup).expect_err("too much");
    assert!(matches!(error, ExpandError::TooLarge { .. }), "{error}");
}

#[test]
fn output_is_bounded() {
    let big = vec![b'x'; 1000];
    let lookup = |_: &str| Some(Cow::Owned(big.clone()));
    let value = b"$a".repeat(1 + MAX_OUTPUT / 1000);
    let error = expand(&value, &lookup).expect_err("too much");
    assert_eq!(error, ExpandError::TooLarge { limit: MAX_OUTPUT });
    let tested = b"${a?}".repeat(100_000);
    let error = expand(&tested, &lookup).expect_err("too much");
    assert!(matches!(error, ExpandError::TooLarge { .. }), "{error}");
}

#[test]
fn nested_braces_end() {
    let value = [b"${a?".repeat(200), b"}".repeat(200)].concat();
    let error = expand(&value, &lookup).expect_err("too deep");
    assert!(matches!(error, ExpandError::TooDeep(_)), "{error}");
    let error = check_expansion(&value).expect_err("too deep");
    assert!(matches!(error, ExpandError::TooDeep(_)), "{error}");
}

#[test]
fn the_branch_that_is_not_taken_is_checked_all_the_same() {
    assert_eq!(expanded("${empty?$}x").as_deref(), Ok("x"));
    let error = check_expansion(b"${empty?$}x").expect_err("an empty name");
    assert!(matches!(error, ExpandError::EmptyName(_)), "{error}");
}

#[test]
fn names_are_found_in_all_branches_once() {
    let table: &[(&str, &[&str])] = &[
        ("plain $$text", &[]),
        ("$a ${b} $(c) $a", &["a", "b", "c"]),
        ("${a?$b:${c}}", &["a", "b", "c"]),
        ("${a?{$b}:{$c}}$d", &["a", "b", "c", "d"]),
        ("${{$a} == {$b} ? {$c} : {$d}}", &["a", "b", "c", "d"]),
        ("$a ${?x} ${ b } ${broken", &["a", "b"]),
    ];
    for (value, names) in table {
        assert_eq!(references(value.as_bytes()), *names, "{value}");
    }
}

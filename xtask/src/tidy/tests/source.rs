//! Rules on what source and manifests say.

use super::{found, offences};
use crate::tidy::File;

const FILE: &str = "crates/cli/src/a.rs";
const PURE: &str = "crates/postfix-cf/src/a.rs";

/// The offences of `text` under a module comment, which is line 1.
fn says(path: &str, text: &str) -> Vec<String> {
    found(path, &format!("//! x\n{text}\n"))
}

#[test]
fn every_source_file_opens_with_its_purpose() {
    let wanted = ["1: does not open with `//!`"];
    assert_eq!(found(FILE, "use a::b;\n"), wanted);
    assert_eq!(found("crates/cli/tests/a.rs", "\n//! late\n"), wanted);
}

#[test]
fn what_does_not_lex_is_said() {
    let list = says(FILE, "fn a() { \"open");
    assert!(list[0].starts_with("1: does not lex"), "{list:?}");
}

#[test]
fn unfinished_work_is_found_in_tests_too() {
    let text = concat!(
        "fn a() { to",
        "do!() }\nfn b() { unimpl",
        "emented!(\"x\") }"
    );
    for path in [FILE, "crates/cli/tests/a.rs"] {
        assert_eq!(says(path, text), ["2: todo!", "3: unimplemented!"]);
    }
    assert!(says(FILE, "// todo!()\nconst A: &str = \"todo!()\";").is_empty());
}

#[test]
fn an_ignored_test_is_found() {
    let wanted = ["2: an ignored test"];
    assert_eq!(
        says("crates/cli/tests/a.rs", "#[ignore = \"slow\"]\nfn a() {}"),
        wanted
    );
    assert!(says(FILE, "fn ignore() {}").is_empty());
    let child =
        |parent: &str| format!("#[ignore = \"the child of {parent}\"]\nfn a() {{}}\nfn b() {{}}");
    assert!(says("crates/cli/tests/a.rs", &child("b")).is_empty());
    assert_eq!(says("crates/cli/tests/a.rs", &child("gone")), wanted);
}

#[test]
fn a_silenced_lint_wants_a_reason() {
    let wanted = ["2: a lint is silenced without a reason"];
    assert_eq!(says(FILE, "#[allow(dead_code)]\nfn a() {}"), wanted);
    assert_eq!(says(FILE, "#![expect(dead_code)]"), wanted);
    assert!(says(FILE, "#[expect(dead_code, reason = \"b\")]\nfn a() {}").is_empty());
}

#[test]
fn unsafe_is_nowhere() {
    assert_eq!(says(FILE, "fn a() {\n    unsafe { b() }\n}"), ["3: unsafe"]);
    assert!(says(FILE, "#![forbid(unsafe_code)] // unsafe").is_empty());
}

#[test]
fn tests_stand_beside_the_code() {
    let wanted = ["2: a test switch inside production code"];
    assert_eq!(says(FILE, "#[cfg(test)]\nmod tests { }"), wanted);
    assert_eq!(says(FILE, "#[cfg(any(test, fuzzing))]\nfn a() {}"), wanted);
    assert!(says(FILE, "#[cfg(test)]\nmod tests;").is_empty());
    assert!(says(FILE, "#[cfg(test)]\npub mod tests;").is_empty());
    assert!(says(FILE, "#[cfg(test)]\npub(crate) mod samples;").is_empty());
    assert!(says(FILE, "#[cfg(unix)]\nfn a() {}").is_empty());
}

#[test]
fn a_module_declared_for_tests_is_a_test() {
    let root = || {
        File::new(
            "crates/postfix-cf/src/lib.rs",
            "//! x\n#[cfg(test)]\nmod samples;\n",
        )
    };
    let file = |path: &str| File::new(path, "//! x\nuse std::fs;\n");
    let samples = || file("crates/postfix-cf/src/samples.rs");
    let below = || file("crates/postfix-cf/src/samples/more.rs");
    assert!(offences(vec![root(), samples(), below()]).is_empty());
    assert_eq!(offences(vec![samples(), below()]).len(), 2);
    let other = file("crates/postfix-cf/src/samples_of_life.rs");
    assert_eq!(offences(vec![root(), other]).len(), 1);
}

#[test]
fn no_bool_parameter_is_public() {
    let wanted = ["2: a bool parameter in a public function"];
    assert_eq!(says(FILE, "pub fn a(b: u8, c: bool) {}"), wanted);
    assert_eq!(says(FILE, "pub const fn a(c: bool) -> u8 { 1 }"), wanted);
    for fine in [
        "fn a(b: bool) {}",
        "pub(crate) fn a(b: bool) {}",
        "pub fn a(b: Option<bool>) -> bool { let c: bool = true; c }",
    ] {
        assert!(says(FILE, fine).is_empty(), "{fine}");
    }
}

#[test]
fn no_tuple_over_two_is_public() {
    let wanted = ["2: a tuple over two in a public signature"];
    for wrong in [
        "pub fn a() -> (u8, u8, u8) { b() }",
        "pub fn a(b: &[(u8, BTreeMap<u8, u8>, u8)]) {}",
        "pub fn a() -> Option<((u8, u8), u8, u8)> { b() }",
        "pub trait T { }\npub trait U { }",
    ] {
        let list = says(FILE, wrong);
        if wrong.starts_with("pub fn") {
            assert_eq!(list, wanted, "{wrong}");
        } else {
            assert!(list.is_empty(), "{wrong}");
        }
    }
    for fine in [
        "pub fn a(b: u8, c: u8, d: u8) -> (u8, BTreeMap<u8, u8>) { e((1, 2, 3)) }",
        "pub fn a<F: Fn(u8, u8, u8) -> u8>(b: u8, c: F, d: u8) {}",
        "pub fn a(b: (u8, fn(u8) -> u8)) {}",
        "fn a() -> (u8, u8, u8) { b() }",
    ] {
        assert!(says(FILE, fine).is_empty(), "{fine}");
    }
}

#[test]
fn a_pure_crate_does_not_name_the_world() {
    let table = [
        ("use std::fs;", "2: std::fs"),
        ("use std::{fmt, fs::{self, File}};", "2: std::fs"),
        ("fn a() { std::process::exit(1) }", "2: std::process"),
        ("use std::env;", "2: std::env"),
        ("use std::net::{IpAddr, TcpStream};", "2: net::TcpStream"),
        ("fn a() { SystemTime::now() }", "2: SystemTime::now"),
        ("fn a() { std::time::Instant::now() }", "2: Instant::now"),
        ("fn a() { println!(\"x\") }", "2: println!"),
        ("fn a() { assert!(b({\n std::fs::read() })) }", "3: std::fs"),
    ];
    for (text, wanted) in table {
        assert_eq!(says(PURE, text), [wanted], "{text}");
        assert!(says(FILE, text).is_empty(), "the CLI may: {text}");
        assert!(
            says("crates/postfix-cf/tests/a.rs", text).is_empty(),
            "tests may: {text}"
        );
    }
}

#[test]
fn what_only_looks_like_the_world_is_fine() {
    for text in [
        "use std::net::IpAddr;",
        "use std::{fmt, io::Write};",
        "//! std::fs is not used",
        "const A: &str = \"std::fs\";",
        "use crate::fs::Layout;",
        "fn a() { writeln!(b, \"\") }",
    ] {
        assert!(says(PURE, text).is_empty(), "{text}");
    }
}

#[test]
fn a_crate_takes_the_lints_of_the_workspace() {
    let wanted = ["1: does not take the workspace's lints"];
    let package = "[package]\nname = \"a\"\n";
    assert_eq!(found("crates/cli/Cargo.toml", package), wanted);
    let text = format!("{package}\n[lints]\nworkspace = true\n");
    assert!(found("crates/cli/Cargo.toml", &text).is_empty());
    assert!(found("Cargo.toml", "[workspace]\n").is_empty());
}

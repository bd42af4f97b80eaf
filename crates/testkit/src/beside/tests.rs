//! Nothing is skipped unsaid.

#![allow(clippy::unwrap_used, reason = "a test")]

use super::{Rule, announce, read};
use std::fs;
use std::panic::catch_unwind;
use tempfile::TempDir;

#[test]
fn files_come_by_name() {
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join("kind/folder")).unwrap();
    for name in ["b", "a"] {
        fs::write(folder.path().join("kind").join(name), name).unwrap();
    }
    let found = read(folder.path(), "kind", 2);
    let found: Vec<_> = found.iter().map(|s| (s.name.as_str(), &*s.bytes)).collect();
    assert_eq!(found, [("a", &b"a"[..]), ("b", b"b")]);
}

#[test]
fn what_is_absent_gives_none() {
    let folder = TempDir::new().unwrap();
    assert!(read(&folder.path().join("shared"), "kind", 2).is_empty());
}

#[test]
fn what_is_there_and_empty_or_incomplete_fails() {
    let folder = TempDir::new().unwrap();
    let short = || catch_unwind(|| read(folder.path(), "kind", 1)).is_err();
    assert!(short(), "a folder of ../shared is gone");
    fs::create_dir(folder.path().join("kind")).unwrap();
    assert!(short(), "it is empty");
    fs::write(folder.path().join("kind/a"), "").unwrap();
    assert!(!short());
}

#[test]
fn what_the_machine_lacks_fails_in_ci_only() {
    announce("a tool", Rule::Say);
    assert!(catch_unwind(|| announce("a tool", Rule::Fail)).is_err());
}

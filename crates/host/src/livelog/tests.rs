//! Tests of `livelog`: the live instance's log: where it ends now, and what was added since.

use super::*;
use std::io::Write;

fn lines(look: LogLook) -> String {
    match look {
        LogLook::Lines(bytes) => String::from_utf8(bytes).unwrap(),
        LogLook::Unreadable(why) => panic!("{why}"),
    }
}

#[test]
fn only_what_was_added_is_read_also_after_a_rotation() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("mail.log");
    fs::write(&path, "old\n").unwrap();
    let root = Root::new(Path::new("/"));
    let at = mark(&root, &[], path.to_str());
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"new\n").unwrap();
    assert_eq!(lines(since(&root, &[], &at)), "new\n");
    fs::rename(&path, base.path().join("mail.log.1")).unwrap();
    fs::write(&path, "after\n").unwrap();
    assert_eq!(lines(since(&root, &[], &at)), "after\n");
    fs::remove_file(&path).unwrap();
    assert!(matches!(since(&root, &[], &at), LogLook::Unreadable(_)));
}

#[test]
fn a_log_that_is_yet_to_be_made_is_read_from_its_start() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("mail.log");
    let root = Root::new(Path::new("/"));
    let at = mark(&root, &[], path.to_str());
    assert!(matches!(since(&root, &[], &at), LogLook::Unreadable(_)));
    fs::write(&path, "first\n").unwrap();
    assert_eq!(lines(since(&root, &[], &at)), "first\n");
}

#[test]
fn of_a_flood_the_newest_whole_lines_are_kept() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("mail.log");
    fs::write(&path, "").unwrap();
    let root = Root::new(Path::new("/"));
    let at = mark(&root, &[], path.to_str());
    let flood: String = (0..200_000).map(|n| format!("line {n}\n")).collect();
    fs::write(&path, &flood).unwrap();
    let kept = lines(since(&root, &[], &at));
    assert!(kept.len() <= 1 << 20);
    assert!(kept.starts_with("line ") && kept.ends_with("line 199999\n"));
}

#[test]
fn without_any_log_the_reason_is_said() {
    let empty = tempfile::tempdir().unwrap();
    let root = Root::new(empty.path());
    let LogMark::None(why) = mark(&root, &[], None) else {
        panic!("found a log")
    };
    assert!(
        why.contains("no maillog_file") && why.contains("no journal"),
        "{why}"
    );
    let unusable = mark(&root, &[], Some("/"));
    assert!(matches!(unusable, LogMark::None(_)));
}

#[test]
fn the_log_that_syslog_writes_is_found() {
    let base = tempfile::tempdir().unwrap();
    fs::create_dir_all(base.path().join("var/log")).unwrap();
    fs::write(base.path().join("var/log/maillog"), "x\n").unwrap();
    let found = mark(&Root::new(base.path()), &[], Some(""));
    assert!(matches!(found, LogMark::File { path, length: 2, .. }
        if path == Path::new("/var/log/maillog")));
}

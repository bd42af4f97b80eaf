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

/// A machine with a journal, whose `journalctl` writes down what it is asked.
fn journal(said: &str) -> (tempfile::TempDir, Root, Vec<String>) {
    use std::os::unix::fs::PermissionsExt;
    let base = tempfile::tempdir().unwrap();
    for folder in ["usr/bin", "var/log/journal"] {
        fs::create_dir_all(base.path().join(folder)).unwrap();
    }
    fs::write(base.path().join("usr/bin/journalctl"), "").unwrap();
    fs::write(base.path().join("said"), said).unwrap();
    let there = base.path().join("there");
    let folder = base.path().display();
    let script = format!("#!/bin/sh\necho \"$*\" >>{folder}/asked\ncat {folder}/said\n");
    fs::write(&there, script).unwrap();
    fs::set_permissions(&there, fs::Permissions::from_mode(0o755)).unwrap();
    let root = Root::new(base.path());
    let prefix = vec![there.display().to_string()];
    (base, root, prefix)
}

#[test]
fn the_journal_is_read_from_a_cursor_or_its_newest_part() {
    let line = "Nov 22 03:00:00 mx postfix/smtpd[7]: warning: x";
    let (base, root, prefix) = journal(&format!("{line}\n-- cursor: s=1;i=2\n"));
    let at = mark(&root, &prefix, None);
    let LogMark::Journal(cursor) = &at else {
        panic!("{at:?}")
    };
    assert_eq!(cursor, "s=1;i=2");
    assert!(lines(since(&root, &prefix, &at)).starts_with(line));
    assert!(lines(since(&root, &prefix, &at.whole())).starts_with(line));
    let asked = fs::read_to_string(base.path().join("asked")).unwrap();
    let asked: Vec<&str> = asked.lines().collect();
    assert!(asked[0].contains("--show-cursor"), "{asked:?}");
    assert!(asked[1].contains("--after-cursor=s=1;i=2"), "{asked:?}");
    assert!(asked[2].contains("--lines=10000"), "{asked:?}");
    assert!(asked[1..].iter().all(|one| one.contains("--facility=mail")));
}

#[test]
fn of_a_flood_in_the_journal_whole_lines_are_kept() {
    let flood: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
    let (_base, root, prefix) = journal(&flood);
    let kept = lines(since(&root, &prefix, &LogMark::Journal(String::new())));
    assert!(kept.len() <= 1 << 20 && kept.starts_with("line "));
    assert!(kept.ends_with("line 99999\n"));
}

#[test]
fn the_whole_of_a_file_is_read_from_its_start() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("mail.log");
    fs::write(&path, "old\n").unwrap();
    let root = Root::new(Path::new("/"));
    let at = mark(&root, &[], path.to_str());
    assert_eq!(lines(since(&root, &[], &at)), "");
    assert_eq!(lines(since(&root, &[], &at.whole())), "old\n");
}

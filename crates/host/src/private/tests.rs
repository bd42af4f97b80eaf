//! Tests of `private`: private files: keys with their chains.

use super::*;
use std::os::unix::fs::MetadataExt;

fn key(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

#[test]
fn a_private_file_is_private_and_written_once() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("tls/mx.pem");
    install(&path, &key("one")).unwrap();
    let meta = path.metadata().unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o600);
    assert_eq!(
        path.parent().unwrap().metadata().unwrap().mode() & 0o7777,
        0o700
    );
    install(&path, &key("one")).unwrap();
    assert_eq!(path.metadata().unwrap().ino(), meta.ino());
    install(&path, &key("two")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn one_that_others_can_read_or_that_is_a_link_is_written_anew() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("mx.pem");
    fs::write(&path, "one").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    install(&path, &key("one")).unwrap();
    assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o600);
    let other = base.path().join("other.pem");
    fs::rename(&path, &other).unwrap();
    std::os::unix::fs::symlink(&other, &path).unwrap();
    install(&path, &key("one")).unwrap();
    assert!(path.symlink_metadata().unwrap().is_file());
}

#[test]
fn removing_what_is_not_there_is_fine() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("mx.pem");
    remove(&path).unwrap();
    install(&path, &key("one")).unwrap();
    remove(&path).unwrap();
    assert!(!path.exists());
    assert!(remove(base.path()).is_err());
}

#[test]
fn what_a_crash_left_is_overwritten_or_removed() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("mx.pem");
    let left = base.path().join(".mx.pem.tmp");
    fs::write(&left, "half of a").unwrap();
    fs::set_permissions(&left, Permissions::from_mode(0o644)).unwrap();
    install(&path, &key("one")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one");
    assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o600);
    assert!(!left.exists());
    fs::write(&left, "half of a").unwrap();
    remove(&path).unwrap();
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
}

#[test]
fn drafts_that_a_crash_left_are_swept_and_nothing_else() {
    let base = tempfile::tempdir().unwrap();
    let stays = [
        "mx-0a1b.pem",
        "sni-0a1b",
        "sni-0a1b.db",
        "policy-0a1b.db",
        "new.new",
        "__db.register",
        ".keep",
    ];
    let goes = [
        "sni-0a1b.new",
        "sni-0a1b.new.db",
        "policy-0a1b.new",
        "policy-0a1b.new.lmdb",
        "__db.policy-0a1b.new.db",
        ".mx-0a1b.pem.tmp",
    ];
    for name in stays.iter().chain(&goes) {
        fs::write(base.path().join(name), "rows").unwrap();
    }
    sweep(base.path()).unwrap();
    for name in stays {
        assert!(base.path().join(name).exists(), "{name}");
    }
    for name in goes {
        assert!(!base.path().join(name).exists(), "{name}");
    }
    assert!(sweep(&base.path().join("nowhere")).is_err());
}

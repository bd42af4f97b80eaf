//! Tests of `lock`: the lock against a second Postseal on the same instance.

use super::*;
use std::process::Command;

#[test]
fn a_child_does_not_keep_the_lock() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("lock");
    let held = take(&folder, base.path(), base.path()).unwrap();
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    drop(held);
    take(&folder, base.path(), base.path()).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn instances_have_locks_of_their_own_outside_their_folders() {
    let base = tempfile::tempdir().unwrap();
    let (one, two) = (base.path().join("one"), base.path().join("two"));
    std::fs::create_dir(&one).unwrap();
    std::fs::create_dir(&two).unwrap();
    let folder = base.path().join("lock");
    let _one = take(&folder, &one, &one).unwrap();
    let _two = take(&folder, &two, &two).unwrap();
    let again = take(&folder, &one, Path::new("/named")).unwrap_err();
    assert_eq!(
        again.to_string(),
        format!(
            "another Postseal is working on /named (process {})",
            std::process::id()
        )
    );
    assert_eq!(std::fs::read_dir(&one).unwrap().count(), 0);
    assert!(take(&folder, &base.path().join("three"), base.path()).is_err());
}

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

#[test]
fn many_at_once_never_hold_it_together_and_leave_nothing() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("lock");
    let (inside, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..500 {
                    if let Ok(_held) = take(&folder, base.path(), base.path()) {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two holders");
                        taken.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert!(taken.load(Ordering::SeqCst) > 0);
    assert!(!folder.exists(), "a lock file, or its folder, stayed");
}

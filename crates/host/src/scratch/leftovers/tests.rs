//! Tests of `leftovers`: scratch instances that a killed Postseal left.

use super::*;
use std::process::Command;

fn scratch(parent: &Path) -> PathBuf {
    let folder = parent.join(format!("{PREFIX}abc"));
    fs::create_dir_all(folder.join("queue")).unwrap();
    fs::write(folder.join(OWNER), "1\n").unwrap();
    folder
}

#[test]
fn what_works_in_a_leftover_is_ended_and_nothing_else() {
    let parent = tempfile::tempdir().unwrap();
    let queue = parent.path().join("spool");
    fs::create_dir_all(&queue).unwrap();
    let folder = scratch(parent.path());
    let programs = parent.path().join("postfix");
    fs::create_dir(&programs).unwrap();
    fs::copy("/bin/sleep", programs.join("master")).unwrap();
    let worker = |program: &Path| {
        let mut command = Command::new(program);
        command.arg("60").current_dir(folder.join("queue"));
        command.spawn().unwrap()
    };
    let mut worker_of_postfix = worker(&programs.join("master"));
    let mut visitor = worker(Path::new("/bin/sleep"));
    assert_eq!(clean_leftovers(&queue).unwrap(), 1);
    assert!(!folder.exists());
    assert!(!worker_of_postfix.wait().unwrap().success());
    assert!(visitor.try_wait().unwrap().is_none());
    visitor.kill().unwrap();
    visitor.wait().unwrap();
}

#[test]
fn one_in_use_or_in_the_making_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    let queue = parent.path().join("spool");
    fs::create_dir_all(&queue).unwrap();
    let in_use = scratch(&queue);
    let owner = File::open(in_use.join(OWNER)).unwrap();
    owner.lock().unwrap();
    let young = parent.path().join(format!("{PREFIX}young"));
    fs::create_dir(&young).unwrap();
    fs::write(parent.path().join(format!("{PREFIX}file")), "").unwrap();
    assert_eq!(clean_leftovers(&queue).unwrap(), 0);
    drop(owner);
    assert_eq!(clean_leftovers(&queue).unwrap(), 1);
    assert!(young.exists());
    let long_ago = SystemTime::now() - 2 * YOUNG;
    File::open(&young).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(clean_leftovers(&queue).unwrap(), 1);
}

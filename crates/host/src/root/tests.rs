//! Tests of `root`: where an instance's file tree is seen from here.

use super::*;
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn links_stay_inside_the_tree() {
    let tree = tempfile::tempdir().unwrap();
    let base = tree.path();
    fs::create_dir_all(base.join("etc/real")).unwrap();
    fs::write(base.join("etc/real/main.cf"), "").unwrap();
    symlink("/etc/real", base.join("etc/postfix")).unwrap();
    symlink("../../../../etc/real/main.cf", base.join("etc/up")).unwrap();
    let root = Root::new(base);
    let resolve = |path: &str| root.resolve(Path::new(path)).unwrap();
    assert_eq!(
        resolve("/etc/postfix/main.cf"),
        Path::new("/etc/real/main.cf")
    );
    assert_eq!(resolve("/etc/up"), Path::new("/etc/real/main.cf"));
    assert_eq!(resolve("/etc/postfix/new"), Path::new("/etc/real/new"));
    assert!(root.resolve(Path::new("/nowhere/new")).is_err());
    assert_eq!(root.at(Path::new("/etc/x")), base.join("etc/x"));
}

#[test]
fn a_loop_of_links_is_an_error() {
    let tree = tempfile::tempdir().unwrap();
    symlink("b", tree.path().join("a")).unwrap();
    symlink("a", tree.path().join("b")).unwrap();
    assert!(Root::new(tree.path()).resolve(Path::new("/a")).is_err());
}

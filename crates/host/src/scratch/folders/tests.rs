//! Tests of `folders`: the scratch instance's folders.

use super::*;
use std::os::unix::fs::chown;

fn places(base: &Path) -> Places {
    let at = |name: &str| base.join(name);
    Places {
        command_directory: at("sbin"),
        daemon_directory: at("libexec"),
        queue_directory: at("queue"),
        data_directory: at("data"),
        sendmail_path: at("sendmail"),
    }
}

fn live(base: &Path) {
    for name in ["active", "maildrop"] {
        fs::create_dir_all(base.join("queue").join(name)).unwrap();
    }
}

#[test]
fn folders_lie_beside_the_queue_and_go() {
    let base = tempfile::tempdir().unwrap();
    live(base.path());
    chown(base.path().join("queue/active"), Some(77), Some(0))
        .expect("this test changes owners: run it as root");
    chown(base.path().join("queue/maildrop"), Some(77), Some(78)).unwrap();
    let root = Root::new(Path::new("/"));
    let mut folders = Folders::make(&root, &places(base.path())).unwrap();
    assert_eq!(folders.config.parent().unwrap().parent(), Some(base.path()));
    let shown = |name: &str| {
        let meta = folders.queue.join(name).metadata().unwrap();
        (meta.uid(), meta.gid(), meta.mode() & 0o7777)
    };
    assert_eq!(shown("private"), (77, 0, 0o700));
    assert_eq!(shown("public"), (77, 78, 0o2710));
    assert_eq!(shown("maildrop"), (77, 78, 0o1730));
    assert_eq!(shown("pid"), (0, 0, 0o755));
    assert_eq!(folders.data.metadata().unwrap().uid(), 77);
    let outer = folders.config.parent().unwrap().metadata().unwrap();
    assert_eq!(outer.mode() & 0o7777, 0o711);
    folders.remove().unwrap();
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
}

#[test]
fn a_queue_that_is_none_is_an_error_and_leaves_nothing() {
    let base = tempfile::tempdir().unwrap();
    fs::create_dir(base.path().join("queue")).unwrap();
    let root = Root::new(Path::new("/"));
    let error = Folders::make(&root, &places(base.path())).unwrap_err();
    assert!(matches!(error, HostError::NotRehearsable(_)), "{error}");
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
}

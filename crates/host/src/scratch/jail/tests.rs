//! Tests of `jail`: what chrooted services find in their jail, and data files that the configuration names.

use super::*;
use std::os::unix::net::UnixListener;

fn mirror(from: &Path) -> Mirror {
    Mirror {
        device: from.metadata().unwrap().dev(),
        entries: 100,
        bytes: 1000,
        missing: Vec::new(),
    }
}

#[test]
fn libraries_and_sockets_are_linked_and_files_are_copied() {
    let base = tempfile::tempdir().unwrap();
    let (from, to) = (base.path().join("from"), base.path().join("to"));
    fs::create_dir_all(from.join("etc")).unwrap();
    fs::write(from.join("etc/map.db"), "map").unwrap();
    fs::set_permissions(from.join("etc/map.db"), Permissions::from_mode(0o640)).unwrap();
    symlink("map.db", from.join("etc/link")).unwrap();
    let _socket = UnixListener::bind(from.join("socket")).unwrap();
    mirror(&from).put(&from, &to, false, 0).unwrap();
    let meta = to.join("etc/map.db").metadata().unwrap();
    assert_eq!((meta.nlink(), meta.mode() & 0o7777), (1, 0o640));
    assert_eq!(
        to.join("etc/link").read_link().unwrap(),
        Path::new("map.db")
    );
    let inode = |path: &Path| path.symlink_metadata().unwrap().ino();
    assert_eq!(inode(&to.join("socket")), inode(&from.join("socket")));

    let library = base.path().join("library");
    mirror(&from).put(&from, &library, true, 0).unwrap();
    assert_eq!(
        inode(&library.join("etc/map.db")),
        inode(&from.join("etc/map.db"))
    );
}

#[test]
fn too_much_is_refused_and_other_file_systems_are_named() {
    let base = tempfile::tempdir().unwrap();
    let from = base.path().join("from");
    fs::create_dir(&from).unwrap();
    fs::write(from.join("big"), vec![0; 2000]).unwrap();
    let to = base.path().join("to");
    assert!(mirror(&from).put(&from, &to, false, 0).is_err());
    let mut few = Mirror {
        entries: 1,
        ..mirror(&from)
    };
    let to = base.path().join("to2");
    assert!(few.put(&from, &to, false, 0).is_err());
    let mut elsewhere = Mirror {
        device: 0,
        ..mirror(&from)
    };
    let to = base.path().join("to3");
    elsewhere.put(&from, &to, false, 0).unwrap();
    assert!(elsewhere.missing[0].contains("another file system"));
    assert!(!to.exists());
}

//! Tests of `publish`: puts a configuration file's new bytes in place, as `postconf` would, and excludes it.

use super::*;
use rustix::fs::XattrFlags;
use std::process::Command;
use tempfile::TempDir;

const OLD: &[u8] = b"# mine\nmyhostname = a.test\n";
const NEW: &[u8] = b"# mine\nmyhostname = b.test\n";

struct Instance {
    folder: TempDir,
    root: Root,
}

impl Instance {
    fn new() -> Self {
        Self::in_folder(tempfile::tempdir().unwrap())
    }

    fn in_folder(folder: TempDir) -> Self {
        fs::write(folder.path().join("main.cf"), OLD).unwrap();
        fs::write(folder.path().join("master.cf"), "").unwrap();
        let root = Root::new(Path::new("/"));
        Self { folder, root }
    }

    fn main(&self) -> Place<'_> {
        Place {
            root: &self.root,
            config_directory: self.folder.path(),
            file: Cf::Main,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("main.cf")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn need_root() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test changes owners: run it as root"
    );
}

#[test]
fn publish_keeps_owner_mode_and_attributes_and_sets_the_time_back() {
    need_root();
    let instance = Instance::new();
    let file = File::open(instance.path()).unwrap();
    fchown(&file, Some(1234), Some(4321)).unwrap();
    file.set_permissions(Permissions::from_mode(0o440)).unwrap();
    rustix::fs::fsetxattr(&file, "user.note", b"kept", XattrFlags::empty()).unwrap();
    instance.main().publish(NEW, Digest::of(OLD)).unwrap();
    let snapshot = instance.main().snapshot().unwrap();
    assert_eq!(snapshot.bytes, NEW);
    assert_eq!((snapshot.uid, snapshot.gid), (1234, 4321));
    assert_eq!(snapshot.mode, 0o440);
    assert_eq!(snapshot.xattrs[&b"user.note"[..]], b"kept");
    let age = instance.path().metadata().unwrap().modified().unwrap();
    assert!(age.elapsed().unwrap() >= AGE);
    assert_eq!(instance.names(), ["main.cf", "master.cf"]);
}

#[test]
fn restore_gives_everything_back() {
    need_root();
    let instance = Instance::new();
    let before = instance.main().snapshot().unwrap();
    instance.main().publish(NEW, Digest::of(OLD)).unwrap();
    let file = File::open(instance.path()).unwrap();
    fchown(&file, Some(1), Some(2)).unwrap();
    file.set_permissions(Permissions::from_mode(0o666)).unwrap();
    rustix::fs::fsetxattr(&file, "user.new", b"x", XattrFlags::empty()).unwrap();
    instance.main().restore(&before, Digest::of(NEW)).unwrap();
    assert_eq!(instance.main().snapshot().unwrap(), before);
}

#[test]
fn a_changed_file_is_stale_and_stays() {
    let instance = Instance::new();
    fs::write(instance.path(), "edited by hand\n").unwrap();
    let stale = instance.main().publish(NEW, Digest::of(OLD));
    assert!(matches!(stale, Err(HostError::Stale { .. })), "{stale:?}");
    assert_eq!(fs::read(instance.path()).unwrap(), b"edited by hand\n");
    assert_eq!(instance.names(), ["main.cf", "master.cf"]);
}

#[test]
fn a_symbolic_link_stays_and_its_target_is_replaced() {
    let instance = Instance::new();
    fs::create_dir(instance.folder.path().join("shared")).unwrap();
    let real = instance.folder.path().join("shared/mail.cf");
    fs::rename(instance.path(), &real).unwrap();
    symlink("shared/mail.cf", instance.path()).unwrap();
    let before = instance.main().snapshot().unwrap();
    assert_eq!(before.link.as_deref(), Some(Path::new("shared/mail.cf")));
    instance.main().publish(NEW, Digest::of(OLD)).unwrap();
    assert_eq!(fs::read(&real).unwrap(), NEW);
    let link = instance.path().read_link().unwrap();
    assert_eq!(link, Path::new("shared/mail.cf"));
    assert_eq!(instance.names(), ["main.cf", "master.cf", "shared"]);

    // `postconf -e` replaces the link by a file; a restore makes it a link again.
    fs::remove_file(instance.path()).unwrap();
    fs::write(instance.path(), "by postconf\n").unwrap();
    let digest = Digest::of(b"by postconf\n");
    instance.main().restore(&before, digest).unwrap();
    assert_eq!(instance.main().snapshot().unwrap(), before);
    assert_eq!(fs::read(&real).unwrap(), OLD);
}

#[test]
fn what_a_crash_left_is_overwritten_and_not_followed() {
    let instance = Instance::new();
    let leftover = instance.folder.path().join("main.cf.tmp");
    fs::write(&leftover, "half a file, and a long one at that\n".repeat(9)).unwrap();
    fs::set_permissions(&leftover, Permissions::from_mode(0o666)).unwrap();
    instance.main().publish(NEW, Digest::of(OLD)).unwrap();
    assert_eq!(fs::read(instance.path()).unwrap(), NEW);
    assert_eq!(instance.names(), ["main.cf", "master.cf"]);

    let victim = instance.folder.path().join("victim");
    fs::write(&victim, "not mine").unwrap();
    symlink(&victim, &leftover).unwrap();
    instance.main().publish(OLD, Digest::of(NEW)).unwrap_err();
    assert_eq!(fs::read(&victim).unwrap(), b"not mine");
    assert_eq!(fs::read(instance.path()).unwrap(), NEW);
}

#[test]
fn publish_waits_for_the_holder_of_the_edit_lock() {
    let instance = Instance::new();
    let lock = File::create(instance.folder.path().join("main.cf.tmp")).unwrap();
    lock.lock().unwrap();
    thread::scope(|scope| {
        let publishing = scope.spawn(|| instance.main().publish(NEW, Digest::of(OLD)));
        thread::sleep(Duration::from_millis(100));
        assert!(!publishing.is_finished());
        assert_eq!(fs::read(instance.path()).unwrap(), OLD);
        // The holder does what postconf does: it renames the locked file into place.
        (&lock).write_all(b"by somebody else\n").unwrap();
        fs::rename(instance.folder.path().join("main.cf.tmp"), instance.path()).unwrap();
        drop(lock);
        let result = publishing.join().unwrap();
        assert!(matches!(result, Err(HostError::Stale { .. })), "{result:?}");
    });
    assert_eq!(fs::read(instance.path()).unwrap(), b"by somebody else\n");
}

/// No update of either side is lost: each reads, changes and writes under the lock.
#[test]
fn postconf_and_publish_exclude_each_other() {
    let instance = Instance::new();
    thread::scope(|scope| {
        let edits = scope.spawn(|| {
            for n in 0..20 {
                let done = Command::new("/usr/sbin/postconf")
                    .args(["-c".as_ref(), instance.folder.path().as_os_str()])
                    .args(["-e", &format!("by_postconf_{n} = yes")])
                    .status();
                assert!(done.unwrap().success());
            }
        });
        let mut published = 0;
        while published < 20 || !edits.is_finished() {
            let now = fs::read(instance.path()).unwrap();
            let mut next = now.clone();
            next.extend_from_slice(format!("by_publish_{published} = yes\n").as_bytes());
            match instance.main().publish(&next, Digest::of(&now)) {
                Ok(()) => published += 1,
                Err(HostError::Stale { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        edits.join().unwrap();
        let text = fs::read_to_string(instance.path()).unwrap();
        for n in 0..20 {
            assert!(text.contains(&format!("by_postconf_{n} = yes\n")), "{text}");
        }
        for n in 0..published {
            assert!(text.contains(&format!("by_publish_{n} = yes\n")), "{text}");
        }
    });
}

/// A file system of one page, in a mount namespace of its own that ends with the child.
#[test]
fn a_full_disk_leaves_the_old_bytes() {
    need_root();
    let folder = tempfile::tempdir().unwrap();
    let mut holder = Command::new("unshare")
        .args(["-m", "cat"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let pid = holder.id().to_string();
    // The namespace is there once it differs from this one.
    let own = fs::read_link("/proc/self/ns/mnt").unwrap();
    while fs::read_link(format!("/proc/{pid}/ns/mnt")).unwrap() == own {
        thread::sleep(Duration::from_millis(5));
    }
    let mounted = Command::new("nsenter")
        .args([
            "-t", &pid, "-m", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs",
        ])
        .arg(folder.path())
        .status();
    assert!(mounted.unwrap().success());
    let root = Root::new(Path::new(&format!("/proc/{pid}/root")));
    let place = Place {
        root: &root,
        config_directory: folder.path(),
        file: Cf::Main,
    };
    fs::write(root.at(&place.path()), OLD).unwrap();
    let big = vec![b'#'; 256 << 10];
    let full = place.publish(&big, Digest::of(OLD)).unwrap_err();
    let HostError::File { source, .. } = &full else {
        panic!("{full}")
    };
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    assert_eq!(fs::read(root.at(&place.path())).unwrap(), OLD);
    assert_eq!(fs::read_dir(root.at(folder.path())).unwrap().count(), 1);
    place.publish(NEW, Digest::of(OLD)).unwrap();
    drop(holder.stdin.take());
    holder.wait().unwrap();
}

#[test]
fn sweep_removes_what_a_crash_left_and_nothing_else() {
    let instance = Instance::new();
    let left = instance.folder.path().join("main.cf.tmp");
    fs::write(&left, "half of a").unwrap();
    fs::write(instance.folder.path().join("main.cf.bak"), OLD).unwrap();
    instance.main().sweep().unwrap();
    assert_eq!(instance.names(), ["main.cf", "main.cf.bak", "master.cf"]);
    assert_eq!(fs::read(instance.path()).unwrap(), OLD);
    instance.main().sweep().unwrap();
}

#[test]
fn sweep_looks_beside_a_links_target_too() {
    let instance = Instance::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("real.cf");
    fs::rename(instance.path(), &target).unwrap();
    symlink(&target, instance.path()).unwrap();
    let left = elsewhere.path().join("real.cf.tmp");
    fs::write(&left, "half of a").unwrap();
    symlink(&target, instance.folder.path().join("main.cf.link.tmp")).unwrap();
    instance.main().sweep().unwrap();
    assert!(!left.exists());
    assert_eq!(instance.names(), ["main.cf", "master.cf"]);
    assert_eq!(fs::read(&target).unwrap(), OLD);
}

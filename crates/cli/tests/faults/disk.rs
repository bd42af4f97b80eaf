//! Disks that are full or read-only.

use crate::site::{Site, run};
use postseal_testkit::postfix_box::PostfixBox;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A small file system in place of a folder; what was in the folder is in it.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn over(folder: &Path) -> Self {
        let kept = tempfile::tempdir().unwrap();
        let (from, to) = (
            folder.display().to_string(),
            kept.path().display().to_string(),
        );
        run("cp", &["-a", &format!("{from}/."), &to]);
        run(
            "mount",
            &["-t", "tmpfs", "-o", "size=1m,mode=755", "none", &from],
        );
        run("cp", &["-a", &format!("{to}/."), &from]);
        Self(folder.to_owned())
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut ballast = File::create(self.0.join("ballast")).unwrap();
        let full = ballast.write_all(&vec![0; 2 << 20]).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    }

    /// Takes some of its ballast away.
    fn give(&self, pages: u64) {
        let ballast = self.0.join("ballast");
        let ballast = File::options().write(true).open(ballast).unwrap();
        let length = ballast.metadata().unwrap().len();
        ballast.set_len(length - pages * 4096).unwrap();
    }

    fn empty(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let folder = self.0.display().to_string();
        run("umount", &["--lazy", &folder]);
    }
}

#[test]
fn a_full_disk_under_the_configuration_directory() {
    let site = Site::new();
    let disk = SmallDisk::over(&site.postfix.config_directory());
    site.wish();
    let old = site.files();
    disk.fill();
    // There is no room for the key file …
    let ran = site.expect(1, &["apply"]);
    assert_eq!(ran.code(), "host.file");
    assert!(ran.message().contains("No space left on device"), "{ran:?}");
    site.is_as_before(&old);
    assert_eq!(site.newest()["outcome"]["outcome"], "failed");
    // … and when there was room for it, none for main.cf.
    disk.empty();
    site.expect(0, &["apply"]);
    site.expect(0, &["set", "received-header=yes"]);
    let old = site.files();
    disk.fill();
    let ran = site.expect(1, &["apply"]);
    assert!(ran.message().contains("main.cf"), "{ran:?}");
    assert_eq!(site.files(), old);
    assert!(site.litter().is_empty());
    assert_eq!(site.serves_tls(), Some(true));
    // Even the way back cannot be written; nothing is lost.
    site.expect(1, &["rollback"]);
    assert_eq!(site.files(), old);
    disk.empty();
    site.expect(0, &["apply"]);
    site.expect(0, &["verify"]);
}

#[test]
fn a_full_disk_while_a_map_is_compiled() {
    let site = Site::of(PostfixBox::builder().set("default_transport", "smtp"));
    let config = site.postfix.config_directory();
    let folder = config.join("postseal.d");
    let add = |name: &str| {
        site.expect(0, &["policy", "add", name, "encrypt", "--no-preflight"]);
    };
    add("first.example");
    site.expect(0, &["apply"]);
    let disk = SmallDisk::over(&config);
    add("second.example");
    disk.fill();
    // There is room for the source, and for the beginning of what is made of it.
    let mut named = None;
    for _ in 0..12 {
        disk.give(1);
        let ran = site.expect(1, &["apply"]);
        let left = fs::read_dir(&folder).unwrap().flatten();
        let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
        let message = ran.message();
        if message.contains("postmap")
            && let Some((_, rest)) = message.split_once("/policy-")
        {
            named = rest.split_once(".new").map(|(name, _)| name.to_owned());
            break;
        }
    }
    let named = named.expect("postmap never failed");
    // As one that was killed leaves it: Berkeley DB waits for ever where it stands.
    fs::write(folder.join(format!("__db.policy-{named}.new.db")), "").unwrap();
    disk.empty();
    site.expect(0, &["apply"]);
    let left = fs::read_dir(&folder).unwrap().flatten();
    let mut left = left.map(|entry| entry.file_name().into_string().unwrap());
    assert!(left.all(|name| name.starts_with("policy-") && !name.contains(".new")));
    site.expect(0, &["verify"]);
}

#[test]
fn a_full_disk_under_the_store() {
    let site = Site::new();
    site.wish();
    let old = site.files();
    let disk = SmallDisk::over(&site.folder.path().join("store"));
    disk.fill();
    let ran = site.expect(1, &["apply"]);
    assert_eq!(ran.code(), "store.full");
    assert!(ran.message().contains("store/db"), "{ran:?}");
    assert!(ran.hint().starts_with("`df "), "{ran:?}");
    assert_eq!(site.files(), old);
    site.expect(1, &["set", "received-header=yes"]);
    answers_all_the_same(&site, "store.full");
    disk.empty();
    site.is_as_before(&old);
    site.expect(0, &["apply"]);
    site.expect(0, &["verify"]);
}

#[test]
fn a_read_only_file_system() {
    let site = Site::new();
    site.wish();
    let old = site.files();
    let config = site.postfix.config_directory().display().to_string();
    run("mount", &["--bind", &config, &config]);
    let disk = SmallDisk(site.postfix.config_directory());
    run("mount", &["-o", "remount,bind,ro", &config]);
    let ran = site.expect(1, &["apply"]);
    assert_eq!(ran.code(), "host.file");
    assert!(ran.message().contains("Read-only file system"), "{ran:?}");
    assert!(ran.hint().starts_with("`findmnt -T "), "{ran:?}");
    drop(disk);
    site.is_as_before(&old);
}

/// What only looks answers, and says what could not be done.
fn answers_all_the_same(site: &Site, code: &str) {
    let looks: [(i32, &[&str]); 11] = [
        (0, &["status"]),
        (0, &["verify"]),
        (0, &["plan"]),
        (2, &["apply", "--check"]),
        (0, &["history"]),
        (0, &["drift"]),
        (0, &["cert", "list"]),
        (0, &["cert", "show", "mx"]),
        (0, &["cert", "check"]),
        (0, &["cert", "tlsa", "mx"]),
        (0, &["cert", "export", "mx"]),
    ];
    for (exit, words) in looks {
        let ran = site.expect(exit, words);
        assert_eq!(ran.warnings(), [code], "{words:?}");
    }
    let line = site.expect(1, &["status", "--nagios"]);
    let said = line.json["said"].as_str().unwrap();
    assert!(said.contains(code), "{said}");
}

#[test]
fn a_read_only_store() {
    let site = Site::new();
    site.wish();
    let old = site.files();
    let store = site.folder.path().join("store");
    let disk = SmallDisk::over(&store);
    let remount = |how| run("mount", &["-o", how, &store.display().to_string()]);
    remount("remount,ro");
    answers_all_the_same(&site, "store.read-only");
    let changes: [&[&str]; 9] = [
        &["init"],
        &["set", "received-header=yes"],
        &["discard"],
        &["cert", "bind", "mx"],
        &["cert", "self-signed", "own", "--domain", "mx.box.test"],
        &["cert", "delete", "mx"],
        &["apply"],
        &["drift", "--adopt"],
        &["release"],
    ];
    for words in changes {
        let ran = site.expect(1, words);
        assert_eq!(ran.code(), "store.read-only", "{words:?}");
        assert!(ran.hint().starts_with("`findmnt -T "), "{ran:?}");
    }
    let ran = site.expect(0, &["recover"]);
    assert_eq!(ran.json["recovery"], "nothing");
    remount("remount,rw");
    site.is_as_before(&old);
    site.expect(0, &["apply"]);
    drop(disk);
}

#[test]
fn an_interrupted_operation_that_cannot_be_ended_now() {
    let site = Site::new();
    site.wish();
    let old = site.files();
    let mut apply = site.start(&["apply"]);
    apply.until("step 2");
    apply.signal(rustix::process::Signal::KILL);
    apply.end();
    let config = site.postfix.config_directory().display().to_string();
    run("mount", &["--bind", &config, &config]);
    let disk = SmallDisk(site.postfix.config_directory());
    run("mount", &["-o", "remount,bind,ro", &config]);
    for words in [&["status"][..], &["history"], &["cert", "check"]] {
        let ran = site.expect(0, words);
        assert_eq!(ran.warnings(), ["host.file"], "{words:?}");
    }
    assert!(site.run(&["verify"]).json["judgements"].is_array());
    for words in [&["recover"][..], &["set", "received-header=yes"]] {
        let ran = site.expect(1, words);
        assert_eq!(ran.code(), "host.file", "{words:?}");
        assert!(ran.message().contains("Read-only"), "{ran:?}");
        assert!(ran.hint().starts_with("`findmnt -T "), "{ran:?}");
    }
    drop(disk);
    site.expect(0, &["status"]);
    site.is_as_before_but_for_keys(&old);
}

//! Disks that are full or read-only.

use crate::site::{Site, run};
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
fn a_full_disk_under_the_store() {
    let site = Site::new();
    site.wish();
    let old = site.files();
    let disk = SmallDisk::over(&site.folder.path().join("store"));
    disk.fill();
    let ran = site.expect(1, &["apply"]);
    assert_eq!(ran.code(), "store.failed");
    assert!(ran.message().contains("agent.db"), "{ran:?}");
    assert_eq!(site.files(), old);
    site.expect(1, &["set", "received-header=yes"]);
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
    drop(disk);
    site.is_as_before(&old);
}

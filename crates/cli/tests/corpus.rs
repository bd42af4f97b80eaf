//! Real servers' files: what is set and rolled back leaves bytes, owner, mode, extended attributes
//! and the symbolic link as they were.
//!
//! Covered, for every main.cf and master.cf of the corpus: the host alone (`PostfixHost`): snapshot,
//! publish, restore in a folder of its own, with an odd owner and mode and an extended attribute,
//! every third file behind a symbolic link. Nothing reads the file, so it may be as broken as it
//! likes. That a plan and its reverse give the same bytes for each file is shown beside the planner
//! (`crates/planner/tests/corpus.rs`); the whole program sets and rolls back real files in the
//! other stories here.
//!
//! The corpus stands outside the repository; where it is missing, that is said aloud.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use postseal_host::{Host, HostOptions, PostfixHost};
use postseal_planner::Digest;
use postseal_planner::plan::Cf;
use rustix::fs::XattrFlags;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const NOTE: &str = "user.note";

/// One file of the corpus.
struct Sample {
    name: String,
    bytes: Vec<u8>,
}

fn corpus(kind: &str) -> Vec<Sample> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = manifest.join("../../../shared/corpus").join(kind);
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("NOT TESTED: there is no corpus at {}", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let sample = |path: PathBuf| Sample {
        bytes: fs::read(&path).unwrap(),
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
    };
    paths.into_iter().map(sample).collect()
}

/// Everything about a file.
#[derive(Debug, PartialEq, Eq)]
struct Whole {
    bytes: Vec<u8>,
    owner: [u32; 2],
    mode: u32,
    note: Vec<u8>,
    link: Option<PathBuf>,
}

/// A configuration file with an odd look, behind a symbolic link where `n` says so.
struct Placed {
    path: PathBuf,
}

impl Placed {
    fn put(folder: &Path, file: Cf, bytes: &[u8], n: usize, owner: [u32; 2]) -> Self {
        let name = if file == Cf::Main {
            "main.cf"
        } else {
            "master.cf"
        };
        let path = folder.join(name);
        let real = folder.join("real").join(name);
        fs::create_dir_all(folder.join("real")).unwrap();
        for old in [&path, &real] {
            let _ = fs::remove_file(old);
        }
        let at = if n.is_multiple_of(3) { &real } else { &path };
        fs::write(at, bytes).unwrap();
        if n.is_multiple_of(3) {
            symlink(Path::new("real").join(name), &path).unwrap();
        }
        chown(at, Some(owner[0]), Some(owner[1])).unwrap();
        fs::set_permissions(at, Permissions::from_mode(0o640)).unwrap();
        let open = File::options().append(true).open(at).unwrap();
        rustix::fs::fsetxattr(&open, NOTE, b"kept", XattrFlags::empty()).unwrap();
        // Of a main.cf younger than 2 s every Postfix program is afraid.
        open.set_modified(SystemTime::now() - Duration::from_secs(3))
            .unwrap();
        Self { path }
    }

    fn whole(&self) -> Whole {
        let meta = fs::metadata(&self.path).unwrap();
        let mut note = vec![0; 16];
        let file = File::open(&self.path).unwrap();
        let length = rustix::fs::fgetxattr(&file, NOTE, &mut note).unwrap();
        note.truncate(length);
        Whole {
            bytes: fs::read(&self.path).unwrap(),
            owner: [meta.uid(), meta.gid()],
            mode: meta.mode() & 0o7777,
            note,
            link: fs::read_link(&self.path).ok(),
        }
    }
}

#[test]
fn the_host_publishes_and_restores_every_file_whole() {
    let folder = TempDir::with_prefix("postseal-corpus-").unwrap();
    let host = PostfixHost::new(HostOptions::new(folder.path())).unwrap();
    for (file, kind) in [(Cf::Main, "main.cf"), (Cf::Master, "master.cf")] {
        for (n, sample) in corpus(kind).iter().enumerate() {
            let placed = Placed::put(folder.path(), file, &sample.bytes, n, [4321, 1234]);
            let before = placed.whole();
            let snapshot = host.snapshot(file).unwrap();
            let changed = [sample.bytes.as_slice(), b"\n# changed\n"].concat();
            host.publish(file, &changed, Digest::of(&sample.bytes))
                .unwrap();
            let expected = Whole {
                bytes: changed.clone(),
                owner: before.owner,
                mode: before.mode,
                note: before.note.clone(),
                link: before.link.clone(),
            };
            assert_eq!(placed.whole(), expected, "{}", sample.name);
            host.restore(&snapshot, Digest::of(&changed)).unwrap();
            assert_eq!(placed.whole(), before, "{}", sample.name);
            host.sweep(file).unwrap();
        }
    }
    let left: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !["main.cf", "master.cf", "real"].contains(&name.as_str()))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

//! A configuration file with an odd look, and everything about a file that must come back.

use postseal_planner::plan::Cf;
use postseal_testkit::beside::{Sample, samples};
use postseal_testkit::edited;
use rustix::fs::XattrFlags;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

const NOTE: &str = "user.note";

/// All files of a kind. The corpus may grow, and must not shrink.
pub(crate) fn corpus(file: Cf) -> Vec<Sample> {
    match file {
        Cf::Main => samples("corpus/main.cf", 84),
        Cf::Master => samples("corpus/master.cf", 49),
    }
}

/// Everything about a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) bytes: Vec<u8>,
    pub(crate) owner: [u32; 2],
    pub(crate) mode: u32,
    pub(crate) note: Vec<u8>,
    pub(crate) link: Option<PathBuf>,
}

/// A file in its place; every third one is a symbolic link.
pub(crate) struct Placed {
    path: PathBuf,
}

impl Placed {
    /// Writes the `n`th file into `folder`, with an odd mode and an extended attribute.
    pub(crate) fn put(folder: &Path, file: Cf, bytes: &[u8], n: usize, owner: [u32; 2]) -> Self {
        let name = match file {
            Cf::Main => "main.cf",
            Cf::Master => "master.cf",
        };
        let path = folder.join(name);
        let real = folder.join("real").join(name);
        fs::create_dir_all(folder.join("real")).unwrap();
        for old in [&path, &real] {
            let _ = fs::remove_file(old);
        }
        let at = if n.is_multiple_of(3) { &real } else { &path };
        edited::write(at, bytes).unwrap();
        if n.is_multiple_of(3) {
            symlink(Path::new("real").join(name), &path).unwrap();
        }
        chown(at, Some(owner[0]), Some(owner[1])).unwrap();
        fs::set_permissions(at, Permissions::from_mode(0o640)).unwrap();
        let open = File::options().append(true).open(at).unwrap();
        rustix::fs::fsetxattr(&open, NOTE, b"kept", XattrFlags::empty()).unwrap();
        Self { path }
    }

    pub(crate) fn whole(&self) -> Whole {
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

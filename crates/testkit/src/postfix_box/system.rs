//! The host under a box: users, folders, processes.

use rustix::process::Pid;
use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::Path;

pub(super) const DAEMONS: &str = "/usr/lib/postfix/sbin";
pub(super) const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// Queue folders of the mail owner alone.
const MAIL: [&str; 11] = [
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private",
    "saved", "trace",
];

/// A user of `/etc/passwd`, or a group of `/etc/group`: name, password, number.
pub(super) fn id_of(table: &str, name: &str) -> io::Result<u32> {
    let text = fs::read_to_string(table)?;
    let mut rows = text.lines().map(|line| line.split(':'));
    let number =
        rows.find_map(|mut row| (row.next()? == name).then(|| row.nth(1)?.parse().ok())?);
    number.ok_or_else(|| {
        let message = format!("{table} has no {name}: is Postfix installed?");
        io::Error::new(io::ErrorKind::NotFound, message)
    })
}

pub(super) fn need_root() -> io::Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let message = "a private Postfix needs root: run this test as root";
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

pub(super) fn make_folders(base: &Path) -> io::Result<()> {
    let postfix = id_of("/etc/passwd", "postfix")?;
    let postdrop = id_of("/etc/group", "postdrop")?;
    fs::set_permissions(base, Permissions::from_mode(0o755))?;
    for name in ["config", "queue", "queue/pid", "queue/etc", "log"] {
        folder(&base.join(name), 0o755, (0, 0))?;
    }
    folder(&base.join("data"), 0o700, (postfix, 0))?;
    folder(&base.join("mailboxes"), 0o700, (postfix, 0))?;
    let queue = base.join("queue");
    for name in MAIL {
        folder(&queue.join(name), 0o700, (postfix, 0))?;
    }
    folder(&queue.join("maildrop"), 0o1730, (postfix, postdrop))?;
    folder(&queue.join("public"), 0o2710, (postfix, postdrop))
}

fn folder(path: &Path, mode: u32, owner: (u32, u32)) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    chown(path, Some(owner.0), Some(owner.1))?;
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// The living processes whose working folder `is_here`.
pub(super) fn processes(is_here: impl Fn(&Metadata) -> bool) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // A dead process has no working folder.
    pids.filter(|pid| fs::metadata(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| is_here(&cwd)))
        .collect()
}

pub(super) fn pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

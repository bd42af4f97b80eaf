//! Who a process is, from `/proc`.
//!
//! Owns: telling a Postfix master from a stranger that got its process id, the members of a
//! process group, what a master's children serve, the end of those that work in a folder of ours. Never: trusts a process id
//! alone.

use crate::root::Root;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How long killed processes may take to be gone.
const GONE: Duration = Duration::from_secs(10);

/// The master of the instance whose queue is `queue` (as seen here), if it runs: the process that
/// its pid file names, with a master's program and this queue as its working folder.
pub(crate) fn master_of(root: &Root, queue: &Path) -> Option<u32> {
    let text = fs::read_to_string(queue.join("pid/master.pid")).ok()?;
    let pid: u32 = text.trim().parse().ok()?;
    (is_master(root, pid) && works_in(root, pid, queue)).then_some(pid)
}

/// Whether the process runs a program named `master`.
fn is_master(root: &Root, pid: u32) -> bool {
    let exe = root
        .at(Path::new("/proc"))
        .join(pid.to_string())
        .join("exe")
        .read_link();
    // After an upgrade of the package the link ends in " (deleted)".
    exe.is_ok_and(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        name.is_some_and(|name| name.trim_end_matches(" (deleted)") == "master")
    })
}

/// Whether the process's working folder is `folder`: a master works in its queue.
fn works_in(root: &Root, pid: u32, folder: &Path) -> bool {
    let cwd = root
        .at(Path::new("/proc"))
        .join(pid.to_string())
        .join("cwd");
    match (cwd.metadata(), folder.metadata()) {
        (Ok(cwd), Ok(folder)) => cwd.dev() == folder.dev() && cwd.ino() == folder.ino(),
        // Somebody has removed the folder; the process works on in it.
        (Ok(_), Err(_)) => cwd.read_link().is_ok_and(|path| is_deleted(&path, folder)),
        _ => false,
    }
}

/// Whether `/proc` shows it as `folder (deleted)`.
fn is_deleted(shown: &Path, folder: &Path) -> bool {
    let (shown, folder) = (shown.as_os_str().as_bytes(), folder.as_os_str().as_bytes());
    shown.strip_suffix(b" (deleted)") == Some(folder)
}

/// What stands in `/proc/PID/stat` that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// `Z` and `X` are dead.
    pub(crate) state: char,
    pub(crate) group: u32,
}

impl Stat {
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The program name is in parentheses and may hold anything, parentheses included.
        let (_, rest) = text.rsplit_once(") ")?;
        let mut fields = rest.split(' ');
        let state = fields.next()?.chars().next()?;
        let group = fields.nth(1)?.parse().ok()?;
        Some(Self { state, group })
    }

    pub(crate) fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X')
    }
}

/// Whether a process has yet to take up a SIGHUP that was sent to it (`ShdPnd`, proc(5); signal 1
/// is the lowest bit). A process that is gone has none.
pub(crate) fn hangup_is_pending(pid: u32) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = text.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}

/// The services (`name/type`) that a master's children serve: master(8) tells each of them both
/// (`-n`, `-t`). `None` where they cannot be seen.
pub(crate) fn served_by(root: &Root, master: u32) -> Option<BTreeSet<String>> {
    let proc = root.at(Path::new("/proc"));
    let mut served = BTreeSet::new();
    for entry in fs::read_dir(&proc).ok()?.flatten() {
        let is_child = parent_of(&entry.path()) == Some(master);
        if let (true, Ok(words)) = (is_child, fs::read(entry.path().join("cmdline"))) {
            served.extend(service_in(&words));
        }
    }
    Some(served)
}

fn parent_of(process: &Path) -> Option<u32> {
    let text = fs::read_to_string(process.join("stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

/// The service of a command line, its words ended by NUL.
fn service_in(words: &[u8]) -> Option<String> {
    let words: Vec<&[u8]> = words.split(|byte| *byte == 0).collect();
    let after = |option: &[u8]| {
        let pair = words.windows(2).find(|pair| pair[0] == option)?;
        std::str::from_utf8(pair[1]).ok()
    };
    Some(format!("{}/{}", after(b"-n")?, after(b"-t")?))
}

/// The living members of a process group.
pub(crate) fn group_members(group: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| Stat::of(*pid).is_some_and(|stat| stat.group == group && stat.is_alive()))
        .collect()
}

/// The living processes whose working folder is `folder` and whose program lies in a folder of
/// Postfix: an administrator's shell that looks around in there is none.
pub(crate) fn working_in(folder: &Path) -> Vec<u32> {
    let root = Root::new(Path::new("/"));
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        works_in(&root, *pid, folder)
            && Stat::of(*pid).is_some_and(|stat| stat.is_alive())
            && is_postfix(*pid)
    })
    .collect()
}

/// Kills every process that works in the queue of an instance of ours: Postfix's programs all do,
/// jailed or not, and nobody else has a reason to.
pub(crate) fn end_working_in(queue: &Path) {
    let end = Instant::now() + GONE;
    loop {
        let workers = working_in(queue);
        if workers.is_empty() || Instant::now() >= end {
            return;
        }
        let pids = workers.iter().filter_map(|pid| i32::try_from(*pid).ok());
        for pid in pids.filter_map(Pid::from_raw) {
            // Gone meanwhile is what is wanted.
            let _ = kill_process(pid, Signal::KILL);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn is_postfix(pid: u32) -> bool {
    let exe = fs::read_link(format!("/proc/{pid}/exe"));
    exe.is_ok_and(|path| path.components().any(|part| part.as_os_str() == "postfix"))
}

/// The systemd unit that a process belongs to (`/proc/PID/cgroup`), if it is one of Postfix's:
/// a master started by hand from a login or from cron belongs to a unit that must not be
/// restarted for it.
pub(crate) fn postfix_unit(pid: u32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    unit_in(&text)
}

fn unit_in(cgroup: &str) -> Option<String> {
    let paths = cgroup.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let units = paths.filter_map(|path| {
        let last = PathBuf::from(path);
        let unit = last.file_name()?.to_str()?.to_owned();
        (unit.ends_with(".service") && unit.starts_with("postfix")).then_some(unit)
    });
    units.into_iter().next()
}

#[cfg(test)]
mod tests;

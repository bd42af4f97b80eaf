//! One private Postfix instance.
//!
//! Owns: its folders, its start and its end. Never: uses another address than its own on
//! loopback, or another folder than its own.

use super::address::Address;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, Permissions};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a start or stop may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A private instance, stopped when dropped.
pub(super) struct Instance {
    folder: PathBuf,
    address: Address,
    program: PathBuf,
    owner: Ids,
    end: End,
}

/// What a drop does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Stop,
    LeaveRunning,
}

impl Instance {
    /// Makes the folders; `write` fills the configuration directory.
    pub(super) fn build(folder: PathBuf, address: Address) -> Result<Self, String> {
        let io = |error: std::io::Error| format!("cannot make {}: {error}", folder.display());
        for name in ["etc", "queue", "data", "mail"] {
            fs::create_dir_all(folder.join(name)).map_err(io)?;
            fs::set_permissions(folder.join(name), Permissions::from_mode(0o755)).map_err(io)?;
        }
        let owner = postfix_user()?;
        chown(folder.join("data"), Some(owner.uid), Some(owner.gid)).map_err(io)?;
        chown(folder.join("mail"), Some(owner.uid), Some(owner.gid)).map_err(io)?;
        Ok(Self {
            folder,
            address,
            program: program("postfix")?,
            owner,
            end: End::Stop,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn config_directory(&self) -> PathBuf {
        self.folder.join("etc")
    }

    /// The user that its daemons run as.
    pub(super) fn owner(&self) -> Ids {
        self.owner
    }

    pub(super) fn address(&self) -> Ipv4Addr {
        self.address.ip
    }

    pub(super) fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(self.address.ip), port)
    }

    /// The log so far.
    pub(super) fn log(&self) -> String {
        fs::read(self.folder.join("log"))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    pub(super) fn start(&self) -> Result<(), String> {
        self.postfix("start")?;
        let deadline = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect_timeout(&self.at(25), Duration::from_millis(500))
            .is_err()
        {
            if Instant::now() > deadline {
                return Err(format!(
                    "nothing answers on {}; the log says: {}",
                    self.at(25),
                    self.log()
                ));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Stops it, and waits until none of its processes is left; those that do not go are killed.
    pub(super) fn stop(&self) -> Result<(), String> {
        // It may be on its way out already, or its files gone; what counts is what is left of it.
        let said = if self.master().is_some() {
            self.postfix("stop")
        } else {
            Ok(())
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = self.processes();
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!(
                    "processes {left:?} of {}; {said:?}",
                    self.folder.display()
                ));
            }
            if said.is_err() || self.master().is_none() {
                // Found by their working directory, which is ours: nobody else's process.
                left.iter()
                    .filter_map(|pid| Pid::from_raw(*pid))
                    .for_each(|pid| {
                        let _ = kill_process(pid, Signal::KILL);
                    });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets it, and its address, outlive this process.
    pub(super) fn leave_running(&mut self) {
        self.end = End::LeaveRunning;
        self.address.leave();
    }

    /// The master's process id, if it lives and is ours.
    fn master(&self) -> Option<u32> {
        let pid = fs::read_to_string(self.folder.join("queue/pid/master.pid")).ok()?;
        let pid: u32 = pid.trim().parse().ok()?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        (name.trim() == "master").then_some(pid)
    }

    /// Every process that works in the queue directory, as Postfix's daemons all do, even when
    /// the directory is gone.
    fn processes(&self) -> Vec<i32> {
        let queue = self.folder.join("queue").display().to_string();
        let ours = |cwd: PathBuf| cwd.display().to_string().starts_with(&queue);
        let Ok(entries) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        entries
            .flatten()
            .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(ours))
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect()
    }

    fn postfix(&self, verb: &str) -> Result<(), String> {
        let output = Command::new(&self.program)
            .arg("-c")
            .arg(self.config_directory())
            .arg(verb)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cannot run postfix: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("postfix {verb} failed: {words}{}", self.log()))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.end == End::Stop {
            // `Site` stops instances and reports; this is for the paths on which it could not.
            let _ = self.stop();
        }
    }
}

/// A user and a group.
#[derive(Clone, Copy)]
pub(super) struct Ids {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The user that Postfix's daemons run as.
pub(super) fn postfix_user() -> Result<Ids, String> {
    let accounts = fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    let line = accounts.lines().find(|line| line.starts_with("postfix:"));
    let fields: Vec<&str> = line
        .map(|line| line.split(':').collect())
        .unwrap_or_default();
    let id = |n: usize| fields.get(n).and_then(|field| field.parse::<u32>().ok());
    match (id(2), id(3)) {
        (Some(uid), Some(gid)) => Ok(Ids { uid, gid }),
        _ => Err("there is no user postfix: install Postfix first".to_owned()),
    }
}

/// A program of Postfix or Cyrus SASL, by its usual places.
pub(super) fn program(name: &str) -> Result<PathBuf, String> {
    ["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin", "/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("{name} is not installed"))
}

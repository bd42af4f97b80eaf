//! The real host: a Postfix instance on this machine, or in a container that can be entered.
//!
//! Owns: [`PostfixHost`], which puts the parts of this crate together. Never: decides.

mod seen;
mod values;

use crate::command::Call;
use crate::file::{self, failed};
use crate::look::Asked;
use crate::postfix::{Control, Postfix};
use crate::publish::Place;
use crate::root::Root;
use crate::scratch::{self, Running};
use crate::{
    Entered, Host, HostError, HostLook, Lock, LogLook, LogMark, Rival, Scratch, Snapshot, Staged,
    livelog, lock, look, network, policy_map, private, process, sni_map,
};
use postseal_planner::facts::{FileLook, MasterState, PortOwner};
use postseal_planner::plan::{Cf, PolicyMap, SniMap};
use postseal_planner::{Digest, PostfixVersion};
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

const SYSTEMCTL: &str = "/usr/bin/systemctl";
/// systemd's own default for starting and stopping a unit.
const RESTART: Duration = Duration::from_secs(90);
/// How long a master may take to appear after `postfix start` returned, or to go after `stop`.
const SETTLE: Duration = Duration::from_secs(10);
/// A master takes up a signal within milliseconds.
const TAKEN_UP: Duration = Duration::from_secs(5);

/// Which instance, and how to reach it.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// The configuration directory as Postfix names it (absolute).
    pub config_directory: PathBuf,
    /// Words put before every command, e.g. `nsenter -t 4711 -m -n`; empty on this host.
    pub prefix: Vec<String>,
    /// Where the instance's file tree is seen from here: `/`, or `/proc/4711/root`.
    pub root: PathBuf,
    /// Where the lock file lies.
    pub lock_directory: PathBuf,
}

impl HostOptions {
    /// An instance on this host.
    pub fn new(config_directory: impl Into<PathBuf>) -> Self {
        Self {
            config_directory: config_directory.into(),
            prefix: Vec::new(),
            root: PathBuf::from("/"),
            lock_directory: PathBuf::from(lock::LOCK_DIRECTORY),
        }
    }
}

/// A Postfix instance.
#[derive(Debug)]
pub struct PostfixHost {
    config_directory: PathBuf,
    lock_directory: PathBuf,
    root: Root,
    postfix: Postfix,
}

impl PostfixHost {
    /// Set by the operator's interrupt: it ends the long work of a program, the compiling of a map, at
    /// once.
    #[must_use]
    pub fn until(mut self, stop: Arc<AtomicBool>) -> Self {
        self.postfix.stop = stop;
        self
    }

    /// The instance that `options` name. Looks at its folder; runs nothing.
    pub fn new(options: HostOptions) -> Result<Self, HostError> {
        let root = Root::new(&options.root);
        let path = options.config_directory;
        if !path.is_absolute() {
            let relative = io::Error::new(io::ErrorKind::InvalidInput, "not an absolute path");
            return Err(failed("use", &path)(relative));
        }
        let config_directory = root.resolve(&path).map_err(failed("read", &path))?;
        let meta = root
            .at(&config_directory)
            .metadata()
            .map_err(failed("read", &path))?;
        if !meta.is_dir() {
            return Err(failed("read", &path)(io::ErrorKind::NotADirectory.into()));
        }
        let postfix = Postfix::new(&root, &options.prefix, &config_directory)?;
        Ok(Self {
            config_directory,
            lock_directory: options.lock_directory,
            root,
            postfix,
        })
    }

    /// The configuration directory as Postfix names it, symbolic links resolved.
    pub fn config_directory(&self) -> &Path {
        &self.config_directory
    }

    /// The installed Postfix. One process, where [`look`](Host::look) needs four.
    pub fn version(&self) -> Result<PostfixVersion, HostError> {
        look::version(&self.postfix)
    }

    /// The instance's commands.
    pub fn postfix(&self) -> &Postfix {
        &self.postfix
    }

    /// Ends and removes the scratch instances of this instance that a killed Postseal left.
    /// Returns how many.
    pub fn clean_leftovers(&self) -> Result<usize, HostError> {
        let queue = self.seen_queue()?;
        scratch::clean_leftovers(&queue)
    }

    /// What killed installations left half made. The caller holds the lock.
    fn sweep_installed(&self) -> Result<(), HostError> {
        let folder = postseal_planner::installed_folder(&self.config_directory);
        private::sweep(&self.seen(&folder)?)
    }

    fn place(&self, file: Cf) -> Place<'_> {
        Place {
            root: &self.root,
            config_directory: &self.config_directory,
            file,
        }
    }

    /// The master's process, while it runs.
    fn running(&self) -> Option<u32> {
        match self.master() {
            Ok(MasterState::Running(pid)) => Some(pid),
            _ => None,
        }
    }

    fn restart_unit(&self, unit: &str) -> Result<(), HostError> {
        Call::new(&[], Path::new(SYSTEMCTL), RESTART)
            .args(["restart", unit])
            .run_ok()
            .map(drop)
    }

    fn stop_start(&self, master: MasterState) -> Result<(), HostError> {
        if let MasterState::Running(_) = master {
            self.postfix.control(Control::Stop)?;
            self.settle(|now| now == MasterState::Stopped)?;
        }
        self.postfix.control(Control::Start)?;
        self.settle(|now| now != MasterState::Stopped)
    }

    fn settle(&self, reached: impl Fn(MasterState) -> bool) -> Result<(), HostError> {
        let end = Instant::now() + SETTLE;
        while !reached(self.master()?) {
            if Instant::now() >= end {
                return Err(HostError::Deadline {
                    command: "postfix".to_owned(),
                    deadline: SETTLE,
                });
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Host for PostfixHost {
    fn look(&self) -> Result<HostLook, HostError> {
        let (root, folder) = (&self.root, &self.config_directory);
        look::look(root, folder, &self.postfix, Asked::All, || self.master())
    }

    fn read(&self, path: &Path) -> FileLook {
        let from = match path.is_absolute() {
            true => Ok(PathBuf::new()),
            false => self.postfix.places().map(|places| places.queue_directory),
        };
        let path = match from {
            Ok(from) => from.join(path),
            Err(error) => return FileLook::Unreadable(error.to_string()),
        };
        match self.root.resolve(&path) {
            Ok(real) => file::look(&self.root.at(&real)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => FileLook::Missing,
            Err(error) => file::unreadable(&error),
        }
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Read>, HostError> {
        let real = self
            .root
            .resolve(path)
            .map_err(file::failed("read", path))?;
        let file = file::open_plain(&self.root.at(&real)).map_err(file::failed("read", path))?;
        Ok(Box::new(file))
    }

    fn table_rows(&self, table: &str) -> Result<Box<dyn Read>, HostError> {
        Ok(Box::new(self.postfix.table_rows(table)?))
    }

    fn table_keys(&self, table: &str) -> Result<Vec<String>, HostError> {
        self.postfix.table_keys(table)
    }

    fn lookup(&self, table: &str, key: &str) -> Result<Option<String>, HostError> {
        // `postmap -q -` would read keys from its standard input.
        match key {
            "" | "-" => Ok(None),
            key => self.postfix.lookup(table, key),
        }
    }

    fn lookups(&self, table: &str, keys: &[String]) -> Result<Vec<Option<String>>, HostError> {
        self.postfix.lookups(table, keys)
    }

    fn lock(&self) -> Result<Box<dyn Lock>, HostError> {
        let seen = self.root.at(&self.config_directory);
        let lock = lock::take(&self.lock_directory, &seen, &self.config_directory)?;
        // What cannot be cleared away must not keep a rollback from being done; it is tried again
        // the next time.
        let _ = self.clean_leftovers();
        let _ = self.sweep_installed();
        Ok(Box::new(lock))
    }

    fn snapshot(&self, file: Cf) -> Result<Snapshot, HostError> {
        self.place(file).snapshot()
    }

    fn rehearse(&self, staged: &Staged) -> Result<Box<dyn Scratch>, HostError> {
        let running = Running::start(&self.root, &self.config_directory, &self.postfix, staged)?;
        Ok(Box::new(running))
    }

    fn publish(&self, file: Cf, bytes: &[u8], expected: Digest) -> Result<(), HostError> {
        self.place(file).publish(bytes, expected)
    }

    fn restore(&self, snapshot: &Snapshot, expected: Digest) -> Result<(), HostError> {
        self.place(snapshot.file).restore(snapshot, expected)
    }

    fn sweep(&self, file: Cf) -> Result<(), HostError> {
        self.place(file).sweep()
    }

    fn install(&self, path: &Path, bytes: &Zeroizing<Vec<u8>>) -> Result<(), HostError> {
        private::install(&self.seen_private(path)?, bytes)
    }

    fn install_sni_map(&self, map: &SniMap) -> Result<(), HostError> {
        let folder = map.path.parent().unwrap_or(Path::new("/"));
        // Its links are followed; where it is not there yet, it is made.
        let folder = match self.root.resolve(folder) {
            Ok(real) => real,
            Err(_) => folder.to_owned(),
        };
        let name = map.path.file_name().unwrap_or_default();
        let map = SniMap {
            path: folder.join(name),
            ..map.clone()
        };
        sni_map::install(&self.root, &self.postfix, &self.config_directory, &map)
    }

    fn install_policy_map(&self, map: &PolicyMap, rows: &mut dyn Read) -> Result<(), HostError> {
        let folder = map.path.parent().unwrap_or(Path::new("/"));
        // Its links are followed; where it is not there yet, it is made.
        let folder = match self.root.resolve(folder) {
            Ok(real) => real,
            Err(_) => folder.to_owned(),
        };
        let map = PolicyMap {
            path: folder.join(map.path.file_name().unwrap_or_default()),
            ..map.clone()
        };
        policy_map::install(
            &self.root,
            &self.postfix,
            &self.config_directory,
            &map,
            rows,
        )
    }

    fn policy_maps(&self, folder: &Path) -> Vec<PathBuf> {
        let seen = self.seen(folder);
        let entries = seen.ok().and_then(|seen| std::fs::read_dir(seen).ok());
        let names = entries.into_iter().flatten().flatten();
        names
            .map(|entry| entry.file_name())
            .filter(|name| name.to_string_lossy().starts_with("policy-"))
            .map(|name| folder.join(name))
            .collect()
    }

    fn remove(&self, path: &Path) -> Result<(), HostError> {
        match self.seen_private(path) {
            Ok(seen) => {
                private::remove(&seen).and_then(|()| private::remove(&sni_map::draft(&seen)))
            }
            Err(HostError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn master(&self) -> Result<MasterState, HostError> {
        let queue = self.seen_queue()?;
        Ok(match process::master_of(&self.root, &queue) {
            Some(pid) => MasterState::Running(pid),
            None => MasterState::Stopped,
        })
    }

    fn rivals(&self, addresses: &[SocketAddr]) -> Vec<Rival> {
        let rivals = |pid| network::rivals(&self.root, pid, addresses);
        self.running().map(rivals).unwrap_or_default()
    }

    fn owner(&self, address: SocketAddr) -> PortOwner {
        let owner = |master| network::owner(&self.root, master, address);
        self.master().map_or(PortOwner::Unknown, owner)
    }

    fn served(&self) -> Option<BTreeSet<String>> {
        process::served_by(&self.root, self.running()?)
    }

    fn reload(&self) -> Result<(), HostError> {
        self.postfix.control(Control::Reload)?;
        let MasterState::Running(pid) = self.master()? else {
            return Ok(());
        };
        let end = Instant::now() + TAKEN_UP;
        while process::hangup_is_pending(pid) {
            if Instant::now() >= end {
                return Err(HostError::Stuck(pid));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn restart(&self) -> Result<(), HostError> {
        let master = self.master()?;
        let unit = match master {
            MasterState::Running(pid) if self.postfix.prefix().is_empty() => {
                process::postfix_unit(pid)
            }
            _ => None,
        };
        match unit {
            Some(unit) if Path::new(SYSTEMCTL).exists() => {
                self.restart_unit(&unit)?;
                self.settle(|now| now != MasterState::Stopped)
            }
            _ => self.stop_start(master),
        }
    }

    fn enter_network(&self) -> Result<Entered, HostError> {
        Entered::by(self.postfix.prefix())
    }

    fn log_mark(&self) -> LogMark {
        match self.postfix.values(&["-x", "maillog_file"]) {
            Ok(found) => livelog::mark(
                &self.root,
                self.postfix.prefix(),
                found.values.get("maillog_file").map(String::as_str),
            ),
            Err(error) => LogMark::None(error.to_string()),
        }
    }

    fn log_since(&self, mark: &LogMark) -> LogLook {
        livelog::since(&self.root, self.postfix.prefix(), mark)
    }
}

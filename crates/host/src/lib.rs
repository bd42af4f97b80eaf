//! The machine: observe, snapshot, stage, rehearse, publish, restore.
//!
//! Owns: Postfix's files on this host, its commands, scratch and private instances, the lock.
//! Never: decides, interprets a TLS parameter, opens a socket to another host.
//!
//! [`Host`] is the door; `PostfixHost` is the real one, and `testkit` has one that fails or
//! dies at step n.

mod command;
mod entered;
mod error;
mod file;
mod finger;
mod instance;
mod livelog;
mod lock;
mod look;
mod mail;
mod network;
mod policy_map;
mod postfix;
mod private;
mod process;
mod publish;
mod queue;
mod real;
mod root;
mod scratch;
mod sni_map;
mod sources;
mod watcher;

pub use entered::Entered;
pub use error::HostError;
pub use file::look as look_at;
pub use instance::{Instance, LIFETIME};
pub use lock::LOCK_DIRECTORY;
pub use postfix::{Control, Places, Postfix};
pub use real::{HostOptions, PostfixHost};
pub use sources::{
    SourceAccess, SourceError, SourceFiles, access_to, chosen_by, read_folder, read_password,
    read_source, read_stream, source_access, source_written,
};
pub use watcher::Watcher;

use postseal_planner::facts::{CfFile, FileLook, MasterState, PortOwner};
use postseal_planner::plan::{Cf, PolicyMap, SniMap};
use postseal_planner::{Digest, PostfixVersion};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Everything that the engine may ask of the machine that runs one Postfix instance.
pub trait Host: Sync {
    /// One picture of the instance: both files and what `postconf` says of them.
    fn look(&self) -> Result<HostLook, HostError>;

    /// What stands at `path` (bounded: files over 1 MiB are [`FileLook::TooLarge`]). A relative one begins in
    /// `queue_directory`, where Postfix's daemons work.
    fn read(&self, path: &Path) -> FileLook;

    /// A file as a stream, however large it is: a table's source. Never blocks on what is no plain
    /// file; that is an error.
    fn open(&self, path: &Path) -> Result<Box<dyn Read>, HostError>;

    /// All rows of a table (`type:name`) as the instance's own `postmap -s` prints them: the key, a
    /// tab, the value, a newline. An error where its type cannot list them.
    fn table_rows(&self, table: &str) -> Result<Box<dyn Read>, HostError>;

    /// Of the same rows the keys alone, for tables whose values are private keys: those are kept nowhere.
    fn table_keys(&self, table: &str) -> Result<Vec<String>, HostError>;

    /// What the instance's own `postmap -q` says of a key in a table (`type:name`, a relative name below
    /// `queue_directory`); `None` where the key is not there. An error where the table cannot be asked.
    fn lookup(&self, table: &str, key: &str) -> Result<Option<String>, HostError>;

    /// The same for many keys of one table, in one call; the answers in their order.
    fn lookups(&self, table: &str, keys: &[String]) -> Result<Vec<Option<String>>, HostError> {
        keys.iter().map(|key| self.lookup(table, key)).collect()
    }

    /// Takes the instance's lock against a second Postseal; freed on drop and by the kernel when
    /// the process dies. [`HostError::Locked`] when somebody else holds it. Who has it clears
    /// away the scratch instances that a killed holder left.
    fn lock(&self) -> Result<Box<dyn Lock>, HostError>;

    /// A copy of a file as it is: bytes, owner, mode, extended attributes, symbolic link.
    fn snapshot(&self, file: Cf) -> Result<Snapshot, HostError>;

    /// Starts a scratch instance with the staged files (see `scratch`).
    fn rehearse(&self, staged: &Staged) -> Result<Box<dyn Scratch>, HostError>;

    /// Replaces a file's bytes, if its digest still is `expected` ([`HostError::Stale`] else):
    /// written beside as `main.cf.tmp` under postconf's own lock, fsynced, owner, mode and
    /// extended attributes copied, its time set back 2 s, renamed, the folder fsynced. A symbolic
    /// link stays and its target is replaced.
    fn publish(&self, file: Cf, bytes: &[u8], expected: Digest) -> Result<(), HostError>;

    /// Gives a snapshot's bytes, owner, mode and extended attributes back, if the file's digest is
    /// `expected` now.
    fn restore(&self, snapshot: &Snapshot, expected: Digest) -> Result<(), HostError>;

    /// Removes what a publish or restore that was cut short left beside the file (`main.cf.tmp`).
    /// A host whose publish leaves nothing has nothing to do.
    fn sweep(&self, file: Cf) -> Result<(), HostError> {
        let _ = file;
        Ok(())
    }

    /// Writes a private file (0600 root) in one rename; does nothing when it is there with the
    /// same bytes, owner and mode. Makes the folder (0700) if missing.
    fn install(&self, path: &Path, bytes: &Zeroizing<Vec<u8>>) -> Result<(), HostError>;

    /// Writes a map of server names and compiles it with `postmap -F` (source and map 0600 root).
    /// Does nothing to a source that is there; the map is compiled anew.
    fn install_sni_map(&self, map: &SniMap) -> Result<(), HostError>;

    /// Writes a map of policies from its rows and compiles it with `postmap`, beside the one that
    /// is named now. Where this fails, nothing is left and nothing has changed.
    fn install_policy_map(&self, map: &PolicyMap, rows: &mut dyn Read) -> Result<(), HostError>;

    /// The files of all maps of policies that stand in `folder`, half-made ones too.
    fn policy_maps(&self, folder: &Path) -> Vec<PathBuf>;

    /// Removes a private file that [`Host::install`] wrote or began to write. Missing is fine.
    fn remove(&self, path: &Path) -> Result<(), HostError>;

    /// Whether the master runs.
    fn master(&self) -> Result<MasterState, HostError>;

    /// Those of `addresses` at which somebody else listens than this instance's running master.
    /// None where that cannot be seen.
    fn rivals(&self, addresses: &[SocketAddr]) -> Vec<Rival> {
        let _ = addresses;
        Vec::new()
    }

    /// Who listens at an address of this instance.
    fn owner(&self, address: SocketAddr) -> PortOwner {
        let _ = address;
        PortOwner::Unknown
    }

    /// The services (`name/type`) for which the running master has a process now; `None` where that
    /// cannot be seen.
    fn served(&self) -> Option<BTreeSet<String>> {
        None
    }

    /// `postfix reload`. Returns when the signal is sent; it says nothing of the effect.
    fn reload(&self) -> Result<(), HostError>;

    /// Stop and start, through what started the master.
    fn restart(&self) -> Result<(), HostError>;

    /// Takes the calling thread into the instance's network, where that is another one (a
    /// container's), until the answer is dropped. Rehearse and probe within it.
    fn enter_network(&self) -> Result<Entered, HostError> {
        Ok(Entered::here())
    }

    /// The end of the live log now, so that [`Host::log_since`] can read what follows.
    fn log_mark(&self) -> LogMark;

    /// The log lines since `mark` (at most 1 MiB, the newest).
    fn log_since(&self, mark: &LogMark) -> LogLook;
}

/// The instance's lock, held while it lives.
pub trait Lock {}

/// A running scratch instance; stopped and removed on drop.
pub trait Scratch {
    /// Where each inet service of the staged master.cf listens in the scratch instance; by
    /// `name/type`. Services that were neutralised are absent.
    fn endpoints(&self) -> &BTreeMap<String, SocketAddr>;

    /// Its log so far.
    fn log(&self) -> Vec<u8>;

    /// What could not be rehearsed, a sentence each (milters, policy services, haproxy …).
    fn not_rehearsed(&self) -> &[String];

    /// Hands a message to the scratch instance's queue (`sendmail`), to be sent by its own
    /// smtp(8) to `recipients`. Transports are set in [`Staged::transports`].
    fn submit(&self, sender: &str, recipients: &[&str], message: &[u8]) -> Result<(), HostError>;

    /// Puts other bytes in place of one of the scratch's files, without a reload: the state
    /// between two renames. New daemon processes read it at once.
    fn replace(&mut self, file: Cf, bytes: &[u8]) -> Result<(), HostError>;

    /// Reloads the scratch instance.
    fn reload(&mut self) -> Result<(), HostError>;

    /// Stops it and removes its folders; errors are those of leaving something behind.
    fn stop(self: Box<Self>) -> Result<(), HostError>;
}

/// The files to rehearse.
#[derive(Clone, Debug)]
pub struct Staged {
    /// main.cf's bytes.
    pub main_cf: Vec<u8>,
    /// master.cf's bytes.
    pub master_cf: Vec<u8>,
    /// Private files that the configuration names but that are not installed yet: path as the
    /// configuration names it → content. They are placed in the scratch folder and the staged
    /// main.cf and master.cf name them there.
    pub private: BTreeMap<PathBuf, Zeroizing<Vec<u8>>>,
    /// Maps of server names that the configuration names but that are not installed yet, placed
    /// likewise.
    pub sni_maps: Vec<SniMap>,
    /// Recipient domains → where the scratch smtp(8) delivers them (loopback sinks).
    pub transports: BTreeMap<String, SocketAddr>,
}

/// One picture of an instance.
#[derive(Clone, Debug)]
pub struct HostLook {
    /// The configuration directory.
    pub config_directory: PathBuf,
    /// main.cf.
    pub main_cf: CfFile,
    /// master.cf.
    pub master_cf: CfFile,
    /// `mail_version`.
    pub version: PostfixVersion,
    /// `postconf -c DIR`: every parameter, unexpanded, defaults included.
    pub values: BTreeMap<String, String>,
    /// `postconf -c DIR -d`.
    pub defaults: BTreeMap<String, String>,
    /// `postconf -m`.
    pub map_types: Vec<String>,
    /// `postconf -a`.
    pub sasl_types: Vec<String>,
    /// Addresses of this host's interfaces.
    pub addresses: Vec<IpAddr>,
    /// Whether the master runs.
    pub master: MasterState,
    /// What `postconf` printed as warnings.
    pub warnings: Vec<String>,
}

/// A file as it was: enough to give it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Which file.
    pub file: Cf,
    /// The path in the configuration directory.
    pub path: PathBuf,
    /// Where a symbolic link at `path` pointed, as written in the link.
    pub link: Option<PathBuf>,
    /// Every byte.
    pub bytes: Vec<u8>,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
    /// Extended attributes.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Somebody else who listens at an address of this instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rival {
    /// Where.
    pub address: SocketAddr,
    /// How much of it.
    pub share: Share,
}

/// How much of a port somebody else has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// The master listens there too: each gets some of the connections.
    Some,
    /// The master does not listen there, and could not.
    All,
}

/// A place in the live log.
#[derive(Clone, Debug)]
pub enum LogMark {
    /// A file: path, inode and length then.
    File {
        /// Which file.
        path: PathBuf,
        /// Its inode, to notice rotation.
        inode: u64,
        /// Its length.
        length: u64,
    },
    /// The journal: its cursor; empty for its beginning.
    Journal(String),
    /// No log could be found; why.
    None(String),
}

impl LogMark {
    /// The beginning of the same log: what is read from there is its newest part.
    #[must_use]
    pub fn whole(self) -> Self {
        match self {
            Self::File { path, inode, .. } => Self::File {
                path,
                inode,
                length: 0,
            },
            Self::Journal(_) => Self::Journal(String::new()),
            none @ Self::None(_) => none,
        }
    }
}

/// What the live log said.
#[derive(Clone, Debug)]
pub enum LogLook {
    /// The bytes since the mark.
    Lines(Vec<u8>),
    /// It could not be read; why.
    Unreadable(String),
}

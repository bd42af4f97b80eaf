//! A host in memory that fails, or dies, at any step.
//!
//! Owns: [`FakeHost`]: both files with their digests, private files, what a running Postfix would
//! have read, scratch instances, the lock. Never: touches a file, sleeps, reads a clock.
//!
//! Every call of [`Host`] and [`Scratch`](postseal_host::Scratch) is a step. A test counts the
//! steps of a good run and then, for every n, makes step n fail or the whole machine die before or
//! after its effect; the files must be the old or the new ones.

mod scratch;
mod world;

pub use world::{Fault, Rehearsal, World};

use postseal_host::{Host, HostError, HostLook, Lock, LogLook, LogMark, Scratch, Snapshot, Staged};
use postseal_planner::Digest;
use postseal_planner::facts::{CfFile, FileLook, MasterState};
use postseal_planner::plan::{Cf, PolicyMap, SniMap};
use scratch::FakeScratch;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// What the command line of a dead machine's calls is in errors.
const DEAD: &str = "the machine died";

/// A handle on a [`World`]; clones show the same one.
#[derive(Clone, Debug)]
pub struct FakeHost(Arc<Mutex<World>>);

impl FakeHost {
    /// A host with these two files and a running Postfix that has read them.
    pub fn new(main_cf: &[u8], master_cf: &[u8]) -> Self {
        Self(Arc::new(Mutex::new(World::new(main_cf, master_cf))))
    }

    /// The world, to look at or to change: a hand edit, other values, another log.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets step `n`, counted from 0 from now on, go wrong. Replaces a former fault.
    pub fn fault_at(&self, n: usize, fault: Fault) {
        self.world().plan_fault(n, fault);
    }

    /// Steps since the start or since [`FakeHost::revive`].
    pub fn steps(&self) -> usize {
        self.world().calls().len()
    }

    /// The machine is up again: files are as they were, the lock is free, no scratch instance
    /// runs, Postfix has read its files afresh, steps count from 0 and nothing goes wrong.
    pub fn revive(&self) {
        self.world().revive();
    }

    /// The process was killed and another one begins; the machine, and Postfix on it, go on. The
    /// lock is free, scratch instances are cleared away, steps count from 0 and nothing goes wrong.
    pub fn next_process(&self) {
        self.world().next_process();
    }

    /// Whether the error is that of a machine that died, as opposed to a call that failed.
    pub fn has_died(error: &HostError) -> bool {
        matches!(error, HostError::Spawn { command, .. } if command == DEAD)
    }

    /// Runs one step: its effect, unless a fault is due.
    fn step<T>(
        &self,
        call: String,
        effect: impl FnOnce(&mut World) -> Result<T, HostError>,
    ) -> Result<T, HostError> {
        let mut world = self.world();
        match world.next_fault(call) {
            None => effect(&mut world),
            Some(Fault::Fail) => Err(failure()),
            Some(Fault::DieBefore) => Err(death()),
            Some(Fault::DieAfter) => effect(&mut world).and(Err(death())),
        }
    }
}

fn failure() -> HostError {
    HostError::File {
        action: "write",
        path: PathBuf::from("/fake"),
        source: io::ErrorKind::StorageFull.into(),
    }
}

fn death() -> HostError {
    HostError::Spawn {
        command: DEAD.to_owned(),
        source: io::ErrorKind::BrokenPipe.into(),
    }
}

/// As `postfix reload` ends then.
fn not_running() -> HostError {
    HostError::Command {
        command: "postfix reload".to_owned(),
        status: "exit status: 1".to_owned(),
        output: "the Postfix mail system is not running".to_owned(),
    }
}

impl Host for FakeHost {
    fn look(&self) -> Result<HostLook, HostError> {
        self.step("look".to_owned(), |world| Ok(world.look()))
    }

    fn read(&self, path: &Path) -> FileLook {
        let read = self.step(format!("read {}", path.display()), |world| {
            Ok(match world.files.get(path) {
                Some(bytes) => FileLook::File {
                    bytes: bytes.clone(),
                    mode: 0o600,
                    uid: 0,
                },
                None => FileLook::Missing,
            })
        });
        read.unwrap_or_else(|error| FileLook::Unreadable(error.to_string()))
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Read>, HostError> {
        self.step(format!("open {}", path.display()), |world| {
            let missing = || HostError::File {
                action: "read",
                path: path.to_owned(),
                source: std::io::ErrorKind::NotFound.into(),
            };
            let bytes = world.files.get(path).ok_or_else(missing)?;
            let stream: Box<dyn Read> = Box::new(std::io::Cursor::new(bytes.to_vec()));
            Ok(stream)
        })
    }

    /// Its tables are always compiled: each line of the source, with a tab for its first blank.
    fn table_rows(&self, table: &str) -> Result<Box<dyn Read>, HostError> {
        let path = Path::new(table.split_once(':').map_or(table, |(_, path)| path));
        let mut source = String::new();
        let read = self.open(path)?.read_to_string(&mut source);
        read.map_err(|source| HostError::File {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
        let rows = source
            .lines()
            .map(|line| line.replacen(' ', "\t", 1) + "\n");
        Ok(Box::new(std::io::Cursor::new(rows.collect::<String>())))
    }

    fn table_keys(&self, table: &str) -> Result<Vec<String>, HostError> {
        let rows = BufReader::new(self.table_rows(table)?).lines();
        let key = |row: String| row.split('\t').next().unwrap_or_default().to_owned();
        Ok(rows.map_while(Result::ok).map(key).collect())
    }

    fn lookup(&self, table: &str, key: &str) -> Result<Option<String>, HostError> {
        self.step(format!("look {key} up in {table}"), |world| {
            Ok(world.row(table, key))
        })
    }

    fn lock(&self) -> Result<Box<dyn Lock>, HostError> {
        let number = self.step("lock".to_owned(), World::take_lock)?;
        Ok(Box::new(FakeLock {
            host: self.clone(),
            number,
        }))
    }

    fn snapshot(&self, file: Cf) -> Result<Snapshot, HostError> {
        self.step(format!("snapshot {file:?}"), |world| {
            Ok(Snapshot {
                file,
                path: World::path(file),
                link: None,
                bytes: world.file(file).clone(),
                uid: 0,
                gid: 0,
                mode: 0o644,
                xattrs: BTreeMap::new(),
            })
        })
    }

    fn rehearse(&self, staged: &Staged) -> Result<Box<dyn Scratch>, HostError> {
        let number = self.step("rehearse".to_owned(), |world| world.start_scratch(staged))?;
        let rehearsal = self.world().rehearsal.clone();
        Ok(Box::new(FakeScratch::new(self.clone(), number, rehearsal)))
    }

    fn publish(&self, file: Cf, bytes: &[u8], expected: Digest) -> Result<(), HostError> {
        self.step(format!("publish {file:?}"), |world| {
            world.replace(file, bytes, expected)
        })
    }

    fn restore(&self, snapshot: &Snapshot, expected: Digest) -> Result<(), HostError> {
        self.step(format!("restore {:?}", snapshot.file), |world| {
            world.replace(snapshot.file, &snapshot.bytes, expected)
        })
    }

    fn install(&self, path: &Path, bytes: &Zeroizing<Vec<u8>>) -> Result<(), HostError> {
        self.step(format!("install {}", path.display()), |world| {
            world.files.insert(path.to_owned(), bytes.clone());
            Ok(())
        })
    }

    fn install_sni_map(&self, map: &SniMap) -> Result<(), HostError> {
        self.step(format!("install {}", map.path.display()), |world| {
            let files = map.files();
            let mut source = map.source.clone();
            if let Some(compiled) = files.get(1) {
                let bytes = Zeroizing::new(format!("compiled {source}").into_bytes());
                let held = |path: &Path| world.files.get(path).map_or(&[][..], |bytes| bytes);
                let copied = map.chains().map(|path| Digest::of(held(path)));
                source = map.source_beside(SniMap::copied(copied), Digest::of(&bytes));
                world.files.insert(compiled.clone(), bytes);
            }
            let source = Zeroizing::new(source.into_bytes());
            world.files.insert(map.path.clone(), source);
            Ok(())
        })
    }

    fn install_policy_map(&self, map: &PolicyMap, rows: &mut dyn Read) -> Result<(), HostError> {
        self.step(format!("install {}", map.path.display()), |world| {
            let mut bytes = Vec::new();
            rows.read_to_end(&mut bytes)
                .map_err(|source| HostError::File {
                    action: "write",
                    path: map.path.clone(),
                    source,
                })?;
            for file in map.files() {
                world.files.insert(file, Zeroizing::new(bytes.clone()));
            }
            Ok(())
        })
    }

    fn policy_maps(&self, folder: &Path) -> Vec<PathBuf> {
        let world = self.world();
        let of_policies = |path: &&PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            path.parent() == Some(folder) && name.starts_with("policy-")
        };
        world.files.keys().filter(of_policies).cloned().collect()
    }

    fn remove(&self, path: &Path) -> Result<(), HostError> {
        self.step(format!("remove {}", path.display()), |world| {
            world.files.remove(path);
            Ok(())
        })
    }

    fn master(&self) -> Result<MasterState, HostError> {
        self.step("master".to_owned(), |world| Ok(world.master))
    }

    fn reload(&self) -> Result<(), HostError> {
        self.step("reload".to_owned(), |world| {
            if world.master == MasterState::Stopped {
                return Err(not_running());
            }
            if world.deadly_reload {
                world.master = MasterState::Stopped;
            } else {
                world.read_files();
            }
            Ok(())
        })
    }

    fn restart(&self) -> Result<(), HostError> {
        self.step("restart".to_owned(), |world| {
            world.master = World::RUNNING;
            world.read_files();
            Ok(())
        })
    }

    fn log_mark(&self) -> LogMark {
        let mark = self.step("log_mark".to_owned(), |world| {
            Ok(LogMark::File {
                path: PathBuf::from("/var/log/mail.log"),
                inode: 1,
                length: u64::try_from(world.log.len()).unwrap_or(u64::MAX),
            })
        });
        mark.unwrap_or_else(|error| LogMark::None(error.to_string()))
    }

    fn log_since(&self, mark: &LogMark) -> LogLook {
        let look = self.step("log_since".to_owned(), |world| {
            let LogMark::File { length, .. } = mark else {
                return Ok(LogLook::Unreadable("no such mark".to_owned()));
            };
            let from = usize::try_from(*length).unwrap_or(usize::MAX);
            let lines = world.log.get(from..).unwrap_or_default();
            Ok(LogLook::Lines(lines.to_vec()))
        });
        look.unwrap_or_else(|error| LogLook::Unreadable(error.to_string()))
    }
}

#[derive(Debug)]
struct FakeLock {
    host: FakeHost,
    number: u64,
}

impl Lock for FakeLock {}

impl Drop for FakeLock {
    fn drop(&mut self) {
        self.host.world().free_lock(self.number);
    }
}

/// A file of the world as a [`CfFile`].
fn cf_file(file: Cf, bytes: &[u8]) -> CfFile {
    CfFile::of(World::path(file), bytes.to_vec())
}

#[cfg(test)]
mod tests;

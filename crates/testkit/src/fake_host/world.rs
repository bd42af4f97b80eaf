//! The state behind a [`FakeHost`](super::FakeHost).

use super::cf_file;
use postfix_cf::MainCf;
use postseal_host::{HostError, HostLook, Staged};
use postseal_planner::facts::MasterState;
use postseal_planner::plan::Cf;
use postseal_planner::{Digest, PostfixVersion};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// How a step goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call returns an error and has no effect; the next ones work.
    Fail,
    /// The machine dies before the effect; every later call fails until it is revived.
    DieBefore,
    /// The machine dies after the effect, before the answer.
    DieAfter,
}

/// What a scratch instance will be like.
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    /// Its services, `name/type`.
    pub endpoints: BTreeMap<String, SocketAddr>,
    /// Its log.
    pub log: Vec<u8>,
    /// What it says was not rehearsed.
    pub not_rehearsed: Vec<String>,
    /// Why it does not start, if it does not.
    pub refusal: Option<String>,
}

/// Everything about the fake machine; fields are for tests to read and set.
#[derive(Debug)]
pub struct World {
    /// main.cf on disk.
    pub main_cf: Vec<u8>,
    /// master.cf on disk.
    pub master_cf: Vec<u8>,
    /// master.cf as the running master has read it: at start and reload only. main.cf is read by
    /// every new process, so the one on disk is the effective one.
    pub effective_master_cf: Vec<u8>,
    /// Private and other files.
    pub files: BTreeMap<PathBuf, Zeroizing<Vec<u8>>>,
    /// Whether the master runs.
    pub master: MasterState,
    /// The live log.
    pub log: Vec<u8>,
    /// `mail_version`.
    pub version: PostfixVersion,
    /// `postconf -d`; `values` are these with main.cf's entries over them.
    pub defaults: BTreeMap<String, String>,
    /// What `postconf -m` says.
    pub map_types: Vec<String>,
    /// What `postconf -a` says.
    pub sasl_types: Vec<String>,
    /// The interfaces' addresses.
    pub addresses: Vec<IpAddr>,
    /// The next scratch instances.
    pub rehearsal: Rehearsal,
    /// Every configuration that was rehearsed, files replaced in a scratch instance included.
    pub rehearsed: Vec<Staged>,
    /// A reload ends the master and says nothing, as an address that cannot be bound makes it.
    pub deadly_reload: bool,
    /// How often the master read its files again.
    pub reloads: usize,
    calls: Vec<String>,
    fault: Option<Planned>,
    dead: bool,
    lock: Option<u64>,
    locks: u64,
    scratches: BTreeSet<u64>,
    started: u64,
}

/// A fault at a number of calls.
#[derive(Clone, Copy, Debug)]
struct Planned {
    at: usize,
    fault: Fault,
}

/// Defaults that rules look at; a test adds what it needs.
const DEFAULTS: [(&str, &str); 15] = [
    ("default_transport", "smtp"),
    ("inet_interfaces", "all"),
    ("inet_protocols", "all"),
    ("myhostname", "mx.fake.test"),
    ("mydomain", "fake.test"),
    ("mydestination", "$myhostname"),
    ("smtpd_tls_security_level", ""),
    ("smtp_tls_security_level", ""),
    ("smtpd_tls_auth_only", "no"),
    ("smtpd_sasl_auth_enable", "no"),
    ("smtpd_sasl_type", "cyrus"),
    ("smtpd_tls_loglevel", "0"),
    ("smtp_tls_loglevel", "0"),
    ("content_filter", ""),
    ("compatibility_level", "3.6"),
];

impl World {
    pub(super) const RUNNING: MasterState = MasterState::Running(4711);

    /// The value of a key in a table (`type:path`) that was installed.
    pub(super) fn row(&self, table: &str, key: &str) -> Option<String> {
        let (_, path) = table.split_once(':')?;
        let rows = String::from_utf8_lossy(self.files.get(Path::new(path))?);
        let found = rows.lines().filter_map(|row| row.split_once(' '));
        let mut found = found.filter(|(name, _)| *name == key);
        found.next().map(|(_, value)| value.to_owned())
    }

    pub(super) fn new(main_cf: &[u8], master_cf: &[u8]) -> Self {
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let defaults = DEFAULTS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            main_cf: main_cf.to_vec(),
            master_cf: master_cf.to_vec(),
            effective_master_cf: master_cf.to_vec(),
            files: BTreeMap::new(),
            master: Self::RUNNING,
            log: Vec::new(),
            version: PostfixVersion::new(3, 7, 11),
            defaults: defaults.into(),
            map_types: text(&["btree", "cidr", "hash", "inline", "static", "texthash"]),
            sasl_types: text(&["cyrus", "dovecot"]),
            addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            rehearsal: Rehearsal::default(),
            rehearsed: Vec::new(),
            deadly_reload: false,
            reloads: 0,
            calls: Vec::new(),
            fault: None,
            dead: false,
            lock: None,
            locks: 0,
            scratches: BTreeSet::new(),
            started: 0,
        }
    }

    /// What was called since the start or the last revival, in order.
    pub fn calls(&self) -> &[String] {
        &self.calls
    }

    /// Scratch instances that run.
    pub fn scratches(&self) -> usize {
        self.scratches.len()
    }

    /// Whether the machine is down.
    pub fn is_dead(&self) -> bool {
        self.dead
    }

    /// Whether somebody holds the lock.
    pub fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// Where a file lies.
    pub fn path(file: Cf) -> PathBuf {
        Path::new("/etc/postfix").join(match file {
            Cf::Main => "main.cf",
            Cf::Master => "master.cf",
        })
    }

    pub(super) fn file(&mut self, file: Cf) -> &mut Vec<u8> {
        match file {
            Cf::Main => &mut self.main_cf,
            Cf::Master => &mut self.master_cf,
        }
    }

    pub(super) fn plan_fault(&mut self, n: usize, fault: Fault) {
        let at = self.calls.len() + n;
        self.fault = Some(Planned { at, fault });
    }

    /// Notes a call and says what goes wrong with it.
    pub(super) fn next_fault(&mut self, call: String) -> Option<Fault> {
        let number = self.calls.len();
        self.calls.push(call);
        if self.dead {
            return Some(Fault::DieBefore);
        }
        let fault = self.fault.filter(|planned| planned.at == number)?.fault;
        self.dead = fault != Fault::Fail;
        Some(fault)
    }

    pub(super) fn next_process(&mut self) {
        self.dead = false;
        self.fault = None;
        self.calls.clear();
        self.lock = None;
        self.scratches.clear();
    }

    pub(super) fn revive(&mut self) {
        self.next_process();
        self.master = Self::RUNNING;
        self.read_files();
    }

    pub(super) fn read_files(&mut self) {
        self.effective_master_cf.clone_from(&self.master_cf);
        self.reloads += 1;
    }

    pub(super) fn replace(
        &mut self,
        file: Cf,
        bytes: &[u8],
        expected: Digest,
    ) -> Result<(), HostError> {
        let current = self.file(file);
        if Digest::of(current) != expected {
            return Err(HostError::Stale {
                path: Self::path(file),
            });
        }
        *current = bytes.to_vec();
        Ok(())
    }

    pub(super) fn take_lock(&mut self) -> Result<u64, HostError> {
        if self.lock.is_some() {
            return Err(HostError::Locked {
                path: PathBuf::from("/etc/postfix"),
                holder: Some(1),
            });
        }
        self.locks += 1;
        self.lock = Some(self.locks);
        Ok(self.locks)
    }

    /// Only the holder frees it: a handle from before a revival frees nothing.
    pub(super) fn free_lock(&mut self, number: u64) {
        if self.lock == Some(number) {
            self.lock = None;
        }
    }

    pub(super) fn start_scratch(&mut self, staged: &Staged) -> Result<u64, HostError> {
        self.rehearsed.push(staged.clone());
        if let Some(reason) = &self.rehearsal.refusal {
            return Err(HostError::Scratch {
                reason: reason.clone(),
                log: String::from_utf8_lossy(&self.rehearsal.log).into_owned(),
            });
        }
        self.started += 1;
        self.scratches.insert(self.started);
        Ok(self.started)
    }

    pub(super) fn end_scratch(&mut self, number: u64) {
        self.scratches.remove(&number);
    }

    pub(super) fn look(&self) -> HostLook {
        let mut values = self.defaults.clone();
        for entry in MainCf::parse(&self.main_cf).entries() {
            let value = String::from_utf8_lossy(&entry.value()).into_owned();
            values.insert(entry.name().into_owned(), value);
        }
        HostLook {
            config_directory: PathBuf::from("/etc/postfix"),
            main_cf: cf_file(Cf::Main, &self.main_cf),
            master_cf: cf_file(Cf::Master, &self.master_cf),
            version: self.version,
            values,
            defaults: self.defaults.clone(),
            map_types: self.map_types.clone(),
            sasl_types: self.sasl_types.clone(),
            addresses: self.addresses.clone(),
            master: self.master,
            warnings: Vec::new(),
        }
    }
}

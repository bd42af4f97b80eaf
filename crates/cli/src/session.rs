//! An engine for one command: host, store, wire and clock put together.
//!
//! Owns: opening them, and who acts. Never: opens what a command does not need.

use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::guardian::GuardProcess;
use crate::progress;
use postseal_engine::{Engine, EngineError, Event, Network, SystemClock};
use postseal_host::{Entered, Host, HostError, HostOptions, PostfixHost, Watcher};
use postseal_planner::notice::Notices;
use postseal_planner::whole_chain;
use postseal_store::desk::Upload;
use postseal_store::{SqliteStore, StoreError};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Debian's, and everybody's, configuration directory.
pub(crate) const DEFAULT_INSTANCE: &str = "/etc/postfix";

/// Everything an engine borrows.
pub(crate) struct Session {
    host: PostfixHost,
    store: SqliteStore,
    network: Network,
    clock: SystemClock,
    guards: PathBuf,
    guardian: GuardProcess,
    instance: String,
    actor: String,
    interrupted: Arc<AtomicBool>,
    listener: Box<dyn Fn(&Event)>,
    /// A Postfix in a container is probed and rehearsed in its own network.
    _there: Entered,
}

impl Session {
    /// For commands that may make the store.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        require_root("this command")?;
        let host = host(global)?;
        let store = SqliteStore::open(&global.store).map_err(EngineError::from)?;
        let session = Self::new(global, host, store);
        session.may_store()?;
        Ok(session)
    }

    /// For commands that change something about an adopted instance, were it a wish. Ends an
    /// interrupted operation first.
    pub(crate) fn existing(global: &Global) -> Result<Self, Failure> {
        let mut session = Self::as_it_is(global)?;
        session.may_store()?;
        session.engine().wake().map_err(unended)?;
        Ok(session)
    }

    /// For commands that only look. They too end an interrupted operation first; but where that
    /// is not possible, or nothing can be stored, they say so and answer all the same.
    pub(crate) fn reading(global: &Global) -> Result<Self, Failure> {
        let mut session = Self::as_it_is(global)?;
        let unable = session.may_store().err();
        let exposed = session.store.exposed().map(Failure::from).map(|exposed| {
            exposed.hint(
                "Make it root's alone (chown root, chmod 600). Whoever has read the identity can open \
                 the keys in any copy of the store: where somebody may have, have the certificates \
                 issued anew.",
            )
        });
        let open = session.engine().wake().map_err(unended).err();
        for trouble in unable.into_iter().chain(exposed).chain(open) {
            global.warn(trouble);
        }
        Ok(session)
    }

    /// Whether the store's disk takes anything.
    fn may_store(&self) -> Result<(), Failure> {
        match self.store.hindrance() {
            None => Ok(()),
            Some(hindrance) => Err(EngineError::from(StoreError::Disk {
                path: self.store.folder().to_owned(),
                hindrance,
            })
            .into()),
        }
    }

    /// The same, without ending an interrupted operation: for those who look after one.
    pub(crate) fn as_it_is(global: &Global) -> Result<Self, Failure> {
        require_root("this command")?;
        let host = host(global)?;
        let store = SqliteStore::open_existing(&global.store).map_err(EngineError::from)?;
        let store = store.ok_or_else(|| EngineError::NotAdopted {
            instance: instance_name(&host),
        })?;
        Ok(Self::new(global, host, store))
    }

    fn new(global: &Global, host: PostfixHost, store: SqliteStore) -> Self {
        // Where its network cannot be entered, the rehearsal says so and asks.
        let there = host.enter_network().unwrap_or_else(|_| Entered::here());
        let interrupted = Arc::default();
        Self {
            _there: there,
            instance: instance_name(&host),
            actor: global.behalf.clone().unwrap_or_else(actor),
            host: host.until(Arc::clone(&interrupted)),
            store,
            network: Network {
                resolver: global.resolver,
                for_afar: global.behalf.is_some(),
            },
            clock: SystemClock::default(),
            guards: global.store.clone(),
            guardian: GuardProcess::new(global),
            interrupted,
            listener: Box::new(progress::listener(global)),
        }
    }

    /// From now on Ctrl-C, a hang-up and a polite kill let the engine put the old state back,
    /// instead of ending this process in the middle of a change.
    pub(crate) fn heed_interrupts(&self) -> Result<(), Failure> {
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&self.interrupted))
                .map_err(|error| Failure::new(Exit::Failed, "host.signal", error.to_string()))?;
        }
        Ok(())
    }

    /// Whether one of them came.
    pub(crate) fn interrupted(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupted)
    }

    /// The same signals end the waiting for what happens in folders.
    pub(crate) fn wake_by_interrupts(&self, watcher: &Watcher) -> Result<(), Failure> {
        let failed =
            |error: std::io::Error| Failure::new(Exit::Failed, "host.signal", error.to_string());
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let waker = watcher.waker().map_err(failed)?;
            signal_hook::low_level::pipe::register(signal, waker).map_err(failed)?;
        }
        Ok(())
    }

    /// To whom uploads are sealed; none where the store cannot tell.
    pub(crate) fn recipient(&self) -> Option<String> {
        self.store.recipient().ok()
    }

    /// An upload that was sealed to this store.
    pub(crate) fn opened(&self, sealed: &str) -> Result<Upload, StoreError> {
        self.store.open_upload(sealed)
    }

    /// What was told by mail.
    pub(crate) fn notices(&self) -> Result<Notices, StoreError> {
        self.store.notices(&self.instance)
    }

    /// Remembers it.
    pub(crate) fn put_notices(&mut self, notices: &Notices) -> Result<(), StoreError> {
        self.store.put_notices(&self.instance, notices)
    }

    /// The machine, for what is no part of the path of a change.
    pub(crate) fn machine(&self) -> &PostfixHost {
        &self.host
    }

    /// The engine.
    pub(crate) fn engine(&mut self) -> Engine<'_> {
        Engine {
            host: &self.host,
            store: &mut self.store,
            wire: &self.network,
            clock: &self.clock,
            guards: self.guards.clone(),
            guardian: &self.guardian,
            actor: self.actor.clone(),
            instance: self.instance.clone(),
            interrupted: &self.interrupted,
            listener: &*self.listener,
            only_while: None,
        }
    }
}

/// What kept an interrupted operation from being ended.
fn unended(error: EngineError) -> Failure {
    let failure = Failure::from(error);
    failure.note("an interrupted operation has to be ended first: `postseal recover`")
}

/// The instance's machine.
pub(crate) fn host(global: &Global) -> Result<PostfixHost, Failure> {
    let directory = match &global.instance {
        Some(directory) => std::path::absolute(directory)
            .map_err(|error| Failure::new(Exit::Usage, "instance.bad-path", error.to_string()))?,
        None => PathBuf::from(DEFAULT_INSTANCE),
    };
    let mut options = HostOptions::new(directory);
    options.prefix.clone_from(&global.prefix);
    if let Some(root) = &global.root {
        options.root.clone_from(root);
    }
    PostfixHost::new(options).map_err(|error| {
        let text = whole_chain(&error);
        match error {
            HostError::Spawn { .. } => Failure::new(Exit::Failed, "postfix.not-installed", text)
                .hint("Install Postfix, or name its configuration directory with --instance."),
            error => EngineError::from(error).into(),
        }
    })
}

/// Stops with 77 where root is needed.
pub(crate) fn require_root(what: &str) -> Result<(), Failure> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Permission,
        "host.permission",
        format!("{what} needs root"),
    )
    .hint("Run it as root, for example with sudo; `postseal lint` works for anyone."))
}

/// The instance's name in the store.
pub(crate) fn instance_name(host: &PostfixHost) -> String {
    host.config_directory().display().to_string()
}

/// Who acts, for the operation log.
fn actor() -> String {
    let name = |key| {
        std::env::var(key)
            .ok()
            .filter(|name| !name.is_empty() && name.len() <= 64)
    };
    match (name("SUDO_USER"), name("USER")) {
        (Some(user), _) => format!("{user} (sudo)"),
        (None, Some(user)) => user,
        (None, None) => {
            let uid = rustix::process::getuid().as_raw();
            user(uid).unwrap_or_else(|| format!("uid {uid}"))
        }
    }
}

/// A local user's name; cron and systemd set no `USER`.
fn user(uid: u32) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let is_it = fields.nth(1)?.parse() == Ok(uid);
        is_it.then(|| name.to_owned())
    })
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        EngineError::from(error).into()
    }
}

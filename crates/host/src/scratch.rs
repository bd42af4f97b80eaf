//! A scratch instance: the staged files tried in a private Postfix before the live ones change.
//!
//! Owns: its folders, its master process, its log socket, and their end. Never: judges what it
//! says, delivers real mail, leaves a process or a file behind.
//!
//! `master -d` runs as a direct child in a process group of its own: it is ready in about 10 ms
//! (`postfix start` takes two orders of magnitude more), its end is seen at once, and the group is
//! killed while the child is still unreaped, so its id cannot have become somebody else's.
//! A Postseal that is killed leaves a master that ends by itself (`master -e`) and a folder that
//! the next start finds ([`clean_leftovers`]).
//!
//! Its log comes through a socket that this process reads in place of postlogd: nothing is lost,
//! nothing is late, and a configuration that makes every daemon warn cannot fill postlogd's queue
//! and hang them all (as it does on 3.7.11).

mod address;
mod folders;
mod jail;
mod leftovers;
mod neutral;
mod ports;
mod restrictions;
mod sink;
mod stage;

pub(crate) use leftovers::clean_leftovers;

use crate::command::{Call, kill_group};
use crate::network;
use crate::postfix::{Places, Postfix};
use crate::process;
use crate::root::Root;
use crate::{HostError, Scratch, Staged};
use folders::Folders;
use ports::Ports;
use postseal_planner::plan::Cf;
use sink::LogSink;
use stage::{Stage, Staging};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

/// How long a master that has started or reloaded may take to open its ports.
const LISTENING: Duration = Duration::from_secs(2);
/// How long a master may take to start or reload; it takes milliseconds.
const START: Duration = Duration::from_secs(20);
/// After this the scratch master ends by itself, whatever became of Postseal.
const LIFETIME_SECONDS: &str = "900";
/// Somebody may take a port between its choice and the master's start.
const ATTEMPTS: usize = 3;
const SUBMIT: Duration = Duration::from_secs(20);
/// How long killed processes may take to be gone.
const GONE: Duration = Duration::from_secs(10);
const STARTED: &[u8] = b": daemon started -- version ";
const RELOADED: &[u8] = b": reload -- version ";

/// A running scratch instance.
#[derive(Debug)]
pub(crate) struct Running {
    // Declared in the order in which they have to go.
    master: Option<Master>,
    sink: LogSink,
    folders: Folders,
    staging: Staging,
    places: Places,
    prefix: Vec<String>,
    stage: Stage,
}

/// Its master process, killed with its group on drop.
#[derive(Debug)]
struct Master(Child);

impl Running {
    /// Starts a scratch instance of the instance at `live` with the staged files.
    pub(crate) fn start(
        root: &Root,
        live: &Path,
        postfix: &Postfix,
        staged: &Staged,
    ) -> Result<Self, HostError> {
        let places = postfix.places()?;
        let folders = Folders::make(root, &places)?;
        let staging = Staging::new(live, &folders, staged)?;
        staging.install(&folders.private)?;
        let unlinked = jail::furnish(root, live, &places, &folders, staged)?;
        let mut failure = None;
        for _ in 0..ATTEMPTS {
            let mut ports = Ports::default();
            let mut stage = staging.stage(&staged.main_cf, &staged.master_cf, &mut ports)?;
            stage.not_rehearsed.extend(unlinked.iter().cloned());
            let services = stage.endpoints.keys();
            address::check(root, postfix.prefix(), &staged.master_cf, services)?;
            folders.write(&stage)?;
            for map in staging.maps() {
                crate::sni_map::install(root, postfix, &folders.named_config, map)?;
            }
            let sink = LogSink::open(&folders.queue.join("public/postlog"))?;
            ports.release();
            match launch(postfix.prefix(), &places, &folders, &sink, &stage) {
                Ok(master) => {
                    return Ok(Self {
                        master: Some(master),
                        sink,
                        folders,
                        staging,
                        places,
                        prefix: postfix.prefix().to_vec(),
                        stage,
                    });
                }
                Err(error) if is_port_taken(&error) => failure = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(failure.unwrap_or_else(|| refused("no free ports", &[])))
    }

    fn master(&mut self) -> Result<&mut Child, HostError> {
        let log = self.sink.bytes();
        match &mut self.master {
            Some(master) => Ok(&mut master.0),
            None => Err(refused("it was stopped", &log)),
        }
    }
}

impl Scratch for Running {
    fn endpoints(&self) -> &BTreeMap<String, SocketAddr> {
        &self.stage.endpoints
    }

    fn log(&self) -> Vec<u8> {
        self.sink.bytes()
    }

    fn not_rehearsed(&self) -> &[String] {
        &self.stage.not_rehearsed
    }

    fn submit(&self, sender: &str, recipients: &[&str], message: &[u8]) -> Result<(), HostError> {
        Call::new(&self.prefix, &self.places.sendmail_path, SUBMIT)
            .arg("-C")
            .arg(&self.folders.named_config)
            .args(["-i", "-f", sender, "--"])
            .args(recipients)
            .env("POSTLOG_SERVICE", self.folders.named_socket())
            .input(message)
            .run_ok()
            .map(drop)
    }

    fn replace(&mut self, file: Cf, bytes: &[u8]) -> Result<(), HostError> {
        let unlinked = std::mem::take(&mut self.stage.not_rehearsed);
        self.stage = self.staging.restage(&self.stage, file, bytes)?;
        for note in unlinked {
            if !self.stage.not_rehearsed.contains(&note) {
                self.stage.not_rehearsed.push(note);
            }
        }
        self.folders.replace(file, &self.stage)
    }

    fn reload(&mut self) -> Result<(), HostError> {
        let seen = self.sink.count(RELOADED);
        let sink = self.sink.clone();
        let endpoints: Vec<SocketAddr> = self.stage.endpoints.values().copied().collect();
        let master = self.master()?;
        let pid = rustix::process::Pid::from_child(master);
        // The child is not reaped yet, so the id is its own. A dead one is told below.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::HUP);
        let end = Instant::now() + START;
        while sink.count(RELOADED) == seen {
            watch(master, &sink, end, "the master ended at the reload")?;
            sink.wait(Duration::from_millis(20));
        }
        check_sockets(master, &sink, &endpoints)
    }

    fn stop(mut self: Box<Self>) -> Result<(), HostError> {
        drop(self.master.take());
        self.folders.remove()
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        let group = self.0.id();
        // Nothing in a scratch instance is worth an orderly end. The child stays unreaped until
        // its group is empty, so that the group's id stays its own.
        let pid = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        let end = Instant::now() + GONE;
        while !process::group_members(group).is_empty() && Instant::now() < end {
            thread::sleep(Duration::from_millis(2));
        }
        kill_group(&mut self.0);
    }
}

/// Starts the master and waits until it says that it has started.
fn launch(
    prefix: &[String],
    places: &Places,
    folders: &Folders,
    sink: &LogSink,
    stage: &Stage,
) -> Result<Master, HostError> {
    let program = places.daemon_directory.join("master");
    let mut master = Call::new(prefix, &program, START)
        .arg("-c")
        .arg(&folders.named_config)
        .args(["-d", "-e", LIFETIME_SECONDS])
        // What is logged before main.cf is read goes where these say.
        .env("POSTLOG_SERVICE", folders.named_socket())
        .env("POSTLOG_HOSTNAME", "scratch")
        .spawn()
        .map(Master)?;
    let end = Instant::now() + START;
    while sink.count(STARTED) == 0 {
        watch(&mut master.0, sink, end, "the master ended")?;
        sink.wait(Duration::from_millis(20));
    }
    reachable(&master.0)?;
    let endpoints: Vec<SocketAddr> = stage.endpoints.values().copied().collect();
    check_sockets(&master.0, sink, &endpoints)?;
    Ok(master)
}

/// An error when the master has ended or its time is up.
fn watch(master: &mut Child, sink: &LogSink, end: Instant, ended: &str) -> Result<(), HostError> {
    if let Ok(Some(status)) = master.try_wait() {
        // Its last words may still be in the socket.
        sink.wait(Duration::from_millis(50));
        let log = sink.bytes();
        let why = fatal(&log).unwrap_or_else(|| status.to_string());
        return Err(refused(&format!("{ended}: {why}"), &log));
    }
    if Instant::now() >= end {
        return Err(refused("the master did not answer in time", &sink.bytes()));
    }
    Ok(())
}

/// A master in another network namespace listens where nobody here can connect.
fn reachable(master: &Child) -> Result<(), HostError> {
    let its = std::fs::read_link(format!("/proc/{}/ns/net", master.id()));
    let ours = std::fs::read_link("/proc/thread-self/ns/net");
    match (its, ours) {
        (Ok(its), Ok(ours)) if its == ours => Ok(()),
        _ => Err(HostError::NotRehearsable(
            "the instance lives in another network namespace than this process".to_owned(),
        )),
    }
}

/// The answers must come from this master: all its ports are its own, and nobody else's too. It
/// says that it is reloading before it opens the ports of new services, so it is given a moment.
fn check_sockets(
    master: &Child,
    sink: &LogSink,
    endpoints: &[SocketAddr],
) -> Result<(), HostError> {
    let end = Instant::now() + LISTENING;
    loop {
        let not_alone = network::not_alone(master.id(), endpoints);
        let Some(address) = not_alone.first() else {
            return Ok(());
        };
        if Instant::now() >= end {
            let reason = format!("{PORT_TAKEN}: {address} is not the master's alone");
            return Err(refused(&reason, &sink.bytes()));
        }
        thread::sleep(Duration::from_millis(5));
    }
}

const PORT_TAKEN: &str = "port taken";

fn is_port_taken(error: &HostError) -> bool {
    matches!(error, HostError::Scratch { reason, .. }
        if reason.contains(PORT_TAKEN) || reason.contains("Address already in use"))
}

fn refused(reason: &str, log: &[u8]) -> HostError {
    HostError::Scratch {
        reason: reason.to_owned(),
        log: String::from_utf8_lossy(log).into_owned(),
    }
}

/// The text of the last fatal or panic line.
fn fatal(log: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(log);
    let line = text
        .lines()
        .rfind(|line| line.contains(": fatal: ") || line.contains(": panic: "))?;
    let (_, message) = line.split_once("]: ")?;
    Some(message.to_owned())
}

#[cfg(test)]
mod tests;

//! `agent`: carries out what is filed at the desk.
//!
//! Owns: putting the agent together for this machine, and what it says. Never: what it does.

use crate::answer::{Answer, printable};
use crate::cmd::notify;
use crate::config::{Global, Talk};
use crate::desk;
use crate::failure::{Exit, Failure};
use crate::session::{self, instance_name, require_root};
use jiff::Timestamp;
use postseal_agent::{Agent, PipeClerk, Program, Told, serve};
use postseal_planner::whole_chain;
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::fs::{File, TryLockError};
use std::io::{BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// So many characters of a job's words are told; all of them are in the job.
const LONGEST_WORDS: usize = 1_000;

/// Works until a signal ends it.
pub(crate) fn run(global: &Global) -> Result<Answer, Failure> {
    work(global, &*until_signalled()?)?;
    Ok(Answer::silent())
}

/// Set when a signal wants this process to end.
pub(super) fn until_signalled() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| Failure::new(Exit::Failed, "host.signal", error.to_string()))?;
    }
    Ok(stop)
}

/// Works until `stop` is set.
pub(crate) fn work(global: &Global, stop: &AtomicBool) -> Result<(), Failure> {
    require_root("the agent")?;
    let look_every = notify::look_every(global)?;
    let instance = instance_name(&session::host(global)?);
    let ids = desk::prepare_for_agent(global)?;
    let _only_one = only_one(&global.store)?;
    let options = global.options();
    let mut clerk = PipeClerk::new({
        let options = options.clone();
        move || desk::as_console(ids, &options, "clerk")
    });
    let now_ms = || Timestamp::now().as_millisecond();
    let mut agent = Agent {
        clerk: &mut clerk,
        program: Program {
            path: desk::SELF.into(),
            options,
        },
        instance,
        name: format!("{} {}", std::process::id(), now_ms()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        look_every,
        now_ms,
        stop,
        told: &|told| say(told, global),
    };
    agent
        .run()
        .map_err(|error| Failure::new(Exit::Failed, "agent.stopped", whole_chain(&error)))
}

/// A second agent would take the first one's jobs for abandoned.
fn only_one(store: &Path) -> Result<File, Failure> {
    let path = store.join("agent.lock");
    let failed = |error: std::io::Error| {
        let text = format!("{}: {error}", path.display());
        Failure::new(Exit::Failed, "agent.lock", text)
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::new(
            Exit::Temporary,
            "agent.second",
            "another agent works with this store".to_owned(),
        )),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn say(told: &Told<'_>, global: &Global) {
    let line = match told {
        Told::Ready(instance) => format!("agent for {instance}"),
        Told::Begun { job, actor, words } => {
            let words: String = words.chars().take(LONGEST_WORDS).collect();
            format!("job {job} of {actor}: {words}")
        }
        Told::Ended { job, exit } => format!("job {job} has ended with {exit}"),
        Told::Abandoned { job } => format!("job {job} was left half-way by an earlier agent"),
        Told::Blind(error) => format!("warning: {}", whole_chain(error)),
        Told::Sees => "the desk can be reached again".to_owned(),
    };
    if global.talk != Talk::Quiet {
        let line = format!("postseal: {line}\n");
        let _ = std::io::stderr().write_all(printable(&line).as_bytes());
    }
}

/// Answers the agent's calls until it goes.
pub(crate) fn clerk(global: &Global) -> Result<Answer, Failure> {
    desk::become_console(global)?;
    let mut desk = desk::place(global).open()?;
    let stdin = BufReader::new(std::io::stdin());
    serve(stdin, std::io::stdout(), &mut *desk)
        .map_err(|error| Failure::new(Exit::Failed, "desk.pipe", error.to_string()))?;
    Ok(Answer::new("", json!({})))
}

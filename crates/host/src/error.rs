//! What can go wrong with the machine.
//!
//! Owns: the errors of this crate; each says its own layer only. Never: exit codes or hints.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// An error of the hands.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A file operation failed.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried: `read`, `write`, `rename` …
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is not what the plan was made from.
    #[error("{} was changed by somebody else since it was read", path.display())]
    Stale {
        /// Which file.
        path: PathBuf,
    },
    /// Another Postseal holds the instance's lock.
    #[error("another Postseal is working on {}{}", path.display(), holder.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Locked {
        /// The configuration directory.
        path: PathBuf,
        /// Its process id, where known.
        holder: Option<u32>,
    },
    /// A Postfix command failed.
    #[error("{command} failed ({status}): {output}")]
    Command {
        /// The command line, for people.
        command: String,
        /// Exit status.
        status: String,
        /// What it printed, at most 4 KiB.
        output: String,
    },
    /// A command could not be started.
    #[error("cannot run {command}")]
    Spawn {
        /// The command line, for people.
        command: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The master was told to reload and does nothing: it is stopped, or stuck.
    #[error("the master (process {0}) does not take up the reload")]
    Stuck(u32),
    /// A command did not end in time and was killed.
    #[error("{command} did not end within {} s and was killed", deadline.as_secs_f32())]
    Deadline {
        /// The command line, for people.
        command: String,
        /// How long it had.
        deadline: Duration,
    },
    /// The operator wants an end: a command was killed before its own.
    #[error("interrupted; {command} was killed")]
    Interrupted {
        /// The command line, for people.
        command: String,
    },
    /// Postfix cannot read its own configuration.
    #[error("Postfix cannot read this configuration: {0}")]
    Unreadable(String),
    /// The master would end at this name of a service.
    #[error(
        "master.cf, line {line}: service {service} has the unknown port {port:?}, which ends the \
         master; write its number, or name it in /etc/services"
    )]
    UnknownPort {
        /// `name/type`.
        service: String,
        /// Of master.cf as it would be.
        line: usize,
        /// As it is written there.
        port: String,
    },
    /// The scratch instance could not be started.
    #[error("the scratch instance did not start: {reason}")]
    Scratch {
        /// Why.
        reason: String,
        /// Its log.
        log: String,
    },
    /// This instance cannot be rehearsed from here.
    #[error("it cannot be rehearsed here: {0}")]
    NotRehearsable(String),
    /// Root is needed.
    #[error("this needs root: {0}")]
    Permission(String),
}

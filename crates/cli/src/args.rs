//! What was said: the command line as typed.
//!
//! Owns: the one declaration that feeds the parser, the help and the man pages. Never: what it
//! means; `config` and `cmd` do that.

use crate::cmd;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// The TLS of a Postfix mail server, from certificate to wire.
///
/// Observes first, changes only the bytes asked for, rehearses in a scratch Postfix, proves the
/// result by real handshakes, and puts the old bytes back when the proof fails.
#[derive(Debug, Parser)]
#[command(
    name = "postseal",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Postfix configuration directory [default: what `postconf -h config_directory` says]
    #[arg(long, global = true, value_name = "DIR", env = "POSTSEAL_INSTANCE")]
    pub(crate) instance: Option<PathBuf>,
    /// Where Postseal keeps its memory: sqlite:DIR [default: sqlite:/var/lib/postseal]
    #[arg(long, global = true, value_name = "URL", env = "POSTSEAL_STORE")]
    pub(crate) store: Option<String>,
    /// The DNS resolver to ask, which is trusted about DNSSEC: ADDRESS[:PORT], `system`, or `none` to
    /// ask nobody [default: system, trusted where it is on loopback or resolv.conf says trust-ad]
    #[arg(long, global = true, value_name = "ADDRESS", env = "POSTSEAL_RESOLVER")]
    pub(crate) resolver: Option<String>,
    /// The administrator's defaults [default: /etc/postseal/postseal.toml]
    #[arg(long, global = true, value_name = "FILE", env = "POSTSEAL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// One JSON document on standard output
    #[arg(long, global = true, env = "POSTSEAL_JSON", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) json: bool,
    /// Only the answer; no warnings, no progress
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Each step as it happens, on standard error
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Have the agent of another host carry it out, by its console's API: https://HOST[:PORT]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "POSTSEAL_SERVER",
        requires = "token"
    )]
    pub(crate) server: Option<String>,
    /// The token for --server (`postseal token add`), or @FILE to read it from: others may see what is said here
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "POSTSEAL_TOKEN",
        hide_env_values = true
    )]
    pub(crate) token: Option<String>,
    /// Answer as the agent's child: in this name, in JSON with the text for people, events on standard error
    #[arg(long, global = true, value_name = "ACTOR", hide = true)]
    pub(crate) on_behalf_of: Option<String>,
    /// Colours (NO_COLOR is honoured)
    #[arg(long, global = true, value_name = "WHEN", env = "POSTSEAL_COLOR")]
    pub(crate) color: Option<Color>,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Never.
    Never,
    /// Always.
    Always,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The whole main job on two private Postfix instances; the host's Postfix is not touched
    Try(cmd::try_::TryArgs),
    /// Adopt the instance, observe-only: no byte of Postfix changes
    Init,
    /// Give everything back: Postseal forgets, Postfix stays as it is
    Release,
    /// Desired, written, effective and observed, side by side
    Status(cmd::status::StatusArgs),
    /// Who is told by mail when nobody looks, what was told last, and whether Postfix took it
    Notify(cmd::notify::NotifyArgs),
    /// TLS parameters as Postfix sees them, and where each comes from
    Show(cmd::show::ShowArgs),
    /// Which TLS policy a message meets on its way out, and why; needs no store
    Explain(cmd::explain::ExplainArgs),
    /// What is wrong today; needs no store and no Postfix
    Lint(cmd::lint::LintArgs),
    /// Wish for KEY=VALUE; without arguments: all keys, their values and what they mean
    Set(cmd::set::SetArgs),
    /// Give keys back to what was adopted
    Unset(cmd::set::UnsetArgs),
    /// Drop all pending wishes
    Discard,
    /// The certificate store and its bindings
    #[command(subcommand)]
    Cert(cmd::cert::CertCommand),
    /// TLS by destination
    #[command(subcommand)]
    Policy(cmd::policy::PolicyCommand),
    /// Named tables of protocols, ciphers and groups; `set profile=NAME` wishes for one
    #[command(subcommand)]
    Profile(cmd::profile::ProfileCommand),
    /// Destinations that need authentication: the encryption of their next hops
    #[command(subcommand)]
    Domain(cmd::domain::DomainCommand),
    /// What apply would do: findings, diff, steps, expectations
    Plan(cmd::plan::PlanArgs),
    /// Rehearse, apply, verify on the wire; keep or roll back
    ///
    /// Exit codes: 0 kept, or nothing to do; 1 failed, nothing changed; 2 changes pending (--check), or kept, and what
    /// was wrong on the wire before still is; 3 kept, and not all of it could be seen; 4 rolled back; 65 bad input, or
    /// the plan is refused; 75 locked, stale, or awaiting confirmation.
    Apply(cmd::apply::ApplyArgs),
    /// Write what is wanted as one file, which `apply -f` puts in force
    Export(cmd::document::ExportArgs),
    /// Keep the change that awaits confirmation
    Confirm,
    /// Go back to before the newest kept operation, or before OP
    Rollback(cmd::apply::RollbackArgs),
    /// The operation log
    History(cmd::history::HistoryArgs),
    /// What an operation changed
    Diff(cmd::history::DiffArgs),
    /// Hand edits of what Postseal owns
    Drift(cmd::drift::DriftArgs),
    /// A live look at any server, stage by stage; needs no store and no Postfix
    Probe(cmd::probe::ProbeArgs),
    /// The wire against what is in force, every service and address
    Verify,
    /// End an interrupted operation
    Recover,
    /// Carry out what is filed at the desk, by the console or the API; keep what pages show up to date
    Agent,
    /// The web console and the API, as a user of its own without any right to the mail server
    Console(cmd::console::ConsoleArgs),
    /// Agent and console in one, until a signal ends it
    Up(cmd::console::ConsoleArgs),
    /// The people who may sign in at the console
    #[command(subcommand)]
    User(cmd::user::UserCommand),
    /// The rights of programs to use the API
    #[command(subcommand)]
    Token(cmd::token::TokenCommand),
    /// The audit log: who came in, what was handed out; each entry is chained to those before it
    #[command(subcommand)]
    Audit(cmd::audit::AuditCommand),
    /// Open the desk for the agent, with the console's rights (started by `agent`)
    #[command(hide = true)]
    Clerk,
    /// Answer a CA's challenges on the socket that is standard input (started by `cert issue`)
    #[command(hide = true)]
    AnswerChallenges(crate::answerer::ChildArgs),
    /// Run a hook for as long as this program lives (started by `cert issue --dns-hook`)
    #[command(hide = true)]
    KeepHook(crate::answerer::KeeperArgs),
    /// Watch over an unconfirmed operation (started by `apply --confirm-within`)
    #[command(hide = true)]
    Guard(cmd::apply::GuardArgs),
}

#[cfg(test)]
mod tests;

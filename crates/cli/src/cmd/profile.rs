//! `profile`: named tables of parameters, by direction and version.
//!
//! Owns: the words. Never: knows a row of a table (the planner does), or wishes for one (`set` does).

mod diff;
mod list;
mod show;

use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::{self, Session};
use postseal_engine::Profiles;
use postseal_planner::catalog::OLDEST;
use postseal_planner::profile::{self, PROFILES, Profile, Software};
use postseal_planner::{Facts, PostfixVersion};

/// The verbs of `profile`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ProfileCommand {
    /// All profiles: what each is good for, whether it fits port 25, which is in force
    List,
    /// The parameters of a profile, and why each has its value
    Show(show::ShowArgs),
    /// A profile against what is effective now, or against another one
    Diff(diff::DiffArgs),
}

pub(crate) fn run(command: &ProfileCommand, global: &Global) -> Result<Answer, Failure> {
    match command {
        ProfileCommand::List => Ok(list::run(global)),
        ProfileCommand::Show(args) => show::run(args, global),
        ProfileCommand::Diff(args) => diff::run(args, global),
    }
}

/// The profile of that name.
fn named(name: &str) -> Result<&'static Profile, Failure> {
    profile::find(name).ok_or_else(|| {
        let names: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
        Failure::new(
            Exit::Usage,
            "profile.unknown",
            format!("there is no profile {name:?}"),
        )
        .hint(format!("There are {}.", names.join(", ")))
    })
}

/// The instance, where there is one that can be read; needs no store.
fn facts(global: &Global) -> Result<Facts, Failure> {
    let host = session::host(global)?;
    Ok(postseal_engine::observe_unadopted(&host)?)
}

/// What profiles are told for, and its Postfix.
struct Told {
    software: Software,
    postfix: PostfixVersion,
    openssl: String,
}

/// For this Postfix, else the one that is installed, else the newest.
fn told(version: Option<PostfixVersion>, global: &Global) -> Result<Told, Failure> {
    let installed = || facts(global).ok().map(|facts| facts.version);
    let postfix = version
        .or_else(installed)
        .unwrap_or(postseal_planner::lint::NEWEST);
    known(postfix)?;
    let openssl = postseal_probe::openssl_version();
    Ok(Told {
        software: Software::new(postfix, &openssl),
        postfix,
        openssl,
    })
}

/// Refuses a Postfix that no profile was written for.
fn known(version: PostfixVersion) -> Result<(), Failure> {
    too_old(version).map_or(Ok(()), |said| {
        Err(Failure::new(Exit::Usage, "profile.too-old", said)
            .hint("Upgrade Postfix, or name a newer one with --postfix-version."))
    })
}

/// Why no profile is for a Postfix, if so.
fn too_old(version: PostfixVersion) -> Option<String> {
    let said = || format!("no profile is written for Postfix {version}; they begin with 3.4");
    (version < OLDEST).then(said)
}

/// Which are in force and which are wished; none where no store can be read.
fn profiles(global: &Global) -> Option<Profiles> {
    let mut session = Session::as_it_is(global).ok()?;
    session.engine().profiles().ok()
}

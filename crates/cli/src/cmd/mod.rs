//! The commands, one file each: words → engine → answer.
//!
//! Owns: which file answers which verb. Never: logic.

pub(crate) mod agent;
pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod cert;
pub(crate) mod console;
pub(crate) mod document;
pub(crate) mod domain;
pub(crate) mod drift;
pub(crate) mod explain;
pub(crate) mod history;
pub(crate) mod instance;
pub(crate) mod lint;
pub(crate) mod notify;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod probe;
pub(crate) mod profile;
mod sent;
pub(crate) mod set;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod try_;
pub(crate) mod user;
pub(crate) mod verify;

use crate::answer::Answer;
use crate::args::Command;
use crate::config::Global;
use crate::failure::Failure;

/// Runs a command.
pub(crate) fn run(command: &Command, global: &Global) -> Result<Answer, Failure> {
    match command {
        Command::Try(args) => try_::run(args, global),
        Command::Init => instance::init(global),
        Command::Release => instance::release(global),
        Command::Status(args) => status::run(args, global),
        Command::Notify(args) => notify::run(args, global),
        Command::Show(args) => show::run(args, global),
        Command::Explain(args) => explain::run(args, global),
        Command::Lint(args) => lint::run(args, global),
        Command::Set(args) => set::set(args, global),
        Command::Unset(args) => set::unset(args, global),
        Command::Discard => set::discard(global),
        Command::Cert(command) => cert::run(command, global),
        Command::Policy(command) => policy::run(command, global),
        Command::Profile(command) => profile::run(command, global),
        Command::Domain(command) => domain::run(command, global),
        Command::Plan(args) => plan::run(args, global),
        Command::Apply(args) => apply::apply(args, global),
        Command::Export(args) => document::export(args, global),
        Command::Confirm => apply::confirm(global),
        Command::Rollback(args) => apply::rollback(args, global),
        Command::History(args) => history::history(args, global),
        Command::Diff(args) => history::diff(args, global),
        Command::Drift(args) => drift::run(args, global),
        Command::Probe(args) => probe::run(args, global),
        Command::Verify => verify::run(global),
        Command::Recover => apply::recover(global),
        Command::Agent => agent::run(global),
        Command::Console(args) => console::console(args, global),
        Command::Up(args) => console::up(args, global),
        Command::User(command) => user::run(command, global),
        Command::Token(command) => token::run(command, global),
        Command::Audit(command) => audit::run(command, global),
        Command::Clerk => agent::clerk(global),
        Command::AnswerChallenges(args) => {
            crate::answerer::serve(args).map(|()| Answer::new("", serde_json::json!({})))
        }
        // It ends as the hook does, in whose place it stands.
        Command::KeepHook(args) => match crate::answerer::keep_hook(args)? {},
        Command::Guard(args) => apply::guard(args, global),
    }
}

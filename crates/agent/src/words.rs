//! A task as words of the command line.
//!
//! Owns: which verb and options a task is. Never: a shell. What somebody typed stands behind `--` or
//! behind the `=` of its own option, so that no text becomes an option.

mod say;

use postseal_planner::task::{Removal, Task};
use say::Words;

/// The words of a task, without the program's name and its global options. What the command reads from
/// standard input is [`input`].
pub fn words(task: &Task) -> Vec<String> {
    let mut said = Words::default();
    said.instance(task);
    said.operation(task);
    said.policy(task);
    said.policies(task);
    said.domain(task);
    said.certificate(task);
    said.made(task);
    let verb = verb(task).split(' ').map(str::to_owned);
    verb.chain(said.all()).collect()
}

/// What the command of a task reads from standard input.
pub(crate) fn input(task: &Task) -> &str {
    match task {
        Task::PolicyImport(import) => &import.text,
        Task::CertImport { sealed, .. } => sealed,
        Task::PolicyRemove(Removal {
            from: Some(lines), ..
        }) => lines,
        _ => "",
    }
}

fn verb(task: &Task) -> &'static str {
    match task {
        Task::Init {} => "init",
        Task::Release {} => "release",
        Task::Status {} => "status",
        Task::Notify {} => "notify",
        Task::NotifyTest {} => "notify test",
        Task::Show { .. } => "show",
        Task::Explain { .. } => "explain",
        Task::Lint { .. } => "lint",
        Task::Set { .. } => "set",
        Task::Unset { .. } => "unset",
        Task::Discard {} => "discard",
        Task::Plan { .. } => "plan",
        Task::Apply { .. } => "apply",
        Task::Confirm {} => "confirm",
        Task::Rollback { .. } => "rollback",
        Task::History { .. } => "history",
        Task::Diff { .. } => "diff",
        Task::Drift { .. } => "drift",
        Task::Verify {} => "verify",
        Task::Probe { .. } => "probe",
        Task::Export { .. } => "export",
        Task::ProfileList {} => "profile list",
        Task::ProfileShow { .. } => "profile show",
        Task::ProfileDiff { .. } => "profile diff",
        Task::PolicyList { .. } => "policy list",
        Task::PolicyAdd { .. } => "policy add",
        Task::PolicyEdit { .. } => "policy edit",
        Task::PolicyRemove(_) => "policy remove",
        Task::PolicySync {} => "policy sync",
        Task::PolicyCheck { .. } => "policy check",
        Task::PolicyImport(_) => "policy import",
        Task::PolicyExport { .. } => "policy export",
        Task::DomainList {} => "domain list",
        Task::DomainAdd { .. } => "domain add",
        Task::DomainEdit { .. } => "domain edit",
        Task::DomainRemove { .. } => "domain remove",
        Task::DomainSync { .. } => "domain sync",
        Task::CertImport { .. } => "cert import",
        Task::CertList {} => "cert list",
        Task::CertShow { .. } => "cert show",
        Task::CertCheck { .. } => "cert check",
        Task::CertExport { .. } => "cert export",
        Task::CertTlsa { .. } => "cert tlsa",
        Task::CertSelfSigned { .. } => "cert self-signed",
        Task::CertRequest { .. } => "cert request",
        Task::CertIssue { .. } => "cert issue",
        Task::CertRenew { .. } => "cert renew",
        Task::CertDeploy { .. } => "cert deploy",
        Task::CertBind { .. } => "cert bind",
        Task::CertUnbind { .. } => "cert unbind",
        Task::CertDelete { .. } => "cert delete",
        Task::CertPrune {} => "cert prune",
    }
}

#[cfg(test)]
mod tests;

//! Tasks in the words of people.
//!
//! Owns: the one table of titles. Never: what a task does; each is a verb of the command line.

use postseal_planner::task::{Removal, Task};

/// What a task is about to do, and to what.
fn title(task: &Task) -> String {
    match (what(task), about(task)) {
        (what, about) if about.is_empty() => what.to_owned(),
        (what, about) => format!("{what}: {about}"),
    }
}

/// The same of a task as it is kept.
pub(crate) fn of_text(text: &str) -> String {
    match Task::read(text) {
        Ok(task) => title(&task),
        Err(_) => "What this version cannot read".to_owned(),
    }
}

fn what(task: &Task) -> &'static str {
    match task {
        Task::Init {} => "Adopt this Postfix",
        Task::Release {} => "Give this Postfix back",
        Task::Status {} => "Look at the status",
        Task::Notify {} => "Look at who is told by mail",
        Task::NotifyTest {} => "Send a test to those who are told by mail",
        Task::Show { .. } => "Look at parameters",
        Task::Explain { .. } => "Explain where mail goes",
        Task::Lint { fix: true, .. } => "Mend findings",
        Task::Lint { .. } => "Look for findings",
        Task::Set { beside, .. } if beside.check => "See what settings would do",
        Task::Set { pairs, beside } if pairs.is_empty() && beside.wishes_nothing() => {
            "List the settings"
        }
        Task::Set { .. } => "Change settings",
        Task::Unset { .. } => "Give settings back",
        Task::Discard {} => "Drop all drafts",
        Task::Plan { .. } => "Make the plan",
        Task::Apply { check: true, .. } => "See what the plan would do",
        Task::Apply { .. } => "Apply the plan",
        Task::Confirm {} => "Keep the open operation",
        Task::Rollback { check: true, .. } => "See what a rollback would do",
        Task::Rollback { .. } => "Roll back",
        Task::History { .. } => "Look at the history",
        Task::Diff { .. } => "Compare operations",
        Task::Drift { adopt: true, .. } => "Take hand edits over",
        Task::Drift { restore: true, .. } => "Put back what was written",
        Task::Drift { .. } => "Look for hand edits",
        Task::Verify {} => "Verify on the wire",
        Task::Probe { .. } => "Look at servers",
        Task::Export { .. } => "Export the intent",
        Task::ProfileList {} => "List the profiles",
        Task::ProfileShow { .. } => "Look at a profile",
        Task::ProfileDiff { .. } => "Compare profiles",
        Task::PolicyList { .. } => "List the rules",
        Task::PolicyAdd { .. } => "Add a rule",
        Task::PolicyEdit { .. } => "Change a rule",
        Task::PolicyRemove(_) => "Remove rules",
        Task::PolicySync {} => "Let rules follow their mail",
        Task::PolicyCheck { .. } => "Hold rules against servers",
        Task::PolicyImport(_) => "Import rules",
        Task::PolicyExport { .. } => "Export rules",
        _ => what_else(task),
    }
}

/// Of domains with credentials, and certificates.
fn what_else(task: &Task) -> &'static str {
    match task {
        Task::DomainList {} => "List the domains",
        Task::DomainAdd { .. } => "Add a domain",
        Task::DomainEdit { .. } => "Change a domain",
        Task::DomainRemove { .. } => "Remove domains",
        Task::DomainSync { .. } => "Make the rules that domains need",
        Task::CertList {} => "List the certificates",
        Task::CertShow { .. } => "Look at a certificate",
        Task::CertCheck { .. } => "Check certificates",
        Task::CertImport { .. } => "Import a certificate",
        Task::CertExport { .. } => "Export a certificate",
        Task::CertTlsa { .. } => "Look at TLSA records",
        Task::CertSelfSigned { .. } => "Make a self-signed certificate",
        Task::CertRequest { name: None, .. } => "List the requests",
        Task::CertRequest { forget: true, .. } => "Forget a request",
        Task::CertRequest { .. } => "Make a request",
        Task::CertIssue { .. } => "Order a certificate",
        Task::CertRenew { .. } => "Renew certificates",
        Task::CertDeploy { .. } => "Put a renewal in force",
        Task::CertBind { .. } => "Present a certificate",
        Task::CertUnbind { .. } => "Present a certificate no longer",
        Task::CertDelete { .. } => "Delete a certificate",
        Task::CertPrune {} => "Remove keys that nothing names",
        _ => "Do what this version has no words for",
    }
}

fn about(task: &Task) -> String {
    match task {
        Task::Explain { what, .. } => what.clone(),
        Task::Set { pairs, .. } => listed(pairs),
        Task::Unset { keys } => listed(keys),
        Task::Rollback {
            operation: Some(operation),
            ..
        }
        | Task::Diff { operation, .. } => format!("operation {operation}"),
        Task::Probe { targets, .. } => listed(targets),
        Task::PolicyAdd { destination, .. } | Task::PolicyEdit { destination, .. } => {
            destination.clone()
        }
        Task::PolicyRemove(Removal { destinations, .. })
        | Task::PolicyCheck { destinations, .. } => listed(destinations),
        Task::DomainAdd { domain, .. } | Task::DomainEdit { domain, .. } => domain.clone(),
        Task::DomainRemove { domains, .. } => listed(domains),
        Task::CertRenew { names, .. } => listed(names),
        Task::CertRequest { name, .. } | Task::CertCheck { name } => {
            name.clone().unwrap_or_default()
        }
        Task::ProfileShow { name }
        | Task::ProfileDiff { name, .. }
        | Task::CertShow { name }
        | Task::CertImport { name, .. }
        | Task::CertExport { name }
        | Task::CertTlsa { name, .. }
        | Task::CertSelfSigned { name, .. }
        | Task::CertIssue { name, .. }
        | Task::CertDeploy { name }
        | Task::CertBind { name, .. }
        | Task::CertUnbind { name, .. }
        | Task::CertDelete { name, .. } => name.clone(),
        _ => String::new(),
    }
}

/// The first few, and how many more there are.
fn listed(words: &[String]) -> String {
    const SHOWN: usize = 3;
    let first = words.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    match words.len().saturating_sub(SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

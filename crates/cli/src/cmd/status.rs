//! `status`: desired, written, effective and observed, side by side.
//!
//! Owns: the table and the sentences below it. Never: paints what was not seen, or a wish as if
//! it were in force.

pub(crate) mod judged;
mod nagios;

use super::cert;
use super::history::{document as operation_document, outcome, subject, when};
use crate::answer::{Answer, findings_text};
use crate::config::Global;
use crate::failure::Failure;
use crate::session::Session;
use crate::table;
use postseal_engine::{DriftReport, Listed, Status, Wish};
use postseal_planner::Finding;
use postseal_planner::facts::MasterState;
use postseal_planner::levels::Levels;
use postseal_planner::report::{Judgement, Outcome};
use postseal_store::Phase;
use serde_json::json;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// One line and the exit codes of a Nagios plugin (0 ok, 1 warning, 2 critical, 3 unknown)
    ///
    /// Critical: a service is not as it should be, published TLSA records do not match what is presented, credentials may go in clear, rules stop mail, mail waits for TLS that this host cannot do, a certificate that is presented or its file has an error, a certificate has less than a tenth of its life left (a week at most).
    /// Warning: hand edits, mail that waits for TLS, rules that do nothing or less than they say, rules whose day of review has come, a renewal that
    /// failed, a watched folder that nothing can be taken from, a newer certificate that is not in force, one with less than a third of its life left (45 days at most), an operation that waits. Unknown: something could not be seen.
    #[arg(long)]
    nagios: bool,
}

pub(crate) fn run(args: &StatusArgs, global: &Global) -> Result<Answer, Failure> {
    if args.nagios {
        return Ok(nagios::run(global));
    }
    let status = look(global)?;
    Ok(Answer::new(text(&status), document(&status)))
}

fn look(global: &Global) -> Result<Status, Failure> {
    let mut session = Session::reading(global)?;
    Ok(session.engine().status(&cert::watch::AtOnce)?)
}

fn text(status: &Status) -> String {
    let services = status.services.iter().map(|service| {
        let in_force = status.in_force.services.get(&service.service);
        let name = service.service.clone();
        let seen = observed(status, &name);
        row(name, &service.levels, in_force, seen)
    });
    let mut rows: Vec<Vec<String>> = services.collect();
    rows.push(row(
        "outbound".to_owned(),
        &status.outbound,
        Some(&status.in_force.outbound),
        super::sent::cell(&status.sent),
    ));
    let head = ["service", "desired", "written", "effective", "observed"];
    let mut text = table::render(&head, &rows);
    if status.master == MasterState::Stopped {
        text.push_str("Postfix does not run; `postfix start` starts it.\n");
    } else {
        text.push_str(&findings_text(&bad(status)));
    }
    let rules = &status.rules;
    let told = status.mismatched.iter().chain(&status.waits);
    let told = told.chain(&status.exposed);
    let told = told.chain(&status.untold);
    let told = told.chain(&rules.faulty);
    let never_asked = rules.never_asked();
    text.push_str(&findings_text(
        told.chain(rules.shadowed())
            .chain(rules.passed_by())
            .chain(&never_asked)
            .chain(&rules.replaced)
            .chain(&status.bad_routes),
    ));
    text.push_str(&due(status));
    for listed in &with_files(status) {
        text.push_str(&cert::list::line(listed));
        text.push_str(&cert::list::waiting_line(listed));
        let mut in_use = status.in_use.iter();
        if let Some(view) = in_use.find(|view| view.name == listed.name) {
            text.push_str(&findings_text(&view.problems));
        }
    }
    for adopted in &status.adopted {
        text.push_str(&cert::list::adopted_line(adopted));
        text.push_str(&findings_text(&adopted.problems));
    }
    for told in &status.watches {
        text.push_str(&format!(
            "Watched for {}: nothing can be taken from {}; what is in force stays.\n{}",
            told.watch.name,
            told.watch.dir.display(),
            findings_text([&told.finding])
        ));
    }
    text + &attention(status)
}

/// The certificates of the store, with who presents them from other files.
fn with_files(status: &Status) -> Vec<Listed> {
    let mut all = status.certificates.clone();
    for one in &mut all {
        let files = cert::list::by_files(&one.leaf.fingerprint, &status.adopted);
        one.used_by.extend(files);
    }
    all
}

/// Rules to be looked at again.
fn due(status: &Status) -> String {
    let rules = match status.due.count {
        0 => return String::new(),
        1 => "1 rule for a destination is".to_owned(),
        n => format!("{n} rules for destinations are"),
    };
    format!(
        "{rules} to be looked at again: `postseal policy list --due {}`. They stay in force.\n",
        status.due.today
    )
}

fn row(service: String, levels: &Levels, in_force: Option<&String>, seen: String) -> Vec<String> {
    let desired = if is_pending(levels, in_force) {
        format!("{} (pending)", levels.desired)
    } else {
        levels.desired.clone()
    };
    vec![
        service,
        desired,
        levels.written.clone(),
        levels.effective.clone(),
        seen,
    ]
}

fn is_pending(levels: &Levels, in_force: Option<&String>) -> bool {
    in_force != Some(&levels.desired)
}

/// What was edited by hand.
fn drift(drift: &DriftReport) -> String {
    let mut text = String::new();
    if !drift.drift.is_empty() {
        let edited = match drift.drift.len() {
            1 => "1 owned key was".to_owned(),
            n => format!("{n} owned keys were"),
        };
        text.push_str(&format!(
            "Drift: {edited} edited by hand; see `postseal drift`.\n"
        ));
    }
    if !drift.files.is_empty() {
        let touched = match drift.files.len() {
            1 => "1 file of postseal.d is".to_owned(),
            n => format!("{n} files of postseal.d are"),
        };
        text.push_str(&format!(
            "Drift: {touched} not as written; see `postseal drift`.\n"
        ));
    }
    for table in &drift.tables {
        let path = table.path.display();
        text.push_str(&format!(
            "Drift: {path} {}, and its rows are rules; see `postseal drift`.\n",
            table.what
        ));
    }
    text
}

/// How many rules do nothing.
fn idle(status: &Status) -> String {
    let rules = status.rules.idle.rules();
    let names: Vec<String> = rules.iter().take(3).map(|rule| rule.id.shown()).collect();
    let more = match rules.len() > names.len() {
        true => " …",
        false => "",
    };
    let (count, do_nothing) = match rules.len() {
        0 => return String::new(),
        1 => ("1 rule".to_owned(), "does nothing"),
        n => (format!("{n} rules"), "do nothing"),
    };
    format!(
        "Rules: {count} for destinations {do_nothing} where mail goes now ({}{more}); see `postseal \
         lint`.\n",
        names.join(", ")
    )
}

/// What asks for the administrator's attention, and the last operation.
fn attention(status: &Status) -> String {
    let mut text = drift(&status.drift) + &idle(status);
    for changed in &status.rules.routes {
        text.push_str(&format!("{} {}\n", changed.message, changed.remedy));
    }
    text.push_str(&pending(status));
    let Some(open) = &status.open else {
        let told = status.failed.as_ref().map(|failed| failed.id);
        if let Some(last) = status.last.as_ref().filter(|last| Some(last.id) != told) {
            text.push_str(&format!(
                "Last operation: {} at {}, {}: {}\n",
                last.id,
                when(last.new.started_ms),
                subject(last),
                outcome(last)
            ));
        }
        return text;
    };
    if open.journal.last() != Some(&Phase::AwaitingConfirmation) {
        text.push_str(&format!(
            "Operation {} ({}) was interrupted and is not ended yet: `postseal recover` ends it.\n",
            open.id,
            subject(open)
        ));
        return text;
    }
    let until = open
        .new
        .confirm_by_ms
        .map(|by| format!(" until {}, then it is rolled back", when(by)));
    text.push_str(&format!(
        "Operation {} ({}) awaits confirmation{}: `postseal confirm` keeps it, `postseal rollback` undoes it at once.\n",
        open.id,
        subject(open),
        until.unwrap_or_default()
    ));
    text
}

/// The wishes that are not in force, by name, and what came of the last attempt at them.
fn pending(status: &Status) -> String {
    if status.pending.is_empty() {
        return String::new();
    }
    let mut text = "Pending, not in force (`postseal plan` shows what would be done, `postseal discard` drops it):\n".to_owned();
    for wish in &status.pending {
        text.push_str(&format!("  {}\n", wish_line(wish)));
    }
    if let Some(failed) = &status.failed {
        text.push_str(&format!(
            "  Operation {} at {} tried this and did not hold; {}\n",
            failed.id,
            when(failed.new.started_ms),
            outcome(failed)
        ));
    }
    text
}

/// A wish in one line: the key, what is wanted, what is in force.
pub(crate) fn wish_line(wish: &Wish) -> String {
    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "as adopted".to_owned());
    match (&wish.before, &wish.after) {
        (None, Some(after)) if wish.key == "policy" => format!("policy: {after}"),
        (Some(before), None) if wish.key.starts_with("certificate") => {
            format!("{} = none of the store (in force: {before})", wish.key)
        }
        (None, Some(after)) if wish.key.starts_with("certificate") => {
            format!("{} = {after} (in force: none of the store)", wish.key)
        }
        (before, after) => format!(
            "{} = {} (in force: {})",
            wish.key,
            word(after),
            word(before)
        ),
    }
}

/// What the wire showed of a service just now: the worst of its addresses.
fn observed(status: &Status, service: &str) -> String {
    let judged = status.observed.judgements.iter();
    let worst = judged
        .filter(|judged| judged.service == service)
        .max_by_key(|judged| judged.outcome);
    let Some(worst) = worst else {
        return "? not looked at".to_owned();
    };
    let code = worst.findings.first().map_or("", |finding| &finding.code);
    match worst.outcome {
        Outcome::Pass => format!("ok, {}", seen(status, worst)),
        Outcome::Undetermined => format!("? {code}").trim_end().to_owned(),
        Outcome::Fail => format!("FAIL {code}").trim_end().to_owned(),
    }
}

/// What a passed look saw, in a word.
fn seen(status: &Status, judged: &Judgement) -> String {
    let report = status
        .reports
        .iter()
        .find(|report| report.service == judged.service && report.address == judged.address);
    match report.map(|report| &report.handshake) {
        Some(Some(handshake)) => handshake.version.to_string(),
        Some(None) => "no TLS".to_owned(),
        None => "as expected".to_owned(),
    }
}

fn failing(status: &Status) -> impl Iterator<Item = &Judgement> {
    let judged = status.observed.judgements.iter();
    judged.filter(|judged| judged.outcome != Outcome::Pass)
}

/// What is wrong where a look failed; what is the same on several ports is told once, with all of them.
fn bad(status: &Status) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    for found in failing(status).flat_map(|judged| &judged.findings) {
        let same = |one: &&mut Finding| (&one.code, &one.message) == (&found.code, &found.message);
        match all.iter_mut().find(same) {
            Some(one) => one.evidence.extend(found.evidence.iter().cloned()),
            None => all.push(found.clone()),
        }
    }
    all
}

fn document(status: &Status) -> serde_json::Value {
    let levels = |levels: &Levels, in_force: Option<&String>| {
        json!({
            "desired": levels.desired,
            "pending": is_pending(levels, in_force),
            "in_force": in_force,
            "written": levels.written,
            "effective": levels.effective,
        })
    };
    let service = |service: &postseal_planner::levels::ServiceLevels| {
        let in_force = status.in_force.services.get(&service.service);
        let mut document = json!({"service": service.service});
        if let (Some(into), serde_json::Value::Object(from)) =
            (document.as_object_mut(), levels(&service.levels, in_force))
        {
            into.extend(from);
        }
        document
    };
    json!({
        "changed": false,
        "master_running": status.master != MasterState::Stopped,
        "asked_for": status.asked,
        "services": status.services.iter().map(service).collect::<Vec<_>>(),
        "outbound": levels(&status.outbound, Some(&status.in_force.outbound)),
        "outbound_observed": super::sent::document(&status.sent),
        "mail_waits": status.waits,
        "observed": status.observed,
        "observed_at": when(status.observed_ms),
        "judged": judged::document(status),
        "certificates": with_files(status).iter().map(cert::list::document).collect::<Vec<_>>(),
        "adopted_certificates": status.adopted.iter().map(cert::list::adopted_document).collect::<Vec<_>>(),
        "tlsa_mismatches": status.mismatched,
        "unusable_watches": status.watches.iter().map(|told| cert::check::named(&told.watch.name, &told.finding)).collect::<Vec<_>>(),
        "credentials_in_clear": status.exposed,
        "credentials_undetermined": status.untold,
        "routes_changed": status.rules.routes,
        "bad_routes": status.bad_routes,
        "faulty_rules": status.rules.faulty,
        "idle_rules": status.rules.idle.rules().iter().map(|rule| &rule.id.destination).collect::<Vec<_>>(),
        "shadowed_rules": status.rules.shadowed().collect::<Vec<_>>(),
        "passed_by_rules": status.rules.passed_by().collect::<Vec<_>>(),
        "never_asked_rules": status.rules.never_asked(),
        "replaced_tables": status.rules.replaced,
        "rules_due": status.due.count,
        "drift": status.drift.drift,
        "drift_files": status.drift.files,
        "drift_tables": status.drift.tables,
        "pending": !status.pending.is_empty(),
        "wishes": status.pending,
        "failed_operation": status.failed.as_ref().map(operation_document),
        "last_operation": status.last.as_ref().map(operation_document),
        "open_operation": status.open.as_ref().map(operation_document),
    })
}

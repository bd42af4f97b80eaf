//! The judgement of a whole: what is critical, what is a warning, and what could not be seen.
//!
//! Owns: the causes of a state, for a monitor's plugin, for the documents of `status` and for what is told by mail. Never:
//! puts them into words for anybody; tells anything (`notice` of the planner decides).

use crate::cmd::cert::{self, list};
use crate::config::Global;
use crate::failure::Failure;
use crate::session::Session;
use jiff::Timestamp;
use mailtls::{Stage, span, stage};
use postseal_engine::{Listed, RulesTold, Status, WatchTrouble};
use postseal_planner::facts::MasterState;
use postseal_planner::notice::{Note, State};
use postseal_planner::report::Outcome;
use postseal_planner::{Adopted, FileDrift, Finding, Severity};
use postseal_store::{Operation, Phase};

/// Looks, and judges what is seen; what hinders is a cause, too.
pub(crate) fn look(session: &mut Session, global: &Global) -> (Option<Status>, Vec<Note>) {
    let (status, mut causes) = match session.engine().status(&cert::watch::AtOnce) {
        Ok(status) => {
            let causes = notes(&status);
            (Some(status), causes)
        }
        Err(error) => (None, vec![unknown(&error.into())]),
    };
    // What a monitor does not read on standard error.
    let warnings = global.warnings.take().into_iter();
    causes.extend(warnings.map(|told| Note::new(State::Warning, told.code(), told.sentence())));
    (status, causes)
}

/// That nothing could be looked at.
pub(crate) fn unknown(failure: &Failure) -> Note {
    Note::new(State::Unknown, failure.code(), failure.sentence())
}

/// The same judgement for the documents of `status`: each cause with its state, the worst first. The console's first line
/// is made of it, so that it is never better than what a monitor is told.
pub(super) fn document(status: &Status) -> serde_json::Value {
    let notes = notes(status);
    let causes = worst_first(&notes).into_iter();
    causes
        .map(|note| serde_json::json!({"state": note.state.word().to_lowercase(), "said": note.said}))
        .collect()
}

/// The causes, the worst first, what is the same on several ports once: a pager shows the head of the line.
pub(crate) fn worst_first(causes: &[Note]) -> Vec<&Note> {
    let mut sorted: Vec<&Note> = causes.iter().collect();
    sorted.sort_by_key(|note| std::cmp::Reverse(note.state));
    let mut once: Vec<&Note> = Vec::new();
    for note in sorted {
        if once.iter().all(|known| known.said != note.said) {
            once.push(note);
        }
    }
    once
}

/// Why a whole is not as it should be; no cause where it is.
fn notes(status: &Status) -> Vec<Note> {
    let mut notes = match status.master {
        MasterState::Stopped => {
            let told = "Postfix does not run";
            vec![Note::new(State::Critical, "Postfix", told)]
        }
        _ => observed(status),
    };
    // Mail of senders that use DANE waits.
    let mismatched = status.mismatched.first();
    notes.extend(mismatched.map(|found| of(State::Critical, found)));
    if let Some(found) = status.exposed.first() {
        let state = match found.severity {
            Severity::Fatal => State::Critical,
            _ => State::Warning,
        };
        notes.push(of(state, found));
    }
    notes.extend(waits(status));
    let expiries = in_use(status).filter_map(expiry);
    notes.extend(expiries.chain(status.adopted.iter().filter_map(of_adopted)));
    notes.extend(faulty(status).chain(in_use(status).filter_map(renewal)));
    notes.extend(status.watches.iter().map(unusable));
    notes.extend(status.certificates.iter().filter_map(newer));
    notes.extend(drift(status));
    notes.extend(rules(status));
    notes.extend(operations(status));
    notes
}

/// Operations that nobody has ended, or that did not hold.
fn operations(status: &Status) -> Vec<Note> {
    let mut notes = Vec::new();
    notes.extend(status.open.as_ref().map(unended));
    if let Some(failed) = &status.failed {
        let told = format!(
            "operation {} did not hold; its wishes are pending",
            failed.id
        );
        notes.push(Note::new(State::Warning, told.clone(), told));
    }
    notes
}

/// An operation that nobody has ended; one that is at work looks the same.
pub(crate) fn unended(open: &Operation) -> Note {
    let told = match open.journal.last() {
        Some(Phase::AwaitingConfirmation) => "awaits confirmation",
        _ => "was interrupted and is not ended",
    };
    let told = format!("operation {} {told}", open.id);
    Note::new(State::Warning, told.clone(), told)
}

/// What the wire did not show as it should.
fn observed(status: &Status) -> Vec<Note> {
    let mut notes = Vec::new();
    for judged in &status.observed.judgements {
        let state = match judged.outcome {
            Outcome::Pass => continue,
            Outcome::Undetermined => State::Unknown,
            Outcome::Fail => State::Critical,
        };
        // The cause, where it is known.
        let mut causes = judged.findings.iter();
        let cause = causes.find(|found| found.code.starts_with("served."));
        let told = cause.or(judged.findings.first());
        let code = told.map_or("not seen", |found| &found.code);
        let about = format!("{} {code}", judged.service);
        let told = told.map(|found| found.message.clone());
        let told = told.unwrap_or_else(|| format!("{} was not seen", judged.service));
        notes.push(Note::new(state, about, told.trim_end_matches('.')));
    }
    notes
}

/// The gravest of mail that waits for TLS. What goes with its next attempt is no news.
fn waits(status: &Status) -> Option<Note> {
    let worst = status.waits.iter().max_by_key(|found| found.severity)?;
    let state = match worst.severity {
        Severity::Info => return None,
        Severity::Warning => State::Warning,
        Severity::Error | Severity::Fatal => State::Critical,
    };
    Some(of(state, worst))
}

/// Hand edits.
fn drift(status: &Status) -> Vec<Note> {
    let mut notes = Vec::new();
    if !status.drift.drift.is_empty() {
        let told = "owned keys were edited by hand";
        notes.push(Note::new(State::Warning, "owned keys", told));
    }
    // An error of a file is told with its certificate.
    let is_told = |file: &&FileDrift| {
        let path = file.path.display().to_string();
        let mut told = faulty(status);
        told.any(|told| told.said.contains(&path))
    };
    if let Some(file) = status.drift.files.iter().find(|file| !is_told(file)) {
        let told = format!("{} {}", file.path.display(), file.what);
        notes.push(Note::new(State::Warning, told.clone(), told));
    }
    if let Some(table) = status.drift.tables.first() {
        let told = format!("{} {}", table.path.display(), table.what);
        notes.push(Note::new(State::Warning, told.clone(), told));
    }
    notes
}

/// What rules for destinations do not do, each kind once.
fn rules(status: &Status) -> Vec<Note> {
    let RulesTold {
        faulty,
        routes,
        idle,
        ..
    } = &status.rules;
    let mut notes = Vec::new();
    // The worst of them tells whether mail waits.
    if let Some(worst) = faulty.iter().max_by_key(|found| found.severity) {
        let state = match worst.severity {
            Severity::Fatal => State::Critical,
            _ => State::Warning,
        };
        notes.push(of(state, worst));
    }
    if let Some(rule) = idle.rules().first() {
        let told = format!(
            "rules do nothing where mail goes now ({} …)",
            rule.id.shown()
        );
        notes.push(Note::new(State::Warning, "idle rules", told));
    }
    let told = routes
        .first()
        .into_iter()
        .chain(status.bad_routes.first())
        .chain(status.rules.shadowed().next())
        .chain(status.rules.passed_by().next());
    notes.extend(told.map(|found| of(State::Warning, found)));
    let due = match status.due.count {
        0 => return notes,
        1 => "1 rule for a destination is".to_owned(),
        n => format!("{n} rules for destinations are"),
    };
    let told = format!("{due} to be looked at again");
    notes.push(Note::new(State::Warning, "rules due", told));
    notes
}

/// A finding as a cause. Its message may name what goes by, as a number of mails; its code and its place do not.
fn of(state: State, found: &Finding) -> Note {
    Note::new(state, found.code.clone(), sentence(found))
}

fn sentence(found: &Finding) -> String {
    found.message.trim_end_matches('.').to_owned()
}

/// By the share of its lifetime, as `cert check` tells it (`cert.expiring`).
fn expiry(view: &Listed) -> Option<Note> {
    let (from, to) = (view.leaf.not_before, view.leaf.not_after);
    let told = lifetime([from, to], || list::left(&view.leaf))?;
    let about = format!("the lifetime of {}", view.name);
    Some(Note::new(
        told.0,
        about,
        format!("certificate {} {}", view.name, told.1),
    ))
}

fn lifetime([from, to]: [i64; 2], expired: impl Fn() -> String) -> Option<(State, String)> {
    let now = Timestamp::now().as_second();
    let told = match stage(from, to, now) {
        Stage::Fine => return None,
        Stage::Expired => expired(),
        Stage::NotYetValid => "is not valid yet".to_owned(),
        Stage::Due | Stage::Urgent => format!("ends in {}", span(to.saturating_sub(now))),
    };
    let state = match stage(from, to, now) {
        Stage::Fine | Stage::Due => State::Warning,
        Stage::Urgent | Stage::Expired | Stage::NotYetValid => State::Critical,
    };
    Some((state, told))
}

/// What `status` calls an error of a certificate that is presented, or of its files. How long one lasts
/// is told with its limits.
fn faulty(status: &Status) -> impl Iterator<Item = Note> {
    const OF_TIME: [&str; 3] = ["cert.expired", "cert.expiring", "cert.not-yet-valid"];
    let stored = status.in_use.iter();
    let stored = stored.filter(|view| is_presented(&view.used_by));
    let stored = stored.map(|view| (view.name.clone(), &view.problems));
    let adopted = status.adopted.iter();
    let adopted = adopted.map(|one| (one.path.display().to_string(), &one.problems));
    stored.chain(adopted).filter_map(|(name, problems)| {
        let mut grave = problems.iter();
        let grave = grave
            .find(|found| found.severity >= Severity::Error && !OF_TIME.contains(&&*found.code))?;
        let about = format!("{name} {}", grave.code);
        let told = format!("{name}: {}", sentence(grave));
        Some(Note::new(State::Critical, about, told))
    })
}

/// The same of what the store does not hold.
fn of_adopted(adopted: &Adopted) -> Option<Note> {
    let leaf = adopted.leaf.as_ref()?;
    let (from, to) = (leaf.not_before, leaf.not_after);
    let told = lifetime([from, to], || list::ends(to))?;
    let path = adopted.path.display();
    let about = format!("the lifetime of {path}");
    Some(Note::new(told.0, about, format!("{path} {}", told.1)))
}

fn renewal(view: &Listed) -> Option<Note> {
    let renewal = view.renewal.as_ref()?;
    let failed = renewal.failure.as_ref()?;
    let code = failed
        .evidence
        .first()
        .map_or("", |seen| seen.text.as_str());
    let told = format!("the renewal of {} failed ({code})", view.name);
    Some(Note::new(State::Warning, told.clone(), told))
}

/// No renewal comes from a folder: nothing else tells it before the certificate ends.
fn unusable(told: &WatchTrouble) -> Note {
    let (name, dir) = (&told.watch.name, told.watch.dir.display());
    let code = &told.finding.code;
    let told = format!("nothing can be taken for {name} from the watched folder {dir} ({code})");
    Note::new(State::Warning, told.clone(), told)
}

/// A newer version than the one in force: nobody may come again who presents it.
fn newer(view: &Listed) -> Option<Note> {
    let waiting = view.waiting.as_ref()?;
    let (name, version) = (&view.name, waiting.version);
    let helps = match (waiting.used_by.as_slice(), waiting.waits_for.first()) {
        ([], None) => format!(
            "`postseal cert deploy {name}`{}",
            list::unsure(waiting.untold.as_ref())
        ),
        ([], Some(why)) => format!("{}, see `postseal cert check {name}`", why.code),
        _ => "`postseal apply`".to_owned(),
    };
    let older = view.version;
    let about = format!("version {version} of {name}");
    let told = format!("version {version} of {name} waits, {older} is in force ({helps})");
    Some(Note::new(State::Warning, about, told))
}

/// Certificates that are presented now; a binding that waits for something presents nothing yet.
pub(super) fn in_use(status: &Status) -> impl Iterator<Item = &Listed> {
    let views = status.certificates.iter();
    views.filter(|view| is_presented(&view.used_by))
}

fn is_presented(used_by: &[String]) -> bool {
    used_by.iter().any(|user| !user.contains('('))
}

//! `status --nagios`: one line, performance data, and a plugin's exit codes.
//!
//! Owns: what is critical and what is a warning to a monitor. Never: ends without its line, not
//! even where nothing could be looked at; a monitor reads standard output only.

use crate::answer::Answer;
use crate::cmd::cert::list;
use crate::config::Global;
use crate::failure::Exit;
use jiff::Timestamp;
use mailtls::{Stage, lifetime_limits as limits_of, span, stage};
use postseal_engine::{Listed, RulesTold, Status, WatchTrouble};
use postseal_planner::facts::MasterState;
use postseal_planner::report::Outcome;
use postseal_planner::{Adopted, FileDrift, Finding, Severity};
use postseal_store::Phase;
use serde_json::json;

/// The four states of a plugin, which are its exit codes. Ordered by how a whole is judged:
/// nothing known is worse than a warning, and seen to be wrong is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Ok,
    Warning,
    Unknown,
    Critical,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Unknown => "UNKNOWN",
            Self::Critical => "CRITICAL",
        }
    }

    const fn exit(self) -> Exit {
        match self {
            Self::Ok => Exit::Done,
            Self::Warning => Exit::Failed,
            Self::Critical => Exit::Pending,
            Self::Unknown => Exit::Undetermined,
        }
    }
}

pub(super) fn run(global: &Global) -> Answer {
    match super::look(global) {
        Ok(status) => {
            let mut notes = notes(&status);
            // What a monitor does not read on standard error.
            let warnings = global.warnings.take().into_iter();
            notes.extend(warnings.map(|told| (State::Warning, told.sentence())));
            answer(&notes, &numbers(&status))
        }
        Err(failure) => answer(&[(State::Unknown, failure.sentence())], ""),
    }
}

/// The same judgement for the documents of `status`: each cause with its state, the worst first. The console's first line
/// is made of it, so that it is never better than what a monitor is told.
pub(super) fn causes(status: &Status) -> serde_json::Value {
    let notes = notes(status);
    let causes = worst_first(&notes);
    let document =
        |(state, said): (State, &str)| json!({"state": state.word().to_lowercase(), "said": said});
    causes.into_iter().map(document).collect()
}

/// The worst first: a pager shows the head of the line. The same on several ports stands once.
fn worst_first(notes: &[(State, String)]) -> Vec<(State, &str)> {
    let mut sorted: Vec<_> = notes.iter().collect();
    sorted.sort_by_key(|(state, _)| std::cmp::Reverse(*state));
    let mut all: Vec<(State, &str)> = Vec::new();
    for (state, note) in sorted {
        if all.iter().all(|(_, said)| said != note) {
            all.push((*state, note));
        }
    }
    all
}

fn answer(notes: &[(State, String)], numbers: &str) -> Answer {
    let causes = worst_first(notes);
    let state = causes.first().map_or(State::Ok, |(state, _)| *state);
    let said: Vec<&str> = causes.iter().map(|(_, said)| *said).collect();
    let said = if said.is_empty() {
        "every service as it should be".to_owned()
    } else {
        said.join("; ")
    };
    // A bar would begin the performance data.
    let line = format!("POSTSEAL {}: {said}", state.word()).replace(['\n', '\r', '|'], " ");
    let text = if numbers.is_empty() {
        format!("{line}\n")
    } else {
        format!("{line} | {numbers}\n")
    };
    let document = json!({"changed": false, "state": state.word(), "said": line});
    Answer::new(text, document).exit(state.exit())
}

fn notes(status: &Status) -> Vec<(State, String)> {
    let mut notes = Vec::new();
    if status.master == MasterState::Stopped {
        notes.push((State::Critical, "Postfix does not run".to_owned()));
    } else {
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
            let told = told.map(|found| found.message.clone());
            let told = told.unwrap_or_else(|| format!("{} was not seen", judged.service));
            notes.push((state, told.trim_end_matches('.').to_owned()));
        }
    }
    // Mail of senders that use DANE waits.
    let mismatched = status.mismatched.first();
    notes.extend(mismatched.map(|found| (State::Critical, sentence(found))));
    if let Some(found) = status.exposed.first() {
        let state = match found.severity {
            Severity::Fatal => State::Critical,
            _ => State::Warning,
        };
        notes.push((state, sentence(found)));
    }
    notes.extend(waits(status));
    let expiries = in_use(status).filter_map(expiry);
    notes.extend(expiries.chain(status.adopted.iter().filter_map(of_adopted)));
    notes.extend(faulty(status).chain(in_use(status).filter_map(renewal)));
    notes.extend(status.watches.iter().map(unusable));
    notes.extend(status.certificates.iter().filter_map(newer));
    notes.extend(drift(status));
    notes.extend(rules(status));
    if let Some(open) = &status.open {
        let told = match open.journal.last() {
            Some(Phase::AwaitingConfirmation) => "awaits confirmation",
            _ => "was interrupted and is not ended",
        };
        let told = format!("operation {} {told}", open.id);
        notes.push((State::Warning, told));
    }
    if let Some(failed) = &status.failed {
        let told = format!(
            "operation {} did not hold; its wishes are pending",
            failed.id
        );
        notes.push((State::Warning, told));
    }
    notes
}

/// The gravest of mail that waits for TLS. What goes with its next attempt is no news.
fn waits(status: &Status) -> Option<(State, String)> {
    let worst = status.waits.iter().max_by_key(|found| found.severity)?;
    let state = match worst.severity {
        Severity::Info => return None,
        Severity::Warning => State::Warning,
        Severity::Error | Severity::Fatal => State::Critical,
    };
    Some((state, sentence(worst)))
}

/// Hand edits.
fn drift(status: &Status) -> Vec<(State, String)> {
    let mut notes = Vec::new();
    if !status.drift.drift.is_empty() {
        notes.push((State::Warning, "owned keys were edited by hand".to_owned()));
    }
    // An error of a file is told with its certificate.
    let is_told = |file: &&FileDrift| {
        let path = file.path.display().to_string();
        let mut told = faulty(status);
        told.any(|(_, told)| told.contains(&path))
    };
    if let Some(file) = status.drift.files.iter().find(|file| !is_told(file)) {
        let told = format!("{} {}", file.path.display(), file.what);
        notes.push((State::Warning, told));
    }
    if let Some(table) = status.drift.tables.first() {
        let told = format!("{} {}", table.path.display(), table.what);
        notes.push((State::Warning, told));
    }
    notes
}

/// What rules for destinations do not do, each kind once.
fn rules(status: &Status) -> Vec<(State, String)> {
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
        notes.push((state, sentence(worst)));
    }
    if let Some(rule) = idle.rules().first() {
        let told = format!(
            "rules do nothing where mail goes now ({} …)",
            rule.id.shown()
        );
        notes.push((State::Warning, told));
    }
    let told = routes
        .first()
        .into_iter()
        .chain(status.rules.shadowed().next())
        .chain(status.rules.passed_by().next());
    notes.extend(told.map(|found| (State::Warning, sentence(found))));
    let due = match status.due.count {
        0 => return notes,
        1 => "1 rule for a destination is".to_owned(),
        n => format!("{n} rules for destinations are"),
    };
    notes.push((State::Warning, format!("{due} to be looked at again")));
    notes
}

fn sentence(found: &Finding) -> String {
    found.message.trim_end_matches('.').to_owned()
}

/// By the share of its lifetime, as `cert check` tells it (`cert.expiring`).
fn expiry(view: &Listed) -> Option<(State, String)> {
    let (from, to) = (view.leaf.not_before, view.leaf.not_after);
    let told = told([from, to], || list::left(&view.leaf))?;
    Some((told.0, format!("certificate {} {}", view.name, told.1)))
}

fn told([from, to]: [i64; 2], expired: impl Fn() -> String) -> Option<(State, String)> {
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
fn faulty(status: &Status) -> impl Iterator<Item = (State, String)> {
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
        Some((State::Critical, format!("{name}: {}", sentence(grave))))
    })
}

/// The same of what the store does not hold.
fn of_adopted(adopted: &Adopted) -> Option<(State, String)> {
    let leaf = adopted.leaf.as_ref()?;
    let (from, to) = (leaf.not_before, leaf.not_after);
    let told = told([from, to], || list::ends(to))?;
    Some((told.0, format!("{} {}", adopted.path.display(), told.1)))
}

/// The days left below which that is told: as a warning, and as critical.
fn limits(view: &Listed) -> [i64; 2] {
    let (from, to) = (view.leaf.not_before, view.leaf.not_after);
    limits_of(from, to).map(|seconds| seconds.div_euclid(86_400))
}

fn renewal(view: &Listed) -> Option<(State, String)> {
    let renewal = view.renewal.as_ref()?;
    let failed = renewal.failure.as_ref()?;
    let code = failed
        .evidence
        .first()
        .map_or("", |seen| seen.text.as_str());
    let told = format!("the renewal of {} failed ({code})", view.name);
    Some((State::Warning, told))
}

/// No renewal comes from a folder: nothing else tells it before the certificate ends.
fn unusable(told: &WatchTrouble) -> (State, String) {
    let (name, dir) = (&told.watch.name, told.watch.dir.display());
    let code = &told.finding.code;
    let told = format!("nothing can be taken for {name} from the watched folder {dir} ({code})");
    (State::Warning, told)
}

/// A newer version than the one in force: nobody may come again who presents it.
fn newer(view: &Listed) -> Option<(State, String)> {
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
    let told = format!("version {version} of {name} waits, {older} is in force ({helps})");
    Some((State::Warning, told))
}

/// Services that pass, of how many; days left of each certificate in use.
fn numbers(status: &Status) -> String {
    let judged = &status.observed.judgements;
    let good = judged.iter().filter(|j| j.outcome == Outcome::Pass).count();
    let mut numbers = vec![format!("ports_ok={good};;;0;{}", judged.len())];
    for view in in_use(status) {
        let left = days_left(view);
        let name = &view.name;
        let [warn, critical] = limits(view);
        numbers.push(format!("'{name}_days'={left};{warn}:;{critical}:"));
    }
    numbers.join(" ")
}

/// Certificates that are presented now; a binding that waits for something presents nothing yet.
fn in_use(status: &Status) -> impl Iterator<Item = &Listed> {
    let views = status.certificates.iter();
    views.filter(|view| is_presented(&view.used_by))
}

fn is_presented(used_by: &[String]) -> bool {
    used_by.iter().any(|user| !user.contains('('))
}

fn days_left(view: &Listed) -> i64 {
    // Whole days on both sides, as the words say them.
    view.leaf
        .not_after
        .saturating_sub(Timestamp::now().as_second())
        / 86_400
}

//! How a renewal is told.
//!
//! Owns: the view of one, and the finding of a failed one: with the CA's words, what to do, and
//! when it is tried next. Never: decides when.

use super::{RenewalEnd, Renewed};
use crate::EngineError;
use mailtls::Stage;
use postseal_planner::renewal::{Decision, Here, Life, Mend, Renewal};
use postseal_planner::{Finding, Severity};

/// How a certificate is renewed, for people.
#[derive(Clone, Debug)]
pub struct RenewalView {
    /// How, and how far it is.
    pub renewal: Renewal,
    /// When it is due, seconds since 1970.
    pub due_at: i64,
    /// What `cert renew` would do now.
    pub decision: Decision,
    /// What is wrong with it.
    pub failure: Option<Finding>,
}

impl RenewalView {
    pub(crate) fn of(mut renewal: Renewal, life: &Life, here: Here<'_>, now: i64) -> Self {
        renewal.progress.settle(life, here);
        Self {
            due_at: renewal.progress.due_at(life),
            decision: renewal.progress.decide(life, here, now),
            failure: failure(&renewal, life, here, now),
            renewal,
        }
    }
}

/// The finding of a renewal that failed.
pub(super) fn failure(renewal: &Renewal, life: &Life, here: Here<'_>, now: i64) -> Option<Finding> {
    let progress = &renewal.progress;
    let failure = progress.failure.as_ref()?;
    let urgent = mailtls::stage(life.not_before, life.not_after, now) >= Stage::Urgent;
    let severity = match urgent {
        true => Severity::Error,
        false => Severity::Warning,
    };
    let when = match progress.failures {
        0 | 1 => format!("at {}", time(failure.at)),
        n => format!("{n} times in a row, last at {}", time(failure.at)),
    };
    let message = format!(
        "The renewal of {} failed {when}: {}; the certificate in force stays.",
        renewal.name,
        failure.message.trim_end_matches('.'),
    );
    let another = failure.mend == Mend::Order;
    let next = match (progress.decide(life, here, now), another) {
        (Decision::HeldBack { until }, true) => {
            format!("Another one is ordered from {} on", time(until))
        }
        (Decision::HeldBack { until }, false) => {
            format!("It is tried again from {} on", time(until))
        }
        (Decision::NotDue { at }, _) => format!("It is not due before {}", time(at)),
        (_, true) => "Another one is ordered by the next `postseal cert renew`".to_owned(),
        (_, false) => "It is tried again by the next `postseal cert renew`".to_owned(),
    };
    let force = match another {
        true => "orders one now",
        false => "tries it now",
    };
    let mut remedy = failure.remedy.trim_end_matches('.').to_owned();
    if let Some(first) = remedy.get(..1) {
        let first = first.to_uppercase();
        remedy.replace_range(..1, &first);
    }
    let remedy = format!("{remedy}. {next}; --force {force}.");
    let finding = Finding::new("cert.renewal-failed", severity, message, remedy);
    Some(finding.seen(failure.code.clone()))
}

/// What became of a renewal that this host itself stood in the way of: a full disk, a damaged
/// store.
pub(super) fn broken(name: String, error: &EngineError) -> Renewed {
    let message = format!(
        "The renewal of {name} failed: {}; the certificate in force stays.",
        postseal_planner::whole_chain(error)
    );
    let remedy = "Put right what is named, and run `postseal cert renew`.";
    let finding = Finding::new("cert.renewal-failed", Severity::Error, message, remedy);
    Renewed {
        name,
        end: RenewalEnd::Failed { kind: error.kind() },
        findings: vec![finding.seen(error.code())],
    }
}

fn time(unix: i64) -> String {
    let stamp = jiff::Timestamp::from_second(unix);
    stamp.map_or_else(|_| unix.to_string(), |at| at.to_string())
}

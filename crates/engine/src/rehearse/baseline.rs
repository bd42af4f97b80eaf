//! The instance as it was before the change.
//!
//! Owns: telling what was broken already: just now on the live wire, and, for a rollback, before
//! the operation that it undoes. Never: excuses a miss of a service whose promise the plan
//! changes.

use super::logged::Logged;
use postseal_planner::Finding;
use postseal_planner::report::{Judgement, Outcome, Report, ServiceExpectation, Verdict};
use postseal_store::Before;

/// The planner's word for a port at which nothing listens.
const CLOSED: &str = "wire.closed";

/// The live instance before the change, judged against what its files promise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Baseline {
    pub(crate) expectations: Vec<ServiceExpectation>,
    pub(crate) verdict: Verdict,
    pub(crate) reports: Vec<Report>,
    /// What its log, and the log of its files in a scratch instance, said of TLS.
    pub(crate) logged: Logged,
    /// What its files showed in a scratch instance, where they were tried.
    pub(crate) tried: Verdict,
    /// What was found before the operation that is undone.
    pub(crate) then: Then,
}

/// What was found before an operation that is undone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Then {
    found: Before,
    logged: Logged,
}

impl From<Before> for Then {
    fn from(found: Before) -> Self {
        let mut logged = Logged::default();
        logged.note(&found.logged);
        Self { found, logged }
    }
}

impl Then {
    /// What was wrong with a service then, at the addresses that it had.
    pub(crate) fn said_of(&self, service: &str) -> Vec<Finding> {
        let judged = self.found.verdict.judgements.iter();
        judged
            .filter(|judged| judged.service == service)
            .flat_map(|judged| judged.findings.clone())
            .collect()
    }
}

impl Baseline {
    /// Whether this miss was there before: the service was expected to behave just so, and did
    /// not; or nothing listened there, which no plan of ours mends where a reload does not.
    pub(crate) fn had(&self, expectation: Option<&ServiceExpectation>, miss: &Judgement) -> Was {
        let then = &self.then.found;
        if missed(&self.expectations, &self.verdict, expectation, miss) {
            Was::SoBefore
        } else if missed(&then.expectations, &then.verdict, expectation, miss) {
            Was::SoThen
        } else {
            Was::Not
        }
    }

    /// Whether the same was logged before.
    pub(crate) fn had_logged(&self, finding: &Finding) -> Was {
        if self.logged.had(finding) {
            Was::SoBefore
        } else if self.then.logged.had(finding) {
            Was::SoThen
        } else {
            Was::Not
        }
    }

    /// What is remembered with the operation, for undoing it. Of a stopped Postfix the wire shows
    /// nothing but closed ports; what its files do, the scratch instance has shown.
    pub(crate) fn remembered(&self, running: bool) -> Before {
        let verdict = if running { &self.verdict } else { &self.tried };
        Before {
            running,
            expectations: self.expectations.clone(),
            verdict: verdict.clone(),
            logged: self.logged.findings(),
        }
    }
}

/// Whether something was so before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Was {
    /// Just now.
    SoBefore,
    /// Before the operation that is undone.
    SoThen,
    Not,
}

/// Whether `verdict` of `promised` has the same miss.
fn missed(
    promised: &[ServiceExpectation],
    verdict: &Verdict,
    expectation: Option<&ServiceExpectation>,
    miss: &Judgement,
) -> bool {
    let same = promised
        .iter()
        .find(|before| before.service == miss.service)
        .is_some_and(|before| expectation.is_some_and(|now| now.wire == before.wire));
    let failed = verdict
        .judgements
        .iter()
        .any(|judged| judged.service == miss.service && judged.outcome != Outcome::Pass);
    let closed = |judged: &Judgement| judged.address == miss.address && is_closed(judged);
    let still_closed = closed(miss) && verdict.judgements.iter().any(closed);
    (same && failed) || still_closed
}

/// Whether nothing listens there.
pub(crate) fn is_closed(judged: &Judgement) -> bool {
    judged.findings.iter().any(|found| found.code == CLOSED)
}

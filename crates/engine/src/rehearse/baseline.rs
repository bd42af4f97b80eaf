//! The live instance as it was before the change.
//!
//! Owns: telling what was broken already. Never: excuses a miss of a service whose promise the
//! plan changes.

use super::logged::Logged;
use postseal_planner::report::{Judgement, Outcome, Report, ServiceExpectation, Verdict};

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
}

impl Baseline {
    /// Whether this miss was there before: the service was expected to behave just so, and did
    /// not; or nothing listened there, which no plan of ours mends where a reload does not.
    pub(crate) fn had(&self, expectation: Option<&ServiceExpectation>, miss: &Judgement) -> Was {
        let same = self
            .expectations
            .iter()
            .find(|before| before.service == miss.service)
            .is_some_and(|before| expectation.is_some_and(|now| now.wire == before.wire));
        let failed = self
            .verdict
            .judgements
            .iter()
            .any(|judged| judged.service == miss.service && judged.outcome != Outcome::Pass);
        let closed = |judged: &Judgement| {
            judged.address == miss.address
                && judged.findings.iter().any(|found| found.code == CLOSED)
        };
        let still_closed = closed(miss) && self.verdict.judgements.iter().any(closed);
        if (same && failed) || still_closed {
            Was::SoBefore
        } else {
            Was::Not
        }
    }
}

/// Whether something was so before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Was {
    SoBefore,
    Not,
}

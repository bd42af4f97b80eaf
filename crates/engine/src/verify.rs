//! Verify: the wire against expectations.
//!
//! Owns: looking until it is as expected or a deadline passes. Never: judges (the planner does)
//! or changes anything.

use crate::undo::is_silent;
use crate::wire::live_targets;
use crate::{Engine, EngineError};
use postseal_planner::facts::MasterState;
use postseal_planner::report::{Outcome, Report, ServiceExpectation, Verdict};
use std::time::Duration;

/// One look's limit for a single target.
const LOOK: Duration = Duration::from_secs(5);
/// The first pause between two looks; doubled each time up to [`MAX_PAUSE`].
const PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_millis(250);

/// The last look.
pub(crate) struct Looked {
    pub(crate) verdict: Verdict,
    pub(crate) reports: Vec<Report>,
}

impl Looked {
    /// Whether a service accepts connections but does not speak.
    pub(crate) fn silent(&self) -> bool {
        self.reports.iter().any(is_silent)
    }
}

/// What `verify` answers.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Every service at every address, judged against what is in force.
    pub verdict: Verdict,
    /// What was seen.
    pub reports: Vec<Report>,
    /// Whether the master runs.
    pub master: MasterState,
}

impl Engine<'_> {
    /// Looks at every service and address of what is in force.
    pub fn verify(&mut self) -> Result<Verified, EngineError> {
        let state = self.state()?;
        let facts = self.observe()?;
        let expectations = crate::undo::expectations_of(&facts, &state.desired);
        let reports = self
            .wire
            .probe(&live_targets(&expectations, &name(&facts)), LOOK);
        let verdict = postseal_planner::judge(&expectations, &reports);
        Ok(Verified {
            verdict,
            reports,
            master: facts.master,
        })
    }

    /// Looks again and again until everything is as expected or `patience` ends.
    pub(crate) fn poll(&self, expectations: &[ServiceExpectation], patience: Duration) -> Looked {
        let deadline = self.clock.monotonic() + patience;
        let mut pause = PAUSE;
        loop {
            let reports = self
                .wire
                .probe(&live_targets(expectations, "localhost"), LOOK);
            let verdict = postseal_planner::judge(expectations, &reports);
            if verdict.outcome() == Outcome::Pass || self.clock.monotonic() + pause > deadline {
                return Looked { verdict, reports };
            }
            self.clock.sleep(pause);
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}

fn name(facts: &postseal_planner::Facts) -> String {
    facts
        .values
        .get("myhostname")
        .cloned()
        .unwrap_or_else(|| "localhost".to_owned())
}

//! The newest version, put in force wherever the name is bound.
//!
//! Owns: that what cannot be put in force now is by a later run. Never: a second path; `deploy` is
//! the one.

use super::next::failed_by;
use super::{Case, Ended, Presented, RenewalEnd};
use crate::issue::Means;
use crate::{Changed, Engine, EngineError, Kind};
use postseal_planner::Finding;
use postseal_planner::renewal::{Mend, mended_by};

impl Engine<'_> {
    /// Presents the newest version wherever the name is bound.
    pub(super) fn present(
        &mut self,
        mut case: Case,
        means: &Means<'_>,
    ) -> Result<Ended, EngineError> {
        let name = case.renewal.name.clone();
        let bound = !self.certificate(&name)?.used_by.is_empty();
        let changed = match bound.then(|| self.deploy(&name)).transpose() {
            Ok(changed) => changed,
            Err(error) => return self.note_undeployed(case, &error, means),
        };
        let instance = self.instance.clone();
        case.renewal.progress.deployed(&case.life, &instance);
        self.store.update_renewal(&case.renewal)?;
        let presented = match changed {
            None => Presented::Nowhere,
            Some(_) if !self.state()?.desired.binds(&name) => Presented::Pending,
            Some(changed) => Presented::By(Box::new(changed)),
        };
        let brought = presented.changed().into_iter().flat_map(Changed::brought);
        let brought = brought.cloned().collect();
        Ok((RenewalEnd::Deployed { presented }, brought))
    }

    /// Whether the newest version may come in force as it is, now or later.
    pub(super) fn may_come(&self, name: &str) -> Result<bool, EngineError> {
        Ok(mended_by(&self.why_newest_waits(name)?) == Mend::Itself)
    }

    fn why_newest_waits(&self, name: &str) -> Result<Vec<Finding>, EngineError> {
        let newest = self.newest(name)?;
        newest.map_or_else(|| Ok(Vec::new()), |newest| self.why_it_waits(&newest))
    }

    /// The newest version stays in the store, and the older one in force.
    fn note_undeployed(
        &mut self,
        mut case: Case,
        error: &EngineError,
        means: &Means<'_>,
    ) -> Result<Ended, EngineError> {
        if matches!(error, EngineError::Interrupted) {
            return Ok((RenewalEnd::Interrupted, Vec::new()));
        }
        let now = self.clock.now_unix();
        let mut failed = failed_by(error, now);
        failed.failure.of = Some(case.life.of);
        if let EngineError::Refused(refusal) = error {
            let mut why = refusal.findings.clone();
            why.extend(self.why_newest_waits(&case.renewal.name)?);
            failed.failure.mend = mended_by(&why);
        }
        failed.failure.message = format!(
            "The new certificate is in the store, but could not be put in force: {}",
            failed.failure.message
        );
        let kind = error.kind();
        if kind == Kind::Conflict {
            case.renewal.progress.postponed(failed.failure);
        } else {
            let progress = &mut case.renewal.progress;
            progress.failed(failed.failure, None, &case.life, self.moment(means));
        }
        self.store.update_renewal(&case.renewal)?;
        let findings = case.failure(&self.instance, now);
        Ok((RenewalEnd::Failed { kind }, findings.into_iter().collect()))
    }
}

//! The next version of a certificate: ordered, stored, and then presented.
//!
//! Owns: that a failure is noted with the time before which nothing is tried again, and that
//! nothing is ordered which could not be stored. Never: stores a certificate without the note that
//! it has to be presented.

use super::{Case, Ended, RenewalEnd};
use crate::issue::{Accounts, Arrived, Asked, Failed, Means, wanted};
use crate::{Engine, EngineError, Kind, Wanted};
use postseal_planner::renewal::{Failure, Mend, Presents, Renewal};
use postseal_store::Succession;

impl Engine<'_> {
    /// Orders the next version, stores it, and presents it.
    pub(super) fn order_next(
        &mut self,
        mut case: Case,
        accounts: &mut Accounts,
        means: &Means<'_>,
    ) -> Result<Ended, EngineError> {
        let name = case.renewal.name.clone();
        // A CA counts what it issues: what could not be stored is not ordered.
        case.renewal.progress.last_attempt = Some(self.clock.now_unix());
        self.store.update_renewal(&case.renewal)?;
        let wanted = match wanted(&name, &case.renewal.method, Succession::Renewal) {
            Ok(wanted) => wanted,
            Err(error) => {
                let failed = failed_by(&error, self.clock.now_unix());
                return self.note_failure(case, failed, means);
            }
        };
        let arrived = match self.ordered(&case.renewal, &wanted, accounts, means)? {
            Ok(arrived) => arrived,
            Err(failed) => return self.note_failure(case, failed, means),
        };
        let before = case.life.of;
        let mut renewal = case.renewal;
        renewal.progress.issued(&arrived.life, self.moment(means));
        self.put_arrived(&wanted, &arrived, &renewal)?;
        let after = arrived.life.of;
        let life = arrived.life;
        let arrived_case = Case {
            renewal,
            life,
            presents: Presents::Older,
        };
        let (end, mut findings) = self.present(arrived_case, means)?;
        findings.extend(arrived.findings);
        let end = match end {
            RenewalEnd::Deployed { presented } => RenewalEnd::Renewed {
                before,
                after,
                presented,
            },
            other => other,
        };
        Ok((end, findings))
    }

    fn ordered(
        &self,
        renewal: &Renewal,
        wanted: &Wanted,
        accounts: &mut Accounts,
        means: &Means<'_>,
    ) -> Result<Result<Arrived, Failed>, EngineError> {
        let failed = |error: &_| Failed::of(error, self.clock.now_unix());
        let mut solver = match self.answerer(&renewal.method, means) {
            Ok(solver) => solver,
            Err(error) => return Ok(Err(failed(&error))),
        };
        let account = match self.account(accounts, &renewal.method, means)? {
            Ok(account) => account,
            Err(failed) => return Ok(Err(failed)),
        };
        let key = match self.key_for(wanted) {
            Ok(key) => key,
            Err(error) => return Ok(Err(failed_by(&error, self.clock.now_unix()))),
        };
        let replaces = self.leaf_pem(&renewal.name)?;
        let asked = Asked {
            name: &renewal.name,
            method: &renewal.method,
            key: &key,
            replaces: replaces.as_deref(),
        };
        let ordered = self.order(&asked, account, &mut *solver, means);
        Ok(ordered.map_err(|error| failed(&error)))
    }

    fn note_failure(
        &mut self,
        mut case: Case,
        failed: Failed,
        means: &Means<'_>,
    ) -> Result<Ended, EngineError> {
        if failed.interrupted {
            return Ok((RenewalEnd::Interrupted, Vec::new()));
        }
        let now = self.clock.now_unix();
        let moment = self.moment(means);
        let progress = &mut case.renewal.progress;
        progress.failed(failed.failure, failed.retry_at, &case.life, moment);
        self.store.update_renewal(&case.renewal)?;
        let findings = case.failure(&self.instance, now);
        let kind = Kind::Failed;
        Ok((RenewalEnd::Failed { kind }, findings.into_iter().collect()))
    }
}

/// A failure that is no CA's.
pub(super) fn failed_by(error: &EngineError, now: i64) -> Failed {
    let remedy = match error {
        EngineError::Refused(refusal) => refusal.findings.first().map(|first| &first.remedy),
        EngineError::Rehearsal { findings } | EngineError::RolledBack { findings, .. } => {
            findings.first().map(|first| &first.remedy)
        }
        _ => None,
    };
    let otherwise = "Run `postseal cert deploy` with its name, and read what it says.";
    Failed {
        failure: Failure {
            code: error.code(),
            message: postseal_planner::whole_chain(error),
            remedy: remedy.cloned().unwrap_or_else(|| otherwise.to_owned()),
            at: now,
            of: None,
            mend: Mend::Itself,
        },
        retry_at: None,
        interrupted: matches!(error, EngineError::Interrupted),
    }
}

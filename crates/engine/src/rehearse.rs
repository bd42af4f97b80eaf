//! Rehearse: `Approved` → `Rehearsed`.
//!
//! Owns: the only way to make a [`Rehearsed`]: the plan is tried in a scratch instance, first in
//! the state between its two renames, then whole; every service must complete a handshake as
//! expected, and the log must be free of TLS warnings that were not there before. Meanwhile the
//! live instance is looked at, so that what was broken before is not blamed on the plan. Never:
//! touches a live file.

mod baseline;
mod files;
mod logged;
mod outbound;

use crate::approve::{Acceptance, Approved};
use crate::propose::Proposal;
use crate::wire::{live_targets, moved};
use crate::{Engine, EngineError, Event, Stage};
use postseal_host::{HostError, LogLook, LogMark, Scratch, Staged};
use postseal_planner::facts::Facts;
use postseal_planner::intent::Outbound;
use postseal_planner::plan::{OutboundChange, Plan};
use postseal_planner::report::{Judgement, Outcome, ServiceExpectation, Verdict};
use postseal_planner::{Finding, Severity};
use postseal_store::OperationKind;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

pub(crate) use baseline::{Baseline, Then, Was, is_closed};
use files::Files;
pub(crate) use logged::log_findings;

/// How long a scratch service has to show what is expected.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long master(8) may take to note that a process died.
const NOTE: Duration = Duration::from_millis(500);
/// How long the files as they were have to log what the new ones logged.
const SAME: Duration = Duration::from_millis(1500);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(30);

/// A plan that worked in a scratch instance. Made only here.
#[derive(Debug)]
pub(crate) struct Rehearsed {
    pub(crate) approved: Approved,
    /// What the scratch instance showed in the end.
    pub(crate) verdict: Verdict,
    /// What could not be rehearsed.
    pub(crate) not_rehearsed: Vec<String>,
    /// What the live instance showed before.
    pub(crate) baseline: Baseline,
    /// What was broken before the operation that is undone, and is broken again.
    pub(crate) again: Vec<Finding>,
    /// The keys and chains to install.
    pub(crate) private: BTreeMap<PathBuf, Zeroizing<Vec<u8>>>,
    /// The end of the live log before anything was done.
    pub(crate) log_mark: LogMark,
}

/// What one state of the files showed in the scratch instance.
#[derive(Default)]
struct Shown {
    verdict: Verdict,
    warnings: Vec<Finding>,
}

impl Engine<'_> {
    /// Tries the plan in a scratch instance.
    pub(crate) fn rehearse(&self, approved: Approved) -> Result<Rehearsed, EngineError> {
        self.tell(Event::Stage {
            stage: Stage::Rehearse,
        });
        let plan = &approved.proposal.plan;
        let facts = &approved.proposal.facts;
        let log_mark = self.host.log_mark();
        let private = self.private_files(plan)?;
        let before = crate::undo::expectations_of(facts, &approved.proposal.state.desired);
        let (tried, mut baseline) = std::thread::scope(|scope| {
            let wire = self.wire;
            let name = ehlo_name(facts);
            let expectations = &before;
            let live = scope.spawn(move || {
                let reports = wire.probe(&live_targets(expectations, &name), PATIENCE);
                let verdict = postseal_planner::judge(expectations, &reports);
                Baseline {
                    expectations: expectations.clone(),
                    verdict,
                    reports,
                    ..Baseline::default()
                }
            });
            let tried = self.try_in_scratch(&approved.proposal, &private);
            (tried, live.join().unwrap_or_default())
        });
        self.stop_if_interrupted()?;
        let (shown, not_rehearsed) = match tried {
            Err(EngineError::Host(HostError::NotRehearsable(why))) => {
                accept_no_rehearsal(&approved, &why)?;
                (Shown::default(), vec![why])
            }
            tried => tried?,
        };
        self.tell(Event::Rehearsed {
            verdict: shown.verdict.clone(),
            not_rehearsed: not_rehearsed.clone(),
        });
        if let LogLook::Lines(lines) = self.host.log_since(&log_mark) {
            baseline.logged.note(&log_findings(&lines));
        }
        baseline.then = self.before_the_undone(&approved.proposal)?;
        self.look_at_the_files_before(&approved, &shown, &mut baseline);
        let again = refuse_what_is_new(&approved.proposal.plan, &shown, &baseline)?;
        if !again.is_empty() {
            self.tell(Event::BrokenAgain {
                findings: again.clone(),
            });
        }
        let verdict = shown.verdict;
        Ok(Rehearsed {
            approved,
            verdict,
            not_rehearsed,
            baseline,
            again,
            private,
            log_mark,
        })
    }

    fn try_in_scratch(
        &self,
        proposal: &Proposal,
        private: &BTreeMap<PathBuf, Zeroizing<Vec<u8>>>,
    ) -> Result<(Shown, Vec<String>), EngineError> {
        let Proposal {
            plan, facts, rules, ..
        } = proposal;
        self.make_policy_map(plan, rules)?;
        let delivery = outbound::Delivery::prepare(&plan.outbound, self.clock)?;
        let after = Files::after(plan, facts);
        let between = Files::between(plan, facts);
        let first = between.as_ref().unwrap_or(&after);
        let mut scratch = self.host.rehearse(&Staged {
            main_cf: first.main.clone(),
            master_cf: first.master.clone(),
            private: private.clone(),
            sni_maps: files::sni_maps(plan),
            transports: delivery
                .as_ref()
                .map(outbound::Delivery::transports)
                .unwrap_or_default(),
        })?;
        let shown = self.look_at_states(plan, facts, scratch.as_mut(), between.as_ref(), &after);
        let shown = match (shown, delivery) {
            (Ok(mut shown), Some(delivery)) => {
                let level = outbound_level(plan);
                let judged = delivery.rehearse(self.clock, scratch.as_ref(), level)?;
                shown.verdict.judgements.extend(judged);
                shown.warnings = log_findings(&scratch.log());
                Ok(shown)
            }
            (shown, _) => shown,
        };
        let mut not_rehearsed = scratch.not_rehearsed().to_vec();
        not_rehearsed.extend(postseal_planner::not_rehearsed(plan, facts));
        scratch.stop()?;
        Ok((shown?, not_rehearsed))
    }

    /// The state between the renames, if there is one, then the final state.
    fn look_at_states(
        &self,
        plan: &Plan,
        facts: &Facts,
        scratch: &mut dyn Scratch,
        between: Option<&Files>,
        after: &Files,
    ) -> Result<Shown, EngineError> {
        if let Some(between) = between {
            let expectations = between.expectations(facts, plan);
            let shown = self.look(scratch, &expectations);
            if shown.verdict.outcome() == Outcome::Fail {
                return Ok(shown);
            }
            let second = between.then;
            scratch.replace(second, after.bytes(second))?;
            scratch.reload()?;
        }
        Ok(self.look(scratch, &plan.expectations))
    }

    /// Polls the scratch services until they show what is expected, or patience ends.
    fn look(&self, scratch: &dyn Scratch, expectations: &[ServiceExpectation]) -> Shown {
        let expectations = moved(expectations, scratch.endpoints());
        let deadline = self.clock.monotonic() + PATIENCE;
        let verdict = loop {
            let reports = self
                .wire
                .probe(&live_targets(&expectations, "rehearsal.invalid"), PATIENCE);
            let verdict = postseal_planner::judge(&expectations, &reports);
            let dead = maillog::tls_warnings(&scratch.log())
                .any(|warning| warning.weight == maillog::Weight::Kills);
            let over = self.is_interrupted() || self.clock.monotonic() > deadline;
            if dead {
                self.await_note(scratch);
            }
            if verdict.outcome() == Outcome::Pass || dead || over {
                break verdict;
            }
            self.clock.sleep(PAUSE);
        };
        Shown {
            verdict,
            warnings: log_findings(&scratch.log()),
        }
    }

    /// A process dies, and a moment later master(8) says so. Both are waited for, so that two
    /// looks at the same files find the same.
    fn await_note(&self, scratch: &dyn Scratch) {
        let end = self.clock.monotonic() + NOTE;
        while !logged::death_is_noted(&scratch.log()) && self.clock.monotonic() < end {
            self.clock.sleep(PAUSE);
        }
        self.clock.sleep(PAUSE);
    }

    /// What was found before the operation that a rollback undoes.
    fn before_the_undone(&self, proposal: &Proposal) -> Result<Then, EngineError> {
        let OperationKind::Rollback { of } = proposal.kind else {
            return Ok(Then::default());
        };
        let undone = self.store.operation(of)?;
        Ok(undone
            .map(|undone| undone.new.before)
            .unwrap_or_default()
            .into())
    }

    /// Where anything is amiss, the files as they are now are tried in a second scratch instance:
    /// what they log too is not the plan's fault, and a rollback may lead back to it.
    fn look_at_the_files_before(
        &self,
        approved: &Approved,
        shown: &Shown,
        baseline: &mut Baseline,
    ) {
        let facts = &approved.proposal.facts;
        let amiss = shown.warnings.iter().any(is_serious)
            || baseline.verdict.outcome() != Outcome::Pass
            || postseal_planner::lint_facts(facts, self.clock.now_unix())
                .iter()
                .any(is_serious);
        if amiss {
            let serious = shown.warnings.iter().filter(|warning| is_serious(warning));
            let wanted: Vec<Finding> = serious.cloned().collect();
            let before = self.shown_by_files_before(facts, &wanted);
            baseline.logged.note(&before.warnings);
            baseline.tried = before.verdict;
        }
    }

    /// What the files as they are now show. `wanted` may be logged a moment later than what is
    /// looked for on the wire, and is waited for.
    fn shown_by_files_before(&self, facts: &Facts, wanted: &[Finding]) -> Shown {
        let staged = Staged {
            main_cf: facts.main_cf.bytes.clone(),
            master_cf: facts.master_cf.bytes.clone(),
            private: BTreeMap::new(),
            sni_maps: Vec::new(),
            transports: BTreeMap::new(),
        };
        let Ok(scratch) = self.host.rehearse(&staged) else {
            return Shown::default();
        };
        let expectations =
            crate::undo::expectations_of(facts, &postseal_planner::Intent::default());
        let mut shown = self.look(scratch.as_ref(), &expectations);
        let end = self.clock.monotonic() + SAME;
        while !logged::are_among(wanted, &shown.warnings) && self.clock.monotonic() < end {
            self.clock.sleep(PAUSE);
            shown.warnings = log_findings(&scratch.log());
        }
        // Leaving the second scratch behind is reported by the next start's clean-up.
        let _ = scratch.stop();
        shown
    }
}

/// Stops at misses and warnings that were not there before. What was there before the operation
/// that is undone is the answer.
fn refuse_what_is_new(
    plan: &Plan,
    shown: &Shown,
    baseline: &Baseline,
) -> Result<Vec<Finding>, EngineError> {
    let (mut new, mut again) = (Vec::new(), Vec::new());
    let mut sort = |was: Was, findings: Vec<Finding>| match was {
        Was::Not => new.extend(findings),
        Was::SoThen => again.extend(findings),
        Was::SoBefore => {}
    };
    // What is logged is the cause of what is missed.
    for warning in shown.warnings.iter().filter(|warning| is_serious(warning)) {
        sort(baseline.had_logged(warning), vec![warning.clone()]);
    }
    let judged = shown.verdict.judgements.iter();
    for miss in judged.filter(|judged| judged.outcome != Outcome::Pass) {
        let wanted = plan.expectations.iter().find(|e| e.service == miss.service);
        let was = baseline.had(wanted, miss);
        let then = baseline.then.said_of(&miss.service);
        let findings = match was {
            Was::SoThen if !then.is_empty() => then,
            _ => missed_findings(miss),
        };
        sort(was, findings);
    }
    if new.is_empty() {
        return Ok(again);
    }
    // Of a way back the plan tells its errors and bars nothing: they are the cause of what is logged.
    let told = plan.findings.iter().filter(|one| !one.was_so_before);
    let told = told.map(|one| &one.finding).filter(|one| is_serious(one));
    let findings = told.cloned().chain(new).collect();
    Err(EngineError::Rehearsal { findings })
}

fn is_serious(finding: &Finding) -> bool {
    finding.severity >= Severity::Error
}

/// What a miss is refused for. Not to have been seen is a reason of its own.
fn missed_findings(miss: &Judgement) -> Vec<Finding> {
    if !miss.findings.is_empty() {
        return miss.findings.clone();
    }
    let message = format!(
        "{} could not be seen in the scratch instance.",
        miss.service
    );
    let remedy = "Try again when the machine is less busy.";
    let finding = Finding::new("rehearsal.not-seen", Severity::Error, message, remedy);
    vec![
        miss.sentences
            .iter()
            .fold(finding, |finding, said| finding.seen(said.as_str())),
    ]
}

/// Where no scratch instance can be started, going on is the operator's decision, in type.
fn accept_no_rehearsal(approved: &Approved, why: &str) -> Result<(), EngineError> {
    const CODE: &str = "rehearsal.not-possible";
    let answer = ehlo_name(&approved.proposal.facts);
    let given = |given: &Acceptance| given.code == CODE && given.answer == answer;
    if approved.accepted.iter().any(given) {
        return Ok(());
    }
    let message = format!("This change cannot be rehearsed here: {why}.");
    Err(EngineError::Unconfirmed {
        code: CODE.to_owned(),
        answer,
        message,
    })
}

fn outbound_level(plan: &Plan) -> Outbound {
    match plan.outbound {
        OutboundChange::Rehearse { level } => level,
        OutboundChange::None => Outbound::Off,
    }
}

fn ehlo_name(facts: &Facts) -> String {
    facts
        .values
        .get("myhostname")
        .cloned()
        .unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests;

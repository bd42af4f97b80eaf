//! Verify: the wire against expectations.
//!
//! Owns: looking until it is as expected or a deadline passes. Never: judges (the planner does)
//! or changes anything.

use crate::drift::DriftReport;
use crate::live_log::{LiveLog, LogSeen, Trace};
use crate::outbound::Sent;
use crate::wire::live_targets;
use crate::{Engine, EngineError, MapAnswers, RulesTold};
use postseal_planner::facts::{Facts, MasterState};
use postseal_planner::lint::{credentials_in_clear, credentials_untold};
use postseal_planner::policy::listable;
use postseal_planner::report::{Outcome, Report, ServiceExpectation, Verdict};
use postseal_planner::{
    Around, Finding, ListedNames, Request, add_causes, add_dead, add_lost_files, add_strangers,
    add_without_keys, differences, expect_own_names, own_name_tables, own_names_unfit,
    restore_drift,
};
use postseal_store::InstanceState;
use std::time::Duration;

/// One look's limit for a single target.
const LOOK: Duration = Duration::from_secs(5);
/// What the handshakes for names of an administrator's own tables may take beside.
const NAMES: Duration = Duration::from_secs(5);
/// The first pause between two looks; doubled each time up to [`MAX_PAUSE`].
const PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_millis(250);

/// The last look.
#[derive(Default)]
pub(crate) struct Looked {
    pub(crate) verdict: Verdict,
    pub(crate) reports: Vec<Report>,
    /// That Postfix was stopped and started for it.
    pub(crate) restarted: Option<Finding>,
}

/// What an interrupt means while the wire is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// A change is being proved: stop looking.
    Heed,
    /// The old state is being put back, which must come to its end.
    Ignore,
}

/// What `verify` answers.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Every service at every address, judged against what is in force.
    pub verdict: Verdict,
    /// What was seen.
    pub reports: Vec<Report>,
    /// Hand edits: the wire was judged against what is in force, not against them.
    pub drift: DriftReport,
    /// What is said of the rules for destinations.
    pub rules: RulesTold,
    /// What a sample of the map of the rules answered.
    pub map: MapAnswers,
    /// Whether the master runs.
    pub master: MasterState,
    /// Certificates that are not for the name of their row, and what is in force against what is
    /// published in DNS (`dane.*`).
    pub findings: Vec<Finding>,
    /// Credentials that may go in clear.
    pub exposed: Vec<Finding>,
    /// What could not be told of credentials.
    pub untold: Vec<Finding>,
    /// What deliveries showed.
    pub sent: Sent,
    /// What the log says against TLS since the last reload.
    pub log: LiveLog,
}

impl Engine<'_> {
    /// Looks at every service and address of what is in force.
    pub fn verify(&mut self) -> Result<Verified, EngineError> {
        let facts = self.observe()?;
        let state = self.in_force_now(&facts)?;
        let mark = self.host.log_mark();
        let own_names = self.own_names(&facts);
        let mut verified = self.verify_with(&state, &facts, &own_names);
        let trace = match verified
            .reports
            .iter()
            .any(|report| report.banner.is_some())
        {
            true => Trace::Left,
            false => Trace::None,
        };
        verified.log = self.live_log(&facts, &mark, trace);
        verified
            .findings
            .extend(self.dane_findings(&state.desired)?);
        verified.exposed = credentials_in_clear(&facts);
        verified.untold = credentials_untold(&facts);
        verified.rules = self.told_of_rules_in(&state, &facts)?;
        verified.map = self.ask_live_map(&state, &facts)?;
        verified.sent = self.sent(&facts);
        Ok(verified)
    }

    /// `names` are asked for at the servers that find them in an administrator's own tables.
    pub(crate) fn verify_with(
        &self,
        state: &InstanceState,
        facts: &Facts,
        names: &ListedNames,
    ) -> Verified {
        let drift = self.drift_of(state, facts);
        let mut expectations = self.in_force(state, facts, &drift);
        let beside = expect_own_names(&mut expectations, names, facts);
        let patience = look_for(facts)
            + if names.is_empty() {
                Duration::ZERO
            } else {
                NAMES
            };
        let targets = live_targets(&expectations, &name(facts));
        let reports = self.wire.probe(&targets, patience);
        let mut verdict = self.judged(&expectations, &reports);
        self.note_shared_ports(&expectations, &mut verdict);
        let looked = (expectations.as_slice(), reports.as_slice());
        self.note_causes((state, facts), looked, &drift, &mut verdict);
        add_strangers(&mut verdict, |address| self.host.owner(address));
        add_lost_files(&mut verdict, &expectations, facts, &state.desired);
        add_without_keys(&mut verdict, facts);
        let now = self.clock.now_unix();
        postseal_planner::add_validity(&mut verdict, &reports, now);
        postseal_planner::add_greet_wait(&mut verdict, &reports, facts);
        let (main, master) = (&facts.main_cf.bytes, &facts.master_cf.bytes);
        verdict
            .judgements
            .extend(postseal_planner::unproved(main, master, facts));
        verdict.judgements.extend(beside);
        Verified {
            verdict,
            findings: own_names_unfit(&expectations, &reports),
            reports,
            drift,
            master: facts.master,
            exposed: Vec::new(),
            untold: Vec::new(),
            rules: RulesTold::default(),
            map: MapAnswers::default(),
            sent: Sent::default(),
            log: LiveLog::Read(LogSeen::default()),
        }
    }

    /// What an administrator's own tables of server names list.
    fn own_names(&self, facts: &Facts) -> ListedNames {
        let list = |table: String| {
            let keys = match listable(&table) {
                Some(listed) => self.host.table_keys(listed),
                None => return (table, Err("its type does not list its rows".to_owned())),
            };
            let keys = keys.map_err(|error| crate::undo::whole_chain(&error));
            (table, keys)
        };
        own_name_tables(facts).into_iter().map(list).collect()
    }

    /// The judgement of what was seen, with what this host knows of its own processes.
    fn judged(&self, expectations: &[ServiceExpectation], reports: &[Report]) -> Verdict {
        let mut verdict = postseal_planner::judge(expectations, reports);
        add_dead(&mut verdict, reports, || self.host.served());
        verdict
    }

    /// Says why another certificate is served than is bound, where that can be known.
    fn note_causes(
        &self,
        (state, facts): (&InstanceState, &Facts),
        (expectations, reports): (&[ServiceExpectation], &[Report]),
        drift: &DriftReport,
        verdict: &mut Verdict,
    ) {
        let differences = differences(expectations, reports);
        if differences.is_empty() {
            return;
        }
        let owners = differences
            .iter()
            .map(|one| (one.address, self.host.owner(one.address)))
            .collect();
        // What the store cannot tell now is not known; the difference itself is told all the same.
        let known = differences
            .iter()
            .filter_map(|one| one.seen)
            .flat_map(|seen| self.of_leaf(&seen).unwrap_or_default())
            .filter_map(crate::observe::stored)
            .collect::<Vec<_>>();
        let around = Around {
            facts,
            intent: &state.desired,
            owners: &owners,
            known: &known,
            touched: &drift.files,
            edits: &drift.drift,
        };
        add_causes(verdict, &differences, &around);
    }

    /// What is in force promises: the files as they are, or as they would be without the hand
    /// edits of owned keys.
    fn in_force(
        &self,
        state: &InstanceState,
        facts: &Facts,
        drift: &DriftReport,
    ) -> Vec<ServiceExpectation> {
        let request = Request {
            intent: &state.desired,
            in_force: &state.desired,
            parent: state.head,
            written: &state.written,
        };
        if !drift.drift.is_empty()
            && let Ok(plan) = restore_drift(&request, facts, self.clock.now_unix())
        {
            return plan.expectations;
        }
        crate::undo::expectations_of(facts, &state.desired)
    }

    /// Looks again and again until everything is as expected, `patience` ends, or the operator
    /// has enough of it.
    pub(crate) fn poll(
        &self,
        expectations: &[ServiceExpectation],
        patience: Duration,
        interrupt: Interrupt,
    ) -> Looked {
        let passes = |verdict: &Verdict| verdict.outcome() == Outcome::Pass;
        self.poll_until(expectations, patience, interrupt, passes)
    }

    /// The same, until a verdict is `good` enough.
    pub(crate) fn poll_until(
        &self,
        expectations: &[ServiceExpectation],
        patience: Duration,
        interrupt: Interrupt,
        good: impl Fn(&Verdict) -> bool,
    ) -> Looked {
        let deadline = self.clock.monotonic() + patience;
        let mut pause = PAUSE;
        loop {
            let reports = self
                .wire
                .probe(&live_targets(expectations, "localhost"), LOOK.min(patience));
            let verdict = self.judged(expectations, &reports);
            let enough = interrupt == Interrupt::Heed && self.is_interrupted();
            let late = self.clock.monotonic() + pause > deadline;
            if good(&verdict) || late || enough {
                return Looked {
                    verdict,
                    reports,
                    restarted: None,
                };
            }
            self.clock.sleep(pause);
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}

/// One look's limit, with the wait before postscreen(8) greets a stranger.
fn look_for(facts: &Facts) -> Duration {
    LOOK + postseal_planner::longest_greet_wait(facts)
}

/// The name of the host.
pub(crate) fn name(facts: &Facts) -> String {
    facts
        .values
        .get("myhostname")
        .cloned()
        .unwrap_or_else(|| "localhost".to_owned())
}

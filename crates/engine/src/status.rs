//! Status: the four states side by side.
//!
//! Owns: desired, written, effective and observed of every service and of the SMTP client, with
//! drift, pending wishes and the last operation. Never: paints one of them as another; what was
//! not seen is said to be not seen.

use crate::certificates::{CertificateView, Listed};
use crate::drift::DriftReport;
use crate::outbound::Sent;
use crate::wishes::{Wish, wishes};
use crate::{DueRules, Engine, EngineError, Folders, RulesTold, WatchTrouble, bad_routes};
use postseal_planner::facts::{Facts, MasterState};
use postseal_planner::intent::{Intent, Owned};
use postseal_planner::levels::{self, Levels, ServiceLevels};
use postseal_planner::lint::{credentials_in_clear, credentials_untold};
use postseal_planner::plan::{Base, Cf, Plan};
use postseal_planner::profile::{Chosen, chosen};
use postseal_planner::report::{Report, Verdict};
use postseal_planner::{Adopted, AskedNames, Finding, ListedNames, asked_names, dane, owned};
use postseal_store::{AuditEntry, InstanceState, Operation, OperationOutcome};

/// How far back an attempt at the pending wishes is looked for.
const ATTEMPTS: usize = 20;

/// What `status` answers.
#[derive(Debug)]
pub struct Status {
    /// Whether the master runs.
    pub master: MasterState,
    /// Each inet SMTP service: desired, written, effective.
    pub services: Vec<ServiceLevels>,
    /// The SMTP client's default level: desired, written, effective.
    pub outbound: Levels,
    /// What deliveries showed of it.
    pub sent: Sent,
    /// Mail that waits for TLS.
    pub waits: Vec<Finding>,
    /// What the wire showed just now.
    pub observed: Verdict,
    /// The certificates of the store: what is in force, and newer versions that wait.
    pub certificates: Vec<Listed>,
    /// Those that something presents, or would, with what is wrong with them.
    pub in_use: Vec<CertificateView>,
    /// Those that servers present from files that are not the store's.
    pub adopted: Vec<Adopted>,
    /// Published TLSA records that what is in force does not match: senders that use DANE keep their
    /// mail. What DNS did not tell is `verify`'s to say.
    pub mismatched: Vec<Finding>,
    /// Watched folders that nothing can be taken from: no renewal comes from there.
    pub watches: Vec<WatchTrouble>,
    /// Credentials that may be sent in clear.
    pub exposed: Vec<Finding>,
    /// Why it cannot be told of others whether they may.
    pub untold: Vec<Finding>,
    /// What is said of the rules for destinations.
    pub rules: RulesTold,
    /// Routes by which no mail arrives, where nothing of `rules` says it.
    pub bad_routes: Vec<Finding>,
    /// Rules whose day of review has come.
    pub due: DueRules,
    /// By which names its certificates are asked for.
    pub asked: AskedNames,
    /// Hand edits.
    pub drift: DriftReport,
    /// What each address showed just now.
    pub reports: Vec<Report>,
    /// When it was looked at, milliseconds since the epoch.
    pub observed_ms: i64,
    /// What is wished and not in force yet.
    pub pending: Vec<Wish>,
    /// The services and the client as if nothing were pending.
    pub in_force: InForce,
    /// The newest attempt to put exactly these wishes in force, where it did not hold.
    pub failed: Option<Operation>,
    /// The newest operation.
    pub last: Option<Operation>,
    /// The operation that is open, if any.
    pub open: Option<Operation>,
}

/// The profiles of an instance.
#[derive(Clone, Debug)]
pub struct Profiles {
    /// In force.
    pub in_force: Vec<Chosen>,
    /// Wished; the same where nothing is pending.
    pub wished: Vec<Chosen>,
}

/// Desired, as it is in force.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    /// Service → what is in force for it.
    pub services: std::collections::BTreeMap<String, String>,
    /// What is in force for deliveries.
    pub outbound: String,
}

impl Engine<'_> {
    /// Looks at everything, the watched folders included.
    pub fn status(&mut self, folders: &dyn Folders) -> Result<Status, EngineError> {
        let mut facts = self.observe()?;
        let state = self.in_force_now(&facts)?;
        let verified = self.verify_with(&state, &facts, &ListedNames::new());
        let observed_ms = self.clock.now_ms();
        let wanted = wanted(&state);
        let history = self.store.history(&self.instance, ATTEMPTS)?;
        let (sent, waits) = self.sent(&facts);
        let rules = self.told_of_rules_in(&state, &facts)?;
        let bad_routes = bad_routes(self.host, &facts, &rules.findings(), &[]);
        let mut status = Status {
            master: facts.master,
            services: levels::services(&facts, wanted),
            outbound: levels::outbound(&facts, wanted),
            sent,
            waits,
            in_force: in_force(&facts, &state.desired),
            observed: verified.verdict,
            reports: verified.reports,
            observed_ms,
            certificates: self.list_certificates()?,
            in_use: self.certificates_in_use()?,
            adopted: self.adopted_in(&facts),
            mismatched: Vec::new(),
            watches: self.unusable_watches(folders)?,
            exposed: credentials_in_clear(&facts),
            untold: credentials_untold(&facts),
            rules,
            bad_routes,
            due: self.rules_due()?,
            asked: AskedNames::default(),
            drift: verified.drift,
            pending: self.pending_wishes(&state, wanted)?,
            failed: failed(&history, state.draft.as_ref()),
            last: history.into_iter().next(),
            open: self.store.open(&self.instance)?,
        };
        let mismatch = |found: &Finding| found.code == "dane.mismatch";
        self.ask_dns(&mut facts, |facts| dane::questions(facts, &[]));
        status.mismatched = dane::findings(&facts, &state.desired, self.clock.now_unix());
        status.mismatched.retain(mismatch);
        status.asked = asked_names(&facts, wanted);
        Ok(status)
    }

    fn pending_wishes(
        &self,
        state: &InstanceState,
        wanted: &Intent,
    ) -> Result<Vec<Wish>, EngineError> {
        let mut pending = wishes(&state.desired, wanted);
        let after = match self.store.pending_rules(&self.instance)? {
            0 => return Ok(pending),
            1 => "1 rule changes".to_owned(),
            rules => format!("{rules} rules change"),
        };
        pending.push(Wish {
            key: crate::wishes::RULES.to_owned(),
            before: None,
            after: Some(after),
        });
        Ok(pending)
    }

    /// The state, or what an operation that awaits confirmation makes of it: its own writing is no
    /// hand edit, and its wishes are not pending.
    pub(crate) fn in_force_now(&self, facts: &Facts) -> Result<InstanceState, EngineError> {
        let state = self.state()?;
        let Some(open) = self.awaiting()? else {
            return Ok(state);
        };
        let noted = open.new.written;
        let written = noted.unwrap_or_else(|| owned::of(facts));
        let in_force = in_force_by(&open.new.plan, written);
        Ok(InstanceState {
            draft: state.draft.filter(|draft| *draft != in_force.desired),
            head: state.head,
            ..in_force
        })
    }

    /// Which profiles are in force, and which are wished.
    pub fn profiles(&self) -> Result<Profiles, EngineError> {
        let state = self.state()?;
        let in_force = chosen(&state.desired);
        Ok(Profiles {
            wished: state
                .draft
                .as_ref()
                .map_or_else(|| in_force.clone(), chosen),
            in_force,
        })
    }

    /// Effective values for `show`.
    pub fn facts(&self) -> Result<Facts, EngineError> {
        self.observe()
    }

    /// The newest operations, newest first.
    pub fn history(&self, limit: usize) -> Result<Vec<Operation>, EngineError> {
        Ok(self.store.history(&self.instance, limit)?)
    }

    /// What was noted beside operations, newest first: keys that were handed out, versions that
    /// were deleted.
    pub fn audit_log(&self, limit: usize) -> Result<Vec<AuditEntry>, EngineError> {
        Ok(self.store.audit_log(limit)?)
    }

    /// One operation with its snapshots.
    pub fn operation(&self, id: u64) -> Result<Operation, EngineError> {
        let found = self
            .store
            .operation(id)?
            .filter(|found| found.new.instance == self.instance);
        found.ok_or_else(|| EngineError::Unknown {
            what: "operation",
            name: id.to_string(),
        })
    }

    /// What is in force, and what is wished.
    pub fn wishes(&self) -> Result<InstanceState, EngineError> {
        self.state()
    }
}

/// The state that a carried out plan makes. The files may have been edited by hand since.
pub(crate) fn in_force_by(plan: &Plan, written: Owned) -> InstanceState {
    let after = |file, before| plan.edit(file).map_or(before, |edit| edit.after);
    InstanceState {
        desired: plan.intent.clone(),
        draft: None,
        written,
        base: Base {
            main_cf: after(Cf::Main, plan.base.main_cf),
            master_cf: after(Cf::Master, plan.base.master_cf),
        },
        head: None,
    }
}

fn wanted(state: &InstanceState) -> &Intent {
    state.draft.as_ref().unwrap_or(&state.desired)
}

fn in_force(facts: &Facts, desired: &Intent) -> InForce {
    let services = levels::services(facts, desired);
    InForce {
        services: services
            .into_iter()
            .map(|service| (service.service, service.levels.desired))
            .collect(),
        outbound: levels::outbound(facts, desired).desired,
    }
}

/// The newest operation that wanted just this and did not hold.
fn failed(history: &[Operation], draft: Option<&Intent>) -> Option<Operation> {
    let wanted = draft?;
    let tried = history
        .iter()
        .find(|tried| tried.new.plan.intent == *wanted)?;
    let held = matches!(tried.outcome, None | Some(OperationOutcome::Kept));
    (!held).then(|| tried.clone())
}

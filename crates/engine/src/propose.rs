//! Propose: state and facts → `Proposal`.
//!
//! Owns: asking the planner, with everything it must know. Never: decides anything itself.

use crate::{Engine, EngineError, Event, RuleChanges, Stage};
use postseal_planner::facts::Facts;
use postseal_planner::{Intent, Plan, Refusal, Request};
use postseal_store::{InstanceState, OperationKind, RuleTake};

/// A plan, with the picture and the state it was made from.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The plan.
    pub plan: Plan,
    /// The picture it was made from.
    pub facts: Facts,
    /// The state it builds on.
    pub state: InstanceState,
    /// What kind of operation it becomes.
    pub kind: OperationKind,
    /// What it does with the rules for destinations.
    pub rules: RuleChanges,
}

impl Proposal {
    /// Whether an operation comes of it: what changes no file may change what is wanted, or what is
    /// said of rules, and is to be undone like anything else.
    pub fn has_news(&self) -> bool {
        !self.plan.is_empty()
            || self.plan.intent != self.state.desired
            || self.rules.count > 0
            || self.kind.undoes().is_some()
    }
}

impl Engine<'_> {
    /// What `apply` would do: the draft, or what is in force where nothing is wished. While an
    /// operation awaits confirmation nothing can be said to be in force.
    pub fn propose(&mut self) -> Result<Proposal, EngineError> {
        self.refuse_while_open()?;
        let state = self.state()?;
        let intent = state.draft.as_ref().unwrap_or(&state.desired).clone();
        self.propose_intent(state, &intent, OperationKind::Apply)
    }

    /// What would put `intent` in force.
    pub(crate) fn propose_intent(
        &self,
        state: InstanceState,
        intent: &Intent,
        kind: OperationKind,
    ) -> Result<Proposal, EngineError> {
        let (intent, mut rules) = self.with_rules(intent, &state, &kind)?;
        let mut facts = self.observe_for(Some(&intent))?;
        self.tell(Event::Stage {
            stage: Stage::Think,
        });
        let request = Request {
            intent: &intent,
            in_force: &state.desired,
            parent: state.head,
            written: &state.written,
        };
        self.ask_dns(&mut facts, |facts| {
            postseal_planner::questions(&request, facts)
        });
        let seen = self.with_rows_for_credentials(&intent, &facts)?;
        let seen = seen.as_ref().unwrap_or(&facts);
        let plan = postseal_planner::plan(&request, seen, self.clock.now_unix());
        let plan = plan.map_err(EngineError::Refused)?;
        let plan = match rules.take {
            RuleTake::Wishes { revision } => plan.with_rule_wishes(revision),
            RuleTake::None | RuleTake::Reverse { .. } => plan,
        };
        rules.concerned = self.concerned(&plan, &facts, &rules, &kind)?;
        let proposal = Proposal {
            plan,
            facts,
            state,
            kind,
            rules,
        };
        if proposal.kind == OperationKind::Apply {
            refuse_lost_edits(&proposal)?;
            self.refuse_faulty_rules(&proposal)?;
            self.refuse_weakening(&proposal)?;
        }
        Ok(proposal)
    }

    /// Makes a plan and remembers it under its id, as `plan` shows it.
    pub fn show_plan(&mut self) -> Result<Proposal, EngineError> {
        let proposal = self.propose()?;
        let proposal = self.with_what_it_leaves(proposal)?;
        if proposal.has_news() {
            self.store.put_plan(&self.instance, &proposal.plan)?;
        }
        Ok(proposal)
    }

    /// With what is said of rules that it leaves in force.
    pub(crate) fn with_what_it_leaves(
        &self,
        mut proposal: Proposal,
    ) -> Result<Proposal, EngineError> {
        let Proposal { facts, plan, .. } = &proposal;
        let idle = self.idle_with(facts, &plan.intent, &proposal.rules)?;
        let faulty = self.still_faulty(&proposal)?;
        let weakened = self.weakened_for_a_reason(&proposal)?;
        proposal.plan.findings.extend(faulty);
        proposal.plan.findings.extend(weakened);
        proposal.plan.findings.extend(idle);
        Ok(proposal)
    }

    /// Makes the plan again and demands that it is the one that was shown as `id`.
    pub(crate) fn propose_shown(&mut self, id: &str) -> Result<Proposal, EngineError> {
        let Some(shown) = self.store.plan(&self.instance, id)? else {
            return Err(EngineError::Unknown {
                what: "plan",
                name: id.to_owned(),
            });
        };
        let proposal = self.propose()?;
        if proposal.plan.id == shown.id {
            return Ok(proposal);
        }
        let now = crate::adopt::base(&proposal.facts);
        let why = if now == shown.base {
            "what is wished has changed"
        } else {
            "the files have changed"
        };
        Err(EngineError::Stale(format!(
            "plan {} is stale: {why} since it was shown; run `postseal plan` again",
            shown.id.short(12)
        )))
    }
}

/// Refuses to put another map in the place of one that somebody edited: the edit would go unsaid.
fn refuse_lost_edits(proposal: &Proposal) -> Result<(), EngineError> {
    let Proposal { plan, facts, .. } = proposal;
    if plan.intent.policies == plan.earlier.policies || facts.touched.is_empty() {
        return Ok(());
    }
    Err(EngineError::Refused(Refusal {
        findings: crate::rules::touched_words(&facts.touched),
    }))
}

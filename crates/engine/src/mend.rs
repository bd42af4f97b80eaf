//! Mending: the fixes of lint's findings as wishes.
//!
//! Owns: `lint --fix`: what it wishes for, and the plan of that. Never: carries the plan out, or makes
//! one by itself; the wishes are a draft like any other.

use crate::{Engine, EngineError, Proposal};
use postseal_planner::Finding;
use postseal_planner::facts::Facts;
use postseal_planner::lint::Surroundings;
use postseal_planner::mend::{Known, Mended, Mending, mend};
use postseal_store::OperationKind;

/// What is mended, and with what eyes.
#[derive(Clone, Copy)]
pub struct Fixing<'a> {
    /// What is gathered of the machine beside its Postfix.
    pub around: &'a dyn Fn(&Facts) -> Surroundings,
    /// What OpenSSL makes of a cipher list.
    pub expand: &'a dyn Fn(&str) -> Vec<String>,
    /// Whether the fix of a finding is taken.
    pub takes: &'a dyn Fn(&Finding) -> bool,
    /// What becomes of the wishes.
    pub draft: Draft,
}

/// What becomes of wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draft {
    /// They are stored.
    Stored,
    /// They are only looked at.
    Shown,
}

/// What was mended, and the plan that comes of it.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// Findings and wishes.
    pub mended: Mended,
    /// What `apply` would do with these wishes and those that were pending.
    pub proposal: Proposal,
}

impl Engine<'_> {
    /// Wishes for what mends the findings of this instance, as pending wishes leave it. Nothing is
    /// stored where no plan can be made of it.
    pub fn fix(&mut self, fixing: &Fixing<'_>) -> Result<Fixed, EngineError> {
        self.refuse_while_open()?;
        let state = self.state()?;
        let intent = state.draft.as_ref().unwrap_or(&state.desired).clone();
        let facts = self.observe_for(Some(&intent))?;
        let mended = mend(&Mending {
            intent: &intent,
            in_force: &state.desired,
            facts: &facts,
            known: Known::Host,
            surroundings: &(fixing.around)(&facts),
            expand: fixing.expand,
            takes: fixing.takes,
            now_unix: self.clock.now_unix(),
        })
        .map_err(EngineError::Refused)?;
        let wanted = intent.with_all(&mended.wishes);
        let proposal = self.propose_intent(state, &wanted, OperationKind::Apply)?;
        if fixing.draft == Draft::Shown || mended.wishes.is_empty() {
            return Ok(Fixed { mended, proposal });
        }
        self.wish(&mended.wishes)?;
        let proposal = self.show_plan()?;
        Ok(Fixed { mended, proposal })
    }
}

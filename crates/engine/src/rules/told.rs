//! What is said of the rules in force, the same to everybody.
//!
//! Owns: putting it together for `status`, `verify` and `lint`. Never: asks DNS or a server; repeats a
//! look that another part of it made.

use super::IdleRows;
use crate::{Engine, EngineError};
use postseal_planner::facts::Facts;
use postseal_planner::policy::{FALLBACK, FOLLOWS_NOT, NO_WRAPPERMODE, PASSED_BY};
use postseal_planner::{Finding, Severity};
use postseal_store::InstanceState;

/// What is said of the rules in force.
#[derive(Clone, Debug, Default)]
pub struct RulesTold {
    /// That nobody asks them, and policies that this host cannot keep.
    pub faulty: Vec<Finding>,
    /// Followed rules that are made for other next hops than their mail takes.
    pub routes: Vec<Finding>,
    /// Rows of the tables of policies that mail never meets.
    pub idle: IdleRows,
    /// Tables that were edited and are asked no more.
    pub replaced: Vec<Finding>,
}

impl RulesTold {
    /// All of it, what this host cannot keep first.
    pub fn findings(&self) -> Vec<Finding> {
        let mut all = self.faulty.clone();
        all.extend(self.routes.iter().cloned());
        all.extend(self.idle.findings());
        all.extend(self.replaced.iter().cloned());
        all
    }

    /// Whether a rule does not do what it says.
    pub fn is_wrong(&self) -> bool {
        let bad = |finding: &Finding| finding.severity >= Severity::Error;
        !self.idle.rows.is_empty() || self.faulty.iter().chain(&self.routes).any(bad)
    }

    /// What is said of rows that a table before theirs answers.
    pub fn shadowed(&self) -> impl Iterator<Item = &Finding> {
        let notes = self.idle.notes.iter();
        notes.filter(|note| note.severity >= Severity::Warning && !is_passed_by(note))
    }

    /// What is said of rules for next hops that no route names.
    pub fn never_asked(&self) -> Vec<Finding> {
        let mut found = self.idle.never_asked();
        found.retain(|one| one.severity >= Severity::Warning);
        found
    }

    /// What is said of services that send to the next hop of a rule without asking it, of fallback
    /// relays, and of recipients with next hops of their own.
    pub fn passed_by(&self) -> impl Iterator<Item = &Finding> {
        self.idle.notes.iter().filter(|note| is_passed_by(note))
    }
}

fn is_passed_by(note: &Finding) -> bool {
    matches!(
        &*note.code,
        PASSED_BY | FALLBACK | FOLLOWS_NOT | NO_WRAPPERMODE
    )
}

impl Engine<'_> {
    /// What is said of the rules in force, in a picture of the instance.
    ///
    /// # Errors
    /// [`EngineError::NotAdopted`], and what the store fails with.
    pub fn told_of_rules(&self, facts: &Facts) -> Result<RulesTold, EngineError> {
        self.told_of_rules_in(&self.state()?, facts)
    }

    pub(crate) fn told_of_rules_in(
        &self,
        state: &InstanceState,
        facts: &Facts,
    ) -> Result<RulesTold, EngineError> {
        let mut faulty: Vec<Finding> = self.map_not_asked(state, facts).into_iter().collect();
        faulty.extend(self.faulty_in_force(state, facts)?);
        Ok(RulesTold {
            faulty,
            routes: self.route_changes_in(facts)?,
            idle: self.idle_in_force(facts)?,
            replaced: self.replaced_edited(state, facts)?,
        })
    }
}

//! How many destinations a plan concerns, and how many rules are due.
//!
//! Owns: asking the store for figures. Never: counts rule by rule.

use super::RuleChanges;
use crate::{Engine, EngineError};
use postseal_planner::facts::Facts;
use postseal_planner::lint::REVIEW_DUE;
use postseal_planner::policy::Rule;
use postseal_planner::{Finding, Plan, Severity, levels};
use postseal_store::{Known, LevelChange, OperationKind, RuleState};

/// How many destinations a plan concerns.
#[derive(Clone, Debug, Default)]
pub struct Concerned {
    /// The SMTP client's default level as it is.
    pub before: String,
    /// As it will be.
    pub after: String,
    /// The known destinations, where the default changes.
    pub known: Option<Known>,
    /// Rules, by their levels before and after.
    pub levels: Vec<LevelChange>,
}

/// Rules in force that are to be looked at again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueRules {
    /// Today, `YYYY-MM-DD` (UTC).
    pub today: String,
    /// How many have a day of review that is today or past.
    pub count: u64,
}

impl Engine<'_> {
    /// Rules in force whose day of review has come. They stay in force.
    pub fn rules_due(&self) -> Result<DueRules, EngineError> {
        let today = self.today();
        let count = self.store.due_rules(&self.instance, &today)?;
        Ok(DueRules { today, count })
    }

    /// As days of review are written, UTC.
    fn today(&self) -> String {
        let now = jiff::Timestamp::from_second(self.clock.now_unix()).unwrap_or_default();
        now.strftime("%Y-%m-%d").to_string()
    }

    /// That the day of review which a rule is given now has come already.
    pub(super) fn due_at_once(&self, rule: &Rule, state: &RuleState) -> Option<Finding> {
        let until = rule.about.until.as_ref()?;
        let now = state.wanted.as_ref();
        let is_news = now.is_none_or(|now| now.about.until.as_ref() != Some(until));
        let today = self.today();
        (is_news && *until <= today).then(|| {
            let message = format!(
                "The day of review of the rule for {} has come already: {until}, and today is {today}.",
                rule.id.shown()
            );
            Finding::new(REVIEW_DUE.code, Severity::Warning, message, REVIEW_DUE.remedy)
        })
    }

    /// Counts them.
    pub(crate) fn concerned(
        &self,
        plan: &Plan,
        facts: &Facts,
        changes: &RuleChanges,
        kind: &OperationKind,
    ) -> Result<Concerned, EngineError> {
        let [before, after] = levels::outbound_by(plan, facts);
        // What is known is counted as it is wanted: a rollback leads elsewhere.
        let counts = before != after && *kind == OperationKind::Apply;
        let known = match counts {
            true => Some(self.store.known_destinations(&self.instance)?),
            false => None,
        };
        Ok(Concerned {
            before,
            after,
            known,
            levels: self.store.rule_levels(&self.instance, changes.take)?,
        })
    }
}

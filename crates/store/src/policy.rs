//! What is remembered of rules for destinations.
//!
//! Owns: the door to them, a page at a time: a million rules are never in memory at once. Never:
//! decides which of two rules wins, or renders a row (`planner` does).

use crate::{InstanceState, StoreError};
use postseal_planner::Preflight;
use postseal_planner::policy::{Rule, RuleId};

/// A wish about one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleWish {
    /// It shall be as it is here.
    Put(Rule),
    /// It shall be gone.
    Remove(RuleId),
}

/// Which rules are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleView {
    /// What is in force with the wishes on top.
    Wanted,
    /// What is in force.
    InForce,
    /// What is in force with the changes of an operation taken back.
    Before(u64),
    /// What is staged.
    Staged,
}

/// A rule as it is and as it is wished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleState {
    /// Its id.
    pub id: RuleId,
    /// In force.
    pub in_force: Option<Rule>,
    /// Wished: the same, another one, or none.
    pub wanted: Option<Rule>,
}

impl RuleState {
    /// Whether a wish is pending.
    pub fn is_pending(&self) -> bool {
        self.in_force != self.wanted
    }
}

/// Which rules a list is for; empty fields mean any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleFilter {
    /// The level of what is wanted, by Postfix's name.
    pub level: Option<String>,
    /// The owner.
    pub owner: Option<String>,
    /// A tag.
    pub tag: Option<String>,
    /// A part of the destination (A-labels) or the note.
    pub search: Option<String>,
    /// Destinations (A-labels) that `search` means, too.
    pub meant: Vec<String>,
    /// The last day of review: rules that are to be looked at until then (`YYYY-MM-DD`).
    pub due: Option<String>,
    /// Only pending ones.
    pub pending: Pending,
    /// The order.
    pub order: RuleOrder,
}

/// Whether only rules with a pending wish are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "self-evident")]
pub enum Pending {
    #[default]
    All,
    Only,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuleOrder {
    /// By destination.
    #[default]
    Destination,
    /// By the text of the policy.
    Level,
    /// By the day of review, those without one last.
    Until,
}

/// What an operation does with the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuleTake {
    /// Nothing.
    #[default]
    None,
    /// It carries out the wishes, as they were at a revision.
    Wishes {
        /// Of [`PolicyStore::rules_revision`].
        revision: i64,
    },
    /// It takes the changes of an operation back.
    Reverse {
        /// Which.
        of: u64,
    },
}

/// What staged wishes came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Staged {
    /// Rules that were not there.
    pub added: u64,
    /// Rules that are another one now.
    pub changed: u64,
    /// Rules that were as they are wished.
    pub same: u64,
}

/// Rules that change alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelChange {
    /// The level before, by Postfix's name; `None`: there was no rule.
    pub before: Option<String>,
    /// The level after; `None`: there will be none.
    pub after: Option<String>,
    /// Whether the rows stay as they are: only words for people change.
    pub same_rows: bool,
    /// Whether a rule of another manager for the same destination is in force where this one goes.
    pub another: bool,
    /// How many there are.
    pub count: u64,
}

/// Destinations that are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Those with a rule.
    pub own: u64,
    /// Those without, whose servers were looked at.
    pub others: u64,
}

/// Rules. Methods are durable when they return, and all or nothing.
pub trait PolicyStore {
    /// Rises with every wish about a rule.
    fn rules_revision(&self, instance: &str) -> Result<i64, StoreError>;

    /// Rises with every wish about a rule, with every look at servers that is remembered, and with rules that come in force.
    fn rules_news(&self, instance: &str) -> Result<i64, StoreError>;

    /// The destinations, or next hops, of what has changed after the news of that number; `None` where that is not known one
    /// by one any more, or there are more than `limit`.
    fn news_of_rules(
        &self,
        instance: &str,
        since: i64,
        limit: usize,
    ) -> Result<Option<Vec<String>>, StoreError>;

    /// How many wishes about rules are pending.
    fn pending_rules(&self, instance: &str) -> Result<u64, StoreError>;

    /// Rules as they are and as they are wished, in the order of the ids; both none where there is
    /// no such rule.
    fn rule_states(&self, instance: &str, ids: &[RuleId]) -> Result<Vec<RuleState>, StoreError>;

    /// The rules of a view whose ids come after `after`, in their order (of bytes), at most
    /// `limit`.
    fn rules(
        &self,
        instance: &str,
        view: RuleView,
        after: Option<&RuleId>,
        limit: usize,
    ) -> Result<Vec<Rule>, StoreError>;

    /// The different policies of the rules of a view, at most `limit`; but those of rules that were
    /// put down for a reason. What is staged counts as wished.
    fn policies(
        &self,
        instance: &str,
        view: RuleView,
        limit: usize,
    ) -> Result<Vec<String>, StoreError>;

    /// Rules of a view that have one of these policies, at most `limit`; but those that were put down
    /// for a reason.
    fn rules_with(
        &self,
        instance: &str,
        view: RuleView,
        policies: &[String],
        limit: usize,
    ) -> Result<Vec<Rule>, StoreError>;

    /// A list: rules that pass a filter, `skip` of them left out.
    fn list_rules(
        &self,
        instance: &str,
        filter: &RuleFilter,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RuleState>, StoreError>;

    /// Rules that have a manager, in the order of the ids, at most `limit`.
    fn managed_rules(&self, instance: &str, limit: usize) -> Result<Vec<RuleState>, StoreError>;

    /// What an operation changed of the rules: before and after, at most `limit`.
    fn rule_changes(&self, operation: u64, limit: usize) -> Result<Vec<RuleState>, StoreError>;

    /// How many rules an operation changed.
    fn count_rule_changes(&self, operation: u64) -> Result<u64, StoreError>;

    /// The rules that an operation changed and that are in force otherwise than it left them, at
    /// most `limit`.
    fn changed_since(
        &self,
        instance: &str,
        operation: u64,
        limit: usize,
    ) -> Result<Vec<RuleId>, StoreError>;

    /// Rules as they were in force before an operation, in the order of the ids; none where there
    /// was no such rule. What was adopted since then is not known to have changed.
    fn rules_before(
        &self,
        instance: &str,
        operation: u64,
        ids: &[RuleId],
    ) -> Result<Vec<Option<Rule>>, StoreError>;

    /// How many rules go from which level to which, where an operation does this with them.
    fn rule_levels(&self, instance: &str, take: RuleTake) -> Result<Vec<LevelChange>, StoreError>;

    /// How many destinations are known, as the rules are wanted.
    fn known_destinations(&self, instance: &str) -> Result<Known, StoreError>;

    /// How many rules in force are to be looked at again on a day (`YYYY-MM-DD`) or before.
    fn due_rules(&self, instance: &str, day: &str) -> Result<u64, StoreError>;

    /// Adds wishes. One that asks for what is in force takes an earlier wish away.
    fn wish_rules(&mut self, instance: &str, wishes: &[RuleWish]) -> Result<(), StoreError>;

    /// Wishes that all rules were gone whose manager begins with `manager`; those made by hand where
    /// that is empty.
    fn wish_none(&mut self, instance: &str, manager: &str) -> Result<(), StoreError>;

    /// Stages wishes, so that many are taken together; how many were new to the stage. What is not
    /// taken is forgotten with this store.
    fn stage_rules(&mut self, wishes: &[RuleWish]) -> Result<u64, StoreError>;

    /// Takes rules off the stage.
    fn unstage_rules(&mut self, ids: &[RuleId]) -> Result<(), StoreError>;

    /// Whether any rule, in force or wished, has more to it than a destination and a policy.
    fn has_worded_rules(&self, instance: &str) -> Result<bool, StoreError>;

    /// Of rules for a domain and all below it, those whose rows for what is below are another
    /// rule's, too, where one of both is staged; at most `limit`.
    fn covered_rules(&self, instance: &str, limit: usize) -> Result<Vec<RuleId>, StoreError>;

    /// Adds what is staged to the wishes.
    fn take_staged(&mut self, instance: &str) -> Result<Staged, StoreError>;

    /// Stores the state after `init` as [`crate::Store::adopt`] does, and puts what is staged in
    /// force in the place of all rules made by hand, in one transaction. What a rule had that its
    /// table does not know (owner, tags, day) stays.
    fn adopt_rules(&mut self, instance: &str, state: &InstanceState) -> Result<(), StoreError>;

    /// Forgets what is staged.
    fn drop_staged(&mut self) -> Result<(), StoreError>;

    /// Remembers looks at the servers of next hops; an earlier look at the same is replaced.
    fn put_preflights(&mut self, instance: &str, seen: &[Preflight]) -> Result<(), StoreError>;

    /// The newest looks at the servers of next hops.
    fn preflights(&self, instance: &str, nexthops: &[String])
    -> Result<Vec<Preflight>, StoreError>;

    /// Drops all wishes about rules; how many there were.
    fn discard_rules(&mut self, instance: &str) -> Result<u64, StoreError>;
}

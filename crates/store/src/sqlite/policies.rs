//! The door to rules for destinations.
//!
//! Owns: one transaction a call. Never: SQL; that is in `rules` and `rule_wishes`.

use super::{
    SqliteStore, instances, preflights, rule_counts, rule_history, rule_list, rule_news,
    rule_policies, rule_stage, rule_wishes, rules,
};
use crate::policy::{
    Known, LevelChange, PolicyStore, RuleFilter, RuleState, RuleTake, RuleView, RuleWish, Staged,
};
use crate::{InstanceState, StoreError};
use postseal_planner::Preflight;
use postseal_planner::policy::{Rule, RuleId};

impl PolicyStore for SqliteStore {
    fn rules_revision(&self, instance: &str) -> Result<i64, StoreError> {
        self.read(async |db| rules::revision(db, instance).await)
    }

    fn rules_news(&self, instance: &str) -> Result<i64, StoreError> {
        self.read(async |db| rule_news::newest(db, instance).await)
    }

    fn news_of_rules(
        &self,
        instance: &str,
        since: i64,
        limit: usize,
    ) -> Result<Option<Vec<String>>, StoreError> {
        self.read(async |db| rule_news::since(db, instance, since, limit).await)
    }

    fn pending_rules(&self, instance: &str) -> Result<u64, StoreError> {
        self.read(async |db| rules::pending(db, instance).await)
    }

    fn rule_states(&self, instance: &str, ids: &[RuleId]) -> Result<Vec<RuleState>, StoreError> {
        self.read(async |db| rules::states(db, instance, ids).await)
    }

    fn rules(
        &self,
        instance: &str,
        view: RuleView,
        after: Option<&RuleId>,
        limit: usize,
    ) -> Result<Vec<Rule>, StoreError> {
        self.read(async |db| rules::page(db, instance, view, after, limit).await)
    }

    fn policies(
        &self,
        instance: &str,
        view: RuleView,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        self.read(async |db| rule_policies::policies(db, instance, view, limit).await)
    }

    fn rules_with(
        &self,
        instance: &str,
        view: RuleView,
        policies: &[String],
        limit: usize,
    ) -> Result<Vec<Rule>, StoreError> {
        self.read(async |db| rule_policies::rules_with(db, instance, view, policies, limit).await)
    }

    fn list_rules(
        &self,
        instance: &str,
        filter: &RuleFilter,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RuleState>, StoreError> {
        self.read(async |db| rule_list::list(db, instance, filter, skip, limit).await)
    }

    fn managed_rules(&self, instance: &str, limit: usize) -> Result<Vec<RuleState>, StoreError> {
        self.read(async |db| rules::managed(db, instance, limit).await)
    }

    fn rule_changes(&self, operation: u64, limit: usize) -> Result<Vec<RuleState>, StoreError> {
        self.read(async |db| rules::changes(db, operation, limit).await)
    }

    fn count_rule_changes(&self, operation: u64) -> Result<u64, StoreError> {
        self.read(async |db| rules::count_changes(db, operation).await)
    }

    fn changed_since(
        &self,
        instance: &str,
        operation: u64,
        limit: usize,
    ) -> Result<Vec<RuleId>, StoreError> {
        self.read(async |db| rule_history::changed_since(db, instance, operation, limit).await)
    }

    fn rules_before(
        &self,
        instance: &str,
        operation: u64,
        ids: &[RuleId],
    ) -> Result<Vec<Option<Rule>>, StoreError> {
        self.read(async |db| rule_history::before(db, instance, operation, ids).await)
    }

    fn rule_levels(&self, instance: &str, take: RuleTake) -> Result<Vec<LevelChange>, StoreError> {
        self.read(async |db| rule_counts::levels(db, instance, take).await)
    }

    fn known_destinations(&self, instance: &str) -> Result<Known, StoreError> {
        self.read(async |db| rule_counts::known(db, instance).await)
    }

    fn due_rules(&self, instance: &str, day: &str) -> Result<u64, StoreError> {
        self.read(async |db| rule_counts::due(db, instance, day).await)
    }

    fn wish_rules(&mut self, instance: &str, wishes: &[RuleWish]) -> Result<(), StoreError> {
        self.write(async |db| rule_wishes::wish(db, instance, wishes).await)
    }

    fn wish_none(&mut self, instance: &str, manager: &str) -> Result<(), StoreError> {
        self.write(async |db| rule_wishes::wish_none(db, instance, manager).await)
    }

    fn stage_rules(&mut self, wishes: &[RuleWish]) -> Result<u64, StoreError> {
        self.write(async |db| rule_stage::stage(db, wishes).await)
    }

    fn unstage_rules(&mut self, ids: &[RuleId]) -> Result<(), StoreError> {
        self.write(async |db| rule_stage::unstage(db, ids).await)
    }

    fn has_worded_rules(&self, instance: &str) -> Result<bool, StoreError> {
        self.read(async |db| rule_counts::has_worded(db, instance).await)
    }

    fn covered_rules(&self, instance: &str, limit: usize) -> Result<Vec<RuleId>, StoreError> {
        self.read(async |db| rule_stage::covered(db, instance, limit).await)
    }

    fn take_staged(&mut self, instance: &str) -> Result<Staged, StoreError> {
        self.write(async |db| rule_stage::take(db, instance).await)
    }

    fn adopt_rules(&mut self, instance: &str, state: &InstanceState) -> Result<(), StoreError> {
        self.write(async |db| {
            instances::adopt(db, instance, state).await?;
            rule_stage::adopt(db, instance).await
        })
    }

    fn drop_staged(&mut self) -> Result<(), StoreError> {
        self.write(async |db| rule_stage::drop_all(db).await)
    }

    fn put_preflights(&mut self, instance: &str, seen: &[Preflight]) -> Result<(), StoreError> {
        self.write(async |db| preflights::put(db, instance, seen).await)
    }

    fn preflights(
        &self,
        instance: &str,
        nexthops: &[String],
    ) -> Result<Vec<Preflight>, StoreError> {
        self.read(async |db| preflights::of(db, instance, nexthops).await)
    }

    fn discard_rules(&mut self, instance: &str) -> Result<u64, StoreError> {
        self.write(async |db| rule_wishes::discard(db, instance).await)
    }
}

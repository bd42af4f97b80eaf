//! Rules for destinations: wishes about them, and what an operation does with them.
//!
//! Owns: which rules an operation takes, and what their rows come to. Never: decides which rule wins
//! (the planner does), holds all of them in memory, or makes a map (`map`).

mod against;
mod answering;
mod bad_routes;
mod barred;
mod by_client;
mod checked;
mod compiled;
mod counts;
mod faulty;
mod follow;
mod held;
mod idle;
mod import;
mod judged;
mod listed;
mod live;
mod looks;
mod map;
mod meet;
mod replaced;
mod rows;
mod servers;
mod service_names;
mod shadowed;
mod source;
mod standing;
mod tables;
mod told;
mod uncompiled;
mod ways;
mod weaker;
mod wished;
mod written;

use crate::{Engine, EngineError};
pub(crate) use against::is_news;
pub use bad_routes::bad_routes;
pub use checked::RuleChecked;
pub use counts::{Concerned, DueRules};
pub use idle::{IdleRows, idle_rows};
pub(crate) use import::Held;
pub use import::{RuleRequest, RulesImported, Stored, Wholeness};
pub use judged::{WayTo, way_to};
pub(crate) use judged::{is_against, lacking, next_hops};
pub use listed::RuleNews;
pub use live::{MapAnswers, touched_findings};
pub(crate) use live::{touched_maps, touched_words};
pub(crate) use map::map_of;
pub use meet::RowChange;
pub(crate) use meet::refuse;
use postseal_planner::intent::{Key, Named, Policies};
use postseal_planner::policy::{Lookup, Met, RuleId};
use postseal_planner::{Finding, Intent, other_rules_since, rules_changed_again};
use postseal_store::{InstanceState, Operation, OperationKind, RuleState, RuleTake, RuleView};
use rows::Rows;
pub(crate) use servers::forcible;
pub use servers::{Look, RuleLooked};
pub(crate) use service_names::unknown_port;
pub use standing::{Hindered, Hindrance};
use std::fs::File;
use std::sync::Arc;
pub use tables::{TableDrift, TableRead, TablesRead, unread_words};
pub use told::RulesTold;
pub use wished::{Added, Forced, Refused, RulesWished};

/// So many changes are shown with a plan.
const SHOWN: usize = 200;
/// More rules than this are “others”.
const NAMED: usize = 5;

/// What a plan does with the rules for destinations.
#[derive(Clone, Debug)]
pub struct RuleChanges {
    /// What is taken into force with it.
    pub take: RuleTake,
    /// Which rules its map is made of.
    pub view: RuleView,
    /// How many rules change.
    pub count: u64,
    /// The first of them, before and after.
    pub shown: Vec<RuleState>,
    /// The rows of the map that those change.
    pub rows: Vec<RowChange>,
    /// What the map must answer.
    pub lookups: Vec<Lookup>,
    /// Where rules of several managers meet.
    pub met: Vec<Met>,
    /// Followed rules that are made for other next hops than their mail takes.
    pub routes: Vec<Finding>,
    /// How many destinations are concerned.
    pub concerned: Concerned,
    /// The rows as they were rendered, where the store's folder could take them: a file without a
    /// name.
    spool: Option<Arc<File>>,
}

impl Default for RuleChanges {
    fn default() -> Self {
        Self {
            take: RuleTake::None,
            view: RuleView::InForce,
            count: 0,
            shown: Vec::new(),
            rows: Vec::new(),
            lookups: Vec::new(),
            met: Vec::new(),
            routes: Vec::new(),
            concerned: Concerned::default(),
            spool: None,
        }
    }
}

impl Engine<'_> {
    /// What is wanted with the rules as they are wished.
    pub(crate) fn with_rules(
        &self,
        intent: &Intent,
        state: &InstanceState,
        kind: &OperationKind,
    ) -> Result<(Intent, RuleChanges), EngineError> {
        let mut changes = RuleChanges::default();
        let mut intent = intent.clone().with_rules_of(&state.desired);
        if *kind != OperationKind::Apply {
            return Ok((intent, changes));
        }
        changes.routes = self.route_changes()?;
        let count = self.store.pending_rules(&self.instance)?;
        // Another value is wanted for the parameter that names the adopted tables: what answered
        // by them must go on to.
        let renamed = has_own_maps(&intent) && !has_own_maps(&state.desired);
        if count > 0 {
            let revision = self.store.rules_revision(&self.instance)?;
            changes.take = RuleTake::Wishes { revision };
            changes.view = RuleView::Wanted;
            changes.count = count;
            changes.shown = self.pending_shown()?;
            changes.rows = self.changed_rows(&changes)?;
        }
        if count > 0 || (renamed && intent.tables.is_some()) {
            let rendered = self.rendered(&mut changes)?;
            self.put_rows(&mut intent, rendered, renamed, state)?;
        }
        Ok((intent, changes))
    }

    /// The rows of the rules, answered by the adopted tables while they are the same.
    fn put_rows(
        &self,
        intent: &mut Intent,
        rendered: Option<Policies>,
        renamed: bool,
        state: &InstanceState,
    ) -> Result<(), EngineError> {
        if let Some(tables) = &mut intent.tables
            && tables.named == Named::Still
        {
            let same = match rendered {
                Some(rows) => rows == tables.policies,
                None => tables.policies.rows == 0,
            };
            if same && !renamed {
                return Ok(());
            }
            self.refuse_edited_tables(state)?;
            tables.named = Named::NoMore;
        }
        intent.policies = rendered;
        Ok(())
    }

    /// What taking an operation back does with the rules.
    pub(crate) fn rules_taken_back(
        &self,
        undone: &Operation,
        in_force: &Intent,
    ) -> Result<RuleChanges, EngineError> {
        let mut changes = RuleChanges::default();
        let (of, plan) = (undone.id, &undone.new.plan);
        let count = self.store.count_rule_changes(of)?;
        let same_rows = plan.intent.has_rules_of(&plan.earlier);
        if count == 0 && same_rows {
            return Ok(changes);
        }
        // What awaits confirmation is not in force in the store yet.
        if undone.outcome.is_some() {
            self.refuse_changed_again(of)?;
        }
        let swapped = self.store.rule_changes(of, SHOWN)?;
        changes.take = RuleTake::Reverse { of };
        changes.view = RuleView::Before(of);
        changes.count = count;
        changes.shown = swapped
            .into_iter()
            .map(|state| RuleState {
                in_force: state.wanted,
                wanted: state.in_force,
                ..state
            })
            .collect();
        changes.rows = self.changed_rows(&changes)?;
        if !same_rows {
            self.rendered(&mut changes)?;
        } else if plan.intent.rows() != in_force.rows() {
            self.refuse_other_rows(&changes)?;
        }
        Ok(changes)
    }

    /// Refuses to take back with an operation what was wished after it.
    fn refuse_changed_again(&self, of: u64) -> Result<(), EngineError> {
        let since = self.store.changed_since(&self.instance, of, NAMED)?;
        let since: Vec<String> = since.iter().map(RuleId::shown).collect();
        match since.is_empty() {
            true => Ok(()),
            false => Err(EngineError::Refused(rules_changed_again(&since))),
        }
    }

    /// Refuses to take back rules whose rows stood behind others' then, and may not do so now.
    fn refuse_other_rows(&self, changes: &RuleChanges) -> Result<(), EngineError> {
        let levels = self.store.rule_levels(&self.instance, changes.take)?;
        match levels.iter().all(|change| change.same_rows) {
            true => Ok(()),
            false => Err(EngineError::Refused(other_rules_since())),
        }
    }

    /// Renders, with the rows put aside: what the map comes to, and what it must answer.
    fn rendered(&self, changes: &mut RuleChanges) -> Result<Option<Policies>, EngineError> {
        let mut rows = Rows::new(
            &*self.store,
            &self.instance,
            changes.view,
            self.expected_rows()?,
        );
        let mut spool = tempfile::tempfile_in(&self.guards).ok();
        let rendered = rows.exhausted(&mut spool)?;
        changes.spool = spool.map(Arc::new);
        changes.lookups = self.changed_answers(changes)?;
        let Some(rendered) = rendered else {
            return Ok(None);
        };
        refuse(rendered.clashes.iter().filter_map(Met::finding))?;
        changes.lookups.extend(rendered.lookups);
        changes.met = rendered.met;
        Ok(Some(rendered.policies))
    }

    /// The first row in force, the last, and some between.
    fn in_force_lookups(&self) -> Result<Vec<Lookup>, EngineError> {
        let expected = self.expected_rows()?;
        let mut rows = Rows::new(&*self.store, &self.instance, RuleView::InForce, expected);
        let rendered = rows.exhausted(&mut None)?;
        Ok(rendered.map_or_else(Vec::new, |rendered| rendered.lookups))
    }

    fn pending_shown(&self) -> Result<Vec<RuleState>, EngineError> {
        let filter = postseal_store::RuleFilter {
            pending: postseal_store::Pending::Only,
            ..Default::default()
        };
        Ok(self.store.list_rules(&self.instance, &filter, 0, SHOWN)?)
    }

    /// How many rows there will be, roughly: it spreads the samples.
    fn expected_rows(&self) -> Result<u64, EngineError> {
        let state = self.state()?;
        let now = state.desired.rows().map_or(0, |policies| policies.rows);
        Ok(now.max(self.store.pending_rules(&self.instance)?))
    }
}

/// Whether the tables of policies are set by hand (`set param.smtp_tls_policy_maps=…`).
fn has_own_maps(intent: &Intent) -> bool {
    let set = |key: &Key| matches!(key, Key::Param(name) if name == "smtp_tls_policy_maps");
    intent.settings.keys().any(set)
}

//! Rules in a list.
//!
//! Owns: what of a search the store cannot tell: names that it holds in A-labels are shown in
//! U-labels. Never: reads a million rules for it.

use crate::domains::MOST;
use crate::{Engine, EngineError, observe_unadopted};
use postseal_planner::digest::Digest;
use postseal_store::{RuleFilter, RuleState};

impl Engine<'_> {
    /// Rules as they are and as they are wished.
    pub fn list_rules(
        &self,
        filter: &RuleFilter,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RuleState>, EngineError> {
        self.state()?;
        let mut filter = filter.clone();
        if let Some(text) = &filter.search {
            filter.meant = self.shown_with(text)?;
        }
        Ok(self
            .store
            .list_rules(&self.instance, &filter, skip, limit)?)
    }

    /// What tells whether rules, wishes about them, what was seen of their servers, or the instance that they are held
    /// against are another than before: any difference means so. Tables of routes are not read for it.
    ///
    /// # Errors
    /// [`EngineError::NotAdopted`], and what the store fails with.
    pub fn rules_mark(&self) -> Result<String, EngineError> {
        self.state()?;
        let revision = self.store.rules_revision(&self.instance)?;
        let looks = self.store.looks_revision(&self.instance)?;
        let instance = match observe_unadopted(self.host) {
            Ok(facts) => {
                let files = (facts.main_cf.digest, facts.master_cf.digest);
                let seen = (files, &facts.touched);
                Digest::of(format!("{seen:?}").as_bytes()).short(16)
            }
            Err(_) => "unseen".to_owned(),
        };
        Ok(format!("{revision}.{looks}.{instance}"))
    }

    /// Destinations that are shown with this text, and are held in A-labels.
    fn shown_with(&self, text: &str) -> Result<Vec<String>, EngineError> {
        if text.is_ascii() {
            return Ok(Vec::new());
        }
        let international = RuleFilter {
            search: Some("xn--".to_owned()),
            ..RuleFilter::default()
        };
        let text = text.to_lowercase();
        let rules = self
            .store
            .list_rules(&self.instance, &international, 0, MOST)?;
        let ids = rules.into_iter().map(|state| state.id);
        let shown = ids.filter(|id| id.shown().to_lowercase().contains(&text));
        Ok(shown.map(|id| id.destination).collect())
    }
}

//! Rules in a list.
//!
//! Owns: what of a search the store cannot tell: names that it holds in A-labels are shown in
//! U-labels. Never: reads a million rules for it.

use crate::domains::MOST;
use crate::{Engine, EngineError};
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

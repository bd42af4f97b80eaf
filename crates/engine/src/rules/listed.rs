//! Rules in a list.
//!
//! Owns: what of a search the store cannot tell: names that it holds in A-labels are shown in
//! U-labels; and what tells which rules are shown otherwise than before. Never: reads a million rules for it.

use super::meet::beside;
use crate::domains::MOST;
use crate::{Engine, EngineError, observe_unadopted};
use postseal_planner::digest::Digest;
use postseal_planner::facts::{CfFile, Facts};
use postseal_planner::named_maps;
use postseal_planner::policy::RuleId;
use postseal_store::{InstanceState, RuleFilter, RuleState};
use std::collections::BTreeSet;

/// Of more destinations that have changed all rules are read.
const CHANGED: usize = 10_000;

/// What has changed of rules since a mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleNews {
    /// The destinations at which something has, and those whose rules meet theirs.
    pub destinations: BTreeSet<String>,
    /// The rules that there are for these now.
    pub rules: Vec<RuleState>,
}

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
        let state = self.state()?;
        let revision = self.store.rules_revision(&self.instance)?;
        let news = self.store.rules_news(&self.instance)?;
        let pending = self.store.pending_rules(&self.instance)?;
        let instance = match observe_unadopted(self.host) {
            Ok(facts) => ground(&state, &facts, pending > 0),
            Err(_) => "unseen".to_owned(),
        };
        Ok(format!("{revision}.{news}.{instance}"))
    }

    /// What a list shows otherwise at one mark than at an earlier one; `None` where that is all rules, or is not known: what
    /// they are held against is another.
    ///
    /// # Errors
    /// [`EngineError::NotAdopted`], and what the store fails with.
    pub fn rules_since(&self, since: &str, mark: &str) -> Result<Option<RuleNews>, EngineError> {
        let (Some(since), Some(mark)) = (Mark::read(since), Mark::read(mark)) else {
            return Ok(None);
        };
        if since.ground != mark.ground {
            return Ok(None);
        }
        let news = self
            .store
            .news_of_rules(&self.instance, since.news, CHANGED)?;
        let Some(news) = news else { return Ok(None) };
        let with_others = news.into_iter().flat_map(|destination| {
            beside(&RuleId {
                destination,
                manager: String::new(),
            })
        });
        let destinations: BTreeSet<String> = with_others.collect();
        let rules = self.rules_for(&destinations)?;
        Ok(Some(RuleNews {
            destinations,
            rules,
        }))
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

/// What [`Engine::rules_mark`] tells, apart from the revision of the rules.
struct Mark<'a> {
    news: i64,
    /// What the rules are held against.
    ground: &'a str,
}

impl<'a> Mark<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split('.');
        let (_, news, ground) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            news: news.parse().ok().filter(|_| parts.next().is_none())?,
            ground,
        })
    }
}

/// What rules are held against, as far as it is cheap to know. The name of their own map is no part of it: it changes with
/// them, and answers for those that do not.
fn ground(state: &InstanceState, facts: &Facts, is_pending: bool) -> String {
    let maps = named_maps(facts, None);
    let without_maps = |file: &CfFile| {
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        let paths = maps.iter().map(|map| map.path.display().to_string());
        Digest::of(
            paths
                .fold(text, |text, path| text.replace(&path, ""))
                .as_bytes(),
        )
    };
    // Where adopted tables answer still, a wish says that they will not.
    let tables = state.desired.tables.as_ref();
    let tables = tables.map(|tables| (tables, is_pending));
    let files = (without_maps(&facts.main_cf), without_maps(&facts.master_cf));
    Digest::of(format!("{files:?} {tables:?}").as_bytes()).short(16)
}

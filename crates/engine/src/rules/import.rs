//! Many rules at once: judged as they stream in, stored together or not at all.
//!
//! Owns: the report with line numbers. Never: keeps the rules in memory, or reads a format (faces
//! do).

use super::judged::judged;
use super::wished::exists;
use super::{Refused, RuleRequest, RulesWished};
use crate::domains::MOST;
use crate::observe::observe_unadopted;
use crate::{Engine, EngineError};
use postseal_planner::facts::Facts;
use postseal_planner::policy::{Both, Manager, Met, Rule, RuleId, meetings};
use postseal_planner::{Finding, Severity};
use postseal_store::{RuleView, RuleWish};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

/// Rules judged and staged together.
const CHUNK: usize = 10_000;
/// More refusals than this are counted, not told.
const TOLD: usize = 100;

/// What becomes of the good rules where others are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wholeness {
    /// They are not stored either.
    AllOrNothing,
    /// They are stored.
    Partial,
}

/// What an import came to.
#[derive(Clone, Debug, Default)]
pub struct RulesImported {
    /// Counts, and the first refusals.
    pub wished: RulesWished,
    /// How many were refused.
    pub refused: u64,
    /// Whether anything was stored.
    pub stored: Stored,
}

/// Whether an import was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "self-evident")]
pub enum Stored {
    #[default]
    No,
    Yes,
}

impl Engine<'_> {
    /// Wishes for all rules that `rows` gives; those that cannot be read come as refusals.
    /// `progress` is told how many lines were taken.
    ///
    /// # Errors
    /// [`EngineError::NotAdopted`], and what host or store fail with; nothing is stored then.
    pub fn import_rules(
        &mut self,
        rows: &mut dyn Iterator<Item = Result<RuleRequest, Refused>>,
        wholeness: Wholeness,
        progress: &dyn Fn(u64),
    ) -> Result<RulesImported, EngineError> {
        self.state()?;
        self.store.drop_staged()?;
        let mut import = Import {
            facts: observe_unadopted(self.host)?,
            seen: Seen::default(),
            report: RulesImported::default(),
            taken: 0,
            clashes: false,
            managed: self.managed_wanted()?,
            recipients: HashSet::new(),
        };
        let managed = import.managed.values().flatten();
        import.recipients = managed.filter_map(recipient).collect();
        let done = self.staged_and_taken(rows, &mut import, wholeness, progress);
        self.store.drop_staged()?;
        done.map(|()| import.report)
    }

    fn staged_and_taken(
        &mut self,
        rows: &mut dyn Iterator<Item = Result<RuleRequest, Refused>>,
        import: &mut Import,
        wholeness: Wholeness,
        progress: &dyn Fn(u64),
    ) -> Result<(), EngineError> {
        self.staged(rows, import, progress)?;
        if import.may_be_stored(wholeness) {
            let staged = self.store.take_staged(&self.instance)?;
            import.report.wished.added = staged.added;
            import.report.wished.changed = staged.changed;
            import.report.wished.same = staged.same;
            import.report.stored = Stored::Yes;
        }
        Ok(())
    }

    /// The rules of a view, in their order, a page at a time.
    pub fn each_rule(
        &self,
        view: RuleView,
        work: &mut dyn FnMut(Rule) -> std::io::Result<()>,
    ) -> Result<(), EngineError> {
        self.state()?;
        let mut after: Option<RuleId> = None;
        loop {
            let page = self
                .store
                .rules(&self.instance, view, after.as_ref(), CHUNK)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.id.clone());
            for rule in page {
                work(rule).map_err(|source| EngineError::Local {
                    action: "write the rules",
                    source,
                })?;
            }
        }
    }

    fn staged(
        &mut self,
        rows: &mut dyn Iterator<Item = Result<RuleRequest, Refused>>,
        import: &mut Import,
        progress: &dyn Fn(u64),
    ) -> Result<(), EngineError> {
        let mut chunk = Vec::with_capacity(CHUNK);
        for row in rows {
            import.taken += 1;
            match row {
                Ok(request) => chunk.push(request),
                Err(refused) => import.refuse(refused),
            }
            if chunk.len() == CHUNK {
                self.stage_chunk(&mut chunk, import)?;
                progress(import.taken);
                self.stop_if_interrupted()?;
            }
        }
        self.stage_chunk(&mut chunk, import)?;
        progress(import.taken);
        for id in self.store.covered_rules(&self.instance, TOLD)? {
            import.clashes = true;
            import.refuse(Refused {
                line: None,
                destination: id.shown(),
                findings: vec![covered(&id)],
            });
        }
        Ok(())
    }

    /// A rule for the same recipients that follows their mail, where this one does not, or the
    /// other way round; or one by hand for a next hop of it that it cannot be kept beside.
    fn there_already(&self, rule: &Rule, import: &Import) -> Result<Option<Finding>, EngineError> {
        if rule.about.follow.is_none() {
            let followed = import.recipients.contains(&rule.id.destination);
            return Ok(followed.then(|| exists(rule)));
        }
        let id = std::slice::from_ref(&rule.id);
        let by_hand = self.store.rule_states(&self.instance, id)?;
        let there = by_hand.iter().any(|state| state.wanted.is_some());
        Ok(there.then(|| exists(rule)))
    }

    fn managed_wanted(&self) -> Result<HashMap<String, Vec<Rule>>, EngineError> {
        let mut found: HashMap<String, Vec<Rule>> = HashMap::new();
        for state in self.store.managed_rules(&self.instance, MOST)? {
            if let Some(rule) = state.wanted {
                found.entry(state.id.destination).or_default().push(rule);
            }
        }
        Ok(found)
    }

    fn stage_chunk(
        &mut self,
        chunk: &mut Vec<RuleRequest>,
        import: &mut Import,
    ) -> Result<(), EngineError> {
        let mut followed = self.compiled_requests(&import.facts, chunk);
        let rules: Vec<&Rule> = chunk.iter().map(|one| &one.rule).collect();
        let state = self.state()?;
        let tables = state.desired.tables.as_ref();
        let against = judged(self.host, &import.facts, tables, &rules);
        let mut wishes = Vec::with_capacity(chunk.len());
        for (request, mut findings) in chunk.drain(..).zip(against) {
            let follows = request.rule.about.follow;
            let made = follows.and_then(|_| followed.remove(&request.rule.id.destination));
            // What a rule that follows mail meets is judged by its next hops.
            if let Some(made) = &made {
                findings = made.as_ref().err().cloned().unwrap_or_default();
            }
            match import.seen.meets(&request.rule) {
                Earlier::Not => {}
                // The other spelling of its name.
                Earlier::Same => continue,
                Earlier::Another => findings.push(twice(&request.rule.id)),
            }
            findings.extend(self.there_already(&request.rule, import)?);
            let rules = match &made {
                None => std::slice::from_ref(&request.rule),
                Some(made) => made.as_deref().unwrap_or_default(),
            };
            findings.extend(rules.iter().filter_map(|rule| import.incomparable(rule)));
            if findings.is_empty() {
                let rules = made.and_then(Result::ok);
                let rules = rules.unwrap_or_else(|| vec![request.rule]);
                rules.iter().for_each(|rule| import.take_managed(rule));
                wishes.extend(rules.into_iter().map(RuleWish::Put));
            } else {
                import.refuse(Refused {
                    line: request.line,
                    destination: request.rule.id.shown(),
                    findings,
                });
            }
        }
        self.store.stage_rules(&wishes)?;
        Ok(())
    }
}

/// An import under way.
struct Import {
    facts: Facts,
    seen: Seen,
    report: RulesImported,
    taken: u64,
    /// Rules that were staged would write one key twice.
    clashes: bool,
    /// Destination → the rules that are managed elsewhere.
    managed: HashMap<String, Vec<Rule>>,
    /// Whose mail followed rules follow.
    recipients: HashSet<String>,
}

/// Whose mail a followed rule follows.
fn recipient(rule: &Rule) -> Option<String> {
    match Manager::of(&rule.id) {
        Some(Manager::Recipient(recipient)) => Some(recipient),
        _ => None,
    }
}

impl Import {
    fn may_be_stored(&self, wholeness: Wholeness) -> bool {
        self.report.refused == 0 || (wholeness == Wholeness::Partial && !self.clashes)
    }

    /// Why a rule cannot be kept beside those of its destination that are managed elsewhere.
    fn incomparable(&self, rule: &Rule) -> Option<Finding> {
        let managed = self.managed.get(&rule.id.destination)?;
        let others = managed.iter().filter(|one| one.id != rule.id);
        let all: Vec<Rule> = std::iter::once(rule).chain(others).cloned().collect();
        meetings(&all).iter().find_map(Met::finding)
    }

    /// A followed rule that later ones must be kept beside.
    fn take_managed(&mut self, rule: &Rule) {
        if rule.id.manager.is_empty() {
            return;
        }
        let there = self.managed.entry(rule.id.destination.clone());
        let there = there.or_default();
        there.retain(|one| one.id != rule.id);
        there.push(rule.clone());
        self.recipients.extend(recipient(rule));
    }

    fn refuse(&mut self, refused: Refused) {
        self.report.refused += 1;
        if self.report.wished.refused.len() < TOLD {
            self.report.wished.refused.push(refused);
        }
    }
}

/// The destinations so far, as 64 bits each: of a million, two differ and look alike once in
/// thirty million imports, and that one is refused, not lost.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    rules: HashMap<u64, u64>,
}

/// Whether a destination was there before.
enum Earlier {
    Not,
    /// With the same policy.
    Same,
    /// With another one.
    Another,
}

impl Seen {
    fn meets(&mut self, rule: &Rule) -> Earlier {
        let id = self.hasher.hash_one(&rule.id);
        let whole = (&rule.id, rule.both == Both::Yes, &rule.policy);
        let whole = self.hasher.hash_one(whole);
        match self.rules.insert(id, whole) {
            None => Earlier::Not,
            Some(other) if other == whole => Earlier::Same,
            Some(_) => Earlier::Another,
        }
    }
}

fn twice(id: &RuleId) -> Finding {
    Finding::new(
        "policy.duplicate",
        Severity::Error,
        format!("{} stands more than once.", id.shown()),
        "Take one of the lines out: which of them is meant cannot be known.",
    )
}

pub(super) fn covered(id: &RuleId) -> Finding {
    let shown = id.shown();
    Finding::new(
        "policy.covered",
        Severity::Error,
        format!("{shown} and .{shown} would both write the row for the names below the domain."),
        format!("Give {shown} the scope domain, or take .{shown} out."),
    )
}

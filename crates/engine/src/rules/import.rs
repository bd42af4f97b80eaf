//! Many rules at once: judged as they stream in, stored together or not at all.
//!
//! Owns: the report with line numbers. Never: keeps the rules in memory, or reads a format (faces
//! do).

mod ahead;
mod lines;
mod under_way;

use super::judged::is_against;
use super::wished::exists;
use super::{Refused, RulesWished};
use crate::domains::MOST;
use crate::observe::observe_unadopted;
use crate::{Engine, EngineError};
use ahead::{Against, Ahead, Chunk};
use lines::Lines;
use postseal_planner::policy::{Given, Rule, RuleId};
use postseal_planner::{Finding, Severity};
use postseal_store::RuleView;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::resume_unwind;
use under_way::{Import, recipient};

/// Rules judged and staged together.
const CHUNK: usize = 10_000;
/// An import has no more lines: of each destination something is kept in memory.
const MOST_LINES: u64 = 5_000_000;
/// More refusals than this are counted, not told.
const TOLD: usize = 100;

/// A rule that is wished, and where it was read.
#[derive(Clone, Debug)]
pub struct RuleRequest {
    /// The rule.
    pub rule: Rule,
    /// What is said about it. An import leaves the rest as it is.
    pub given: Given,
    /// The line of the file it was read from.
    pub line: Option<usize>,
}

impl From<Rule> for RuleRequest {
    /// A rule that is said whole, by itself.
    fn from(rule: Rule) -> Self {
        Self {
            rule,
            given: Given::ALL,
            line: None,
        }
    }
}

/// What becomes of the good rules where others are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wholeness {
    /// They are not stored either.
    AllOrNothing,
    /// They are stored.
    Partial,
}

/// Which host rules are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// As it is now.
    AsItIs,
    /// As it will be by a plan that is made next, and refuses what it cannot keep: here only where
    /// mail goes counts.
    AsPlanned,
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
        self.import_held(rows, wholeness, Held::AsItIs, progress)
    }

    /// The same; `held` says against which host rules are held.
    pub(crate) fn import_held(
        &mut self,
        rows: &mut dyn Iterator<Item = Result<RuleRequest, Refused>>,
        wholeness: Wholeness,
        held: Held,
        progress: &dyn Fn(u64),
    ) -> Result<RulesImported, EngineError> {
        let ahead = Ahead {
            host: self.host,
            tables: self.state()?.desired.tables,
            facts: observe_unadopted(self.host)?,
            held,
        };
        self.store.drop_staged()?;
        // There is a stage, if an empty one: a file may have no rule at all.
        self.store.stage_rules(&[])?;
        let mut import = Import {
            seen: Lines::default(),
            worded: self.store.has_worded_rules(&self.instance)?,
            report: RulesImported::default(),
            taken: 0,
            clashes: false,
            managed: self.managed_wanted()?,
            recipients: HashSet::new(),
        };
        let managed = import.managed.values().flatten();
        import.recipients = managed.filter_map(recipient).collect();
        let done = self.staged(rows, &ahead, &mut import, progress);
        let done = done.and_then(|()| self.taken(&mut import, wholeness));
        self.store.drop_staged()?;
        done.map(|()| import.report)
    }

    fn taken(&mut self, import: &mut Import, wholeness: Wholeness) -> Result<(), EngineError> {
        if import.may_be_stored(wholeness) {
            let staged = self.store.take_staged(&self.instance)?;
            import.report.wished.added = staged.added;
            import.report.wished.changed = staged.changed;
            import.report.wished.same += staged.same;
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

    /// Stages a chunk while the next one is judged.
    fn staged(
        &mut self,
        rows: &mut dyn Iterator<Item = Result<RuleRequest, Refused>>,
        ahead: &Ahead<'_>,
        import: &mut Import,
        progress: &dyn Fn(u64),
    ) -> Result<(), EngineError> {
        std::thread::scope(|scope| {
            let mut judged = None;
            loop {
                let next = self.next_chunk(rows, import)?;
                progress(import.taken);
                let next = next.map(|chunk| scope.spawn(|| ahead.judge(chunk)));
                if let Some(chunk) = std::mem::replace(&mut judged, next) {
                    let chunk = chunk.join().unwrap_or_else(|panic| resume_unwind(panic));
                    self.stage_chunk(chunk, import)?;
                    self.stop_if_interrupted()?;
                }
                if judged.is_none() {
                    return self.refuse_covered(import);
                }
            }
        })
    }

    /// The next lines, in which each rule has all of its words; `None` after the last one.
    fn next_chunk(
        &mut self,
        rows: &mut dyn Iterator<Item = Result<RuleRequest, Refused>>,
        import: &mut Import,
    ) -> Result<Option<Chunk>, EngineError> {
        let mut chunk = Chunk::default();
        for row in rows.take(CHUNK) {
            import.taken += 1;
            match row {
                Ok(request) => chunk.requests.push(request),
                Err(refused) => chunk.unread.push(refused),
            }
        }
        if import.taken > MOST_LINES {
            return Err(EngineError::Refused(too_many().into()));
        }
        if import.worded {
            self.keep_words(&mut chunk.requests)?;
        }
        Ok(chunk.filled())
    }

    fn refuse_covered(&mut self, import: &mut Import) -> Result<(), EngineError> {
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

    fn stage_chunk(&mut self, judged: Against, import: &mut Import) -> Result<(), EngineError> {
        let Against {
            chunk,
            mut followed,
            at_hops,
            mut findings,
        } = judged;
        chunk.unread.into_iter().for_each(|one| import.refuse(one));
        let rules: Vec<&Rule> = chunk.requests.iter().map(|one| &one.rule).collect();
        self.spare_known(&rules, &mut findings)?;
        let mut wishes = Vec::with_capacity(chunk.requests.len());
        let mut gone = Vec::new();
        for (request, findings) in chunk.requests.into_iter().zip(findings) {
            let (mut findings, told): (Vec<Finding>, Vec<Finding>) =
                findings.into_iter().partition(is_against);
            import.tell(&request, told);
            let firm = self.there_already(&request.rule, import)?;
            let follows = request.rule.about.follow;
            let made = follows.and_then(|_| followed.remove(&request.rule.id.destination));
            // What a rule that follows mail meets is judged by its next hops.
            if let Some(made) = &made {
                findings = self.against_made(made.as_deref().unwrap_or_default(), &at_hops)?;
            }
            let judged = import.judge(request, findings, made, firm);
            wishes.extend(judged.put);
            gone.extend(judged.gone);
        }
        self.store.stage_rules(&wishes)?;
        if !gone.is_empty() {
            self.store.unstage_rules(&gone)?;
        }
        Ok(())
    }

    /// What speaks against the rules for next hops that a line comes to.
    fn against_made(
        &self,
        made: &[Rule],
        at_hops: &BTreeMap<RuleId, Vec<Finding>>,
    ) -> Result<Vec<Finding>, EngineError> {
        let found = |rule: &Rule| at_hops.get(&rule.id).cloned().unwrap_or_default();
        let mut findings: Vec<Vec<Finding>> = made.iter().map(found).collect();
        let made: Vec<&Rule> = made.iter().collect();
        self.spare_known(&made, &mut findings)?;
        let mut findings: Vec<Finding> = findings.into_iter().flatten().collect();
        findings.retain(is_against);
        findings.dedup();
        Ok(findings)
    }

    /// Nothing speaks against what is wished already, or in force.
    fn spare_known(
        &self,
        rules: &[&Rule],
        against: &mut [Vec<Finding>],
    ) -> Result<(), EngineError> {
        let judged = rules.iter().zip(against);
        let bad: Vec<_> = judged.filter(|(_, found)| !found.is_empty()).collect();
        let ids: Vec<RuleId> = bad.iter().map(|(rule, _)| rule.id.clone()).collect();
        let states = self.store.rule_states(&self.instance, &ids)?;
        for ((rule, found), state) in bad.into_iter().zip(states) {
            let mut there = [state.wanted, state.in_force].into_iter().flatten();
            if there.any(|now| now.writes_as(rule)) {
                found.clear();
            }
        }
        Ok(())
    }

    /// Gives each rule the words that its line does not say, of the rule that is there.
    fn keep_words(&self, chunk: &mut [RuleRequest]) -> Result<(), EngineError> {
        let partly = |one: &&mut RuleRequest| !one.given.has(Given::ALL);
        let mut partly: Vec<&mut RuleRequest> = chunk.iter_mut().filter(partly).collect();
        let ids: Vec<RuleId> = partly.iter().map(|one| one.rule.id.clone()).collect();
        let states = self.store.rule_states(&self.instance, &ids)?;
        for (request, state) in partly.iter_mut().zip(states) {
            if let Some(now) = state.wanted {
                request.rule.keep(request.given, &now);
            }
        }
        Ok(())
    }
}

fn too_many() -> Finding {
    Finding::new(
        "policy.too-many",
        Severity::Error,
        format!("The file has more than {MOST_LINES} lines."),
        "A rule for a domain and all names below it (scope both) may stand for many of them.",
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

//! An import under way: what becomes of each line.
//!
//! Owns: which line is staged, which is refused, and which takes an earlier one with it. Never: asks
//! the store or the host.

use super::lines::{Earlier, Fate, Lines};
use super::{RulesImported, TOLD, Wholeness};
use crate::{Refused, RuleRequest};
use postseal_planner::policy::{Both, Given, Manager, Rule, RuleId, meetings};
use postseal_planner::{Finding, Severity};
use postseal_store::RuleWish;
use std::collections::{HashMap, HashSet};

/// An import under way.
pub(super) struct Import {
    pub(super) seen: Lines,
    /// Whether a rule that is there may have words which a line does not say.
    pub(super) worded: bool,
    pub(super) report: RulesImported,
    pub(super) taken: u64,
    /// Rules that were staged would write one key twice.
    pub(super) clashes: bool,
    /// Destination → the rules that are managed elsewhere.
    pub(super) managed: HashMap<String, Vec<Rule>>,
    /// Whose mail followed rules follow.
    pub(super) recipients: HashSet<String>,
}

/// Whose mail a followed rule follows.
pub(super) fn recipient(rule: &Rule) -> Option<String> {
    match Manager::of(&rule.id) {
        Some(Manager::Recipient(recipient)) => Some(recipient),
        _ => None,
    }
}

impl Import {
    pub(super) fn may_be_stored(&self, wholeness: Wholeness) -> bool {
        self.report.refused == 0 || (wholeness == Wholeness::Partial && !self.clashes)
    }

    /// Why a rule cannot be kept beside those of its destination that are managed elsewhere.
    fn incomparable(&self, rule: &Rule) -> Option<Finding> {
        let managed = self.managed.get(&rule.id.destination)?;
        let others = managed.iter().filter(|one| one.id != rule.id);
        let all: Vec<Rule> = std::iter::once(rule).chain(others).cloned().collect();
        let new = [rule.id.clone()].into();
        meetings(&all).iter().find_map(|met| met.refusal(&new))
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

    /// The ids under which a line may be staged: its own, and those of the rules that follow the
    /// mail of its destination.
    fn staged_for(&self, id: &RuleId) -> Vec<RuleId> {
        let managed = self.managed.values().flatten();
        let of = managed.filter(|rule| recipient(rule).as_ref() == Some(&id.destination));
        let followed = of.map(|rule| rule.id.clone());
        std::iter::once(id.clone()).chain(followed).collect()
    }

    pub(super) fn refuse(&mut self, mut refused: Refused) {
        self.report.refused += 1;
        let findings = refused.findings.into_iter();
        refused.findings = findings
            .map(|one| one_of(one, refused.line, &refused.destination))
            .collect();
        if self.report.wished.refused.len() < TOLD {
            self.report.wished.refused.push(refused);
        }
    }

    /// What is to be staged of a line, and what of its destination goes with an earlier line.
    /// `made` are the rules of one that follows mail, `firm` cannot be forced.
    pub(super) fn judge(
        &mut self,
        request: RuleRequest,
        mut findings: Vec<Finding>,
        made: Option<Result<Vec<Rule>, Vec<Finding>>>,
        firm: Option<Finding>,
    ) -> Judged {
        let id = &request.rule.id;
        let mut firm: Vec<Finding> = firm.into_iter().collect();
        let followed = made.map(|made| {
            made.unwrap_or_else(|why| {
                firm.extend(why);
                Vec::new()
            })
        });
        if request.given.has(Given::REASON) && request.rule.about.reason.is_some() {
            self.tell(&request, std::mem::take(&mut findings));
        }
        let mut gone = Vec::new();
        match self.seen.meets(&request) {
            Earlier::Not => {}
            Earlier::Same => {
                // Else it may be the other row of the rule, or the other spelling of its name.
                let is_whole = request.rule.both == Both::No && !id.destination.contains("xn--");
                self.report.wished.same += u64::from(is_whole);
                return Judged::default();
            }
            Earlier::Another(earlier) => {
                let lines = [earlier.line(), request.line];
                if earlier.fate == Fate::Staged {
                    gone = self.staged_for(id);
                    self.refuse(refused(earlier.line(), id, vec![twice(id, lines)]));
                }
                findings.push(twice(id, lines));
            }
        }
        findings.extend(firm);
        let rules = followed.as_deref();
        let rules = rules.unwrap_or(std::slice::from_ref(&request.rule));
        findings.extend(rules.iter().filter_map(|rule| self.incomparable(rule)));
        if findings.is_empty() {
            rules.iter().for_each(|rule| self.take_managed(rule));
            let rules = followed.unwrap_or_else(|| vec![request.rule]);
            let put = rules.into_iter().map(RuleWish::Put).collect();
            return Judged { put, gone };
        }
        self.seen.refuse(id);
        self.refuse(refused(request.line, id, findings));
        Judged {
            put: Vec::new(),
            gone,
        }
    }

    /// Notes what is said of a rule that is stored all the same.
    pub(super) fn tell(&mut self, request: &RuleRequest, findings: Vec<Finding>) {
        let told = &mut self.report.wished.findings;
        let room = TOLD.saturating_sub(told.len());
        let findings = findings.into_iter().take(room);
        told.extend(findings.map(|one| one_of(one, request.line, &request.rule.id.shown())));
    }
}

/// What becomes of a line.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) put: Vec<RuleWish>,
    pub(super) gone: Vec<RuleId>,
}

/// A finding with the line that it speaks of.
fn one_of(finding: Finding, line: Option<usize>, destination: &str) -> Finding {
    match line {
        Some(line) => finding.at_line(line, destination),
        None => finding,
    }
}

fn refused(line: Option<usize>, id: &RuleId, findings: Vec<Finding>) -> Refused {
    Refused {
        line,
        destination: id.shown(),
        findings,
    }
}

fn twice(id: &RuleId, lines: [Option<usize>; 2]) -> Finding {
    let [one, other] = lines;
    let lines = match (one, other) {
        (Some(one), Some(other)) => format!(", in lines {one} and {other}"),
        _ => String::new(),
    };
    Finding::new(
        "policy.duplicate",
        Severity::Error,
        format!(
            "{} stands more than once, with different words{lines}.",
            id.shown()
        ),
        "Take one of the lines out: which of them is meant cannot be known, so none is taken.",
    )
}

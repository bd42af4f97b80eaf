//! Rules that are to come in force, held against their servers.
//!
//! Owns: which of them are looked at, the strictest first, and what stops them. Never: stops one that was
//! stored for a reason, or takes what could not be seen for a failure: that is told.

use super::judged::is_against;
use super::servers::forcible;
use super::written::{Others, Written};
use crate::approve::Acceptance;
use crate::domains;
use crate::preflight::PreflightOptions;
use crate::propose::Proposal;
use crate::{Engine, EngineError};
use mailtls::Level;
use postseal_planner::facts::Facts;
use postseal_planner::policy::{Manager, Rule};
use postseal_planner::preflight::{UNDETERMINED, Visits};
use postseal_planner::report::Outcome;
use postseal_planner::{Finding, Preflight};
use postseal_store::{Pending, RuleFilter, RuleState};

/// So many rules at once.
const TOGETHER: usize = 1_000;
/// So many next hops whose servers could not be seen are named.
const UNSEEN_NAMED: usize = 10;
/// So many rules are looked at before they come in force, the strictest first.
pub(crate) const MOST_LOOKED_AT: usize = 10_000;
/// So many findings that bar rules are told.
const TOLD: usize = 1_000;
const NOT_LOOKED_AT: &str = "policy.servers-not-looked-at";
/// The strictest first.
const LEVELS: [Level; 8] = [
    Level::Secure,
    Level::DaneOnly,
    Level::Fingerprint,
    Level::Verify,
    Level::Dane,
    Level::Encrypt,
    Level::May,
    Level::None,
];
/// A good look is good for this long, in seconds.
const FRESH: i64 = 3_600;

/// What servers say of rules that come in force.
#[derive(Default)]
struct Said {
    /// What stops them.
    against: Vec<Finding>,
    /// What could not be seen.
    unseen: Vec<Finding>,
}

impl Engine<'_> {
    /// Before rules come in force: what their servers show against them. A rule that was stored for
    /// a reason, although its servers spoke against it, comes in force. Told is whose servers could not
    /// be seen. Where there are more than
    /// [`MOST_LOOKED_AT`], that has to be accepted.
    pub(crate) fn refuse_what_servers_bar(
        &mut self,
        proposal: &Proposal,
        accepted: &[Acceptance],
    ) -> Result<Vec<Finding>, EngineError> {
        let mut visits = Visits::new();
        let mut said = Said::default();
        let pending = self.pending_by_strictness()?;
        refuse_unseen(proposal, &pending, accepted)?;
        for rules in pending.rules.chunks(TOGETHER) {
            let rules: Vec<&Rule> = rules.iter().collect();
            self.barred_now(&proposal.facts, &rules, &mut visits, &mut said)?;
            if said.against.len() >= TOLD {
                break;
            }
            self.stop_if_interrupted()?;
        }
        super::refuse(said.against)?;
        Ok(named(said.unseen))
    }

    /// What speaks against some of them, but those that were good a while ago; remembered.
    fn barred_now(
        &mut self,
        facts: &Facts,
        rules: &[&Rule],
        visits: &mut Visits,
        said: &mut Said,
    ) -> Result<(), EngineError> {
        let known = self.looks_in(facts, rules)?;
        let now = self.clock.now_unix();
        let fresh = |one: &Written| {
            let rule = &one.rule;
            known.get(&rule.id).is_some_and(|seen| {
                seen.outcome_for(&rule.policy) == Outcome::Pass && now - seen.at < FRESH
            })
        };
        let mut stale = self.written(rules, &[], Others::Settled)?;
        stale.retain(|one| !fresh(one));
        let mut servers = Vec::new();
        let options = PreflightOptions::default();
        let barred = self.barred_beside(facts, &stale, options, &mut servers, visits)?;
        self.store.put_preflights(&self.instance, &servers)?;
        let each = stale.iter().zip(barred);
        let findings = each.flat_map(|(Written { rule, .. }, mut found)| {
            found.retain(is_against);
            let command = Manager::of(&rule.id).map_or_else(
                || format!("postseal policy edit '{}'", rule.id.shown()),
                |manager| manager.command(),
            );
            forcible(found, &format!("`{command} --force --reason TEXT`"))
        });
        said.against.extend(findings);
        said.unseen.extend(servers.iter().filter_map(unseen));
        Ok(())
    }

    /// The rules that are to come in force and were put down for no reason, the strictest first.
    fn pending_by_strictness(&self) -> Result<Strictest, EngineError> {
        let mut found = Strictest::default();
        let managed = self.store.managed_rules(&self.instance, domains::MOST)?;
        let managed = managed.into_iter().filter(RuleState::is_pending);
        managed
            .filter_map(|one| one.wanted)
            .for_each(|rule| found.put(rule));
        for level in LEVELS {
            let filter = RuleFilter {
                pending: Pending::Only,
                level: Some(level.to_string()),
                ..RuleFilter::default()
            };
            for skip in (0..).step_by(TOGETHER) {
                let page = self
                    .store
                    .list_rules(&self.instance, &filter, skip, TOGETHER)?;
                let is_last = page.len() < TOGETHER;
                let wanted = page.into_iter().filter_map(|state| state.wanted);
                for rule in wanted.filter(|rule| rule.id.manager.is_empty()) {
                    found.put(rule);
                }
                if found.left == Left::Some {
                    return Ok(found);
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(found)
    }
}

/// Rules that come in force, the strictest first.
#[derive(Default)]
struct Strictest {
    rules: Vec<Rule>,
    left: Left,
}

/// Whether there are more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Left {
    #[default]
    None,
    Some,
}

impl Strictest {
    fn put(&mut self, rule: Rule) {
        match self.rules.len() < MOST_LOOKED_AT {
            _ if rule.about.reason.is_some() || rule.id.destination.starts_with('.') => {}
            true => self.rules.push(rule),
            false => self.left = Left::Some,
        }
    }
}

/// More rules than are looked at are put in force only when somebody says so.
fn refuse_unseen(
    proposal: &Proposal,
    pending: &Strictest,
    accepted: &[Acceptance],
) -> Result<(), EngineError> {
    let answer = crate::verify::name(&proposal.facts);
    let given = |one: &Acceptance| one.code == NOT_LOOKED_AT && one.answer == answer;
    if pending.left == Left::None || accepted.iter().any(given) {
        return Ok(());
    }
    Err(EngineError::Unconfirmed {
        code: NOT_LOOKED_AT.to_owned(),
        message: format!(
            "{} rules change, and the servers of {MOST_LOOKED_AT} are looked at before they come in \
             force, the strictest first: at those of the others mail may wait.",
            proposal.rules.count
        ),
        answer,
    })
}

/// Why it could not be told what servers would do.
fn unseen(seen: &Preflight) -> Option<Finding> {
    let is_why = |one: &&Finding| one.code == UNDETERMINED;
    let why = seen.findings.iter().find(is_why);
    why.filter(|_| seen.outcome == Outcome::Undetermined)
        .cloned()
}

/// The first of them, and how many more there are.
fn named(mut all: Vec<Finding>) -> Vec<Finding> {
    all.dedup();
    let more = all.len().saturating_sub(UNSEEN_NAMED);
    all.truncate(UNSEEN_NAMED);
    match all.pop() {
        Some(last) if more > 0 => {
            all.push(last.seen(format!(
                "and {more} more next hops: `postseal policy check`"
            )));
        }
        last => all.extend(last),
    }
    all
}

//! Rules held against the servers that they are for.
//!
//! Owns: which rules are looked at before they are stored or put in force, and what a look bars.
//! Never: takes what could not be seen for a failure.

use super::judged::{is_against, met};
use super::written::{Others, Written};
use crate::approve::Acceptance;
use crate::domains;
use crate::observe::observe_unadopted;
use crate::preflight::{HopPolicy, PreflightOptions, Progress, World, preflight_more};
use crate::propose::Proposal;
use crate::{Engine, EngineError, Event};
use mailtls::Level;
use mailtls::policy::Policy;
use postseal_planner::facts::Facts;
use postseal_planner::policy::{Home, Judged, Manager, Rule, RuleId, dialect};
use postseal_planner::preflight::{Client, Opening, Visits};
use postseal_planner::report::Outcome;
use postseal_planner::{Finding, Preflight, SMTPS_OUT_NAME, Severity};
use postseal_store::{Pending, RuleFilter, RuleState, RuleView, RuleWish};
use std::collections::BTreeMap;

/// Whether servers are looked at before rules are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// They are.
    Servers(PreflightOptions),
    /// They are not.
    Never,
}

/// A rule, and what its servers show.
#[derive(Clone, Debug)]
pub struct RuleLooked {
    /// Its destination, as a person reads it.
    pub shown: String,
    /// What the servers show; `None` where mail never comes to the rule.
    pub preflight: Option<Preflight>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// The client that goes where no other is known to go.
const SMTP: &str = "smtp";
/// So many rules are looked at before they come in force, the strictest first.
pub(crate) const MOST_LOOKED_AT: usize = 10_000;
/// So many of them at once.
const TOGETHER: usize = 1_000;
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

impl Engine<'_> {
    /// What the servers of each rule show to the client that its mail goes by; none where a rule
    /// names no server (`.example.org`).
    pub(super) fn servers_of(
        &self,
        facts: &Facts,
        rules: &[&Rule],
        options: PreflightOptions,
        told: &(dyn Fn(Progress) + Sync),
        visits: &mut Visits,
    ) -> Result<Vec<Option<Preflight>>, EngineError> {
        let state = self.state()?;
        let home = Home::Rules(state.desired.tables.as_ref());
        let met = met(self.host, facts, home, rules);
        let hops = rules.iter().zip(&met);
        let hops = hops.map(|(rule, met)| hop(rule, facts, met)).collect();
        Ok(self.look_at_hops(facts, hops, options, told, visits))
    }

    /// What the servers of each rule show against the row that is written for it, with `wishes` come
    /// true.
    pub(crate) fn barred(
        &self,
        facts: &Facts,
        rules: &[&Rule],
        wishes: &[RuleWish],
        look: Look,
        servers: &mut Vec<Preflight>,
    ) -> Result<Vec<Vec<Finding>>, EngineError> {
        let Look::Servers(options) = look else {
            return Ok(vec![Vec::new(); rules.len()]);
        };
        let written = self.written(rules, wishes, Others::Wished)?;
        self.barred_beside(facts, &written, options, servers, &mut Visits::new())
    }

    /// The same, where some servers were looked at already.
    fn barred_beside(
        &self,
        facts: &Facts,
        written: &[Written],
        options: PreflightOptions,
        servers: &mut Vec<Preflight>,
        visits: &mut Visits,
    ) -> Result<Vec<Vec<Finding>>, EngineError> {
        if !written.is_empty() {
            let rules = written.len();
            self.tell(Event::Looking { rules });
        }
        let rules: Vec<&Rule> = written.iter().map(|one| &one.rule).collect();
        let seen = self.servers_of(facts, &rules, options, &|_| {}, visits)?;
        let against = written.iter().zip(&seen).map(|(one, seen)| {
            let barring = seen.iter().flat_map(barring);
            barring.map(|finding| one.weighed(finding)).collect()
        });
        let against = against.collect();
        servers.extend(seen.into_iter().flatten());
        Ok(against)
    }

    fn look_at_hops(
        &self,
        facts: &Facts,
        hops: Vec<Option<HopPolicy>>,
        options: PreflightOptions,
        told: &(dyn Fn(Progress) + Sync),
        visits: &mut Visits,
    ) -> Vec<Option<Preflight>> {
        let known: Vec<HopPolicy> = hops.iter().flatten().cloned().collect();
        let world = World {
            facts,
            host: self.host,
            wire: self.wire,
            clock: self.clock,
        };
        let seen = preflight_more(world, &known, options, told, visits);
        // A next hop that is none was refused when the rule was made.
        let mut seen = seen.unwrap_or_default().into_iter();
        let hops = hops.into_iter();
        hops.map(|hop| hop.and_then(|_| seen.next())).collect()
    }

    /// What the servers of all rules show, as those are wished; remembered. A rule that mail never
    /// comes to (one that was forced) is not held against the servers of its name: it is told why.
    pub fn look_at_rules(
        &mut self,
        options: PreflightOptions,
        told: &(dyn Fn(Progress) + Sync),
    ) -> Result<Vec<RuleLooked>, EngineError> {
        let state = self.state()?;
        let facts = observe_unadopted(self.host)?;
        let home = Home::Rules(state.desired.tables.as_ref());
        let mut all = Vec::new();
        let mut visits = Visits::new();
        let mut after: Option<RuleId> = None;
        loop {
            let page =
                self.store
                    .rules(&self.instance, RuleView::Wanted, after.as_ref(), TOGETHER)?;
            let Some(last) = page.last() else {
                return Ok(all);
            };
            after = Some(last.id.clone());
            let rules: Vec<&Rule> = page.iter().collect();
            let written = self.written(&rules, &[], Others::Wished)?;
            let rules: Vec<&Rule> = written.iter().map(|one| &one.rule).collect();
            let met = met(self.host, &facts, home, &rules);
            let hops = rules.iter().zip(&met).map(|(rule, met)| {
                let comes = met.useless.is_empty();
                comes.then(|| hop(rule, &facts, met)).flatten()
            });
            let seen = self.look_at_hops(&facts, hops.collect(), options, told, &mut visits);
            let kept: Vec<Preflight> = seen.iter().flatten().cloned().collect();
            self.store.put_preflights(&self.instance, &kept)?;
            let looked = rules.iter().zip(met).zip(seen);
            let looked = looked.filter_map(|((rule, met), seen)| RuleLooked::of(rule, &met, seen));
            all.extend(looked);
            // Rules that meet have one row.
            all.dedup_by(|one, other| one.is_same(other));
            self.stop_if_interrupted()?;
        }
    }

    /// Before rules come in force: what their servers show against them. A rule that was stored for
    /// a reason, although its servers spoke against it, comes in force. Where there are more than
    /// [`MOST_LOOKED_AT`], that has to be accepted.
    pub(crate) fn refuse_what_servers_bar(
        &mut self,
        proposal: &Proposal,
        accepted: &[Acceptance],
    ) -> Result<(), EngineError> {
        let mut visits = Visits::new();
        let mut findings: Vec<Finding> = Vec::new();
        let pending = self.pending_by_strictness()?;
        refuse_unseen(proposal, &pending, accepted)?;
        for rules in pending.rules.chunks(TOGETHER) {
            let rules: Vec<&Rule> = rules.iter().collect();
            findings.extend(self.barred_now(&proposal.facts, &rules, &mut visits)?);
            if findings.len() >= TOLD {
                break;
            }
            self.stop_if_interrupted()?;
        }
        super::refuse(findings)
    }

    /// What speaks against some of them, but those that were good a while ago; remembered.
    fn barred_now(
        &mut self,
        facts: &Facts,
        rules: &[&Rule],
        visits: &mut Visits,
    ) -> Result<Vec<Finding>, EngineError> {
        let known = self.known_looks(rules)?;
        let now = self.clock.now_unix();
        let fresh = |one: &Written| {
            let rule = &one.rule;
            known.get(rule.id.destination.as_str()).is_some_and(|seen| {
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
        Ok(findings.collect())
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

    fn known_looks(&self, rules: &[&Rule]) -> Result<BTreeMap<String, Preflight>, EngineError> {
        let hops: Vec<String> = rules
            .iter()
            .map(|rule| rule.id.destination.clone())
            .collect();
        let known = self.store.preflights(&self.instance, &hops)?;
        Ok(known
            .into_iter()
            .map(|seen| (seen.nexthop.clone(), seen))
            .collect())
    }

    /// The newest looks at the servers of next hops; those that were never looked at are left out.
    pub fn preflights(&self, nexthops: &[String]) -> Result<Vec<Preflight>, EngineError> {
        Ok(self.store.preflights(&self.instance, nexthops)?)
    }
}

/// Findings against a rule, with how it comes in force all the same.
pub(crate) fn forcible(mut findings: Vec<Finding>, how: &str) -> Vec<Finding> {
    for finding in &mut findings {
        finding.remedy.push_str(&format!(" All the same: {how}."));
    }
    findings
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

/// What speaks against putting a rule in force; nothing where servers pass or could not be seen.
pub(super) fn barring(seen: &Preflight) -> Vec<Finding> {
    if seen.outcome != Outcome::Fail {
        return Vec::new();
    }
    let serious = |finding: &&Finding| finding.severity >= Severity::Error;
    seen.findings.iter().filter(serious).cloned().collect()
}

impl RuleLooked {
    /// `None` where a rule names no server, and nothing is wrong.
    fn of(rule: &Rule, met: &Judged, preflight: Option<Preflight>) -> Option<Self> {
        let why = met.useless.iter().map(|one| {
            let finding = one.finding(rule);
            match &rule.about.reason {
                Some(reason) => finding.seen(format!("it was made all the same: {reason}")),
                None => finding,
            }
        });
        let seen = preflight.iter().flat_map(|seen| seen.findings.clone());
        let findings: Vec<Finding> = why.chain(seen).collect();
        (preflight.is_some() || !findings.is_empty()).then(|| Self {
            shown: rule.id.shown(),
            findings,
            preflight,
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        self.shown == other.shown && self.preflight == other.preflight
    }
}

/// The next hop that a rule is looked up for, where it is one, by the client that goes there.
fn hop(rule: &Rule, facts: &Facts, met: &Judged) -> Option<HopPolicy> {
    let id = &rule.id.destination;
    if id.starts_with('.') {
        return None;
    }
    Some(HopPolicy {
        nexthop: id.clone(),
        transport: client(rule, facts, met),
        policy: Policy::parse(&rule.policy, dialect(facts.version)).ok()?,
    })
}

/// The client that goes by a rule. An entry for TLS from the first byte gets one that begins so, by
/// whatever its mail goes until then.
fn client(rule: &Rule, facts: &Facts, met: &Judged) -> String {
    let mut clients = met.clients.iter();
    if !domains::entry(rule).smtps {
        return clients.next().map_or(SMTP, String::as_str).to_owned();
    }
    let wraps = |client: &&String| Client::of(facts, client).opening == Opening::Wrapper;
    clients
        .find(wraps)
        .map_or(SMTPS_OUT_NAME, String::as_str)
        .to_owned()
}

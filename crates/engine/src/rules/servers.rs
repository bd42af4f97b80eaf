//! Rules held against the servers that they are for.
//!
//! Owns: which rules are looked at before they are stored or put in force, and what a look bars.
//! Never: takes what could not be seen for a failure.

use super::by_client::{Clients, worst};
use super::judged::met;
use super::written::{Others, Written};
use crate::observe::observe_unadopted;
use crate::preflight::{HopPolicy, PreflightOptions, Progress, World, preflight_more};
use crate::{Engine, EngineError, Event};
use postseal_planner::facts::Facts;
use postseal_planner::policy::{Home, Judged, Rule, RuleId, never_asked, passed_by};
use postseal_planner::preflight::Visits;
use postseal_planner::report::Outcome;
use postseal_planner::{Finding, Preflight, Severity};
use postseal_store::{RuleView, RuleWish};

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

/// So many of them at once.
const TOGETHER: usize = 1_000;

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
        let mut clients = Clients::new(facts);
        let hops = rules.iter().zip(&met);
        let hops = hops.map(|(rule, met)| clients.hops(rule, met)).collect();
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
    pub(super) fn barred_beside(
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
        hops: Vec<Vec<HopPolicy>>,
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
        let hops = hops.into_iter().map(|by_clients| {
            let by_clients = by_clients.into_iter();
            worst(
                by_clients
                    .zip(seen.by_ref())
                    .map(|(hop, seen)| (hop.transport, seen))
                    .collect(),
            )
        });
        hops.collect()
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
        let home = self.home_wished(&state)?;
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
            let mut clients = Clients::new(&facts);
            let hops = rules
                .iter()
                .zip(&met)
                .map(|(rule, met)| match met.useless.is_empty() {
                    true => clients.hops(rule, met),
                    false => Vec::new(),
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
}

/// Findings against a rule, with how it comes in force all the same.
pub(crate) fn forcible(mut findings: Vec<Finding>, how: &str) -> Vec<Finding> {
    for finding in &mut findings {
        finding.remedy.push_str(&format!(" All the same: {how}."));
    }
    findings
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
        let pair = [(rule, met)];
        let told = passed_by(&pair).into_iter().chain(never_asked(&pair));
        let findings: Vec<Finding> = why.chain(seen).chain(told).collect();
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

//! The servers of a rule, as each client sees them that goes there by it.
//!
//! Owns: which clients those are, and what their looks come to together. Never: looks.
//!
//! Clients differ in protocols, ciphers, trust, and in how TLS begins: what works for one may stop the
//! mail that goes by another.

use crate::domains;
use crate::preflight::HopPolicy;
use mailtls::policy::Policy;
use postseal_planner::facts::Facts;
use postseal_planner::policy::{Judged, Rule, dialect};
use postseal_planner::preflight::{Client, NextHop, Opening};
use postseal_planner::report::Outcome;
use postseal_planner::{Preflight, SMTPS_OUT_NAME};
use std::collections::BTreeMap;

/// The client that goes where no other is known to go.
const SMTP: &str = "smtp";

/// Clients, each read once.
pub(super) struct Clients<'a> {
    facts: &'a Facts,
    known: BTreeMap<String, Client>,
}

impl<'a> Clients<'a> {
    pub(super) const fn new(facts: &'a Facts) -> Self {
        Self {
            facts,
            known: BTreeMap::new(),
        }
    }

    /// The next hop that a rule is looked up for, where it is one, by each of the clients that go there
    /// and are not alike.
    pub(super) fn hops(&mut self, rule: &Rule, met: &Judged) -> Vec<HopPolicy> {
        let nexthop = &rule.id.destination;
        let policy = Policy::parse(&rule.policy, dialect(self.facts.version));
        // One that is none, as smtp(8) reads it, must not end the look at the others.
        let is_one =
            !nexthop.starts_with('.') && NextHop::parse(nexthop, NextHop::USUAL_PORT).is_ok();
        let Some(policy) = policy.ok().filter(|_| is_one) else {
            return Vec::new();
        };
        let hop = |transport| HopPolicy {
            nexthop: nexthop.clone(),
            transport,
            policy: policy.clone(),
        };
        self.of(rule, met).into_iter().map(hop).collect()
    }

    /// Whether what was seen is what the clients of a rule see: a look as another client says nothing of
    /// its mail.
    pub(super) fn saw(&mut self, rule: &Rule, met: &Judged, seen: &Preflight) -> bool {
        let own = self.of(rule, met);
        let mut is_like = |one: &String, other: &String| {
            one == other || self.client(one).clone() == *self.client(other)
        };
        let mut covers = |all: &[String], part: &[String]| {
            let mut part = part.iter();
            part.all(|one| all.iter().any(|other| is_like(one, other)))
        };
        covers(&own, &seen.clients) && covers(&seen.clients, &own)
    }

    /// The clients that go by a rule. An entry for TLS from the first byte gets one that begins so, by
    /// whatever its mail goes until then.
    fn of(&mut self, rule: &Rule, met: &Judged) -> Vec<String> {
        if domains::entry(rule).smtps {
            let mut clients = met.clients.iter();
            let wraps = |client: &&String| self.client(client).opening == Opening::Wrapper;
            let wrapping = clients.find(wraps);
            return vec![wrapping.map_or(SMTPS_OUT_NAME, String::as_str).to_owned()];
        }
        let mut unlike: Vec<String> = Vec::new();
        // That others' mail cannot arrive says nothing of the servers.
        let of_others = |name: &&String| met.late.contains(*name) && !met.own.contains(*name);
        for name in met.clients.iter().filter(|name| !of_others(name)) {
            let client = self.client(name).clone();
            if unlike.iter().all(|known| *self.client(known) != client) {
                unlike.push(name.clone());
            }
        }
        if unlike.is_empty() {
            unlike.push(SMTP.to_owned());
        }
        unlike
    }

    fn client(&mut self, name: &str) -> &Client {
        let facts = self.facts;
        let known = self.known.entry(name.to_owned());
        known.or_insert_with_key(|name| Client::of(facts, name))
    }
}

/// What several clients see, as one: the worst of it, and by which of them.
pub(super) fn worst(seen: Vec<(String, Preflight)>) -> Option<Preflight> {
    let rank = |seen: &Preflight| match seen.outcome {
        Outcome::Pass => 0,
        Outcome::Undetermined => 1,
        Outcome::Fail => 2,
    };
    let best = seen.iter().map(|(_, one)| rank(one)).min()?;
    let clients: Vec<String> = seen.iter().map(|(client, _)| client.clone()).collect();
    let mut worst: Option<(String, Preflight)> = None;
    for (client, one) in seen {
        if worst.as_ref().is_none_or(|(_, now)| rank(now) < rank(&one)) {
            worst = Some((client, one));
        }
    }
    let (client, mut worst) = worst?;
    worst.clients = clients;
    if rank(&worst) > best {
        let by = |text: &str| format!("By the transport {client}: {text}");
        worst.sentence = by(&worst.sentence);
        for finding in &mut worst.findings {
            finding.message = by(&finding.message);
        }
    }
    Some(worst)
}

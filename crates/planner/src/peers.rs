//! Which peers a change leaves without TLS, or turns away.
//!
//! Owns: comparing what each program asks of its peers before and after a plan, in words and as
//! counts of a log. Never: expands a list of ciphers (whoever asks does, by the system's OpenSSL:
//! [`Peers::lists`], [`Expanded`]); judges whether they are worth it.
//!
//! A peer is told by what it lacks. How many there are nobody can know but from a log, and a log
//! tells what was agreed on, not what else a peer could have done.

mod lacks;
mod log;
mod said;
mod terms;

#[cfg(test)]
mod tests;

pub use crate::ciphers::Demand;
pub use lacks::{Feature, Lack};
pub use log::{Count, Counts, Met, Side, Tally};

use crate::expect::speaker;
use crate::facts::Facts;
use crate::plan::{Cf, Plan};
use crate::view::{Files, View};
use postfix_cf::{MainCf, MasterCf};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use terms::Place;

/// Lists of ciphers, and the suites up to TLS 1.2 that OpenSSL makes of each, by its names. A list
/// that it refuses has none.
pub type Expanded = BTreeMap<String, Vec<String>>;

/// Who is on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whom {
    /// Other mail servers, that send to us.
    Senders,
    /// Programs of our own people.
    MailClients,
    /// Other mail servers, that we send to.
    Servers,
}

/// Peers that a change leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exclusion {
    /// Who they are.
    pub whom: Whom,
    /// What becomes of those sessions.
    pub demand: Demand,
    /// Where: services (`smtp/inet`), or `main.cf` for the SMTP client.
    pub services: Vec<String>,
    /// The ports of those services.
    pub ports: Vec<u16>,
    /// What they lack.
    pub lack: Lack,
    /// The same in a sentence.
    pub sentence: String,
}

/// What programs ask of their peers, before and after a plan.
#[derive(Clone, Debug)]
pub struct Peers {
    before: Vec<Place>,
    after: Vec<Place>,
    /// The servers that took mail without TLS before.
    in_clear: Vec<String>,
}

impl Peers {
    /// Of a plan that was just made: one that comes out of a store has no bytes.
    pub fn of(plan: &Plan, facts: &Facts) -> Self {
        let bytes = |file, now: &[u8]| {
            let edit = plan.edit(file).filter(|edit| !edit.bytes.is_empty());
            edit.map_or_else(|| now.to_vec(), |edit| edit.bytes.clone())
        };
        let (main, master) = (&facts.main_cf.bytes, &facts.master_cf.bytes);
        let now = Files::of(facts);
        let now = now.view(facts);
        let servers = now.servers();
        let clear = servers.filter(|one| !now.demands_tls(speaker(&now, one)));
        Self {
            in_clear: clear.map(|one| one.id.clone()).collect(),
            before: terms::places(&now),
            after: places(&bytes(Cf::Main, main), &bytes(Cf::Master, master), facts),
        }
    }

    /// The lists of ciphers that OpenSSL has to expand.
    pub fn lists(&self) -> BTreeSet<String> {
        let places = self.before.iter().chain(&self.after);
        places
            .filter_map(|place| place.terms.list.clone())
            .collect()
    }

    /// Whom the change leaves out; services that leave out the same stand together.
    pub fn exclusions(&self, expanded: &Expanded) -> Vec<Exclusion> {
        let mut found: Vec<Exclusion> = Vec::new();
        for after in &self.after {
            let before = self.before.iter().find(|before| before.key == after.key);
            let in_clear = self.in_clear.contains(&after.service);
            let new = (in_clear && after.demand == Demand::Mandatory).then_some(Lack::Tls);
            let lacks = lacks::of(before, after, expanded);
            for lack in new.into_iter().chain(lacks) {
                let together = |known: &&mut Exclusion| {
                    known.whom == after.whom && known.demand == after.demand && known.lack == lack
                };
                let known = match found.iter_mut().find(together) {
                    Some(known) => known,
                    None => found.push_mut(Exclusion {
                        whom: after.whom,
                        demand: after.demand,
                        services: Vec::new(),
                        ports: Vec::new(),
                        lack,
                        sentence: String::new(),
                    }),
                };
                known.services.push(after.service.clone());
                known.ports.extend(after.port);
            }
        }
        for one in &mut found {
            one.sentence = said::sentence(one);
        }
        found
    }
}

fn places(main: &[u8], master: &[u8], facts: &Facts) -> Vec<Place> {
    let (main, master) = (MainCf::parse(main), MasterCf::parse(master));
    terms::places(&View::new(&main, &master, facts))
}

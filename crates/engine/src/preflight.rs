//! Preflight: what policies would come to today at the servers of their next hops.
//!
//! Owns: asking and looking until the planner knows, within a budget of connections and of time;
//! each address is looked at once, however many next hops lead to it. Never: judges; needs a store.

use crate::dns::resolv_conf;
use crate::explain::anchors;
use crate::rules::next_hops;
use crate::{Clock, Wire};
use mailtls::Anchors;
use mailtls::policy::Policy;
use postseal_host::Host;
use postseal_planner::dns::{Answers, Question};
use postseal_planner::facts::{Facts, FileLook};
use postseal_planner::preflight::{
    self, Client, Hosts, HostsFile, Known, NextHop, NoNextHop, Preflight, Protocol, Visit, Visits,
    Wanted,
};
use postseal_planner::report::{Report, Stage, StageName, StageOutcome};
use postseal_planner::resolve::Answer;
use postseal_planner::task::MAIL_PORTS;
use postseal_probe::{Budget, Greeting, News, Target};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A next hop, and the policy that is asked about.
#[derive(Clone, Debug)]
pub struct HopPolicy {
    /// As smtp(8) gets it: a domain, `[host]`, `[host]:port`, `host:port`.
    pub nexthop: String,
    /// The transport that delivers (`smtp`).
    pub transport: String,
    /// The policy.
    pub policy: Policy,
}

/// How much a preflight may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreflightOptions {
    /// Connections.
    pub budget: Budget,
    /// All questions to DNS together.
    pub dns: Duration,
    /// Questions and connections together: what DNS took is gone for the servers.
    pub whole: Option<Duration>,
}

impl PreflightOptions {
    /// With all of it within this time.
    #[must_use]
    pub fn within(mut self, patience: Duration) -> Self {
        self.budget.deadline = patience;
        self.dns = patience;
        self.whole = Some(patience);
        self
    }

    /// The budget that is left for the servers.
    fn left(&self, gone: Duration) -> Budget {
        let left = self.whole.map(|whole| whole.saturating_sub(gone));
        let own = self.budget.deadline;
        Budget {
            deadline: left.map_or(own, |left| left.min(own)),
            ..self.budget
        }
    }
}

impl Default for PreflightOptions {
    fn default() -> Self {
        Self {
            budget: Budget {
                at_once: 32,
                per_address: 2,
                deadline: Duration::from_secs(20),
            },
            dns: Duration::from_secs(30),
            whole: None,
        }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The address that was looked at last.
    pub address: SocketAddr,
    /// Addresses that were looked at.
    pub done: usize,
    /// All that are to be.
    pub all: usize,
}

/// What the policies would come to, in the destinations' order. `told` hears of each address.
///
/// # Errors
/// Where a next hop is none; nothing was asked then.
pub fn preflight(
    world: World<'_>,
    destinations: &[HopPolicy],
    options: PreflightOptions,
    told: &(dyn Fn(Progress) + Sync),
) -> Result<Vec<Preflight>, NoNextHop> {
    preflight_more(world, destinations, options, told, &mut Visits::new())
}

/// The same, where some servers were looked at already; the new looks are put beside these.
pub(crate) fn preflight_more(
    world: World<'_>,
    destinations: &[HopPolicy],
    options: PreflightOptions,
    told: &(dyn Fn(Progress) + Sync),
    visits: &mut Visits,
) -> Result<Vec<Preflight>, NoNextHop> {
    let wanted = world.wanted(destinations)?;
    let begun = world.clock.monotonic();
    let answers = world.answers(&wanted, options.dns);
    let left = options.left(world.clock.monotonic().saturating_sub(begun));
    let (open, closed) = world.by_port(&wanted, destinations);
    let news = world.look(&open, &answers, visits, left, told);
    visits.extend(news);
    for visit in closed
        .iter()
        .flat_map(|one| preflight::visits(one, &answers))
    {
        visits.entry(visit).or_insert_with_key(not_from_afar);
    }
    let mut trust = Trust::default();
    let now = world.clock.now_unix();
    let unusable = unusable(&wanted, &|path| world.host.read(path));
    let mut judge = |(one, by): (&Wanted, &HopPolicy)| {
        let files = preflight::trust_files(one, &answers, visits);
        trust.read(&files, &|path| world.host.read(path));
        let known = Known {
            answers: &answers,
            visits,
            anchors: &trust.of(&files),
            unusable: &unusable,
            now,
        };
        Preflight {
            clients: vec![by.transport.clone()],
            ..preflight::judge(one, known)
        }
    };
    Ok(wanted.iter().zip(destinations).map(&mut judge).collect())
}

/// What a preflight needs of the world.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The instance as it is.
    pub facts: &'a Facts,
    /// Its machine.
    pub host: &'a dyn Host,
    /// The wire.
    pub wire: &'a dyn Wire,
    /// The clock.
    pub clock: &'a dyn Clock,
}

impl World<'_> {
    fn wanted(self, destinations: &[HopPolicy]) -> Result<Vec<Wanted>, NoNextHop> {
        let mut clients: BTreeMap<String, Client> = BTreeMap::new();
        let mut one = |destination: &HopPolicy| {
            let client = clients.entry(destination.transport.clone());
            let client = client.or_insert_with_key(|transport| self.client(transport));
            Ok(Wanted {
                hop: NextHop::parse(&destination.nexthop, client.port)?,
                policy: destination.policy.clone(),
                client: client.clone(),
            })
        };
        destinations.iter().map(&mut one).collect()
    }

    /// Those that may be looked at, and those that may not: for somebody elsewhere only ports of mail may, those of the
    /// client itself, and what routes name. Else they could look into the networks behind this host.
    fn by_port<'w>(
        self,
        wanted: &'w [Wanted],
        destinations: &[HopPolicy],
    ) -> (Vec<&'w Wanted>, Vec<&'w Wanted>) {
        let named = OnceCell::new();
        let of_mail =
            |one: &Wanted| one.hop.port == one.client.port || MAIL_PORTS.contains(&one.hop.port);
        let is_named = |hop: &HopPolicy| {
            let hops = named.get_or_init(|| next_hops(self.host, self.facts));
            hops.named.has(&hop.nexthop)
        };
        let is_open = |(one, hop): &(&Wanted, &HopPolicy)| {
            !self.wire.is_for_afar() || of_mail(one) || is_named(hop)
        };
        let (open, closed): (Vec<_>, Vec<_>) = wanted.iter().zip(destinations).partition(is_open);
        let first = |pairs: Vec<(&'w Wanted, _)>| pairs.into_iter().map(|(one, _)| one).collect();
        (first(open), first(closed))
    }

    fn client(self, transport: &str) -> Client {
        let mut client = Client::of(self.facts, transport);
        if client.lookups.hosts != Hosts::Dns
            && let FileLook::File { bytes, .. } = self.host.read(&client.lookups.file)
        {
            client.lookups.listed = HostsFile::parse(&bytes);
        }
        client
    }

    /// What DNS says: exchangers, addresses, records.
    fn answers(&self, wanted: &[Wanted], patience: Duration) -> Answers {
        let names = Names {
            wire: self.wire,
            clock: self.clock,
            read: &|path| self.host.read(path),
        };
        names.answers(wanted, patience)
    }

    fn look(
        &self,
        wanted: &[&Wanted],
        answers: &Answers,
        known: &Visits,
        budget: Budget,
        told: &(dyn Fn(Progress) + Sync),
    ) -> Visits {
        let mut looks: BTreeMap<Visit, &Client> = BTreeMap::new();
        for one in wanted {
            let visits = preflight::visits(one, answers).into_iter();
            for visit in visits.filter(|visit| !known.contains_key(visit)) {
                looks.entry(visit).or_insert(&one.client);
            }
        }
        let targets: Vec<Target> = looks.iter().map(|(visit, by)| target(visit, by)).collect();
        let all = targets.len();
        let done = AtomicUsize::new(0);
        let seen = |place: usize, news: News<'_>| {
            if let (News::Done(_), Some(target)) = (news, targets.get(place)) {
                told(Progress {
                    address: target.address,
                    done: done.fetch_add(1, Ordering::Relaxed) + 1,
                    all,
                });
            }
        };
        let reports = self.wire.probe_each(&targets, budget, &seen);
        looks.into_keys().zip(reports).collect()
    }
}

/// What stands for a look that nobody elsewhere may have made.
fn not_from_afar(visit: &Visit) -> Report {
    let why = "from afar only the ports of mail are looked at (25, 465 and 587), and those that a route of Postfix names";
    Report {
        stages: vec![Stage {
            name: StageName::Connect,
            outcome: StageOutcome::Unknown(why.to_owned()),
            micros: 0,
        }],
        ..Report::unseen(visit.address.to_string(), visit.address)
    }
}

/// The files of anchors that smtp(8) cannot use, and why.
pub(crate) fn unusable(
    wanted: &[Wanted],
    read: &dyn Fn(&Path) -> FileLook,
) -> BTreeMap<PathBuf, String> {
    let named: BTreeSet<PathBuf> = wanted.iter().flat_map(preflight::own_anchors).collect();
    let bad = |path: PathBuf| match anchors(read(&path)) {
        Answer::Found(_) => None,
        Answer::NotFound => Some((path, "it is not there".to_owned())),
        Answer::Failed(why) => Some((path, why)),
    };
    named.into_iter().filter_map(bad).collect()
}

/// What questions to DNS need.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) wire: &'a dyn Wire,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) read: &'a dyn Fn(&Path) -> FileLook,
}

impl Names<'_> {
    /// What DNS says: exchangers, addresses, records. Each round gets half of what is left.
    pub(crate) fn answers(&self, wanted: &[Wanted], patience: Duration) -> Answers {
        const ROUNDS: usize = 4;
        let deadline = self.clock.monotonic() + patience;
        let resolv_conf = resolv_conf(self.read);
        let mut answers = Answers::new();
        for _ in 0..ROUNDS {
            let open = wanted
                .iter()
                .flat_map(|one| preflight::questions(one, &answers));
            let open: BTreeSet<Question> = open.collect();
            let open: Vec<Question> = open.into_iter().collect();
            let left = deadline.saturating_sub(self.clock.monotonic());
            if open.is_empty() || left.is_zero() {
                break;
            }
            // A name server that never answers must not take the time of those with more to ask.
            let said = self.wire.ask(&open, &resolv_conf, left / 2);
            if said.is_empty() {
                break;
            }
            answers.extend(said);
        }
        answers
    }
}

pub(crate) fn target(visit: &Visit, client: &Client) -> Target {
    let mut target = Target::new(
        visit.address.to_string(),
        visit.address,
        visit.opening.into(),
    );
    target.sni.clone_from(&visit.sni);
    target.from = visit.from;
    target.limits.clone_from(&visit.limits);
    target.ehlo_name.clone_from(&client.ehlo_name);
    target.greeting = match visit.protocol {
        Protocol::Smtp => Greeting::Ehlo,
        Protocol::Lmtp => Greeting::Lhlo,
    };
    target
}

/// Trust anchors by file, each read once. A file without any is trusted with nothing.
#[derive(Default)]
pub(crate) struct Trust(BTreeMap<PathBuf, Anchors>);

impl Trust {
    pub(crate) fn read(&mut self, files: &BTreeSet<PathBuf>, read: &dyn Fn(&Path) -> FileLook) {
        for file in files {
            self.0
                .entry(file.clone())
                .or_insert_with(|| match read(file) {
                    FileLook::File { bytes, .. } => Anchors::read(&bytes).unwrap_or_default(),
                    _ => Anchors::default(),
                });
        }
    }

    pub(crate) fn of(&self, files: &BTreeSet<PathBuf>) -> Vec<&Anchors> {
        files.iter().filter_map(|file| self.0.get(file)).collect()
    }
}

#[cfg(test)]
mod tests;

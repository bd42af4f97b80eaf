//! Looks at any servers: every exchanger and address of a target, stage by stage.
//!
//! Owns: asking and looking until the planner can judge, within a budget of connections and of
//! time, and telling of each stage as it ends. Never: judges; needs a store, an instance, or root.

mod full;
mod letter;
mod second;
mod sts;

pub use letter::Letter;

use crate::preflight::{Names, Trust, target, unusable};
use crate::{Clock, Wire};
use mailtls::Level;
use mailtls::policy::Policy;
use postseal_planner::dns::Answers;
use postseal_planner::facts::{Facts, FileLook};
use postseal_planner::oldest_verified;
use postseal_planner::preflight::{
    self, Client, HOSTS, HostsFile, Known, Looker, Route, RouteHost, TrustFiles, Visit, Visits,
    Wanted,
};
use postseal_planner::probed::{
    self, AddressProbed, Around, DnsSeen, Fetched, Judged, Own, ProbeTarget, Probed,
};
use postseal_planner::report::{Outcome, Report};
use postseal_probe::{Budget, News, StageSeen, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How much a probe may do, and as whom.
#[derive(Clone, Debug)]
pub struct ProbeOptions {
    /// Connections.
    pub budget: Budget,
    /// All questions to DNS together.
    pub dns: Duration,
    /// Our name in EHLO.
    pub ehlo_name: String,
    /// A file of the CAs that count, in place of the system's; absolute.
    pub cas: Option<PathBuf>,
    /// The server name to ask for where DANE asks for none; `None`: that of the server but at port 25,
    /// where senders ask for none.
    pub sni: Option<String>,
}

/// What happens meanwhile, by the target's place.
#[derive(Clone, Copy, Debug)]
pub enum ProbeNews<'n> {
    /// DNS was asked.
    Dns(&'n DnsSeen, &'n [RouteHost]),
    /// A stage at an address ended.
    Stage(&'n RouteHost, &'n Visit, StageSeen<'n>),
    /// An address was looked at.
    Address(&'n RouteHost, &'n AddressProbed),
    /// All of it was seen and judged.
    Done(&'n Probed),
}

/// Who is told.
pub type Listener<'l> = &'l (dyn Fn(usize, ProbeNews<'_>) + Sync);

/// What probes need of the world.
#[derive(Clone, Copy)]
pub struct Prober<'a> {
    /// The wire.
    pub wire: &'a dyn Wire,
    /// The clock.
    pub clock: &'a (dyn Clock + Sync),
    /// The files of this machine: resolv.conf, hosts and trust anchors.
    pub read: &'a (dyn Fn(&Path) -> FileLook + Sync),
    /// The Postfix of this machine, where there is one.
    pub own: Option<&'a Facts>,
}

/// One target on its way.
struct Journey<'t> {
    target: &'t ProbeTarget,
    wanted: Wanted,
    own: Option<Wanted>,
    dns: DnsSeen,
    hosts: Vec<RouteHost>,
    fetched: Fetched,
    /// How long MTA-STS took, where it was asked for.
    sts: Option<Duration>,
}

impl Prober<'_> {
    /// Looks at all targets, and judges; in their order.
    pub fn probe(
        &self,
        targets: &[ProbeTarget],
        options: &ProbeOptions,
        told: Listener<'_>,
    ) -> Vec<Probed> {
        let listed = self.listed();
        let wanted: Vec<Wanted> = targets
            .iter()
            .map(|target| wanted(target, standard(&listed, target, options)))
            .collect();
        let began = self.clock.monotonic();
        let mut answers = self.names().answers(&wanted, options.dns);
        let took = self.clock.monotonic() - began;
        let mut paths: Vec<Journey<'_>> = Vec::new();
        for (target, wanted) in targets.iter().zip(wanted) {
            let (dns, hosts) = told_of_dns(&wanted, &answers, took);
            told(paths.len(), ProbeNews::Dns(&dns, &hosts));
            paths.push(Journey {
                own: self.own(target, &listed, options),
                target,
                wanted,
                dns,
                hosts,
                fetched: None,
                sts: None,
            });
        }
        let visits = self.look(&paths, &answers, options, told);
        self.fetch(&mut paths, &mut answers, options);
        self.judge(paths, &answers, &visits, told)
    }

    const fn names(&self) -> Names<'_> {
        Names {
            wire: self.wire,
            clock: self.clock,
            read: self.read,
        }
    }

    fn listed(&self) -> HostsFile {
        match (self.read)(Path::new(HOSTS)) {
            FileLook::File { bytes, .. } => HostsFile::parse(&bytes),
            _ => HostsFile::default(),
        }
    }

    fn own(
        &self,
        target: &ProbeTarget,
        listed: &HostsFile,
        options: &ProbeOptions,
    ) -> Option<Wanted> {
        let client = Client::of(self.own?, "smtp");
        let looker = looker(listed, target, options);
        Some(wanted(target, client.looking(&looker)))
    }

    fn look(
        &self,
        paths: &[Journey<'_>],
        answers: &Answers,
        options: &ProbeOptions,
        told: Listener<'_>,
    ) -> Visits {
        let mut looks: BTreeMap<Visit, &Client> = BTreeMap::new();
        let mut shown: BTreeMap<Visit, Vec<(usize, &RouteHost)>> = BTreeMap::new();
        for (place, path) in paths.iter().enumerate() {
            for wanted in [Some(&path.wanted), path.own.as_ref()]
                .into_iter()
                .flatten()
            {
                for visit in preflight::visits(wanted, answers) {
                    looks.entry(visit).or_insert(&path.wanted.client);
                }
            }
            let spots = path.wanted.spots(answers);
            for host in &path.hosts {
                let all = host.addresses.as_deref().unwrap_or_default().iter();
                for address in all.filter(|address| spots.contains(address)) {
                    let visit = path.wanted.visit(host, *address);
                    shown.entry(visit).or_default().push((place, host));
                }
            }
        }
        let order: Vec<(&Visit, &Client)> = looks.iter().map(|(visit, by)| (visit, *by)).collect();
        let targets: Vec<Target> = order.iter().map(|(visit, by)| target(visit, by)).collect();
        let trust = self.trust(paths, answers);
        let files: BTreeSet<PathBuf> = trust.1;
        let anchors = trust.0.of(&files);
        let around = Around {
            anchors: &anchors,
            cas: options.cas.as_deref(),
            now: self.clock.now_unix(),
        };
        let hear = |at: usize, news: News<'_>| {
            let Some((visit, _)) = order.get(at) else {
                return;
            };
            for (place, host) in shown.get(visit).into_iter().flatten() {
                match news {
                    News::Stage(seen) => told(*place, ProbeNews::Stage(host, visit, seen)),
                    News::Done(report) => {
                        let seen = judged(host, visit, Some(report), around);
                        told(*place, ProbeNews::Address(host, &seen));
                    }
                }
            }
        };
        let reports = self.wire.probe_each(&targets, options.budget, &hear);
        looks.keys().cloned().zip(reports).collect()
    }

    /// The system's anchors.
    fn trust(&self, paths: &[Journey<'_>], answers: &Answers) -> (Trust, BTreeSet<PathBuf>) {
        let mut trust = Trust::default();
        let none = Visits::new();
        let files = paths.first().map(|path| {
            let secure = Wanted {
                policy: Policy::of(Level::Secure),
                ..path.wanted.clone()
            };
            preflight::trust_files(&secure, answers, &none)
        });
        let files = files.unwrap_or_default();
        trust.read(&files, self.read);
        (trust, files)
    }

    fn judge(
        &self,
        paths: Vec<Journey<'_>>,
        answers: &Answers,
        visits: &Visits,
        told: Listener<'_>,
    ) -> Vec<Probed> {
        let mut trust = Trust::default();
        let known = Known {
            answers,
            visits,
            anchors: &[],
            unusable: &BTreeMap::new(),
            now: self.clock.now_unix(),
        };
        let judge = |(place, path)| {
            let probed = self.judge_one(path, known, &mut trust);
            told(place, ProbeNews::Done(&probed));
            probed
        };
        paths.into_iter().enumerate().map(judge).collect()
    }

    fn judge_one(&self, path: Journey<'_>, known: Known<'_>, trust: &mut Trust) -> Probed {
        let mut files = |wanted: &Wanted| {
            let files = preflight::trust_files(wanted, known.answers, known.visits);
            trust.read(&files, self.read);
            files
        };
        let (files, own_files) = (files(&path.wanted), path.own.as_ref().map(&mut files));
        let anchors = trust.of(&files);
        let known = Known {
            anchors: &anchors,
            ..known
        };
        let own_anchors = trust.of(&own_files.unwrap_or_default());
        let own = path.own.as_slice();
        let own_unusable = unusable(own, self.read);
        let own = own.first().map(|wanted| Own {
            wanted,
            known: Known {
                anchors: &own_anchors,
                unusable: &own_unusable,
                ..known
            },
        });
        let judged = Judged {
            target: path.target,
            wanted: &path.wanted,
            known,
            fetched: &path.fetched,
            own,
        };
        let hosts = seen(&path.wanted, path.hosts, known);
        let mut probed = probed::judge(judged, path.dns, hosts);
        probed.mta_sts.micros = path.sts.map(micros);
        probed
    }
}

/// The addresses of each host, judged one by one.
fn seen(
    wanted: &Wanted,
    hosts: Vec<RouteHost>,
    known: Known<'_>,
) -> Vec<(RouteHost, Vec<AddressProbed>)> {
    let around = Around {
        anchors: known.anchors,
        cas: wanted.client.trust.file.as_deref(),
        now: known.now,
    };
    let of = |host: RouteHost| {
        let all = host.addresses.as_deref().unwrap_or_default().iter();
        let one = |address: &SocketAddr| {
            let visit = wanted.visit(&host, *address);
            judged(&host, &visit, known.visits.get(&visit), around)
        };
        let seen = all.map(one).collect();
        (host, seen)
    };
    hosts.into_iter().map(of).collect()
}

fn judged(
    host: &RouteHost,
    visit: &Visit,
    report: Option<&Report>,
    around: Around<'_>,
) -> AddressProbed {
    probed::address(
        host,
        visit.address,
        visit.sni.clone(),
        report.cloned(),
        around,
    )
}

fn wanted(target: &ProbeTarget, client: Client) -> Wanted {
    Wanted {
        hop: target.hop.clone(),
        policy: Policy::of(Level::Secure),
        client,
    }
}

fn standard(listed: &HostsFile, target: &ProbeTarget, options: &ProbeOptions) -> Client {
    Client::standard(&looker(listed, target, options))
}

fn looker(listed: &HostsFile, target: &ProbeTarget, options: &ProbeOptions) -> Looker {
    const SMTP: u16 = 25;
    let usual = match target.hop.port {
        SMTP => "",
        _ => "hostname",
    };
    Looker {
        ehlo_name: options.ehlo_name.clone(),
        opening: target.opening,
        listed: listed.only(&target.hop.host),
        trust: TrustFiles::of(options.cas.clone()),
        servername: options.sni.clone().unwrap_or_else(|| usual.to_owned()),
        oldest_verified: oldest_verified(&postseal_probe::openssl_version()),
    }
}

fn told_of_dns(wanted: &Wanted, answers: &Answers, took: Duration) -> (DnsSeen, Vec<RouteHost>) {
    let (outcome, words, hosts) = match wanted.route(answers) {
        Route::To(hosts) => (Outcome::Pass, probed::route_words(&hosts), hosts),
        Route::NullMx => {
            let words = "it takes no mail (null MX, RFC 7505)".to_owned();
            (Outcome::Fail, words, Vec::new())
        }
        Route::Nothing => {
            let words = "it has neither a mail exchanger nor an address".to_owned();
            (Outcome::Fail, words, Vec::new())
        }
        Route::Unknown(why) => (Outcome::Undetermined, why, Vec::new()),
    };
    let seen = DnsSeen {
        outcome,
        words,
        micros: micros(took),
    };
    (seen, hosts)
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

//! Preflight: what a TLS policy would come to today at the servers of a next hop.
//!
//! Owns: which questions to DNS and which looks at servers tell it, as data; the judgement pass,
//! fail or *undetermined*; and the strongest policy that would work. Never: asks, connects, knows a
//! clock; takes silence for an answer: a server that could not be seen is undetermined, not
//! without TLS.
//!
//! `nexthop`, `client` and `bind` say what is asked about, `lookups` how names are looked up, `own` and
//! `disabled` what this host lacks, `way` where mail goes, `reached` what a look showed, `limits` what a handshake is
//! held to, `standard` and `route` are for looks at any server, `level`, `records` and `certificate` what a policy makes of it at one address, `whole`
//! what that means for the next hop, `findings` how it is said, `strongest` what to wish for instead.

mod bind;
mod certificate;
mod client;
mod codes;
pub(crate) mod disabled;
mod findings;
mod level;
mod limits;
mod lookups;
mod nexthop;
pub(crate) mod overlooked;
mod own;
mod reached;
mod records;
mod route;
mod standard;
mod strongest;
mod way;
mod whole;

use crate::dns::{Answers, Question};
use crate::finding::Finding;
use crate::report::{Handshake, Limits, Outcome, Report};
pub use bind::Bind;
pub(crate) use certificate::own_anchors as anchors_of;
pub use client::{
    Client, Families, Matches, Opening, Protocol, Protocols, SystemAnchors, TrustFiles,
};
pub use codes::UNDETERMINED;
pub(crate) use codes::{RULES, usual};
pub use limits::Ciphers;
pub(crate) use limits::{cipher_list, without_version};
pub use lookups::{Exchangers, Hosts, HostsFile, Lookups, NoDane};
use mailtls::policy::Policy;
use mailtls::{Anchors, Fingerprint, TlsVersion};
pub use nexthop::{Lookup, NextHop, NoNextHop};
pub use route::{Route, RouteHost};
use serde::{Deserialize, Serialize};
pub use standard::{HOSTS, Looker};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use way::Way;

/// What is asked: would this policy work towards this next hop?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The next hop.
    pub hop: NextHop,
    /// The policy.
    pub policy: Policy,
    /// Who would deliver.
    pub client: Client,
}

/// One look at one address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Visit {
    /// Where.
    pub address: SocketAddr,
    /// What is spoken.
    pub protocol: Protocol,
    /// How TLS begins.
    pub opening: Opening,
    /// The address of this host that it comes from; `None`: whatever the system takes.
    pub from: Option<IpAddr>,
    /// The server name that is asked for.
    pub sni: Option<String>,
    /// What the handshake is held to; `None`: to nothing.
    pub limits: Option<Limits>,
}

/// What was seen. A look that is missing was not made.
pub type Visits = BTreeMap<Visit, Report>;

/// The result. It can be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preflight {
    /// The next hop.
    pub nexthop: String,
    /// The transports of the clients that it was seen as; empty where that is not known.
    #[serde(default)]
    pub clients: Vec<String>,
    /// The policy, as Postfix reads it.
    pub policy: String,
    /// When, in seconds since 1970.
    pub at: i64,
    /// Whether mail would be delivered as the policy demands.
    pub outcome: Outcome,
    /// That, in a sentence.
    pub sentence: String,
    /// The hosts, the preferred first.
    pub hosts: Vec<HostSeen>,
    /// What is wrong, or could not be told.
    pub findings: Vec<Finding>,
    /// The strongest policy that would work.
    pub strongest: Strongest,
}

impl Preflight {
    /// Whether a rule with this policy would work: what was seen for another policy tells nothing.
    pub fn outcome_for(&self, policy: &str) -> Outcome {
        match self.policy == policy {
            true => self.outcome,
            false => Outcome::Undetermined,
        }
    }
}

/// A host that takes mail for a next hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSeen {
    /// Its name or address.
    pub name: String,
    /// Of its MX record; `None` where there is none.
    pub preference: Option<u16>,
    /// What DNSSEC says of its TLSA records.
    pub tlsa: TlsaSeen,
    /// Its addresses; empty where it has none.
    pub addresses: Vec<AddressSeen>,
    /// Why there are no addresses.
    pub trouble: Option<String>,
}

/// What DNSSEC says of the TLSA records of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsaSeen {
    /// There are none, or nobody vouches for them: DANE is not in play.
    None,
    /// There are some.
    Published,
    /// They could not be asked for.
    Failed,
}

/// One address, looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressSeen {
    /// Where.
    pub address: SocketAddr,
    /// Pass: mail is delivered as the policy demands.
    pub outcome: Outcome,
    /// How mail is delivered, where it is.
    pub delivery: Option<Delivery>,
    /// What was seen, in a few words.
    pub words: String,
    /// The version of the handshake.
    pub version: Option<TlsVersion>,
    /// SHA-256 of the certificate.
    pub fingerprint: Option<Fingerprint>,
}

/// How mail is delivered; the safest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Encrypted, to a server that proved who it is.
    Verified,
    /// Encrypted, to whoever answers.
    Encrypted,
    /// In cleartext.
    Clear,
    /// In cleartext, after a first attempt that fails (`minimal_backoff_time`).
    ClearLater,
}

/// Why mail would not be delivered at an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lack {
    /// `policy.no-starttls` and the like.
    pub(crate) code: &'static str,
    /// In words, about "it", the server.
    pub(crate) why: Cow<'static, str>,
}

impl Lack {
    pub(crate) fn new(code: &'static str, why: impl Into<Cow<'static, str>>) -> Self {
        let why = why.into();
        Self { code, why }
    }
}

/// The strongest policy that would work at every server seen, and why none that is stronger does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strongest {
    /// The policy; `None` where nothing can be said.
    pub policy: Option<String>,
    /// The stronger ones, the strongest first.
    pub stronger: Vec<Obstacle>,
}

/// Why a policy would not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// The policy.
    pub policy: String,
    /// In a sentence.
    pub why: String,
}

/// What is still to be asked of DNS; empty when all is known.
pub fn questions(wanted: &Wanted, answers: &Answers) -> Vec<Question> {
    way::questions(&wanted.hop, &wanted.client, answers)
}

/// The looks that tell what the policy would come to, and which is the strongest one.
pub fn visits(wanted: &Wanted, answers: &Answers) -> BTreeSet<Visit> {
    let Wanted { hop, client, .. } = wanted;
    let Way::To(hosts) = way::way(hop, client, answers) else {
        return BTreeSet::new();
    };
    let mut visits = BTreeSet::new();
    for peer in whole::reachable(&hosts, client) {
        let host = &peer.host.name;
        let held = |policy: &Policy| limits::limits(policy, client).ok().flatten();
        let by = |policy: Policy| {
            let sni = level::server_name(&policy, client, hop, host);
            let alone = limits::versions_alone(&policy, client);
            let alone = alone.map(|limits| (sni.clone(), Some(limits)));
            let usual = [(sni.clone(), None), (sni.clone(), held(&policy))];
            usual.into_iter().chain(alone)
        };
        // As this policy asks, and as those of the ladder do; and without limits, or with those of
        // versions alone, to tell what it is that a server lacks.
        let mut asks: BTreeSet<_> = level::faces(&wanted.policy)
            .into_iter()
            .flat_map(by)
            .collect();
        asks.extend(strongest::bare(&wanted.policy).into_iter().flat_map(by));
        if let TlsaSeen::Published = whole::tlsa(peer.host) {
            let base = Some(peer.host.base.clone());
            let [dane, ..] = strongest::bare(&wanted.policy);
            asks.extend([&wanted.policy, &dane].map(|policy| (base.clone(), held(policy))));
            asks.insert((base, None));
        }
        visits.extend(asks.into_iter().map(|(sni, limits)| Visit {
            address: SocketAddr::new(peer.address, hop.port),
            protocol: client.protocol,
            opening: client.opening,
            from: client.bind.to(peer.address),
            sni,
            limits,
        }));
    }
    visits
}

/// The files that hold the trust anchors which may count.
pub fn trust_files<'v>(
    wanted: &Wanted,
    answers: &Answers,
    visits: &'v Visits,
) -> BTreeSet<PathBuf> {
    let own = self::visits(wanted, answers);
    let seen = |visit: &Visit| {
        visits
            .get(visit)
            .and_then(|report| report.handshake.as_ref())
    };
    let handshakes: Vec<&'v Handshake> = own.iter().filter_map(seen).collect();
    certificate::trust_files(&wanted.client, &wanted.policy, handshakes.into_iter())
}

/// The files of anchors that smtp(8) must be able to use (`tafile=`): without one it delivers
/// nothing.
pub fn own_anchors(wanted: &Wanted) -> BTreeSet<PathBuf> {
    certificate::own_anchors(&wanted.client, &wanted.policy)
}

/// All that is known, to judge by.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What DNS said.
    pub answers: &'a Answers,
    /// What was seen.
    pub visits: &'a Visits,
    /// What the client trusts: the content of [`trust_files`].
    pub anchors: &'a [&'a Anchors],
    /// Files of anchors that smtp(8) cannot use, and why.
    pub unusable: &'a BTreeMap<PathBuf, String>,
    /// The time, in seconds since 1970.
    pub now: i64,
}

/// Judges.
pub fn judge(wanted: &Wanted, known: Known<'_>) -> Preflight {
    whole::judge(wanted, known, whole::Ladder::Climbed)
}

/// The same without the strongest policy, which takes most of the time.
pub(crate) fn judge_alone(wanted: &Wanted, known: Known<'_>) -> Preflight {
    whole::judge(wanted, known, whole::Ladder::LeftOut)
}

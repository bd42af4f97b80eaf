//! DANE for SMTP (RFC 7672) as far as it is this host's own: which names senders find it by, which
//! TLSA records they find there, and whether what is presented matches them.
//!
//! Owns: the questions to DNS, as data, and what the answers mean. Never: asks one; decides whether
//! a plan goes on (`rules::dane` does).

mod names;
mod places;

use crate::Finding;
use crate::dns::{Answer, Answers, Question, Records, Security, Ttl};
use crate::expect::{chains, keys, own_tables, speaker};
use crate::facts::Facts;
use crate::intent::Intent;
use crate::rules::{self, World};
use crate::view::{Service, View};
use mailtls::Certificate;
use mailtls::tlsa::{self, Peer, TlsaRecord, Verdict};
pub use names::MxNames;
pub use places::{Places, Standing};
use postfix_cf::{MainCf, MasterCf};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The ports whose records are looked at: senders', and those of mail clients.
const PORTS: [u16; 3] = [25, 465, 587];
/// The most questions of one round.
const MOST: usize = 120;

/// The names that senders find this host by. `given` takes their place where it is not empty.
pub fn mx_names(facts: &Facts, given: &[String]) -> MxNames {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    names::of(&View::new(&main, &master, facts), given)
}

pub(crate) fn mx_names_of(view: &View<'_>) -> MxNames {
    names::of(view, &[])
}

/// Whether the records of this host's names match what its files present (`dane.mismatch`), as far
/// as the facts hold what DNS says; and what could not be told (`dane.undetermined`).
pub fn findings(facts: &Facts, intent: &Intent, now_unix: i64) -> Vec<Finding> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let mut findings = Vec::new();
    let world = World::new(&main, &master, facts, intent, now_unix);
    rules::dane::in_force(&world, &mut findings);
    findings
}

/// A name and port that senders connect to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// A-labels, without a final dot.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

/// The ports that are asked about: where TLS is offered, and that of senders in any case.
pub(crate) fn asked_ports(view: &View<'_>) -> BTreeSet<u16> {
    let mut ports = ports(view);
    ports.insert(PORTS[0]);
    ports
}

/// What is still to be asked to know the records of this host's names as its files are;
/// empty when all is known. Each round of answers may lead to further questions.
pub fn questions(facts: &Facts, given: &[String]) -> Vec<Question> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let view = View::new(&main, &master, facts);
    asked(&view, &asked_ports(&view), given)
}

/// The same for the servers on these ports.
pub(crate) fn asked(view: &View<'_>, ports: &BTreeSet<u16>, given: &[String]) -> Vec<Question> {
    if ports.is_empty() {
        return Vec::new();
    }
    let dns = &view.facts().dns;
    let names = names::of(view, given);
    let mut wanted = names.questions;
    wanted.extend(tlsa_questions(dns, &names.hosts, ports));
    wanted.retain(|question| !dns.contains_key(question));
    wanted.truncate(MOST);
    wanted
}

/// What is still to be asked of an administrator's own maps of names, to know what senders are shown
/// that ask for these hosts: table by table, the keys.
pub fn server_names(facts: &Facts) -> BTreeMap<String, Vec<String>> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let hosts = facts.dns.keys().filter_map(|question| match question {
        Question::Addresses(host) => Some(host.as_str()),
        _ => None,
    });
    let keys: BTreeSet<&str> = hosts.flat_map(keys).collect();
    let tables = own_tables(&View::new(&main, &master, facts)).into_iter();
    let missing = tables.map(|table| {
        let known = facts.server_names.get(&table);
        let is_new = |key: &&&str| !known.is_some_and(|known| known.contains_key(**key));
        let keys = keys.iter().filter(is_new).map(|key| (*key).to_owned());
        (table, keys.collect())
    });
    missing
        .filter(|(_, keys): &(String, Vec<String>)| !keys.is_empty())
        .collect()
}

/// The records of these hosts at these ports.
fn tlsa_questions(dns: &Answers, hosts: &[String], ports: &BTreeSet<u16>) -> Vec<Question> {
    let mut wanted = Vec::new();
    for base in hosts.iter().flat_map(|host| bases(dns, host)) {
        wanted.extend(ports.iter().map(|port| Question::Tlsa {
            base: base.clone(),
            port: *port,
        }));
    }
    wanted
}

/// The ports of interest where a server offers TLS.
pub(crate) fn ports(view: &View<'_>) -> BTreeSet<u16> {
    let ports = view
        .servers()
        .filter(|service| view.offers_tls(speaker(view, service)))
        .filter_map(Service::port);
    ports.filter(|port| PORTS.contains(port)).collect()
}

/// Where the records of a host stand: at the name that a vouched-for alias leads to, else at its
/// own (RFC 7671 §7). Nowhere before its addresses are known.
pub(crate) fn bases(dns: &Answers, host: &str) -> Vec<String> {
    let Some(Ok(answer)) = dns.get(&Question::Addresses(host.to_owned())) else {
        return Vec::new();
    };
    let mut bases = vec![host.to_owned()];
    if answer.security == Security::Secure
        && answer.owner != host
        && let Some(target) = mailtls::host_name(&answer.owner)
    {
        bases.insert(0, target);
    }
    bases
}

/// What DNS says of the records of a name and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// DNSSEC vouches for these; where there are none, for that.
    Vouched(Found),
    /// The same, and DNSSEC does not vouch for it: senders make no use of them.
    Insecure(Found),
    /// It could not be found out.
    Failed(String),
    /// Nobody asked.
    NotAsked,
}

/// Records with the name they stand at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// `_25._tcp.mx.example.org.`
    pub owner: String,
    /// The records.
    pub records: Vec<TlsaRecord>,
    /// How long caches keep them.
    pub ttl: Option<Ttl>,
}

/// The records of a host and port, by these answers.
pub fn published(dns: &Answers, host: &str, port: u16) -> Published {
    if let Some(Err(why)) = dns.get(&Question::Addresses(host.to_owned())) {
        return Published::Failed(why.clone());
    }
    let mut last = Published::NotAsked;
    for base in bases(dns, host) {
        let owner = tlsa::owner_name(&base, port).unwrap_or_default();
        last = match dns.get(&Question::Tlsa { base, port }) {
            None => Published::NotAsked,
            Some(Err(why)) => Published::Failed(why.clone()),
            Some(Ok(answer)) => found(answer, owner),
        };
        let nothing = match &last {
            Published::Vouched(found) | Published::Insecure(found) => found.records.is_empty(),
            Published::Failed(_) | Published::NotAsked => false,
        };
        if !nothing {
            break;
        }
    }
    last
}

fn found(answer: &Answer, owner: String) -> Published {
    let records = match &answer.records {
        Records::Tlsa(records) => records.clone(),
        Records::Mx(_) | Records::Addresses(_) | Records::Txt(_) => Vec::new(),
    };
    let found = Found {
        owner,
        records,
        ttl: answer.ttl,
    };
    match answer.security {
        Security::Secure => Published::Vouched(found),
        Security::Insecure => Published::Insecure(found),
    }
}

/// What senders may be shown at a name and port.
#[derive(Clone, Debug)]
pub enum Presented {
    /// No server is there.
    Nobody,
    /// A server is there, and the files do not tell what it presents.
    Unknown,
    /// One of these chains; none at all where TLS is off or anonymous.
    Chains(Vec<Vec<Certificate>>),
}

/// What the servers of `view` present to a sender that found `host`, and asks for it.
pub(crate) fn presented(view: &View<'_>, intent: &Intent, host: &str, port: u16) -> Presented {
    presented_to(host, view, intent, (host, port))
}

/// The same to a client that asks for no name.
pub(crate) fn presented_unasked(
    view: &View<'_>,
    intent: &Intent,
    host: &str,
    port: u16,
) -> Presented {
    presented_to("", view, intent, (host, port))
}

fn presented_to(
    asked: &str,
    view: &View<'_>,
    intent: &Intent,
    (host, port): (&str, u16),
) -> Presented {
    let facts = view.facts();
    let all: Vec<&Service> = view
        .servers()
        .filter(|service| service.port() == Some(port))
        .collect();
    if all.is_empty() {
        return Presented::Nobody;
    }
    let addresses = addresses(facts, host);
    let at = |service: &&&Service| {
        let listens = view.addresses(service);
        listens.iter().any(|at| addresses.contains(&at.ip()))
    };
    // Behind a translating router no server has the address that DNS tells.
    let outside = |service: &&&Service| !view.on_loopback(service);
    let mut meant: Vec<&&Service> = all.iter().filter(at).collect();
    if meant.is_empty() {
        meant = all.iter().filter(outside).collect();
    }
    if meant.is_empty() {
        meant = all.iter().collect();
    }
    let mut presented: Vec<Vec<Certificate>> = Vec::new();
    for service in meant {
        let speaker = speaker(view, service);
        if !view.offers_tls(speaker) {
            return Presented::Chains(Vec::new());
        }
        match chains(view, speaker, facts, intent, asked) {
            None => return Presented::Unknown,
            Some(chains) if chains.is_empty() => return Presented::Chains(chains),
            Some(chains) => presented.extend(chains),
        }
    }
    Presented::Chains(presented)
}

/// The addresses that DNS gives a host.
fn addresses(facts: &Facts, host: &str) -> Vec<IpAddr> {
    match facts.dns.get(&Question::Addresses(host.to_owned())) {
        Some(Ok(Answer {
            records: Records::Addresses(addresses),
            ..
        })) => addresses.clone(),
        _ => Vec::new(),
    }
}

/// Whether every chain that may be presented satisfies the records. Records that SMTP can make no
/// use of ask for TLS and no more (RFC 7672 §2.2).
pub(crate) fn satisfied(
    records: &[TlsaRecord],
    chains: &[Vec<Certificate>],
    host: &str,
    now: i64,
) -> bool {
    let names = [host];
    let peer = Peer { names: &names, now };
    !chains.is_empty()
        && chains.iter().all(|chain| {
            matches!(
                tlsa::judge(records, chain, peer),
                Verdict::Match(_) | Verdict::NothingUsable | Verdict::Absent
            )
        })
}

//! Which hosts mail for a next hop is brought to, as far as DNS tells (RFC 5321 §5.1).
//!
//! Owns: the questions to DNS, as data, and what the answers mean to smtp(8). Never: asks one.
//! However many exchangers a domain names, only so many are looked at.

use super::client::{Client, Protocol};
use super::lookups::{Exchangers, Hosts};
use super::nexthop::{Lookup, NextHop};
use crate::dane::{self, Published};
use crate::dns::{Answer, Answers, Exchanger, Question, Records, Security};
use std::net::IpAddr;

/// More hosts of one domain are not looked at.
const MOST_HOSTS: usize = 100;
/// More addresses of one domain are not looked at.
pub(super) const MOST_ADDRESSES: usize = 32;

/// Where mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To these hosts, the preferred first.
    To(Vec<Host>),
    /// Nowhere: the domain says that it takes no mail (RFC 7505).
    NullMx,
    /// Nowhere: it has neither exchanger nor address.
    Nothing,
    /// Nowhere: its best exchanger is this very host.
    Itself,
    /// It could not be found out.
    Unknown(String),
}

/// A host that takes mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// Its name, or its address.
    pub(super) name: String,
    /// Of the MX record, where there is one.
    pub(super) preference: Option<u16>,
    /// Whether DNSSEC vouches for it being the host of this next hop.
    pub(super) named: Security,
    /// Whether DNSSEC vouches for its addresses.
    pub(super) located: Security,
    /// Its addresses.
    pub(super) addresses: Result<Vec<IpAddr>, String>,
    /// Its TLSA records, where senders would ask for them.
    pub(super) tlsa: Published,
    /// The name under which those stand.
    pub(super) base: String,
    /// What DANE-TA asks for beside that: the domain, where DNSSEC vouches for it (RFC 7672 §3.2.2).
    pub(super) domain: Option<String>,
}

/// What is still to be asked; empty when all is known.
pub(super) fn questions(hop: &NextHop, client: &Client, answers: &Answers) -> Vec<Question> {
    let mut wanted = Vec::new();
    if lookup(hop, client) == Lookup::Mx {
        wanted.push(Question::Mx(hop.host.clone()));
    }
    for (host, _) in names(hop, client, answers) {
        if client.lookups.hosts == Hosts::System || host.parse::<IpAddr>().is_ok() {
            continue;
        }
        let located = Question::Addresses(host.clone());
        if let Some(Ok(answer)) = answers.get(&located)
            && answer.security == Security::Secure
        {
            let at = |base| Question::Tlsa {
                base,
                port: hop.port,
            };
            wanted.extend(dane::bases(answers, &host).into_iter().map(at));
        }
        wanted.push(located);
    }
    wanted.retain(|question| !answers.contains_key(question));
    wanted
}

/// lmtp(8) looks no exchangers up, nor does smtp(8) without DNS.
fn lookup(hop: &NextHop, client: &Client) -> Lookup {
    match (hop.lookup, client.protocol, client.lookups.exchangers) {
        (Lookup::Mx, Protocol::Lmtp, _) | (Lookup::Mx, _, Exchangers::Ignored) => Lookup::Addresses,
        (lookup, _, _) => lookup,
    }
}

/// The hosts by name, with their preference; of many only the first.
fn names(hop: &NextHop, client: &Client, answers: &Answers) -> Vec<(String, Option<u16>)> {
    match lookup(hop, client) {
        Lookup::Literal(_) => Vec::new(),
        Lookup::Addresses => vec![(hop.host.clone(), None)],
        Lookup::Mx => match exchangers(hop, answers) {
            Some([]) => vec![(hop.host.clone(), None)],
            Some(all) => {
                let named = all.iter().filter(|mx| !mx.host.is_empty());
                let pair = |mx: &Exchanger| (mx.host.clone(), Some(mx.preference));
                named.take(MOST_HOSTS).map(pair).collect()
            }
            None => Vec::new(),
        },
    }
}

fn exchangers<'a>(hop: &NextHop, answers: &'a Answers) -> Option<&'a [Exchanger]> {
    match answers.get(&Question::Mx(hop.host.clone())) {
        Some(Ok(Answer {
            records: Records::Mx(all),
            ..
        })) => Some(all),
        _ => None,
    }
}

/// How many exchangers a domain names.
pub(super) fn count(hop: &NextHop, answers: &Answers) -> usize {
    exchangers(hop, answers).map_or(0, <[Exchanger]>::len)
}

/// The preferences of the exchangers that are not looked at.
pub(super) fn left_out(hop: &NextHop, answers: &Answers) -> Vec<u16> {
    let all = exchangers(hop, answers).unwrap_or_default().iter();
    let named = all.filter(|mx| !mx.host.is_empty());
    named.skip(MOST_HOSTS).map(|mx| mx.preference).collect()
}

/// Where mail goes, by these answers.
pub(super) fn way(hop: &NextHop, client: &Client, answers: &Answers) -> Way {
    let hosts = match hosts(hop, client, answers) {
        Ok(hosts) => hosts,
        Err(way) => return way,
    };
    match hosts.as_slice() {
        [] => Way::Nothing,
        [own] if own.preference.is_none() && own.addresses.as_deref() == Ok(&[]) => Way::Nothing,
        [own] if own.preference.is_none() && own.addresses.is_err() => {
            Way::Unknown(own.addresses.clone().err().unwrap_or_default())
        }
        _ => without_own(hop, client, hosts),
    }
}

fn hosts(hop: &NextHop, client: &Client, answers: &Answers) -> Result<Vec<Host>, Way> {
    if let Lookup::Literal(address) = hop.lookup {
        return Ok(vec![literal(&hop.host, address, None)]);
    }
    let named = named(hop, client, answers).map_err(Way::Unknown)?;
    let null = |all: &[Exchanger]| !all.is_empty() && all.iter().all(|mx| mx.host.is_empty());
    if lookup(hop, client) == Lookup::Mx && exchangers(hop, answers).is_some_and(null) {
        return Err(Way::NullMx);
    }
    let hosts = names(hop, client, answers).into_iter();
    Ok(hosts
        .map(|one| host(hop, client, answers, named, one))
        .collect())
}

/// At port 25 a host that is an exchanger itself brings mail only to those before it
/// (`smtp_truncate_self`).
fn without_own(hop: &NextHop, client: &Client, mut hosts: Vec<Host>) -> Way {
    let is_own = |host: &Host| {
        let addresses = host.addresses.as_deref().unwrap_or_default();
        addresses.iter().any(|address| client.own.contains(address))
    };
    let smtp = client.protocol == Protocol::Smtp && hop.port == 25;
    let own = hosts.iter().find(|host| smtp && is_own(host));
    if let Some(own) = own.map(|own| own.preference) {
        hosts.retain(|host| host.preference < own);
    }
    match hosts.is_empty() {
        true => Way::Itself,
        false => Way::To(hosts),
    }
}

/// Whether DNSSEC vouches for the exchangers of a domain; brackets vouch for themselves.
fn named(hop: &NextHop, client: &Client, answers: &Answers) -> Result<Security, String> {
    if lookup(hop, client) != Lookup::Mx {
        return Ok(Security::Secure);
    }
    match answers.get(&Question::Mx(hop.host.clone())) {
        Some(Ok(answer)) => Ok(answer.security),
        Some(Err(why)) => Err(why.clone()),
        None => Err("DNS was not asked".to_owned()),
    }
}

fn literal(name: &str, address: IpAddr, preference: Option<u16>) -> Host {
    Host {
        name: name.to_owned(),
        preference,
        named: Security::Insecure,
        located: Security::Insecure,
        addresses: Ok(vec![address]),
        tlsa: Published::NotAsked,
        base: name.to_owned(),
        domain: None,
    }
}

fn host(
    hop: &NextHop,
    client: &Client,
    answers: &Answers,
    named: Security,
    (name, preference): (String, Option<u16>),
) -> Host {
    if let Ok(address) = name.parse::<IpAddr>() {
        // An MX record that names an address: Postfix warns of it and goes there.
        return literal(&name, address, preference);
    }
    let (addresses, security) = located(&name, client, answers);
    let addresses = addresses.map(|all| usable(&all, client));
    // Of a host whose addresses are not vouched for nobody asks for the records (RFC 7672 §2.2.2).
    let tlsa = match security {
        Security::Secure => dane::published(answers, &name, hop.port),
        Security::Insecure => Published::NotAsked,
    };
    Host {
        base: base(&tlsa, hop.port).unwrap_or_else(|| name.clone()),
        domain: (named == Security::Secure).then(|| hop.host.clone()),
        name,
        preference,
        named,
        located: security,
        addresses,
        tlsa,
    }
}

/// All addresses of a host, and whether DNSSEC vouches for them.
fn located(
    name: &str,
    client: &Client,
    answers: &Answers,
) -> (Result<Vec<IpAddr>, String>, Security) {
    let answer = match answers.get(&Question::Addresses(name.to_owned())) {
        _ if client.lookups.hosts == Hosts::System => return by_system(name, client),
        Some(Ok(answer)) => answer,
        Some(Err(why)) => return (Err(why.clone()), Security::Insecure),
        None => return (Err("DNS was not asked".to_owned()), Security::Insecure),
    };
    let all = match &answer.records {
        Records::Addresses(all) => all.clone(),
        _ => Vec::new(),
    };
    // Where DNS could not answer, smtp(8) does not ask the system either.
    if all.is_empty() && client.lookups.hosts == Hosts::DnsThenSystem {
        return by_system(name, client);
    }
    (Ok(all), answer.security)
}

/// By the file that the system looks into first. What else it may ask is not known.
fn by_system(name: &str, client: &Client) -> (Result<Vec<IpAddr>, String>, Security) {
    let lookups = &client.lookups;
    let found = lookups.listed.addresses(name).map(<[IpAddr]>::to_vec);
    let found = found.ok_or_else(|| {
        format!(
            "this client asks the system for hosts (smtp_host_lookup, smtp_dns_support_level), {} \
             does not have {name}, and what else the system may ask was not asked",
            lookups.file.display()
        )
    });
    (found, Security::Insecure)
}

/// The host's name in the owner's name of its records.
fn base(tlsa: &Published, port: u16) -> Option<String> {
    let (Published::Vouched(found) | Published::Insecure(found)) = tlsa else {
        return None;
    };
    let rest = found.owner.strip_prefix(&format!("_{port}._tcp."))?;
    Some(rest.trim_end_matches('.').to_owned())
}

/// The addresses that are tried. One of a family in which this host has no way out is left aside
/// where there are others: smtp(8) fails there at once and goes on.
fn usable(all: &[IpAddr], client: &Client) -> Vec<IpAddr> {
    let spoken = all.iter().filter(|one| client.families.has(one));
    let spoken: Vec<IpAddr> = spoken.take(MOST_ADDRESSES).copied().collect();
    let reached = spoken
        .iter()
        .filter(|one| one.is_loopback() || client.reaches.has(one));
    let reached: Vec<IpAddr> = reached.copied().collect();
    match reached.is_empty() {
        true => spoken,
        false => reached,
    }
}

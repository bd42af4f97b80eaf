//! The names that senders find this host by.
//!
//! Owns: which domains are ours by name, and which of their mail exchangers are this host. Never:
//! lists what stands in a table; it says that it did not.

use crate::dns::{Answer, Question, Records};
use crate::view::View;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The parameters that name domains whose mail comes here.
const DOMAINS: [&str; 4] = [
    "mydestination",
    "virtual_mailbox_domains",
    "virtual_alias_domains",
    "relay_domains",
];
/// More domains than this are not asked for.
const MOST_DOMAINS: usize = 30;
/// More mail exchangers than this are not looked at.
const MOST_HOSTS: usize = 40;

/// The names that senders find this host by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MxNames {
    /// Host names, A-labels: `myhostname`, and the mail exchangers of our domains that are here.
    pub hosts: Vec<String>,
    /// What could not be listed or asked, in words.
    pub unlisted: Vec<String>,
    /// What to ask to know them.
    pub(crate) questions: Vec<Question>,
}

pub(super) fn of(view: &View<'_>, given: &[String]) -> MxNames {
    let mut names = MxNames::default();
    if !given.is_empty() {
        names.hosts = given.iter().filter_map(|name| host(name)).collect();
        let addresses = names.hosts.iter().cloned().map(Question::Addresses);
        names.questions = addresses.collect();
        return names;
    }
    names.hosts.extend(host(&view.value(None, "myhostname")));
    let own = names.hosts.iter().cloned().map(Question::Addresses);
    names.questions.extend(own);
    let mut exchangers = BTreeSet::new();
    for domain in domains(view, &mut names) {
        let question = Question::Mx(domain.clone());
        match view.facts().dns.get(&question) {
            Some(Ok(answer)) => exchangers.extend(mx_hosts(&domain, answer)),
            Some(Err(why)) => names.unlisted.push(format!("the MX of {domain}: {why}")),
            None => {}
        }
        names.questions.push(question);
    }
    here(view, exchangers, &mut names);
    names
}

/// Our domains that are said by name.
fn domains(view: &View<'_>, names: &mut MxNames) -> BTreeSet<String> {
    let mut domains = BTreeSet::new();
    for parameter in DOMAINS {
        let words = view.list(None, parameter);
        let tables = words.iter().filter(|word| word.contains(['/', ':']));
        let tables: Vec<String> = tables.cloned().collect();
        if !tables.is_empty() {
            let tables = tables.join(", ");
            names.unlisted.push(format!("{parameter}: {tables}"));
        }
        let literal = words.iter().filter(|word| !word.contains(['/', ':']));
        domains.extend(literal.filter_map(|word| host(word)));
    }
    let more = domains.len().saturating_sub(MOST_DOMAINS);
    if more > 0 {
        names.unlisted.push(format!("{more} more domains"));
    }
    domains.into_iter().take(MOST_DOMAINS).collect()
}

/// A host name that DNS may know: not `localhost`, not a single label.
fn host(word: &str) -> Option<String> {
    let name = mailtls::host_name(word)?;
    let local = name.starts_with("localhost.") || name.ends_with(".localdomain");
    (name.contains('.') && !local).then_some(name)
}

/// The mail exchangers; of a domain that names none, itself (RFC 5321 §5.1).
fn mx_hosts(domain: &str, answer: &Answer) -> Vec<String> {
    match &answer.records {
        Records::Mx(hosts) if hosts.is_empty() => vec![domain.to_owned()],
        Records::Mx(hosts) => hosts.iter().filter_map(|mx| host(&mx.host)).collect(),
        Records::Addresses(_) | Records::Tlsa(_) | Records::Txt(_) => Vec::new(),
    }
}

/// Of these hosts, those that have an address of this machine, or of `myhostname`: behind a
/// router only DNS knows the machine's.
fn here(view: &View<'_>, exchangers: BTreeSet<String>, names: &mut MxNames) {
    let facts = view.facts();
    let mut ours: Vec<IpAddr> = facts.addresses.clone();
    ours.extend(
        names
            .hosts
            .iter()
            .flat_map(|own| super::addresses(facts, own)),
    );
    let more = exchangers.len().saturating_sub(MOST_HOSTS);
    if more > 0 {
        names.unlisted.push(format!("{more} more mail exchangers"));
    }
    for exchanger in exchangers.into_iter().take(MOST_HOSTS) {
        if names.hosts.contains(&exchanger) {
            continue;
        }
        let question = Question::Addresses(exchanger.clone());
        match facts.dns.get(&question) {
            Some(Err(why)) => names.unlisted.push(format!("{exchanger}: {why}")),
            _ if super::addresses(facts, &exchanger)
                .iter()
                .any(|a| ours.contains(a)) =>
            {
                names.hosts.push(exchanger);
            }
            _ => {}
        }
        names.questions.push(question);
    }
}

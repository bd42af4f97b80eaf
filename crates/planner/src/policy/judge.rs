//! Whether a rule can ever apply.
//!
//! Owns: holding a rule against the next hops that its domain's mail really takes, and against the
//! tables that the service asks which sends it. Never: looks anything up (see [`crate::resolve`]),
//! or says it in words (`useless` does).
//!
//! Postfix looks policies up by next hop: a row for a domain whose mail leaves by a relay host does
//! nothing, and nothing says so. Nor does a row where the service that sends has
//! `-o smtp_tls_policy_maps=`.

use super::able::SMTP;
use super::fallback::Fallback;
use super::lead::{Lead, Leads, note};
use super::useless::{Cause, Useless};
use super::{Manager, Rule, RuleId};
use crate::compile::policies::{PARAMETER, is_policy_map};
use crate::explain::{Delivery, deliverer, listed_hops};
use crate::facts::Facts;
use crate::finding::Finding;
use crate::intent::{AdoptedTables, Named};
use crate::resolve::{Answers, Asked, Envelope, Resolution, Ways, resolve_in};
use crate::view::{Files, Service, View};
use mailtls::destination::Scope;

/// A recipient that no table will name.
const ANYBODY: &str = "anybody";
/// A name below a domain that no table will name.
const BELOW: &str = "any-name-below";
/// A domain that no table will name.
const ANYWHERE: &str = "any-domain.invalid";
pub(super) const WRAPPERMODE: &str = "smtp_tls_wrappermode";
/// What lmtp(8) asks.
pub(super) const OF_LMTP: &str = "lmtp_tls_policy_maps";

/// Where the rows of the rules stand, or will.
#[derive(Clone, Copy, Debug)]
pub enum Home<'a> {
    /// In the map of the rules, which takes the place of the adopted tables.
    Rules(Option<&'a AdoptedTables>),
    /// Where they stand now: in the adopted tables, as long as these answer.
    InForce(Option<&'a AdoptedTables>),
    /// In a table, as it is written in a value (`hash:/etc/postfix/tls_policy`).
    Table(&'a str),
}

/// What a rule meets, and what it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// What it does not meet; nothing where it will apply.
    pub useless: Vec<Useless>,
    /// The transports whose clients will go by it.
    pub clients: Vec<String>,
    /// Why some of the mail for its next hop does not: services that do not ask it.
    pub passed_by: Vec<Cause>,
    /// Where what its servers do not take may go in clear.
    pub fallbacks: Vec<Fallback>,
    /// Where no route names it: the next hops with the same host that routes do name.
    pub instead: Option<Vec<String>>,
    /// Where no route that is known names it: the tables that cannot be listed, and may.
    pub perhaps_in: Vec<String>,
    /// And those with the same host that routes which are known do name.
    pub near: Vec<String>,
    /// The transports among `clients` that begin in clear where TLS is expected from the first byte, and
    /// others wrap.
    pub late: Vec<String>,
    /// The transports by which the mail of the domain goes there that a managed rule is for, where TLS is
    /// expected from the first byte.
    pub own: Vec<String>,
    /// What leads there by those: its own mail, where some does.
    pub leads: Leads,
}

/// What rules meet, in their order.
pub fn judge_all(
    rules: &[&Rule],
    home: Home<'_>,
    facts: &Facts,
    answers: &Answers,
) -> Vec<Asked<Judged>> {
    let files = Files::of(facts);
    let view = files.view(facts);
    let judge = Judge {
        ways: &Ways::new(&view),
        home,
        answers,
    };
    rules.iter().map(|rule| judge.judged(rule)).collect()
}

impl Judged {
    /// Both halves of a rule may fail for one cause.
    pub(super) fn fails(&mut self, name: String, cause: Cause) {
        if self.useless.iter().all(|one| one.cause != cause) {
            self.useless.push(Useless { name, cause });
        }
    }

    /// The transport that goes there: one that asks the rules, where there is one.
    pub fn client(&self) -> Option<String> {
        let silent = self.useless.iter().find_map(|one| match &one.cause {
            Cause::NotAsked { service, .. } => service.strip_suffix("/unix"),
            _ => None,
        });
        let asks = self.clients.first().map(String::as_str);
        asks.or(silent).map(str::to_owned)
    }

    fn goes_by(&mut self, transport: String) {
        if !self.clients.contains(&transport) {
            self.clients.push(transport);
        }
    }
}

struct Judge<'a> {
    ways: &'a Ways<'a>,
    home: Home<'a>,
    answers: &'a Answers,
}

impl Judge<'_> {
    fn judged(&self, rule: &Rule) -> Asked<Judged> {
        let id = &rule.id.destination;
        if rule.is_for_next_hop() {
            return match self.next_hop(id) {
                Asked::Unanswered(question) => Asked::Unanswered(question),
                Asked::Answered(useless) => match self.own(rule) {
                    Asked::Unanswered(question) => Asked::Unanswered(question),
                    Asked::Answered((own, leads)) => Asked::Answered(Judged {
                        useless,
                        clients: vec![usual_client(id, self.ways.view())],
                        own,
                        leads,
                        ..Judged::default()
                    }),
                },
            };
        }
        let mut found = Judged::default();
        for name in names(rule) {
            match self.resolved(&name) {
                Asked::Unanswered(question) => return Asked::Unanswered(question),
                Asked::Answered(resolution) => match self.useless(&name, &resolution) {
                    Some(cause) => found.fails(name, cause),
                    None => found.goes_by(resolution.transport),
                },
            }
        }
        Asked::Answered(found)
    }

    fn resolved(&self, domain: &str) -> Asked<Resolution> {
        let recipient = format!("{ANYBODY}@{domain}");
        let envelope = Envelope {
            sender: "",
            recipient: &recipient,
        };
        resolve_in(self.ways, envelope, self.answers)
    }

    /// By which transports the mail goes there that a managed rule is for, where it matters how they begin.
    fn own(&self, rule: &Rule) -> Asked<(Vec<String>, Leads)> {
        let hop = &rule.id.destination;
        let (mut own, mut leads) = (Vec::new(), Leads::new());
        if !expects_tls(hop) {
            return Asked::Answered((own, leads));
        }
        for name in names_of_manager(rule) {
            let way = match self.resolved(&name) {
                Asked::Unanswered(question) => return Asked::Unanswered(question),
                Asked::Answered(way) => way,
            };
            let goes_there = hops(&way).any(|one| one.eq_ignore_ascii_case(hop));
            if way.failed.is_some() || !goes_there {
                continue;
            }
            if let Some(lead) = Lead::of(&way) {
                note(leads.entry(way.transport.clone()).or_default(), lead);
            }
            if !own.contains(&way.transport) {
                own.push(way.transport);
            }
        }
        Asked::Answered((own, leads))
    }

    /// Of a next hop only that is known by which everybody's mail leaves.
    fn next_hop(&self, hop: &str) -> Asked<Vec<Useless>> {
        let view = self.ways.view();
        let found = |cause| Useless {
            name: hop.to_owned(),
            cause,
        };
        if begins_in_clear(hop, view) {
            let cause = Cause::BeginsInClear {
                instead: None,
                leads: Vec::new(),
            };
            return Asked::Answered(vec![found(cause)]);
        }
        let own = |service: &Service| service.overrides.contains_key(PARAMETER);
        if !view.services.iter().any(own) {
            return Asked::Answered(Vec::new());
        }
        match self.resolved(ANYWHERE) {
            Asked::Unanswered(question) => Asked::Unanswered(question),
            Asked::Answered(resolution) => {
                let meets = hops(&resolution).any(|one| one.eq_ignore_ascii_case(hop));
                let cause = meets.then(|| self.not_asked(&resolution.transport));
                Asked::Answered(cause.flatten().into_iter().map(found).collect())
            }
        }
    }

    /// Why mail for `name` does not meet the rule.
    fn useless(&self, name: &str, resolution: &Resolution) -> Option<Cause> {
        if let Some(why) = &resolution.failed {
            return Some(Cause::TableFailed(why.clone()));
        }
        let delivery = deliverer(self.ways.view(), &resolution.transport);
        let is_socket = resolution.nexthop.starts_with("unix:");
        if is_socket || !matches!(delivery, Delivery::Smtp | Delivery::Lmtp) {
            return Some(taken_here(resolution));
        }
        if hops(resolution).any(|hop| hop.eq_ignore_ascii_case(name)) {
            return self.not_asked(&resolution.transport);
        }
        Some(Cause::OtherHop {
            hops: hops(resolution).map(str::to_owned).collect(),
            nexthop: resolution.nexthop.clone(),
            by: resolution.nexthop_by.clone(),
            not_asked: self.holds_back(resolution).map(Box::new),
        })
    }

    /// What is in the way of a rule for the next hops.
    fn holds_back(&self, resolution: &Resolution) -> Option<Cause> {
        let view = self.ways.view();
        let transport = &resolution.transport;
        let service = view.services.iter().find(|one| one.name == *transport);
        let wraps = view.is_yes(service, WRAPPERMODE);
        let waits = hops(resolution).any(expects_tls) && !wraps;
        waits
            .then(|| Cause::BeginsInClear {
                instead: wrapping(view).map(|one| one.name.clone()),
                leads: Lead::of(resolution).into_iter().collect(),
            })
            .or_else(|| self.not_asked(transport))
    }

    fn not_asked(&self, transport: &str) -> Option<Cause> {
        not_asked(self.ways.view(), self.home, transport)
    }
}

/// The service that sends, where it does not ask the rows.
pub(super) fn not_asked(view: &View<'_>, home: Home<'_>, transport: &str) -> Option<Cause> {
    let id = format!("{transport}/unix");
    let service = view.services.iter().find(|service| service.id == id)?;
    let parameter = match deliverer(view, transport) {
        Delivery::Lmtp => OF_LMTP,
        _ => PARAMETER,
    };
    (!asks(view, home, service, parameter)).then(|| Cause::NotAsked {
        own: service.overrides.get(parameter).cloned(),
        service: id,
        parameter,
    })
}

/// Whether a service asks the tables in which the rows stand, or will.
pub(super) fn asks(view: &View<'_>, home: Home<'_>, service: &Service, parameter: &str) -> bool {
    let asked = view.list(Some(service), parameter);
    let tables = match home {
        Home::Table(table) => {
            let table = view.expanded(None, table);
            return asked.contains(&table);
        }
        Home::InForce(Some(tables)) if tables.named == Named::Still => {
            let bare = |table: &String| table.strip_prefix("proxy:").unwrap_or(table).to_owned();
            let asked: Vec<String> = asked.iter().map(bare).collect();
            return tables.tables.iter().all(|one| asked.contains(&one.table));
        }
        Home::Rules(tables) | Home::InForce(tables) => tables,
    };
    if asked.iter().any(|table| is_policy_map(table)) {
        return true;
    }
    if parameter == OF_LMTP {
        let own = view.raw(Some(service), OF_LMTP).unwrap_or_default();
        return own.contains("smtp_tls_policy_maps");
    }
    // As `compile::policies` names the map there.
    match service.overrides.get(PARAMETER).map(|own| own.trim()) {
        None => true,
        Some("") => false,
        Some(own) => tables.is_none_or(|tables| tables.parted(own).is_some()),
    }
}

/// The names that stand for all whose mail a rule for a domain is to meet.
pub(super) fn names(rule: &Rule) -> Vec<String> {
    let domain = rule.id.destination.trim_start_matches('.');
    let below = || format!("{BELOW}.{domain}");
    match rule.scope() {
        Scope::Domain => vec![domain.to_owned()],
        Scope::Subdomains => vec![below()],
        Scope::Both => vec![domain.to_owned(), below()],
    }
}

/// The names that stand for the mail that a managed rule is for.
fn names_of_manager(rule: &Rule) -> Vec<String> {
    match Manager::of(&rule.id) {
        Some(Manager::Domain(domain)) => vec![domain],
        Some(Manager::Recipient(_)) => rule.followed().map_or_else(Vec::new, |one| names(&one)),
        Some(Manager::Passwords) | None => Vec::new(),
    }
}

fn taken_here(resolution: &Resolution) -> Cause {
    Cause::NotSent {
        transport: resolution.transport.clone(),
        by: resolution.transport_by.clone(),
    }
}

/// Mail that is not sent by SMTP meets no rule.
pub(super) fn not_sent(rule: &Rule, name: &str, resolution: &Resolution) -> Finding {
    let useless = Useless {
        name: name.to_owned(),
        cause: taken_here(resolution),
    };
    useless.finding(rule)
}

/// The next hops of a way.
fn hops(resolution: &Resolution) -> impl Iterator<Item = &str> {
    listed_hops(&resolution.nexthop)
}

/// A next hop that expects TLS from the first byte, where no client of this instance begins so.
fn begins_in_clear(hop: &str, view: &View<'_>) -> bool {
    let wraps = view.is_yes(None, WRAPPERMODE);
    expects_tls(hop) && !wraps && wrapping(view).is_none()
}

/// The client for a next hop that no route leads to: where TLS is expected from the first byte, one
/// that begins so.
pub(crate) fn usual_client(hop: &str, view: &View<'_>) -> String {
    let wrapping = expects_tls(hop).then(|| wrapping(view)).flatten();
    wrapping.map_or_else(|| SMTP.to_owned(), |client| client.name.clone())
}

/// Whether a next hop expects TLS from the first byte (port 465).
pub fn expects_tls(hop: &str) -> bool {
    let port = hop.rsplit_once(':').map_or("", |(_, port)| port);
    matches!(port, "465" | "smtps" | "submissions")
}

/// A client that begins with TLS.
pub(crate) fn wrapping<'v>(view: &'v View<'_>) -> Option<&'v Service> {
    let mut clients = view.services.iter().filter(|one| one.is_smtp_client());
    clients.find(|client| view.is_yes(Some(client), WRAPPERMODE))
}

/// A rule that covers another one's keys, so that both would write one: `.example.org`, and
/// `example.org` for both.
pub fn covered_by(rule: &Rule) -> Option<RuleId> {
    let id = &rule.id;
    let other = match id.destination.strip_prefix('.') {
        Some(domain) => domain.to_owned(),
        None if rule.scope() == Scope::Both => format!(".{}", id.destination),
        None => return None,
    };
    Some(RuleId {
        destination: other,
        manager: id.manager.clone(),
    })
}

#[cfg(test)]
mod tests;

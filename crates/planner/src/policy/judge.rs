//! Whether a rule can ever apply.
//!
//! Owns: holding a rule against the next hops that its domain's mail really takes. Never: looks
//! anything up (see [`crate::resolve`]).
//!
//! Postfix looks policies up by next hop: a row for a domain whose mail leaves by a relay host does
//! nothing, and nothing says so.

use super::{Rule, RuleId, faults};
use crate::PostfixVersion;
use crate::explain::{Delivery, deliverer};
use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::preflight::Client;
use crate::resolve::{Answers, Asked, Envelope, Resolution, Stop, Tables, Ways, resolve_in};
use crate::view::View;
use mailtls::destination::Scope;
use mailtls::policy::{Policy, PolicyError};
use postfix_cf::{MainCf, MasterCf};
use std::collections::{BTreeMap, BTreeSet};

/// The client for next hops that no route was asked about.
const SMTP: &str = "smtp";
/// A recipient that no table will name.
const ANYBODY: &str = "anybody";
/// A name below a domain that no table will name.
const BELOW: &str = "any-name-below";

/// What speaks against rules, in their order; nothing where one will apply.
pub fn judge_all(rules: &[&Rule], facts: &Facts, answers: &Answers) -> Vec<Asked<Vec<Finding>>> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let view = View::new(&main, &master, facts);
    let ways = Ways::new(&view);
    let mut judge = Judge {
        ways: &ways,
        answers,
        clients: BTreeMap::new(),
    };
    rules.iter().map(|rule| judge.judged(rule)).collect()
}

/// What speaks against policies, whatever their destinations, at the client `smtp`.
pub fn judge_policies(
    policies: &[String],
    facts: &Facts,
    answers: &Answers,
) -> Asked<Vec<Vec<Finding>>> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let view = View::new(&main, &master, facts);
    let client = Client::in_view(&view, SMTP);
    let mut all = Vec::new();
    for policy in policies {
        let of = "each of the rules";
        match of_client(policy, of, &client, facts, answers) {
            Asked::Answered(findings) => {
                let seen = findings.into_iter().map(|one| one.seen(policy.clone()));
                all.push(seen.collect());
            }
            Asked::Unanswered(question) => return Asked::Unanswered(question),
        }
    }
    Asked::Answered(all)
}

/// What is wrong with a policy at a client.
fn of_client(
    policy: &str,
    of: &str,
    client: &Client,
    facts: &Facts,
    answers: &Answers,
) -> Asked<Vec<Finding>> {
    let policy = match Policy::parse(policy, super::dialect(facts.version)) {
        Ok(policy) => policy,
        Err(error) => return Asked::Answered(vec![refused(policy, of, facts, &error)]),
    };
    match faults(&policy, of, client, &mut Tables::new(answers)) {
        Ok(findings) => Asked::Answered(findings),
        Err(Stop::Ask(question)) => Asked::Unanswered(question),
        // No table is asked.
        Err(Stop::Failed(_)) => Asked::Answered(Vec::new()),
    }
}

/// The rule was taken by another Postfix than the one that is installed now.
fn refused(policy: &str, of: &str, facts: &Facts, error: &PolicyError) -> Finding {
    let version = facts.version;
    Finding::new(
        "policy.row-refused",
        Severity::Fatal,
        format!(
            "Postfix {version} refuses the policy `{policy}` of {of}: {error}; mail is deferred."
        ),
        "`postseal policy edit … --without ATTRIBUTE` takes away what this version does not know.",
    )
}

/// Rules are judged one after another; a client is read once.
struct Judge<'a> {
    ways: &'a Ways<'a>,
    answers: &'a Answers,
    clients: BTreeMap<String, Client>,
}

impl Judge<'_> {
    fn judged(&mut self, rule: &Rule) -> Asked<Vec<Finding>> {
        let mut clients = BTreeSet::new();
        let mut findings = match judged(rule, self.ways, self.answers, &mut clients) {
            Asked::Answered(findings) => findings,
            ask => return ask,
        };
        let (view, shown) = (self.ways.view(), rule.id.shown());
        for transport in clients {
            let client = self.clients.entry(transport);
            let client = client.or_insert_with_key(|transport| Client::in_view(view, transport));
            match of_client(&rule.policy, &shown, client, view.facts(), self.answers) {
                Asked::Answered(wrong) => {
                    let row = format!("{shown} {}", rule.policy);
                    findings.extend(wrong.into_iter().map(|one| one.seen(row.clone())));
                }
                ask => return ask,
            }
        }
        // Two halves of a rule, or two clients, may fail for one cause.
        findings.dedup_by(|one, other| one.code == other.code && one.remedy == other.remedy);
        Asked::Answered(findings)
    }
}

/// What speaks against a rule's destination. `clients` gets the transports that would go by it.
fn judged(
    rule: &Rule,
    ways: &Ways<'_>,
    answers: &Answers,
    clients: &mut BTreeSet<String>,
) -> Asked<Vec<Finding>> {
    let id = &rule.id.destination;
    // What is managed is for a next hop.
    if id.starts_with('[') || id.contains(':') || !rule.id.manager.is_empty() {
        clients.insert(SMTP.to_owned());
        let wrong = begins_in_clear(rule, ways.view());
        return Asked::Answered(wrong.into_iter().collect());
    }
    let mut findings = Vec::new();
    for name in names(rule) {
        let recipient = format!("{ANYBODY}@{name}");
        let envelope = Envelope {
            sender: "",
            recipient: &recipient,
        };
        match resolve_in(ways, envelope, answers) {
            Asked::Unanswered(question) => return Asked::Unanswered(question),
            Asked::Answered(resolution) => match useless(rule, ways.view(), &name, &resolution) {
                Some(finding) => findings.push(finding),
                None => {
                    clients.insert(resolution.transport);
                }
            },
        }
    }
    Asked::Answered(findings)
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

/// A next hop that expects TLS from the first byte, where no client of this instance begins so.
fn begins_in_clear(rule: &Rule, view: &View<'_>) -> Option<Finding> {
    let id = &rule.id.destination;
    let port = id.rsplit_once(':').map_or("", |(_, port)| port);
    if !matches!(port, "465" | "smtps" | "submissions") {
        return None;
    }
    let clients = view.services.iter().filter(|one| one.is_smtp_client());
    let wraps = |service| view.is_yes(service, "smtp_tls_wrappermode");
    if wraps(None) || clients.map(Some).any(wraps) {
        return None;
    }
    Some(
        Finding::new(
            "policy.no-wrappermode",
            Severity::Error,
            format!(
                "{id} expects TLS from the first byte, and every smtp(8) of this instance begins in \
                 clear: no mail can be delivered there."
            ),
            "Send it by a service of master.cf with -o smtp_tls_wrappermode=yes and -o \
             smtp_tls_security_level=encrypt: `postseal domain add … --smtps` makes it.",
        )
        .seen(format!("{id} {}", rule.policy)),
    )
}

/// Why mail for `name` does not meet the rule.
fn useless(rule: &Rule, view: &View<'_>, name: &str, resolution: &Resolution) -> Option<Finding> {
    if let Some(why) = &resolution.failed {
        return Some(crate::explain::table_failed(why));
    }
    let delivery = deliverer(view, &resolution.transport);
    if !matches!(delivery, Delivery::Smtp | Delivery::Lmtp) {
        return Some(not_sent(rule, name, resolution));
    }
    let nexthop = &resolution.nexthop;
    if nexthop.starts_with("unix:") {
        return Some(not_sent(rule, name, resolution));
    }
    let hops: Vec<&str> = nexthop
        .strip_prefix("inet:")
        .unwrap_or(nexthop)
        .split([',', ' ', '\t'])
        .filter(|hop| !hop.is_empty())
        .collect();
    let meets = |hop: &&str| hop.eq_ignore_ascii_case(name);
    if hops.iter().any(meets) {
        return None;
    }
    let version = view.facts().version;
    let remedy = offer(rule, &hops, version, resolution);
    Some(other_hop(rule, name, resolution, &hops, remedy))
}

/// The commands that make the rules which would apply; where Postfix looks up what no rule can be
/// for (`relay.example.net:submission`), what to write in its place.
fn offer(rule: &Rule, hops: &[&str], version: PostfixVersion, way: &Resolution) -> String {
    let dialect = super::dialect(version);
    let fits = |hop: &&&str| Rule::new(hop, None, &rule.policy, dialect).is_ok();
    let (good, bad): (Vec<&str>, Vec<&str>) = hops.iter().partition(|hop| fits(hop));
    let command = |hop: &&str| format!("`postseal policy add '{hop}' {}`", words(&rule.policy));
    let commands: Vec<String> = good.iter().map(command).collect();
    match commands.is_empty() {
        false => format!(
            "Make the rule for the next hop: {}. It is for all mail that leaves by it. Or let the \
             rule follow the mail: `postseal policy add '{}' {} --follow`.",
            commands.join(", "),
            rule.id.shown(),
            words(&rule.policy)
        ),
        true => format!(
            "Write {} with its port as a number in {}, then make the rule for that next hop.",
            bad.join(", "),
            way.nexthop_by
        ),
    }
}

/// A policy as the words of `policy add`.
fn words(policy: &str) -> String {
    let mut words = policy.split(' ');
    let level = words.next().unwrap_or_default().to_owned();
    words.fold(level, |text, word| format!("{text} --attribute '{word}'"))
}

fn other_hop(
    rule: &Rule,
    name: &str,
    resolution: &Resolution,
    hops: &[&str],
    remedy: String,
) -> Finding {
    Finding::new(
        "policy.never-matches",
        Severity::Error,
        format!(
            "A rule for {} would do nothing: mail for {name} leaves by {} ({}), and Postfix looks \
             policies up by next hop.",
            rule.id.shown(),
            hops.join(", "),
            resolution.nexthop_by,
        ),
        remedy,
    )
    .seen(format!("{}: {}", resolution.nexthop_by, resolution.nexthop))
}

pub(super) fn not_sent(rule: &Rule, name: &str, resolution: &Resolution) -> Finding {
    Finding::new(
        "policy.never-matches",
        Severity::Error,
        format!(
            "A rule for {} would do nothing: mail for {name} is not sent by SMTP, but taken by {} \
             ({}).",
            rule.id.shown(),
            resolution.transport,
            resolution.transport_by,
        ),
        format!("`postseal explain {name}` shows its way."),
    )
    .seen(format!(
        "{}: {}",
        resolution.transport_by, resolution.transport
    ))
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

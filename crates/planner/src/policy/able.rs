//! Whether the clients that go by a rule can keep it, whoever the server is.
//!
//! Owns: which client a policy is held against, and each pair of both only once. Never: says what is
//! wrong (`faults` does), or looks anything up (see [`crate::resolve`]).

use super::judge::{Home, Judged, OF_LMTP, WRAPPERMODE, asks, not_asked};
use super::late::own_late;
use super::{Cause, Rule, faults};
use crate::compile::policies::PARAMETER;
use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::intent::AdoptedTables;
use crate::preflight::Client;
use crate::resolve::{Answers, Asked, Stop, Tables};
use crate::view::{Files, Service, View};
use mailtls::policy::{Policy, PolicyError};
use std::collections::{BTreeMap, BTreeSet};

/// The client for next hops that no route was asked about.
pub(super) const SMTP: &str = "smtp";

/// What speaks against rules at the clients that would go by them, in their order.
pub fn faults_all(
    rules: &[(&Rule, &Judged)],
    facts: &Facts,
    answers: &Answers,
) -> Vec<Asked<Vec<Finding>>> {
    let files = Files::of(facts);
    let view = files.view(facts);
    let mut able = Able::new(&view, answers);
    let rules = rules.iter();
    rules
        .map(|(rule, judged)| able.rule(rule, judged))
        .collect()
}

/// Those of some policies that one of the clients which ask the rules could not keep. Whether mail of
/// such a rule goes by that client is another question.
pub fn unkept(
    policies: &[String],
    tables: Option<&AdoptedTables>,
    facts: &Facts,
    answers: &Answers,
) -> Asked<Vec<String>> {
    let files = Files::of(facts);
    let view = files.view(facts);
    let clients = unlike(&view, tables);
    let mut able = Able::new(&view, answers);
    let mut all = Vec::new();
    for policy in policies {
        for client in &clients {
            match able.policy(policy, "", client) {
                Asked::Answered(findings) if findings.is_empty() => {}
                Asked::Answered(_) => {
                    all.push(policy.clone());
                    break;
                }
                Asked::Unanswered(question) => return Asked::Unanswered(question),
            }
        }
    }
    Asked::Answered(all)
}

/// The clients, by whether they ask the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Askers {
    /// The names of the transports of those that do.
    pub transports: BTreeSet<String>,
    /// Whether they are alike: then it does not matter which of them a message goes by.
    pub are_alike: bool,
    /// The names of those that begin with TLS (`smtp_tls_wrappermode`).
    pub(super) wrapping: BTreeSet<String>,
    /// The names of those that do not ask, and why.
    pub(super) silent: BTreeMap<String, Cause>,
}

impl Askers {
    /// Whether it matters by which of the clients mail goes to a next hop. lmtp(8) is no reason to
    /// list routes: few send to next hops of rules by it.
    pub fn differ(&self) -> bool {
        let own = |cause: &Cause| !matches!(cause, Cause::NotAsked { own: None, parameter, .. } if *parameter == OF_LMTP);
        !self.are_alike || self.silent.values().any(own)
    }
}

/// The clients, by whether they ask the rules, or the table.
pub fn askers(home: Home<'_>, facts: &Facts) -> Askers {
    let files = Files::of(facts);
    let view = files.view(facts);
    let services = asking(&view, home);
    let first = services.clone().next();
    let first = first.map(|one| Client::in_view(&view, &one.name));
    let like = |one: &Service| Some(Client::in_view(&view, &one.name)) == first;
    let wraps = |one: &&Service| view.is_yes(Some(one), WRAPPERMODE);
    let silent = clients(&view).filter_map(|(one, _)| {
        let cause = not_asked(&view, home, &one.name)?;
        Some((one.name.clone(), cause))
    });
    Askers {
        are_alike: services.clone().all(like),
        wrapping: services
            .clone()
            .filter(wraps)
            .map(|one| one.name.clone())
            .collect(),
        transports: services.map(|one| one.name.clone()).collect(),
        silent: silent.collect(),
    }
}

/// The services that send mail, and what names the tables that each asks.
fn clients<'v>(view: &'v View<'_>) -> impl Iterator<Item = (&'v Service, &'static str)> + Clone {
    view.services.iter().filter_map(|one| {
        let parameter = match (one.kind.as_str(), one.command.as_str()) {
            ("unix", "smtp") => PARAMETER,
            ("unix", "lmtp") => OF_LMTP,
            _ => return None,
        };
        Some((one, parameter))
    })
}

pub(super) fn asking<'v>(
    view: &'v View<'_>,
    home: Home<'v>,
) -> impl Iterator<Item = &'v Service> + Clone {
    let clients = clients(view);
    clients.filter_map(move |(one, parameter)| asks(view, home, one, parameter).then_some(one))
}

/// Of the clients that ask the rules, and are alike, one.
fn unlike(view: &View<'_>, tables: Option<&AdoptedTables>) -> Vec<String> {
    let mut found: Vec<(String, Client)> = Vec::new();
    for service in asking(view, Home::Rules(tables)) {
        let client = Client::in_view(view, &service.name);
        if found.iter().all(|(_, known)| *known != client) {
            found.push((service.name.clone(), client));
        }
    }
    if found.is_empty() {
        return vec![SMTP.to_owned()];
    }
    found.into_iter().map(|(name, _)| name).collect()
}

/// A client is read once, and a policy that it can keep is held against it once: of a million rules
/// most have one of a few.
struct Able<'a> {
    view: &'a View<'a>,
    answers: &'a Answers,
    clients: BTreeMap<String, Client>,
    kept: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Able<'a> {
    fn new(view: &'a View<'a>, answers: &'a Answers) -> Self {
        Self {
            view,
            answers,
            clients: BTreeMap::new(),
            kept: BTreeMap::new(),
        }
    }

    fn rule(&mut self, rule: &Rule, judged: &Judged) -> Asked<Vec<Finding>> {
        let mut findings: Vec<Finding> = Vec::new();
        findings.extend(in_clear(rule, judged));
        for transport in &judged.clients {
            if self.is_kept(&rule.policy, transport) {
                continue;
            }
            let shown = rule.id.shown();
            match self.policy(&rule.policy, &shown, transport) {
                Asked::Answered(wrong) => {
                    let row = format!("{shown} {}", rule.policy);
                    findings.extend(wrong.into_iter().map(|one| one.seen(row.clone())));
                }
                ask => return ask,
            }
        }
        // Two clients may fail for one cause.
        findings.dedup_by(|one, other| one.code == other.code && one.remedy == other.remedy);
        Asked::Answered(findings)
    }

    fn is_kept(&self, policy: &str, transport: &str) -> bool {
        let kept = self.kept.get(transport);
        kept.is_some_and(|policies| policies.contains(policy))
    }

    /// What is wrong with a policy at a client.
    fn policy(&mut self, policy: &str, of: &str, transport: &str) -> Asked<Vec<Finding>> {
        let facts = self.view.facts();
        let parsed = match Policy::parse(policy, super::dialect(facts.version)) {
            Ok(parsed) => parsed,
            Err(error) => return Asked::Answered(vec![refused(policy, of, facts, &error)]),
        };
        let view = self.view;
        let client = self.clients.entry(transport.to_owned());
        let client = client.or_insert_with_key(|transport| Client::in_view(view, transport));
        match faults(&parsed, of, client, &mut Tables::new(self.answers)) {
            Ok(findings) => {
                if findings.is_empty() {
                    let kept = self.kept.entry(transport.to_owned()).or_default();
                    kept.insert(policy.to_owned());
                }
                Asked::Answered(findings)
            }
            Err(Stop::Ask(question)) => Asked::Unanswered(question),
            // No table is asked.
            Err(Stop::Failed(_)) => Asked::Answered(Vec::new()),
        }
    }
}

/// The client that begins in clear and takes the rule's own mail. An entry for such a next hop is made
/// before its route is.
fn in_clear(rule: &Rule, judged: &Judged) -> Option<Finding> {
    let is_early = rule.about.entry.is_some_and(|entry| entry.smtps);
    (!is_early).then(|| own_late(rule, judged)).flatten()
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

#[cfg(test)]
mod tests;

//! Whether the clients that go by a rule can keep it, whoever the server is.
//!
//! Owns: which client a policy is held against, and each pair of both only once. Never: says what is
//! wrong (`faults` does), or looks anything up (see [`crate::resolve`]).

use super::judge::Judged;
use super::{Rule, faults};
use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::preflight::Client;
use crate::resolve::{Answers, Asked, Stop, Tables};
use crate::view::View;
use mailtls::policy::{Policy, PolicyError};
use postfix_cf::{MainCf, MasterCf};
use std::collections::{BTreeMap, BTreeSet};

/// The client for next hops that no route was asked about.
pub(super) const SMTP: &str = "smtp";

/// What speaks against rules at the clients that would go by them, in their order.
pub fn faults_all(
    rules: &[(&Rule, &Judged)],
    facts: &Facts,
    answers: &Answers,
) -> Vec<Asked<Vec<Finding>>> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let view = View::new(&main, &master, facts);
    let mut able = Able::new(&view, answers);
    let rules = rules.iter();
    rules
        .map(|(rule, judged)| able.rule(rule, judged))
        .collect()
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
    let mut able = Able::new(&view, answers);
    let mut all = Vec::new();
    for policy in policies {
        match able.policy(policy, "each of the rules", SMTP) {
            Asked::Answered(findings) => {
                let seen = findings.into_iter().map(|one| one.seen(policy.clone()));
                all.push(seen.collect());
            }
            Asked::Unanswered(question) => return Asked::Unanswered(question),
        }
    }
    Asked::Answered(all)
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

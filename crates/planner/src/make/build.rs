//! From the files as they are and as they shall be, to a plan.
//!
//! Owns: judging before against after, and putting the plan together. Never: decides what the
//! files shall be. Plans, rollbacks and restored drift all end here, so all are judged alike.

use super::{installs, order, sentences};
use crate::compile::Files;
use crate::expect;
use crate::facts::Facts;
use crate::intent::{Intent, Outbound};
use crate::plan::{Base, Cf, Confirmation, Edit, OutboundChange, PlanFinding};
use crate::report::{ServiceExpectation, WireExpectation};
use crate::rules::{self, World};
use crate::view::View;
use crate::{Digest, Finding, Plan, Refusal, Severity, diff, owned};
use mailtls::{ProtocolList, RangeSyntax, TlsVersion};
use postfix_cf::{MainCf, MasterCf};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A change of the files, whatever it comes from.
pub(crate) struct Change<'a> {
    /// What they become.
    pub(crate) files: Files,
    /// What becomes desired.
    pub(crate) intent: &'a Intent,
    /// What is in force.
    pub(crate) in_force: &'a Intent,
    /// The operation it builds on.
    pub(crate) parent: Option<u64>,
    /// What new errors mean.
    pub(crate) errors: Errors,
}

/// What errors mean that the files do not have now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errors {
    /// No plan: it would bring them.
    Refuse,
    /// They were there before the operation that is undone; the way back is never barred.
    Show,
}

/// A pair of files, parsed.
pub(crate) struct Parsed {
    pub(crate) main: MainCf,
    pub(crate) master: MasterCf,
}

impl Parsed {
    pub(crate) fn of(main: &[u8], master: &[u8]) -> Self {
        Self {
            main: MainCf::parse(main),
            master: MasterCf::parse(master),
        }
    }

    fn world<'a>(&'a self, facts: &'a Facts, intent: &'a Intent, now: i64) -> World<'a> {
        World::new(&self.main, &self.master, facts, intent, now)
    }
}

/// The files before and after.
pub(super) struct Pairs {
    pub(super) before: Parsed,
    pub(super) after: Parsed,
}

/// The plan of a change.
pub(crate) fn build(change: &Change<'_>, facts: &Facts, now_unix: i64) -> Result<Plan, Refusal> {
    let pairs = Pairs {
        before: Parsed::of(&facts.main_cf.bytes, &facts.master_cf.bytes),
        after: Parsed::of(&change.files.main, &change.files.master),
    };
    let findings = judged(change, &pairs, facts, now_unix)?;
    let edits = edits(&change.files, facts);
    let installs = installs::steps(&pairs.after, change.intent, facts);
    let steps = order::steps(change, &pairs, facts, &edits, installs, now_unix)?;
    let mut plan = Plan {
        format: 1,
        id: Digest::of(b""),
        parent: change.parent,
        intent: change.intent.clone(),
        earlier: change.in_force.clone(),
        base: Base {
            main_cf: facts.main_cf.digest,
            master_cf: facts.master_cf.digest,
        },
        edits,
        steps,
        expectations: expectations(change, &pairs, facts),
        outbound: outbound(&pairs, facts),
        confirmations: confirmations(change, &pairs, facts),
        findings,
        sentences: Vec::new(),
    };
    plan.sentences = sentences::of(&plan, &pairs, facts);
    plan.id = id(&plan);
    Ok(plan)
}

/// The findings of the result, those that were so before marked; a refusal where an error is new.
fn judged(
    change: &Change<'_>,
    pairs: &Pairs,
    facts: &Facts,
    now_unix: i64,
) -> Result<Vec<PlanFinding>, Refusal> {
    let before = found(&pairs.before, facts, change.in_force, now_unix);
    let unchanged = change.files.main == facts.main_cf.bytes
        && change.files.master == facts.master_cf.bytes
        && change.intent.bindings == change.in_force.bindings;
    let after = match unchanged {
        true => before.clone(),
        false => {
            let mut after = found(&pairs.after, facts, change.intent, now_unix);
            let now = pairs.before.world(facts, change.in_force, now_unix);
            let then = pairs.after.world(facts, change.intent, now_unix);
            rules::dane::compare(&now, &then, &mut after);
            rules::kinds::compare(&now, &then, &mut after);
            rules::names::compare(&now, &then, &mut after);
            after
        }
    };
    let new = news(&before, &after);
    let barred: Vec<Finding> = match change.errors {
        Errors::Refuse => new.clone(),
        // What cannot be carried out bars the way back too.
        Errors::Show => new
            .iter()
            .filter(|finding| finding.code == "cert.unknown")
            .cloned()
            .collect(),
    };
    if !barred.is_empty() {
        return Err(Refusal { findings: barred });
    }
    let judged = after.into_iter().map(|finding| PlanFinding {
        was_so_before: before.iter().any(|old| same(old, &finding)),
        finding,
    });
    Ok(judged.collect())
}

pub(super) fn found(files: &Parsed, facts: &Facts, intent: &Intent, now: i64) -> Vec<Finding> {
    rules::findings(&files.world(facts, intent, now))
}

/// The errors that were not there before.
pub(super) fn news(before: &[Finding], after: &[Finding]) -> Vec<Finding> {
    after
        .iter()
        .filter(|finding| finding.severity >= Severity::Error)
        .filter(|finding| !before.iter().any(|old| same(old, finding)))
        .cloned()
        .collect()
}

/// The same matter, no worse than it was. Line numbers do not count: an edit moves them.
fn same(old: &Finding, new: &Finding) -> bool {
    let texts = |finding: &Finding| -> Vec<String> {
        finding
            .evidence
            .iter()
            .map(|evidence| evidence.text.clone())
            .collect()
    };
    old.code == new.code
        && old.severity >= new.severity
        && old.message == new.message
        && texts(old) == texts(new)
}

fn edits(files: &Files, facts: &Facts) -> Vec<Edit> {
    let both = [
        (Cf::Main, "main.cf", &facts.main_cf, &files.main),
        (Cf::Master, "master.cf", &facts.master_cf, &files.master),
    ];
    both.into_iter()
        .filter(|(_, _, before, after)| before.bytes != **after)
        .map(|(file, name, before, after)| Edit {
            file,
            before: before.digest,
            after: Digest::of(after),
            diff: diff::unified(name, &before.bytes, after),
            bytes: after.clone(),
        })
        .collect()
}

/// What the files promise, and silence where a service is gone.
fn expectations(change: &Change<'_>, pairs: &Pairs, facts: &Facts) -> Vec<ServiceExpectation> {
    let after = View::new(&pairs.after.main, &pairs.after.master, facts);
    let before = View::new(&pairs.before.main, &pairs.before.master, facts);
    let mut expected = expect::of_view(&after, facts, change.intent);
    let open: BTreeSet<_> = after
        .servers()
        .flat_map(|service| after.addresses(service))
        .collect();
    for service in before.servers() {
        let gone: Vec<_> = before
            .addresses(service)
            .into_iter()
            .filter(|address| !open.contains(address))
            .collect();
        let replaced = after.services.iter().any(|other| other.id == service.id);
        if !replaced && !gone.is_empty() {
            expected.push(ServiceExpectation {
                service: service.id.clone(),
                addresses: gone,
                wire: WireExpectation::Closed,
            });
        }
    }
    expected
}

/// Whether deliveries may change: a parameter of the client, or one of both directions.
fn outbound(pairs: &Pairs, facts: &Facts) -> OutboundChange {
    let before = owned::read(&pairs.before.main, &pairs.before.master);
    let after = owned::read(&pairs.after.main, &pairs.after.master);
    let of_server = |name: &str| name.starts_with("tls_server_");
    let touches =
        |name: &str| name.starts_with("smtp_") || (name.starts_with("tls_") && !of_server(name));
    let changed = owned::drift(&before, &after)
        .iter()
        .any(|change| touches(&change.parameter));
    let view = View::new(&pairs.after.main, &pairs.after.master, facts);
    match (changed, level(&view.client_level(None))) {
        (true, Some(level)) => OutboundChange::Rehearse { level },
        _ => OutboundChange::None,
    }
}

/// Not `fingerprint`: no peer of a rehearsal can have the fingerprints that are asked for.
fn level(word: &str) -> Option<Outbound> {
    [
        Outbound::Off,
        Outbound::May,
        Outbound::Encrypt,
        Outbound::Dane,
        Outbound::DaneOnly,
        Outbound::Verify,
        Outbound::Secure,
    ]
    .into_iter()
    .find(|level| level.postfix_name() == word)
}

/// What is risky and new, and has to be typed. An address that is private may still be reached
/// from the Internet through a translation, so every address but loopback counts.
fn confirmations(change: &Change<'_>, pairs: &Pairs, facts: &Facts) -> Vec<Confirmation> {
    let before = View::new(&pairs.before.main, &pairs.before.master, facts);
    let after = View::new(&pairs.after.main, &pairs.after.master, facts);
    let reachable = |ip: IpAddr| !ip.is_loopback();
    let demands = |view: &View<'_>| {
        rules::public_mx(view, reachable)
            .into_iter()
            .any(|service| view.demands_tls(expect::speaker(view, service)))
    };
    let anonymous = |view: &View<'_>| {
        rules::public_mx(view, reachable)
            .into_iter()
            .any(|service| {
                let speaker = expect::speaker(view, service);
                view.offers_tls(speaker)
                    && expect::configured(view, speaker, facts) == expect::Configured::Anonymous
            })
    };
    let answer = after.value(None, "myhostname");
    let mut needed = Vec::new();
    if demands(&after) && !demands(&before) {
        needed.push(Confirmation {
            code: "inbound.mandatory-on-public-port-25".to_owned(),
            answer: answer.clone(),
            message: "Port 25 would refuse every sender that cannot use TLS: their mail is lost \
                      to you. RFC 3207 §4 forbids it for public servers."
                .to_owned(),
        });
    }
    if anonymous(&after) && !anonymous(&before) {
        needed.push(Confirmation {
            code: "inbound.anonymous-certificate".to_owned(),
            answer,
            message: "Without a certificate, senders on the Internet cannot use TLS; confirm that \
                      port 25 is reachable from a closed network only."
                .to_owned(),
        });
    }
    needed.extend(only_newest(change, &before, &after));
    needed
}

/// A profile that leaves a public port 25 with TLS 1.3 alone: many senders would come in
/// clear. Milder ones are warned of.
fn only_newest(change: &Change<'_>, before: &View<'_>, after: &View<'_>) -> Option<Confirmation> {
    let reachable = |ip: IpAddr| !ip.is_loopback();
    let only = |view: &View<'_>, intent: &Intent| {
        let unfit = rules::profile::unfit(view, intent, reachable);
        unfit.filter(|_| {
            let text = view.value(None, "smtpd_tls_protocols");
            let list = ProtocolList::parse(&text, RangeSyntax::Allowed);
            list.is_ok_and(|list| list.floor() == Some(TlsVersion::Tls1_3))
        })
    };
    let (profile, why) = only(after, change.intent)?;
    match only(before, change.in_force) {
        Some(_) => None,
        None => Some(Confirmation {
            code: rules::profile::UNFIT.to_owned(),
            answer: after.value(None, "myhostname"),
            message: format!(
                "The profile {} is not made for port 25. {why}",
                profile.name
            ),
        }),
    }
}

/// The digest of everything that decides what is done.
fn id(plan: &Plan) -> Digest {
    let mut decisive = plan.clone();
    decisive.id = Digest::of(b"");
    decisive.findings.clear();
    decisive.sentences.clear();
    // A plan is plain data with string keys: it always has a JSON form.
    let document = serde_json::to_vec(&decisive).unwrap_or_default();
    Digest::of(&document)
}

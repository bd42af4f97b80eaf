//! `policy check`: what a policy would come to at the servers of destinations.
//!
//! Owns: from destinations to next hops (as `explain` finds them), and the words of the answer.
//! Never: looks, judges; the engine and the planner do. `show` has the text.

mod show;
mod wished;

use super::checks::Patience;
use crate::answer::Answer;
use crate::config::{Global, Talk};
use crate::failure::{Exit, Failure};
use crate::progress::hand_on;
use crate::session::{self, Session};
use mailtls::policy::{Dialect, Policy};
use postseal_engine::{
    Event, HopPolicy, Network, Progress, RuleChecked, SystemClock, World, explain_by,
    observe_unadopted, preflight, way_to,
};
use postseal_host::{Entered, Host, PostfixHost};
use postseal_planner::explain::{Delivery, Hop, Subject};
use postseal_planner::policy::RuleId;
use postseal_planner::report::Outcome;
use postseal_planner::{Facts, Finding, Preflight, Severity};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use wished::Wished;

/// Arguments of `policy check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// Domains, addresses, or next hops: [host]:port [default: all rules, as they are wished]
    #[arg(value_name = "DESTINATION")]
    destinations: Vec<String>,
    /// The policy to try, in place of the one in force: 'secure match=mx.example.org'
    #[arg(long, value_name = "POLICY", requires = "destinations")]
    policy: Option<String>,
    /// Exit 2 when a finding is at least this bad
    #[arg(long, value_name = "LEVEL", default_value = "error", value_parser = super::super::lint::severity)]
    fail_on: Severity,
    #[command(flatten)]
    patience: Patience,
}

/// What came of one destination.
struct Checked {
    /// As it was said.
    subject: String,
    /// `None` where no connection would be made.
    preflight: Option<Preflight>,
    /// What `explain` found wrong, and what the servers showed.
    findings: Vec<Finding>,
}

/// One next hop of a destination.
struct Asked {
    subject: String,
    destination: Option<HopPolicy>,
    findings: Vec<Finding>,
}

pub(crate) fn run(args: &CheckArgs, global: &Global) -> Result<Answer, Failure> {
    if args.destinations.is_empty() {
        return rules(args, global);
    }
    let host = session::host(global)?;
    let facts = observe_unadopted(&host)?;
    let policy = args
        .policy
        .as_deref()
        .map(|text| parse(text, &facts))
        .transpose()?;
    let mut asked = Vec::new();
    let mut rules = Wished::open(global);
    for subject in &args.destinations {
        let mut hops = next_hops(&host, &facts, subject, policy.as_ref())?;
        if policy.is_none() {
            with_rules(&mut hops, &mut rules, &facts);
        }
        asked.extend(hops);
    }
    let checked = look(args, global, &host, &facts, asked)?;
    let seen = checked.iter().filter_map(|one| one.preflight.clone());
    rules.remember(&seen.collect::<Vec<_>>());
    let exit = exit(&checked, args.fail_on);
    Ok(Answer::new(show::text(&checked), document(&checked)).exit(exit))
}

/// All rules that name a server and that mail comes to; what was seen is remembered for `policy
/// list`. Of the others it is told why it does not.
fn rules(args: &CheckArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let seen = session
        .engine()
        .look_at_rules(args.patience.options(), &*progress(global))?;
    let checked: Vec<Checked> = seen
        .into_iter()
        .map(|seen| Checked {
            subject: seen.shown,
            findings: seen.findings,
            preflight: seen.preflight,
        })
        .collect();
    let exit = exit(&checked, args.fail_on);
    Ok(Answer::new(show::text(&checked), document(&checked)).exit(exit))
}

/// A rule is judged as it is wished, and with all that `policy list` tells of it.
fn with_rules(hops: &mut [Asked], rules: &mut Wished, facts: &Facts) {
    for (i, hop) in hops.iter_mut().enumerate() {
        // What is said of the destination itself is said once.
        let mut names = Vec::from_iter((i == 0).then(|| hop.subject.clone()));
        names.extend(hop.destination.iter().map(|one| one.nexthop.clone()));
        names.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
        let mut told = Vec::new();
        for name in names {
            let RuleChecked { pending, findings } = rules.rule(&name);
            let pending = pending.and_then(|text| Policy::parse(&text, dialect(facts)).ok());
            let here = hop.destination.as_mut();
            let here = here.filter(|one| one.nexthop.eq_ignore_ascii_case(&name));
            if let (Some(destination), Some(policy)) = (here, pending) {
                destination.policy = policy;
                // What was found of the row in force.
                hop.findings.clear();
            }
            told.extend(findings);
        }
        let is_news = |one: &Finding| told.iter().all(|other: &Finding| other.code != one.code);
        hop.findings.retain(is_news);
        hop.findings.extend(told);
    }
}

fn dialect(facts: &Facts) -> Dialect {
    Dialect {
        major: facts.version.major,
        minor: facts.version.minor,
    }
}

fn parse(text: &str, facts: &Facts) -> Result<Policy, Failure> {
    Policy::parse(text, dialect(facts)).map_err(|error| {
        let message = format!("{text:?} is no policy that Postfix would take: {error}");
        Failure::new(Exit::Data, "policy.bad-policy", message)
            .hint("Say a level and its attributes: --policy 'secure match=mx.example.org'.")
    })
}

/// The next hops of a destination, each with the policy that is asked about.
fn next_hops(
    host: &dyn Host,
    facts: &Facts,
    text: &str,
    policy: Option<&Policy>,
) -> Result<Vec<Asked>, Failure> {
    if let Some(below) = below(text) {
        return Ok(vec![below]);
    }
    let subject = Subject::parse(text).map_err(|error| {
        Failure::new(Exit::Data, "policy.bad-destination", error.to_string())
            .hint("Name user@example.org, example.org or '[mx.example.org]:587'.")
    })?;
    if let (Subject::NextHop(nexthop), Some(policy)) = (&subject, policy) {
        // Only the client has to be found out.
        let way = way_to(host, facts, nexthop);
        let destination = HopPolicy {
            nexthop: nexthop.clone(),
            transport: way.client.unwrap_or_else(|| "smtp".to_owned()),
            policy: policy.clone(),
        };
        return Ok(vec![Asked {
            subject: text.to_owned(),
            destination: Some(destination),
            findings: way.findings,
        }]);
    }
    let way = match &subject {
        Subject::NextHop(nexthop) => Some(way_to(host, facts, nexthop)),
        Subject::Address(_) | Subject::Domain(_) => None,
    };
    let by = way.as_ref().and_then(|way| way.client.as_deref());
    let mut explanation = explain_by(host, facts, &subject, "", by)?;
    if let Some(way) = way {
        let known = |one: &Finding| explanation.findings.iter().any(|it| it.code == one.code);
        let news: Vec<Finding> = way.findings.into_iter().filter(|one| !known(one)).collect();
        explanation.findings.extend(news);
    }
    let mut findings = match policy {
        Some(_) => Vec::new(),
        None => explanation.findings,
    };
    if explanation.hops.is_empty() {
        return Ok(vec![Asked {
            subject: text.to_owned(),
            destination: None,
            findings,
        }]);
    }
    let hops = explanation.hops.into_iter();
    let asked = hops.map(|hop| one(text, &hop, policy, std::mem::take(&mut findings)));
    Ok(asked.collect())
}

/// A rule for all names below a domain (`.example.org`): the servers of which is not said.
fn below(text: &str) -> Option<Asked> {
    let domain = text.strip_prefix('.')?;
    let id = RuleId::parse(text).ok()?;
    let found = Finding::new(
        "policy.nothing-to-check",
        Severity::Info,
        format!(
            "{} is for every name below {domain}, and each has servers of its own.",
            id.shown()
        ),
        format!("Check one of them: `postseal policy check NAME.{domain}`."),
    );
    Some(Asked {
        subject: text.to_owned(),
        destination: None,
        findings: vec![found],
    })
}

fn one(subject: &str, hop: &Hop, policy: Option<&Policy>, mut findings: Vec<Finding>) -> Asked {
    let speaks = matches!(hop.delivery, Delivery::Smtp | Delivery::Lmtp);
    let in_force = || hop.policy.clone().or_else(|| Some(Policy::of(hop.level?)));
    let policy = policy.cloned().or_else(in_force);
    let destination = match (speaks, policy) {
        (true, Some(policy)) => Some(HopPolicy {
            nexthop: hop.nexthop.clone(),
            transport: hop.transport.clone(),
            policy,
        }),
        _ => None,
    };
    if destination.is_none() && findings.is_empty() {
        findings.push(Finding::new(
            "policy.nothing-to-check",
            Severity::Info,
            format!("{subject}: {}", hop.sentence),
            "A TLS policy has no effect here.",
        ));
    }
    Asked {
        subject: subject.to_owned(),
        destination,
        findings,
    }
}

fn look(
    args: &CheckArgs,
    global: &Global,
    host: &PostfixHost,
    facts: &Facts,
    asked: Vec<Asked>,
) -> Result<Vec<Checked>, Failure> {
    // A Postfix in a container is left through its own network.
    let _there = host.enter_network().unwrap_or_else(|_| Entered::here());
    let network = Network {
        resolver: global.resolver,
        for_afar: global.behalf.is_some(),
    };
    let world = World {
        facts,
        host,
        wire: &network,
        clock: &SystemClock::default(),
    };
    let destinations: Vec<HopPolicy> = asked
        .iter()
        .filter_map(|one| one.destination.clone())
        .collect();
    let seen = preflight(
        world,
        &destinations,
        args.patience.options(),
        &*progress(global),
    )
    .map_err(|error| Failure::new(Exit::Data, "policy.bad-destination", error.to_string()))?;
    let mut seen = seen.into_iter();
    let checked = asked.into_iter().map(|one| {
        let preflight = one.destination.and_then(|_| seen.next());
        let seen = preflight.iter().flat_map(|one| &one.findings);
        let seen: Vec<Finding> = seen.cloned().collect();
        // What `explain` found wrong with this host, the preflight finds, too.
        let mut findings = one.findings;
        findings.retain(|finding| seen.iter().all(|other| other.code != finding.code));
        findings.extend(seen);
        Checked {
            subject: one.subject,
            preflight,
            findings,
        }
    });
    Ok(checked.collect())
}

/// A counting line on a terminal, an event for the agent, nothing when piped.
fn progress(global: &Global) -> Box<dyn Fn(Progress) + Sync> {
    if global.talk == Talk::Events {
        return Box::new(|Progress { address, done, all }| {
            hand_on(&Event::Looked { address, done, all });
        });
    }
    if !std::io::stderr().is_terminal() || global.talk == Talk::Quiet {
        return Box::new(|_| {});
    }
    Box::new(|Progress { done, all, .. }| {
        let end = if done == all { "\r\x1b[K" } else { "" };
        let mut stderr = std::io::stderr().lock();
        // Nobody reading progress must not stop the work.
        let _ = write!(stderr, "\rpostseal: {done} of {all} servers looked at{end}");
        let _ = stderr.flush();
    })
}

/// Fails at findings of `fail_on` and worse; where nothing failed and something could not be seen, that.
fn exit(checked: &[Checked], fail_on: Severity) -> Exit {
    let mut findings = checked.iter().flat_map(|one| &one.findings);
    let unseen = |one: &Checked| {
        let outcome = one.preflight.as_ref().map(|seen| seen.outcome);
        outcome.is_none_or(|outcome| outcome == Outcome::Undetermined)
    };
    if findings.any(|finding| finding.severity >= fail_on) {
        Exit::Pending
    } else if checked.iter().any(unseen) {
        Exit::Undetermined
    } else {
        Exit::Done
    }
}

fn document(checked: &[Checked]) -> Value {
    let of = |one: &Checked| json!({"destination": one.subject, "preflight": one.preflight});
    let findings: Vec<&Finding> = checked.iter().flat_map(|one| &one.findings).collect();
    json!({
        "changed": false,
        "checked": checked.iter().map(of).collect::<Vec<_>>(),
        "findings": findings,
    })
}

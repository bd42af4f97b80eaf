//! The whole of a target: which levels would work, and what is wrong.
//!
//! Owns: putting together what preflight says of each level. Never: judges an address anew.

use super::{
    AddressProbed, DnsSeen, Fetched, HostProbed, LevelHere, LevelSeen, ProbeTarget, Probed, Reach,
    mta_sts, wrong,
};
use crate::dane::Published;
use crate::finding::{Finding, Severity};
use crate::preflight::{self, Delivery, Known, Preflight, Route, RouteHost, Wanted};
use crate::report::{Outcome, StageName, StageOutcome};
use mailtls::Level;
use mailtls::policy::Policy;

/// The levels that are judged, the weakest first.
pub(super) const LEVELS: [Level; 5] = [
    Level::May,
    Level::Encrypt,
    Level::Dane,
    Level::Verify,
    Level::Secure,
];

/// What a target is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// What was asked about.
    pub target: &'a ProbeTarget,
    /// As a client looks at it that Postfix's defaults describe, with DANE and the system's CAs.
    pub wanted: &'a Wanted,
    /// What that client knows.
    pub known: Known<'a>,
    /// What came of fetching the domain's MTA-STS policy.
    pub fetched: &'a Fetched,
    /// The same of this host's Postfix, where there is one.
    pub own: Option<Own<'a>>,
}

/// What this host's Postfix would do.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// The same target, as it looks at it.
    pub wanted: &'a Wanted,
    /// What it knows.
    pub known: Known<'a>,
}

/// Judges a target. `addresses` are those of each host of the route, in order.
pub fn judge(
    judged: Judged<'_>,
    dns: DnsSeen,
    hosts: Vec<(RouteHost, Vec<AddressProbed>)>,
) -> Probed {
    let Judged { wanted, known, .. } = judged;
    let seen = LEVELS.map(|level| by_level(wanted, known, level));
    let [_, encrypt, dane, ..] = &seen;
    let strongest = preflight::judge(&at(wanted, Level::Encrypt), known).strongest;
    let hosts: Vec<HostProbed> = hosts.into_iter().map(host).collect();
    let (mta_sts, more) = mta_sts::judge(judged.target, known.answers, judged.fetched, &hosts);
    let mut findings = findings(judged.target, encrypt, dane);
    findings.extend(more);
    findings.extend(wrong::seen(judged.target, &hosts));
    Probed {
        target: judged.target.text.clone(),
        at: known.now,
        outcome: encrypt.outcome.max(match is_dane(dane) {
            true => dane.outcome,
            false => Outcome::Pass,
        }),
        reached: reach(&wanted.route(known.answers), &hosts),
        dns,
        levels: seen
            .iter()
            .zip(LEVELS)
            .map(|(seen, level)| level_seen(judged, seen, level))
            .collect(),
        sent: None,
        findings,
        mta_sts,
        strongest,
        hosts,
    }
}

fn at(wanted: &Wanted, level: Level) -> Wanted {
    Wanted {
        policy: Policy::of(level),
        ..wanted.clone()
    }
}

fn by_level(wanted: &Wanted, known: Known<'_>, level: Level) -> Preflight {
    preflight::judge_alone(&at(wanted, level), known)
}

fn level_seen(judged: Judged<'_>, seen: &Preflight, level: Level) -> LevelSeen {
    let own = judged.own.map(|own| by_level(own.wanted, own.known, level));
    let other = own.filter(|own| own.outcome != seen.outcome || weakest(own) != weakest(seen));
    LevelSeen {
        level: level.to_string(),
        outcome: seen.outcome,
        delivery: weakest(seen),
        why: why(seen),
        here: other.map(|own| LevelHere {
            outcome: own.outcome,
            why: why(&own),
        }),
    }
}

/// The weakest way in which mail would be delivered.
fn weakest(seen: &Preflight) -> Option<Delivery> {
    let addresses = seen.hosts.iter().flat_map(|host| &host.addresses);
    addresses.filter_map(|one| one.delivery).max()
}

/// What decides, in a few words.
fn why(seen: &Preflight) -> String {
    let mut addresses = seen.hosts.iter().flat_map(|host| {
        let of = host.addresses.iter();
        of.map(move |one| (&host.name, one))
    });
    let decides =
        addresses.find(|(_, one)| one.outcome == seen.outcome && seen.outcome != Outcome::Pass);
    match decides {
        Some((name, one)) => format!("{name}: {}", one.words),
        None if seen.outcome == Outcome::Pass => {
            weakest(seen).map_or_else(|| seen.sentence.clone(), |way| delivery(way).to_owned())
        }
        None => seen.sentence.trim_end_matches('.').to_owned(),
    }
}

const fn delivery(way: Delivery) -> &'static str {
    match way {
        Delivery::Verified => "encrypted, to a server that proves who it is",
        Delivery::Encrypted => "encrypted; who answers is not proved",
        Delivery::Clear => "in cleartext",
        Delivery::ClearLater => "in cleartext, after a first attempt that fails",
    }
}

fn is_dane(seen: &Preflight) -> bool {
    let mut hosts = seen.hosts.iter();
    hosts.any(|host| host.tlsa == preflight::TlsaSeen::Published)
}

fn host((host, addresses): (RouteHost, Vec<AddressProbed>)) -> HostProbed {
    let tlsa = match &host.tlsa {
        Published::Vouched(found) => found.records.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    let trouble = match &host.addresses {
        Err(why) => Some(why.clone()),
        Ok(none) if none.is_empty() => Some("it has no address".to_owned()),
        Ok(_) => None,
    };
    HostProbed {
        name: host.name,
        preference: host.preference,
        tlsa,
        addresses,
        trouble,
    }
}

fn reach(route: &Route, hosts: &[HostProbed]) -> Reach {
    let mut reports = hosts.iter().flat_map(|host| &host.addresses);
    let connected = reports.any(|one| {
        let mut stages = one.report.iter().flat_map(|report| &report.stages);
        stages.any(|stage| stage.name == StageName::Connect && stage.outcome == StageOutcome::Ok)
    });
    match route {
        _ if connected => Reach::Reached,
        Route::Unknown(_) => Reach::Unknown,
        Route::To(hosts) if hosts.iter().all(|host| host.addresses.is_err()) => Reach::Unknown,
        _ => Reach::Unreachable,
    }
}

/// What bars encryption, and what bars senders that do DANE.
fn findings(target: &ProbeTarget, encrypt: &Preflight, dane: &Preflight) -> Vec<Finding> {
    const OF_DANE: [&str; 2] = ["policy.tlsa-mismatch", "policy.no-certificate"];
    let own = encrypt.findings.iter();
    let more = dane.findings.iter();
    let more = more.filter(|one| is_dane(dane) && OF_DANE.contains(&&*one.code));
    let mut found: Vec<Finding> = Vec::new();
    for one in own.chain(more) {
        if found.iter().all(|known| known.code != one.code) {
            found.push(about(target, one));
        }
    }
    found
}

/// What to do where servers could not be seen: the rule's own remedy names the command of a policy.
const UNSEEN: &str = "Look again later (`postseal probe`); where it stays so, look at the way there: a firewall, a greet delay, a resolver.";

/// A finding of a policy as one of a server.
fn about(target: &ProbeTarget, finding: &Finding) -> Finding {
    let rule = preflight::RULES
        .iter()
        .find(|rule| rule.code == finding.code);
    let title = rule.map_or("", |rule| rule.title);
    let usual = match &*finding.code {
        "policy.preflight-undetermined" => UNSEEN,
        _ => rule.map_or("", |rule| rule.remedy),
    };
    let told = finding.severity >= Severity::Warning && !finding.evidence.is_empty();
    Finding {
        message: match told {
            true => format!("{}: {title}.", target.text),
            false => finding.message.clone(),
        },
        remedy: usual.to_owned(),
        ..finding.clone()
    }
}

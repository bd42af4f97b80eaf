//! What changed between two reports of the same target.
//!
//! Owns: which facts of a report count. Never: counts times, or the order in which addresses answered.

use super::{AddressProbed, HostProbed, Probed};
use crate::report::StageOutcome;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One fact that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The target.
    pub target: String,
    /// Of what: a host, an address, or the target itself.
    pub about: String,
    /// Which.
    pub fact: String,
    /// As it was; `None` where it was not there.
    pub before: Option<String>,
    /// As it is; `None` where it is there no more.
    pub after: Option<String>,
}

type Facts = BTreeMap<(String, String, String), String>;

/// What is not as it was, of the targets that both have.
pub fn changes(before: &[Probed], after: &[Probed]) -> Vec<Change> {
    let common = |one: &&Probed| before.iter().any(|earlier| earlier.target == one.target);
    let now: Facts = after.iter().filter(common).flat_map(facts).collect();
    let still = |one: &&Probed| after.iter().any(|later| later.target == one.target);
    let then: Facts = before.iter().filter(still).flat_map(facts).collect();
    let mut keys: Vec<_> = then.keys().chain(now.keys()).collect();
    keys.sort();
    keys.dedup();
    let changed = keys.into_iter().filter(|key| then.get(key) != now.get(key));
    changed
        .map(|key| Change {
            target: key.0.clone(),
            about: key.1.clone(),
            fact: key.2.clone(),
            before: then.get(key).cloned(),
            after: now.get(key).cloned(),
        })
        .collect()
}

fn facts(one: &Probed) -> Vec<((String, String, String), String)> {
    let mut found = Vec::new();
    let mut put = |about: &str, fact: &str, value: String| {
        let key = (one.target.clone(), about.to_owned(), fact.to_owned());
        found.push((key, value));
    };
    put(&one.target, "dns", one.dns.words.clone());
    let sts = &one.mta_sts;
    put(&one.target, "mta-sts", sts.judged.words.clone());
    for (fact, value) in [("mta-sts id", &sts.id), ("mta-sts mode", &sts.mode)] {
        put(&one.target, fact, value.clone().unwrap_or_default());
    }
    let policy = one.strongest.policy.clone().unwrap_or_default();
    put(&one.target, "strongest policy", policy);
    for level in &one.levels {
        let outcome = format!("{:?}", level.outcome).to_lowercase();
        put(
            &one.target,
            &level.level,
            format!("{outcome}: {}", level.why),
        );
    }
    for finding in &one.findings {
        put(&one.target, &finding.code, finding.message.clone());
    }
    for host in &one.hosts {
        of_host(host, &mut put);
    }
    found
}

fn of_host(host: &HostProbed, put: &mut impl FnMut(&str, &str, String)) {
    if let Some(preference) = host.preference {
        put(&host.name, "preference", preference.to_string());
    }
    put(&host.name, "tlsa", host.tlsa.join(", "));
    for address in &host.addresses {
        of_address(host, address, put);
    }
}

fn of_address(host: &HostProbed, one: &AddressProbed, put: &mut impl FnMut(&str, &str, String)) {
    let about = format!("{} {}", host.name, one.address);
    let mut put = |fact: &str, value: String| put(&about, fact, value);
    if let Some(report) = &one.report {
        let ended = report
            .stages
            .iter()
            .find(|stage| stage.outcome != StageOutcome::Ok);
        put(
            "reached",
            match ended.map(|stage| (stage.name, &stage.outcome)) {
                None => "all stages".to_owned(),
                Some((name, StageOutcome::Closed)) => format!("{name:?}: nothing listens"),
                Some((name, StageOutcome::Refused(why) | StageOutcome::Unknown(why))) => {
                    format!("{name:?}: {why}")
                }
                Some((name, StageOutcome::Ok)) => format!("{name:?}"),
            },
        );
        put("banner", report.banner.clone().unwrap_or_default());
        put("ehlo", report.ehlo_before.join(", "));
        put("ehlo again", report.ehlo_after.join(", "));
        if let Some(seen) = &report.handshake {
            put("version", seen.version.to_string());
            put("cipher", seen.cipher.clone());
            put("group", seen.group.clone().unwrap_or_default());
            let own = seen.fingerprint.map(|one| one.to_string());
            put("fingerprint", own.unwrap_or_default());
        }
    }
    if let Some(seen) = &one.certificate {
        put("certificate", seen.judged.words.clone());
        put("names", seen.names.join(", "));
        put("issuer", seen.issuer.clone());
        put("valid to", crate::calendar::day(seen.not_after));
    }
    put("dane", one.dane.words.clone());
}

//! What a domain's MTA-STS comes to at the servers that were seen (RFC 8461).
//!
//! Owns: the questions, as data, and the judgement: is there a policy, and do the servers fit it. Never:
//! asks, or fetches.

use super::codes::found;
use super::{HostProbed, Judgement, MtaStsSeen, ProbeTarget};
use crate::dns::{Answers, Question, Records};
use crate::finding::{Finding, Severity};
use crate::preflight::Lookup;
use crate::report::Outcome;
use mailtls::mta_sts::{StsMode, StsPolicy, StsRecord};

/// The path of a policy (RFC 8461 §3.3).
pub const STS_PATH: &str = "/.well-known/mta-sts.txt";

/// What came of fetching a policy; `None` where it was not tried.
pub type Fetched = Option<Result<Vec<u8>, String>>;

/// The question for a target's record; none where it is no domain whose exchangers are looked up.
pub fn sts_record(target: &ProbeTarget) -> Option<Question> {
    let is_domain = target.hop.lookup == Lookup::Mx;
    is_domain.then(|| Question::Txt(format!("_mta-sts.{}", target.hop.host)))
}

/// The host that has the policy.
pub fn sts_host(target: &ProbeTarget) -> String {
    format!("mta-sts.{}", target.hop.host)
}

/// Whether the answers tell of a record, so that there is a policy to fetch.
pub fn has_sts(target: &ProbeTarget, answers: &Answers) -> bool {
    matches!(record(target, answers), Some(Ok(Ok(Some(_)))))
}

type Recorded = Result<Option<StsRecord>, mailtls::mta_sts::StsRecordError>;

/// `None`: it was not asked for.
fn record(target: &ProbeTarget, answers: &Answers) -> Option<Result<Recorded, String>> {
    let answer = answers.get(&sts_record(target)?)?;
    Some(match answer {
        Err(why) => Err(why.clone()),
        Ok(answer) => match &answer.records {
            Records::Txt(texts) => Ok(StsRecord::of(texts)),
            _ => Ok(Ok(None)),
        },
    })
}

/// Judges.
pub(super) fn judge(
    target: &ProbeTarget,
    answers: &Answers,
    fetched: &Fetched,
    hosts: &[HostProbed],
) -> (MtaStsSeen, Vec<Finding>) {
    let record = match record(target, answers) {
        None if sts_record(target).is_none() => {
            return bare(None, "it is for domains; a host was named");
        }
        None => return bare(None, "DNS was not asked"),
        Some(Err(why)) => return bare(Some(Outcome::Undetermined), &why),
        Some(Ok(Ok(None))) => return bare(None, "the domain has no record for it"),
        Some(Ok(Err(why))) => return broken(target, &why.to_string()),
        Some(Ok(Ok(Some(record)))) => record,
    };
    let policy = match fetched {
        None => return bare(Some(Outcome::Undetermined), "the policy was not fetched"),
        Some(Err(why)) => return broken(target, &format!("the policy cannot be had: {why}")),
        Some(Ok(body)) => StsPolicy::parse(body),
    };
    let policy = match policy {
        Ok(policy) => policy,
        Err(why) => return broken(target, &format!("the policy is none: {why}")),
    };
    let findings = misfits(target, &policy, hosts);
    let judged = match findings.first() {
        Some(finding) => Judgement {
            outcome: Some(Outcome::Fail),
            words: finding
                .evidence
                .first()
                .map_or_else(|| finding.message.clone(), |evidence| evidence.text.clone()),
        },
        None => fits(&policy, hosts),
    };
    let seen = MtaStsSeen {
        judged,
        micros: None,
        id: Some(record.id),
        mode: Some(policy.mode.to_string()),
        max_age: Some(policy.max_age),
        mx: policy.mx,
    };
    (seen, findings)
}

fn fits(policy: &StsPolicy, hosts: &[HostProbed]) -> Judgement {
    let unseen = || {
        let mut addresses = hosts.iter().flat_map(|host| &host.addresses);
        addresses.any(|one| one.certificate.is_none())
    };
    let (outcome, words) = match policy.mode {
        StsMode::None => (None, "the policy asks for nothing (mode none)"),
        _ if hosts.is_empty() || unseen() => (
            Some(Outcome::Undetermined),
            "not every server could be seen",
        ),
        _ => (
            Some(Outcome::Pass),
            "every server that was seen fits the policy",
        ),
    };
    Judgement {
        outcome,
        words: words.to_owned(),
    }
}

/// What senders that heed the policy would not deliver to (RFC 8461 §4).
fn misfits(target: &ProbeTarget, policy: &StsPolicy, hosts: &[HostProbed]) -> Vec<Finding> {
    let severity = match policy.mode {
        StsMode::Enforce => Severity::Error,
        StsMode::Testing => Severity::Warning,
        StsMode::None => return Vec::new(),
    };
    let names = hosts.iter().filter(|host| !policy.covers(&host.name));
    let names: Vec<String> = names
        .map(|host| format!("{}: the policy does not name it", host.name))
        .collect();
    let certificates = hosts.iter().flat_map(|host| {
        host.addresses.iter().filter_map(|one| {
            let judged = &one.certificate.as_ref()?.judged;
            let bad = judged.outcome == Some(Outcome::Fail);
            bad.then(|| format!("{} ({}): {}", host.name, one.address, judged.words))
        })
    });
    let certificates: Vec<String> = certificates.collect();
    let both = [
        ("mta-sts.mx-not-named", names),
        ("mta-sts.certificate", certificates),
    ];
    let some = both
        .into_iter()
        .filter(|(_, evidence)| !evidence.is_empty());
    some.map(|(code, evidence)| {
        let mut finding = found(code, &target.text);
        finding.severity = severity;
        evidence.into_iter().fold(finding, Finding::seen)
    })
    .collect()
}

fn bare(outcome: Option<Outcome>, words: &str) -> (MtaStsSeen, Vec<Finding>) {
    let judged = Judgement {
        outcome,
        words: words.to_owned(),
    };
    let seen = MtaStsSeen {
        judged,
        micros: None,
        id: None,
        mode: None,
        max_age: None,
        mx: Vec::new(),
    };
    (seen, Vec::new())
}

/// Senders act as if there were no policy, unless they have kept one.
fn broken(target: &ProbeTarget, why: &str) -> (MtaStsSeen, Vec<Finding>) {
    let (seen, _) = bare(Some(Outcome::Fail), why);
    let mut finding = found("mta-sts.no-policy", &target.text).seen(why);
    finding.remedy = finding.remedy.replace("DOMAIN", &target.hop.host);
    (seen, vec![finding])
}

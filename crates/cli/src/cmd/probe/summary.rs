//! What a probe comes to, in words.
//!
//! Owns: the levels, findings, the second opinion, the message that was sent, and a line for each of
//! many targets. Never: decides.

use super::lines::stage_name;
use super::row::{Row, word};
use crate::answer::{findings_text, named, obstacles};
use postseal_planner::Finding;
use postseal_planner::probed::{
    AddressProbed, Agreement, LevelSeen, Probed, Reach, SecondOpinion, SentMessage,
};
use postseal_planner::report::{Outcome, StageOutcome};
use std::fmt::Write as _;

/// What it all comes to; `aligned` for people.
pub(super) fn text(probed: &[Probed], aligned: bool) -> String {
    match (probed, aligned) {
        ([one], true) => whole(one),
        ([one], false) => piped(one),
        (many, true) => many
            .iter()
            .map(|one| brief(one) + &findings_text(&one.findings))
            .collect(),
        (many, false) => many.iter().map(line).collect(),
    }
}

/// Piped, everything is a row of the same columns.
fn piped(one: &Probed) -> String {
    let levels = one.levels.iter().map(|level| level_row(one, level));
    let findings = one.findings.iter().map(|found| finding_row(one, found));
    let mut text: String = levels.chain(findings).collect();
    for (host, address, second) in opinions(one) {
        text.push_str(&opinion_rows(one, host, address, second));
    }
    text.extend(one.sent.as_ref().map(|sent| sent_row(one, sent)));
    text
}

/// What posttls-finger(1) saw, by host and address.
fn opinions(one: &Probed) -> impl Iterator<Item = (&str, &AddressProbed, &SecondOpinion)> {
    one.hosts.iter().flat_map(|host| {
        host.addresses.iter().filter_map(|address| {
            let second = address.second_opinion.as_ref()?;
            Some((host.name.as_str(), address, second))
        })
    })
}

fn whole(one: &Probed) -> String {
    let mut text = String::new();
    if !one.hosts.is_empty() {
        text.push_str("levels\n");
    }
    for level in one.levels.iter().filter(|_| !one.hosts.is_empty()) {
        let _ = writeln!(
            text,
            "  {:<14}{:<13}{}{}",
            level.level,
            word(Some(level.outcome)),
            level.why,
            from_here(level)
        );
    }
    if let Some(policy) = &one.strongest.policy {
        let _ = writeln!(text, "strongest policy that works: {policy}");
        text.push_str(&obstacles("  ", &one.strongest.stronger));
    }
    text + &extra(one) + &findings_text(&one.findings)
}

/// What was asked for beside the look.
fn extra(one: &Probed) -> String {
    let opinions = opinions(one).map(|(host, address, second)| opinion(host, address, second));
    let mut text: String = opinions.collect();
    text.extend(one.sent.as_ref().map(sent));
    text
}

fn sent(sent: &SentMessage) -> String {
    let (from, to) = (&sent.from, &sent.to);
    let (address, words) = (sent.address, sent_words(sent));
    format!("message from <{from}> to <{to}> by {address}: {words}\n")
}

fn sent_words(sent: &SentMessage) -> String {
    let id = sent.queue_id.iter();
    let id: String = id.map(|id| format!(" (queue id {id})")).collect();
    let word = match sent.outcome {
        Outcome::Pass => "taken over",
        Outcome::Fail => "not taken over",
        Outcome::Undetermined => "perhaps taken over",
    };
    format!("{word}{id}: {}", sent.words)
}

fn sent_row(one: &Probed, sent: &SentMessage) -> String {
    let (from, to) = (&sent.from, &sent.to);
    Row {
        target: &one.target,
        host: "",
        address: Some(sent.address),
        stage: "send",
        word: word(Some(sent.outcome)),
        micros: None,
        words: &format!("from <{from}> to <{to}>: {}", sent_words(sent)),
    }
    .separated()
}

/// The code in the place of the stage.
fn finding_row(one: &Probed, finding: &Finding) -> String {
    let evidence: Vec<&str> = finding.evidence.iter().map(|one| &*one.text).collect();
    let words = format!("{} {}", finding.message, evidence.join("; "));
    Row {
        target: &one.target,
        host: "",
        address: None,
        stage: &finding.code,
        word: named(finding.severity),
        micros: None,
        words: words.trim_end(),
    }
    .separated()
}

fn opinion_rows(one: &Probed, host: &str, at: &AddressProbed, second: &SecondOpinion) -> String {
    let row = |stage: &str, word: &str, words: &str| {
        Row {
            target: &one.target,
            host,
            address: Some(at.address),
            stage,
            word,
            micros: None,
            words,
        }
        .separated()
    };
    let whole = row(
        "posttls-finger",
        word(Some(second.outcome)),
        opinion_words(second),
    );
    let stages = second.stages.iter().map(|stage| {
        let (mark, words) = compared(stage);
        row(&format!("posttls-finger {}", stage.stage), mark, &words)
    });
    [whole].into_iter().chain(stages).collect()
}

/// What posttls-finger(1) saw.
fn opinion(host: &str, address: &AddressProbed, second: &SecondOpinion) -> String {
    let words = opinion_words(second);
    let mut text = format!("posttls-finger of {host} {}: {words}\n", address.address);
    for stage in &second.stages {
        let (mark, words) = compared(stage);
        let _ = writeln!(text, "  {:<14}{mark:<13}{words}", stage.stage);
    }
    text
}

fn opinion_words(second: &SecondOpinion) -> &str {
    match (second.outcome, &second.trouble) {
        (_, Some(why)) => why,
        (Outcome::Pass, None) => "sees the same",
        (Outcome::Fail, None) => "sees something else",
        (Outcome::Undetermined, None) => "tells nothing that can be compared",
    }
}

fn compared(stage: &Agreement) -> (&'static str, String) {
    let (ours, theirs) = (&stage.ours, &stage.theirs);
    match stage.same {
        Some(true) => ("same", ours.clone()),
        Some(false) => ("differs", format!("{theirs}; here {ours}")),
        None => ("-", format!("{theirs}; here {ours}; not compared")),
    }
}

fn level_row(one: &Probed, level: &LevelSeen) -> String {
    let why = format!("{}{}", level.why, from_here(level));
    Row {
        target: &one.target,
        host: "",
        address: None,
        stage: &level.level,
        word: word(Some(level.outcome)),
        micros: None,
        words: &why,
    }
    .separated()
}

/// What it comes to with the Postfix of this host.
fn from_here(level: &LevelSeen) -> String {
    let here = level.here.as_ref();
    let here = here.map(|here| {
        format!(
            "; from this Postfix: {}: {}",
            word(Some(here.outcome)),
            here.why
        )
    });
    here.unwrap_or_default()
}

fn brief(one: &Probed) -> String {
    let policy = one.strongest.policy.as_deref().unwrap_or("-");
    format!(
        "{}: {}: {}, strongest policy: {policy}\n",
        one.target,
        comes_to(one),
        one.dns.words
    ) + &extra(one)
}

/// Piped, one of many: target, outcome, the strongest policy, codes, where the look ended, and whether
/// posttls-finger(1) sees the same.
fn line(one: &Probed) -> String {
    let codes: Vec<&str> = one.findings.iter().map(|finding| &*finding.code).collect();
    let policy = one.strongest.policy.as_deref().unwrap_or_default();
    let second = opinions(one).map(|(_, _, second)| second);
    let second = second.max_by_key(|second| second.outcome);
    let cells = [
        one.target.as_str(),
        comes_to(one),
        policy,
        &codes.join(" "),
        &ended(one).unwrap_or_default(),
        second.map(opinion_words).unwrap_or_default(),
    ];
    cells
        .map(|cell| cell.replace(['\t', '\n', '\r'], " "))
        .join("\t")
        + "\n"
}

/// The outcome in a word: of a server that was not reached there is none.
const fn comes_to(one: &Probed) -> &'static str {
    match (one.outcome, one.reached) {
        (Outcome::Undetermined, Reach::Unreachable) => "unreachable",
        (outcome, _) => word(Some(outcome)),
    }
}

/// The first stage that did not go well, and why.
fn ended(one: &Probed) -> Option<String> {
    if one.dns.outcome != Outcome::Pass {
        return Some(format!("dns: {}", one.dns.words));
    }
    let mut troubles = one.hosts.iter().filter_map(|host| host.trouble.as_ref());
    let stages = one.hosts.iter().flat_map(|host| &host.addresses);
    let stages = stages.filter_map(|at| Some((at.address, at.report.as_ref()?)));
    let mut stages = stages.flat_map(|(address, report)| {
        let all = report.stages.iter();
        all.map(move |stage| (address, stage.name, &stage.outcome))
    });
    let failed = stages.find_map(|(address, name, outcome)| {
        let why = match outcome {
            StageOutcome::Ok => return None,
            StageOutcome::Closed => "nothing listens there",
            StageOutcome::Refused(words) | StageOutcome::Unknown(words) => words,
        };
        Some(format!("{} {address}: {why}", stage_name(name)))
    });
    failed.or_else(|| troubles.next().map(|why| format!("dns: {why}")))
}

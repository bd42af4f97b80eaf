//! What a probe comes to, in words.
//!
//! Owns: the levels, the second opinion, the message that was sent, and a line for each of many
//! targets. Never: decides.

use super::row::{Row, word};
use crate::answer::{findings_text, obstacles};
use postseal_planner::probed::{AddressProbed, LevelSeen, Probed, SecondOpinion, SentMessage};
use postseal_planner::report::Outcome;
use std::fmt::Write as _;
use std::io::IsTerminal;

/// What it all comes to.
pub(super) fn text(probed: &[Probed]) -> String {
    match (probed, std::io::stdout().is_terminal()) {
        ([one], true) => whole(one),
        ([one], false) => piped(one),
        (many, true) => many
            .iter()
            .map(|one| brief(one) + &findings_text(&one.findings))
            .collect(),
        (many, false) => many.iter().map(line).collect(),
    }
}

fn piped(one: &Probed) -> String {
    let levels = one.levels.iter().map(|level| level_row(one, level));
    levels.collect::<String>() + &extra(one)
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
    let mut text = String::new();
    for host in &one.hosts {
        for address in &host.addresses {
            let second = address.second_opinion.as_ref();
            text.extend(second.map(|second| opinion(&host.name, address, second)));
        }
    }
    text.extend(one.sent.as_ref().map(sent));
    text
}

fn sent(sent: &SentMessage) -> String {
    let id = sent.queue_id.iter();
    let id: String = id.map(|id| format!(" (queue id {id})")).collect();
    let word = match sent.outcome {
        Outcome::Pass => "taken over",
        Outcome::Fail => "not taken over",
        Outcome::Undetermined => "perhaps taken over",
    };
    format!(
        "message from <{}> to <{}> by {}: {word}{id}: {}\n",
        sent.from, sent.to, sent.address, sent.words
    )
}

/// What posttls-finger(1) saw.
fn opinion(host: &str, address: &AddressProbed, second: &SecondOpinion) -> String {
    let word = match (second.outcome, &second.trouble) {
        (_, Some(why)) => why,
        (Outcome::Pass, None) => "sees the same",
        (Outcome::Fail, None) => "sees something else",
        (Outcome::Undetermined, None) => "tells nothing that can be compared",
    };
    let mut text = format!("posttls-finger of {host} {}: {word}\n", address.address);
    for stage in &second.stages {
        let (ours, theirs) = (&stage.ours, &stage.theirs);
        let (mark, words) = match stage.same {
            Some(true) => ("same", ours.clone()),
            Some(false) => ("differs", format!("{theirs}; here {ours}")),
            None => ("-", format!("{theirs}; here {ours}; not compared")),
        };
        let _ = writeln!(text, "  {:<14}{mark:<13}{words}", stage.stage);
    }
    text
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
        word(Some(one.outcome)),
        one.dns.words
    )
}

/// Piped, one of many: target, outcome, the strongest policy, codes.
fn line(one: &Probed) -> String {
    let codes: Vec<&str> = one.findings.iter().map(|finding| &*finding.code).collect();
    let policy = one.strongest.policy.as_deref().unwrap_or_default();
    format!(
        "{}\t{}\t{policy}\t{}\n",
        one.target,
        word(Some(one.outcome)),
        codes.join(" ")
    )
}

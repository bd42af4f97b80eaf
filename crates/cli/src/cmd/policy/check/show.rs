//! The words of `policy check`.
//!
//! Owns: the text on a terminal, and the line of each next hop when piped. Never: decides.

use super::super::list::in_words;
use super::Checked;
use crate::answer::{findings_text, obstacles};
use crate::table;
use postseal_planner::preflight::{AddressSeen, HostSeen};
use postseal_planner::report::Outcome;
use postseal_planner::{Finding, Preflight};
use std::fmt::Write as _;
use std::io::IsTerminal;

/// Everything on a terminal; piped, a line for each next hop: destination, next hop, policy,
/// outcome, the strongest policy, codes, and a sentence.
pub(super) fn text(checked: &[Checked]) -> String {
    if std::io::stdout().is_terminal() {
        return checked.iter().map(story).collect();
    }
    let rows: Vec<Vec<String>> = checked.iter().map(row).collect();
    table::render(&[], &rows)
}

fn row(one: &Checked) -> Vec<String> {
    let codes: Vec<&str> = one.findings.iter().map(|finding| &*finding.code).collect();
    let codes = codes.join(" ");
    let Some(seen) = &one.preflight else {
        let sentence = one.findings.first().map(|finding| finding.message.clone());
        let [none, empty] = ["-", ""].map(str::to_owned);
        let rest = [
            empty.clone(),
            none,
            empty,
            codes,
            sentence.unwrap_or_default(),
        ];
        return [one.subject.clone(), String::new()]
            .into_iter()
            .chain(rest)
            .collect();
    };
    vec![
        one.subject.clone(),
        seen.nexthop.clone(),
        seen.policy.clone(),
        in_words(seen, seen.outcome).to_owned(),
        seen.strongest.policy.clone().unwrap_or_default(),
        codes,
        sentence(seen),
    ]
}

/// What came of it, and why where it is not good: nothing else in the line says so.
fn sentence(seen: &Preflight) -> String {
    let is_unseen = |one: &&Finding| one.code == "policy.preflight-undetermined";
    let (said, first) = match seen.outcome {
        Outcome::Pass => return seen.sentence.clone(),
        Outcome::Fail => (&seen.sentence, seen.findings.first()),
        Outcome::Undetermined => {
            let unseen = seen.findings.iter().find(is_unseen);
            (unseen.map_or(&seen.sentence, |one| &one.message), unseen)
        }
    };
    let why = first.and_then(|one| one.evidence.first());
    match why.filter(|why| !said.contains(&why.text)) {
        Some(why) => format!("{said} ({})", why.text),
        None => said.clone(),
    }
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Undetermined => "undetermined",
    }
}

/// One next hop, for people. What the servers' lines say is not said again as evidence.
fn story(one: &Checked) -> String {
    let mut text = match &one.preflight {
        Some(seen) => told(&one.subject, seen),
        None => format!("{}\n", one.subject),
    };
    let own = one.preflight.iter().flat_map(|seen| &seen.findings);
    let own: Vec<&Finding> = own.collect();
    let shown = one
        .findings
        .iter()
        .map(|finding| match own.contains(&finding) {
            true => Finding {
                evidence: Vec::new(),
                ..finding.clone()
            },
            false => finding.clone(),
        });
    text.push_str(&findings_text(&shown.collect::<Vec<_>>()));
    text.push('\n');
    text
}

/// Writing to a String cannot fail.
fn told(subject: &str, seen: &Preflight) -> String {
    let outcome = in_words(seen, seen.outcome);
    let mut text = format!("{subject}: {outcome} at {}\n", seen.policy);
    if subject != seen.nexthop {
        let _ = writeln!(text, "  next hop   {}", seen.nexthop);
    }
    for host in &seen.hosts {
        text.push_str(&host_told(host));
    }
    if let Some(policy) = &seen.strongest.policy {
        let _ = writeln!(text, "  strongest  {policy}");
        text.push_str(&obstacles("             ", &seen.strongest.stronger));
    }
    if seen.outcome == Outcome::Pass {
        let _ = writeln!(text, "{}", seen.sentence);
    }
    text
}

fn host_told(host: &HostSeen) -> String {
    let preference = host
        .preference
        .map(|one| format!(" (MX {one})"))
        .unwrap_or_default();
    let name = format!("{}{preference}", host.name);
    match &host.trouble {
        Some(why) => format!("  server     {name}: {why}\n"),
        None => host
            .addresses
            .iter()
            .map(|one| address(host, &name, one))
            .collect(),
    }
}

fn address(host: &HostSeen, name: &str, seen: &AddressSeen) -> String {
    let version = seen
        .version
        .map(|version| format!(", {version}"))
        .unwrap_or_default();
    let at = match seen.address.ip().to_string() == host.name {
        true => seen.address.to_string(),
        false => format!("{name} {}", seen.address),
    };
    let (word, words) = (word(seen.outcome), &seen.words);
    format!("  server     {at}: {word}: {words}{version}\n")
}

#[cfg(test)]
mod tests;

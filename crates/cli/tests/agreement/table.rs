//! The document: a table a server, and the reason of each difference below it.

use crate::explained::{EXPLAINED, Explained, Who};
use crate::{FACTS, Seen};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const HEAD: &str = "# Agreement with posttls-finger and testssl.sh

What `postseal probe --full`, posttls-finger(1) (Postfix 3.7.11) and testssl.sh (3.0.8) say of the same private
Postfix servers (3.7.11, OpenSSL 3.0). Made by `crates/cli/tests/agreement`, which starts each server, asks all three
and fails where a cell differs from this page, or where a difference has no reason here
(`BLESS=1 cargo nextest run -p postseal --test agreement`).

posttls-finger makes one connection and tells what came of it; it is asked once for each version, suite, group and
kind of key, and comes back once to take a session up again. testssl.sh is asked with `-p -E -P -S -f -R -C`; what it
says of sessions is left out: it takes up those of TLS 1.3, where the ticket comes before its client leaves, and
answers otherwise from run to run. Certificates are
compared by their SHA-256 fingerprints, suites by their names. *Same*: as `probe --full` says. –: the program does not
tell. What neither of the two tells is left out: STARTTLS with more behind it, early data, SHA-1 signatures.
";

/// So many names stand in a cell; of more their number.
const NAMES: usize = 5;

/// As tables call a version.
pub(crate) fn version(name: &str) -> &str {
    match name {
        "TLSv1" => "1.0",
        other => other.strip_prefix("TLSv").unwrap_or(other),
    }
}

/// The whole page, and what is wrong with it: differences without a reason (`[?]`), reasons without a difference.
pub(crate) fn document(all: &[Seen]) -> (String, Vec<String>) {
    let mut reasons = Reasons::default();
    let sections: Vec<Section> = all
        .iter()
        .map(|seen| Section::of(seen, &mut reasons))
        .collect();
    let mut text = HEAD.to_owned();
    text +=
        "\n| server | port | certificate | posttls-finger | testssl.sh |\n|---|---|---|---|---|\n";
    for (seen, section) in all.iter().zip(&sections) {
        let (port, certificates) = seen.server.about();
        let [finger, testssl] = section.counts.each_ref().map(Count::words);
        let title = seen.server.title;
        let _ = writeln!(
            text,
            "| {title} | {port} | {certificates} | {finger} | {testssl} |"
        );
    }
    text.extend(sections.into_iter().map(|section| section.text));
    (text, reasons.faults())
}

/// Which reasons were given, and what has none.
#[derive(Default)]
struct Reasons {
    given: BTreeSet<usize>,
    missing: Vec<String>,
}

impl Reasons {
    fn of(&mut self, server: &str, fact: &str, who: Who) -> Option<&'static Explained> {
        let place = EXPLAINED
            .iter()
            .position(|one| one.is_for(server, fact, who))?;
        self.given.insert(place);
        EXPLAINED.get(place)
    }

    fn faults(self) -> Vec<String> {
        let mut faults = self.missing;
        for (place, one) in EXPLAINED.iter().enumerate() {
            if !self.given.contains(&place) {
                faults.push(format!("nothing differs any more: {one:?}"));
            }
        }
        faults
    }
}

/// How often a program says the same, and something else.
#[derive(Default)]
struct Count {
    same: usize,
    other: usize,
}

impl Count {
    fn words(&self) -> String {
        match self.other {
            0 => format!("{} same", self.same),
            other => format!("{} same, {other} explained", self.same),
        }
    }
}

/// What is said of one server.
struct Section {
    text: String,
    counts: [Count; 2],
    /// The reasons below the table, in the order of their numbers.
    notes: Vec<&'static str>,
}

impl Section {
    fn of(seen: &Seen, reasons: &mut Reasons) -> Self {
        let mut section = Self {
            text: format!("\n## {}\n\n", seen.server.title),
            counts: Default::default(),
            notes: Vec::new(),
        };
        for line in seen.server.main_cf() {
            let _ = writeln!(section.text, "    {line}");
        }
        section.text += "\n| | probe --full | posttls-finger | testssl.sh |\n|---|---|---|---|\n";
        for fact in FACTS {
            let theirs = [&seen.finger, &seen.testssl].map(|said| said.get(fact));
            if theirs.iter().all(Option::is_none) {
                continue;
            }
            let ours = told(seen.ours.get(fact));
            let [finger, testssl] =
                [Who::Finger, Who::Testssl].map(|who| section.cell(seen, fact, who, reasons));
            let _ = writeln!(section.text, "| {fact} | {ours} | {finger} | {testssl} |");
        }
        for (place, why) in section.notes.iter().enumerate() {
            let _ = write!(section.text, "\n[{}] {why}\n", place + 1);
        }
        section
    }

    /// What one program says of one fact.
    fn cell(&mut self, seen: &Seen, fact: &str, who: Who, reasons: &mut Reasons) -> String {
        let said = match who {
            Who::Finger => &seen.finger,
            Who::Testssl => &seen.testssl,
        };
        let (ours, Some(theirs)) = (seen.ours.get(fact), said.get(fact)) else {
            return "–".to_owned();
        };
        let count = &mut self.counts[who as usize];
        if ours == Some(theirs) {
            count.same += 1;
            return "same".to_owned();
        }
        count.other += 1;
        let (words, title) = (different(ours, theirs), seen.server.title);
        let Some(reason) = reasons.of(title, fact, who) else {
            let fault = format!("no reason: {title}: {fact}: {who:?}: {words}; ours: {ours:?}");
            reasons.missing.push(fault);
            return format!("{words} [?]");
        };
        format!("{words} [{}]", self.note(reason.why))
    }

    /// The number of a reason below the table.
    fn note(&mut self, why: &'static str) -> usize {
        let place = self.notes.iter().position(|other| *other == why);
        place.unwrap_or_else(|| {
            self.notes.push(why);
            self.notes.len() - 1
        }) + 1
    }
}

fn told(said: Option<&BTreeSet<String>>) -> String {
    match said {
        None => "–".to_owned(),
        Some(set) if set.is_empty() => "none".to_owned(),
        Some(set) if set.len() > NAMES => set.len().to_string(),
        Some(set) => listed(set.iter()),
    }
}

fn listed<'s>(names: impl Iterator<Item = &'s String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn different(ours: Option<&BTreeSet<String>>, theirs: &BTreeSet<String>) -> String {
    let shared = ours.filter(|ours| !ours.is_disjoint(theirs));
    let Some(ours) = shared else {
        return told(Some(theirs));
    };
    let (less, more) = (
        listed(ours.difference(theirs)),
        listed(theirs.difference(ours)),
    );
    match (less.is_empty(), more.is_empty()) {
        (true, _) => format!("and {more}"),
        (_, true) => format!("without {less}"),
        _ => format!("without {less}; and {more}"),
    }
}

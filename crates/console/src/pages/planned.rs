//! A plan, wherever it stands.
//!
//! Owns: one as it is shown: sentences, findings, both sides of its diff, the destinations that it concerns. Never:
//! makes one.

use super::doc::Doc;
use super::finding::Found;

/// A plan as it is shown.
#[derive(Default)]
pub(crate) struct Planned {
    /// Whether `apply` would do anything.
    pub(crate) pending: bool,
    pub(crate) id: String,
    pub(crate) sentences: Vec<String>,
    pub(crate) findings: Vec<Found>,
    /// Code, what must be typed, why.
    pub(crate) confirmations: Vec<(String, String, String)>,
    pub(crate) diff: Vec<Pair>,
    /// What becomes of the outgoing default, and of the rules that change.
    pub(crate) default: String,
    pub(crate) affected: Vec<Affected>,
    /// How many rules more change than are shown.
    pub(crate) more: u64,
    /// Why there is no plan.
    pub(crate) refusal: String,
    pub(crate) code: String,
}

/// Lines that stand side by side.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// `place`, `same`, `changed`.
    pub(crate) kind: &'static str,
    pub(crate) was: String,
    pub(crate) becomes: String,
}

/// A destination whose rule changes.
pub(crate) struct Affected {
    pub(crate) destination: String,
    pub(crate) was: String,
    pub(crate) becomes: String,
}

impl Planned {
    /// Of what a look, a check or a save answered.
    pub(crate) fn of(answer: &Doc) -> Self {
        // What was saved stands beside its plan.
        let doc = answer.inner("proposal");
        let error = doc.at("error");
        let rules = doc.at("rules");
        let affected: Vec<Affected> = rules.list("changes").iter().map(affected).collect();
        let count: u64 = rules.text("count").parse().unwrap_or(0);
        let confirmations = doc.list("confirmations");
        Self {
            pending: doc.is_true("pending"),
            id: doc.text("plan"),
            sentences: sentences(&doc),
            findings: Found::all(&doc, "findings"),
            confirmations: confirmations
                .iter()
                .map(|one| (one.text("code"), one.text("answer"), one.text("message")))
                .collect(),
            diff: pairs(&doc.long("diff")),
            default: default(&rules.at("concerned").at("default")),
            more: count.saturating_sub(affected.len() as u64),
            affected,
            refusal: error.text("message"),
            code: error.text("code"),
        }
    }

    /// Whether it says nothing of any file.
    pub(crate) fn is_silent(&self) -> bool {
        self.sentences.is_empty() && self.diff.is_empty()
    }
}

/// Its own, then whom it leaves out.
fn sentences(doc: &Doc) -> Vec<String> {
    let mut all = doc.words("sentences");
    let excluded = doc.list("excluded");
    all.extend(excluded.iter().map(|one| one.text("sentence")));
    all
}

fn affected(doc: &Doc) -> Affected {
    Affected {
        destination: doc.text("destination"),
        was: policy(&doc.at("before")),
        becomes: policy(&doc.at("after")),
    }
}

fn policy(rule: &Doc) -> String {
    match rule.text("policy") {
        policy if policy.is_empty() => "no rule".to_owned(),
        policy => policy,
    }
}

fn default(doc: &Doc) -> String {
    if !doc.is_there() {
        return String::new();
    }
    format!(
        "Outbound default {} → {}: of {} known destinations {} take it, {} have a rule of their own and stay.",
        doc.text("before"),
        doc.text("after"),
        doc.text("known"),
        doc.text("change"),
        doc.text("stay"),
    )
}

/// A unified diff as two sides: lines that take the place of others stand beside them.
fn pairs(diff: &str) -> Vec<Pair> {
    let mut all = Vec::new();
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    for line in diff.lines() {
        match line.as_bytes().first() {
            // A line after added ones is the next change.
            Some(b'-') if come.is_empty() => gone.push(line),
            Some(b'-') => {
                beside(&mut all, &mut gone, &mut come);
                gone.push(line);
            }
            Some(b'+') => come.push(line),
            first => {
                beside(&mut all, &mut gone, &mut come);
                let is_place = first == Some(&b'@');
                all.push(Pair {
                    kind: if is_place { "place" } else { "same" },
                    was: line.to_owned(),
                    becomes: if is_place { "" } else { line }.to_owned(),
                });
            }
        }
    }
    beside(&mut all, &mut gone, &mut come);
    all
}

fn beside(all: &mut Vec<Pair>, gone: &mut Vec<&str>, come: &mut Vec<&str>) {
    let line = |lines: &[&str], n: usize| (*lines.get(n).unwrap_or(&"")).to_owned();
    for n in 0..gone.len().max(come.len()) {
        all.push(Pair {
            kind: "changed",
            was: line(gone, n),
            becomes: line(come, n),
        });
    }
    gone.clear();
    come.clear();
}

//! One glance: whether mail is safe, as far as that was seen.
//!
//! Owns: what goes into it, and that the worst of it is said first. Never: green while any of it is not.

use super::certificate::Shown;
use super::doc::Doc;
use super::finding::Found;
use super::frame::{Agent, Seen};
use std::collections::BTreeSet;

/// Something that was looked at, in one sentence.
pub(crate) struct Said {
    /// `pass`, `warning`, `undetermined`, `fail`.
    pub(crate) state: &'static str,
    pub(crate) words: String,
}

impl Said {
    pub(crate) fn new(state: &'static str, words: impl Into<String>) -> Self {
        let words = words.into();
        Self { state, words }
    }

    /// The shape that stands beside the colour.
    pub(crate) fn mark(&self) -> &'static str {
        mark(self.state)
    }

    fn rank(&self) -> usize {
        // What was not seen may be worse than what was seen to be doubtful.
        let ranks = ["pass", "warning", "undetermined", "fail"];
        let at = ranks.iter().position(|state| *state == self.state);
        at.unwrap_or(ranks.len())
    }
}

/// The shape of a state.
pub(crate) fn mark(state: &str) -> &'static str {
    match state {
        "pass" => "✓",
        "warning" => "!",
        "fail" => "✗",
        _ => "?",
    }
}

/// What a glance is made of.
pub(crate) struct Looked<'a> {
    pub(crate) status: &'a Doc,
    /// How each service's look ended.
    pub(crate) outcomes: &'a [&'static str],
    pub(crate) certificates: (&'a Seen, &'a [Shown]),
    pub(crate) findings: (&'a Seen, &'a [Found]),
    /// The plan, which looks at certificates more closely than lint does.
    pub(crate) plan: &'a Doc,
    pub(crate) agent: &'a Agent,
}

/// All that is not as it should be, the worst first; where there is nothing, that.
pub(crate) fn glance(looked: &Looked<'_>) -> Vec<Said> {
    let mut said = vec![wire(looked.status, looked.outcomes)];
    said.extend(certificates(looked.certificates));
    said.extend(findings(looked.findings));
    said.extend(presented(looked));
    said.extend(open(looked.status));
    said.extend(age(looked.agent));
    said.retain(|one| one.state != "pass");
    said.sort_by_key(|one| std::cmp::Reverse(one.rank()));
    if said.is_empty() {
        let words = "Every service showed on the wire what it should, and nothing found speaks against its certificates.";
        said.push(Said::new("pass", words));
    }
    said
}

fn wire(status: &Doc, outcomes: &[&'static str]) -> Said {
    let count = |of| outcomes.iter().filter(|outcome| **outcome == of).count();
    match (count("fail"), count("undetermined")) {
        _ if status.at("master_running").is_there() && !status.is_true("master_running") => {
            Said::new("fail", "Postfix does not run.")
        }
        _ if outcomes.is_empty() => Said::new("undetermined", "Nothing was looked at yet."),
        (0, 0) => Said::new("pass", ""),
        (0, unseen) => Said::new(
            "undetermined",
            format!("Not seen on the wire: {unseen} of the services."),
        ),
        (failing, _) => Said::new(
            "fail",
            format!("Not as it should be: {failing} of the services."),
        ),
    }
}

fn certificates((seen, all): (&Seen, &[Shown])) -> Vec<Said> {
    if !seen.doc.is_there() {
        let words = "Certificates were not listed yet.";
        return vec![Said::new("undetermined", words)];
    }
    let used = all.iter().filter(|one| one.is_used());
    used.filter_map(Shown::trouble).collect()
}

fn findings((seen, all): (&Seen, &[Found])) -> Option<Said> {
    if !seen.doc.is_there() {
        let words = "Findings were not looked for yet.";
        return Some(Said::new("undetermined", words));
    }
    match all.iter().filter(|found| found.is_error()).count() {
        0 => None,
        1 => Some(Said::new("fail", "1 finding is an error.")),
        many => Some(Said::new("fail", format!("{many} findings are errors."))),
    }
}

/// What lint and a plan that changes nothing have against certificates that are presented. Errors of lint were
/// counted, and self-signed ones of the store were said by name.
fn presented(looked: &Looked<'_>) -> Vec<Said> {
    let mut used = looked.certificates.1.iter().filter(|one| one.is_used());
    let named = used.any(|one| one.self_signed);
    let planned = match looked.plan.is_true("pending") {
        true => Vec::new(),
        false => Found::all(looked.plan, "findings"),
    };
    let lint = looked.findings.1.iter().filter(|found| !found.is_error());
    let mut codes = BTreeSet::new();
    lint.chain(&planned)
        .filter(|found| found.code.starts_with("cert.") && found.state() != "note")
        .filter(|found| !(named && found.code == "cert.self-signed"))
        .filter(|found| codes.insert(found.code.clone()))
        .map(|found| Said::new(found.state(), &*found.message))
        .collect()
}

/// What nobody has kept yet may be undone in the next moment.
fn open(status: &Doc) -> Option<Said> {
    let open = status.at("open_operation");
    open.is_there().then(|| {
        let words = format!("Operation {} is not ended.", open.text("operation"));
        Said::new("warning", words)
    })
}

/// What was seen before the agent went is no sight of now.
fn age(agent: &Agent) -> Option<Said> {
    let words = match agent.seen.shown.as_str() {
        _ if agent.state != "gone" => return None,
        "" => "The agent was never seen: nobody looks.".to_owned(),
        ago => format!("The agent was last seen {ago}: what is shown may be over."),
    };
    Some(Said::new("undetermined", words))
}

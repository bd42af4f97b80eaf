//! One glance: whether mail is safe, as far as that was seen.
//!
//! Owns: what goes into it, and that the worst of it is said first. Never: green while any of it is not.

use super::certificate::Shown;
use super::doc::Doc;
use super::finding::Found;
use super::frame::{Agent, Seen};
use super::when::{When, seconds};
use std::collections::BTreeSet;

/// How `status` is refused where Postseal has not adopted the instance.
pub(super) const NOT_ADOPTED: &str = "instance.not-adopted";

/// The agent looks each minute; after so many seconds without a look something hinders it. One of a time that has not come,
/// because the clock was put back, is as old.
const LONG_AGO: i64 = 600;

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
    /// Whether something has changed since the look.
    pub(crate) is_over: bool,
    pub(crate) now_ms: i64,
}

/// All that is not as it should be, the worst first; where there is nothing, that.
pub(crate) fn glance(looked: &Looked<'_>) -> Vec<Said> {
    let mut said = judged(looked.status);
    said.extend(unseen(looked));
    said.extend(hindered(looked));
    said.extend(certificates(looked.certificates));
    said.extend(findings(looked.findings));
    said.extend(presented(looked));
    said.extend(age(looked));
    // A file's finding is told by several.
    let mut told = BTreeSet::new();
    said.retain(|one| told.insert(one.words.trim_end_matches('.').to_owned()));
    said.sort_by_key(|one| std::cmp::Reverse(one.rank()));
    if said.is_empty() {
        said.push(match looked.is_over {
            true => Said::new(
                "undetermined",
                "All was as it should be before the last change; since then nobody has looked.",
            ),
            false => Said::new(
                "pass",
                "Every service showed on the wire what it should, and nothing found speaks against its certificates.",
            ),
        });
    }
    said
}

/// What `status` itself judges, as a monitor is told it. Where it judged nothing, nothing is known.
fn judged(status: &Doc) -> Vec<Said> {
    let error = status.at("error");
    if error.text("code") == NOT_ADOPTED {
        let words = "Not adopted yet: nobody looks at the wire.";
        return vec![Said::new("undetermined", words)];
    }
    if error.is_there() {
        let words = format!("The agent cannot look: {}", error.text("message"));
        let hint = error.text("hint");
        return vec![Said::new("fail", format!("{words}. {hint}"))];
    }
    if !status.at("judged").is_there() {
        return vec![Said::new("undetermined", "Nothing was looked at yet.")];
    }
    let causes = status.list("judged");
    let said = causes.iter().map(|cause| {
        let state = match cause.text("state").as_str() {
            "critical" => "fail",
            "warning" => "warning",
            _ => "undetermined",
        };
        Said::new(state, sentence(&cause.text("said")))
    });
    said.collect()
}

/// A cause as a sentence. What begins with a name or a path keeps its first letter.
fn sentence(said: &str) -> String {
    let first = said.split(' ').next().unwrap_or_default();
    match first.bytes().all(|byte| byte.is_ascii_lowercase()) {
        true => format!("{}{}.", said[..1].to_uppercase(), &said[1..]),
        false => format!("{said}."),
    }
}

/// Services that nobody could look at.
fn unseen(looked: &Looked<'_>) -> Option<Said> {
    let unseen = looked.outcomes.iter();
    let unseen = unseen.filter(|outcome| **outcome == "undetermined").count();
    let words = match looked.outcomes.len() {
        // `status` says why.
        _ if unseen == 0 => return None,
        _ => format!("Not seen on the wire: {unseen} of the services."),
    };
    Some(Said::new("undetermined", words))
}

/// What the agent could not look at: of that, nothing found is nothing known. A plan of wishes is refused for what they
/// are; where there are none, it tells of what is in force.
fn hindered(looked: &Looked<'_>) -> Vec<Said> {
    let wishes = looked.status.list("wishes");
    let plan = (wishes.is_empty(), "No plan could be made", looked.plan);
    let listed = (
        "Certificates could not be listed",
        &looked.certificates.0.doc,
    );
    let linted = ("Findings could not be looked for", &looked.findings.0.doc);
    let all = [listed, linted].into_iter();
    let all = all.chain(plan.0.then_some((plan.1, plan.2)));
    let said = all.filter_map(|(words, doc)| {
        let error = doc.at("error");
        let is_told = looked.status.at("error").text("code") == error.text("code");
        let words = format!("{words}: {}.", error.text("message").trim_end_matches('.'));
        (error.is_there() && !is_told).then(|| Said::new("undetermined", words))
    });
    said.collect()
}

fn certificates((seen, all): (&Seen, &[Shown])) -> Vec<Said> {
    if !seen.doc.is_there() {
        let words = "Certificates were not listed yet.";
        return vec![Said::new("undetermined", words)];
    }
    let used = all.iter().filter(|one| one.is_presented());
    used.filter_map(Shown::trouble).collect()
}

fn findings((seen, all): (&Seen, &[Found])) -> Option<Said> {
    if !seen.doc.is_there() {
        let words = "Findings were not looked for yet.";
        return Some(Said::new("undetermined", words));
    }
    let errors: Vec<&Found> = all.iter().filter(|found| found.is_error()).collect();
    match errors.as_slice() {
        [] => None,
        [one] => Some(Said::new("fail", &*one.message)),
        many => Some(Said::new(
            "fail",
            format!("{} findings are errors.", many.len()),
        )),
    }
}

/// What lint and a plan that changes nothing have against certificates that are presented. Errors of lint were
/// told, and self-signed ones of the store were said by name.
fn presented(looked: &Looked<'_>) -> Vec<Said> {
    let mut used = looked
        .certificates
        .1
        .iter()
        .filter(|one| one.is_presented());
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

/// What was seen before the agent went, or long ago, is no sight of now.
fn age(looked: &Looked<'_>) -> Option<Said> {
    let words = match looked.agent.seen.shown.as_str() {
        "" if looked.agent.state == "gone" => "The agent was never seen: nobody looks.".to_owned(),
        ago if looked.agent.state == "gone" => {
            format!("The agent was last seen {ago}: what is shown may be over.")
        }
        _ if !looked.status.at("judged").is_there() => return None,
        _ => {
            let Some(observed) = seconds(&looked.status.text("observed_at")) else {
                let words = "Nothing says when it was looked last.";
                return Some(Said::new("undetermined", words));
            };
            let age = (looked.now_ms / 1000).saturating_sub(observed);
            if age.saturating_abs() < LONG_AGO {
                return None;
            }
            let ago = When::at(observed.saturating_mul(1000), looked.now_ms).shown;
            format!("The last look was {ago}, though the agent runs: its log says what hinders it.")
        }
    };
    Some(Said::new("undetermined", words))
}

//! What a job told while it went on, in words.
//!
//! Owns: the sentence of each event. Never: says more than the event does.

use super::doc::Doc;
use super::glance::mark;
use super::when::When;
use postseal_store::desk::JobEvent;

/// The event of what a probe sees.
const SEEN: &str = "seen";
/// So many sentences are shown of one look.
const SENTENCES: usize = 50;

/// Something that was told.
pub(super) struct Told {
    pub(super) at: When,
    /// How long after the job began.
    pub(super) after: String,
    pub(super) words: String,
    /// What was seen: how it is painted, its mark, and a sentence.
    pub(super) seen: Vec<(&'static str, &'static str, String)>,
}

impl Told {
    /// What was seen.
    pub(super) fn sentences(&self) -> impl Iterator<Item = &str> {
        self.seen.iter().map(|(_, _, sentence)| sentence.as_str())
    }
}

/// Whether it is what a probe sees.
pub(super) fn is_seen(event: &JobEvent) -> bool {
    Doc::read(&event.document).text("event") == SEEN
}

/// An event of the engine's vocabulary in words; one that this version does not know by its name.
pub(super) fn told(event: &JobEvent, began: i64, now: i64) -> Told {
    let doc = Doc::read(&event.document);
    let words = match doc.text("event").as_str() {
        "stage" => stage(&doc.text("stage")),
        "looking" => format!("Looking at the servers of {} rules", doc.text("rules")),
        "looked" => format!(
            "{} was looked at, {} of {}",
            doc.text("address"),
            doc.text("done"),
            doc.text("all")
        ),
        SEEN => doc.text("words"),
        "rehearsed" => format!("Rehearsed: {}", judged(&doc)),
        "opened" => format!("Operation {} begins", doc.text("operation")),
        "step" => doc.text("what"),
        "proved" => format!("Seen on the wire: {}", judged(&doc)),
        "rolling-back" => format!("The old bytes are put back: {}", doc.text("reason")),
        "restarted" => format!("Stopped and started: {}", doc.text("reason")),
        "ordering" => format!("{}: {}", doc.text("certificate"), doc.text("doing")),
        "recovered" => format!(
            "Operation {} was interrupted and is ended: {}",
            doc.text("operation"),
            doc.text("how")
        ),
        other => other.to_owned(),
    };
    Told {
        at: When::at(event.at_ms, now),
        after: format!("{:.1} s", (event.at_ms - began).max(0) as f64 / 1000.0),
        words,
        seen: seen(&doc),
    }
}

/// What a look has shown, a sentence each.
fn seen(event: &Doc) -> Vec<(&'static str, &'static str, String)> {
    let judgements = event.at("verdict").list("judgements");
    let sentences = judgements.iter().flat_map(|one| {
        let state = match one.text("outcome").as_str() {
            "pass" => "pass",
            "fail" => "fail",
            _ => "undetermined",
        };
        let words = one.words("sentences").into_iter();
        words.map(move |sentence| (state, mark(state), sentence))
    });
    sentences.take(SENTENCES).collect()
}

fn stage(stage: &str) -> String {
    match stage {
        "look" => "Looking at what is there",
        "think" => "Making the plan",
        "rehearse" => "Rehearsing it in a scratch Postfix",
        "apply" => "Writing and reloading",
        "prove" => "Looking at the real ports",
        "roll-back" => "Rolling back",
        other => other,
    }
    .to_owned()
}

fn judged(event: &Doc) -> String {
    let judgements = event.at("verdict").list("judgements");
    let of = |outcome: &str| {
        let own = judgements
            .iter()
            .filter(|one| one.text("outcome") == outcome);
        own.count()
    };
    format!(
        "{} as expected, {} not, {} could not be seen",
        of("pass"),
        of("fail"),
        of("undetermined")
    )
}

//! The names by which certificates of this host are asked for, and for which of them each is.
//!
//! Owns: the comparison as it is shown, and what a search leaves of many. Never: asks DNS; the agent's copies tell the names.

use super::certificate::Shown;
use super::doc::Doc;
use super::search::has;
use postseal_planner::are_for;

/// So many names are told of one; the others are counted.
const TOLD: usize = 5;

/// By which names certificates are asked for.
#[derive(Default)]
pub(crate) struct Asked {
    /// A name, and as what it is asked for (`host-name`, `mail-exchanger`, `server-name`).
    names: Vec<(String, String)>,
    /// What is not known of it, in words.
    pub(crate) unknown: Vec<String>,
}

/// For which of these names a certificate is, in words; nothing where no name is known.
#[derive(Default)]
pub(crate) struct Match {
    pub(crate) yes: String,
    pub(crate) no: String,
}

impl Asked {
    /// Of what `status` told.
    pub(crate) fn of(status: &Doc) -> Self {
        let asked = status.at("asked_for");
        let name = |one: &Doc| (one.text("name"), one.text("asked_as"));
        Self {
            names: asked.list("names").iter().map(name).collect(),
            unknown: asked.words("unknown"),
        }
    }

    /// Which of them a certificate is for. A name to which another one is bound is that one's affair.
    pub(crate) fn matched(&self, one: &Shown) -> Match {
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        for (name, asked_as) in &self.names {
            if asked_as == "server-name" && !one.is_bound_to(name) {
                continue;
            }
            let words = format!("{name} ({})", why(asked_as));
            match are_for(&one.served(), name) {
                true => yes.push(words),
                false => no.push(words),
            }
        }
        Match {
            yes: listed(&yes),
            no: listed(&no),
        }
    }
}

/// Those that have each word of a search somewhere; all where nothing is searched for.
pub(crate) fn narrowed(mut all: Vec<Shown>, search: &str) -> Vec<Shown> {
    all.retain(|one| has(&one.words(), search));
    all
}

fn why(asked_as: &str) -> &'static str {
    match asked_as {
        "host-name" => "this host’s name",
        "mail-exchanger" => "an MX that is here",
        _ => "clients ask for it",
    }
}

/// The first few, and how many more there are.
fn listed(words: &[String]) -> String {
    let first = words.iter().take(TOLD).cloned().collect::<Vec<_>>();
    match words.len().saturating_sub(TOLD) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

//! The page of rules for destinations.
//!
//! Owns: the table with its search, its kinds, its order and its pages, which are all in the address. Never: judges a
//! rule; reads more of a million than a page.

pub(crate) mod bulk;
pub(crate) mod form;
pub(crate) mod import;
pub(crate) mod preflight;
mod rows;

use super::frame::{Frame, View};
use super::when::When;
use super::{filters, page};
use crate::app::App;
use crate::caller::Caller;
use crate::clock;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use postseal_store::desk::{
    RuleCount, RuleKind, RuleMark, RulePage, RulePlace, RuleQuery, RuleSort,
};
use rows::Shown;
use serde::Deserialize;

/// Rules of a page.
const PAGE: usize = 50;
/// So many letters of what is searched for are looked at.
const LONGEST: usize = 200;

/// What each level promises (smtp(8), TLS policies).
const LEVELS: [(&str, &str); 8] = [
    ("none", "mail goes in clear"),
    ("may", "TLS where the server offers it, else in clear"),
    (
        "encrypt",
        "TLS or no delivery; the server is not authenticated",
    ),
    (
        "dane",
        "authenticated where TLSA records are published, else as may",
    ),
    ("dane-only", "only to servers with TLSA records that match"),
    ("fingerprint", "only to servers with one of these keys"),
    ("verify", "a trusted certificate, for a name that DNS gave"),
    (
        "secure",
        "a trusted certificate for the recipient's domain, or the names given",
    ),
];

/// The columns by which the table is sorted: a word, its head, the order.
const COLUMNS: [(&str, &str, RuleSort); 5] = [
    ("destination", "Destination", RuleSort::Destination),
    ("level", "Level", RuleSort::Level),
    ("owner", "Owner", RuleSort::Owner),
    ("until", "Look again", RuleSort::Until),
    ("looked", "Servers", RuleSort::Looked),
];

/// The kinds of rules: a word, what people read.
const KINDS: [(&str, &str, RuleKind); 7] = [
    ("failing", "Failing", RuleKind::Marked(RuleMark::Failing)),
    ("idle", "Never matches", RuleKind::Marked(RuleMark::Idle)),
    (
        "hindered",
        "Does not hold",
        RuleKind::Marked(RuleMark::Hindered),
    ),
    ("overdue", "Overdue", RuleKind::Overdue),
    ("managed", "Managed", RuleKind::Marked(RuleMark::Managed)),
    (
        "stronger",
        "Could be stronger",
        RuleKind::Marked(RuleMark::Stronger),
    ),
    ("pending", "Pending", RuleKind::Marked(RuleMark::Pending)),
];

#[derive(Template)]
#[template(path = "policies.html")]
struct Page {
    frame: Frame,
    copied: When,
    is_there: bool,
    asked: Asked,
    all: u64,
    /// The set that is shown, and how many are as it was asked for.
    set: u64,
    matching: String,
    levels: [(&'static str, &'static str); 8],
    /// `51–100 of 1,234`.
    place: String,
    kinds: Vec<Chip>,
    rules: Vec<Shown>,
    /// The places of the pages beside this one: the first destination and manager, or the last, and its number.
    previous: Option<(String, String, u64)>,
    next: Option<(String, String, u64)>,
    columns: [(&'static str, &'static str, RuleSort); 5],
}

/// A kind of which one may see only those.
struct Chip {
    key: &'static str,
    name: &'static str,
    count: String,
    is_on: bool,
}

/// What stands in the address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    search: String,
    kind: String,
    sort: String,
    /// The page begins after this destination, or ends before it; `by` is its manager.
    after: String,
    before: String,
    by: String,
    /// The number of its first rule, as far as it is known.
    from: u64,
}

impl Asked {
    /// The page that it asks for.
    pub(crate) fn query(&self) -> RuleQuery {
        let text: String = self.search.to_lowercase().chars().take(LONGEST).collect();
        let apart = |c: char| c.is_whitespace() || c.is_control();
        let words = text.split(apart).filter(|word| !word.is_empty());
        let kind = KINDS.iter().find(|(key, ..)| *key == self.kind);
        let sort = COLUMNS.iter().find(|(key, ..)| *key == self.sort);
        let by = || self.by.clone();
        RuleQuery {
            words: words.map(str::to_owned).collect(),
            kind: kind.map(|(_, _, kind)| *kind),
            today: clock::today(),
            sort: sort.map(|(_, _, sort)| *sort).unwrap_or_default(),
            place: match (self.after.as_str(), self.before.as_str()) {
                ("", "") => None,
                ("", before) => Some(RulePlace::Before(before.to_owned(), by())),
                (after, _) => Some(RulePlace::After(after.to_owned(), by())),
            },
            limit: PAGE,
        }
    }
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let view = View::of(&app, &caller, "policies", &[]).await?;
    let (instance, query) = (app.instance.clone(), asked.query());
    let found = app.desks.at(move |desk| desk.rule_page(&instance, &query));
    let found = found.await?;
    let is_there = found.is_some();
    let found = found.unwrap_or_default();
    let from = match found.before {
        true => asked.from.max(1),
        false => 1,
    };
    let shown = Page {
        place: place(from, &found),
        kinds: chips(&asked, &found),
        previous: found.before.then(|| beside(&found, from, true)).flatten(),
        next: found.after.then(|| beside(&found, from, false)).flatten(),
        copied: When::at(found.made_ms, view.now_ms),
        all: found.counts.all,
        set: found.set,
        matching: counted(found.matching),
        levels: LEVELS,
        rules: found
            .rules
            .iter()
            .map(|rule| Shown::of(rule, view.now_ms))
            .collect(),
        is_there,
        asked,
        columns: COLUMNS,
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

fn place(from: u64, found: &RulePage) -> String {
    let rows = found.rules.len() as u64;
    let last = (from + rows).saturating_sub(1);
    match rows {
        0 => format!("None of {}", counted(found.matching)),
        _ => format!(
            "{}–{} of {}",
            grouped(from),
            grouped(last),
            counted(found.matching)
        ),
    }
}

fn beside(found: &RulePage, from: u64, is_before: bool) -> Option<(String, String, u64)> {
    let (rule, from) = match is_before {
        true => (found.rules.first()?, from.saturating_sub(PAGE as u64)),
        false => (found.rules.last()?, from + found.rules.len() as u64),
    };
    Some((rule.destination.clone(), rule.manager.clone(), from.max(1)))
}

fn chips(asked: &Asked, found: &RulePage) -> Vec<Chip> {
    let count = |kind: RuleKind| match kind {
        RuleKind::Overdue => counted(found.overdue),
        RuleKind::Marked(mark) => grouped(found.counts.of(mark)),
    };
    KINDS
        .iter()
        .map(|(key, name, kind)| Chip {
            key,
            name,
            count: count(*kind),
            is_on: asked.kind == *key,
        })
        .collect()
}

fn counted(count: RuleCount) -> String {
    match count.more {
        true => format!("more than {}", grouped(count.n)),
        false => grouped(count.n),
    }
}

/// A number in groups of three digits.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

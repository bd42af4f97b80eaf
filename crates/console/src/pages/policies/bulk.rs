//! Many rules at once: those that are ticked, or all that are as it was searched for.
//!
//! Owns: which rules are meant, and the one task that they become. Never: a job a rule; others than those that were shown.

use super::super::led_to_job;
use super::{Asked, LEVELS};
use crate::app::App;
use crate::caller::Caller;
use crate::filing;
use crate::problem::Problem;
use axum::Extension;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use postseal_planner::task::{Format, Import, LONGEST_IMPORT, Removal, Task};
use postseal_store::desk::{Matching, RuleQuery, RuleRow};

/// So many rules are changed by one job.
const MOST: usize = 50_000;
/// What takes a word away, where an empty field leaves it as it is.
const AWAY: &str = "-";

/// A form over the table.
struct Said(Vec<(String, String)>);

impl Said {
    fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.trim())
    }

    fn ticked(&self) -> Result<Vec<Ticked>, Problem> {
        let all = self.0.iter().filter(|(field, _)| field == "rule");
        let read = |(_, value): &(String, String)| {
            let (digest, destination) = value.split_once(' ')?;
            Some(Ticked {
                digest: digest.to_owned(),
                destination: destination.to_owned(),
            })
        };
        let all: Option<Vec<Ticked>> = all.map(read).collect();
        let all = all.ok_or_else(|| Problem::malformed("a tick is a digest and a destination"))?;
        match all.len() > MOST {
            true => Err(too_many()),
            false => Ok(all),
        }
    }

    fn asked(&self) -> Asked {
        Asked {
            search: self.text("search").to_owned(),
            kind: self.text("kind").to_owned(),
            ..Asked::default()
        }
    }
}

/// A rule that is ticked, maybe on another page and some time ago: as it was seen there.
struct Ticked {
    destination: String,
    digest: String,
}

pub(crate) async fn change(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let said = Said(fields);
    let (rules, revision) = meant(&app, &said).await?;
    if rules.is_empty() {
        return Err(Problem::malformed("no rule is ticked that a form changes"));
    }
    let task = match said.text("do") {
        "remove" => removed(&rules, revision),
        _ => changed(&rules, &said, revision)?,
    };
    let job = filing::file(&app, &caller, &task, None).await?;
    Ok(led_to_job(job))
}

/// The rules, and the revision of the agent's store at which they are so: where that is another one by then, nothing is
/// changed. All that match are those of the set that was shown; one that is ticked is as it was seen.
async fn meant(app: &App, said: &Said) -> Result<(Vec<RuleRow>, Option<i64>), Problem> {
    let set = said.text("set").parse().unwrap_or(0_u64);
    let instance = app.instance.clone();
    let is_all = !said.text("all").is_empty();
    let ticked = said.ticked()?;
    let query = RuleQuery {
        place: None,
        limit: 1,
        ..said.asked().query()
    };
    let found = app.desks.at(move |desk| {
        let page = desk.rule_page(&instance, &query)?;
        let page = page.filter(|page| page.set == set || !is_all);
        let Some(revision) = page.map(|page| page.revision()) else {
            return Ok((Matching::Changed, None));
        };
        if is_all {
            let found = desk.matching_rules(&instance, set, &query, MOST)?;
            return Ok((found, revision));
        }
        let mut rules = Vec::new();
        for one in ticked {
            let rule = desk.rule_row(&instance, &one.destination, "")?;
            match rule.filter(|rule| rule.digest == one.digest) {
                Some(rule) => rules.push(rule),
                None => return Ok((Matching::Changed, None)),
            }
        }
        Ok((Matching::Rules(rules), revision))
    });
    match found.await? {
        (Matching::Rules(rules), revision) => Ok((rules, revision)),
        (Matching::TooMany, _) => Err(too_many()),
        (Matching::Changed, _) => Err(Problem::new(
            StatusCode::CONFLICT,
            "console.rules-changed",
            "the rules have changed since they were shown, and nothing was stored: look at them again",
        )),
    }
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "console.too-many-rules",
        format!("more than {MOST} rules: search for fewer, or change them by an import"),
    )
}

fn removed(rules: &[RuleRow], revision: Option<i64>) -> Task {
    let lines: Vec<&str> = rules.iter().map(|rule| rule.destination.as_str()).collect();
    Task::PolicyRemove(Removal {
        from: Some(lines.join("\n")),
        revision,
        ..Removal::default()
    })
}

/// Rules with other words are an import: what a line does not say stays.
fn changed(rules: &[RuleRow], said: &Said, revision: Option<i64>) -> Result<Task, Problem> {
    let level = said.text("level");
    if !level.is_empty() && LEVELS.iter().all(|(name, _)| *name != level) {
        return Err(Problem::malformed("there is no such level"));
    }
    let columns = ["owner", "until", "tags"];
    let columns = columns.map(|name| (name, said.text(name)));
    let columns = columns.into_iter().filter(|(_, text)| !text.is_empty());
    let columns: Vec<(&str, &str)> = columns.collect();
    if level.is_empty() && columns.is_empty() {
        return Err(Problem::malformed("nothing is said that is to be changed"));
    }
    let mut head = vec!["destination", "policy"];
    head.extend(columns.iter().map(|(name, _)| *name));
    let mut text = head.join(",");
    for rule in rules {
        let policy = policy(rule, level);
        let mut cells = vec![rule.destination.as_str(), policy.as_str()];
        let word = |text| if text == AWAY { "" } else { text };
        cells.extend(columns.iter().map(|(_, text)| word(*text)));
        text.push('\n');
        let cells: Vec<String> = cells.into_iter().map(cell).collect();
        text.push_str(&cells.join(","));
        if text.len() > LONGEST_IMPORT {
            let why = format!("the list is longer than {LONGEST_IMPORT} bytes: search for fewer");
            let code = "console.too-many-rules";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, why));
        }
    }
    Ok(Task::PolicyImport(Import {
        text,
        format: Format::Csv,
        revision,
        ..Import::default()
    }))
}

/// The policy at another level: what goes with a level alone stays behind, as at `policy edit`.
fn policy(rule: &RuleRow, level: &str) -> String {
    if level.is_empty() || level == rule.level() {
        return rule.policy.clone();
    }
    let stays = |one: &&str| !one.starts_with("match=") && !one.starts_with("tafile=");
    let attributes = rule.policy.split(' ').skip(1).filter(stays);
    let words: Vec<&str> = std::iter::once(level).chain(attributes).collect();
    words.join(" ")
}

/// A cell of CSV (RFC 4180).
fn cell(text: &str) -> String {
    match text.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

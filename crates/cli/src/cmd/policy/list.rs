//! `policy list`: the rules, as they are and as they are wished.
//!
//! Owns: a rule as a row and as a document. Never: holds more than a page (`stream`).

pub(super) mod rows;
mod stream;
mod words;

use super::follow::{recipient, shown};
use crate::answer::{Answer, findings_text};
use crate::config::{Global, Output};
use crate::failure::Failure;
use crate::session::Session;
use crate::table;
use clap::{Args, ValueEnum};
use mailtls::Level;
use mailtls::destination::Scope;
use postseal_engine::{Hindered, Hindrance};
use postseal_planner::Preflight;
use postseal_planner::policy::{Met, Rule, RuleId, is_day};
use postseal_store::{Pending, RuleFilter, RuleOrder, RuleState};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
pub(super) use words::in_words;
use words::{fails_at, hindered, servers, word, would};

const HEAD: [&str; 8] = [
    "destination",
    "policy",
    "scope",
    "state",
    "servers",
    "owner",
    "until",
    "note",
];

/// Said in the place of an empty table.
const NONE: &str = "No rules.\n";

/// Arguments of `policy list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only destinations or notes that hold this text
    #[arg(value_name = "TEXT")]
    search: Option<String>,
    /// Only rules of this level
    #[arg(long, value_parser = str::parse::<Level>)]
    level: Option<Level>,
    /// Only rules of this owner
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Only rules with this tag
    #[arg(long, value_name = "WORD")]
    tag: Option<String>,
    /// Only rules to be looked at again on this day or before
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    due: Option<String>,
    /// Only rules with a pending wish
    #[arg(long)]
    pending: bool,
    /// The order
    #[arg(long, value_enum, default_value_t)]
    sort: Sort,
    /// How many; 0 for all
    #[arg(long, short = 'n', default_value_t = 1000)]
    limit: usize,
    /// How many to leave out before
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip: usize,
}

/// The words of `--sort`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Sort {
    /// By destination
    #[default]
    Destination,
    /// By policy
    Level,
    /// By the day of review
    Until,
}

pub(super) fn run(args: &ListArgs, global: &Global) -> Result<Answer, Failure> {
    let filter = filter(args);
    let mut session = Session::reading(global)?;
    if args.limit == 0 || args.limit > stream::PAGE {
        return stream::all(args, &filter, &mut session, global);
    }
    let limit = args.limit.saturating_add(1);
    let mut found = session.engine().list_rules(&filter, args.skip, limit)?;
    let more = found.len() > args.limit;
    found.truncate(args.limit);
    let page = Page::of(found, &mut session)?;
    let findings = &page.standings.hindered.findings;
    if global.output == Output::Json {
        let rules: Vec<Value> = page.documents().collect();
        let document =
            json!({"changed": false, "rules": rules, "more": more, "findings": findings});
        return Ok(Answer::new("", document));
    }
    let mut text = page.text().unwrap_or_else(|| NONE.to_owned());
    if more {
        let next = args.skip + args.limit;
        text.push_str(&format!(
            "There are more: --skip {next}, or -n 0 for all.\n"
        ));
    }
    text.push_str(&findings_text(findings));
    Ok(Answer::new(text, Value::Null))
}

fn filter(args: &ListArgs) -> RuleFilter {
    RuleFilter {
        level: args.level.map(|level| level.to_string()),
        owner: args.owner.clone(),
        tag: args.tag.clone(),
        search: args.search.clone(),
        due: args.due.clone(),
        pending: if args.pending {
            Pending::Only
        } else {
            Pending::All
        },
        order: match args.sort {
            Sort::Destination => RuleOrder::Destination,
            Sort::Level => RuleOrder::Level,
            Sort::Until => RuleOrder::Until,
        },
        ..RuleFilter::default()
    }
}

/// A day of the calendar.
fn day(text: &str) -> Result<String, String> {
    match is_day(text) {
        true => Ok(text.to_owned()),
        false => Err("no day of the calendar: YYYY-MM-DD".to_owned()),
    }
}

/// Some rules, with all that is shown of them.
struct Page {
    rules: Vec<RuleState>,
    looks: BTreeMap<RuleId, Preflight>,
    standings: Standings,
}

impl Page {
    fn of(rules: Vec<RuleState>, session: &mut Session) -> Result<Self, Failure> {
        Ok(Self {
            looks: session.engine().looks(&rules)?,
            standings: Standings::of(&rules, session)?,
            rules,
        })
    }

    fn look(&self, state: &RuleState) -> Option<&Preflight> {
        self.looks.get(&state.id)
    }

    fn documents(&self) -> impl Iterator<Item = Value> {
        let rules = self.rules.iter();
        rules.map(|state| document(state, self.look(state), &self.standings))
    }

    /// The table; `None` where there is no row.
    fn text(&self) -> Option<String> {
        let row = |state| row(state, self.look(state), &self.standings);
        let rows: Vec<Vec<String>> = self.rules.iter().map(row).collect();
        (!rows.is_empty()).then(|| table::render(&HEAD, &rows))
    }
}

/// What holds for the keys of rules: as it is, and as it is wished.
struct Standings {
    now: Keys,
    wanted: Keys,
    hindered: Hindered,
}

/// Destination → its keys for which there are rules of several managers.
struct Keys(BTreeMap<String, Vec<Met>>);

impl Standings {
    fn of(found: &[RuleState], session: &mut Session) -> Result<Self, Failure> {
        let destinations = found.iter().map(|one| one.id.destination.clone());
        let destinations: BTreeSet<String> = destinations.collect();
        Ok(Self {
            now: Keys::new(session.engine().rules_met(&destinations)?),
            wanted: Keys::new(session.engine().rules_meeting(&destinations)?),
            hindered: session.engine().hindered(found)?,
        })
    }

    /// The policy of the row that is written for a rule, as it is wished; of one that is to be removed,
    /// as it is.
    fn written(&self, state: &RuleState) -> Option<String> {
        match (&state.wanted, &state.in_force) {
            (Some(rule), _) => self.wanted.policy(rule),
            (None, Some(rule)) => self.now.policy(rule),
            (None, None) => None,
        }
    }

    /// Why a rule in force does not hold.
    fn hindrance(&self, state: &RuleState) -> Option<&Hindrance> {
        self.hindered.rules.get(&state.id)
    }

    /// Why a rule would not, as it is wished.
    fn wished(&self, state: &RuleState) -> Option<&Hindrance> {
        self.hindered.wished.get(&state.id)
    }
}

impl Keys {
    fn new(all: Vec<Met>) -> Self {
        let mut found: BTreeMap<String, Vec<Met>> = BTreeMap::new();
        for met in all {
            if let Some(rule) = met.rules.first() {
                let destination = rule.id.destination.clone();
                found.entry(destination).or_default().push(met);
            }
        }
        Self(found)
    }

    fn of<'a>(&'a self, rule: &'a Rule) -> impl Iterator<Item = &'a Met> {
        let there = self.0.get(&rule.id.destination).into_iter().flatten();
        there.filter(|met| met.rules.contains(rule))
    }

    /// What holds in the place of a rule's policy, in words.
    fn instead_of(&self, rule: &Rule) -> Option<String> {
        let told: Vec<String> = self
            .of(rule)
            .filter_map(|met| met.instead_of(rule))
            .collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// The policy that holds for its own key.
    fn policy(&self, rule: &Rule) -> Option<String> {
        let own = |met: &&Met| met.destination == rule.id.destination;
        match self.of(rule).find(own) {
            Some(met) => met.policy().map(str::to_owned),
            None => Some(rule.policy.clone()),
        }
    }
}

fn row(state: &RuleState, seen: Option<&Preflight>, standings: &Standings) -> Vec<String> {
    let rule = state.wanted.as_ref().or(state.in_force.as_ref());
    let word = |word: fn(&postseal_planner::policy::About) -> &Option<String>| {
        rule.and_then(|rule| word(&rule.about).clone())
            .unwrap_or_default()
    };
    vec![
        shown(&state.id),
        rule.map(|rule| rule.policy.clone()).unwrap_or_default(),
        rule.map(|rule| scope(rule).to_string()).unwrap_or_default(),
        standing(state, standings),
        seen.zip(standings.written(state))
            .map(|(seen, policy)| servers(seen, &policy))
            .unwrap_or_default(),
        word(|about| &about.owner),
        word(|about| &about.until),
        word(|about| &about.note),
    ]
}

/// Which names it is for; of a rule that follows mail, which recipients.
fn scope(rule: &Rule) -> Scope {
    rule.about
        .follow
        .map_or(rule.scope(), |follow| follow.scope)
}

/// Where a rule stands, who manages it, and what holds in its place.
fn standing(state: &RuleState, standings: &Standings) -> String {
    let managed = match state.id.manager.as_str() {
        "" => String::new(),
        _ if recipient(&state.id).is_some() => String::new(),
        manager => format!(", managed by {manager}"),
    };
    stands(state, standings) + &managed + &instead(state, standings)
}

/// Where a rule stands.
fn stands(state: &RuleState, standings: &Standings) -> String {
    let then = standings.wished(state).map(would);
    let then = then.unwrap_or_default();
    match (&state.in_force, &state.wanted) {
        (None, _) => format!("to be added{then}"),
        (Some(_), None) => "to be removed".to_owned(),
        (Some(old), Some(new)) if old != new => {
            if old.policy == new.policy {
                format!("to be changed{then}")
            } else {
                format!("to be changed, is {}{then}", old.policy)
            }
        }
        _ => standings
            .hindrance(state)
            .map_or_else(|| "in force".to_owned(), hindered),
    }
}

/// What holds in the place of a rule, where it meets another one.
fn instead(state: &RuleState, standings: &Standings) -> String {
    let instead = match (&state.in_force, &state.wanted) {
        (Some(rule), Some(_)) => standings.now.instead_of(rule),
        (None, Some(rule)) => standings.wanted.instead_of(rule),
        (_, None) => None,
    };
    instead.map(|text| format!(", {text}")).unwrap_or_default()
}

fn document(state: &RuleState, seen: Option<&Preflight>, standings: &Standings) -> Value {
    let hindrance = standings.hindrance(state);
    let answers = hindrance != Some(&Hindrance::NotAnswered);
    let policy = |keys: &Keys, rule: &Option<Rule>| rule.as_ref().and_then(|one| keys.policy(one));
    let instead =
        |keys: &Keys, rule: &Option<Rule>| rule.as_ref().and_then(|one| keys.instead_of(one));
    let rule = state.wanted.as_ref().or(state.in_force.as_ref());
    let written = standings.written(state);
    let outcome = |seen: &Preflight| written.as_ref().map(|policy| seen.outcome_for(policy));
    json!({
        "effective": {
            "in_force": policy(&standings.now, &state.in_force),
            "wanted": policy(&standings.wanted, &state.wanted),
            "instead": instead(&standings.now, &state.in_force),
            "instead_wanted": instead(&standings.wanted, &state.wanted),
        },
        "destination": state.id.destination,
        "shown": state.id.shown(),
        "follows": recipient(&state.id).map(|id| id.destination),
        "manager": Some(&state.id.manager).filter(|manager| !manager.is_empty()),
        "scope": rule.map(|rule| scope(rule).name()),
        "in_force": state.in_force,
        "wanted": state.wanted,
        "pending": state.is_pending(),
        "digest": super::was::digest(state.wanted.as_ref()),
        "answered": state.in_force.as_ref().map(|_| answers),
        "holds": state.in_force.as_ref().map(|_| hindrance.is_none()),
        "hindered": hindrance.map(|one| json!({"by": word(one), "why": hindered(one)})),
        "hindered_wanted": standings.wished(state)
            .map(|one| json!({"by": word(one), "why": would(one).trim_start_matches(", ")})),
        "servers": seen.map(|seen| json!({
            "outcome": outcome(seen),
            "fail_at": fails_at(seen).map(|one| one.address).collect::<Vec<_>>(),
            "at": seen.at,
            "policy": seen.policy,
            "sentence": seen.sentence,
            "strongest": seen.strongest.policy,
        })),
    })
}

//! `domain list`: entries and credentials, as rows and as a document.
//!
//! Owns: the words of both. Never: shows a password: none is read.

use crate::answer::Answer;
use crate::cmd::policy::was::digest;
use crate::config::Global;
use crate::failure::Failure;
use crate::session::Session;
use crate::table;
use postseal_engine::{DomainState, HopState};
use postseal_planner::credentials::EVERY;
use postseal_planner::policy::{Entry, Rule};
use postseal_store::RuleState;
use serde_json::{Value, json};

const DOMAINS: [&str; 7] = [
    "domain",
    "next hop",
    "policy",
    "auth",
    "state",
    "its mail now",
    "note",
];
const HOPS: [&str; 4] = ["credentials for", "next hop", "level now", "rule"];

/// Arguments of `domain list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {}

pub(super) fn run(_args: &ListArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::reading(global)?;
    let engine = session.engine();
    let domains = engine.domains()?;
    let hops = engine.credential_hops()?;
    let mut text = match domains.as_slice() {
        [] => "No entries.\n".to_owned(),
        domains => {
            let rows: Vec<Vec<String>> = domains.iter().map(row).collect();
            table::render(&DOMAINS, &rows)
        }
    };
    if !hops.is_empty() {
        let rows: Vec<Vec<String>> = hops.iter().map(hop_row).collect();
        text.push('\n');
        text.push_str(&table::render(&HOPS, &rows));
    }
    let (of_server, hops_left): (Vec<&HopState>, Vec<&HopState>) =
        hops.iter().partition(|hop| hop.is_any_of_server());
    let (anywhere, named): (Vec<&HopState>, Vec<&HopState>) =
        hops_left.into_iter().partition(|hop| hop.is_anywhere());
    if !of_server.is_empty() {
        text.push_str(
            "Postfix looks credentials up by the server's name first, and rules by next hop: what a rule for that name does not cover may go in clear; see `postseal lint`.\n",
        );
    }
    let (of_all, of_senders): (Vec<&HopState>, Vec<&HopState>) =
        anywhere.into_iter().partition(|hop| is_for_all(hop));
    if of_all.into_iter().any(lacks_rule) {
        text.push_str(
            "A table static: gives every server the same credentials, maybe in clear: name the next \
             hop that they are for, by a row `[HOST]:PORT USER:PASSWORD` of another table.\n",
        );
    }
    if of_senders.into_iter().any(lacks_rule) {
        text.push_str(
            "Senders without a relay show their credentials to any server, maybe in clear: give \
             each a relay in sender_dependent_relayhost_maps.\n",
        );
    }
    if named.into_iter().any(lacks_rule) {
        text.push_str(
            "Credentials may go in clear where the level is none, may or dane: `postseal domain \
             sync` wishes for rules that demand TLS.\n",
        );
    }
    let document = json!({
        "changed": false,
        "domains": domains.iter().map(document).collect::<Vec<_>>(),
        "credentials": hops.iter().map(hop_document).collect::<Vec<_>>(),
    });
    Ok(Answer::new(text, document))
}

fn rule(state: &RuleState) -> Option<&Rule> {
    state.wanted.as_ref().or(state.in_force.as_ref())
}

fn entry(state: &RuleState) -> Option<Entry> {
    rule(state).and_then(|rule| rule.about.entry)
}

fn row(state: &DomainState) -> Vec<String> {
    let rule = rule(&state.rule);
    let text = |of: fn(&Rule) -> String| rule.map(of).unwrap_or_default();
    let auth = entry(&state.rule).is_some_and(|entry| entry.requires_auth);
    vec![
        state.domain.clone(),
        state.rule.id.shown(),
        text(|rule| rule.policy.clone()),
        if auth { "required" } else { "-" }.to_owned(),
        standing(&state.rule).to_owned(),
        match state.is_routed() {
            true => "takes it".to_owned(),
            false => state.route.words(),
        },
        text(|rule| rule.about.note.clone().unwrap_or_default()),
    ]
}

fn standing(state: &RuleState) -> &'static str {
    match (&state.in_force, &state.wanted) {
        (None, _) => "to be added",
        (Some(_), None) => "to be removed",
        (Some(old), Some(new)) if old != new => "to be changed",
        _ => "in force",
    }
}

fn hop_row(hop: &HopState) -> Vec<String> {
    let keys = hop.keys.iter().map(|key| match key.as_str() {
        EVERY => "every server (static:)",
        key => key,
    });
    vec![
        keys.collect::<Vec<_>>().join(" "),
        hop.nexthop.clone(),
        hop.level.map_or_else(
            || "not known, or no mail can go".to_owned(),
            |level| level.to_string(),
        ),
        hop.rule
            .as_ref()
            .map_or("none managed", standing)
            .to_owned(),
    ]
}

/// Whether no key says whose they are.
fn is_for_all(hop: &HopState) -> bool {
    hop.keys.iter().any(|key| key == EVERY)
}

/// Whether credentials may go in clear, and nothing is wished against it.
fn lacks_rule(hop: &HopState) -> bool {
    let clear = hop.level.is_some_and(|level| !level.never_cleartext());
    let wished = hop.rule.as_ref().is_some_and(|rule| rule.wanted.is_some());
    clear && !wished
}

fn document(state: &DomainState) -> Value {
    let entry = entry(&state.rule);
    json!({
        "domain": state.domain,
        "next_hop": state.rule.id.destination,
        "manager": state.rule.id.manager,
        "requires_auth": entry.is_some_and(|entry| entry.requires_auth),
        "smtps": entry.is_some_and(|entry| entry.smtps),
        "in_force": state.rule.in_force,
        "wanted": state.rule.wanted,
        "pending": state.rule.is_pending(),
        "digest": digest(state.rule.wanted.as_ref()),
        "transport": state.route.transport,
        "next_hops_now": state.route.hops,
        "routed": state.is_routed(),
    })
}

fn hop_document(hop: &HopState) -> Value {
    json!({
        "keys": hop.keys,
        "next_hop": hop.nexthop,
        "level": hop.level.map(|level| level.to_string()),
        "in_force": hop.rule.as_ref().and_then(|rule| rule.in_force.clone()),
        "wanted": hop.rule.as_ref().and_then(|rule| rule.wanted.clone()),
    })
}

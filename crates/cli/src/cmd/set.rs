//! `set`, `unset` and `discard`: wishes.
//!
//! Owns: splitting KEY=VALUE, and the list of keys. Never: knows what a value means.

use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use crate::table;
use postseal_engine::Changes;
use postseal_planner::Intent;
use postseal_planner::settings::KEYS;
use serde_json::json;

/// Arguments of `set`.
#[derive(Debug, clap::Args)]
pub(crate) struct SetArgs {
    /// What is wanted, e.g. mode=may submission=on param.tls_preempt_cipherlist=yes
    #[arg(value_name = "KEY=VALUE")]
    pairs: Vec<String>,
}

/// Arguments of `unset`.
#[derive(Debug, clap::Args)]
pub(crate) struct UnsetArgs {
    /// Keys to give back
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
}

pub(crate) fn set(args: &SetArgs, global: &Global) -> Result<Answer, Failure> {
    if args.pairs.is_empty() {
        return Ok(list());
    }
    let pairs = args
        .pairs
        .iter()
        .map(|pair| split(pair))
        .collect::<Result<Vec<_>, _>>()?;
    let mut session = Session::existing(global)?;
    let intent = session.engine().set(&pairs)?;
    Ok(wished(&intent))
}

pub(crate) fn unset(args: &UnsetArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let intent = session.engine().unset(&args.keys)?;
    Ok(wished(&intent))
}

pub(crate) fn discard(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let changes = session.engine().discard()?;
    let text = match changes {
        Changes::Some => "All pending wishes are dropped.\n",
        Changes::None => "Nothing was pending.\n",
    };
    Ok(Answer::new(
        text,
        json!({"changed": changes == Changes::Some}),
    ))
}

/// The answer after a wish: what is wanted now, and what comes next.
pub(crate) fn wished(intent: &Intent) -> Answer {
    let mut text = String::new();
    for (key, setting) in &intent.settings {
        text.push_str(&format!("{} = {}\n", key.name(), setting.text(key)));
    }
    for binding in &intent.bindings {
        text.push_str(&format!(
            "certificate = {} ({}, {})\n",
            binding.name,
            binding.place.text(),
            binding.fingerprint
        ));
    }
    text.push_str("Nothing is in force yet: look with `postseal plan`, then `postseal apply`.\n");
    let settings: serde_json::Map<_, _> = intent
        .settings
        .iter()
        .map(|(key, setting)| (key.name().into_owned(), setting.text(key).into()))
        .collect();
    Answer::new(
        text,
        json!({"changed": true, "settings": settings, "bindings": intent.bindings}),
    )
}

fn list() -> Answer {
    let rows: Vec<Vec<String>> = KEYS
        .iter()
        .map(|key| {
            vec![
                key.name.to_owned(),
                key.values.to_owned(),
                key.meaning.to_owned(),
            ]
        })
        .collect();
    let keys: Vec<_> = KEYS
        .iter()
        .map(|key| json!({"key": key.name, "values": key.values, "meaning": key.meaning}))
        .collect();
    Answer::new(
        table::render(&["key", "values", "meaning"], &rows),
        json!({"changed": false, "keys": keys}),
    )
}

fn split(pair: &str) -> Result<(String, String), Failure> {
    let (key, value) = pair.split_once('=').ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "set.no-value",
            format!("{pair:?} is not KEY=VALUE"),
        )
        .hint("`postseal set` alone lists all keys; `postseal unset KEY` gives one back.")
    })?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

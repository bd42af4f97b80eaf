//! `set`, `unset` and `discard`: wishes.
//!
//! Owns: splitting KEY=VALUE, and the list of keys. Never: knows what a value means.

use super::history::word;
use super::plan::{self, OnlyDiff};
use crate::answer::Answer;
use crate::change::Change;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use crate::table;
use postseal_engine::{Wish, Wished, Wishes, wishes};
use postseal_planner::settings::{KEYS, KeyDoc};
use serde_json::json;

/// Arguments of `set`.
#[derive(Debug, clap::Args)]
pub(crate) struct SetArgs {
    /// What is wanted, e.g. mode=may submission=on param.tls_preempt_cipherlist=yes
    #[arg(value_name = "KEY=VALUE")]
    pairs: Vec<String>,
    /// Give this key back, too (repeatable)
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    /// Bind this certificate to every SMTP service, too (repeatable)
    #[arg(long, value_name = "NAME")]
    bind: Vec<String>,
    /// Unbind this certificate everywhere, too (repeatable)
    #[arg(long, value_name = "NAME")]
    unbind: Vec<String>,
    /// Wish for nothing where no plan can be made of all of it; so it is where certificates or
    /// --unset are named
    #[arg(long)]
    whole: bool,
    /// Only show what the plan would be; exit 2 when there is something to do
    #[arg(long)]
    check: bool,
}

impl SetArgs {
    /// Whether it is judged as a whole before it is wished.
    fn is_whole(&self) -> bool {
        let lists = [&self.unset, &self.bind, &self.unbind];
        self.whole || lists.iter().any(|list| !list.is_empty())
    }
}

/// Arguments of `unset`.
#[derive(Debug, clap::Args)]
pub(crate) struct UnsetArgs {
    /// Keys to give back
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
}

pub(crate) fn set(args: &SetArgs, global: &Global) -> Result<Answer, Failure> {
    let set = args
        .pairs
        .iter()
        .map(|pair| split(pair))
        .collect::<Result<Vec<_>, _>>()?;
    if set.is_empty() && !args.check && !args.is_whole() {
        return Ok(list());
    }
    if !args.check && !args.is_whole() {
        let mut session = Session::existing(global)?;
        return Ok(wished(&session.engine().set(&set)?));
    }
    let wishes = Wishes {
        set,
        unset: args.unset.clone(),
        bind: args.bind.clone(),
        unbind: args.unbind.clone(),
    };
    if args.check {
        let mut session = Session::reading(global)?;
        let proposal = session.engine().propose_wishes(&wishes)?;
        return Ok(plan::checked(&proposal, OnlyDiff::No));
    }
    let mut session = Session::existing(global)?;
    let (saved, proposal) = session.engine().save(&wishes)?;
    let mut answer = wished(&saved).and(&plan::text(&proposal));
    answer.json["proposal"] = plan::document(&proposal);
    Ok(answer)
}

pub(crate) fn unset(args: &UnsetArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    Ok(wished(&session.engine().unset(&args.keys)?))
}

pub(crate) fn discard(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let wished = session.engine().discard()?;
    let dropped = wishes(&wished.after, &wished.before);
    let mut words: Vec<String> = dropped.iter().map(word).collect();
    match wished.rules {
        0 => {}
        1 => words.push("a wish about a rule for a destination".to_owned()),
        rules => words.push(format!("{rules} wishes about rules for destinations")),
    }
    let text = match words.as_slice() {
        [] => "Nothing was pending.\n".to_owned(),
        words => format!("Dropped: {}\n", words.join(" ")),
    };
    Ok(Answer::new(text, document(&wished)))
}

/// The answer after a wish: what is wanted otherwise now, and what comes next.
pub(crate) fn wished(wished: &Wished) -> Answer {
    let changes = wishes(&wished.before, &wished.after);
    let pending = wishes(&wished.in_force, &wished.after);
    let mut text: String = changes.iter().map(line).collect();
    text.push_str(match (changes.is_empty(), pending.is_empty()) {
        (true, true) => "Nothing has changed: this is in force already.\n",
        (true, false) => {
            "Nothing has changed: this was wished already; `postseal apply` puts it in force.\n"
        }
        (false, true) => "Nothing is pending any more: this is what is in force.\n",
        (false, false) => "Not in force yet: look with `postseal plan`, then `postseal apply`.\n",
    });
    Answer::new(text, document(wished))
}

/// A changed wish in one line.
pub(crate) fn line(wish: &Wish) -> String {
    let was = |value: &Option<String>| match value {
        Some(value) => format!(" (was {value})"),
        None => String::new(),
    };
    match &wish.after {
        Some(after) => format!("{} = {after}{}\n", wish.key, was(&wish.before)),
        None => format!("{} is given back{}\n", wish.key, was(&wish.before)),
    }
}

fn document(wished: &Wished) -> serde_json::Value {
    let changes = wishes(&wished.before, &wished.after);
    let change = changes.into_iter().fold(Change::default(), |change, wish| {
        change.of(wish.key, wish.before, wish.after)
    });
    let intent = &wished.after;
    let settings: serde_json::Map<_, _> = intent
        .settings
        .iter()
        .map(|(key, setting)| (key.name().into_owned(), setting.text(key).into()))
        .collect();
    change.document(json!({
        "settings": settings,
        "bindings": intent.bindings,
        "pending": wishes(&wished.in_force, intent),
    }))
}

fn list() -> Answer {
    let rows: Vec<Vec<String>> = KEYS
        .iter()
        .map(|key| {
            let default = key.default.unwrap_or("-");
            [key.name, values(key), key.meaning, default]
                .map(str::to_owned)
                .to_vec()
        })
        .collect();
    let keys: Vec<_> = KEYS
        .iter()
        .map(|key| {
            json!({
                "key": key.name, "values": key.values, "meaning": key.meaning,
                "default": key.default,
            })
        })
        .collect();
    Answer::new(
        table::wrapped(&["key", "values", "meaning", "default"], &rows),
        json!({"changed": false, "keys": keys}),
    )
}

/// The values in a table: names of profiles are long, and have a list of their own.
fn values(key: &KeyDoc) -> &'static str {
    match key.name.split('.').next() {
        Some("profile") => "see `postseal profile list`",
        _ => key.values,
    }
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

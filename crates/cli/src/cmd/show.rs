//! `show`: TLS parameters as Postfix sees them, and where each comes from.
//!
//! Owns: the table. Never: computes an effective value (the planner does), needs a store or root.

mod ciphers;
mod seen;

use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::table;
use postseal_engine::EngineError;
use postseal_planner::catalog::OLDEST;
use postseal_planner::shown::{Listing, Shown, Which, show};
use postseal_planner::{Facts, PostfixVersion};
use seen::Depth;
use serde_json::{Value, json};

/// Arguments of `show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// Parameters [default: every TLS parameter that is set]
    #[arg(value_name = "PARAM", conflicts_with = "all")]
    parameters: Vec<String>,
    /// Every TLS parameter of this Postfix, set or not
    #[arg(long)]
    all: bool,
    /// Expand $name
    #[arg(short = 'x')]
    expand: bool,
    /// As this service sees them (submission, smtps, 25, smtp/inet …)
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The cipher suites that each program may use, by TLS version: grades, exclusions and protocol
    /// lists put together and expanded by the OpenSSL at hand
    #[arg(long, conflicts_with_all = ["parameters", "all", "expand"])]
    cipher_list: bool,
    /// As this release of Postfix would see the files, by its defaults; the installed one is not asked
    #[arg(long, value_name = "V")]
    postfix_version: Option<PostfixVersion>,
}

pub(crate) fn run(args: &ShowArgs, global: &Global) -> Result<Answer, Failure> {
    if args.cipher_list {
        return ciphers::answer(args, global);
    }
    let facts = seen::look(args.postfix_version, Depth::Values, global)?;
    let which = match (args.all, args.parameters.as_slice()) {
        (true, _) => Which::All,
        (false, []) => Which::Set,
        (false, names) => Which::Named(names),
    };
    let shown = show(&facts, which, args.service.as_deref()).map_err(EngineError::Refused)?;
    warn(&facts, &shown, global);
    let json = json!({
        "changed": false,
        "postfix": facts.version,
        "asked": facts.was_asked(),
        "service": shown.service,
        "values": shown.values.iter().map(|one| document(one, args.expand)).collect::<Vec<_>>(),
    });
    Ok(Answer::new(text(&shown, args.expand), json))
}

/// What was not known, because no Postfix was asked.
fn warn(facts: &Facts, shown: &Listing, global: &Global) {
    if facts.was_asked() {
        return;
    }
    let unknown = shown.values.iter().filter(|one| one.expanded.is_none());
    let unknown: Vec<&str> = unknown.map(|one| one.name.as_str()).collect();
    let left = match unknown.as_slice() {
        [] => String::new(),
        names => format!("; not expanded: {}", names.join(", ")),
    };
    let said = format!(
        "no Postfix was asked; defaults are those of {}{left}",
        defaults_of(facts.version)
    );
    global.warn(Failure::new(Exit::Undetermined, "show.not-asked", said));
}

/// What older releases had is not known.
fn defaults_of(version: PostfixVersion) -> String {
    match version < OLDEST {
        true => format!("Postfix 3.4, the oldest that is known; Postfix {version} may differ"),
        false => format!("Postfix {version}"),
    }
}

fn text(shown: &Listing, expand: bool) -> String {
    if shown.values.is_empty() {
        return "No TLS parameter is set; name one to see its default, or use --all.\n".to_owned();
    }
    let rows: Vec<Vec<String>> = shown.values.iter().map(|one| row(one, expand)).collect();
    table::wrapped(&["value", "from", "default"], &rows)
}

fn row(shown: &Shown, expand: bool) -> Vec<String> {
    let default = match &shown.default {
        _ if shown.from == "default" => "-".to_owned(),
        None => "(not a parameter of this Postfix)".to_owned(),
        Some(default) if default.is_empty() => "(empty)".to_owned(),
        Some(default) => default.clone(),
    };
    let value = format!("{} = {}", shown.name, value(shown, expand));
    vec![value, shown.from.clone(), default]
}

/// As it stands where it cannot be expanded.
fn value(shown: &Shown, expand: bool) -> &str {
    let expanded = shown.expanded.as_deref().filter(|_| expand);
    expanded.unwrap_or(&shown.raw)
}

fn document(shown: &Shown, expand: bool) -> Value {
    json!({
        "name": shown.name,
        "value": value(shown, expand),
        "raw": shown.raw,
        "expanded": shown.expanded,
        "default": shown.default,
        "from": shown.from,
        "since": shown.since.map(|since| format!("{}.{}", since.major, since.minor)),
    })
}

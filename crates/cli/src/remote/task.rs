//! Words of the command line as a task.
//!
//! Owns: which option is which field. Never: a list of verbs: a verb is a task's name, and what a task has no
//! field for may be said on the host alone.

use crate::cmd::apply::duration;
use crate::cmd::policy::import::by_name;
use crate::failure::{Exit, Failure};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueEnum as _};
use postseal_planner::task::{Task, TaskError};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Who files a task has seen what it does: there is nobody to ask.
const AGREED: &str = "yes";

/// The task that was said.
pub(super) fn of(words: &ArgMatches, command: &Command) -> Result<Task, Failure> {
    let mut verb: Vec<&str> = Vec::new();
    let (mut words, mut command) = (words, command);
    while let Some((name, below)) = words.subcommand() {
        verb.push(name);
        words = below;
        command = match command.find_subcommand(name) {
            Some(found) => found,
            None => return Err(local(name, "it is no verb")),
        };
    }
    let name = verb.join("-");
    let mut said = json!({ "task": name });
    for option in command.get_arguments() {
        say(&name, option, words, &mut said)?;
    }
    let verb = verb.join(" ");
    Task::read(&said.to_string()).map_err(|error| match error {
        TaskError::Unreadable(why) => local(&verb, &format!("an agent has no such task: {why}")),
        error => Failure::new(Exit::Usage, error.code(), error.to_string()),
    })
}

fn say(verb: &str, option: &Arg, words: &ArgMatches, said: &mut Value) -> Result<(), Failure> {
    let id = option.get_id().as_str();
    let is_said = words.value_source(id) == Some(ValueSource::CommandLine);
    let is_implied = id == AGREED || IMPLIED.contains(&(verb, id));
    if option.is_global_set() || is_implied || !is_said {
        return Ok(());
    }
    let values: Vec<String> = words
        .get_raw(id)
        .into_iter()
        .flatten()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    if (verb, id) == ("policy-import", "file") {
        put(said, &["text"], json!(lines(&values)?));
        let name = values.first().map_or("-", String::as_str);
        let format = by_name(Path::new(name)).to_possible_value();
        if let (Some(format), None) = (format, said.get("format")) {
            put(said, &["format"], json!(format.get_name()));
        }
        return Ok(());
    }
    if (verb, id) == ("policy-remove", "from") {
        put(said, &["from"], json!(lines(&values)?));
        return Ok(());
    }
    if id == "accept" {
        put(said, &["accept"], accepted(&values));
        return Ok(());
    }
    if id == "attributes" {
        return values.iter().try_for_each(|value| attribute(value, said));
    }
    let value = match option.get_action() {
        ArgAction::SetTrue => json!(true),
        _ if id == "service" && BIND.contains(&verb) => ports(&values)?,
        ArgAction::Append => json!(values),
        _ if takes_many(option) => json!(values),
        _ => single(id, values.first().map_or("", String::as_str))?,
    };
    put(said, &field(verb, id), value);
    Ok(())
}

/// The field that an option of these verbs is, where it is named otherwise or stands within another.
type Place = (
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
);

const RULE: &[&str] = &["policy-add", "policy-edit"];
const DOMAIN: &[&str] = &["domain-add", "domain-edit"];
const SYNC: &[&str] = &["policy-add", "policy-edit", "domain-sync"];
const BIND: &[&str] = &["cert-bind", "cert-unbind"];
const MAKE: &[&str] = &["cert-self-signed", "cert-request"];
const ISSUE: &[&str] = &["cert-issue"];

const LIST: &[&str] = &["policy-list"];
const SET: &[&str] = &["set"];

const PLACES: [Place; 47] = [
    (SET, "unset", &["beside", "unset"]),
    (SET, "bind", &["beside", "bind"]),
    (SET, "unbind", &["beside", "unbind"]),
    (SET, "whole", &["beside", "whole"]),
    (SET, "check", &["beside", "check"]),
    (RULE, "names", &["rule", "match"]),
    (RULE, "protocols", &["rule", "protocols"]),
    (RULE, "ciphers", &["rule", "ciphers"]),
    (RULE, "exclude", &["rule", "exclude"]),
    (RULE, "servername", &["rule", "servername"]),
    (RULE, "scope", &["rule", "scope"]),
    (RULE, "note", &["rule", "note"]),
    (RULE, "owner", &["rule", "owner"]),
    (RULE, "tags", &["rule", "tags"]),
    (RULE, "until", &["rule", "until"]),
    (LIST, "search", &["filter", "search"]),
    (LIST, "level", &["filter", "level"]),
    (LIST, "owner", &["filter", "owner"]),
    (LIST, "tag", &["filter", "tag"]),
    (LIST, "due", &["filter", "due"]),
    (LIST, "pending", &["filter", "pending"]),
    (SYNC, "reason", &["checks", "force_reason"]),
    (SYNC, "no_preflight", &["checks", "no_preflight"]),
    (DOMAIN, "next_hop", &["words", "next_hop"]),
    (DOMAIN, "level", &["words", "level"]),
    (DOMAIN, "names", &["words", "match"]),
    (DOMAIN, "note", &["words", "note"]),
    (DOMAIN, "requires_auth", &["words", "requires_auth"]),
    (DOMAIN, "smtps", &["words", "smtps"]),
    (DOMAIN, "reason", &["words", "checks", "force_reason"]),
    (DOMAIN, "no_preflight", &["words", "checks", "no_preflight"]),
    (&["probe"], "names", &["targets"]),
    (&["cert-renew"], "name", &["names"]),
    (BIND, "service", &["places", "services"]),
    (BIND, "sni", &["places", "sni"]),
    (BIND, "client", &["places", "client"]),
    (BIND, "transport", &["places", "transport"]),
    (MAKE, "names", &["domains"]),
    (MAKE, "key_type", &["key", "kind"]),
    (MAKE, "reuse_key", &["key", "reuse"]),
    (MAKE, "renew", &["key", "renew"]),
    (ISSUE, "domain", &["domains"]),
    (ISSUE, "key_type", &["keys"]),
    (ISSUE, "staging", &["order", "staging"]),
    (ISSUE, "agree_terms", &["order", "agree_terms"]),
    (ISSUE, "contact", &["order", "contacts"]),
    (ISSUE, "renew", &["order", "renew"]),
];

/// Options that say no more than another one with them does, or how to show the answer.
const IMPLIED: [(&str, &str); 5] = [
    ("domain-sync", "force"),
    ("policy-add", "force"),
    ("policy-edit", "force"),
    ("domain-add", "force"),
    ("domain-edit", "force"),
];

fn field<'a>(verb: &str, id: &'a str) -> Vec<&'a str> {
    let found = PLACES
        .iter()
        .find(|(verbs, name, _)| *name == id && verbs.contains(&verb));
    match found {
        Some((_, _, path)) => path.to_vec(),
        None => vec![id],
    }
}

fn single(id: &str, value: &str) -> Result<Value, Failure> {
    let is_number = matches!(
        id,
        "limit" | "skip" | "days" | "version" | "operation" | "upto" | "revision"
    );
    match id {
        "confirm_within" => duration(value)
            .map(|within| json!(within.as_secs()))
            .map_err(|why| Failure::new(Exit::Usage, "usage", why)),
        "requires_auth" | "smtps" => Ok(json!(value == "true")),
        _ if is_number => Ok(value
            .parse()
            .map_or_else(|_| json!(value), |n: u64| json!(n))),
        _ => Ok(json!(value)),
    }
}

fn put(said: &mut Value, path: &[&str], value: Value) {
    let mut at = said;
    for name in path {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = &mut at[*name];
    }
    *at = value;
}

/// By name or number.
fn ports(values: &[String]) -> Result<Value, Failure> {
    let port = |word: &String| match word.as_str() {
        "smtp" => Ok(json!(25)),
        "submission" => Ok(json!(587)),
        "smtps" | "submissions" => Ok(json!(465)),
        other => match other.parse::<u16>() {
            Ok(port) => Ok(json!(port)),
            Err(_) => Err(local(other, "an agent takes ports by number")),
        },
    };
    let ports: Result<Vec<Value>, Failure> = values
        .iter()
        .flat_map(|all| all.split(','))
        .map(|one| port(&one.to_owned()))
        .collect();
    ports.map(Value::Array)
}

fn attribute(text: &str, said: &mut Value) -> Result<(), Failure> {
    match text.split_once('=') {
        Some((name @ ("connection_reuse" | "enable_rpk"), value)) => {
            put(said, &["rule", name], json!(value == "yes"));
            Ok(())
        }
        _ => Err(local(
            text,
            "an agent takes the attributes that have an option",
        )),
    }
}

fn accepted(values: &[String]) -> Value {
    let pairs = values.iter().map(|value| {
        let (code, host) = value.split_once('=').unwrap_or((value, ""));
        json!({ "code": code, "host": host })
    });
    pairs.collect()
}

/// The lines of an import: they are read here, and sent.
fn lines(values: &[String]) -> Result<String, Failure> {
    let path = values.first().map_or("-", String::as_str);
    let read = match path {
        "-" => std::io::read_to_string(std::io::stdin()),
        path => std::fs::read_to_string(path),
    };
    read.map_err(|error| Failure::new(Exit::Data, "import.unreadable", format!("{path}: {error}")))
}

fn takes_many(option: &Arg) -> bool {
    option
        .get_num_args()
        .is_some_and(|range| range.max_values() > 1)
        || option.get_value_delimiter().is_some()
}

fn local(what: &str, why: &str) -> Failure {
    let text = format!("`{what}`, as it is said here, can be said on the host alone: {why}");
    Failure::new(Exit::Usage, "task.local-only", text)
        .hint("Say it on the mail host, without --server.")
}

#[cfg(test)]
mod tests;

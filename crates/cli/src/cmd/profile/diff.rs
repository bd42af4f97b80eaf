//! `profile diff`.
//!
//! Owns: the tables. Never: compares; the planner does.

use super::{facts, known, named, told};
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::Failure;
use crate::table;
use postseal_planner::PostfixVersion;
use postseal_planner::profile::{self, Compared, Held, Profile};
use serde_json::json;

/// What stands for the instance.
const INSTANCE: &str = "instance";

/// Arguments of `profile diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct DiffArgs {
    /// The profile
    #[arg(value_name = "NAME")]
    name: String,
    /// Another profile, or `instance` for what is effective now
    #[arg(value_name = "OTHER", default_value = INSTANCE)]
    other: String,
    /// For this Postfix version, between two profiles [default: the installed one, if any, else 3.11]
    #[arg(long, value_name = "V")]
    postfix_version: Option<PostfixVersion>,
}

pub(super) fn run(args: &DiffArgs, global: &Global) -> Result<Answer, Failure> {
    let first = named(&args.name)?;
    if args.other == INSTANCE {
        return with_instance(first, global);
    }
    let second = named(&args.other)?;
    let told = told(args.postfix_version, global)?;
    let rows = profile::between(first, second, told.software);
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row: &Compared| {
            vec![
                row.direction.name().to_owned(),
                row.parameter.to_owned(),
                value(&row.first),
                value(&row.second),
            ]
        })
        .collect();
    let head = ["direction", "parameter", first.name, second.name];
    let text = match cells.is_empty() {
        true => "They are the same.\n".to_owned(),
        false => table::wrapped(&head, &cells),
    };
    Ok(Answer::new(
        text,
        json!({
            "changed": false,
            "first": first.name,
            "second": second.name,
            "postfix": told.postfix.to_string(),
            "openssl": told.openssl,
            "differences": rows,
        }),
    ))
}

fn with_instance(profile: &Profile, global: &Global) -> Result<Answer, Failure> {
    let facts = facts(global)?;
    known(facts.version)?;
    let rows = profile::against(profile, &facts);
    let others: Vec<&Held> = rows.iter().filter(|row| !row.same).collect();
    let cells: Vec<Vec<String>> = others
        .iter()
        .map(|row| {
            vec![
                row.direction.name().to_owned(),
                row.place.clone(),
                row.parameter.to_owned(),
                row.profile.clone(),
                row.now.clone(),
            ]
        })
        .collect();
    let head = ["direction", "where", "parameter", profile.name, "now"];
    let text = match cells.is_empty() {
        true => format!("What is effective now is {}.\n", profile.name),
        false => table::wrapped(&head, &cells),
    };
    Ok(Answer::new(
        text,
        json!({
            "changed": false,
            "first": profile.name,
            "second": INSTANCE,
            "postfix": facts.version.to_string(),
            "openssl": facts.openssl,
            "same": others.is_empty(),
            "parameters": rows,
        }),
    ))
}

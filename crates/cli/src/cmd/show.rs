//! `show`: TLS parameters as Postfix sees them, and where each comes from.
//!
//! Owns: the table. Never: computes an effective value; the planner does.

use crate::answer::Answer;
use crate::config::Global;
use crate::failure::Failure;
use crate::session::Session;
use crate::table;
use postseal_planner::levels::{self, Shown};
use serde_json::json;

/// Arguments of `show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// Parameters [default: every TLS parameter that is set]
    #[arg(value_name = "PARAM")]
    parameters: Vec<String>,
    /// Expand $name
    #[arg(short = 'x')]
    expand: bool,
    /// As this service sees them (submission, smtps, 25, smtp/inet …)
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

pub(crate) fn run(args: &ShowArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::reading(global)?;
    let facts = session.engine().facts()?;
    let shown = levels::show(&facts, &args.parameters, args.service.as_deref())
        .map_err(postseal_engine::EngineError::Refused)?;
    let value = |shown: &Shown| {
        if args.expand {
            shown.expanded.clone()
        } else {
            shown.raw.clone()
        }
    };
    let rows: Vec<Vec<String>> = shown
        .iter()
        .map(|shown| {
            vec![
                format!("{} = {}", shown.name, value(shown)),
                shown.from.clone(),
            ]
        })
        .collect();
    let text = if rows.is_empty() {
        "No TLS parameter is set; name one to see its default.\n".to_owned()
    } else {
        table::render(&["value", "from"], &rows)
    };
    let values: Vec<_> = shown
        .iter()
        .map(|shown| json!({"name": shown.name, "value": value(shown), "from": shown.from}))
        .collect();
    Ok(Answer::new(
        text,
        json!({"changed": false, "values": values}),
    ))
}

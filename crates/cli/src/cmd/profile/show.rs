//! `profile show`.
//!
//! Owns: the table. Never: needs a store, root or Postfix.

use super::{list, named, told};
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::Failure;
use crate::table;
use clap::ValueEnum;
use postseal_planner::PostfixVersion;
use postseal_planner::profile::{Direction, Parameter, Profile};
use serde_json::json;

/// Arguments of `profile show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The profile
    #[arg(value_name = "NAME")]
    name: String,
    /// Only what is for this direction
    #[arg(long, value_name = "DIRECTION", value_enum)]
    direction: Option<Way>,
    /// For this Postfix version [default: the installed one, if any, else 3.11]
    #[arg(long, value_name = "V")]
    postfix_version: Option<PostfixVersion>,
}

/// The directions of `set`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Way {
    /// Port 25
    Inbound,
    /// Ports 587 and 465
    Submission,
    /// The SMTP client
    Outbound,
    /// What all programs have together; only `profile=NAME` sets it
    Shared,
}

impl From<Way> for Direction {
    fn from(way: Way) -> Self {
        match way {
            Way::Inbound => Self::Inbound,
            Way::Submission => Self::Submission,
            Way::Outbound => Self::Outbound,
            Way::Shared => Self::Shared,
        }
    }
}

pub(super) fn run(args: &ShowArgs, global: &Global) -> Result<Answer, Failure> {
    let profile = named(&args.name)?;
    let told = told(args.postfix_version, global)?;
    let rows: Vec<Parameter> = match args.direction {
        Some(way) => profile.of(way.into(), told.software),
        None => profile.parameters(told.software),
    };
    let mut document = list::document(profile);
    document["changed"] = json!(false);
    document["postfix"] = json!(told.postfix.to_string());
    document["openssl"] = json!(told.openssl);
    document["parameters"] = json!(rows);
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                row.direction.name().to_owned(),
                format!("{} = {}", row.name, row.value),
                row.why.to_owned(),
            ]
        })
        .collect();
    let head = format!(
        "{} ({}): {}.\nBy {}; for Postfix {} and {}.\n{}",
        profile.name,
        profile.version,
        profile.meaning,
        profile.source,
        told.postfix,
        told.openssl,
        port_25(profile),
    );
    let table = match cells.is_empty() {
        true => "Nothing is set in this direction.\n".to_owned(),
        false => table::wrapped(&["direction", "parameter", "why"], &cells),
    };
    Ok(Answer::new(head + &table, document))
}

fn port_25(profile: &Profile) -> String {
    match profile.unfit {
        Some(why) => format!("Unfit for a public port 25: {why}\n"),
        None => "Fit for port 25.\n".to_owned(),
    }
}

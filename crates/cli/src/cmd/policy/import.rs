//! `policy import`: many rules at once.
//!
//! Owns: opening the file, and the report. Never: holds a million rules in memory.

use super::records::{Document, Format, Request, ahead, csv_rules, map_rules, request};
use super::rule::installed;
use crate::answer::{Answer, findings_text};
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;
use clap::Args;
use postseal_engine::{RulesImported, Stored, Wholeness};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// Arguments of `policy import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What it is [default: by its name: .csv, .json, else a Postfix map]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Store the good rules although others are refused
    #[arg(long)]
    partial: bool,
}

pub(super) fn run(args: &ImportArgs, global: &Global) -> Result<Answer, Failure> {
    let dialect = installed(global)?;
    let wholeness = match args.partial {
        true => Wholeness::Partial,
        false => Wholeness::AllOrNothing,
    };
    let mut session = Session::existing(global)?;
    session.heed_interrupts()?;
    let told = progress::count("rules", global);
    let mut take = |rows: &mut dyn Iterator<Item = Request>| {
        session.engine().import_rules(rows, wholeness, &|n| told(n))
    };
    let imported = match format(args) {
        Format::Csv => {
            let reader: Box<dyn Read + Send> = match is_stdin(args) {
                true => Box::new(std::io::stdin()),
                false => Box::new(File::open(&args.file).map_err(|error| unread(args, &error))?),
            };
            take(&mut ahead(csv_rules(reader, dialect)))?
        }
        Format::Map => take(&mut map_rules(&read(args)?, dialect))?,
        Format::Json => {
            let bytes = read(args)?;
            let document: Document<'_> =
                serde_json::from_slice(&bytes).map_err(|error| bad(args, &error.to_string()))?;
            if document.schema != 1 {
                return Err(bad(args, &format!("its schema is {}", document.schema)));
            }
            let rules = document.rules.into_iter();
            take(&mut rules.map(|record| request(&record, None, dialect)))?
        }
    };
    Ok(report(&imported))
}

fn is_stdin(args: &ImportArgs) -> bool {
    args.file.as_os_str() == "-"
}

fn format(args: &ImportArgs) -> Format {
    let by_name = || match args.file.extension().and_then(|name| name.to_str()) {
        Some("csv") => Format::Csv,
        Some("json") => Format::Json,
        _ => Format::Map,
    };
    args.format.unwrap_or_else(by_name)
}

fn read(args: &ImportArgs) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = match is_stdin(args) {
        true => std::io::stdin().lock().read_to_end(&mut bytes),
        false => File::open(&args.file).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    read.map(|_| bytes).map_err(|error| unread(args, &error))
}

fn unread(args: &ImportArgs, error: &std::io::Error) -> Failure {
    let message = format!("cannot read {}: {error}", args.file.display());
    Failure::new(Exit::Data, "policy.unreadable", message)
}

fn bad(args: &ImportArgs, why: &str) -> Failure {
    let message = format!("{} is no list of rules: {why}", args.file.display());
    Failure::new(Exit::Data, "policy.bad-file", message)
        .hint("--format says what it is; `policy export --format …` shows each form.")
}

fn report(imported: &RulesImported) -> Answer {
    let wished = &imported.wished;
    let mut text = String::new();
    for refused in &wished.refused {
        let line = refused
            .line
            .map_or_else(String::new, |line| format!("line {line}: "));
        text.push_str(&format!("{line}{}\n", refused.destination));
        text.push_str(&findings_text(&refused.findings));
    }
    let more = imported.refused - wished.refused.len() as u64;
    if more > 0 {
        text.push_str(&format!("… and {more} more refused\n"));
    }
    let stored = imported.stored == Stored::Yes;
    if stored {
        text.push_str(&format!(
            "{} added, {} changed, {} the same, {} refused\n",
            wished.added, wished.changed, wished.same, imported.refused
        ));
    } else {
        text.push_str(&format!(
            "{} refused, so nothing was stored; --partial stores the others.\n",
            imported.refused
        ));
    }
    if wished.added + wished.changed > 0 {
        text.push_str("Not in force yet: look with `postseal plan`, then `postseal apply`.\n");
    }
    let refused: Vec<Value> = wished
        .refused
        .iter()
        .map(|one| {
            json!({
                "line": one.line,
                "destination": one.destination,
                "findings": one.findings,
            })
        })
        .collect();
    let document = json!({
        "changed": wished.added + wished.changed > 0,
        "stored": stored,
        "added": wished.added,
        "changed_rules": wished.changed,
        "same": wished.same,
        "refused_count": imported.refused,
        "refused": refused,
    });
    let exit = match imported.refused {
        0 => Exit::Done,
        _ => Exit::Data,
    };
    Answer::new(text, document).exit(exit)
}

//! `policy import`: many rules at once.
//!
//! Owns: which form is read, and the report. Never: holds a million rules in memory.

use super::input::Input;
use super::records::{Document, Format, Request, ahead, csv_rules, json_rules, map_rules, refused};
use super::remove::held;
use super::rule::installed;
use crate::answer::{Answer, findings_text};
use crate::cmd::document;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::progress::{Bar, Of};
use crate::session::Session;
use clap::Args;
use postseal_engine::{
    EngineError, Refused, RuleRequest, RulesImported, RulesWished, Stored, Wholeness, unread_words,
};
use postseal_planner::Finding;
use postseal_planner::policy::Unread;
use postseal_planner::task::names_a_file;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Arguments of `policy import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file; - for standard input. A column or field that is not there leaves what a rule
    /// has as it is, an empty one clears it; a reason puts a rule down although a check speaks
    /// against it
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// What it is [default: by its name: .csv, .json, .toml, else a Postfix map]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Store the good rules although others are refused
    #[arg(long)]
    partial: bool,
    /// Only what would come of it; nothing is stored
    #[arg(long)]
    check: bool,
    /// Only while the rules are at this revision, which rises with every change of one
    #[arg(long, value_name = "NUMBER")]
    revision: Option<i64>,
}

pub(super) fn run(args: &ImportArgs, global: &Global) -> Result<Answer, Failure> {
    let dialect = installed(global)?;
    let mut session = Session::existing(global)?;
    session.heed_interrupts()?;
    let input = Input::open(&args.file, &session)?;
    let interrupted = session.interrupted();
    let mut take = |rows: &mut dyn Iterator<Item = Request>, of, at: &dyn Fn(u64) -> u64| {
        let bar = Bar::new(of, global);
        let told = |rules| bar.at(at(rules), rules);
        let mut rows = rows.map(|row| match global.behalf {
            Some(_) => row.and_then(from_afar),
            None => row,
        });
        import(args, &mut session, &mut rows, &told)
    };
    let mut unread = Vec::new();
    let imported = match format(args) {
        Format::Csv => {
            let of = input.size().map_or(Of::Unknown, Of::Bytes);
            let read = input.read_so_far();
            let at = |rules| match of {
                Of::Unknown => rules,
                _ => read.load(Ordering::Relaxed),
            };
            take(&mut ahead(csv_rules(input, dialect), &interrupted), of, &at)?
        }
        Format::Map => {
            let bytes = input.whole()?;
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            take(
                &mut map_rules(&bytes, dialect, &mut unread),
                Of::Lines(lines),
                &|rules| rules,
            )?
        }
        Format::Json => {
            let bytes = input.whole()?;
            let rules = array(&bytes).map_err(|why| bad(args, &why))?;
            take(
                &mut json_rules(rules, &bytes, dialect),
                Of::Unknown,
                &|rules| rules,
            )?
        }
        Format::Toml => {
            let bytes = input.within(document::MOST)?;
            let rules = document::rules(&bytes, dialect);
            let named = |refusal| EngineError::Refused(document::in_file(refusal, &args.file));
            let rules = rules.map_err(named)?;
            let all = Of::Lines(rules.len() as u64);
            take(&mut rules.into_iter(), all, &|rules| rules)?
        }
    };
    Ok(report(&named(imported, args, unread), args.check))
}

/// A file is named on the host alone; only here is the text of a policy what Postfix will read.
fn from_afar(request: RuleRequest) -> Request {
    match names_a_file(&request.rule.policy) {
        true => Err(refused(
            request.line,
            &request.rule.id.destination,
            "task.local-only",
            "tafile can be said on the host alone: it names a file",
        )),
        false => Ok(request),
    }
}

/// Wishes for the rules, or only tries it.
fn import(
    args: &ImportArgs,
    session: &mut Session,
    rows: &mut dyn Iterator<Item = Request>,
    told: &dyn Fn(u64),
) -> Result<RulesImported, Failure> {
    let wholeness = match args.partial {
        true => Wholeness::Partial,
        false => Wholeness::AllOrNothing,
    };
    let mut engine = session.engine();
    let imported = match args.check {
        // What is good is counted, though something is refused.
        true => engine.only_tried(|engine| engine.import_rules(rows, Wholeness::Partial, told)),
        false => engine.at_revision(args.revision, |engine| {
            engine.import_rules(rows, wholeness, told)
        }),
    };
    imported.map_err(held)
}

/// With the file's name in what is said of its lines, and what is said of no rule.
fn named(mut imported: RulesImported, args: &ImportArgs, unread: Vec<Unread>) -> RulesImported {
    let in_file = |finding: Finding| match args.file.as_os_str() == "-" {
        true => finding,
        false => finding.in_file(&args.file),
    };
    let wished = &mut imported.wished;
    wished.refused.sort_by_key(|one| one.line);
    wished.findings.extend(unread_words(unread));
    let named = |found: &mut Vec<Finding>| *found = found.drain(..).map(in_file).collect();
    named(&mut wished.findings);
    wished
        .refused
        .iter_mut()
        .for_each(|one| named(&mut one.findings));
    imported
}

/// The array of rules in a document.
fn array(bytes: &[u8]) -> Result<&RawValue, String> {
    let document: Document<'_> = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    if document.schema != 1 {
        return Err(format!("its schema is {}", document.schema));
    }
    match document.rules.get().starts_with('[') {
        true => Ok(document.rules),
        false => Err("its rules are no array".to_owned()),
    }
}

fn format(args: &ImportArgs) -> Format {
    args.format.unwrap_or_else(|| by_name(&args.file))
}

/// What a file is where nobody says it.
pub(crate) fn by_name(file: &Path) -> Format {
    match file.extension().and_then(|name| name.to_str()) {
        Some("csv") => Format::Csv,
        Some("json") => Format::Json,
        Some("toml") => Format::Toml,
        _ => Format::Map,
    }
}

fn bad(args: &ImportArgs, why: &str) -> Failure {
    let message = format!("{} is no list of rules: {why}", args.file.display());
    Failure::new(Exit::Data, "policy.bad-file", message)
        .hint("--format says what it is; `policy export --format …` shows each form.")
}

fn report(imported: &RulesImported, is_check: bool) -> Answer {
    let wished = &imported.wished;
    let mut text = String::new();
    for refused in &wished.refused {
        let line = refused
            .line
            .map_or_else(String::new, |line| format!("line {line}: "));
        text.push_str(&format!("{line}{}\n", refused.destination));
        text.push_str(&findings_text(&refused.findings));
    }
    text.push_str(&findings_text(&wished.findings));
    let more = imported.refused - wished.refused.len() as u64;
    if more > 0 {
        text.push_str(&format!("… and {more} more refused\n"));
    }
    let stored = imported.stored == Stored::Yes && !is_check;
    if is_check {
        text.push_str(&format!(
            "Would be {} added, {} changed, {} the same, {} refused; nothing was stored.\n",
            wished.added, wished.changed, wished.same, imported.refused
        ));
    } else if stored {
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
    if stored && wished.added + wished.changed > 0 {
        text.push_str("Not in force yet: look with `postseal plan`, then `postseal apply`.\n");
    }
    let document = json!({
        "changed": stored && wished.added + wished.changed > 0,
        "stored": stored,
        "added": wished.added,
        "changed_rules": wished.changed,
        "same": wished.same,
        "refused_count": imported.refused,
        "refused": refusals(wished),
        "findings": wished.findings,
    });
    let exit = match imported.refused {
        0 => Exit::Done,
        _ => Exit::Data,
    };
    Answer::new(text, document).exit(exit)
}

/// What was refused, for programs.
fn refusals(wished: &RulesWished) -> Vec<Value> {
    let refused = wished.refused.iter();
    let document = |one: &Refused| {
        json!({
            "line": one.line,
            "destination": one.destination,
            "findings": one.findings,
        })
    };
    refused.map(document).collect()
}

//! `audit`: the audit log.
//!
//! Owns: listing it, holding its chain, and taking in what happened at the console. Never: changes an entry.

use super::history::when;
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::require_root;
use crate::table;
use postseal_engine::EngineError;
use postseal_planner::{Finding, Severity};
use postseal_store::desk::Note;
use postseal_store::{AuditEntry, AuditLink, AuditStore, SqliteStore, audit_digest};
use serde_json::json;
use std::io::Read;

/// How many links are read at once.
const PAGE: usize = 1000;
/// So many characters of a note's texts are kept: of what somebody typed, the console itself takes less.
const LONGEST_NOTE: usize = 500;
/// No notes are longer, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The verbs of `audit`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum AuditCommand {
    /// The newest entries
    List(ListArgs),
    /// Hold every entry against the chain
    Verify(VerifyArgs),
    /// Take in what happened at the console, a list of notes on standard input (started by `agent`)
    #[command(hide = true)]
    Take,
}

/// Arguments of `audit list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// How many, newest first
    #[arg(long, short = 'n', default_value_t = 50)]
    limit: usize,
}

/// Arguments of `audit verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The head that an earlier `audit verify` printed: it must still be in the chain, or entries were cut off
    #[arg(long, value_name = "DIGEST")]
    head: Option<String>,
}

pub(crate) fn run(command: &AuditCommand, global: &Global) -> Result<Answer, Failure> {
    require_root("the audit log")?;
    let store = SqliteStore::open_existing(&global.store).map_err(EngineError::from)?;
    let mut store = store.ok_or_else(|| Failure::no_store(&global.store))?;
    match command {
        AuditCommand::List(args) => list(args, &store),
        AuditCommand::Verify(args) => verify(args, &store),
        AuditCommand::Take => take(&mut store),
    }
}

fn list(args: &ListArgs, store: &SqliteStore) -> Result<Answer, Failure> {
    let mut all = Vec::new();
    each(store, |link| all.push(link))?;
    all.reverse();
    all.truncate(args.limit);
    let row = |link: &AuditLink| {
        let entry = &link.entry;
        vec![
            link.id.to_string(),
            when(entry.at_ms),
            entry.actor.clone(),
            entry.what.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let text = match rows.is_empty() {
        true => "Nothing was noted yet.\n".to_owned(),
        false => table::wrapped(&["entry", "when", "who", "what"], &rows),
    };
    let entries: Vec<_> = all.iter().map(document).collect();
    Ok(Answer::new(
        text,
        json!({"changed": false, "entries": entries}),
    ))
}

fn document(link: &AuditLink) -> serde_json::Value {
    json!({
        "entry": link.id,
        "at": when(link.entry.at_ms),
        "actor": link.entry.actor,
        "what": link.entry.what,
        "kind": link.kind,
        "digest": link.digest,
    })
}

fn verify(args: &VerifyArgs, store: &SqliteStore) -> Result<Answer, Failure> {
    let mut head = String::new();
    let mut broken: Option<u64> = None;
    let mut seen = args.head.is_none();
    let mut count = 0_u64;
    let mut newest = 0_u64;
    let made = store.audit_newest()?;
    each(store, |link| {
        let wanted = audit_digest(&head, link.id, &link.kind, &link.entry);
        if broken.is_none() && wanted != link.digest {
            broken = Some(link.id);
        }
        seen |= Some(&link.digest) == args.head.as_ref();
        head = link.digest;
        newest = link.id;
        count += 1;
    })?;
    // One that was added meanwhile is no loss.
    let lost = (newest < made).then(|| taken_off(newest, made));
    let findings: Vec<Finding> = [broken.map(not_as_written), lost, (!seen).then(cut_off)]
        .into_iter()
        .flatten()
        .collect();
    let mut text = crate::answer::findings_text(&findings);
    if findings.is_empty() {
        text = format!("{count} entries, each as it was written. The head is {head}\n");
    }
    let exit = match findings.is_empty() {
        true => Exit::Done,
        false => Exit::Pending,
    };
    let document = json!({
        "changed": false,
        "entries": count,
        "head": head,
        "findings": findings,
    });
    Ok(Answer::new(text, document).exit(exit))
}

fn not_as_written(id: u64) -> Finding {
    Finding::new(
        "audit.broken",
        Severity::Error,
        format!(
            "Entry {id} of the audit log is not as it was written, or one before it is missing."
        ),
        "Compare the store with a backup: somebody with root's rights changed it beside Postseal.",
    )
}

fn taken_off(newest: u64, made: u64) -> Finding {
    Finding::new(
        "audit.cut-off",
        Severity::Error,
        format!(
            "The audit log ends with entry {newest}, and {made} were made: the last ones are gone."
        ),
        "Compare the store with a backup: somebody with root's rights changed it beside Postseal.",
    )
}

fn cut_off() -> Finding {
    Finding::new(
        "audit.cut-off",
        Severity::Error,
        "The head that you named is not in the audit log: what was noted up to it is gone."
            .to_owned(),
        "Compare the store with a backup: somebody with root's rights changed it beside Postseal.",
    )
}

fn each(store: &SqliteStore, mut on: impl FnMut(AuditLink)) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let page = store.audit_chain(after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id;
        page.into_iter().for_each(&mut on);
    }
}

/// Whoever owns the console may note anything, and the log is kept for ever.
fn bounded(text: &str) -> String {
    text.chars().take(LONGEST_NOTE).collect()
}

fn take(store: &mut SqliteStore) -> Result<Answer, Failure> {
    let bad = |error: &dyn std::error::Error| {
        Failure::new(Exit::Data, "audit.bad-notes", error.to_string())
    };
    let mut text = String::new();
    let mut stdin = std::io::stdin().take(LONGEST);
    stdin
        .read_to_string(&mut text)
        .map_err(|error| bad(&error))?;
    let notes: Vec<Note> = serde_json::from_str(&text).map_err(|error| bad(&error))?;
    let entries: Vec<AuditEntry> = notes
        .into_iter()
        .map(|note| AuditEntry {
            actor: bounded(&note.actor),
            at_ms: note.at_ms,
            what: bounded(&note.what),
        })
        .collect();
    store.audit_access(&entries)?;
    Ok(Answer::new("", json!({"changed": !entries.is_empty()})))
}

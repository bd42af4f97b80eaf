//! The declarative file: the whole intent of an instance as TOML.
//!
//! Owns: its sections and their words: `export` writes them, `apply -f` reads them. Never: a key, a
//! secret, or a decision.

pub(crate) mod lines;
mod read;
mod write;

use crate::answer::Answer;
use crate::config::{Global, Output};
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_planner::{Finding, Refusal};
use postseal_store::RuleView;
pub(crate) use read::{MOST, declared, rules};
use serde_json::json;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use write::{write_json, write_toml};

/// The version of the form.
const SCHEMA: u32 = 1;

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Where to write it; what is there is replaced [default: standard output]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// What is in force, without the wishes that are pending
    #[arg(long)]
    in_force: bool,
}

pub(crate) fn export(args: &ExportArgs, global: &Global) -> Result<Answer, Failure> {
    let view = match args.in_force {
        true => RuleView::InForce,
        false => RuleView::Wanted,
    };
    let mut session = Session::reading(global)?;
    let file = args.file.as_deref().filter(|file| file.as_os_str() != "-");
    let Some(file) = file else {
        let out = BufWriter::new(std::io::stdout().lock());
        match global.output {
            Output::Text => write_toml(&mut session, view, out)?,
            Output::Json => write_json(&mut session, view, out)?,
        }
        return Ok(Answer::silent());
    };
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let unwritten = |error: &std::io::Error| {
        let message = format!("{}: {error}; nothing was written", file.display());
        Failure::new(Exit::Failed, "file.not-written", message)
    };
    let mut made = tempfile::NamedTempFile::new_in(folder).map_err(|error| unwritten(&error))?;
    write_toml(&mut session, view, BufWriter::new(made.as_file_mut()))?;
    made.as_file()
        .sync_all()
        .map_err(|error| unwritten(&error))?;
    made.persist(file)
        .map_err(|error| unwritten(&error.error))?;
    let text = format!("{} is written.\n", file.display());
    Ok(Answer::new(text, json!({"changed": true, "file": file})))
}

/// What could not be written out.
fn failed(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, "document.export", error.to_string())
}

fn flushed(mut out: impl Write) -> Result<(), Failure> {
    out.flush().map_err(|error| failed(&error))
}

/// What is wrong with lines of a file, with its name.
pub(crate) fn in_file(refusal: Refusal, file: &Path) -> Refusal {
    let named = |finding: Finding| match file.as_os_str() == "-" {
        true => finding,
        false => finding.in_file(file),
    };
    Refusal {
        findings: refusal.findings.into_iter().map(named).collect(),
    }
}

//! Errors for people and for programs.
//!
//! Owns: the one mapping from errors to exit codes, stable codes and hints. Never: decides
//! whether something is an error.

use crate::answer::{printable, write_finding};
use crate::config::{Global, Output};
use crate::desk;
use jiff::Timestamp;
use postseal_engine::{EngineError, Kind};
use postseal_host::HostError;
use postseal_issue::acme::AcmeError;
use postseal_planner::{Finding, whole_chain};
use postseal_store::{Hindrance, StoreError};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Exit codes, as CLI.md fixes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Failed, nothing changed.
    Failed = 1,
    /// Changes pending, or findings at or above `--fail-on`.
    Pending = 2,
    /// Could not be checked.
    Undetermined = 3,
    /// Tried and rolled back.
    RolledBack = 4,
    /// Usage (sysexits(3) EX_USAGE).
    Usage = 64,
    /// Bad input data, or refused (EX_DATAERR).
    Data = 65,
    /// No server could be reached (EX_UNAVAILABLE).
    Unreachable = 69,
    /// Locked, stale or awaiting confirmation (EX_TEMPFAIL).
    Temporary = 75,
    /// No permission (EX_NOPERM).
    Permission = 77,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The longest line of an error, in characters.
const LINE: usize = 600;

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    code: String,
    message: String,
    hint: Option<String>,
    findings: Vec<Finding>,
    /// What somebody may accept in type, and what has to be typed.
    accept: Option<Box<(String, String)>>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: impl Into<String>, message: String) -> Self {
        Self {
            exit,
            code: code.into(),
            message,
            hint: None,
            findings: Vec::new(),
            accept: None,
        }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Nothing was ever adopted with the store in this folder.
    pub(crate) fn no_store(folder: &Path) -> Self {
        let text = format!("{}: there is no store", folder.display());
        Self::new(Exit::Failed, "store.missing", text).hint(NOT_ADOPTED)
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// Adds what was done before it.
    #[must_use]
    pub(crate) fn note(mut self, done: &str) -> Self {
        self.message = format!("{} ({done})", self.message);
        self
    }

    /// Puts the file it is about in front.
    #[must_use]
    pub(crate) fn file(mut self, path: &Path) -> Self {
        self.message = format!("{}: {}", path.display(), self.message);
        self
    }

    /// As a warning beside an answer, for people …
    pub(crate) fn warning(&self) -> String {
        let hint = self.hint.as_deref();
        let hint = hint.map(|hint| format!("postseal: hint: {hint}\n"));
        let text = bounded(&self.sentence());
        format!("postseal: warning: {text}\n{}", hint.unwrap_or_default())
    }

    /// … and for programs.
    pub(crate) fn document(&self) -> serde_json::Value {
        let mut document =
            json!({"code": self.code, "message": bounded(&self.message), "hint": self.hint});
        if let Some((code, answer)) = self.accept.as_deref() {
            document["accept"] = json!({"code": code, "answer": answer});
        }
        document
    }

    /// In one line, for whoever reads no more than that.
    pub(crate) fn sentence(&self) -> String {
        format!("{} [{}]", self.message, self.code)
    }

    /// Prints it: text on standard error, JSON on standard output. A terminal that hung up ends
    /// the output, not the command's result.
    pub(crate) fn print(&self, global: &Global) -> ExitCode {
        if global.output == Output::Json {
            let mut document = json!({
                "schema": 1,
                "changed": false,
                "error": self.document(),
                "findings": self.findings,
            });
            if global.behalf.is_some() {
                document["text"] = json!(printable(&bounded(&self.text())));
            }
            let _ = writeln!(std::io::stdout(), "{document:#}");
        } else {
            let _ = std::io::stderr().write_all(printable(&bounded(&self.text())).as_bytes());
        }
        self.exit.into()
    }
}

impl Failure {
    fn text(&self) -> String {
        // The findings below say the rest; nothing is said twice.
        let first = self
            .findings
            .first()
            .map_or("", |finding| finding.message.as_str());
        let message = match self.message.strip_suffix(first) {
            Some(head) if !first.is_empty() => head.trim_end().trim_end_matches(':'),
            _ => &self.message,
        };
        let mut findings = self.findings.iter();
        let mut text = "postseal: ".to_owned();
        // What was refused is told by the deciding finding alone.
        match findings.next() {
            Some(first) if message == "refused" => write_finding(&mut text, "", first),
            first => {
                text.push_str(&format!("error: {message} [{}]\n", self.code));
                if let Some(first) = first {
                    write_finding(&mut text, "  ", first);
                }
            }
        }
        for finding in findings {
            write_finding(&mut text, "  ", finding);
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("postseal: hint: {hint}\n"));
        }
        text
    }
}

impl From<Kind> for Exit {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Refused => Self::Data,
            Kind::Conflict => Self::Temporary,
            Kind::RolledBack => Self::RolledBack,
            Kind::Undetermined => Self::Undetermined,
            Kind::Permission => Self::Permission,
            Kind::Failed => Self::Failed,
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self {
            exit: error.kind().into(),
            code: error.code(),
            message: whole_chain(&error),
            hint: hint(&error),
            accept: match &error {
                EngineError::Unconfirmed { code, answer, .. } => {
                    Some(Box::new((code.clone(), answer.clone())))
                }
                _ => None,
            },
            findings: findings(error),
        }
    }
}

/// clap's own words, with sysexits' code for usage; help and version are answers.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let whole = error.render().to_string();
    let short = bounded(&whole);
    if error.use_stderr() && answers_the_agent() {
        let failure = Failure::new(Exit::Usage, "usage", short.trim_end().to_owned());
        return failure.print(&Global::for_the_agent());
    }
    // A closed pipe is not worth a second error.
    let _ = if error.use_stderr() && short != whole {
        std::io::stderr().write_all(printable(&short).as_bytes())
    } else {
        error.print()
    };
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Done.into()
    }
}

/// Whether the words came from the agent, which wants a document even of words that cannot be read.
fn answers_the_agent() -> bool {
    let mut words = std::env::args();
    words.any(|word| word.starts_with("--on-behalf-of="))
}

/// The text, each line cut where it is longer than anything worth reading: arguments and files
/// are repeated in errors.
fn bounded(text: &str) -> String {
    let cut = |line: &str| match line.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    };
    let ends = text.ends_with('\n');
    let lines: Vec<String> = text.lines().map(cut).collect();
    lines.join("\n") + if ends { "\n" } else { "" }
}

fn hint(error: &EngineError) -> Option<String> {
    let text = match error {
        EngineError::NotAdopted { .. } => NOT_ADOPTED,
        EngineError::Awaiting { .. } => {
            "Run `postseal confirm` to keep it, or `postseal rollback` to undo it."
        }
        EngineError::Stale(_) => "Look at the new plan before you apply it.",
        EngineError::Certificate(error) | EngineError::ChosenCa(error) => {
            return Some(error.remedy().to_owned());
        }
        EngineError::Acme(error) => return Some(acme_hint(error)),
        EngineError::Ordering { .. } => {
            "Wait for it to end; `cert renew` then renews what is still due."
        }
        EngineError::Unknown {
            what: "certificate",
            ..
        } => "`postseal cert list` shows what there is.",
        EngineError::Unknown {
            what: "next key", ..
        } => "`postseal cert tlsa NAME --next-key` makes one.",
        EngineError::Unknown {
            what: "bound certificate",
            ..
        } => "`postseal cert list` shows which certificate is bound, and by what.",
        EngineError::Unknown {
            what: "operation" | "kept operation",
            ..
        } => "`postseal history` shows the operations and how they ended.",
        EngineError::Host(HostError::Stale { .. }) => STALE,
        EngineError::Host(HostError::Locked { .. }) => "Wait for it to end, then try again.",
        EngineError::Host(HostError::Permission(_)) => "Run it as root, for example with sudo.",
        EngineError::Store(error) | EngineError::Unnoted { source: error, .. } => {
            return Some(store_hint(error));
        }
        EngineError::Host(HostError::File { path, source, .. }) => {
            return hindrance(source.kind()).map(|found| disk_hint(found, path));
        }
        _ => return None,
    };
    Some(text.to_owned())
}

const NOT_ADOPTED: &str = "Run `postseal init` first: it changes nothing in Postfix.";
const EXISTS: &str = "Import it under another name and bind that, or delete the old one first.";
const STALE: &str = "Run `postseal plan` again and look at what has changed.";
const DAMAGED: &str = "Postfix goes on as it is. Put the store's folder back from a backup, as a whole: \
    its database and its `identity` belong together.";

/// What helps where the memory fails. Postfix needs none of it.
fn store_hint(error: &StoreError) -> String {
    match error {
        StoreError::Disk { path, hindrance } => disk_hint(*hindrance, path),
        StoreError::Server { trouble, .. } => desk::hint(*trouble).to_owned(),
        StoreError::Folder { path, source, .. } => {
            match (hindrance(source.kind()), source.kind()) {
                (Some(found), _) => disk_hint(found, path),
                // What SQLite says of a file has no kind.
                (None, std::io::ErrorKind::Other) => DAMAGED.to_owned(),
                (None, _) => format!(
                    "See that root can read and write {}; `--store` names another place.",
                    path.display()
                ),
            }
        }
        StoreError::Locked => "Wait for the other `postseal` to end, then try again.".to_owned(),
        StoreError::Format { .. } => {
            "A newer Postseal wrote it: use that one, or put the store's folder back from a backup."
                .to_owned()
        }
        StoreError::Unfit { .. } => "Report it with what was given; nothing was stored.".to_owned(),
        StoreError::NotOpen(_) | StoreError::Busy(_) => {
            "`postseal history` shows the operations and how they ended.".to_owned()
        }
        StoreError::NotAdopted(_) => NOT_ADOPTED.to_owned(),
        StoreError::RulesChanged => STALE.to_owned(),
        StoreError::Exists(_) => EXISTS.to_owned(),
        StoreError::Database { .. } | StoreError::Identity(_) => DAMAGED.to_owned(),
    }
}

/// What keeps a file from being written that nothing but its disk keeps.
fn hindrance(kind: std::io::ErrorKind) -> Option<Hindrance> {
    match kind {
        std::io::ErrorKind::ReadOnlyFilesystem => Some(Hindrance::ReadOnly),
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            Some(Hindrance::Full)
        }
        _ => None,
    }
}

fn disk_hint(hindrance: Hindrance, path: &Path) -> String {
    // Of a file that is not there yet, the folder is what can be asked about.
    let there = path.ancestors().find(|path| path.exists());
    let place = there.unwrap_or(path).display();
    match hindrance {
        Hindrance::ReadOnly => format!(
            "`findmnt -T {place}` shows the file system; after an error of the disk the kernel \
             makes it read-only (`dmesg`). Nothing can be changed until it is writable."
        ),
        Hindrance::Full => {
            format!("`df {place}` shows the file system. Nothing can be changed until it has room.")
        }
    }
}

/// What the CA's client advises, as a sentence, and when the CA wants to be asked again.
fn acme_hint(error: &AcmeError) -> String {
    let remedy = match error {
        AcmeError::AccountUnknown(_) | AcmeError::Credentials => {
            "say --agree-terms: that registers a new account".to_owned()
        }
        error => error.remedy(),
    };
    let mut letters = remedy.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let sentence = format!("{}{}.", first.unwrap_or_default(), letters.as_str());
    let until = error
        .retry_at()
        .and_then(|at| Timestamp::from_second(at).ok());
    match until {
        Some(until) => format!("{sentence} It wants to be asked again from {until} on."),
        None => sentence,
    }
}

fn findings(error: EngineError) -> Vec<Finding> {
    match error {
        EngineError::Refused(refusal) => refusal.findings,
        EngineError::Rehearsal { findings } | EngineError::RolledBack { findings, .. } => findings,
        _ => Vec::new(),
    }
}

//! What is said of tables of policies.
//!
//! Owns: the findings. Never: decides which table is adopted.

use super::TableDrift;
use postseal_planner::policy::{BadRow, Candidate, Source, Unread};
use postseal_planner::{Finding, Severity};
use postseal_store::InstanceState;

/// More rows than this that are no rules are not looked for.
pub(super) const BAD_ROWS: usize = 20;

/// Why a table stays before another one.
pub(super) const AHEAD: &str = "it stands before a table that cannot become rules";
const CODE_AHEAD: &str = "policy.table-ahead";

/// A table that is not adopted.
#[derive(Clone, Debug)]
pub(super) struct Left {
    /// As it is written in the value.
    pub(super) name: String,
    why: String,
    finding: Finding,
}

impl Left {
    fn new(code: &'static str, name: &str, why: &str, remedy: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            why: why.to_owned(),
            finding: Finding::new(code, Severity::Warning, "", remedy),
        }
    }

    /// What is to be known where it was no adopted one.
    pub(super) fn stays(self) -> Finding {
        let Self { name, why, finding } = self;
        let message = format!(
            "{name} is left alone: {why}. Its rows stay in force and are no rules; rules are asked \
             before it."
        );
        Finding { message, ..finding }
    }

    /// What is to be known where it stands before tables whose rows are rules.
    pub(super) fn ahead(self) -> Finding {
        let Self { name, why, finding } = self;
        Finding {
            code: CODE_AHEAD.into(),
            severity: Severity::Warning,
            message: format!(
                "{name} is asked before the rules for destinations, and stays so: {why}. Where it has \
                 a row, a rule does nothing."
            ),
            remedy: "Take it out of smtp_tls_policy_maps, or put it behind, and `postseal drift \
                     --adopt`, where the rules shall decide."
                .to_owned(),
            ..finding
        }
    }

    /// Why nothing is taken over, where its rows are rules.
    pub(super) fn refused(self) -> Finding {
        let Self { name, why, finding } = self;
        Finding {
            severity: Severity::Error,
            message: format!("{name} cannot be taken over: {why}. The rules are as they were."),
            ..finding
        }
    }
}

pub(super) fn left(name: &str, why: &str) -> Left {
    let remedy = "Mend that and `postseal init` again; without, nothing needs to be done.";
    Left::new("policy.table-left", name, why, remedy)
}

/// It has no rows.
pub(super) fn other_type(name: &str, why: &str) -> Left {
    let mut left = left(name, why);
    left.finding.severity = Severity::Info;
    left.finding.remedy = "Nothing needs to be done.".to_owned();
    left
}

pub(super) fn left_after(candidate: &Candidate) -> Left {
    let (Candidate::Source(Source { name, .. }) | Candidate::Other { name, .. }) = candidate;
    left(name, "it stands after a table that is left alone")
}

pub(super) fn bad_rows(source: &Source, bad: &[BadRow]) -> Left {
    let count = match bad.len() {
        1 => "a row of it is no rule".to_owned(),
        BAD_ROWS.. => format!("{BAD_ROWS} rows of it and maybe more are no rules"),
        n => format!("{n} rows of it are no rules"),
    };
    let at = |finding: Finding, bad: &BadRow| {
        let text = match bad.key.as_str() {
            "" => bad.why.clone(),
            key => format!("{key}: {}", bad.why),
        };
        finding.at(&source.path, bad.line, text)
    };
    let remedy = format!(
        "Mend the rows, `postmap {}`, `postseal init` again.",
        source.table
    );
    let left = Left::new("policy.table-left", &source.name, &count, remedy);
    Left {
        finding: bad.iter().fold(left.finding, at),
        ..left
    }
}

pub(super) fn not_compiled(source: &Source, differences: Vec<String>) -> Left {
    let why = "it answers otherwise than its source reads, so it was not compiled since";
    let remedy = format!(
        "See which of them is meant; `postmap {}` makes the table of its source; `postseal init` \
         again.",
        source.table
    );
    let left = Left::new("policy.table-not-compiled", &source.name, why, remedy);
    Left {
        finding: differences.into_iter().fold(left.finding, Finding::seen),
        ..left
    }
}

/// Tables that stand behind the rules in force.
pub(super) fn behind(candidates: &[Candidate], state: &InstanceState) -> Vec<Finding> {
    let before = state.desired.tables.as_ref();
    let before = before.map_or(&[][..], |tables| tables.before.as_slice());
    let ahead = before.iter().map(|name| ahead(name, candidates));
    let adopted = state.desired.adopted.main.get("smtp_tls_policy_maps");
    let adopted = adopted.map_or("", String::as_str);
    let sources = candidates.iter().filter_map(|candidate| match candidate {
        Candidate::Source(source)
            if adopted.contains(&source.name) && !before.contains(&source.name) =>
        {
            Some(source)
        }
        _ => None,
    });
    let stays = |source: &Source| {
        let mut left = left(&source.name, "there were rules in force before it was read");
        left.finding.severity = Severity::Info;
        left.finding.remedy = format!(
            "`postseal policy import {}` makes rules of its rows; then take it out of \
             smtp_tls_policy_maps.",
            source.path.display()
        );
        left.stays()
    };
    ahead.chain(sources.map(stays)).collect()
}

/// A table that somebody put before the map of the rules.
fn ahead(name: &str, candidates: &[Candidate]) -> Finding {
    let mut found = left(name, "there were rules in force before it was read").ahead();
    let path = candidates.iter().find_map(|candidate| match candidate {
        Candidate::Source(source) if source.name == name => Some(source.path.display()),
        _ => None,
    });
    if let Some(path) = path {
        found.remedy = format!(
            "`postseal policy import {path}` makes rules of its rows; then take it out of \
             smtp_tls_policy_maps, and `postseal drift --adopt`."
        );
    }
    found
}

pub(super) fn other_service(service: &str, own: &str) -> Finding {
    Finding::new(
        "policy.service-tables-left",
        Severity::Info,
        format!(
            "{service} has tables of policies of its own ({own}), and goes on with them: rules are not for it."
        ),
        "Take its -o smtp_tls_policy_maps out of master.cf if the rules shall be for it, too.",
    )
}

/// A rule for a name in another script is for both its spellings.
pub(super) fn both_forms(written: u64, there: u64) -> Option<Finding> {
    let more = written.checked_sub(there).filter(|more| *more > 0)?;
    Some(Finding::new(
        "policy.both-forms",
        Severity::Info,
        format!(
            "Internationalized names stand in one form only in {more} rows. Once a rule changes, \
             the map of the rules has both: a name with U-labels and with A-labels is one destination."
        ),
        "Nothing needs to be done.",
    ))
}

/// Rows that go over more than one line.
pub(super) fn joined(source: &Source, rows: u64) -> Option<Finding> {
    let rows = match rows {
        0 => return None,
        1 => "1 row goes".to_owned(),
        rows => format!("{rows} rows go"),
    };
    Some(Finding::new(
        "policy.rows-joined",
        Severity::Info,
        format!(
            "In {} {rows} over more than one line: a line that begins with a blank goes on the one \
             before. They are rules as Postfix reads them.",
            source.path.display()
        ),
        "Nothing needs to be done.",
    ))
}

/// Marked words of a source that are of no rule: a finding for each, at its line.
pub fn unread_words(unread: impl IntoIterator<Item = Unread>) -> Vec<Finding> {
    let found = |one: Unread| {
        Finding::new(
            "policy.word-unread",
            Severity::Warning,
            format!("The line says nothing of a rule: {}.", one.why),
            "Put it right above its row, as `#postseal: WORD VALUE` with one of scope, follow, tags, \
             owner, until, reason; or take it out.",
        )
        .at_line(one.line, one.text)
    };
    unread.into_iter().map(found).collect()
}

/// Tables that were edited since they were adopted.
pub(super) fn edited(edited: &[TableDrift]) -> Finding {
    let finding = Finding::new(
        "drift.unresolved",
        Severity::Error,
        "Tables of policies whose rows are rules were edited by hand since they were adopted; \
         the rules would undo that.",
        "`postseal drift --adopt` takes their rows over.",
    );
    with_edits(finding, edited)
}

/// Tables that answer again, and were edited since.
pub(super) fn edited_and_back(edited: &[TableDrift]) -> Finding {
    let finding = Finding::new(
        "policy.table-back-edited",
        Severity::Warning,
        "Tables of policies that answer again then were edited by hand since: Postfix will find what \
         they say now, not what the rules said before the operation.",
        "Put them back as they were first; or `postseal drift --adopt` afterwards, which makes rules of \
         their rows.",
    );
    with_edits(finding, edited)
}

fn with_edits(finding: Finding, edited: &[TableDrift]) -> Finding {
    let seen = |finding: Finding, edit: &TableDrift| {
        finding.seen(format!("{} {}", edit.path.display(), edit.what))
    };
    edited.iter().fold(finding, seen)
}

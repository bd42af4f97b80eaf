//! Tables of patterns as trivial-rewrite(8) reads them: rows that substitute (`$1`) are left out.
//!
//! Owns: where such rows stand, which of them these are, what is said of them, and what an answer of `postmap -q`, which takes them, is
//! worth there (`DICT_FLAG_NO_REGSUB`; `dict_regexp.c`, `dict_pcre.c`). Never: matches a pattern.

use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::lint::{Rule, row as explained};
use crate::policy::route_elements;
use crate::view::Files;
use std::path::{Path, PathBuf};

/// The code of rows that are skipped.
pub(crate) const SUBSTITUTES: &str = "policy.row-substitutes";
/// That of rows that are none.
const UNREAD: &str = "policy.pattern-row-unread";

/// What `lint --explain` tells of them.
#[rustfmt::skip]
pub(crate) const EXPLAINED: &[Rule] = &[
    explained(SUBSTITUTES, Severity::Error, "row of patterns that Postfix skips, because it substitutes",
        "trivial-rewrite(8) takes no row with $1 from a table of patterns for routes, and logs that it is skipped; postmap -q answers with it all the same.",
        "Write the row without $1: one for each next hop, or a table of keys."),
    explained(UNREAD, Severity::Error, "row of patterns that Postfix cannot read",
        "A row is /pattern/ and a result: what has no second delimiter is skipped with a warning in the log, and a result that is empty makes Postfix defer the mail that it matches.",
        "Mend the row, or take it out."),
];

/// So many rows are shown.
const SHOWN: usize = 5;

/// Parameters whose tables trivial-rewrite(8) opens so (`transport.c`, `resolve.c`).
const STRICT: [&str; 3] = [
    "transport_maps",
    "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps",
];

/// What an answer is worth.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// It is Postfix's, too.
    Same,
    /// Postfix finds nothing: every row substitutes.
    Nothing,
    /// The row is left out, and another one may match.
    Unknown,
}

/// Where the rows of patterns stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rows<'t> {
    /// In a file.
    File(&'t str),
    /// In the value itself (`regexp:{{/^a/ b}}`).
    Here(String),
}

/// The tables of patterns in a table of this parameter: itself, or those in it (`unionmap:{regexp:/a}`).
pub(super) fn sources<'t>(parameter: &str, table: &'t str) -> Vec<Rows<'t>> {
    match STRICT.contains(&parameter) {
        true => within(table),
        false => Vec::new(),
    }
}

fn within(table: &str) -> Vec<Rows<'_>> {
    let bare = table.strip_prefix("proxy:").unwrap_or(table);
    let Some((kind, path)) = bare.split_once(':') else {
        return Vec::new();
    };
    let inner = unbraced(path);
    match (kind, inner) {
        ("regexp" | "pcre", Some(rows)) => {
            let rows = postfix_cf::elements(rows).map(|row| unbraced(row).unwrap_or(row));
            let rows: Vec<String> = rows.map(|row| format!("{}\n", row.trim())).collect();
            vec![Rows::Here(rows.concat())]
        }
        ("regexp" | "pcre", None) if !path.is_empty() => vec![Rows::File(path)],
        _ if holds_tables(bare) => {
            let tables = postfix_cf::elements(inner.unwrap_or_default());
            tables.flat_map(within).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a table is made of others: what it answers is no row of theirs as it stands.
pub(super) fn holds_tables(table: &str) -> bool {
    let bare = table.strip_prefix("proxy:").unwrap_or(table);
    bare.starts_with("unionmap:") || bare.starts_with("pipemap:")
}

fn unbraced(text: &str) -> Option<&str> {
    text.trim().strip_prefix('{')?.strip_suffix('}')
}

/// Holds what was found against the source. A text that a row says as it stands is taken for that row's.
pub(super) fn worth(source: &str, found: &str) -> Worth {
    let (mut substitutes, mut others) = (false, false);
    for row in postfix_cf::table::rows(source.as_bytes()) {
        let line = joined(row.text);
        let Some(result) = result(&line) else {
            continue;
        };
        let plain = result.replace("$$", "");
        match plain.contains('$') {
            true => substitutes = true,
            false if result.replace("$$", "$") == found => return Worth::Same,
            false => others = true,
        }
    }
    match (substitutes, others) {
        (false, _) => Worth::Same,
        (true, false) => Worth::Nothing,
        (true, true) => Worth::Unknown,
    }
}

/// The tables of patterns in which routes stand, each with the parameter that names it.
fn of_routes<T>(facts: &Facts, kept: impl Fn(&'static str, Rows<'_>) -> Option<T>) -> Vec<T> {
    let of = |parameter: &'static str| {
        let tables = route_elements(facts, parameter);
        let rows = tables.iter().flat_map(|table| within(table));
        rows.filter_map(|rows| kept(parameter, rows))
            .collect::<Vec<_>>()
    };
    STRICT.into_iter().flat_map(of).collect()
}

/// The files of patterns in which routes stand, each with the parameter that names it.
pub fn pattern_files(facts: &Facts) -> Vec<(&'static str, PathBuf)> {
    of_routes(facts, |parameter, rows| match rows {
        Rows::File(path) => Some((parameter, PathBuf::from(path))),
        Rows::Here(_) => None,
    })
}

/// What is said of routes that stand in main.cf itself: rows of patterns as [`skipped_rows`] tells of a
/// file's, and `$1` that Postfix takes for one of its parameters.
pub fn skipped_here(facts: &Facts) -> Vec<Finding> {
    let files = Files::of(facts);
    let view = files.view(facts);
    let main_cf = &facts.main_cf.path;
    let found = of_routes(facts, |parameter, rows| match rows {
        Rows::Here(rows) => Some((parameter, rows)),
        Rows::File(_) => None,
    });
    let found = found.into_iter().flat_map(|(parameter, rows)| {
        let line = view.line_of(parameter).unwrap_or(1);
        let told = told(&format!("{parameter}, in main.cf itself,"), rows.as_bytes()).into_iter();
        told.map(move |(finding, rows)| {
            let rows = rows.into_iter().take(SHOWN);
            rows.fold(finding, |finding, (_, text)| {
                finding.at(main_cf, line, text)
            })
        })
    });
    let emptied = STRICT.into_iter().filter_map(|parameter| {
        let value = view.raw(None, parameter)?;
        let number = numbered(&value)?;
        let message = format!(
            "{parameter} has {number} in main.cf itself: Postfix takes it for a parameter of that \
             name and puts nothing in its place, and mail goes where what is left says."
        );
        let remedy = "Write a row for each next hop; $$ stands for a dollar sign in main.cf.";
        let finding = Finding::new(SUBSTITUTES, Severity::Error, message, remedy);
        Some(finding.at(main_cf, view.line_of(parameter)?, value))
    });
    found.chain(emptied).collect()
}

/// The first `$1`, `${1}` or `$(1)` that Postfix would expand; `$$` is a dollar sign.
fn numbered(value: &str) -> Option<String> {
    let plain = value.replace("$$", "");
    let mut found = plain.match_indices('$').map(|(at, _)| &plain[at + 1..]);
    let name = found.find_map(|rest| {
        let rest = rest.trim_start_matches(['{', '(']);
        let digits = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let number = &rest[..rest.len() - digits.len()];
        let ends = !digits.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        (!number.is_empty() && ends).then(|| number.to_owned())
    });
    name.map(|number| format!("${number}"))
}

/// What is said of a file of patterns in which routes stand: rows that trivial-rewrite(8) skips, and rows
/// that are none.
pub fn skipped_rows(parameter: &str, path: &Path, source: &[u8]) -> Vec<Finding> {
    let told = told(&format!("{} ({parameter})", path.display()), source).into_iter();
    told.map(|(finding, rows)| {
        let rows = rows.into_iter().take(SHOWN);
        rows.fold(finding, |finding, (line, text)| {
            finding.at(path, line, text)
        })
    })
    .collect()
}

/// A row in one line, with the number of its first.
type Line = (usize, String);

/// What is said of the rows of a source, each finding with its rows.
fn told(shown: &str, source: &[u8]) -> Vec<(Finding, Vec<Line>)> {
    let (mut substitute, mut unread) = (Vec::new(), Vec::new());
    for row in postfix_cf::table::rows(source) {
        let line = joined(row.text);
        let is_block = line.starts_with("if") || line.starts_with("endif");
        match result(&line) {
            _ if line.is_empty() || is_block => {}
            None | Some("") => unread.push((row.line, line)),
            Some(text) if text.replace("$$", "").contains('$') => substitute.push((row.line, line)),
            Some(_) => {}
        }
    }
    let count = |rows: &[Line]| match rows {
        [_] => "A row".to_owned(),
        many => format!("{} rows", many.len()),
    };
    let skipped = (!substitute.is_empty()).then(|| {
        let message = format!(
            "{} of {shown} with $1 or the like: trivial-rewrite(8) skips such rows, and \
             the mail goes as if they were not there.",
            count(&substitute)
        );
        let remedy = "Write the row without $1: one for each next hop, or a table of keys.";
        let finding = Finding::new(SUBSTITUTES, Severity::Error, message, remedy);
        (finding, substitute)
    });
    let unread = (!unread.is_empty()).then(|| {
        let message = format!(
            "{} of {shown} without a pattern between two delimiters, or without a \
             result: Postfix skips the first, and defers mail that meets the other.",
            count(&unread)
        );
        let remedy = "Mend the row, or take it out.";
        (
            Finding::new(UNREAD, Severity::Error, message, remedy),
            unread,
        )
    });
    skipped.into_iter().chain(unread).collect()
}

/// A row in one line, without its comments.
fn joined(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    lines.collect::<String>().trim().to_owned()
}

/// The same of a table that is made of others.
pub(super) fn worth_of_several(source: &str) -> Worth {
    // No row says this.
    match worth(source, "\0") {
        Worth::Same => Worth::Same,
        Worth::Nothing | Worth::Unknown => Worth::Unknown,
    }
}

/// What stands after the pattern, or after both (`/one/!/two/ result`); `if` and `endif` have none.
fn result(line: &str) -> Option<&str> {
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(['!', ' ', '\t']);
        let delimiter = rest.chars().next().filter(|one| !one.is_alphanumeric())?;
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, letter)| {
            let is_end = *letter == delimiter && !escaped;
            escaped = *letter == '\\' && !escaped;
            is_end
        })?;
        let after = rest.get(end.0 + delimiter.len_utf8()..)?;
        let after = after.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        match after.starts_with('!') {
            true => rest = after,
            false => return Some(after.trim()),
        }
    }
}

#[cfg(test)]
mod tests;

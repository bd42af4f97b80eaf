//! The source of a policy table: rows → rules.
//!
//! Owns: which row is a rule, with the comment above it as its note, and why another is none. Never:
//! holds more than a row, or asks whether the table was compiled since.

use super::{About, LONGEST_NOTE, Rule};
use mailtls::policy::Dialect;
use postfix_cf::table::{Content, Row};

/// Reads rows, one after the other.
#[derive(Debug)]
pub struct RowReader {
    dialect: Dialect,
    note: Option<String>,
}

/// A row that is a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// Line number of its first line.
    pub line: usize,
    /// The key as it is written.
    pub key: String,
    /// The right-hand side as it is written.
    pub value: String,
    /// The rule.
    pub rule: Rule,
}

/// A row that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Line number of its first line.
    pub line: usize,
    /// The key as it is written; empty where there is none.
    pub key: String,
    /// The stable code.
    pub code: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl RowReader {
    /// Rows as the installed version reads them.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            note: None,
        }
    }

    /// The next row; nothing where there are only comments.
    pub fn read(&mut self, row: &Row<'_>) -> Option<Result<SourceRow, BadRow>> {
        let note = self.note.take();
        self.note = last_comment(row.text);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let bad = |key: String, code, why: String| {
            Some(Err(BadRow {
                line: row.line,
                key,
                code,
                why,
            }))
        };
        match &row.content {
            Content::Nothing => None,
            Content::Pair { key, value } => {
                let (key, value) = (text(key), text(value));
                if let Some(line) = row.joined.first() {
                    let why = format!("line {line} begins with a blank and goes on this one");
                    return bad(key, "policy.joined-row", why);
                }
                let about = About {
                    note,
                    ..About::default()
                };
                let rule = Rule::new(&key, None, &value, self.dialect);
                match rule.and_then(|rule| rule.with(about)) {
                    Ok(rule) => Some(Ok(SourceRow {
                        line: row.line,
                        key,
                        value,
                        rule,
                    })),
                    Err(error) => bad(key, error.code(), error.to_string()),
                }
            }
            Content::NoValue(key) => bad(
                text(key),
                "policy.no-policy",
                "it has no policy, and postmap(1) leaves it out".to_owned(),
            ),
            Content::Unbalanced | Content::Indented => bad(
                String::new(),
                "policy.bad-file",
                "postmap(1) leaves this line out".to_owned(),
            ),
        }
    }
}

/// The comment lines at the end of a row's text, with nothing after them: a note, cut where it is
/// longer than one can be.
fn last_comment(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let mut words: Vec<&str> = text
        .lines()
        .rev()
        .map_while(|line| line.strip_prefix('#'))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    words.reverse();
    let plain = |c: char| match c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
        true => ' ',
        false => c,
    };
    let mut note: String = words.join(" ").chars().map(plain).collect();
    if note.len() > LONGEST_NOTE {
        let most = LONGEST_NOTE - '…'.len_utf8();
        note.truncate(note.floor_char_boundary(most));
        note.push('…');
    }
    (!note.is_empty()).then_some(note)
}

#[cfg(test)]
mod tests;

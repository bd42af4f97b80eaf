//! What tables answer, without asking them.
//!
//! Owns: the rows of the sources, and of tables that stand in main.cf (`inline:`, `static:`). Never:
//! guesses: what has no source that was read tells why it has no answer.

use super::{bytes_of, source};
use crate::facts::Facts;
use crate::resolve::{Answer, Question};
use postfix_cf::table::{Content, rows};
use std::collections::{BTreeMap, HashMap};

/// What a table holds.
#[derive(Debug)]
enum Table {
    /// Rows, by their keys in small letters.
    Rows(HashMap<String, String>),
    /// One value for every key.
    Always(String),
}

/// Tables, each read once.
pub(super) struct Sources<'f> {
    facts: &'f Facts,
    tables: BTreeMap<String, Result<Table, String>>,
}

impl<'f> Sources<'f> {
    pub(super) fn new(facts: &'f Facts) -> Self {
        Self {
            facts,
            tables: BTreeMap::new(),
        }
    }

    fn table(&mut self, table: &str) -> Result<&Table, String> {
        let facts = self.facts;
        let read = self.tables.entry(table.to_owned());
        let read = read.or_insert_with(|| read_table(facts, table));
        read.as_ref().map_err(Clone::clone)
    }

    /// The value of a key.
    pub(super) fn get(&mut self, table: &str, key: &str) -> Result<Option<String>, String> {
        Ok(match self.table(table)? {
            Table::Rows(rows) => rows.get(&key.to_lowercase()).cloned(),
            Table::Always(value) => Some(value.clone()),
        })
    }

    /// All keys, in small letters; none where every key has the same value.
    pub(super) fn keys(&mut self, table: &str) -> Result<Vec<String>, String> {
        Ok(match self.table(table)? {
            Table::Rows(rows) => rows.keys().cloned().collect(),
            Table::Always(_) => Vec::new(),
        })
    }

    /// All values.
    pub(super) fn values(&mut self, table: &str) -> Result<Vec<&str>, String> {
        Ok(match self.table(table)? {
            Table::Rows(rows) => rows.values().map(String::as_str).collect(),
            Table::Always(value) => vec![value],
        })
    }

    /// Answers what is asked for the level at a next hop. Whether this host can keep the policy
    /// counts for nothing here: a level that lets mail go in clear does so with trust anchors and
    /// ciphers or without.
    pub(super) fn answer(&mut self, question: &Question) -> Result<Answer, String> {
        match question {
            Question::Lookup { table, key } => {
                let found = self.get(table, key)?;
                Ok(found.map_or(Answer::NotFound, Answer::Found))
            }
            Question::File(_) => Ok(Answer::Found("-----BEGIN CERTIFICATE-----".to_owned())),
            Question::Anchors(_) | Question::Ciphers(_) => Ok(Answer::Found(String::new())),
        }
    }
}

fn read_table(facts: &Facts, table: &str) -> Result<Table, String> {
    let bare = table.strip_prefix("proxy:").unwrap_or(table);
    match bare.split_once(':') {
        Some(("static", value)) => Ok(Table::Always(unbraced(value).trim().to_owned())),
        Some(("inline", rows)) => inline(rows).map(Table::Rows),
        _ => from_source(facts, table).map(Table::Rows),
    }
}

/// `{a=b, {c = d e}}`, as dict_inline.c of Postfix 3.7 reads it; the last one of a key counts.
fn inline(text: &str) -> Result<HashMap<String, String>, String> {
    let mut found = HashMap::new();
    for row in postfix_cf::elements(unbraced(text)) {
        // The rows may hold secrets.
        let Some((key, value)) = unbraced(row).split_once('=') else {
            return Err("a row of an inline: table has no `=`".to_owned());
        };
        found.insert(key.trim().to_lowercase(), value.trim().to_owned());
    }
    Ok(found)
}

/// The keys of an `inline:` table, sorted.
pub(super) fn inline_keys(text: &str) -> Result<Vec<String>, String> {
    let mut keys: Vec<String> = inline(text)?.into_keys().collect();
    keys.sort();
    Ok(keys)
}

/// What stands in braces, or all.
fn unbraced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}'));
    inner.unwrap_or(text)
}

/// The rows of a source; the first of a key counts.
fn from_source(facts: &Facts, table: &str) -> Result<HashMap<String, String>, String> {
    let Some(path) = source(table) else {
        return Err(format!("what {} answers is not in a source", shown(table)));
    };
    let mut found = HashMap::new();
    for row in rows(bytes_of(facts, path)?) {
        if let Content::Pair { key, value } = row.content {
            let [key, value] = [key, value].map(|text| String::from_utf8_lossy(&text).into_owned());
            found.entry(key.to_lowercase()).or_insert(value);
        }
    }
    Ok(found)
}

/// A table without what may be secret: what stands in braces, and the value of `static:`.
pub(super) fn shown(table: &str) -> &str {
    let bare = table.strip_prefix("proxy:").unwrap_or(table);
    match bare.split_once(':') {
        Some((kind @ "static", _)) => kind,
        _ => table.split('{').next().unwrap_or(table),
    }
}

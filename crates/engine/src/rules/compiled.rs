//! Whether a compiled table has just the rows of its source.
//!
//! Owns: holding what `postmap -s` lists against what was read. Never: trusts the time of a file, or
//! keeps a row: of each there are two hashes.

use super::source::{More, each_row};
use postfix_cf::table::Content;
use postseal_host::Host;
use postseal_planner::policy::{BadRow, Source, SourceRow};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader, Read};

/// So many differences are told.
const TOLD: usize = 10;
/// So many rows are held against each other.
const MOST: usize = 5_000_000;
/// A listed row is no longer.
const LONGEST: u64 = 1 << 20;

/// How a compiled table compares with its source.
pub(super) enum Compiled {
    /// The same rows.
    Same,
    /// Other rows: the first differences, in words.
    Differs(Vec<String>),
    /// It cannot be listed; why.
    Unknown(String),
}

/// The rows of a source, as 64 bits for the key and 64 for the value: of a million two differ and
/// look alike once in tens of millions of tables.
#[derive(Default)]
pub(super) struct Seen {
    hasher: RandomState,
    /// Key → value, and whether the compiled table has it.
    rows: HashMap<u64, (u64, bool)>,
    /// Rows of more than one line.
    joined: u64,
    /// Of names in other scripts: rule → policy. Both spellings are one rule.
    wide: HashMap<u64, u64>,
}

impl Seen {
    /// Whether another row can be taken.
    pub(super) fn has_room(&self) -> bool {
        self.rows.len() <= MOST
    }

    /// How many keys there are.
    pub(super) fn rows(&self) -> u64 {
        self.rows.len() as u64
    }

    /// How many rows go over more than one line.
    pub(super) fn joined(&self) -> u64 {
        self.joined
    }

    /// Takes a row, or says why it cannot become a rule beside the others.
    pub(super) fn put(&mut self, row: SourceRow) -> Result<(), BadRow> {
        let key = row.key.to_lowercase();
        let bad = |code, why: &str| BadRow {
            line: row.line,
            key: row.key.clone(),
            code,
            why: why.to_owned(),
        };
        let keys = row.rule.keys();
        if !keys.contains(&key) {
            let why = format!("Postfix would be given {} for it", keys.join(" and "));
            return Err(bad("policy.other-spelling", &why));
        }
        self.joined += u64::from(row.lines > 1);
        let whole = (self.hash(&row.value), false);
        let earlier = *self.rows.entry(self.hash(&key)).or_insert(whole);
        if earlier.0 != whole.0 {
            let why = "it stands twice with different policies, and only the first counts";
            return Err(bad("policy.duplicate", why));
        }
        if keys.len() > 1 {
            let policy = self.hash(&row.rule.policy);
            let id = self.hash(&row.rule.id.destination);
            if *self.wide.entry(id).or_insert(policy) != policy {
                let why = "its two spellings (U-labels and A-labels) have different policies";
                return Err(bad("policy.duplicate", why));
            }
        }
        Ok(())
    }

    fn hash(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }
}

/// Holds the compiled table of a source against its rows.
pub(super) fn compared(host: &dyn Host, source: &Source, mut seen: Seen) -> Compiled {
    let listed = match host.table_rows(&source.table) {
        Ok(listed) => listed,
        Err(error) => return Compiled::Unknown(postseal_planner::whole_chain(&error)),
    };
    let mut told = match listed_otherwise(listed, &mut seen) {
        Ok(told) => told,
        Err(error) => return Compiled::Unknown(error.to_string()),
    };
    if told.len() < TOLD && seen.rows.values().any(|(_, found)| !found) {
        match missing(host, source, &seen, TOLD - told.len()) {
            Ok(missing) => told.extend(missing),
            Err(error) => return Compiled::Unknown(error),
        }
    }
    match told.is_empty() {
        true => Compiled::Same,
        false => Compiled::Differs(told),
    }
}

/// What the compiled table has and the source has not, or has otherwise.
fn listed_otherwise(listed: impl Read, seen: &mut Seen) -> io::Result<Vec<String>> {
    let mut listed = BufReader::new(listed);
    let mut line = Vec::new();
    let mut told = Vec::new();
    loop {
        line.clear();
        if (&mut listed).take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(told);
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let (key, value) = text.split_once('\t').unwrap_or((text, ""));
        let (id, wanted) = (seen.hash(&key.to_lowercase()), seen.hash(value));
        match seen.rows.get_mut(&id) {
            Some((there, found)) if *there == wanted => *found = true,
            Some((_, found)) => {
                *found = true;
                told.push(format!(
                    "{key}: Postfix finds “{value}”, the source has another policy"
                ));
            }
            None => told.push(format!(
                "{key}: Postfix finds “{value}”, the source has no such row"
            )),
        }
        if told.len() >= TOLD {
            return Ok(told);
        }
    }
}

/// What the source has and the compiled table has not.
fn missing(
    host: &dyn Host,
    source: &Source,
    seen: &Seen,
    most: usize,
) -> Result<Vec<String>, String> {
    let stream = host.open(&source.path);
    let stream = stream.map_err(|error| postseal_planner::whole_chain(&error))?;
    let mut told = Vec::new();
    let read = each_row(stream, &mut |row| {
        if let Content::Pair { key, .. } = &row.content {
            let key = String::from_utf8_lossy(key);
            let id = seen.hash(&key.to_lowercase());
            if seen.rows.get(&id).is_some_and(|(_, found)| !found) {
                told.push(format!(
                    "{key}: Postfix does not find it, the source has it (line {})",
                    row.line
                ));
            }
        }
        match told.len() < most {
            true => More::Wanted,
            false => More::Enough,
        }
    });
    read.map_err(|error| error.to_string())?;
    // It was there a moment ago.
    if told.is_empty() {
        told.push("the source was edited while it was read".to_owned());
    }
    Ok(told)
}

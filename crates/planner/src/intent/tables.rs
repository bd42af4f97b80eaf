//! An administrator's tables of policies whose rows are rules.
//!
//! Owns: what is remembered of them, and which part of `smtp_tls_policy_maps` they are. Never:
//! reads one.
//!
//! They answer as long as no rule has changed. With the first change the map of all rules takes
//! their place, and their files stay as they are.

use super::{Intent, Policies};
use crate::Digest;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Tables whose rows are rules: the first ones of `smtp_tls_policy_maps`, or those after `before`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoptedTables {
    /// In the order in which Postfix asks them.
    pub tables: Vec<PolicyTable>,
    /// What the rules made of their rows come to when they are rendered.
    pub policies: Policies,
    /// Whether they answer.
    pub named: Named,
    /// Tables that somebody put before them, and that cannot become rules, as they are written. They
    /// stay before the map of the rules, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
}

/// A value with adopted tables in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parted {
    /// What stands before them.
    pub(crate) before: Vec<String>,
    /// What stands after them.
    pub(crate) after: Vec<String>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyTable {
    /// As it is written in the value.
    pub name: String,
    /// As `postmap` is asked for it: expanded, without `proxy:`.
    pub table: String,
    /// Its source.
    pub path: PathBuf,
    /// Of the source's bytes.
    pub digest: Digest,
    /// How many rows the source has.
    pub rows: u64,
}

/// Whether adopted tables are still named, and answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Named {
    /// They answer; the rules are as their rows are.
    Still,
    /// The map of the rules has taken their place.
    NoMore,
}

impl AdoptedTables {
    /// A value without them; `None` where it does not begin with them, or with what stands before
    /// them.
    pub(crate) fn parted(&self, value: &str) -> Option<Parted> {
        let elements: Vec<String> = postfix_cf::elements(value).map(str::to_owned).collect();
        let after = elements.strip_prefix(self.before.as_slice());
        let with = after.and_then(|after| self.stripped(after));
        let parted = |before: &[String], after: &[String]| Parted {
            before: before.to_vec(),
            after: after.to_vec(),
        };
        match with {
            Some(after) => Some(parted(&self.before, after)),
            None => self.stripped(&elements).map(|after| parted(&[], after)),
        }
    }

    fn stripped<'e>(&self, elements: &'e [String]) -> Option<&'e [String]> {
        let tables = self.tables.iter();
        tables.into_iter().try_fold(elements, |rest, table| {
            let (first, rest) = rest.split_first()?;
            (*first == table.name).then_some(rest)
        })
    }
}

impl Intent {
    /// The rows of all rules in force, whichever tables answer with them.
    pub fn rows(&self) -> Option<Policies> {
        self.policies.or_else(|| {
            let tables = self.tables.as_ref()?;
            let answer = tables.named == Named::Still && tables.policies.rows > 0;
            answer.then_some(tables.policies)
        })
    }

    /// The same rules, answered by the same tables.
    #[must_use]
    pub fn with_rules_of(self, other: &Self) -> Self {
        Self {
            policies: other.policies,
            tables: other.tables.clone(),
            ..self
        }
    }

    /// Whether the same rules are answered, by the tables that were adopted in both or by none, whatever
    /// stands before them, and however their sources are commented.
    pub(crate) fn answers_as(&self, other: &Self) -> bool {
        self.rows() == other.rows() && self.named() == other.named()
    }

    /// Whether adopted tables answer.
    pub(crate) fn named(&self) -> Named {
        let tables = self.tables.as_ref();
        tables.map_or(Named::NoMore, |tables| tables.named)
    }

    /// Whether the same rules are answered by the same tables.
    pub fn has_rules_of(&self, other: &Self) -> bool {
        self.policies == other.policies && self.tables == other.tables
    }
}

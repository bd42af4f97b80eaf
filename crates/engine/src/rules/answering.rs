//! Who answers for the rules in force: their map, or the adopted tables that answer still.
//!
//! Owns: asking them, and whether an answer is what the rules say. Never: what is done about one that
//! is not.

use mailtls::policy::{Dialect, Policy};
use postseal_host::{Host, HostError};
use postseal_planner::facts::Facts;
use postseal_planner::intent::Named;
use postseal_planner::plan::PolicyMap;
use postseal_planner::policy::{Asking, Lookup, asking_of, dialect};
use postseal_planner::policy_map;
use postseal_store::InstanceState;
use std::path::PathBuf;

/// The tables that answer.
pub(super) struct Answering {
    /// As `postmap` is asked for them, in the order in which Postfix asks them.
    tables: Vec<String>,
    /// Their sources.
    paths: Vec<PathBuf>,
    kind: Kind,
}

/// Whose they are.
enum Kind {
    /// The map of the rules has their rows as they are rendered.
    Map,
    /// Adopted tables have the rows that rules were made of: the same policies in an administrator's
    /// spelling, and internationalized names in the form that stood there.
    Adopted(Dialect),
}

impl Answering {
    /// Nobody, where nothing of the rules is in force.
    pub(super) fn of(state: &InstanceState, facts: &Facts) -> Option<Self> {
        if let Some(map) = policy_map(&state.desired, facts) {
            return Some(Self::map(&map));
        }
        let tables = state.desired.tables.as_ref()?;
        (tables.named == Named::Still).then(|| Self {
            tables: tables.tables.iter().map(|one| one.table.clone()).collect(),
            paths: tables.tables.iter().map(|one| one.path.clone()).collect(),
            kind: Kind::Adopted(dialect(facts.version)),
        })
    }

    /// A map of rules.
    pub(super) fn map(map: &PolicyMap) -> Self {
        Self {
            tables: vec![map.name()],
            paths: vec![map.path.clone()],
            kind: Kind::Map,
        }
    }

    /// Which clients ask them, as the files are.
    pub(super) fn asking(&self, state: &InstanceState, facts: &Facts) -> Asking {
        asking_of(facts, state.desired.tables.as_ref(), &self.paths)
    }

    /// Their names.
    pub(super) fn name(&self) -> String {
        self.tables.join(", ")
    }

    /// Whether they are an administrator's own.
    pub(super) fn is_adopted(&self) -> bool {
        matches!(self.kind, Kind::Adopted(_))
    }

    /// What Postfix finds for the keys, in their order: the first table with a row decides.
    pub(super) fn ask(
        &self,
        host: &dyn Host,
        keys: &[String],
    ) -> Result<Vec<Option<String>>, HostError> {
        let mut answers: Vec<Option<String>> = vec![None; keys.len()];
        for table in &self.tables {
            let found = host.lookups(table, keys)?;
            for (answer, found) in answers.iter_mut().zip(found) {
                *answer = answer.take().or(found);
            }
        }
        Ok(answers)
    }

    /// Whether this is what the rules say.
    pub(super) fn holds(&self, lookup: &Lookup, answer: Option<&str>) -> bool {
        match &self.kind {
            Kind::Map => lookup.value.as_deref() == answer,
            Kind::Adopted(_) if is_international(&lookup.key) => true,
            Kind::Adopted(dialect) => {
                let read = |text: &str| match Policy::parse(text, *dialect) {
                    Ok(policy) => policy.to_string(),
                    Err(_) => text.to_owned(),
                };
                lookup.value.as_deref().map(read) == answer.map(read)
            }
        }
    }
}

/// Whether a key may stand in another form.
fn is_international(key: &str) -> bool {
    !key.is_ascii() || key.contains("xn--")
}

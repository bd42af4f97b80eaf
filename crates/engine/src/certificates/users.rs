//! Who presents the certificates of the store.
//!
//! Owns: the words of `used_by`. What is not presented now stands with the reason in parentheses;
//! an older version than the newest is told in square brackets. Never: looks at the wire.

use crate::{Engine, EngineError};
use mailtls::Fingerprint;
use postseal_planner::intent::{Binding, Intent, Place};
use postseal_store::Certificate;
use std::collections::{BTreeMap, BTreeSet};

impl Engine<'_> {
    /// Who presents what: in force, should the operation that awaits confirmation be undone, and
    /// what is wished.
    pub(crate) fn users(&self) -> Result<Users, EngineError> {
        let state = self.store.instance(&self.instance)?;
        let desired = state.as_ref().map(|state| &state.desired);
        let draft = state.as_ref().and_then(|state| state.draft.as_ref());
        let open = self.awaiting()?.map(|open| open.new.plan.intent);
        let kinds = [
            (open.as_ref().or(desired), None),
            (desired, Some("on rollback")),
            (draft, Some("pending")),
        ];
        let stored = self.versions_of(kinds.iter().filter_map(|(intent, _)| *intent))?;
        Ok(Users::of(&stored, kinds))
    }

    /// All versions of the certificates that these intents bind.
    pub(crate) fn versions_of<'i>(
        &self,
        intents: impl Iterator<Item = &'i Intent>,
    ) -> Result<Vec<Certificate>, EngineError> {
        let names: BTreeSet<&str> = intents
            .flat_map(|intent| &intent.bindings)
            .map(|bound| bound.name.as_str())
            .collect();
        let mut stored = Vec::new();
        for name in names {
            stored.extend(self.store.certificate_versions(name)?);
        }
        Ok(stored)
    }
}

/// A binding, and the version that it means.
struct User {
    bound: Binding,
    version: u32,
    /// Why it does not present it now.
    why_not: Option<&'static str>,
}

impl User {
    /// The place; where it is not that of `version`, with its own.
    fn words(&self, version: u32) -> String {
        let mut words = self.bound.place.text();
        if self.version != version {
            words.push_str(&format!(" [version {}]", self.version));
        }
        if let Some(why_not) = self.why_not {
            words.push_str(&format!(" ({why_not})"));
        }
        words
    }

    fn is_like(&self, other: &Self) -> bool {
        let place = |user: &Self| (user.bound.name.clone(), user.bound.place.clone());
        self.version == other.version && place(self) == place(other)
    }
}

/// Who presents what.
pub(crate) struct Users {
    rows: Vec<User>,
}

impl Users {
    fn of(stored: &[Certificate], kinds: [(Option<&Intent>, Option<&'static str>); 3]) -> Self {
        let mut rows: Vec<User> = Vec::new();
        let versions: BTreeMap<(&str, Fingerprint), u32> = stored
            .iter()
            .filter_map(|each| {
                let leaf = Fingerprint::of(each.chain.first()?);
                Some(((each.name.as_str(), leaf), each.version))
            })
            .collect();
        for (intent, why_not) in kinds {
            for bound in intent.iter().flat_map(|intent| &intent.bindings) {
                let user = User {
                    bound: bound.clone(),
                    version: version(&versions, bound),
                    why_not,
                };
                if !rows.iter().any(|known| known.is_like(&user)) {
                    rows.push(user);
                }
            }
        }
        Self { rows }
    }

    /// The certificates that are presented, or would be, by name.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.rows
            .iter()
            .map(|user| user.bound.name.as_str())
            .collect()
    }

    /// Where a certificate is presented, or would be, in any version.
    pub(crate) fn places(&self, name: &str) -> Vec<&Place> {
        let its = self.rows.iter().filter(|user| user.bound.name == name);
        its.map(|user| &user.bound.place).collect()
    }

    /// The bindings in force of one version of a certificate.
    pub(crate) fn in_force(&self, name: &str, version: u32) -> Vec<&Binding> {
        let rows = self.rows.iter().filter(|user| user.why_not.is_none());
        rows.filter(|user| user.bound.name == name && user.version == version)
            .map(|user| &user.bound)
            .collect()
    }

    /// The newest version in force of a certificate, where that is not `newest`.
    pub(crate) fn older_in_force(&self, name: &str, newest: u32) -> Option<u32> {
        let rows = self.rows.iter().filter(|user| user.why_not.is_none());
        let versions = rows.filter(|user| user.bound.name == name);
        let version = versions.map(|user| user.version).max()?;
        (version < newest && version > 0).then_some(version)
    }

    /// The places of all versions of a certificate but one.
    pub(super) fn of_others(&self, name: &str, shown: u32, but: u32) -> Vec<String> {
        let rows = self.rows.iter();
        rows.filter(|user| user.bound.name == name && user.version != but)
            .map(|user| user.words(shown))
            .collect()
    }

    /// The places of one version of a certificate.
    pub(crate) fn of_version(&self, name: &str, version: u32) -> Vec<String> {
        let rows = self.rows.iter();
        rows.filter(|user| user.bound.name == name && user.version == version)
            .map(|user| user.words(version))
            .collect()
    }

    /// The places of all versions of a certificate.
    pub(super) fn of_certificate(&self, name: &str, newest: u32) -> Vec<String> {
        let rows = self.rows.iter().filter(|user| user.bound.name == name);
        rows.map(|user| user.words(newest)).collect()
    }
}

/// The version that is bound; 0 for one that the store does not have.
fn version(versions: &BTreeMap<(&str, Fingerprint), u32>, bound: &Binding) -> u32 {
    let key = (bound.name.as_str(), bound.fingerprint);
    versions.get(&key).copied().unwrap_or_default()
}

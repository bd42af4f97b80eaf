//! Who presents the certificates of the store.
//!
//! Owns: the words of `used_by`. What is not presented now stands with the reason in parentheses;
//! an older version than the newest is told in square brackets. Never: looks at the wire.

use mailtls::Fingerprint;
use postseal_planner::intent::{Binding, Intent};
use postseal_store::Certificate;

/// The intents that can bind a certificate.
pub(super) struct Intents<'a> {
    pub(super) in_force: Option<&'a Intent>,
    /// In force again should the operation that awaits confirmation be undone.
    pub(super) on_rollback: Option<&'a Intent>,
    pub(super) pending: Option<&'a Intent>,
}

impl<'a> Intents<'a> {
    pub(super) fn all(&self) -> impl Iterator<Item = &'a Intent> + use<'a> {
        let all = [self.in_force, self.on_rollback, self.pending];
        all.into_iter().flatten()
    }
}

/// A binding, in words.
#[derive(PartialEq, Eq)]
struct User {
    name: String,
    version: u32,
    place: String,
}

/// Who presents what.
pub(super) struct Users {
    /// With the reason why it does not present it now.
    rows: Vec<(User, Option<&'static str>)>,
}

impl Users {
    pub(super) fn of(all: &[Certificate], intents: &Intents<'_>) -> Self {
        let mut rows: Vec<(User, Option<&str>)> = Vec::new();
        let kinds = [
            (intents.in_force, None),
            (intents.on_rollback, Some("on rollback")),
            (intents.pending, Some("pending")),
        ];
        for (intent, why_not) in kinds {
            for bound in intent.iter().flat_map(|intent| &intent.bindings) {
                let user = User {
                    name: bound.name.clone(),
                    version: version(all, bound),
                    place: bound.place.text(),
                };
                if rows.iter().all(|(known, _)| *known != user) {
                    rows.push((user, why_not));
                }
            }
        }
        Self { rows }
    }

    /// The places of all versions of a certificate.
    pub(super) fn of_certificate(&self, name: &str, newest: u32) -> Vec<String> {
        let rows = self.rows.iter().filter(|(user, _)| user.name == name);
        rows.map(|(user, why_not)| {
            let mut words = user.place.clone();
            if user.version != newest {
                words.push_str(&format!(" [version {}]", user.version));
            }
            if let Some(why_not) = why_not {
                words.push_str(&format!(" ({why_not})"));
            }
            words
        })
        .collect()
    }
}

/// The version that is bound; 0 for one that the store does not have.
fn version(all: &[Certificate], bound: &Binding) -> u32 {
    let versions = all.iter().filter(|stored| stored.name == bound.name);
    let is_bound = |stored: &&Certificate| {
        let leaf = stored.chain.first();
        leaf.is_some_and(|leaf| Fingerprint::of(leaf) == bound.fingerprint)
    };
    versions
        .clone()
        .find(is_bound)
        .map_or(0, |stored| stored.version)
}

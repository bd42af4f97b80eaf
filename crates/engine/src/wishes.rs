//! Wishes compared: in which words one intent differs from another.
//!
//! Owns: what `status`, `set` and `history` call a wish. Never: judges one, or says what it makes
//! of the files; that is the plan's business.

use postseal_planner::intent::{Binding, Intent, Place, Policies};

/// The key under which a binding is named.
const CERTIFICATE: &str = "certificate";

/// The key under which the rules for destinations are named, all together.
pub(crate) const RULES: &str = "policy";

/// The rules in a word: how many rows, and as much of the digest as tells one map from another.
fn rows(policies: &Policies) -> String {
    let rows = match policies.rows {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    };
    format!("{rows} ({})", policies.digest.short(8))
}

/// One wish: a key whose value differs between two intents.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Wish {
    /// As `postseal set` spells it; `certificate` for those of all servers, `certificate (PLACE)`
    /// for those of one place.
    pub key: String,
    /// Before; `None` where nothing had been wished.
    pub before: Option<String>,
    /// After; `None` where it is given back.
    pub after: Option<String>,
}

impl Wish {
    /// What was wished and is no more, in a word.
    pub fn ended(&self) -> String {
        let before = self.before.as_deref().unwrap_or("as adopted");
        match &self.after {
            Some(after) => format!("{}={before} (now {after})", self.key),
            None => format!("{}={before}", self.key),
        }
    }
}

/// What `after` wants otherwise than `before`, settings first.
pub fn wishes(before: &Intent, after: &Intent) -> Vec<Wish> {
    let keys = before.settings.keys().chain(after.settings.keys());
    let keys: std::collections::BTreeSet<_> = keys.collect();
    let value = |intent: &Intent, key| {
        let setting: Option<&postseal_planner::intent::Setting> = intent.settings.get(key);
        setting.map(|setting| setting.text(key))
    };
    let settings = keys.into_iter().map(|key| Wish {
        key: key.name().into_owned(),
        before: value(before, key),
        after: value(after, key),
    });
    let mut wishes: Vec<Wish> = settings.filter(|wish| wish.before != wish.after).collect();
    wishes.extend(bindings(&before.bindings, &after.bindings));
    let ended = before.exempt.difference(&after.exempt);
    wishes.extend(ended.map(|one| Wish {
        key: format!("{} {}", one.place, one.parameter),
        before: Some("as somebody wrote it".to_owned()),
        after: Some("as bound".to_owned()),
    }));
    if before.rows() != after.rows() {
        wishes.push(Wish {
            key: RULES.to_owned(),
            before: before.rows().as_ref().map(rows),
            after: after.rows().as_ref().map(rows),
        });
    }
    wishes
}

/// A wish for each place whose certificates differ.
fn bindings(before: &[Binding], after: &[Binding]) -> Vec<Wish> {
    let places = before.iter().chain(after).map(|bound| &bound.place);
    let places: std::collections::BTreeSet<_> = places.collect();
    let value = |bindings: &[Binding], place: &Place| {
        let bound = bindings.iter().filter(|bound| bound.place == *place);
        let words: Vec<String> = bound.map(certificate).collect();
        (!words.is_empty()).then(|| words.join(", "))
    };
    let wishes = places.into_iter().map(|place| Wish {
        key: match place {
            Place::Server => CERTIFICATE.to_owned(),
            place => format!("{CERTIFICATE} ({})", place.text()),
        },
        before: value(before, place),
        after: value(after, place),
    });
    wishes.filter(|wish| wish.before != wish.after).collect()
}

/// A binding in a word: the name, and as much of the fingerprint as its file's name has.
pub fn certificate(bound: &Binding) -> String {
    let allowed = if bound.allow_self_signed {
        ", self-signed allowed"
    } else {
        ""
    };
    format!("{} ({}{allowed})", bound.name, bound.fingerprint.prefix(4))
}

#[cfg(test)]
mod tests;

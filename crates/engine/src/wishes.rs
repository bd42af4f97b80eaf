//! Wishes compared: in which words one intent differs from another.
//!
//! Owns: what `status`, `set` and `history` call a wish. Never: judges one, or says what it makes
//! of the files; that is the plan's business.

use postseal_planner::intent::{Binding, Intent};

/// The key under which a binding is named.
const CERTIFICATE: &str = "certificate";

/// One wish: a key whose value differs between two intents.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Wish {
    /// As `postseal set` spells it; `certificate` for a binding.
    pub key: String,
    /// Before; `None` where nothing had been wished.
    pub before: Option<String>,
    /// After; `None` where it is given back.
    pub after: Option<String>,
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
    wishes
}

fn bindings(before: &[Binding], after: &[Binding]) -> Vec<Wish> {
    let names = before.iter().chain(after).map(|bound| &bound.name);
    let names: std::collections::BTreeSet<_> = names.collect();
    let value = |bindings: &[Binding], name: &String| {
        let bound = bindings.iter().find(|bound| bound.name == *name);
        bound.map(certificate)
    };
    let wishes = names.into_iter().map(|name| Wish {
        key: CERTIFICATE.to_owned(),
        before: value(before, name),
        after: value(after, name),
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

//! Commands that make a rule, as a person pastes them.
//!
//! Owns: their words. Never: decides which rule is offered.

use std::collections::BTreeSet;

/// The command that makes the rule for `destination` be `policy`, where it is `now`, or not there.
pub fn command(destination: &str, now: Option<&str>, policy: &str) -> String {
    let Some(now) = now else {
        return format!(
            "postseal policy add {} {}",
            quoted(destination),
            words(policy)
        );
    };
    let names = |policy: &str| -> BTreeSet<String> {
        let attributes = policy.split(' ').skip(1);
        let name = |word: &str| word.split('=').next().unwrap_or_default().to_owned();
        attributes.map(name).collect()
    };
    let stays = names(policy);
    let gone: Vec<String> = names(now).difference(&stays).cloned().collect();
    let without = match gone.is_empty() {
        true => String::new(),
        false => format!(" --without {}", gone.join(",")),
    };
    format!(
        "postseal policy edit {} {}{without}",
        quoted(destination),
        words(policy)
    )
}

/// A policy as the words of `policy add`.
pub(super) fn words(policy: &str) -> String {
    let mut words = policy.split(' ');
    let level = words.next().unwrap_or_default().to_owned();
    words.fold(level, |text, word| {
        format!("{text} --attribute {}", quoted(word))
    })
}

/// One word to a shell, whatever is in it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;

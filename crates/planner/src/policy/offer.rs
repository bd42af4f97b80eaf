//! Commands that make a rule, as a person pastes them.
//!
//! Owns: their words. Never: decides which rule is offered.

use mailtls::destination::Destination;
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

/// The commands that make the rules which would apply; where Postfix looks up what no rule can be
/// for (`relay.example.net:submission`), what to write in its place.
pub(super) fn for_hops(hops: &[String], by: &str, policies: &[&str]) -> String {
    let policy = match policies {
        [policy] => words(policy),
        _ => "LEVEL".to_owned(),
    };
    let fits = |hop: &&String| Destination::parse(hop).is_ok();
    let (good, bad): (Vec<&String>, Vec<&String>) = hops.iter().partition(fits);
    if good.is_empty() {
        let bad: Vec<&str> = bad.into_iter().map(String::as_str).collect();
        return format!(
            "Write {} with its port as a number in {by}, then make the rule for that next hop.",
            bad.join(", ")
        );
    }
    let command = |hop: &String| format!("`postseal policy add '{hop}' {policy}`");
    let commands: Vec<String> = good.into_iter().map(command).collect();
    format!(
        "Make the rule for the next hop: {}. It is for all mail that leaves by it.",
        commands.join(", ")
    )
}

#[cfg(test)]
mod tests;

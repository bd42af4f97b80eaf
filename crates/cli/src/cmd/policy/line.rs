//! A rule that changes, in a line for people.
//!
//! Owns: the words. Never: decides what has changed.

use super::follow::{recipient, shown};
use mailtls::destination::Scope;
use postseal_planner::policy::{About, Rule};
use postseal_store::RuleState;

/// A rule that changes, in a line.
pub(crate) fn line(state: &RuleState) -> String {
    let shown = shown(&state.id);
    match (&state.in_force, &state.wanted) {
        (None, Some(new)) => format!("+ {}\n", words(&shown, new)),
        (Some(old), None) => format!("- {}\n", words(&shown, old)),
        (Some(old), Some(new)) if old.writes_as(new) => {
            format!(
                "~ {}: {}\n",
                words(&shown, new),
                said(&old.about, &new.about)
            )
        }
        (Some(old), Some(new)) => format!(
            "~ {} (was {})\n",
            words(&shown, new),
            words(&shown, old).trim_start_matches(&shown).trim_start()
        ),
        (None, None) => String::new(),
    }
}

/// What people will know otherwise.
fn said(old: &About, new: &About) -> String {
    let tags = |about: &About| (!about.tags.is_empty()).then(|| about.tags.join(" "));
    let all = [
        ("note", old.note.clone(), new.note.clone()),
        ("owner", old.owner.clone(), new.owner.clone()),
        ("tags", tags(old), tags(new)),
        ("until", old.until.clone(), new.until.clone()),
        ("reason", old.reason.clone(), new.reason.clone()),
    ];
    let told =
        |word: Option<String>| word.map_or_else(|| "none".to_owned(), |it| format!("“{it}”"));
    let differ = all.into_iter().filter(|(_, old, new)| old != new);
    let differ: Vec<String> = differ
        .map(|(name, old, new)| format!("{name} {} (was {})", told(new), told(old)))
        .collect();
    match differ.is_empty() {
        true => "other words".to_owned(),
        false => differ.join(", "),
    }
}

fn words(shown: &str, rule: &Rule) -> String {
    let scope = match rule.scope() {
        Scope::Both => " (and all names below it)",
        Scope::Domain | Scope::Subdomains => "",
    };
    let manager = match rule.id.manager.as_str() {
        "" => String::new(),
        _ if recipient(&rule.id).is_some() => String::new(),
        manager => format!(" (managed by {manager})"),
    };
    format!("{shown} {}{scope}{manager}", rule.policy)
}

//! Rules on others' crates: their licences; and a note of those that are there twice.
//!
//! deny.toml holds the list of allowed licences, for `cargo deny` and for this: one list.

use super::{Graph, Offence, Report, TidyError, Tree};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

/// The licences that deny.toml allows.
pub(super) fn allowed(tree: &Tree) -> Result<Vec<String>, TidyError> {
    let file = tree.file("deny.toml");
    let file = file.ok_or_else(|| TidyError::Deny("missing".to_owned()))?;
    let deny: Deny =
        toml::from_str(&file.text()).map_err(|error| TidyError::Deny(error.to_string()))?;
    Ok(deny.licenses.allow)
}

pub(super) fn judge(graph: &Graph, allowed: &[String], report: &mut Report) {
    for other in graph.crates().iter().filter(|one| !one.member) {
        if let Some(what) = fault(other.licence.as_deref(), allowed) {
            let what = format!("{} {}: {what}", other.name, other.version);
            let remedy = "choose another crate, or allow the licence in deny.toml";
            let offence = Offence::new(Path::new("Cargo.lock"), 1, what, remedy);
            report.offences.push(offence);
        }
    }
    report.notes.extend(twice(graph));
}

fn fault(licence: Option<&str>, allowed: &[String]) -> Option<String> {
    let Some(licence) = licence else {
        return Some("names no licence".to_owned());
    };
    let mode = spdx::ParseMode::LAX;
    let Ok(expression) = spdx::Expression::parse_mode(licence, mode) else {
        return Some(format!("licence {licence:?} cannot be read"));
    };
    let fits = expression.evaluate(|needed| {
        let needed = needed.to_string();
        allowed.contains(&needed)
    });
    (!fits).then(|| format!("licence {licence} is not allowed"))
}

/// Crates that the build holds in more than one version.
fn twice(graph: &Graph) -> Option<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in graph.crates() {
        versions.entry(&one.name).or_default().insert(&one.version);
    }
    versions.retain(|_, all| all.len() > 1);
    let lines = versions.iter().map(|(name, all)| {
        let all: Vec<&str> = all.iter().copied().collect();
        format!("  {name} {}", all.join(", "))
    });
    let lines: Vec<String> = lines.collect();
    (!lines.is_empty()).then(|| format!("crates in more than one version:\n{}", lines.join("\n")))
}

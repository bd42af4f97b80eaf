//! Rules for destinations (`smtp_tls_policy_maps`).
//!
//! Owns: where their map stands, and the parameter that names it. Never: renders a row, compiles
//! a map.
//!
//! The map's name holds a digest of its rows: it is made beside the one that is in force, and the
//! switch to it, or back, is one edit of main.cf. So the map that answers is always whole, and
//! undoing a change needs no `postmap`.

use super::certificates::{folder, plain_path};
use super::{Ground, Target, Targets, services, sni};
use crate::Refusal;
use crate::catalog::map_elements;
use crate::facts::Facts;
use crate::intent::{Intent, Named, Policies};
use crate::plan::PolicyMap;
use std::path::{Path, PathBuf};

pub(crate) const PARAMETER: &str = "smtp_tls_policy_maps";

/// The map of an intent; `None` where there are no rules.
pub(crate) fn map(intent: &Intent, facts: &Facts) -> Option<PolicyMap> {
    let policies = intent.policies?;
    Some(PolicyMap {
        path: path(&facts.config_directory, &policies),
        table: sni::table(facts),
        policies,
    })
}

/// Every file that a map of these rows may have, whatever its type.
pub fn policy_map_files(directory: &Path, policies: &Policies) -> Vec<PathBuf> {
    let path = path(directory, policies);
    let index = |suffix: &str| PathBuf::from(format!("{}.{suffix}", path.display()));
    let indexes = ["db", "lmdb", "cdb"].map(index);
    std::iter::once(path.clone()).chain(indexes).collect()
}

fn path(directory: &Path, policies: &Policies) -> PathBuf {
    folder(directory).join(format!("policy-{}", policies.digest.short(16)))
}

/// Names the map before those that are there, and in the place of adopted ones: the first that has
/// a key decides. A service that has maps of its own gets it, too; one that was given none on
/// purpose does not, nor one that was given others than the adopted: their rows would become its
/// own.
pub(super) fn compile(ground: &Ground<'_>, targets: &mut Targets) -> Result<(), Refusal> {
    let tables = ground.intent.tables.as_ref();
    let replaced = tables.filter(|tables| tables.named == Named::NoMore);
    let map = map(ground.intent, ground.facts);
    if map.is_none() && replaced.is_none() {
        return Ok(());
    }
    if let Some(map) = &map {
        plain_path(&map.path)?;
    }
    let name = map.map(|map| map.name());
    let own = match targets.main.get(PARAMETER) {
        Some(Target::Value(value)) => Some(value.clone()),
        _ => ground.intent.adopted.main.get(PARAMETER).cloned(),
    };
    let own = own.unwrap_or_default();
    let rest = replaced.and_then(|tables| tables.without(&own));
    let own = rest.as_deref().unwrap_or(&own).trim();
    targets.main(PARAMETER, main_target(name.as_deref(), own));
    for (service, own) in services::clients_with(ground, PARAMETER) {
        let rest = match tables {
            Some(tables) => tables.without(&own),
            None => Some(own),
        };
        let Some(rest) = rest else { continue };
        // Without a blank, which would need braces there.
        let words: Vec<&str> = name
            .as_deref()
            .into_iter()
            .chain(map_elements(&rest))
            .collect();
        targets.service(&service, PARAMETER, Target::value(words.join(",")));
    }
    Ok(())
}

fn main_target(name: Option<&str>, rest: &str) -> Target {
    match (name, rest) {
        (None, "") => Target::Absent,
        (None, rest) => Target::value(rest),
        (Some(name), "") => Target::value(name),
        (Some(name), rest) => Target::value(format!("{name}, {rest}")),
    }
}

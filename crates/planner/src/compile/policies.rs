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
use crate::facts::Facts;
use crate::intent::{Intent, Policies};
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

/// Names the map before those that are there: the first that has a key decides. A service that has
/// maps of its own gets it, too; one that was given none on purpose does not.
pub(super) fn compile(ground: &Ground<'_>, targets: &mut Targets) -> Result<(), Refusal> {
    let Some(map) = map(ground.intent, ground.facts) else {
        return Ok(());
    };
    plain_path(&map.path)?;
    let name = map.name();
    let before = |own: Option<&str>| match own.map(str::trim) {
        None | Some("") => name.clone(),
        Some(own) => format!("{name}, {own}"),
    };
    let own = match targets.main.get(PARAMETER) {
        Some(Target::Value(value)) => Some(value.clone()),
        _ => ground.intent.adopted.main.get(PARAMETER).cloned(),
    };
    targets.main(PARAMETER, Target::value(before(own.as_deref())));
    for (service, own) in services::clients_with(ground, PARAMETER) {
        // Without a blank, which would need braces there.
        targets.service(&service, PARAMETER, Target::value(format!("{name},{own}")));
    }
    Ok(())
}

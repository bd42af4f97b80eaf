//! Where one plan has no safe order: which two have.
//!
//! Owns: finding the one setting that has to wait, and saying so in commands. Never: makes the
//! two plans in one's stead; between them the wire is looked at, as after any apply.

use super::{Change, Errors, Request, build, compiled};
use crate::Refusal;
use crate::compile::Files;
use crate::facts::{CfFile, Facts};
use crate::intent::{Intent, Key};

/// The code of a change that needs two applies.
pub(super) const CODE: &str = "plan.two-steps-needed";

/// The refusal with the two applies that reach the same, where putting off one setting is enough.
pub(super) fn explained(
    mut refusal: Refusal,
    request: &Request<'_>,
    facts: &Facts,
    now_unix: i64,
) -> Refusal {
    let first = refusal.findings.first_mut();
    let Some(finding) = first.filter(|finding| finding.code == CODE) else {
        return refusal;
    };
    let put_off = changed(request)
        .into_iter()
        .find(|key| fits(request, key, facts, now_unix));
    if let Some(key) = put_off {
        finding.remedy = format!(
            "Two applies do it. First all but {name}: {now}, `postseal apply`; then {then}, \
             `postseal apply`.",
            name = key.name(),
            now = command(request.in_force, &key),
            then = command(request.intent, &key),
        );
    }
    refusal
}

/// The settings that are wanted otherwise than they are in force.
fn changed(request: &Request<'_>) -> Vec<Key> {
    let (wanted, now) = (&request.intent.settings, &request.in_force.settings);
    let mut keys: Vec<Key> = wanted.keys().chain(now.keys()).cloned().collect();
    keys.sort();
    keys.dedup();
    keys.retain(|key| wanted.get(key) != now.get(key));
    keys
}

/// Whether both plans are sound: all but `key`, and then `key`.
fn fits(request: &Request<'_>, key: &Key, facts: &Facts, now_unix: i64) -> bool {
    let mut partial = request.intent.clone();
    match request.in_force.settings.get(key) {
        Some(setting) => partial.settings.insert(key.clone(), setting.clone()),
        None => partial.settings.remove(key),
    };
    let Some(halfway) = planned(&partial, request.in_force, facts, now_unix) else {
        return false;
    };
    let then = Facts {
        main_cf: CfFile::of(facts.main_cf.path.clone(), halfway.main),
        master_cf: CfFile::of(facts.master_cf.path.clone(), halfway.master),
        ..facts.clone()
    };
    planned(request.intent, &partial, &then, now_unix).is_some()
}

/// The files of a plan that has a safe order.
fn planned(intent: &Intent, in_force: &Intent, facts: &Facts, now_unix: i64) -> Option<Files> {
    let files = compiled(intent, in_force, facts).ok()?;
    let change = Change {
        files: files.clone(),
        intent,
        in_force,
        parent: None,
        errors: Errors::Refuse,
    };
    build(&change, facts, now_unix).ok().map(|_| files)
}

/// What to type so that `key` is as in `intent`.
fn command(intent: &Intent, key: &Key) -> String {
    let name = key.name();
    match intent.settings.get(key) {
        Some(setting) => format!("`postseal set '{name}={}'`", setting.text(key)),
        None => format!("`postseal unset {name}`"),
    }
}

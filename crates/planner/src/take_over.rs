//! Taking hand edits over: what is in the files is what is wanted from now on.
//!
//! Owns: what becomes of the intent. Never: changes a file. Settings and bindings that would
//! change what the files say now are dropped, so that a plan right afterwards edits nothing.

use crate::facts::Facts;
use crate::intent::{Intent, Key, Owned};
use crate::make::{Request, plan};
use crate::{compile, owned};
use postfix_cf::{MainCf, MasterCf};
use std::collections::BTreeMap;

/// What is wanted once the drift from `request.written` is taken over.
pub fn take_over(request: &Request<'_>, facts: &Facts, now_unix: i64) -> Intent {
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let now = owned::read(&MainCf::parse(&facts.main_cf.bytes), &master);
    let mut intent = request.intent.clone();
    for drift in owned::drift(request.written, &now) {
        drift.take_over(&mut intent.adopted);
        // Switched off, a service is commented out as adopted, and found again by this text.
        if let Some(text) = compile::block_as_adopted(&intent.adopted, &drift.place, &master) {
            intent.adopted.blocks.insert(drift.place, text);
        }
    }
    compile::policies::take_over(&mut intent, facts);
    compile::policies::disown(&mut intent);
    let changes_nothing = |intent: &Intent| {
        let request = Request {
            intent,
            in_force: intent,
            parent: request.parent,
            written: &now,
        };
        // A file of ours that somebody touched speaks against no wish: it is written anew.
        plan(&request, facts, now_unix).is_ok_and(|plan| plan.edits.is_empty())
    };
    // Whether the map of the rules goes where it is not named yet contradicts no setting.
    let quiet =
        |intent: &Intent| changes_nothing(intent) || changes_nothing(&as_named(intent, &now));
    let mut intent = without_contradictions(intent, &now, quiet);
    compile::policies::disown(&mut intent);
    intent
}

/// The intent without rules, and with the tables of policies as the files name them.
fn as_named(intent: &Intent, now: &Owned) -> Intent {
    let name = compile::policies::PARAMETER;
    let mut named = Intent {
        policies: None,
        tables: None,
        ..intent.clone()
    };
    let key = Key::Param(name.to_owned());
    named.settings.remove(&key);
    let put = |into: &mut BTreeMap<String, String>, from: Option<&String>| match from {
        Some(value) => into.insert(name.to_owned(), value.clone()),
        None => into.remove(name),
    };
    let owned = &mut named.adopted;
    put(&mut owned.main, now.main.get(name));
    put(&mut owned.entries, now.entries.get(name));
    for (service, own) in &mut owned.services {
        let written = now.services.get(service);
        put(own, written.and_then(|written| written.get(name)));
    }
    named
}

/// First each setting that is not `quiet` by itself, then the bindings, then all settings.
fn without_contradictions(
    mut intent: Intent,
    now: &Owned,
    quiet: impl Fn(&Intent) -> bool,
) -> Intent {
    if quiet(&intent) {
        return intent;
    }
    let alone = |key, setting| Intent {
        adopted: intent.adopted.clone(),
        bindings: intent.bindings.clone(),
        policies: intent.policies,
        tables: intent.tables.clone(),
        settings: [(key, setting)].into(),
    };
    let settings = intent.settings.clone().into_iter();
    let kept = settings.filter(|(key, setting)| quiet(&alone(key.clone(), setting.clone())));
    intent.settings = kept.collect();
    if !quiet(&intent) {
        intent.bindings.clear();
    }
    if !quiet(&intent) {
        intent.settings.clear();
        intent.adopted = now.clone();
    }
    intent
}

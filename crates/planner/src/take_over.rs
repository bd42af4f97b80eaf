//! Taking hand edits over: what is in the files is what is wanted from now on.
//!
//! Owns: what becomes of the intent. Never: changes a file. Settings and bindings that would
//! change what the files say now are dropped, and no others, so that a plan right afterwards edits
//! nothing.

use crate::facts::Facts;
use crate::intent::{Binding, Exempt, Intent, Key, Owned, Place};
use crate::make::{Request, plan};
use crate::owned::{Drift, MAIN_CF};
use crate::{compile, owned};
use postfix_cf::{MainCf, MasterCf};
use std::collections::BTreeMap;

/// What is wanted once the drift from `request.written` is taken over.
pub fn take_over(request: &Request<'_>, facts: &Facts, now_unix: i64) -> Intent {
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let now = owned::read(&MainCf::parse(&facts.main_cf.bytes), &master);
    let mut intent = request.intent.clone();
    let drift = owned::drift(request.written, &now);
    for drift in &drift {
        drift.take_over(&mut intent.adopted);
        // Switched off, a service is commented out as adopted, and found again by this text.
        if let Some(text) = compile::block_as_adopted(&intent.adopted, &drift.place, &master) {
            intent.adopted.blocks.insert(drift.place.clone(), text);
        }
    }
    compile::policies::take_over(&mut intent, facts);
    compile::policies::disown(&mut intent);
    unbind_the_unnamed(&mut intent, facts, (&drift, &now));
    uncover(&mut intent, request.intent, &drift);
    exempt(&mut intent, &drift);
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
    let mut files = Intent {
        adopted: now.clone(),
        policies: intent.policies,
        tables: intent.tables.clone(),
        bindings: intent.bindings.clone(),
        ..Intent::default()
    };
    compile::policies::take_over(&mut files, facts);
    compile::sni::take_over(&mut files, facts);
    files.bindings.clear();
    let mut intent = without_contradictions(intent, &files, quiet);
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

/// Drops the bindings whose files nothing names any more where they are bound.
fn unbind_the_unnamed(intent: &mut Intent, facts: &Facts, (drift, now): (&[Drift], &Owned)) {
    let names = |parameter: &str| parameter == compile::sni::PARAMETER;
    let of_names = drift.iter().any(|drift| names(&drift.parameter));
    let by_name = !of_names || compile::sni::take_over(intent, facts);
    let is_named = |bound: &Binding| match &bound.place {
        Place::Sni(_) => by_name,
        place => compile::names_file(now, place, &compile::bound_path(facts, bound)),
    };
    if drift
        .iter()
        .any(|drift| compile::is_of_certificates(&drift.parameter))
    {
        intent.bindings.retain(is_named);
    }
}

/// What stood below bindings that are still named is below them still: a value that names only files
/// of ours is no administrator's.
fn uncover(intent: &mut Intent, before: &Intent, drift: &[Drift]) {
    let servers = |intent: &Intent| intent.bindings.iter().any(|one| one.place == Place::Server);
    let client = |intent: &Intent| {
        let mut bindings = intent.bindings.iter();
        bindings.any(|one| one.place == Place::Client(None))
    };
    let in_main = drift.iter().filter(|drift| drift.place == MAIN_CF);
    for drift in in_main.filter(|drift| compile::is_of_certificates(&drift.parameter)) {
        let bound = match compile::can_be_exempt(&drift.parameter) {
            true => servers(intent),
            false => client(intent),
        };
        let value = drift.now.as_deref().unwrap_or_default();
        let mut files = postfix_cf::elements(value).peekable();
        if !bound || files.peek().is_none() || !files.all(compile::is_installed) {
            continue;
        }
        let name = &drift.parameter;
        let values = (&mut intent.adopted.main, &before.adopted.main);
        put(name, values);
        put(name, (&mut intent.adopted.entries, &before.adopted.entries));
    }
}

type Values = std::collections::BTreeMap<String, String>;

fn put(name: &str, (to, from): (&mut Values, &Values)) {
    match from.get(name) {
        Some(value) => to.insert(name.to_owned(), value.clone()),
        None => to.remove(name),
    };
}

/// What somebody wrote for one service, or beside the files in force, stands beside what is bound to
/// all.
fn exempt(intent: &mut Intent, drift: &[Drift]) {
    let bound = |drift: &Drift, names: bool| {
        let mut bindings = intent.bindings.iter();
        bindings.any(|one| match &one.place {
            Place::Server => !names && (drift.place != MAIN_CF || is_beside(drift)),
            Place::Sni(_) => names && drift.place != MAIN_CF,
            Place::Port(_) | Place::Client(_) => false,
        })
    };
    let beside = drift.iter().filter(|drift| {
        let names = drift.parameter == compile::sni::PARAMETER;
        compile::can_be_exempt(&drift.parameter) && bound(drift, names)
    });
    let beside: Vec<Exempt> = beside
        .map(|drift| Exempt {
            place: drift.place.clone(),
            parameter: drift.parameter.clone(),
        })
        .collect();
    intent.exempt.extend(beside);
}

/// Postfix does not look at it while `smtpd_tls_chain_files` is there.
fn is_beside(drift: &Drift) -> bool {
    !drift.parameter.ends_with("_chain_files") && drift.written.is_none()
}

/// First what is not `quiet` by itself: the bindings of a place, a setting. Where all that is left is
/// not quiet together, all bindings, then all settings. `files` is an intent that wants what stands in
/// the files and no more.
fn without_contradictions(
    mut intent: Intent,
    files: &Intent,
    quiet: impl Fn(&Intent) -> bool,
) -> Intent {
    if quiet(&intent) {
        return intent;
    }
    let bindings = intent.bindings.clone();
    let of_place = |place: &Place| Intent {
        bindings: bindings
            .iter()
            .filter(|b| b.place == *place)
            .cloned()
            .collect(),
        exempt: intent.exempt.clone(),
        ..files.clone()
    };
    let kept = bindings
        .iter()
        .filter(|bound| quiet(&of_place(&bound.place)));
    intent.bindings = kept.cloned().collect();
    let alone = |key, setting| Intent {
        settings: [(key, setting)].into(),
        ..files.clone()
    };
    let settings = intent.settings.clone().into_iter();
    let kept = settings.filter(|(key, setting)| quiet(&alone(key.clone(), setting.clone())));
    intent.settings = kept.collect();
    if !quiet(&intent) {
        intent.bindings.clear();
        intent.exempt.clear();
    }
    if !quiet(&intent) {
        intent.settings.clear();
        intent.adopted = files.adopted.clone();
    }
    intent
}

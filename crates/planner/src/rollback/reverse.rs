//! Reversing an operation's own edits in files that were edited since.
//!
//! Owns: the three-way comparison — before the operation, after it, now — parameter by parameter
//! and service by service. Never: touches what the operation did not.

use super::{RollbackRequest, conflict};
use crate::Digest;
use crate::Refusal;
use crate::compile::policies::PARAMETER;
use crate::compile::{
    self, Files, SMTPS_OUT, Target, give_back, reach, smtps_out_back, switch_back,
};
use crate::facts::{CfFile, Facts};
use crate::intent::{Intent, Owned};
use crate::make::compiled;
use crate::owned::{self, Drift, MAIN_CF};
use crate::plan::Cf;
use postfix_cf::{MainCf, MasterCf};

/// The files before the operation and after it.
struct History {
    before: Owned,
    after: Owned,
}

/// main.cf with the operation's edits reversed.
pub(super) fn main(
    request: &RollbackRequest<'_>,
    intent: &Intent,
    facts: &Facts,
) -> Result<Vec<u8>, Refusal> {
    let history = history(request, facts)?;
    let mut main = MainCf::parse(&facts.main_cf.bytes);
    let now = owned::read(&main, &MasterCf::parse(b"")).main;
    for edit in owned::drift(&history.before, &history.after) {
        if edit.place != MAIN_CF {
            continue;
        }
        match wanted(&edit, now.get(&edit.parameter)) {
            Ok(false) => {}
            Ok(true) => give_back(&mut main, &history.before, &edit.parameter)?,
            Err(conflict) => {
                let there = taken_over(request, intent, facts, &edit)?.ok_or(conflict)?;
                let target = Owned {
                    main: there
                        .map(|value| (edit.parameter.clone(), value))
                        .into_iter()
                        .collect(),
                    ..Owned::default()
                };
                give_back(&mut main, &target, &edit.parameter)?;
            }
        }
    }
    Ok(main.to_bytes())
}

/// master.cf with the operation's edits reversed.
pub(super) fn master(
    request: &RollbackRequest<'_>,
    intent: &Intent,
    facts: &Facts,
) -> Result<Vec<u8>, Refusal> {
    let history = history(request, facts)?;
    let mut master = MasterCf::parse(&facts.master_cf.bytes);
    services(&history, &mut master)?;
    let now = owned::read(&MainCf::parse(b""), &master).services;
    for edit in owned::drift(&history.before, &history.after) {
        let both = [&history.before, &history.after]
            .iter()
            .all(|owned| owned.services.contains_key(&edit.place));
        if edit.place == MAIN_CF || !both {
            continue;
        }
        let have = now
            .get(&edit.place)
            .and_then(|have| have.get(&edit.parameter));
        match wanted(&edit, have) {
            Ok(false) => {}
            Ok(true) => put_override(&mut master, &edit, have)?,
            Err(conflict) => {
                let there = taken_over(request, intent, facts, &edit)?.ok_or(conflict)?;
                let edit = Drift {
                    written: there,
                    ..edit
                };
                put_override(&mut master, &edit, have)?;
            }
        }
    }
    Ok(master.to_bytes())
}

/// What the tables of policies become where somebody put others beside the map of the rules, and that
/// was taken over: what is wanted then. `None` where what is there is not what is in force.
fn taken_over(
    request: &RollbackRequest<'_>,
    intent: &Intent,
    facts: &Facts,
    edit: &Drift,
) -> Result<Option<Option<String>>, Refusal> {
    if edit.parameter != PARAMETER {
        return Ok(None);
    }
    let value = |files: &Files| {
        let owned = owned::read(&MainCf::parse(&files.main), &MasterCf::parse(&files.master));
        let values = match edit.place.as_str() {
            MAIN_CF => Some(&owned.main),
            service => owned.services.get(service),
        };
        values.and_then(|values| values.get(PARAMETER)).cloned()
    };
    let elements = |value: &Option<String>| -> Vec<String> {
        let value = value.as_deref().unwrap_or_default();
        postfix_cf::elements(value).map(str::to_owned).collect()
    };
    let is = value(&Files {
        main: facts.main_cf.bytes.clone(),
        master: facts.master_cf.bytes.clone(),
    });
    let in_force = value(&compiled(request.in_force, request.in_force, facts)?);
    if elements(&is) != elements(&in_force) {
        return Ok(None);
    }
    Ok(Some(value(&compiled(intent, request.in_force, facts)?)))
}

/// Puts one owned value back to what `target` says.
pub(super) fn put_back(
    main: &mut MainCf,
    master: &mut MasterCf,
    target: &Owned,
    drift: &Drift,
) -> Result<(), Refusal> {
    if drift.place == MAIN_CF {
        return give_back(main, target, &drift.parameter);
    }
    if master_has(master, &drift.place) {
        return put_override(master, drift, drift.now.as_ref());
    }
    match target.blocks.get(&drift.place) {
        Some(_) => switch_back(target, master),
        None => Err(compile::refuse(
            "drift.service-gone",
            format!(
                "The service {} was taken out of master.cf by hand.",
                drift.place
            ),
            "Put it back by hand, or `postseal drift --adopt`.",
        )),
    }
}

fn master_has(master: &MasterCf, id: &str) -> bool {
    master
        .services()
        .any(|service| service.key().to_string() == id)
}

/// `edit.written` is the value to go back to.
fn put_override(master: &mut MasterCf, edit: &Drift, have: Option<&String>) -> Result<(), Refusal> {
    let target = match &edit.written {
        Some(value) => Target::value(value),
        None => Target::Absent,
    };
    reach(master, &edit.place, &edit.parameter, have, &target)
}

/// Whether an edit is still as the operation left it; an error where it was changed since.
fn wanted(edit: &Drift, now: Option<&String>) -> Result<bool, Refusal> {
    if now == edit.written.as_ref() {
        Ok(false)
    } else if now == edit.now.as_ref() {
        Ok(true)
    } else {
        Err(conflict(&format!(
            "{} in {} was changed by hand since",
            edit.parameter, edit.place
        )))
    }
}

/// Services that the operation brought or took away.
fn services(history: &History, master: &mut MasterCf) -> Result<(), Refusal> {
    if history.after.services.contains_key(SMTPS_OUT) {
        smtps_out_back(&history.before, master);
    }
    let now = owned::read(&MainCf::parse(b""), master);
    if history.before.blocks.keys().eq(history.after.blocks.keys()) {
        return Ok(());
    }
    for (id, text) in &history.after.blocks {
        let new = !history.before.blocks.contains_key(id);
        if new && now.blocks.get(id).is_some_and(|have| have != text) {
            return Err(conflict(&format!(
                "the service {id} was edited by hand since"
            )));
        }
    }
    switch_back(&history.before, master)
}

/// The operation's result is not stored, but it can be made again from what was before.
fn history(request: &RollbackRequest<'_>, facts: &Facts) -> Result<History, Refusal> {
    let mut then = facts.clone();
    for (file, before) in [
        (Cf::Main, request.main_before),
        (Cf::Master, request.master_before),
    ] {
        let place = match file {
            Cf::Main => &mut then.main_cf,
            Cf::Master => &mut then.master_cf,
        };
        if let Some(bytes) = before {
            *place = CfFile::of(place.path.clone(), bytes.to_vec());
        }
    }
    let files = compiled(&request.undone.intent, &request.undone.earlier, &then)?;
    for (file, bytes) in [(Cf::Main, &files.main), (Cf::Master, &files.master)] {
        let as_then = request
            .undone
            .edit(file)
            .is_none_or(|edit| edit.after == Digest::of(bytes));
        if !as_then {
            return Err(conflict(
                "the files were edited since, and what the operation wrote cannot be told from it",
            ));
        }
    }
    Ok(History {
        before: owned::of(&then),
        after: owned::read(&MainCf::parse(&files.main), &MasterCf::parse(&files.master)),
    })
}

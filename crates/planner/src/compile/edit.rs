//! From targets to the bytes of the two files.
//!
//! Owns: only the lines needed are touched; what is given back is given back as it stood. Never:
//! decides a target.

use super::comment::{
    comment_out, comment_out_overridden, commented, replace_lines, uncomment_overridden,
};
use super::{Ground, Target, Targets, certificates, ports, refuse, services, smtps_out};
use crate::Refusal;
use crate::intent::Key;
use crate::owned;
use postfix_cf::{Braces, EditError, MainCf, MasterCf, ServiceKey};
use std::collections::{BTreeMap, BTreeSet};

/// Both files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) main: Vec<u8>,
    pub(crate) master: Vec<u8>,
}

/// The files with all targets reached; every owned parameter without a target goes back to what
/// was adopted.
pub(crate) fn apply(ground: &Ground<'_>, targets: &Targets) -> Result<Files, Refusal> {
    let mut master = ports::switch(ground, targets)?;
    smtps_out::switch(ground, &mut master)?;
    let master = overrides(ground, targets, master)?;
    let main = parameters(ground, targets)?;
    Ok(Files {
        main: main.to_bytes(),
        master: master.to_bytes(),
    })
}

fn parameters(ground: &Ground<'_>, targets: &Targets) -> Result<MainCf, Refusal> {
    let adopted = &ground.intent.adopted;
    let now = owned::read(ground.main, ground.master);
    let mut main = ground.main.clone();
    let names: BTreeSet<&String> = targets
        .main
        .keys()
        .chain(adopted.main.keys())
        .chain(now.main.keys())
        .collect();
    for name in names {
        match targets.main.get(name) {
            Some(Target::Value(value)) => {
                set(&mut main, adopted, name, value)?;
                // What is wished for by its own name stands once.
                let own = Key::Param(name.clone());
                let own = ground.intent.settings.contains_key(&own);
                if let Some(texts) = adopted.overridden.get(name).filter(|_| own) {
                    main = comment_out_overridden(&main, name, texts);
                }
            }
            Some(Target::Absent) if adopted.main.contains_key(name) => {
                if main.get(name).is_some() {
                    give_back(&mut main, adopted, name)?;
                    main = comment_out(&main, name);
                }
            }
            Some(Target::Absent) => {
                main.unset(name);
            }
            None if now.main.get(name) == adopted.main.get(name) => {
                give_overridden_back(&mut main, adopted, name);
            }
            None => give_back(&mut main, adopted, name)?,
        }
    }
    Ok(main)
}

/// Sets a parameter in place; one that was adopted and is commented out comes back first.
fn set(
    main: &mut MainCf,
    adopted: &crate::intent::Owned,
    name: &str,
    value: &str,
) -> Result<(), Refusal> {
    if main.get(name).is_none() && adopted.main.contains_key(name) {
        give_back(main, adopted, name)?;
    }
    main.set(name, value.as_bytes())
        .map_err(|error| cannot(name, error))
}

/// Puts an adopted parameter back as it stood, or takes one away that was not there.
pub(crate) fn give_back(
    main: &mut MainCf,
    adopted: &crate::intent::Owned,
    name: &str,
) -> Result<(), Refusal> {
    give_entry_back(main, adopted, name)?;
    give_overridden_back(main, adopted, name);
    Ok(())
}

/// The earlier entries of an adopted parameter, as far as they were commented out.
fn give_overridden_back(main: &mut MainCf, adopted: &crate::intent::Owned, name: &str) {
    if let Some(texts) = adopted.overridden.get(name) {
        *main = uncomment_overridden(main, name, texts);
    }
}

fn give_entry_back(
    main: &mut MainCf,
    adopted: &crate::intent::Owned,
    name: &str,
) -> Result<(), Refusal> {
    let Some(value) = adopted.main.get(name) else {
        main.unset(name);
        return Ok(());
    };
    let entry = adopted.entries.get(name);
    if main.get(name).is_none()
        && let Some(raw) = entry
        && let Some(bytes) = replace_lines(&main.to_bytes(), &commented(raw), raw)
    {
        *main = MainCf::parse(&bytes);
        return Ok(());
    }
    match entry {
        Some(raw) => main.set_raw(name, raw.as_bytes()),
        None => main.set(name, value.as_bytes()),
    }
    .map_err(|error| cannot(name, error))
}

fn overrides(
    ground: &Ground<'_>,
    targets: &Targets,
    mut master: MasterCf,
) -> Result<MasterCf, Refusal> {
    let nothing = BTreeMap::new();
    let adopted = &ground.intent.adopted.services;
    let now = owned::read(ground.main, &master).services;
    let ids: BTreeSet<&String> = now.keys().chain(targets.services.keys()).collect();
    for id in ids {
        let have = now.get(id).unwrap_or(&nothing);
        let there = key_of(id).is_some_and(|key| master.service(key).is_some());
        if !there {
            continue;
        }
        let was = adopted.get(id);
        let wanted = targets.services.get(id).unwrap_or(&services::NO_TARGETS);
        let mut names: BTreeSet<&String> = wanted
            .keys()
            .chain(was.unwrap_or(&nothing).keys())
            .collect();
        // What names a file of ours was written by us, whoever wrote the service.
        let ours = |value: &String| was.is_some() || certificates::is_installed(value);
        names.extend(have.iter().filter(|(_, v)| ours(v)).map(|(name, _)| name));
        for name in names {
            let target = match (wanted.get(name), was.and_then(|was| was.get(name))) {
                (Some(target), _) => target.clone(),
                (None, Some(value)) => Target::value(value),
                (None, None) => Target::Absent,
            };
            reach(&mut master, id, name, have.get(name), &target)?;
        }
    }
    Ok(master)
}

/// Gives one `-o` of a service (`name/type`) its target.
pub(crate) fn reach(
    master: &mut MasterCf,
    service: &str,
    name: &str,
    have: Option<&String>,
    target: &Target,
) -> Result<(), Refusal> {
    let Some(key) = key_of(service) else {
        return Ok(());
    };
    let result = match (have, target) {
        (Some(have), Target::Value(value)) if have == value => Ok(()),
        (_, Target::Value(value)) => {
            master.set_override(key, name, value.as_bytes(), Braces::Allowed)
        }
        (Some(_), Target::Absent) => master.unset_override(key, name).map(|_| ()),
        (None, Target::Absent) => Ok(()),
    };
    result.map_err(|error| cannot(&format!("-o {name} of {key}"), error))
}

/// The key of a service's id (`name/type`; a name may hold a slash, a type cannot).
pub(super) fn key_of(id: &str) -> Option<ServiceKey<'_>> {
    let (name, kind) = id.rsplit_once('/')?;
    Some(ServiceKey::new(name, kind))
}

pub(super) fn cannot(what: &str, error: EditError) -> Refusal {
    refuse(
        "plan.cannot-edit",
        format!("{what} cannot be written: {error}."),
        "Put the file into a plain form by hand, then plan again.",
    )
}

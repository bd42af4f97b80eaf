//! Plans that go back: undoing an operation, and putting owned parameters back.
//!
//! Owns: what “back” means. Byte for byte where the files still are as the operation left them;
//! else only the operation's own edits are reversed, and later hand edits stay. Never: overwrites
//! what somebody changed since — that is a conflict.

mod reverse;

use crate::compile::{Files, installed_folder, refuse};
use crate::dns::Question;
use crate::facts::Facts;
use crate::intent::{Binding, Intent};
use crate::looks::named;
use crate::make::{self, Change, Errors, Request, build};
use crate::owned;
use crate::plan::{Cf, Edit};
use crate::{Digest, Plan, Refusal};
use postfix_cf::{MainCf, MasterCf};
use std::path::PathBuf;

/// What is to be undone.
#[derive(Clone, Copy, Debug)]
pub struct RollbackRequest<'a> {
    /// The operation's plan.
    pub undone: &'a Plan,
    /// main.cf before the operation, where it changed.
    pub main_before: Option<&'a [u8]>,
    /// master.cf before the operation, where it changed.
    pub master_before: Option<&'a [u8]>,
    /// What is in force now.
    pub in_force: &'a Intent,
    /// The operation that the new plan builds on.
    pub parent: Option<u64>,
}

/// The plan that undoes an operation.
///
/// # Errors
/// `rollback.conflict` where something the operation changed was changed again since; and what
/// [`crate::plan()`] refuses.
pub fn rollback(
    request: &RollbackRequest<'_>,
    facts: &Facts,
    now_unix: i64,
) -> Result<Plan, Refusal> {
    let intent = reversed_intent(request)?;
    let files = reversed_files(request, &intent, facts)?;
    let change = Change {
        files,
        intent: &intent,
        in_force: request.in_force,
        parent: request.parent,
        errors: Errors::Show,
    };
    build(&change, facts, now_unix)
}

/// The administrator's files that the way back leads to, by name. What Postseal makes, the plan makes anew.
pub fn rollback_looks(request: &RollbackRequest<'_>, facts: &Facts) -> Vec<PathBuf> {
    let files = reversed_intent(request).and_then(|intent| reversed_files(request, &intent, facts));
    let Ok(files) = files else {
        return Vec::new();
    };
    let (main, master) = (MainCf::parse(&files.main), MasterCf::parse(&files.master));
    let own = installed_folder(&facts.config_directory);
    let mut paths = named(&main, &master, facts);
    paths.retain(|path| path.parent() != Some(own.as_path()));
    paths
}

/// What is still to be asked of DNS before an operation is undone, as in [`crate::questions`]. The way
/// back is not barred by the answers, but they are told.
pub fn rollback_questions(request: &RollbackRequest<'_>, facts: &Facts) -> Vec<Question> {
    let Ok(intent) = reversed_intent(request) else {
        return Vec::new();
    };
    match reversed_files(request, &intent, facts) {
        Ok(files) => make::asked(&files, &intent, request.in_force, facts),
        Err(_) => Vec::new(),
    }
}

/// The plan that puts owned parameters back to what was last written.
///
/// # Errors
/// What [`crate::plan()`] refuses.
pub fn restore_drift(request: &Request<'_>, facts: &Facts, now_unix: i64) -> Result<Plan, Refusal> {
    let change = Change {
        files: restored(request, facts)?,
        intent: request.intent,
        in_force: request.in_force,
        parent: request.parent,
        errors: Errors::Show,
    };
    build(&change, facts, now_unix)
}

/// The files with every owned key as it was written.
pub(crate) fn restored(request: &Request<'_>, facts: &Facts) -> Result<Files, Refusal> {
    let mut main = MainCf::parse(&facts.main_cf.bytes);
    let mut master = MasterCf::parse(&facts.master_cf.bytes);
    let now = owned::read(&main, &master);
    for drift in owned::drift(request.written, &now) {
        reverse::put_back(&mut main, &mut master, request.written, &drift)?;
    }
    Ok(Files {
        main: main.to_bytes(),
        master: master.to_bytes(),
    })
}

fn reversed_files(
    request: &RollbackRequest<'_>,
    intent: &Intent,
    facts: &Facts,
) -> Result<Files, Refusal> {
    let whole = |file, before: Option<&[u8]>, now: &[u8]| -> Option<Vec<u8>> {
        match (request.undone.edit(file), before) {
            (None, _) => Some(now.to_vec()),
            (Some(edit), Some(before)) if untouched(edit, now) => Some(before.to_vec()),
            _ => None,
        }
    };
    let main = whole(Cf::Main, request.main_before, &facts.main_cf.bytes);
    let master = whole(Cf::Master, request.master_before, &facts.master_cf.bytes);
    let main = match main {
        Some(bytes) => bytes,
        None => reverse::main(request, intent, facts)?,
    };
    let master = match master {
        Some(bytes) => bytes,
        None => reverse::master(request, intent, facts)?,
    };
    Ok(Files { main, master })
}

fn untouched(edit: &Edit, now: &[u8]) -> bool {
    Digest::of(now) == edit.after
}

/// What was wanted before the operation, with what was wanted since and elsewhere.
fn reversed_intent(request: &RollbackRequest<'_>) -> Result<Intent, Refusal> {
    let (then, undone, now) = (
        &request.undone.earlier,
        &request.undone.intent,
        request.in_force,
    );
    let unchanged = now.settings == undone.settings
        && now.bindings == undone.bindings
        && now.has_rules_of(undone);
    if unchanged {
        return Ok(Intent {
            adopted: now.adopted.clone(),
            ..then.clone()
        });
    }
    let mut intent = now.clone();
    for key in then.settings.keys().chain(undone.settings.keys()) {
        let (old, new) = (then.settings.get(key), undone.settings.get(key));
        if old == new || now.settings.get(key) == old {
            continue;
        }
        if now.settings.get(key) != new {
            return Err(conflict(&format!("{} was set again since", key.name())));
        }
        match old {
            Some(old) => intent.settings.insert(key.clone(), old.clone()),
            None => intent.settings.remove(key),
        };
    }
    intent.bindings = reversed_bindings(then, undone, now)?;
    if then.answers_as(undone) || now.answers_as(then) {
        return Ok(intent);
    }
    if !now.answers_as(undone) {
        return Err(other_rules_since());
    }
    intent.policies = then.policies;
    // Which tables there are, and what stands before them, was found since, by adoption.
    match &mut intent.tables {
        Some(tables) => tables.named = then.named(),
        None => intent.tables.clone_from(&then.tables),
    }
    Ok(intent)
}

/// The rows of the rules are others than the operation left.
pub fn other_rules_since() -> Refusal {
    conflict("other rules for destinations came in force since")
}

/// Rules that the operation changed, by their destinations, were changed again since: what was wished
/// later would be undone with it. Some are named.
pub fn rules_changed_again(destinations: &[String]) -> Refusal {
    const NAMED: usize = 3;
    conflict(&match destinations {
        [one] => format!("the rule for {one} was changed again since"),
        few if few.len() <= NAMED => {
            format!("the rules for {} were changed again since", few.join(", "))
        }
        many => format!(
            "the rules for {} and others were changed again since",
            many[..NAMED].join(", ")
        ),
    })
}

fn reversed_bindings(
    then: &Intent,
    undone: &Intent,
    now: &Intent,
) -> Result<Vec<Binding>, Refusal> {
    if then.bindings == undone.bindings || now.bindings == then.bindings {
        Ok(now.bindings.clone())
    } else if now.bindings == undone.bindings {
        Ok(then.bindings.clone())
    } else {
        Err(conflict("other certificates were bound since"))
    }
}

/// Somebody changed it since.
fn conflict(what: &str) -> Refusal {
    refuse(
        "rollback.conflict",
        format!("The operation cannot be undone: {what}."),
        "Undo the later change first, or set what you want anew.",
    )
}

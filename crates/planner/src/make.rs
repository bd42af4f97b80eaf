//! Making a plan.
//!
//! Owns: [`plan`] — what comes after what in the thinking. Never: knows a parameter (`compile`
//! and `rules` do), reads a clock. The same input gives the same plan; its id leaves out what
//! depends on the time.

mod build;
mod file_drift;
mod installs;
mod order;
mod sentences;
mod split;

pub(crate) use build::{Change, Errors, build};
pub use file_drift::{FileDrift, file_drift};

use build::Parsed;

use crate::compile::{self, Files, Ground, Target};
use crate::dns::Question;
use crate::facts::Facts;
use crate::intent::{Intent, Owned};
use crate::owned::{self, Drift};
use crate::rules::{self, World};
use crate::{Finding, Plan, PostfixVersion, Refusal, Severity, catalog, diff};
use postfix_cf::{MainCf, MasterCf};

/// What is asked of the planner.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is wanted.
    pub intent: &'a Intent,
    /// What is in force.
    pub in_force: &'a Intent,
    /// The operation that a plan would build on.
    pub parent: Option<u64>,
    /// What Postseal or adoption last saw written.
    pub written: &'a Owned,
}

/// From what is wanted and what is, to a plan; or why there is none.
///
/// # Errors
/// A [`Refusal`] where the files were edited by hand, where the intent cannot be written, and
/// where the result would break mail in a way it is not broken now.
pub fn plan(request: &Request<'_>, facts: &Facts, now_unix: i64) -> Result<Plan, Refusal> {
    refuse_drift(request.written, facts)?;
    let files = compiled(request.intent, request.in_force, facts)?;
    build(
        &Change {
            files,
            intent: request.intent,
            in_force: request.in_force,
            parent: request.parent,
            errors: Errors::Refuse,
        },
        facts,
        now_unix,
    )
    .map_err(|refusal| split::explained(refusal, request, facts, now_unix))
}

/// What is still to be asked of DNS before a plan is made: which TLSA records senders go by. Nothing
/// where the plan would not change what servers present. Each round of answers, put into the facts,
/// may lead to further questions.
pub fn questions(request: &Request<'_>, facts: &Facts) -> Vec<Question> {
    if request.intent == request.in_force {
        return Vec::new();
    }
    let Ok(files) = compiled(request.intent, request.in_force, facts) else {
        return Vec::new();
    };
    asked(&files, request.intent, request.in_force, facts)
}

/// The questions of a change to these files.
pub(crate) fn asked(
    files: &Files,
    intent: &Intent,
    in_force: &Intent,
    facts: &Facts,
) -> Vec<Question> {
    let now = Parsed::of(&facts.main_cf.bytes, &facts.master_cf.bytes);
    let then = Parsed::of(&files.main, &files.master);
    let before = World::new(&now.main, &now.master, facts, in_force, 0);
    let after = World::new(&then.main, &then.master, facts, intent, 0);
    rules::dane::questions(&before, &after)
}

/// The files as the intent wants them.
pub(crate) fn compiled(
    intent: &Intent,
    in_force: &Intent,
    facts: &Facts,
) -> Result<Files, Refusal> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let ground = Ground {
        main: &main,
        master: &master,
        facts,
        intent,
        in_force,
    };
    let targets = compile::targets(&ground)?;
    refuse_unknown(&targets, facts)?;
    compile::apply(&ground, &targets)
}

/// A parameter that the installed version does not know is never written. `set` refuses it at
/// once; this is for a Postfix that was replaced by an older one since.
fn refuse_unknown(targets: &compile::Targets, facts: &Facts) -> Result<(), Refusal> {
    // The catalogue begins with 3.4, so to an older one it only tells what is newer than that.
    let version = facts.version.max(PostfixVersion::new(3, 4, 0));
    for (name, target) in &targets.main {
        let known = catalog::find(name).is_some_and(|p| p.exists_in(version));
        if !known && matches!(target, Target::Value(_)) {
            return Err(compile::refuse(
                "parameter.unknown-to-version",
                format!("Postfix {} does not know {name}.", facts.version),
                format!("`postseal unset param.{name}`."),
            ));
        }
    }
    Ok(())
}

fn refuse_drift(written: &Owned, facts: &Facts) -> Result<(), Refusal> {
    let now = owned::of(facts);
    let drift = owned::drift(written, &now);
    if drift.is_empty() {
        return Ok(());
    }
    let mut finding = Finding::new(
        "drift.unresolved",
        Severity::Error,
        "Parameters that Postseal owns were edited by hand since.",
        "`postseal drift` shows them; `drift --adopt` takes them over, `drift --restore` puts \
         them back.",
    );
    for edit in drift {
        finding = finding.seen(shown(&edit));
    }
    Err(finding.into())
}

fn shown(edit: &Drift) -> String {
    let value = |value: &Option<String>| match value {
        Some(value) => format!("“{}”", diff::shown(&edit.parameter, value)),
        None => "nothing".to_owned(),
    };
    format!(
        "{}: {} was {}, is {}",
        edit.place,
        edit.parameter,
        value(&edit.written),
        value(&edit.now)
    )
}

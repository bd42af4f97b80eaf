//! In which order the files are published.
//!
//! Owns: the state between two renames. Never: carries a step out.
//!
//! main.cf acts at its rename, because every daemon that starts reads it; master.cf acts at a
//! reload. So the one state between is *new main.cf with the old services*. Where that is sound,
//! main.cf goes first and one reload ends it (turning TLS on). Else master.cf goes first, a
//! reload makes it effective, and main.cf follows (turning TLS off). Where neither is sound, no
//! order of two renames is safe.

use super::build::{Change, Errors, Pairs, Parsed, found, news};
use crate::facts::Facts;
use crate::plan::{Cf, Edit, Step};
use crate::{Refusal, compile};

/// The steps of a plan: keys and certificates first, then the files, then the reload.
pub(super) fn steps(
    change: &Change<'_>,
    pairs: &Pairs,
    facts: &Facts,
    edits: &[Edit],
    installs: Vec<Step>,
    now_unix: i64,
) -> Result<Vec<Step>, Refusal> {
    let publish = |file| Step::Publish { file };
    let mut steps = installs;
    match edits {
        [] if steps.is_empty() => {}
        [] => steps.push(Step::Reload),
        [one] => steps.extend([publish(one.file), Step::Reload]),
        _ => {
            let mut ends = found(&pairs.before, facts, change.in_force, now_unix);
            ends.extend(found(&pairs.after, facts, change.intent, now_unix));
            let sound = |between: &Parsed| {
                news(&ends, &found(between, facts, change.intent, now_unix)).is_empty()
            };
            let main_first = Parsed {
                main: pairs.after.main.clone(),
                master: pairs.before.master.clone(),
            };
            let master_first = Parsed {
                main: pairs.before.main.clone(),
                master: pairs.after.master.clone(),
            };
            if sound(&main_first) {
                steps.extend([publish(Cf::Main), publish(Cf::Master), Step::Reload]);
            } else if sound(&master_first) || change.errors == Errors::Show {
                steps.extend([publish(Cf::Master), Step::Reload, Step::Await]);
                steps.extend([publish(Cf::Main), Step::Reload]);
            } else {
                return Err(two_steps());
            }
        }
    }
    Ok(steps)
}

fn two_steps() -> Refusal {
    compile::refuse(
        super::split::CODE,
        "main.cf and master.cf would have to change at the same instant: with either one changed \
         first, a service would not work.",
        "Apply a part of the change first, for example the certificate, and the rest after it.",
    )
}

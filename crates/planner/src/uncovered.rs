//! Files of an administrator's that come back when the last certificate is unbound.
//!
//! Owns: saying so, before it is done. Never: forbids it; that is what was adopted.

use crate::compile::below;
use crate::intent::{Intent, Place};
use crate::{Finding, Severity, words};
use std::collections::BTreeSet;

/// What `after` presents again that `before` had taken the place of. `faults`: what a plan of `after`
/// is refused for, and one of `before` is not.
pub fn uncovered(before: &Intent, after: &Intent, faults: &[Finding]) -> Vec<Finding> {
    let places = |intent: &Intent| -> BTreeSet<Place> {
        intent
            .bindings
            .iter()
            .map(|one| one.place.clone())
            .collect()
    };
    let gone = places(before)
        .into_iter()
        .filter(|place| !places(after).contains(place));
    let findings = gone.filter_map(|place| {
        let files = below(after, &place);
        (!files.is_empty()).then(|| adopted_again(&place, &files, faults))
    });
    findings.collect()
}

fn adopted_again(place: &Place, files: &[String], faults: &[Finding]) -> Finding {
    const CODE: &str = "cert.adopted-again";
    let (who, what) = (place.text(), words::list(files));
    // What Postfix cannot use is found in the files, which the evidence names.
    let of_files = |fault: &&Finding| {
        let mut seen = fault.evidence.iter();
        seen.any(|seen| files.iter().any(|file| seen.text.contains(file.as_str())))
    };
    let Some(fault) = faults.iter().find(of_files) else {
        let message = format!("Without it, what was adopted is presented again by {who}: {what}.");
        let remedy = "Nothing, where that is meant; else bind another certificate.";
        return Finding::new(CODE, Severity::Info, message, remedy);
    };
    let message = format!(
        "Without it, what was adopted would have to be presented again by {who}: {what}. Postfix cannot \
         use that now, so `apply` will refuse it: {}",
        fault.message
    );
    let remedy =
        "Bind another certificate, or put the files in order; `postseal discard` drops the wish.";
    Finding::new(CODE, Severity::Warning, message, remedy).seen(fault.code.to_string())
}

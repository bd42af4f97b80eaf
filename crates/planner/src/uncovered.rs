//! Files of an administrator's that come back when the last certificate is unbound.
//!
//! Owns: saying so, before it is done. Never: forbids it; that is what was adopted.

use crate::compile::below;
use crate::intent::{Intent, Place};
use crate::{Finding, Severity, words};
use std::collections::BTreeSet;

/// What `after` presents again that `before` had taken the place of.
pub fn uncovered(before: &Intent, after: &Intent) -> Vec<Finding> {
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
        (!files.is_empty()).then(|| {
            let message = format!(
                "Without it, what was adopted is presented again by {}: {}.",
                place.text(),
                words::list(&files)
            );
            let remedy = "Nothing, where that is meant; else bind another certificate.";
            Finding::new("cert.adopted-again", Severity::Info, message, remedy)
        })
    });
    findings.collect()
}

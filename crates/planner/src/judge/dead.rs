//! A service that is silent because it is dead.
//!
//! Owns: telling it from one that is busy: master(8) keeps the port of a service that dies at its start
//! open, and starts none for a minute, so nobody greets and no process is there. Never: looks at
//! processes; who knows them says so.

use crate::report::{Outcome, Report, Verdict};
use crate::{Finding, Severity};
use std::collections::BTreeSet;

pub(super) const CODE: &str = "wire.no-banner";
pub(super) const REMEDY: &str = "The service dies at its start; Postfix's log names the setting. \
    `postfix stop` and `postfix start` revive it at once, a reload only after a minute.";

/// Makes a miss of each silence where the running master has no process for the service. `served`: the
/// services (`name/type`) for which it has one; where that cannot be seen, silence stays undetermined.
pub fn add_dead(
    verdict: &mut Verdict,
    reports: &[Report],
    served: impl FnOnce() -> Option<BTreeSet<String>>,
) {
    let silent: Vec<&Report> = reports.iter().filter(|report| report.is_silent()).collect();
    if silent.is_empty() {
        return;
    }
    let Some(served) = served() else { return };
    for judged in &mut verdict.judgements {
        let is_here =
            |report: &&Report| report.service == judged.service && report.address == judged.address;
        let is_unseen = judged.outcome == Outcome::Undetermined && silent.iter().any(is_here);
        if !is_unseen || served.contains(&judged.service) {
            continue;
        }
        let message = format!(
            "Port {} on {} accepts connections but gives no greeting, and Postfix has no process for it.",
            judged.address.port(),
            judged.address.ip()
        );
        judged.outcome = Outcome::Fail;
        judged.sentences = vec![message.clone()];
        let finding = Finding::new(CODE, Severity::Error, message, REMEDY);
        judged.findings.push(finding.seen(judged.service.clone()));
    }
}

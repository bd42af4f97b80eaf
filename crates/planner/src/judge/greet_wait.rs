//! What postscreen(8) lets a client wait for, and how this look was taken.
//!
//! Owns: how long (`postscreen_greet_wait`), and the sentence of it. Never: judges: a stranger's wait
//! is no fault.

use crate::catalog::seconds;
use crate::facts::Facts;
use crate::report::{Report, StageName, Verdict};
use crate::view::{Files, Service, View};
use std::time::Duration;

/// Nobody is waited for longer, whatever a file says.
const LONGEST: Duration = Duration::from_secs(60);

/// The longest wait before a greeting at any server.
pub fn longest_greet_wait(facts: &Facts) -> Duration {
    let files = Files::of(facts);
    let view = files.view(facts);
    let waits = view.servers().filter_map(|service| wait(&view, service));
    waits.max().unwrap_or_default()
}

/// Says of each postscreen(8) whether it kept this look waiting, as it does with strangers.
pub fn add_greet_wait(verdict: &mut Verdict, reports: &[Report], facts: &Facts) {
    let files = Files::of(facts);
    let view = files.view(facts);
    for service in view.servers() {
        let Some(wait) = wait(&view, service) else {
            continue;
        };
        let judged = verdict.judgements.iter_mut();
        for one in judged.filter(|one| one.service == service.id) {
            let mut seen = reports.iter();
            let seen = seen.find(|r| r.service == one.service && r.address == one.address);
            let Some(greeted) = seen.and_then(greeted) else {
                continue;
            };
            let place = format!("Port {} on {}", one.address.port(), one.address.ip());
            one.sentences.push(sentence(&place, wait, greeted));
        }
    }
}

fn sentence(place: &str, wait: Duration, greeted: Duration) -> String {
    let seconds = wait.as_secs();
    match greeted >= wait {
        true => format!(
            "{place}: postscreen(8) let this look wait for its greeting, as it does with strangers \
             (postscreen_greet_wait = {seconds}s)."
        ),
        false => format!(
            "{place}: postscreen(8) handed this look on at once, for it knows this client; strangers \
             wait (postscreen_greet_wait = {seconds}s) and speak TLS with tlsproxy(8)."
        ),
    }
}

/// How long the greeting took, where it came.
fn greeted(report: &Report) -> Option<Duration> {
    report.banner.as_ref()?;
    let mut stages = report.stages.iter();
    let stage = stages.find(|stage| stage.name == StageName::Banner)?;
    Some(Duration::from_micros(stage.micros))
}

fn wait(view: &View<'_>, service: &Service) -> Option<Duration> {
    if service.command != "postscreen" {
        return None;
    }
    let text = view.value(Some(service), "postscreen_greet_wait");
    let wait = Duration::from_secs(seconds(&text).unwrap_or_default());
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests;

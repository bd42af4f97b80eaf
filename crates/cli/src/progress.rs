//! Progress on standard error.
//!
//! Owns: how events look: a line for each stage on a terminal, every event with `-v`, nothing
//! when piped. Never: changes what happens.

use crate::config::{Global, Talk};
use postseal_engine::{Event, Stage};
use std::io::{IsTerminal, Write};

/// A listener for the engine.
pub(crate) fn listener(global: &Global) -> impl Fn(&Event) + use<> {
    let talk = global.talk;
    let terminal = std::io::stderr().is_terminal();
    move |event| {
        let line = match talk {
            Talk::Quiet => None,
            Talk::Normal if terminal => stage_line(event),
            Talk::Normal => None,
            Talk::Verbose => Some(verbose_line(event)),
        };
        if let Some(line) = line {
            // Nobody reading progress must not stop the work.
            let _ = writeln!(std::io::stderr(), "postseal: {line}");
        }
    }
}

/// Tells on a terminal how many have been worked through: the same line again and again.
pub(crate) fn count(what: &'static str, global: &Global) -> impl Fn(u64) + use<> {
    let shown = std::io::stderr().is_terminal() && global.talk != Talk::Quiet;
    move |n| {
        if shown {
            // Nobody reading progress must not stop the work.
            let _ = write!(std::io::stderr(), "\rpostseal: {n} {what}\x1b[K\r");
        }
    }
}

fn stage_line(event: &Event) -> Option<String> {
    match event {
        Event::Stage {
            stage: Stage::Look | Stage::Think,
        } => None,
        Event::Stage { .. }
        | Event::RollingBack { .. }
        | Event::Restarted { .. }
        | Event::BrokenAgain { .. }
        | Event::Ordering { .. }
        | Event::Recovered { .. } => Some(verbose_line(event)),
        _ => None,
    }
}

fn verbose_line(event: &Event) -> String {
    match event {
        Event::Stage { stage } => match stage {
            Stage::Look => "looking at the instance".to_owned(),
            Stage::Think => "planning".to_owned(),
            Stage::Rehearse => "rehearsing in a scratch Postfix".to_owned(),
            Stage::Apply => "writing".to_owned(),
            Stage::Prove => "proving it on the wire".to_owned(),
            Stage::RollBack => "putting the old files back".to_owned(),
        },
        Event::Rehearsed { verdict, .. } => {
            format!("rehearsed: {:?}", verdict.outcome()).to_lowercase()
        }
        Event::BrokenAgain { findings } => {
            let told: Vec<_> = findings
                .iter()
                .map(|found| found.message.as_str())
                .collect();
            format!(
                "broken before the operation that is undone, and will be again: {}",
                told.join(" ")
            )
        }
        Event::Opened { operation } => {
            format!("operation {operation} opened: journal and snapshots are on disk")
        }
        Event::Step { n, what } => format!("step {n}: {what}"),
        Event::Proved { verdict } => format!("proved: {:?}", verdict.outcome()).to_lowercase(),
        Event::RollingBack { reason } => format!("rolling back: {reason}"),
        Event::Restarted { reason } => format!("stopping and starting Postfix: {reason}"),
        Event::Ordering { certificate, doing } => format!("{certificate}: {doing}"),
        Event::Recovered { operation, how } => {
            format!("operation {operation} was interrupted: {how}")
        }
    }
}

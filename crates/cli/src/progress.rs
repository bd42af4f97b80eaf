//! Progress on standard error.
//!
//! Owns: how events look: a line for each stage on a terminal, every event with `-v`, nothing
//! when piped. Never: changes what happens.

use crate::config::{Global, Output, Talk};
use indicatif::{ProgressBar, ProgressStyle};
use postseal_engine::{Event, Stage};
use std::io::{IsTerminal, Write};

/// A listener for the engine.
pub(crate) fn listener(global: &Global) -> impl Fn(&Event) + use<> {
    let talk = global.talk;
    let terminal = std::io::stderr().is_terminal();
    move |event| {
        let line = match talk {
            Talk::Events => return hand_on(event),
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

/// The agent reads it, or has gone.
pub(crate) fn hand_on(event: &Event) {
    if let Ok(line) = serde_json::to_string(event) {
        let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
    }
}

/// How far the reading of rules is: a bar on a terminal where it is known how much there is, else a
/// count. Nothing where nobody looks, or wants plain text.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// For so many parts of `of`, where that is known.
    pub(crate) fn new(of: Of, global: &Global) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let shown = std::io::stderr().is_terminal()
            && !plain
            && global.output == Output::Text
            && global.talk != Talk::Quiet;
        if !shown {
            return Self(ProgressBar::hidden());
        }
        let (bar, template) = match of {
            Of::Bytes(bytes) => (
                ProgressBar::new(bytes),
                "postseal: [{bar:30}] {bytes}/{total_bytes}, {bytes_per_sec}, {msg}, {eta} left",
            ),
            Of::Lines(lines) => (
                ProgressBar::new(lines),
                "postseal: [{bar:30}] {human_pos}/{human_len} lines, {per_sec}, {msg}, {eta} left",
            ),
            Of::Unknown => (
                ProgressBar::no_length(),
                "postseal: {spinner} {human_pos} rules, {per_sec}",
            ),
        };
        // A template that cannot be read costs its bar, not the work.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    /// So far it is, after so many rules.
    pub(crate) fn at(&self, position: u64, rules: u64) {
        self.0.set_message(format!("{rules} rules"));
        self.0.set_position(position);
    }
}

/// It leaves nothing behind.
impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// What a [`Bar`] counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of {
    /// Bytes of a file.
    Bytes(u64),
    /// Its lines.
    Lines(u64),
    /// Rules, nobody knows how many.
    Unknown,
}

fn stage_line(event: &Event) -> Option<String> {
    match event {
        Event::Stage {
            stage: Stage::Look | Stage::Think,
        } => None,
        Event::Stage { .. }
        | Event::Looking { .. }
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
        Event::Looked { address, done, all } => format!("{address} looked at, {done} of {all}"),
        Event::Seen { words } => words.trim_end().to_owned(),
        Event::Looking { rules: 1 } => "looking at the servers of one rule".to_owned(),
        Event::Looking { rules } => format!("looking at the servers of {rules} rules"),
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

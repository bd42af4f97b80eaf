//! `policy export`: all rules, as a stream.
//!
//! Owns: writing each form. Never: holds more than a page of rules.

use super::records::{Format, record};
use crate::answer::Answer;
use crate::config::{Global, Output};
use crate::failure::{Exit, Failure};
use crate::session::Session;
use clap::Args;
use postseal_planner::policy::{Rule, written};
use postseal_store::RuleView;
use std::collections::BTreeSet;
use std::io::{BufWriter, Write};

/// Arguments of `policy export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// What to write
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// What is in force, without the wishes that are pending
    #[arg(long)]
    in_force: bool,
}

pub(super) fn run(args: &ExportArgs, global: &Global) -> Result<Answer, Failure> {
    let view = match args.in_force {
        true => RuleView::InForce,
        false => RuleView::Wanted,
    };
    let format = match global.output {
        Output::Json => Format::Json,
        Output::Text => args.format,
    };
    let mut session = Session::existing(global)?;
    let mut out = Out::new(format, BufWriter::new(std::io::stdout().lock()));
    let engine = session.engine();
    let written = out
        .head()
        .map_err(|source| failed(&source))
        .and_then(|()| Ok(engine.each_rule(view, &mut |rule| out.rule(&rule))?))
        .and_then(|()| out.tail().map_err(|source| failed(&source)));
    written.map(|()| Answer::silent())
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, "policy.export", error.to_string())
}

/// Rules on their way out.
struct Out<W: Write> {
    format: Format,
    to: W,
    begun: bool,
    /// Recipients whose rules were written.
    followed: BTreeSet<String>,
    /// Rules for one destination.
    waiting: Vec<Rule>,
}

impl<W: Write> Out<W> {
    fn new(format: Format, to: W) -> Self {
        Self {
            format,
            to,
            begun: false,
            followed: BTreeSet::new(),
            waiting: Vec::new(),
        }
    }

    fn head(&mut self) -> std::io::Result<()> {
        match self.format {
            Format::Map => Ok(()),
            Format::Csv => writeln!(
                self.to,
                "destination,policy,scope,note,owner,tags,until,follow"
            ),
            Format::Json => write!(self.to, "{{\"schema\": 1, \"rules\": ["),
        }
    }

    fn rule(&mut self, rule: &Rule) -> std::io::Result<()> {
        // A rule that follows mail is written once, for its recipients.
        if let (Some(wish), false) = (rule.followed(), self.format == Format::Map) {
            return match self.followed.insert(wish.id.destination.clone()) {
                true => self.rule(&wish),
                false => Ok(()),
            };
        }
        // What another place manages would come back as made by hand.
        if !rule.id.manager.is_empty() && self.format != Format::Map {
            return Ok(());
        }
        match self.format {
            Format::Map => {
                let waits = self.waiting.first();
                if waits.is_some_and(|one| one.id.destination != rule.id.destination) {
                    self.rows()?;
                }
                self.waiting.push(rule.clone());
                Ok(())
            }
            Format::Csv => {
                let mut line = csv::WriterBuilder::new().from_writer(Vec::new());
                let about = &rule.about;
                let word = |word: &Option<String>| word.clone().unwrap_or_default();
                line.write_record([
                    &rule.id.destination,
                    &rule.policy,
                    rule.scope().name(),
                    &word(&about.note),
                    &word(&about.owner),
                    &about.tags.join(" "),
                    &word(&about.until),
                    &about.follow.map(|_| "yes".to_owned()).unwrap_or_default(),
                ])?;
                let bytes = line.into_inner().map_err(|error| error.into_error())?;
                self.to.write_all(&bytes)
            }
            Format::Json => {
                let comma = if std::mem::replace(&mut self.begun, true) {
                    ","
                } else {
                    ""
                };
                let record = record(rule);
                writeln!(self.to, "{comma}")?;
                Ok(serde_json::to_writer(&mut self.to, &record)?)
            }
        }
    }

    /// The rows of the rules for one destination: a key that stands twice is an error of a map.
    fn rows(&mut self) -> std::io::Result<()> {
        let rules = std::mem::take(&mut self.waiting);
        for rule in &rules {
            if let Some(wish) = rule.followed() {
                writeln!(self.to, "# follows mail for {}", wish.id.shown())?;
            }
            if let Some(note) = &rule.about.note {
                writeln!(self.to, "# {note}")?;
            }
        }
        for row in written(&rules) {
            for key in row.keys() {
                writeln!(self.to, "{key} {}", row.policy)?;
            }
        }
        Ok(())
    }

    fn tail(&mut self) -> std::io::Result<()> {
        self.rows()?;
        if self.format == Format::Json {
            writeln!(self.to, "\n]}}")?;
        }
        self.to.flush()
    }
}

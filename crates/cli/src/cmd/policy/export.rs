//! `policy export`: all rules, as a stream.
//!
//! Owns: writing each form, one rule after the other. Never: holds more than a page of rules.

use super::records::{COLUMNS, Format, record};
use super::toml::rule_text;
use crate::answer::Answer;
use crate::config::{Global, Output};
use crate::failure::{Exit, Failure};
use crate::session::Session;
use clap::Args;
use postseal_planner::policy::{Rule, annotated};
use postseal_store::RuleView;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{BufWriter, Write};

/// Arguments of `policy export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// What to write [default: map]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// What is in force, without the wishes that are pending
    #[arg(long)]
    in_force: bool,
}

pub(super) fn run(args: &ExportArgs, global: &Global) -> Result<Answer, Failure> {
    let view = match args.in_force {
        true => RuleView::InForce,
        false => RuleView::Wanted,
    };
    let mut session = Session::existing(global)?;
    // What is asked for from afar comes back in an answer.
    if let (Some(_), Some(format)) = (&global.behalf, args.format) {
        let mut text = Vec::new();
        write(Out::new(format, &mut text), view, &mut session)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        return Ok(Answer::new(text, json!({"changed": false})));
    }
    let format = match global.output {
        Output::Json => Format::Json,
        Output::Text => args.format.unwrap_or_default(),
    };
    let out = Out::new(format, BufWriter::new(std::io::stdout().lock()));
    write(out, view, &mut session)?;
    Ok(Answer::silent())
}

fn write<W: Write>(mut out: Out<W>, view: RuleView, session: &mut Session) -> Result<(), Failure> {
    out.head().map_err(|source| failed(&source))?;
    let engine = session.engine();
    engine.each_rule(view, &mut |rule| out.rule(&rule))?;
    out.tail().map_err(|source| failed(&source))
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, "policy.export", error.to_string())
}

/// Rules on their way out.
pub(crate) struct Out<W: Write> {
    format: Format,
    to: W,
    begun: bool,
    /// Recipients whose rules were written.
    followed: BTreeSet<String>,
    text: String,
}

impl<W: Write> Out<W> {
    pub(crate) fn new(format: Format, to: W) -> Self {
        Self {
            format,
            to,
            begun: false,
            followed: BTreeSet::new(),
            text: String::new(),
        }
    }

    fn head(&mut self) -> std::io::Result<()> {
        match self.format {
            Format::Map => Ok(()),
            Format::Csv => writeln!(self.to, "{}", COLUMNS.join(",")),
            Format::Json => write!(self.to, "{{\"schema\": 1, \"rules\": ["),
            Format::Toml => writeln!(self.to, "schema = 1"),
        }
    }

    pub(crate) fn rule(&mut self, rule: &Rule) -> std::io::Result<()> {
        // A rule that follows mail is written once, for its recipients.
        if let Some(wish) = rule.followed() {
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
                self.text.clear();
                annotated(rule, &mut self.text);
                self.to.write_all(self.text.as_bytes())
            }
            Format::Csv => {
                let mut line = csv::WriterBuilder::new().from_writer(Vec::new());
                line.write_record(record(rule).cells())?;
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
            Format::Toml => {
                self.begun = true;
                self.text.clear();
                rule_text(rule, &mut self.text);
                self.to.write_all(self.text.as_bytes())
            }
        }
    }

    fn tail(&mut self) -> std::io::Result<()> {
        match (self.format, self.begun) {
            (Format::Json, _) => writeln!(self.to, "\n]}}")?,
            (Format::Toml, false) => writeln!(self.to, "rules = []")?,
            _ => {}
        }
        self.to.flush()
    }
}

//! `policy list -n 0`: all rules, written page by page.
//!
//! Owns: writing the same answer as a short list, while it is read: of a million rules either form
//! takes gigabytes. Never: holds more than a page.

use super::{ListArgs, NONE, Page};
use crate::answer::{Answer, findings_text, printable};
use crate::config::{Global, Output};
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_planner::Finding;
use postseal_store::RuleFilter;
use serde_json::json;
use std::io::{self, BufWriter, ErrorKind, Write};

/// Rules a page.
pub(super) const PAGE: usize = 20_000;

pub(super) fn all(
    args: &ListArgs,
    filter: &RuleFilter,
    session: &mut Session,
    global: &Global,
) -> Result<Answer, Failure> {
    let mut out = Out {
        output: global.output,
        to: BufWriter::new(io::stdout().lock()),
        rules: 0,
        findings: Vec::new(),
    };
    let most = match args.limit {
        0 => usize::MAX,
        limit => limit,
    };
    let mut written = out.head();
    let mut more = false;
    while written.is_ok() {
        let room = most - out.rules;
        // One more tells whether there are more.
        let ask = room.min(PAGE).saturating_add(1);
        let skip = args.skip.saturating_add(out.rules);
        let mut found = session.engine().list_rules(filter, skip, ask)?;
        more = found.len() == ask;
        found.truncate(ask - 1);
        written = out.page(&Page::of(found, session)?);
        if !more || out.rules >= most {
            break;
        }
    }
    let next = more.then_some(args.skip.saturating_add(out.rules));
    match written.and_then(|()| out.tail(next, global)) {
        // Who reads no further has what was wanted.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(failed(&error)),
        _ => Ok(Answer::silent()),
    }
}

fn failed(error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, "policy.list", error.to_string())
}

/// Rules on their way out.
struct Out<W: Write> {
    output: Output,
    to: W,
    rules: usize,
    findings: Vec<Finding>,
}

impl<W: Write> Out<W> {
    fn head(&mut self) -> io::Result<()> {
        match self.output {
            Output::Json => write!(
                self.to,
                "{{\n  \"schema\": 1,\n  \"changed\": false,\n  \"rules\": ["
            ),
            Output::Text => Ok(()),
        }
    }

    fn page(&mut self, page: &Page) -> io::Result<()> {
        // Each page is told of what is wrong with all of it.
        for finding in &page.standings.hindered.findings {
            if !self.findings.contains(finding) {
                self.findings.push(finding.clone());
            }
        }
        let begun = self.rules > 0;
        self.rules += page.rules.len();
        if self.output == Output::Text {
            let text = page.text().unwrap_or_default();
            return self.to.write_all(printable(&text).as_bytes());
        }
        for (i, document) in page.documents().enumerate() {
            let comma = if begun || i > 0 { "," } else { "" };
            write!(self.to, "{comma}\n{document:#}")?;
        }
        Ok(())
    }

    /// What is told after the rules; `next`: so many were listed, and there are more.
    fn tail(&mut self, next: Option<usize>, global: &Global) -> io::Result<()> {
        if self.output == Output::Json {
            let warnings: Vec<_> = global.warnings.take();
            let warnings: Vec<_> = warnings.iter().map(Failure::document).collect();
            let (more, findings) = (next.is_some(), json!(self.findings));
            write!(
                self.to,
                "\n],\n  \"more\": {more},\n  \"findings\": {findings:#}"
            )?;
            if !warnings.is_empty() {
                write!(self.to, ",\n  \"warnings\": {:#}", json!(warnings))?;
            }
            writeln!(self.to, "\n}}")?;
            return self.to.flush();
        }
        if self.rules == 0 {
            self.to.write_all(NONE.as_bytes())?;
        }
        if let Some(next) = next {
            let told = format!("There are more: --skip {next}, or -n 0 for all.\n");
            self.to.write_all(told.as_bytes())?;
        }
        let findings = findings_text(&self.findings);
        self.to.write_all(printable(&findings).as_bytes())?;
        self.to.flush()
    }
}

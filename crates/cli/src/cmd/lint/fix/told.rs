//! What `lint --fix` says: what is fixed and by which wishes, what is left and why.
//!
//! Owns: the words and the document. Never: decides what is fixed.

use super::super::{form, with_asked};
use super::ignore;
use crate::answer::named;
use crate::config::{Global, Talk};
use crate::failure::Failure;
use postseal_planner::mend::Mended;
use postseal_planner::{Finding, Severity, Wish};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What is said.
pub(super) struct Told<'a> {
    found: usize,
    fixed: Vec<&'a Finding>,
    wishes: Vec<String>,
    left: Vec<Finding>,
}

impl<'a> Told<'a> {
    /// With what others than lint's rules find, and without what is not to be told.
    pub(super) fn of(
        mended: &'a Mended,
        asked: Vec<Finding>,
        global: &Global,
    ) -> Result<Self, Failure> {
        let left = with_asked(mended.after.clone(), asked);
        Ok(Self {
            found: mended.before.len(),
            fixed: mended.fixed().collect(),
            wishes: mended.wishes.iter().filter_map(Wish::text).collect(),
            left: ignore::sort(left, global)?.findings,
        })
    }

    /// Whether something is left that is at least this bad.
    pub(super) fn is_as_bad_as(&self, severity: Severity) -> bool {
        self.left.iter().any(|finding| finding.severity >= severity)
    }

    /// For programs.
    pub(super) fn extend(&self, document: &mut Value) {
        document["wishes"] = json!(self.wishes);
        document["fixed"] = json!(self.fixed);
        document["left"] = json!(self.left);
    }

    /// For people.
    pub(super) fn text(&self, global: &Global) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = match (self.found, self.fixed.len()) {
            (0, _) => writeln!(text, "Nothing found."),
            (_, 0) => writeln!(text, "Nothing to fix by itself."),
            (found, fixed) => writeln!(text, "Fixes {fixed} of {found} findings:"),
        };
        for finding in &self.fixed {
            let severity = named(finding.severity);
            let _ = writeln!(text, "  {severity}: {} [{}]", finding.message, finding.code);
        }
        if !self.wishes.is_empty() {
            let _ = writeln!(text, "by these wishes:\n  {}", self.wishes.join("\n  "));
        }
        text + &self.left(global)
    }

    /// Findings that stay: those that only inform are counted, for there is nothing to decide.
    fn left(&self, global: &Global) -> String {
        let mut text = String::new();
        let (notes, grave): (Vec<&Finding>, Vec<&Finding>) = self
            .left
            .iter()
            .partition(|finding| finding.severity == Severity::Info);
        if !grave.is_empty() {
            text.push_str("Left, because somebody has to decide or to do something:\n");
            text.extend(grave.into_iter().map(form::with_fix));
        }
        // Writing to a String cannot fail.
        let _ = match (notes.len(), global.talk == Talk::Verbose) {
            (0, _) => Ok(()),
            (_, true) => {
                let notes: String = notes.into_iter().map(form::with_fix).collect();
                write!(text, "Left as it is:\n{notes}")
            }
            (1, false) => writeln!(text, "1 note is left as it is (-v shows it)."),
            (count, false) => writeln!(text, "{count} notes are left as they are (-v shows them)."),
        };
        text
    }
}

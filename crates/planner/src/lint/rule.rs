//! Rules as data, and findings made from them.
//!
//! Owns: the shape of a rule, the joining of findings that say the same of several places.
//! Never: a rule itself.

use super::context::{Service, Setting};
use crate::finding::{Evidence, Fix};
use crate::{Finding, Severity};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// A rule, as `lint --explain CODE` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable code, `family.what`.
    pub code: &'static str,
    /// How bad it usually is; a finding may be milder or worse where it stands.
    pub severity: Severity,
    /// What it is about, a few words.
    pub title: &'static str,
    /// What follows from it, as Postfix was seen to behave.
    pub why: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Where to read more: parameters with the Postfix they came with, RFCs with their section,
    /// guidelines. Empty where nobody wrote of it.
    pub references: &'static [&'static str],
}

/// A row of a rule table.
pub(crate) const fn rule(
    code: &'static str,
    severity: Severity,
    title: &'static str,
    why: &'static str,
    remedy: &'static str,
) -> Rule {
    Rule {
        code,
        severity,
        title,
        why,
        remedy,
        references: &[],
    }
}

impl Rule {
    /// A finding of this rule that says `message`.
    pub(crate) fn says(&self, message: impl Into<String>) -> Finding {
        Finding::new(self.code, self.severity, message, self.remedy)
    }

    /// A finding of this rule that says what the rule says of every place.
    pub(super) fn found(&self) -> Finding {
        self.says(self.why)
    }
}

/// Finding-making in one chain.
pub(super) trait Place: Sized {
    /// At a setting, where there is one.
    fn on(self, setting: Option<&Setting<'_>>) -> Self;
    /// At a service's line, where there is one.
    fn of(self, service: Option<&Service<'_>>) -> Self;
    /// With these words, where no place was found: a default has none.
    fn or_seen(self, words: &str) -> Self;
    /// As bad as this instead.
    fn severe(self, severity: Severity) -> Self;
    /// With this remedy instead.
    fn remedy(self, remedy: impl Into<String>) -> Self;
}

impl Place for Finding {
    fn on(self, setting: Option<&Setting<'_>>) -> Self {
        match setting {
            Some(setting) => self.at(setting.file, setting.line, setting.text.clone()),
            None => self,
        }
    }

    fn of(self, service: Option<&Service<'_>>) -> Self {
        match service {
            Some(service) => self.at(service.file, service.line, service.text.clone()),
            None => self,
        }
    }

    fn or_seen(self, words: &str) -> Self {
        match self.evidence.is_empty() {
            true => self.seen(words),
            false => self,
        }
    }

    fn severe(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

/// Joins findings with the same code and message: one finding, all places.
pub(super) fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let targets = targets(&findings);
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut joined = HashSet::new();
    for (finding, at) in findings.into_iter().zip(targets) {
        match merged.get_mut(at) {
            Some(earlier) => {
                joined.insert(at);
                earlier.severity = earlier.severity.max(finding.severity);
                earlier.evidence.extend(finding.evidence);
                earlier.fix = both(earlier.fix.take(), finding.fix);
            }
            None => merged.push(finding),
        }
    }
    for at in joined {
        if let Some(finding) = merged.get_mut(at) {
            let mut places: HashSet<Evidence> = HashSet::new();
            finding
                .evidence
                .retain(|place| places.insert(place.clone()));
            if let Some(fix) = &mut finding.fix {
                let mut wishes = HashSet::new();
                fix.set.retain(|wish| wishes.insert(wish.clone()));
            }
        }
    }
    merged
}

/// The fixes of two places; taken by name where one of them is. Wishes may stand twice.
fn both(one: Option<Box<Fix>>, other: Option<Box<Fix>>) -> Option<Box<Fix>> {
    match (one, other) {
        (Some(mut one), Some(other)) => {
            one.set.extend(other.set);
            one.taken = one.taken.max(other.taken);
            if one.says.is_empty() {
                one.says = other.says;
            }
            Some(one)
        }
        (one, other) => one.or(other),
    }
}

/// So many findings of a code are told; nobody reads more.
const OF_A_CODE: usize = 100;

/// What stands for findings that are left out.
pub(super) fn and_more(count: usize) -> String {
    format!("and {count} more like this, which are left out")
}

/// Keeps the first findings of each code and says how many more there are.
pub(super) fn limited(findings: Vec<Finding>) -> Vec<Finding> {
    let mut of_a_code: HashMap<Cow<'static, str>, usize> = HashMap::new();
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len().min(1000));
    for finding in findings {
        let count = match of_a_code.get_mut(&finding.code) {
            Some(count) => count,
            None => of_a_code.entry(finding.code.clone()).or_default(),
        };
        *count += 1;
        if *count <= OF_A_CODE {
            kept.push(finding);
        }
    }
    for finding in kept.iter_mut().rev() {
        let left_out = of_a_code.remove(&finding.code).unwrap_or_default();
        if left_out > OF_A_CODE {
            let words = and_more(left_out - OF_A_CODE);
            finding.evidence.push(Evidence {
                text: words,
                ..Evidence::default()
            });
        }
    }
    kept
}

/// Where each finding goes: the index among those that say something new.
fn targets(findings: &[Finding]) -> Vec<usize> {
    let mut first: HashMap<(&str, &str), usize> = HashMap::with_capacity(findings.len());
    let mut targets = Vec::with_capacity(findings.len());
    for finding in findings {
        let new = first.len();
        let key = (&*finding.code, finding.message.as_str());
        targets.push(*first.entry(key).or_insert(new));
    }
    targets
}

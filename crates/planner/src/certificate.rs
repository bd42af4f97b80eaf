//! Certificate problems as findings.
//!
//! Owns: how grave each is for a mail server. Never: finds one (`mailtls` does).

use crate::{Finding, Severity};
use mailtls::{CertProblem, Gravity};
use std::borrow::Cow;

/// The finding of a certificate problem. Soon expiring is no error yet.
pub fn certificate_finding(problem: &CertProblem) -> Finding {
    let severity = match (problem.code, problem.gravity) {
        ("cert.expiring", _) => Severity::Warning,
        (_, Gravity::Note) => Severity::Info,
        (_, Gravity::Warning) => Severity::Warning,
        (_, Gravity::Error) => Severity::Error,
    };
    Finding {
        code: Cow::Borrowed(problem.code),
        severity,
        message: sentence(&problem.message),
        evidence: Vec::new(),
        remedy: problem.remedy.clone(),
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let mut sentence: String = first.chain(letters).collect();
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

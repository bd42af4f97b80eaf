//! Files of the facts, and findings made of a certificate's problems.
//!
//! Owns: the translation. Never: decides what is a problem.

use super::table::RULES;
use crate::Finding;
use crate::certificate::{Shown, gravity_of_kept};
use crate::facts::FileLook;
use crate::lint::context::{Context, Setting};
use crate::lint::rule::Place as _;
use mailtls::{CertError, CertProblem};

/// What reading a file gave.
pub(super) enum Read<'a> {
    /// Its content.
    Bytes(&'a [u8]),
    /// It cannot be read.
    Fault(CertError),
    /// Only root may read it, and somebody else looked.
    Denied,
    /// The facts do not say.
    NotLookedAt,
}

/// The content of `path`, as the facts have it.
pub(super) fn read<'a>(context: &Context<'a>, path: &str) -> Read<'a> {
    match context.look(path) {
        None => Read::NotLookedAt,
        Some(FileLook::File { bytes, .. }) => Read::Bytes(bytes),
        Some(FileLook::Missing) => Read::Fault(CertError::Missing),
        Some(FileLook::Directory) => Read::Fault(CertError::IsDirectory),
        Some(FileLook::Special) => Read::Fault(CertError::NotPem),
        Some(FileLook::Unreadable(why)) => Read::Fault(CertError::Unreadable(why.clone())),
        Some(FileLook::Denied(_)) => Read::Denied,
        Some(FileLook::TooLarge(size)) => Read::Fault(CertError::TooLarge(*size)),
    }
}

/// A finding of a certificate's problem; the rule says how grave it is for mail.
pub(super) fn problem(
    problem: &CertProblem,
    path: Option<&str>,
    place: Option<&Setting<'_>>,
    shown: Shown,
) -> Finding {
    let rule = RULES.iter().find(|rule| rule.code == problem.code);
    let severity = gravity_of_kept(problem, shown);
    let message = match path {
        Some(path) => format!("{path}: {}.", problem.message),
        None => format!("{}.", problem.message),
    };
    // A relative path in main.cf does not start where the caller stands.
    let missing = rule.filter(|_| problem.code == CertError::Missing.code());
    let remedy = missing.map_or_else(|| problem.remedy.clone(), |rule| rule.remedy.into());
    Finding::new(problem.code, severity, message, remedy).on(place)
}

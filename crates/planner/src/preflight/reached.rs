//! How far a probe came, in the terms of a policy.
//!
//! Owns: telling "it has no TLS" from "it could not be seen": a 421, a delay, a firewall and a
//! refused connection say nothing of TLS. Never: knows a level.

use super::Lack;
use crate::report::{Handshake, Report, Stage, StageName, StageOutcome};

/// How far it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reached<'r> {
    /// A handshake succeeded.
    Tls(&'r Handshake),
    /// The server speaks SMTP, and no TLS that works.
    NoTls(Lack),
    /// Nothing is known.
    Unknown(String),
}

pub(super) fn reached(report: &Report) -> Reached<'_> {
    let failed = report
        .stages
        .iter()
        .find(|stage| stage.outcome != StageOutcome::Ok);
    match (failed, &report.handshake) {
        (None, Some(handshake)) => Reached::Tls(handshake),
        (None, None) => Reached::Unknown("the look ended early".to_owned()),
        (Some(stage), handshake) => failure(report, stage, handshake.as_ref()),
    }
}

fn failure<'r>(report: &Report, stage: &Stage, seen: Option<&'r Handshake>) -> Reached<'r> {
    let words = match &stage.outcome {
        StageOutcome::Closed => return Reached::Unknown("nothing listens there".to_owned()),
        StageOutcome::Unknown(why) => return Reached::Unknown(about(stage.name, why)),
        StageOutcome::Refused(words) => words,
        StageOutcome::Ok => "",
    };
    match stage.name {
        // smtp(8) says HELO then, and knows of no STARTTLS.
        StageName::Ehlo if code(words) == Some('5') => Reached::NoTls(Lack::new(
            "policy.no-starttls",
            format!("it refuses EHLO ({words})"),
        )),
        StageName::StartTls if !offers_starttls(report) => Reached::NoTls(Lack::new(
            "policy.no-starttls",
            "it does not offer STARTTLS",
        )),
        StageName::StartTls if !words.starts_with("421") => Reached::NoTls(Lack::new(
            "policy.starttls-refused",
            format!("it offers STARTTLS and does not start it ({words})"),
        )),
        StageName::Handshake => Reached::NoTls(Lack::new(
            "policy.handshake-failed",
            format!("the TLS handshake fails ({words})"),
        )),
        StageName::Floor => seen.map_or(Reached::Unknown(words.to_owned()), Reached::Tls),
        name => Reached::Unknown(about(name, words)),
    }
}

fn offers_starttls(report: &Report) -> bool {
    let mut words = report
        .ehlo_before
        .iter()
        .filter_map(|line| line.split(' ').next());
    words.any(|word| word.eq_ignore_ascii_case("STARTTLS"))
}

/// The first digit of a reply.
fn code(words: &str) -> Option<char> {
    let digits = words.get(..3)?;
    let is_code = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| digits.chars().next())?
}

fn about(stage: StageName, words: &str) -> String {
    let where_ = match stage {
        StageName::Connect => "no connection",
        StageName::Banner => "in place of a greeting",
        StageName::Ehlo => "after EHLO",
        StageName::StartTls => "after STARTTLS",
        StageName::Handshake => "in the handshake",
        StageName::EhloUnderTls => "after the handshake",
        StageName::MailBeforeTls | StageName::Auth | StageName::Floor => "later",
    };
    format!("{where_}: {words}")
}

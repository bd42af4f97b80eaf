//! Rules on dates.

use super::{CertProblem, Gravity};
use crate::Certificate;
use crate::lifetime::{Stage, stage};

pub(super) const DAY: i64 = 86_400;
/// What ends within these seconds cannot wait for the next look.
pub(super) const URGENT: i64 = 7 * DAY;

pub(super) fn judge(leaf: &Certificate, now: i64, found: &mut Vec<CertProblem>) {
    const RENEW: &str = "Renew the certificate.";
    let left = leaf.not_after.saturating_sub(now);
    let mut push = |code, gravity, message: String, remedy| {
        found.push(CertProblem::new(code, gravity, message, remedy));
    };
    match stage(leaf.not_before, leaf.not_after, now) {
        Stage::Fine => {}
        Stage::Expired => {
            let message = format!(
                "{} expired {} ago",
                leaf.subject,
                span(left.saturating_neg())
            );
            push("cert.expired", Gravity::Error, message, RENEW);
        }
        Stage::NotYetValid => {
            let wait = span(leaf.not_before.saturating_sub(now));
            let message = format!("{} is not valid yet, for {wait}", leaf.subject);
            let remedy = "Wait until it is valid, or check this host's clock.";
            push("cert.not-yet-valid", Gravity::Error, message, remedy);
        }
        late => {
            let gravity = match late {
                Stage::Urgent => Gravity::Error,
                _ => Gravity::Warning,
            };
            let message = format!("{} expires in {}", leaf.subject, span(left));
            push("cert.expiring", gravity, message, RENEW);
        }
    }
}

pub(super) fn judge_issuer(issuer: &Certificate, now: i64, found: &mut Vec<CertProblem>) {
    if (issuer.not_before..=issuer.not_after).contains(&now) {
        return;
    }
    let wait = issuer.not_before.saturating_sub(now);
    let (code, when, remedy) = if wait > 0 {
        (
            "cert.issuer-not-yet-valid",
            format!("yet, for {}", span(wait)),
            "Wait until it is valid, or check this host's clock.",
        )
    } else {
        (
            "cert.issuer-expired",
            "any more".to_owned(),
            "Take the CA's current intermediate certificate.",
        )
    };
    found.push(CertProblem::new(
        code,
        Gravity::Error,
        format!("the intermediate {} is not valid {when}", issuer.subject),
        remedy,
    ));
}

/// A span of time in words: days, hours below two days, minutes below two hours.
pub fn span(seconds: i64) -> String {
    const HOUR: i64 = 3600;
    match seconds {
        s if s >= 2 * DAY => format!("{} days", s / DAY),
        s if s >= 2 * HOUR => format!("{} hours", s / HOUR),
        s if s >= 120 => format!("{} minutes", s / 60),
        60.. => "1 minute".to_owned(),
        _ => "less than a minute".to_owned(),
    }
}

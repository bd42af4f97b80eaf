//! Certificates, wherever they stand.
//!
//! Owns: one as it is shown, and how much of its life is left. Never: judges one.

use super::doc::Doc;
use super::glance::Said;
use super::when::seconds;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A certificate of the store as it is shown.
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) names: String,
    pub(crate) key: String,
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) serial: String,
    pub(crate) fingerprint: String,
    pub(crate) until: String,
    pub(crate) used_by: Vec<String>,
    pub(crate) source: String,
    pub(crate) self_signed: bool,
    /// Why it cannot be chosen; empty where it can.
    pub(crate) unfit: &'static str,
    pub(crate) left: Left,
}

/// What is left of a life.
pub(crate) struct Left {
    pub(crate) words: String,
    /// Of a hundred.
    pub(crate) share: i64,
    /// `fine`, `soon`, `over`.
    pub(crate) state: &'static str,
    days: i64,
}

impl Shown {
    /// Those of a list, by the days that are left.
    pub(crate) fn all(doc: &Doc, now_ms: i64) -> Vec<Self> {
        let list = doc.list("certificates");
        let mut all: Vec<Self> = list
            .iter()
            .map(|one| Self::of(one, now_ms / 1000))
            .collect();
        all.sort_by_key(|one| one.left.days);
        all
    }

    fn of(doc: &Doc, now: i64) -> Self {
        let mut names = doc.words("names");
        names.extend(doc.words("addresses"));
        let left = Left::of(&doc.text("not_before"), &doc.text("not_after"), now);
        Self {
            unfit: unfit(doc, &left),
            name: doc.text("name"),
            names: names.join(" "),
            key: doc.text("key"),
            subject: doc.text("subject"),
            issuer: doc.text("issuer"),
            serial: doc.text("serial"),
            fingerprint: doc.text("fingerprint"),
            until: doc.text("not_after"),
            used_by: doc.words("used_by"),
            source: doc.text("source"),
            self_signed: doc.is_true("self_signed"),
            left,
        }
    }

    /// Whether a service presents it, or will.
    pub(crate) fn is_used(&self) -> bool {
        !self.used_by.is_empty()
    }

    /// What is wrong with one that is presented, as far as it is known here; findings say the rest.
    pub(crate) fn trouble(&self) -> Option<Said> {
        let name = &self.name;
        match self.left.days {
            ..0 => Some(Said::new(
                "fail",
                format!("Certificate {name} has expired: peers that verify refuse it."),
            )),
            _ if self.self_signed => Some(Said::new(
                "warning",
                format!("Certificate {name} is self-signed: nobody can verify it."),
            )),
            // Where its dates cannot be read there is nothing to count.
            i64::MAX => None,
            days if self.left.state == "over" => Some(Said::new(
                "warning",
                format!("Certificate {name} ends in {}.", in_days(days)),
            )),
            _ => None,
        }
    }

    /// What it is found by.
    pub(crate) fn words(&self) -> String {
        [
            &self.name,
            &self.names,
            &self.subject,
            &self.issuer,
            &self.serial,
            &self.fingerprint,
        ]
        .map(String::as_str)
        .join(" ")
    }
}

/// What `cert bind` refuses in any case; the rest is said by the plan.
fn unfit(doc: &Doc, left: &Left) -> &'static str {
    match () {
        () if !doc.is_true("has_key") => "its private key is not in the store",
        () if left.days < 0 => "it has expired",
        () if doc.is_true("self_signed") => {
            "only its own key vouches for it: `postseal cert bind --allow-self-signed` on the host"
        }
        () => "",
    }
}

impl Left {
    fn of(from: &str, until: &str, now: i64) -> Self {
        let (Some(from), Some(until)) = (seconds(from), seconds(until)) else {
            return Self {
                words: String::new(),
                share: 0,
                state: "over",
                days: i64::MAX,
            };
        };
        let (whole, left) = ((until - from).max(1), until - now);
        let days = left.div_euclid(DAY);
        let share = (left.clamp(0, whole) as i128 * 100 / i128::from(whole)) as i64;
        Self {
            words: match days {
                ..0 => format!("expired {} ago", in_days(-days)),
                _ => format!("{days} of {}", in_days(whole / DAY)),
            },
            share,
            // As `status --nagios` has it: a tenth is critical, a third is a warning.
            state: match share {
                ..10 => "over",
                10..34 => "soon",
                _ => "fine",
            },
            days,
        }
    }
}

fn in_days(days: i64) -> String {
    match days {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

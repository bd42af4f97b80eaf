//! Certificates, wherever they stand.
//!
//! Owns: one as it is shown, and how much of its life is left. Never: judges one.

use super::doc::Doc;
use super::finding::Found;
use super::glance::Said;
use super::picker::{Asked, Match};
use super::when::{When, seconds};
use mailtls::{Stage, stage};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A certificate of the store as it is shown.
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) names: String,
    /// What of the names that are asked for it is for.
    pub(crate) matched: Match,
    /// What is wrong with it, the worst first, as far as the agent has looked.
    pub(crate) found: Vec<Found>,
    pub(crate) key: String,
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) serial: String,
    pub(crate) fingerprint: String,
    pub(crate) until: String,
    pub(crate) used_by: Vec<String>,
    pub(crate) source: String,
    pub(crate) version: String,
    pub(crate) chain_length: String,
    pub(crate) has_key: bool,
    pub(crate) self_signed: bool,
    /// A newer version that is not in force: its number, until when it is valid, and what it waits for.
    pub(crate) waiting: Option<(String, String, Vec<Found>)>,
    /// How it is renewed, a line each; nothing where it is not.
    pub(crate) renewal: Vec<(&'static str, String)>,
    /// Why it cannot be chosen; empty where it can.
    pub(crate) unfit: String,
    pub(crate) left: Left,
}

/// What is left of a life.
pub(crate) struct Left {
    pub(crate) words: String,
    /// Of a hundred.
    pub(crate) share: i64,
    /// `fine`, `soon`, `over`: what `status` makes a warning of, and what is critical there.
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

    /// The same, with what was found wrong with each (`cert check`), and which names it is for.
    pub(crate) fn judged(doc: &Doc, checks: &Doc, asked: &Asked, now_ms: i64) -> Vec<Self> {
        let mut all = Self::all(doc, now_ms);
        let checks = checks.list("findings");
        for one in &mut all {
            let own = checks
                .iter()
                .filter(|found| found.text("certificate") == one.name);
            one.found = Found::sorted(own.map(Found::of).collect());
            one.matched = asked.matched(one);
            // Told as a note of one that nothing presents: a client may show it.
            let bars = |found: &&Found| found.is_error() || found.code == "cert.no-server-auth";
            if let Some(worst) = one.found.iter().find(bars)
                && one.unfit.is_empty()
            {
                one.unfit.clone_from(&worst.message);
            }
        }
        all
    }

    /// Those that services present from files which the store does not hold, as `status` tells them.
    pub(crate) fn from_files(status: &Doc, now_ms: i64) -> Vec<Self> {
        let files = status.list("adopted_certificates");
        let own = files.iter().filter(|one| one.text("same_as").is_empty());
        own.map(|one| Self {
            name: one.text("path"),
            ..Self::of(one, now_ms / 1000)
        })
        .collect()
    }

    fn of(doc: &Doc, now: i64) -> Self {
        let mut names = doc.words("names");
        names.extend(doc.words("addresses"));
        let left = Left::of(&doc.text("not_before"), &doc.text("not_after"), now);
        Self {
            unfit: unfit(doc, &left).to_owned(),
            matched: Match::default(),
            found: Vec::new(),
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
            version: doc.text("version"),
            chain_length: doc.text("chain_length"),
            has_key: doc.is_true("has_key"),
            waiting: waiting(&doc.at("waiting")),
            renewal: renewal(&doc.at("renewal")),
            self_signed: doc.is_true("self_signed"),
            left,
        }
    }

    /// Whether a service presents it, or will.
    pub(crate) fn is_used(&self) -> bool {
        !self.used_by.is_empty()
    }

    /// Whether it is presented to clients that ask for this name, or will be.
    pub(crate) fn is_bound_to(&self, name: &str) -> bool {
        let mut places = self.used_by.iter();
        places.any(|place| place.split_whitespace().any(|word| word == name))
    }

    /// The names that peers look for in it; its common name where it has no other.
    pub(crate) fn served(&self) -> Vec<String> {
        let names: Vec<String> = self.names.split_whitespace().map(str::to_owned).collect();
        let common = || {
            let mut parts = self.subject.split(", ");
            parts.find_map(|part| part.strip_prefix("CN="))
        };
        match names.is_empty() {
            true => common().map(str::to_owned).into_iter().collect(),
            false => names,
        }
    }

    /// Whether a service presents it now: a place whose binding waits for something says for what, as `smtpd (pending)`.
    pub(crate) fn is_presented(&self) -> bool {
        self.used_by.iter().any(|place| !place.contains('('))
    }

    /// Whether a form's choice is to bind it.
    pub(crate) fn is_bound_by(&self, choice: &str) -> bool {
        choice.strip_prefix("bind ") == Some(&self.name)
    }

    /// Whether a form's choice is to present it no longer.
    pub(crate) fn is_unbound_by(&self, choice: &str) -> bool {
        choice.strip_prefix("unbind ") == Some(&self.name)
    }

    /// What is wrong with one that is presented, as far as it is known here; findings and `status` say the rest.
    pub(crate) fn trouble(&self) -> Option<Said> {
        let words = format!(
            "Certificate {} is self-signed: nobody can verify it.",
            self.name
        );
        self.self_signed.then(|| Said::new("warning", words))
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

fn waiting(doc: &Doc) -> Option<(String, String, Vec<Found>)> {
    let waits = || {
        (
            doc.text("version"),
            doc.text("not_after"),
            Found::all(doc, "waits_for"),
        )
    };
    doc.is_there().then(waits)
}

fn renewal(doc: &Doc) -> Vec<(&'static str, String)> {
    let failure = doc.at("failure");
    let lines = [
        ("CA", doc.text("ca")),
        ("Challenge", doc.text("challenge")),
        ("State", doc.text("state")),
        ("Due", doc.text("due_at")),
        ("Last attempt", doc.text("last_attempt")),
        ("Failure", failure.text("message")),
        ("What to do", failure.text("remedy")),
    ];
    let said = lines.into_iter().filter(|(_, words)| !words.is_empty());
    said.collect()
}

/// A request that waits for its certificate.
pub(crate) struct Pending {
    pub(crate) name: String,
    pub(crate) names: String,
    pub(crate) made: When,
}

impl Pending {
    pub(crate) fn all(doc: &Doc, now_ms: i64) -> Vec<Self> {
        let list = doc.list("requests");
        let shown = list.iter().map(|one| Self {
            name: one.text("name"),
            names: one.words("names").join(" "),
            made: When::read(&one.text("made"), now_ms),
        });
        shown.collect()
    }
}

/// What `cert bind` refuses in any case; the rest is said by the plan.
fn unfit(doc: &Doc, left: &Left) -> &'static str {
    match () {
        () if !doc.is_true("has_key") => "its private key is not in the store",
        () if left.days < 0 => "it has expired",
        () if doc.is_true("self_signed") => {
            "only its own key vouches for it; its own page can bind it all the same"
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
            state: match stage(from, until, now) {
                Stage::Fine => "fine",
                Stage::Due => "soon",
                Stage::Urgent | Stage::Expired | Stage::NotYetValid => "over",
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

//! What was told, as it is remembered.
//!
//! Owns: the record of one instance, and its bounds. Never: stores it.

use super::{HOUR_MS, MOST_MAILS, Note, State};
use serde::{Deserialize, Serialize};

/// How long looks may meet a change that is under way before what they see counts, milliseconds.
const PATIENCE_MS: i64 = HOUR_MS / 2;
/// So many mails are remembered, the newest first.
const KEPT: usize = 20;

/// What was told of one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notices {
    /// What was told last; none before the first look.
    pub base: Option<Base>,
    /// The mails that were handed in, the newest first.
    pub mails: Vec<Mail>,
    /// A mail that is being handed in, or could not be.
    pub hand_in: Option<HandIn>,
    /// Since when every look met a change that was under way, milliseconds since the epoch.
    #[serde(default)]
    pub changing_ms: Option<i64>,
}

/// How far two moments are from each other, milliseconds. What a clock noted that was put back since is no longer in force
/// for all the time by which it was wrong.
pub(super) fn apart(one_ms: i64, other_ms: i64) -> i64 {
    one_ms.saturating_sub(other_ms).saturating_abs()
}

/// What the next look is held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The state.
    pub state: State,
    /// Its causes.
    pub causes: Vec<Note>,
    /// The newest operation that had ended.
    pub operation: u64,
    /// When it was told, or found at the first look, milliseconds since the epoch.
    pub told_ms: i64,
}

impl Base {
    /// Whether a cause is no news: it was there, and no better than now.
    pub(super) fn has(&self, cause: &Note) -> bool {
        let same = |one: &&Note| one.about == cause.about;
        let known = self.causes.iter().filter(same).map(|one| one.state).max();
        known >= Some(cause.state)
    }
}

/// What a mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It tells what becomes critical, stays so, or is so no longer.
    Critical,
    /// It tells anything else of the state.
    State,
    /// Somebody wanted to see whether it arrives.
    Test,
}

impl Kind {
    /// In one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::State => "state",
            Self::Test => "test",
        }
    }
}

/// A mail that Postfix took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// What it was for.
    pub kind: Kind,
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
    /// Its subject.
    pub subject: String,
    /// To whom.
    pub to: Vec<String>,
    /// Under which queue id, where the log told it.
    pub queue_id: Option<String>,
    /// What the log told of its deliveries, soon after.
    pub delivered: Vec<Delivered>,
}

/// A delivery, as Postfix logged it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// To whom.
    pub to: String,
    /// `sent`, `deferred`, `bounced`.
    pub status: String,
    /// What the server said, or why not.
    pub words: String,
}

/// A mail that tells a state, on its way to Postfix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandIn {
    /// Since when, milliseconds since the epoch.
    pub since_ms: i64,
    /// How often it was tried.
    pub tries: u32,
    /// What went wrong; none where it was interrupted.
    pub error: Option<String>,
}

impl Notices {
    /// Notes that a state is about to be told. It stands in the store before Postfix has the mail: where nothing can be
    /// remembered, nothing is sent, or it would be sent at every look.
    pub fn begin(&mut self, now_ms: i64) {
        let before = self.hand_in.take();
        self.hand_in = Some(HandIn {
            since_ms: before.as_ref().map_or(now_ms, |one| one.since_ms),
            tries: before.map_or(1, |one| one.tries.saturating_add(1)),
            error: None,
        });
    }

    /// Notes that Postfix did not take it.
    pub fn fail(&mut self, error: String) {
        if let Some(hand_in) = &mut self.hand_in {
            hand_in.error = Some(error);
        }
    }

    /// Notes that Postfix took a mail, and what is told by it.
    pub fn end(&mut self, mail: Mail, told: Option<Base>) {
        if let Some(base) = told {
            self.hand_in = None;
            self.base = Some(base);
        }
        self.mails.insert(0, mail);
        self.mails.truncate(KEPT);
    }

    /// Notes what the log told of the newest mail.
    pub fn follow(&mut self, queue_id: Option<String>, delivered: Vec<Delivered>) {
        if let Some(newest) = self.mails.first_mut() {
            newest.queue_id = queue_id;
            newest.delivered = delivered;
        }
    }

    /// Notes that a look met no change under way.
    pub fn meet_rest(&mut self) {
        self.changing_ms = None;
    }

    /// Notes that a look met a change that was under way. Whether what it saw counts: of a moment in which somebody
    /// changes something nothing is told, but who changes something without end keeps nothing back by it.
    pub fn meet_change(&mut self, now_ms: i64) -> bool {
        let since = *self.changing_ms.get_or_insert(now_ms);
        apart(since, now_ms) >= PATIENCE_MS
    }

    /// Whether a mail that is not taken rests before its next try: one of which Postfix said no may have gone all the same
    /// (`sendmail` was killed at its deadline), so that no more are tried within an hour than may go.
    pub(super) fn rests(&self, now_ms: i64) -> bool {
        let between_two = HOUR_MS / i64::try_from(MOST_MAILS).unwrap_or(1);
        self.hand_in.as_ref().is_some_and(|one| {
            let tries = i64::from(one.tries);
            let many = usize::try_from(one.tries).is_ok_and(|tries| tries >= MOST_MAILS);
            many && apart(one.since_ms, now_ms) < tries.saturating_mul(between_two)
        })
    }

    /// How many mails of a kind went within the hour, in either direction of a clock that is put back.
    pub(super) fn within_the_hour(&self, kind: Kind, now_ms: i64) -> usize {
        let young = |mail: &&Mail| apart(mail.at_ms, now_ms) < HOUR_MS;
        let mails = self.mails.iter().filter(|mail| mail.kind == kind);
        mails.filter(young).count()
    }
}

//! What is told by mail when nobody looks.
//!
//! Owns: whether anything is told, given what was told before, to whom, and how often at most. Never: looks, words a
//! mail, or sends one.
//!
//! Told is a change of the judgement that `status --nagios` makes, once, and never a look: a restart, or a look more,
//! finds what was told and is silent.

mod address;
mod memory;

pub use address::{Address, AddressError, MOST_ADDRESSES, Recipients};
pub use memory::{Base, Delivered, HandIn, Kind, Mail, Notices};

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A state that stays critical is told again after so long, milliseconds.
const REMINDER_MS: i64 = 24 * HOUR_MS;
/// In which time mails are counted, milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// No more mails of one kind within an hour: what flaps is told as it is when the next one may go, and keeps nothing
/// critical back.
pub const MOST_MAILS: usize = 6;

/// The judgement of a whole, as a monitor's plugin makes it. Ordered by how a whole is judged: nothing known is worse
/// than a warning, and seen to be wrong is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// As it should be.
    Ok,
    /// To be looked at.
    Warning,
    /// Could not be seen.
    Unknown,
    /// Seen to be wrong.
    Critical,
}

impl State {
    /// As monitors write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Unknown => "UNKNOWN",
            Self::Critical => "CRITICAL",
        }
    }
}

/// One cause of a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What it makes of the whole.
    pub state: State,
    /// What it is about, in words that stay the same while it lasts (`certificate mx ends`): so that days that go by
    /// are no news.
    pub about: String,
    /// The cause in a sentence, without a full stop.
    pub said: String,
}

impl Note {
    /// A cause.
    pub fn new(state: State, about: impl Into<String>, said: impl Into<String>) -> Self {
        Self {
            state,
            about: about.into(),
            said: said.into(),
        }
    }
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The causes; none where all is as it should be.
    pub causes: Vec<Note>,
    /// What operations that ended since the base came to, a sentence each: what is over at once has no state.
    pub news: Vec<String>,
    /// The newest operation that has ended.
    pub operation: u64,
}

impl Seen {
    /// The state of the whole: that of its worst cause.
    pub fn state(&self) -> State {
        worst(&self.causes)
    }

    fn base(&self, told_ms: i64) -> Base {
        Base {
            state: self.state(),
            causes: self.causes.clone(),
            operation: self.operation,
            told_ms,
        }
    }
}

/// What is to be done after a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing is told. This is the base from now on: causes that are gone would be news again.
    Silent(Base),
    /// It is to be told, and the base stays until it was.
    Tell(Telling),
    /// It is to be told, but enough was told within the hour.
    Later,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Why.
    pub why: Why,
    /// The state that was told before.
    pub before: State,
    /// The causes that are news, the worst first.
    pub new: Vec<Note>,
    /// By which kind of mail.
    pub kind: Kind,
    /// The base once it is told.
    pub base: Base,
}

/// Why something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The state is worse.
    Worse,
    /// The state is better.
    Better,
    /// The state is the same, for another reason.
    Cause,
    /// It is as critical as a day ago.
    Reminder,
    /// An operation ended in a way that somebody should know of.
    News,
}

/// What is told of what was seen, given what was told before. The first look is the base, and tells nothing.
pub fn decide(notices: &Notices, seen: &Seen, now_ms: i64) -> Decision {
    let Some(base) = &notices.base else {
        return Decision::Silent(seen.base(now_ms));
    };
    let state = seen.state();
    let mut new = seen.causes.clone();
    new.retain(|cause| !base.has(cause));
    new.sort_by_key(|cause| std::cmp::Reverse(cause.state));
    let is_due = state == State::Critical && memory::apart(base.told_ms, now_ms) >= REMINDER_MS;
    let why = match state.cmp(&base.state) {
        Ordering::Greater => Why::Worse,
        Ordering::Less => Why::Better,
        Ordering::Equal if !new.is_empty() => Why::Cause,
        Ordering::Equal if !seen.news.is_empty() => Why::News,
        Ordering::Equal if is_due => Why::Reminder,
        Ordering::Equal => return Decision::Silent(seen.base(base.told_ms)),
    };
    let is_critical = match why {
        Why::Worse => state == State::Critical,
        Why::Better => base.state == State::Critical,
        Why::Cause => worst(&new) == State::Critical,
        Why::Reminder => true,
        Why::News => false,
    };
    let kind = match is_critical {
        true => Kind::Critical,
        false => Kind::State,
    };
    if notices.within_the_hour(kind, now_ms) >= MOST_MAILS || notices.rests(now_ms) {
        return Decision::Later;
    }
    Decision::Tell(Telling {
        why,
        before: base.state,
        new,
        kind,
        base: seen.base(now_ms),
    })
}

/// Whether one more test may be sent now.
pub fn may_test(notices: &Notices, now_ms: i64) -> bool {
    notices.within_the_hour(Kind::Test, now_ms) < MOST_MAILS
}

fn worst(causes: &[Note]) -> State {
    let states = causes.iter().map(|cause| cause.state);
    states.max().unwrap_or(State::Ok)
}

#[cfg(test)]
mod tests;

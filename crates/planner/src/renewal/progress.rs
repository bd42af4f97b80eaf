//! How far a renewal is: every decision about its time.
//!
//! Owns: due or not, when to ask the CA (RFC 9773), how long to hold back after a failure, and when
//! a failure is over. Never: reads a clock or draws a number.
//!
//! Clocks jump. An attempt that lies in the future was made by a wrong clock, and holds nothing
//! back; but every attempt, also one by a wrong clock, is followed by a pause. So a certificate is
//! never blocked for ever, and a CA never called at every start.

use super::{
    Answer, Asked, Chosen, Decision, Failure, Here, Life, Mend, Moment, Presents, Progress,
};
use mailtls::{Window, renew_at};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// A clock that is put right by less has not jumped.
const TOLERANCE: i64 = 5 * MINUTE;
/// Nobody holds a renewal back for longer, not even a CA: the longest window of public CAs.
const HELD_BACK_AT_MOST: i64 = 7 * DAY;
/// How often a CA is asked for its window (RFC 9773, 4.3.2).
const ASK_AT_LEAST_AFTER: i64 = MINUTE;
const ASK_AT_MOST_AFTER: i64 = DAY;

impl Progress {
    /// What to do at `now`.
    pub fn decide(&self, life: &Life, here: Here<'_>, now: i64) -> Decision {
        match (self.held_back(now), self.due_at(life)) {
            (Some(until), _) if self.failure.is_some() => Decision::HeldBack { until },
            _ if self.waits(life, here) && self.is_replaced(life, now) => Decision::Order,
            _ if self.waits(life, here) => Decision::Deploy,
            (Some(until), at) => Decision::NotDue { at: at.max(until) },
            (None, at) if at <= now => Decision::Order,
            (None, at) => Decision::NotDue { at },
        }
    }

    /// When the certificate is to be renewed: the moment that was drawn, else the latest one.
    pub fn due_at(&self, life: &Life) -> i64 {
        let window = self.window(life);
        let drawn = self.chosen.as_ref();
        let drawn = drawn.filter(|chosen| chosen.of == life.of && chosen.window == window);
        drawn.map_or_else(
            || renew_at(life.not_before, life.not_after, window, 0),
            |chosen| chosen.at,
        )
    }

    /// Draws the moment, where none has been drawn for this certificate and window.
    pub fn choose(&mut self, life: &Life, chance: u64) {
        let window = self.window(life);
        let known = self.chosen.as_ref();
        if known.is_some_and(|chosen| chosen.of == life.of && chosen.window == window) {
            return;
        }
        self.chosen = Some(Chosen {
            of: life.of,
            window,
            at: renew_at(life.not_before, life.not_after, window, chance),
        });
    }

    /// Whether the CA is to be asked for its window.
    pub fn asks(&self, life: &Life, now: i64) -> bool {
        let asked = self.asked.as_ref().filter(|asked| asked.of == life.of);
        asked.is_none_or(|asked| {
            let by_a_wrong_clock = now.saturating_add(TOLERANCE) < asked.at;
            now >= asked.again || by_a_wrong_clock
        })
    }

    /// Notes the CA's answer. An answer that never came changes nothing but when to ask again.
    pub fn answered(&mut self, life: &Life, answer: Answer, now: i64) {
        let known = self.asked.take().filter(|asked| asked.of == life.of);
        let (window, explanation, after) = match answer {
            Answer::Window {
                window,
                explanation,
                after,
            } => (Some(window), explanation, after),
            Answer::NoWindow => (None, None, ASK_AT_MOST_AFTER),
            Answer::Silence => {
                let known = known.map(|asked| (asked.window, asked.explanation));
                let (window, explanation) = known.unwrap_or_default();
                (window, explanation, HOUR)
            }
        };
        self.asked = Some(Asked {
            of: life.of,
            window,
            explanation,
            at: now,
            again: now.saturating_add(after.clamp(ASK_AT_LEAST_AFTER, ASK_AT_MOST_AFTER)),
        });
    }

    /// Notes a failure: held back until the CA's own time, else twice as long as the last time.
    pub fn failed(&mut self, failure: Failure, retry_at: Option<i64>, life: &Life, moment: Moment) {
        self.failures = self.failures.saturating_add(1);
        self.last_attempt = Some(moment.now);
        let pause = pause(self.failures, life, moment.chance);
        let asked = retry_at.map_or(0, |at| at.saturating_sub(moment.now));
        let wait = asked.max(pause).min(HELD_BACK_AT_MOST);
        self.not_before = Some(moment.now.saturating_add(wait));
        self.failure = Some(failure);
    }

    /// Notes that a newer version is stored. It waits for every instance that binds the name. The next one is not ordered
    /// at once, even if a wrong clock takes it for old.
    pub fn issued(&mut self, life: &Life, moment: Moment) {
        let whole = life.not_after.saturating_sub(life.not_before).max(0);
        // A CA that answers, but with what cannot be put in force, is not asked each hour.
        let fruitless = self.failure.as_ref().is_some_and(|one| one.of.is_some());
        *self = Self {
            last_attempt: Some(moment.now),
            failures: if fruitless { self.failures } else { 0 },
            not_before: Some(moment.now.saturating_add((whole / 10).min(DAY))),
            presented: std::mem::take(&mut self.presented),
            ..Self::default()
        };
        self.choose(life, moment.chance);
    }

    /// Whether the newest version has to be presented: an older one is, and not because somebody
    /// went back to it after a renewal had put this one in force.
    pub fn waits(&self, life: &Life, here: Here<'_>) -> bool {
        here.presents == Presents::Older && self.presented.get(here.instance) != Some(&life.of)
    }

    /// Notes that the newest version is presented wherever an instance binds the name.
    pub fn deployed(&mut self, life: &Life, instance: &str) {
        self.presented.insert(instance.to_owned(), life.of);
        self.failures = 0;
        self.failure = None;
    }

    /// Takes note of what the instance presents. Over is a failure to put a version in force that is
    /// in force now, however it came there (`cert bind` and `apply`), or that is the newest no more
    /// (`cert delete --version`). Nothing has to tell this at its time: it is seen.
    pub fn settle(&mut self, life: &Life, here: Here<'_>) {
        if here.presents == Presents::Newest {
            self.presented.insert(here.instance.to_owned(), life.of);
        }
        if self.failure.is_none() && !self.waits(life, here) {
            self.failures = 0;
        }
        let of = self.failure.as_ref().and_then(|failure| failure.of);
        if of.is_some_and(|of| of != life.of || !self.waits(life, here)) {
            self.failures = 0;
            self.failure = None;
        }
    }

    /// Notes that the newest version could not be presented, but for a reason that passes.
    pub fn postponed(&mut self, failure: Failure) {
        self.failure = Some(failure);
        self.not_before = None;
    }

    /// Forgets a failure that no longer matters: it was tried by force, and is not due.
    pub fn forget_failure(&mut self) {
        self.failures = 0;
        self.failure = None;
        self.not_before = None;
    }

    /// Whether another one is ordered in the place of the newest version, which could not be put in
    /// force and never can.
    fn is_replaced(&self, life: &Life, now: i64) -> bool {
        let failure = self.failure.as_ref();
        let failure = failure.filter(|failure| failure.of == Some(life.of));
        failure.is_some_and(|failure| match failure.mend {
            Mend::Itself => false,
            Mend::Order => true,
            Mend::OrderWhenDue => self.due_at(life) <= now,
        })
    }

    /// Until when nothing is tried.
    fn held_back(&self, now: i64) -> Option<i64> {
        let tried = self.last_attempt?;
        if now.saturating_add(TOLERANCE) < tried {
            return None;
        }
        self.not_before.filter(|until| now < *until)
    }

    /// What the CA said of this certificate.
    fn window(&self, life: &Life) -> Option<Window> {
        let asked = self.asked.as_ref().filter(|asked| asked.of == life.of);
        asked.and_then(|asked| asked.window)
    }
}

/// A pause that doubles with each failure: an hour at first, a day at most, less for certificates
/// that live only days; and up to a quarter more, so that many hosts do not come at once.
fn pause(failures: u32, life: &Life, chance: u64) -> i64 {
    let whole = life.not_after.saturating_sub(life.not_before);
    let longest = (whole / 20).clamp(10 * MINUTE, DAY);
    let doublings = failures.saturating_sub(1).min(16);
    let pause = (HOUR << doublings).min(longest);
    let quarter = u64::try_from(pause / 4).unwrap_or(0);
    pause.saturating_add(i64::try_from(chance % quarter.max(1)).unwrap_or(0))
}

#[cfg(test)]
mod tests;

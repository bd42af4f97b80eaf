//! The rules that pages show.
//!
//! Owns: that they are handed over when they have changed, in pieces, and that no job waits for it; a small change at once.
//! Never: holds more than a few pieces, or one change; judges a rule.

use super::AgentError;
use crate::child::{Beyond, Program, Running};
use postseal_store::StoreError;
use postseal_store::desk::{Clerk, RuleChange, RuleRow};
use serde::Deserialize;
use serde_json::Value;
use std::time::{Duration, Instant};

/// What is answered where an instance was never adopted, or was released.
const NOT_ADOPTED: &str = "instance.not-adopted";
/// No mark is longer, in bytes.
const LONGEST_MARK: usize = 200;
/// How long pieces are handed over before jobs are looked at again.
const AT_A_TIME: Duration = Duration::from_millis(100);
/// How often it is asked whether they have changed, where no job says so.
const EVERY: Duration = Duration::from_secs(60);
/// They are read anew after this time though nothing says that they have changed: where mail goes is told by tables that
/// nobody watches.
const AT_LEAST: Duration = Duration::from_secs(3600);
/// After all were read, which took long, there is a rest of so many times as long: a million are not read for each of a row
/// of changes. What is a change alone needs no rest.
const REST: u32 = 5;
/// What failed is not tried again sooner, and where it took long there is a rest, too: a desk that takes nothing in the end
/// does not have a million rules read without end.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// The rules.
#[derive(Default)]
pub(super) struct Rules {
    loading: Option<Loading>,
    /// When all were read last, and how long that took.
    read: Option<(Instant, Duration)>,
    asked: Option<Instant>,
    /// When they could not be shown, and how long it took until that was known.
    failed: Option<(Instant, Duration)>,
    /// A job may have changed them.
    is_due: bool,
    /// All are to be read after the rest.
    waits: bool,
}

/// A set that is being handed over.
struct Loading {
    running: Running,
    began: Instant,
    set: Option<u64>,
    /// How many were handed over.
    rows: u64,
    change: RuleChange,
}

/// A piece of them.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Piece {
    /// Of all.
    Rules { rules: Vec<RuleRow> },
    /// Of a change: destinations, or the rules that there are for them now.
    ChangedRules {
        #[serde(default)]
        destinations: Vec<String>,
        #[serde(default)]
        rules: Vec<RuleRow>,
    },
}

/// What is told at the end.
#[derive(Deserialize)]
struct Told {
    mark: String,
    same: bool,
    rows: u64,
    /// They are a change of the rules at this mark.
    since: Option<String>,
    /// There is more than a change, and that alone was asked for.
    #[serde(default)]
    later: bool,
}

/// What became of it.
enum Read {
    /// All were read.
    All,
    /// What has changed, if anything has.
    News,
    /// All are to be read, after the rest.
    Later,
    /// All are to be read: what is shown is not what the change is of.
    Anew,
}

impl Rules {
    /// They may have changed.
    pub(super) fn are_due(&mut self) {
        self.is_due = true;
    }

    pub(super) fn step(
        &mut self,
        clerk: &mut dyn Clerk,
        program: &Program,
        instance: &str,
        now_ms: i64,
    ) -> Result<Result<(), StoreError>, AgentError> {
        let Some(loading) = &mut self.loading else {
            return self.begin(clerk, program, instance);
        };
        let took = loading.began.elapsed();
        let done = match loading.step(clerk, instance, now_ms)? {
            Ok(None) => return Ok(Ok(())),
            Ok(Some(read)) => {
                self.note(&read, took);
                Ok(())
            }
            Err(error) => {
                self.failed = Some((Instant::now(), took));
                Err(error)
            }
        };
        self.loading = None;
        Ok(done)
    }

    fn note(&mut self, read: &Read, took: Duration) {
        match read {
            Read::All => self.read = Some((Instant::now(), took)),
            Read::News => {}
            Read::Later => self.waits = true,
            Read::Anew => {
                self.read = None;
                self.is_due = true;
            }
        }
    }

    fn begin(
        &mut self,
        clerk: &mut dyn Clerk,
        program: &Program,
        instance: &str,
    ) -> Result<Result<(), StoreError>, AgentError> {
        let is_time = self.asked.is_none_or(|last| last.elapsed() > EVERY);
        let has_failed = self.failed;
        let has_failed =
            has_failed.is_some_and(|(at, took)| at.elapsed() < AFTER_FAILURE.max(took * REST));
        let rests = self
            .read
            .is_some_and(|(at, took)| at.elapsed() < took * REST);
        let is_due = self.is_due || is_time || (self.waits && !rests);
        if has_failed || !is_due {
            return Ok(Ok(()));
        }
        let mark = match clerk.rules_mark(instance) {
            Ok(mark) => mark,
            Err(error) => {
                self.failed = Some((Instant::now(), Duration::ZERO));
                return Ok(Err(error));
            }
        };
        // The first time, and once an hour, they are read whatever the mark says.
        let is_fresh = self.read.is_some_and(|(at, _)| at.elapsed() < AT_LEAST);
        let mark = mark.filter(|mark| is_fresh && is_one(mark));
        self.is_due = false;
        self.waits &= rests;
        self.asked = Some(Instant::now());
        let beyond = match rests && mark.is_some() {
            true => Beyond::Nothing,
            false => Beyond::All,
        };
        let running = program.rules(mark.as_deref(), beyond);
        let running = running.map_err(AgentError::Start)?;
        self.loading = Some(Loading {
            running,
            began: Instant::now(),
            set: None,
            rows: 0,
            change: RuleChange::default(),
        });
        Ok(Ok(()))
    }
}

/// Whether it can be a mark: whoever owns the desk may have put anything in its place, and it becomes a word of a command.
fn is_one(mark: &str) -> bool {
    mark.len() <= LONGEST_MARK && !mark.contains(char::is_control)
}

fn is_released(answer: &str) -> bool {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    answer.pointer("/error/code").and_then(Value::as_str) == Some(NOT_ADOPTED)
}

impl Loading {
    /// Goes on with it; what became of it, once it has ended.
    fn step(
        &mut self,
        clerk: &mut dyn Clerk,
        instance: &str,
        now_ms: i64,
    ) -> Result<Result<Option<Read>, StoreError>, AgentError> {
        let began = Instant::now();
        while began.elapsed() < AT_A_TIME {
            let Some(piece) = self.running.told_next() else {
                break;
            };
            if let Err(error) = self.hand_over(clerk, instance, now_ms, &piece) {
                return Ok(Err(error));
            }
        }
        let ended = self.running.ended_when_told().map_err(AgentError::Start)?;
        let Some(ended) = ended else {
            return Ok(Ok(None));
        };
        let told: Option<Told> = serde_json::from_str(&ended.end.answer).ok();
        Ok(match told {
            Some(told) if told.same => Ok(Some(Read::News)),
            Some(told) if told.later => Ok(Some(Read::Later)),
            Some(told) => self.show(&told, clerk, instance, now_ms).map(Some),
            None if is_released(&ended.end.answer) => self.show_none(clerk, instance, now_ms),
            // They could not be read: what was seen before stays, with its time.
            None => Ok(Some(Read::News)),
        })
    }

    fn show(
        &mut self,
        told: &Told,
        clerk: &mut dyn Clerk,
        instance: &str,
        now_ms: i64,
    ) -> Result<Read, StoreError> {
        if let Some(since) = &told.since {
            let is_whole = told.rows == self.change.rules.len() as u64;
            let change = &self.change;
            let made =
                is_whole && clerk.change_rules(instance, since, change, &told.mark, now_ms)?;
            return Ok(if made { Read::News } else { Read::Anew });
        }
        if told.rows != self.rows {
            return Ok(Read::News);
        }
        let set = self.set(clerk, instance, now_ms)?;
        clerk.show_rules(instance, set, &told.mark, now_ms)?;
        Ok(Read::All)
    }

    /// An instance that was released has no rules any more.
    fn show_none(
        &mut self,
        clerk: &mut dyn Clerk,
        instance: &str,
        now_ms: i64,
    ) -> Result<Option<Read>, StoreError> {
        if clerk
            .rules_mark(instance)?
            .is_some_and(|mark| !mark.is_empty())
        {
            let set = self.set(clerk, instance, now_ms)?;
            clerk.show_rules(instance, set, "", now_ms)?;
        }
        Ok(Some(Read::News))
    }

    fn hand_over(
        &mut self,
        clerk: &mut dyn Clerk,
        instance: &str,
        now_ms: i64,
        piece: &str,
    ) -> Result<(), StoreError> {
        let Ok(piece) = serde_json::from_str::<Piece>(piece) else {
            return Ok(());
        };
        match piece {
            Piece::Rules { rules } => {
                let set = self.set(clerk, instance, now_ms)?;
                clerk.add_rules(set, &rules)?;
                self.rows += rules.len() as u64;
            }
            Piece::ChangedRules {
                destinations,
                rules,
            } => {
                self.change.destinations.extend(destinations);
                self.change.rules.extend(rules);
            }
        }
        Ok(())
    }

    fn set(
        &mut self,
        clerk: &mut dyn Clerk,
        instance: &str,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        if let Some(set) = self.set {
            return Ok(set);
        }
        let set = clerk.begin_rules(instance, now_ms)?;
        self.set = Some(set);
        Ok(set)
    }
}

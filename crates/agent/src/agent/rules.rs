//! The rules that pages show.
//!
//! Owns: that they are handed over when they have changed, in pieces, and that no job waits for it. Never: holds more than
//! a few pieces; judges a rule.

use super::AgentError;
use crate::child::{Program, Running};
use postseal_store::StoreError;
use postseal_store::desk::{Clerk, RuleRow};
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
/// After one that took long there is a rest of so many times as long: a million rules are not read for each of a row of
/// changes.
const REST: u32 = 5;
/// What failed is not tried again sooner.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// The rules.
#[derive(Default)]
pub(super) struct Rules {
    loading: Option<Loading>,
    /// When they were read last, and how long that took.
    read: Option<(Instant, Duration)>,
    asked: Option<Instant>,
    failed: Option<Instant>,
    /// A job may have changed them.
    is_due: bool,
}

/// A set that is being handed over.
struct Loading {
    running: Running,
    began: Instant,
    set: Option<u64>,
    /// How many were handed over.
    rows: u64,
}

/// A piece of them.
#[derive(Deserialize)]
struct Piece {
    rules: Vec<RuleRow>,
}

/// What is told at the end.
#[derive(Deserialize)]
struct Told {
    mark: String,
    same: bool,
    rows: u64,
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
        let done = match loading.step(clerk, instance, now_ms)? {
            Ok(None) => return Ok(Ok(())),
            Ok(Some(read)) => {
                let now = Instant::now();
                if read {
                    self.read = Some((now, loading.began.elapsed()));
                }
                Ok(())
            }
            Err(error) => {
                self.failed = Some(Instant::now());
                Err(error)
            }
        };
        self.loading = None;
        Ok(done)
    }

    fn begin(
        &mut self,
        clerk: &mut dyn Clerk,
        program: &Program,
        instance: &str,
    ) -> Result<Result<(), StoreError>, AgentError> {
        let is_time = self.asked.is_none_or(|last| last.elapsed() > EVERY);
        let rests = self
            .failed
            .is_some_and(|last| last.elapsed() < AFTER_FAILURE)
            || self
                .read
                .is_some_and(|(at, took)| at.elapsed() < took * REST);
        if rests || !(self.is_due || is_time) {
            return Ok(Ok(()));
        }
        let mark = match clerk.rules_mark(instance) {
            Ok(mark) => mark,
            Err(error) => {
                self.failed = Some(Instant::now());
                return Ok(Err(error));
            }
        };
        // The first time, and once an hour, they are read whatever the mark says.
        let is_fresh = self.read.is_some_and(|(at, _)| at.elapsed() < AT_LEAST);
        let mark = mark.filter(|mark| is_fresh && is_one(mark));
        self.is_due = false;
        self.asked = Some(Instant::now());
        let running = program.rules(mark.as_deref()).map_err(AgentError::Start)?;
        self.loading = Some(Loading {
            running,
            began: Instant::now(),
            set: None,
            rows: 0,
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
    /// Goes on with it; true or false once it has ended: whether they were read.
    fn step(
        &mut self,
        clerk: &mut dyn Clerk,
        instance: &str,
        now_ms: i64,
    ) -> Result<Result<Option<bool>, StoreError>, AgentError> {
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
            Some(told) if told.same => Ok(Some(false)),
            Some(told) if told.rows == self.rows => self
                .set(clerk, instance, now_ms)
                .and_then(|set| clerk.show_rules(instance, set, &told.mark, now_ms))
                .map(|()| Some(true)),
            _ if is_released(&ended.end.answer) => self.show_none(clerk, instance, now_ms),
            // They could not be read: what was seen before stays, with its time.
            _ => Ok(Some(false)),
        })
    }

    /// An instance that was released has no rules any more.
    fn show_none(
        &mut self,
        clerk: &mut dyn Clerk,
        instance: &str,
        now_ms: i64,
    ) -> Result<Option<bool>, StoreError> {
        if clerk
            .rules_mark(instance)?
            .is_some_and(|mark| !mark.is_empty())
        {
            let set = self.set(clerk, instance, now_ms)?;
            clerk.show_rules(instance, set, "", now_ms)?;
        }
        Ok(Some(false))
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
        let set = self.set(clerk, instance, now_ms)?;
        clerk.add_rules(set, &piece.rules)?;
        self.rows += piece.rules.len() as u64;
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

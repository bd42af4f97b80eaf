//! The source of a policy map: rules as a sorted stream → rows.
//!
//! Owns: what the rows are, the digest, and which keys are looked up to prove the map. Never: holds
//! more than the rules of one destination and a chunk of rows, or decides what holds where they meet
//! (`meet` does).

use super::meet::{Met, rows};
use super::{Outcome, Rule};
use crate::Digest;
use crate::intent::Policies;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// How many rows, spread evenly, are looked up besides the first and the last.
const SAMPLE: u64 = 100;

/// A key, and what a map must say of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// The key.
    pub key: String,
    /// The right-hand side; `None` where the map must not have it.
    pub value: Option<String>,
}

/// Renders rules. They come in the order of their ids.
#[derive(Debug)]
pub struct Renderer {
    hash: Sha256,
    rows: u64,
    stride: u64,
    /// The rules of one destination.
    waiting: Vec<Rule>,
    sample: Vec<Lookup>,
    last: Option<Lookup>,
    met: Vec<Met>,
    clashes: Vec<Met>,
}

impl Renderer {
    /// For `expected` rules or thereabouts.
    pub fn new(expected: u64) -> Self {
        Self {
            hash: Sha256::new(),
            rows: 0,
            stride: (expected / SAMPLE).max(1),
            waiting: Vec::new(),
            sample: Vec::new(),
            last: None,
            met: Vec::new(),
            clashes: Vec::new(),
        }
    }

    /// Takes the next rule and adds the rows that are ready to `out`.
    pub fn push(&mut self, rule: Rule, out: &mut Vec<u8>) {
        let waits = self.waiting.first();
        if waits.is_some_and(|earlier| earlier.id.destination != rule.id.destination) {
            self.flush(out);
        }
        self.waiting.push(rule);
    }

    /// Adds the last rows to `out`. What it all comes to; `None` where there are no rows.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Option<Rendered> {
        self.flush(out);
        if self.rows == 0 && self.clashes.is_empty() {
            return None;
        }
        let mut lookups = self.sample;
        lookups.extend(self.last.filter(|last| !lookups.contains(last)));
        Some(Rendered {
            policies: Policies {
                digest: Digest::from_bytes(self.hash.finalize().into()),
                rows: self.rows,
            },
            lookups,
            met: self.met,
            clashes: self.clashes,
        })
    }

    /// Writes what waits.
    fn flush(&mut self, out: &mut Vec<u8>) {
        let mut waiting = std::mem::take(&mut self.waiting);
        match waiting.as_slice() {
            [rule] => self.write(rule, out),
            meeting => self.write_meeting(meeting, out),
        }
        // Its memory serves the next ones.
        waiting.clear();
        self.waiting = waiting;
    }

    fn write_meeting(&mut self, meeting: &[Rule], out: &mut Vec<u8>) {
        let (rules, met) = rows(meeting);
        for rule in rules {
            self.write(&rule, out);
        }
        for one in met {
            match one.outcome {
                Outcome::Incomparable(_) => self.clashes.push(one),
                Outcome::Wins(_) | Outcome::Merged(_) => self.met.push(one),
            }
        }
    }

    fn write(&mut self, rule: &Rule, out: &mut Vec<u8>) {
        let begin = out.len();
        for key in rule.keys() {
            out.extend_from_slice(key.as_bytes());
            out.push(b' ');
            out.extend_from_slice(rule.policy.as_bytes());
            out.push(b'\n');
            let lookup = || Lookup {
                key: key.clone(),
                value: Some(rule.policy.clone()),
            };
            if self.rows.is_multiple_of(self.stride) {
                self.sample.push(lookup());
            }
            self.last = Some(lookup());
            self.rows += 1;
        }
        self.hash.update(&out[begin..]);
    }
}

/// A rendered map.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// What an intent remembers of it.
    pub policies: Policies,
    /// The first row, the last, and some between.
    pub lookups: Vec<Lookup>,
    /// Where rules of several managers meet.
    pub met: Vec<Met>,
    /// Where they meet and cannot all be kept: nothing is written for those.
    pub clashes: Vec<Met>,
}

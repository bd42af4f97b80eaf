//! The source of a policy map: rules as a sorted stream → rows.
//!
//! Owns: what the rows are, which of two rules for one key wins, the digest, and which keys are
//! looked up to prove the map. Never: holds more than a rule and a chunk of rows.

use super::{Both, Rule};
use crate::Digest;
use crate::intent::Policies;
use mailtls::Level;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::str::FromStr;

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
    waiting: Option<Rule>,
    sample: Vec<Lookup>,
    last: Option<Lookup>,
    overruled: Vec<Overruled>,
}

/// A rule that another one for the same key overrules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overruled {
    /// The one whose row is written.
    pub winner: Rule,
    /// The other.
    pub loser: Rule,
}

impl Renderer {
    /// For `expected` rules or thereabouts.
    pub fn new(expected: u64) -> Self {
        Self {
            hash: Sha256::new(),
            rows: 0,
            stride: (expected / SAMPLE).max(1),
            waiting: None,
            sample: Vec::new(),
            last: None,
            overruled: Vec::new(),
        }
    }

    /// Takes the next rule and adds the rows that are ready to `out`.
    pub fn push(&mut self, rule: Rule, out: &mut Vec<u8>) {
        match self.waiting.take() {
            Some(earlier) if earlier.id.destination == rule.id.destination => {
                let (winner, loser) = stricter(earlier, rule);
                if let Some(below) = below_only(&winner, &loser) {
                    self.write(&below, out);
                }
                self.overruled.push(Overruled {
                    winner: winner.clone(),
                    loser,
                });
                self.waiting = Some(winner);
            }
            Some(earlier) => {
                self.write(&earlier, out);
                self.waiting = Some(rule);
            }
            None => self.waiting = Some(rule),
        }
    }

    /// Adds the last rows to `out`. What it all comes to; `None` where there are no rows.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Option<Rendered> {
        if let Some(rule) = self.waiting.take() {
            self.write(&rule, out);
        }
        if self.rows == 0 {
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
            overruled: self.overruled,
        })
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
    /// Rules that others overrule.
    pub overruled: Vec<Overruled>,
}

/// What remains of a rule for a domain and all below it, where one for the domain alone wins.
fn below_only(winner: &Rule, loser: &Rule) -> Option<Rule> {
    let remains = loser.both == Both::Yes && winner.both == Both::No;
    remains.then(|| {
        let mut below = loser.clone();
        below.both = Both::No;
        below.id.destination = format!(".{}", loser.id.destination);
        below
    })
}

/// The stricter of two rules for one key first; of equals the one that is managed, because what
/// manages it relies on it.
fn stricter(one: Rule, other: Rule) -> (Rule, Rule) {
    let strength = |rule: &Rule| (rank(&rule.policy), !rule.id.manager.is_empty());
    if strength(&other) > strength(&one) {
        (other, one)
    } else {
        (one, other)
    }
}

/// The order of strength: what never goes in clear over what may, what authenticates over what does
/// not, a name that DNS cannot forge over one that it can.
pub(crate) fn rank(policy: &str) -> u8 {
    let word = policy.split(' ').next().unwrap_or_default();
    match Level::from_str(word) {
        Ok(Level::None) | Err(_) => 0,
        Ok(Level::May) => 1,
        Ok(Level::Dane | Level::HalfDane) => 2,
        Ok(Level::Encrypt) => 3,
        Ok(Level::Verify) => 4,
        Ok(Level::DaneOnly) => 5,
        Ok(Level::Secure) => 6,
        Ok(Level::Fingerprint) => 7,
    }
}

//! Which destinations an import has met, and on which lines.
//!
//! Owns: telling a line that says the same again from one that contradicts an earlier one. Never:
//! keeps a rule: of each destination there are two hashes and a line.

use super::RuleRequest;
use postseal_planner::policy::{Both, Given, RuleId};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// The destinations so far, as 64 bits each: of a million, two differ and look alike once in
/// thirty million imports, and those are refused, not lost.
#[derive(Default)]
pub(super) struct Lines {
    hasher: RandomState,
    rules: HashMap<u64, Line>,
}

/// The first line of a destination.
#[derive(Clone, Copy)]
pub(super) struct Line {
    whole: u64,
    number: u32,
    /// What became of it.
    pub(super) fate: Fate,
}

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is staged.
    Staged,
    /// It is refused, for itself.
    Refused,
    /// It is refused, because another one contradicts it.
    Contradicted,
}

/// Whether a destination was there before.
pub(super) enum Earlier {
    Not,
    /// With the same words.
    Same,
    /// With others.
    Another(Line),
}

impl Line {
    /// Its number, where it has one.
    pub(super) fn line(self) -> Option<usize> {
        usize::try_from(self.number).ok().filter(|line| *line > 0)
    }
}

impl Lines {
    /// Takes a line, and tells of the first one for its destination.
    pub(super) fn meets(&mut self, request: &RuleRequest) -> Earlier {
        let whole = self.whole(request);
        let id = self.hasher.hash_one(&request.rule.id);
        let number = request.line.and_then(|line| u32::try_from(line).ok());
        let line = Line {
            whole,
            number: number.unwrap_or_default(),
            fate: Fate::Staged,
        };
        let Some(first) = self.rules.get_mut(&id) else {
            self.rules.insert(id, line);
            return Earlier::Not;
        };
        if first.whole == whole && first.fate != Fate::Contradicted {
            return Earlier::Same;
        }
        let earlier = *first;
        if first.fate == Fate::Staged {
            first.fate = Fate::Contradicted;
        }
        Earlier::Another(earlier)
    }

    /// The line was refused; it is the first of its destination, or that one is not staged either.
    pub(super) fn refuse(&mut self, id: &RuleId) {
        let id = self.hasher.hash_one(id);
        if let Some(first) = self.rules.get_mut(&id)
            && first.fate == Fate::Staged
        {
            first.fate = Fate::Refused;
        }
    }

    /// What a line says. A map has a row for each spelling of a name, and a comment above one of
    /// them: where a note is all that is said, it contradicts nothing.
    fn whole(&self, request: &RuleRequest) -> u64 {
        let rule = &request.rule;
        let about = &rule.about;
        let bare = Given::NOTE.and(Given::SCOPE).has(request.given);
        let note = about.note.as_ref().filter(|_| !bare);
        let follows = about.follow.is_some();
        let words = (note, &about.owner, &about.tags, &about.until, &about.reason);
        self.hasher
            .hash_one((rule.both == Both::Yes, follows, &rule.policy, words))
    }
}

#[cfg(test)]
mod tests;

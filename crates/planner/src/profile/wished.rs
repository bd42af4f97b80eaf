//! Profiles in an intent.
//!
//! Owns: which profile holds for a direction, and the parameters it comes to. Never: writes them.

use super::{Direction, Parameter, Profile, Software, find};
use crate::intent::{Intent, Key, Setting};
use serde::Serialize;

/// The names that `profile=` and its kin take.
pub(crate) const WORDS: [&str; 6] = [
    "compatible",
    "recommended",
    "strict",
    "mozilla-intermediate-6.0",
    "mozilla-modern-6.0",
    "ncsc-2025-05",
];

/// The profile that was chosen for a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Chosen {
    /// Which.
    pub direction: Direction,
    /// Its name.
    pub profile: &'static str,
}

/// The profiles that an intent chooses; what a direction says of its own comes before `profile`.
pub fn chosen(intent: &Intent) -> Vec<Chosen> {
    let all = Direction::ALL.into_iter();
    all.filter_map(|direction| {
        Some(Chosen {
            direction,
            profile: of(intent, direction)?.name,
        })
    })
    .collect()
}

/// The profile of a direction.
pub(crate) fn of(intent: &Intent, direction: Direction) -> Option<&'static Profile> {
    let own = match direction {
        Direction::Inbound => Some(Key::ProfileInbound),
        Direction::Submission => Some(Key::ProfileSubmission),
        Direction::Outbound => Some(Key::ProfileOutbound),
        Direction::Shared => None,
    };
    let said = own.and_then(|key| intent.settings.get(&key));
    match said.or_else(|| intent.settings.get(&Key::Profile)) {
        Some(Setting::Word(name)) => find(name),
        _ => None,
    }
}

/// What an intent's profiles come to.
pub(crate) fn wanted(intent: &Intent, software: Software) -> Vec<Parameter> {
    let all = Direction::ALL.into_iter();
    all.filter_map(|direction| Some((of(intent, direction)?, direction)))
        .flat_map(|(profile, direction)| profile.of(direction, software))
        .collect()
}

/// The parameters that a key decides while it names this profile, whatever the versions.
pub(crate) fn governed(key: &Key, name: &str) -> Vec<&'static str> {
    let directions: &[Direction] = match key {
        Key::Profile => &Direction::ALL,
        Key::ProfileInbound => &[Direction::Inbound],
        Key::ProfileSubmission => &[Direction::Submission],
        Key::ProfileOutbound => &[Direction::Outbound],
        _ => &[],
    };
    let Some(profile) = find(name) else {
        return Vec::new();
    };
    let rows = directions.iter().flat_map(|one| profile.rows(*one));
    rows.map(|row| row.name).collect()
}

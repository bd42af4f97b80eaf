//! Profiles: named tables of parameters for port 25, for mail clients, and for outgoing mail.
//!
//! Owns: which profiles there are, and the rows of each that hold for a Postfix and an OpenSSL.
//! Never: decides what is wanted (an intent does) or edits a file (`compile` does). A profile is
//! data, one file each (`narrow` has what some have together); its name or its version changes when a
//! row does.
//!
//! What only all programs together can have (`tls_eecdh_auto_curves`) is *shared*: `profile=NAME`
//! sets it, a profile for one direction does not.

mod compare;
mod compatible;
mod mozilla;
mod narrow;
mod ncsc;
mod recommended;
mod row;
mod strict;
mod wished;

#[cfg(test)]
mod tests;

pub(crate) use compare::held;
pub use compare::{Compared, Held, against, between};
pub use row::Software;
pub use wished::{Chosen, chosen};
pub(crate) use wished::{WORDS, governed, of, wanted};

use row::Row;
use serde::Serialize;

/// What a part of a profile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Port 25, where TLS is optional.
    Inbound,
    /// Ports 587 and 465, where it is demanded.
    Submission,
    /// The SMTP client.
    Outbound,
    /// All programs of this Postfix.
    Shared,
}

impl Direction {
    /// All, in the order they are shown.
    pub const ALL: [Self; 4] = [
        Self::Inbound,
        Self::Submission,
        Self::Outbound,
        Self::Shared,
    ];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Submission => "submission",
            Self::Outbound => "outbound",
            Self::Shared => "shared",
        }
    }
}

/// A profile.
#[derive(Debug)]
pub struct Profile {
    /// Its name, as `postseal set profile=` takes it.
    pub name: &'static str,
    /// Of the table: the version of what it follows, or the month it was last changed.
    pub version: &'static str,
    /// What it is good for, in one sentence.
    pub meaning: &'static str,
    /// What it follows.
    pub source: &'static str,
    /// Why it does not fit a public port 25; `None` where it does.
    pub unfit: Option<&'static str>,
    inbound: &'static [Row],
    submission: &'static [Row],
    outbound: &'static [Row],
    shared: &'static [Row],
}

/// One parameter of a profile, for one Postfix and OpenSSL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// What it is for.
    pub direction: Direction,
    /// The parameter of main.cf.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// Why it has that value.
    pub why: &'static str,
}

/// All profiles, the most lenient first.
pub const PROFILES: [&Profile; 6] = [
    &compatible::COMPATIBLE,
    &recommended::RECOMMENDED,
    &strict::STRICT,
    &mozilla::INTERMEDIATE,
    &mozilla::MODERN,
    &ncsc::NCSC,
];

/// The profile of that name.
pub fn find(name: &str) -> Option<&'static Profile> {
    PROFILES.into_iter().find(|profile| profile.name == name)
}

impl Profile {
    fn rows(&self, direction: Direction) -> &'static [Row] {
        match direction {
            Direction::Inbound => self.inbound,
            Direction::Submission => self.submission,
            Direction::Outbound => self.outbound,
            Direction::Shared => self.shared,
        }
    }

    /// The parameters of one direction, in the order they are shown.
    pub fn of(&self, direction: Direction, software: Software) -> Vec<Parameter> {
        let mut parameters: Vec<Parameter> = Vec::new();
        let rows = self.rows(direction).iter();
        for row in rows.filter(|row| row.holds_for(software)) {
            if !parameters.iter().any(|known| known.name == row.name) {
                parameters.push(Parameter {
                    direction,
                    name: row.name,
                    value: row.text(software),
                    why: row.why,
                });
            }
        }
        parameters
    }

    /// All its parameters.
    pub fn parameters(&self, software: Software) -> Vec<Parameter> {
        let all = Direction::ALL.into_iter();
        all.flat_map(|direction| self.of(direction, software))
            .collect()
    }
}

//! The catalogue: every TLS parameter of Postfix 3.4 to 3.11.
//!
//! Owns: since which release a parameter exists, how its life ended, what replaces it, its type,
//! its defaults, who reads it, and whether a value can be right at all ([`Parameter::check`]).
//! Never: looks at a host, expands a `$name`, judges how settings act together (`lint` does).
//!
//! The data stands in `catalog/server.rs`, `client.rs` and `shared.rs` as compact rows, one for
//! `smtp_`, `lmtp_` and tlsproxy's copies together; they are spread out at the first look-up.

mod check;
mod client;
mod kind;
mod nearest;
mod row;
mod server;
mod shared;

pub(crate) use check::seconds;
pub use check::{Checked, Reason};
pub use kind::{Kind, Range};
pub use row::OLDEST;

use crate::PostfixVersion;
use std::sync::LazyLock;

/// One parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name, e.g. `smtpd_tls_security_level`.
    pub name: String,
    /// What its value must look like.
    pub kind: Kind,
    /// Whether `name =` (nothing) is a value; Postfix ends the program where it is not.
    pub empty: Empty,
    /// The first release line that has it; 0.0 stands for one before [`OLDEST`].
    pub since: PostfixVersion,
    /// Patch releases of older lines that have it too.
    pub backports: &'static [PostfixVersion],
    /// How its life ends, oldest change first.
    pub ends: &'static [End],
    /// What to use instead.
    pub replaced_by: Option<Replacement>,
    /// Its defaults, oldest first, unexpanded.
    pub defaults: Vec<DefaultFrom>,
    /// Who reads it.
    pub direction: Direction,
    /// Whether an unprivileged face may ask for it.
    pub remote: Remote,
    /// Whether `-o` of a service can hold it.
    pub per_service: PerService,
    /// A TLS parameter, or one beside them that decides how TLS acts.
    pub role: Role,
}

/// Whether nothing is a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// Yes; it differs from “not set”.
    Allowed,
    /// From this release on.
    AllowedFrom(PostfixVersion),
    /// No: “fatal: bad string length”.
    Refused,
}

/// A change in a parameter's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// From this release on.
    pub from: PostfixVersion,
    /// What changed.
    pub how: Ending,
}

/// How a parameter ends. Ordered by how little is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It works; something better replaced it.
    Obsolete,
    /// It works; Postfix warns that support will be removed.
    Warned,
    /// It is accepted and does nothing.
    Ignored,
    /// Postfix does not know it any more.
    Gone,
}

/// What a parameter is in one release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// That release does not have it yet.
    NotYet,
    /// In use.
    Current,
    /// On its way out, or out.
    Ended(Ending),
}

/// What to use instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The parameter, where one parameter replaces it.
    pub parameter: Option<&'static str>,
    /// What to do, as a sentence without a full stop.
    pub text: &'static str,
}

/// A default and the release it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultFrom {
    /// From this release on.
    pub from: PostfixVersion,
    /// The default, unexpanded.
    pub value: String,
}

/// Who reads a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// smtpd(8), postscreen(8).
    Inbound,
    /// smtp(8), and the same program as lmtp(8).
    Outbound,
    /// The TLS library in all of them, or tlsmgr(8).
    Shared,
    /// tlsproxy(8), from main.cf.
    Tlsproxy,
}

/// Whether an unprivileged face may ask for a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remote {
    /// Yes: its value names no file, table, command or service.
    Allowed,
    /// Only on the host itself.
    LocalOnly,
}

/// Whether `-o` of a service can hold a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PerService {
    /// Yes.
    Yes,
    /// No: a program beside the service reads it (tlsmgr(8)), so `-o` changes nothing.
    MainOnly,
}

/// A TLS parameter or a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Controls TLS.
    Tls,
    /// Decides something else that TLS rests on.
    Companion,
}

static CATALOGUE: LazyLock<Vec<Parameter>> = LazyLock::new(|| {
    let rows = server::ROWS.iter().chain(client::ROWS).chain(shared::ROWS);
    let mut all: Vec<Parameter> = rows.flat_map(row::Row::expand).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
});

/// All parameters, by name.
pub fn all() -> &'static [Parameter] {
    &CATALOGUE
}

/// The parameter called `name` (names are case-sensitive).
pub fn find(name: &str) -> Option<&'static Parameter> {
    let all = all();
    let at = all.binary_search_by(|p| p.name.as_str().cmp(name)).ok()?;
    all.get(at)
}

/// True where `name` is a TLS parameter of the catalogue, in use or not.
pub fn is_tls_parameter(name: &str) -> bool {
    find(name).is_some_and(|p| p.role == Role::Tls)
}

/// The parameter whose name is most like `name`, if one is near enough for a slip of the hand.
pub fn nearest(name: &str) -> Option<&'static Parameter> {
    nearest::nearest(name)
}

impl Parameter {
    /// What it is in `version`.
    pub fn state(&self, version: PostfixVersion) -> State {
        let backported = self.backports.iter().any(|b| {
            (b.major, b.minor) == (version.major, version.minor) && version.patch >= b.patch
        });
        if !version.at_least(self.since.major, self.since.minor) && !backported {
            return State::NotYet;
        }
        let over = |end: &&End| version.at_least(end.from.major, end.from.minor);
        match self.ends.iter().rfind(over) {
            Some(end) => State::Ended(end.how),
            None => State::Current,
        }
    }

    /// True where `version` knows the name, in use or not.
    pub fn exists_in(&self, version: PostfixVersion) -> bool {
        !matches!(
            self.state(version),
            State::NotYet | State::Ended(Ending::Gone)
        )
    }

    /// Its default in `version`, unexpanded; `None` where that release does not have it.
    pub fn default_in(&self, version: PostfixVersion) -> Option<&str> {
        if !self.exists_in(version) {
            return None;
        }
        let reached = |d: &&DefaultFrom| version.at_least(d.from.major, d.from.minor);
        let default = self.defaults.iter().rfind(reached);
        default.or(self.defaults.first()).map(|d| d.value.as_str())
    }
}

//! Rules: per-destination TLS as an operator wants it.
//!
//! Owns: the shape of a rule and the rows that Postfix needs for it. Never: keeps them (the store
//! does: a million rules do not fit into an intent), and never asks whether mail takes that next
//! hop (`judge` yields the questions).

mod able;
mod asked;
mod behind;
mod fallback;
mod faults;
mod follow;
mod judge;
mod kept;
mod late;
mod lead;
mod managed;
mod matched;
mod meet;
mod never_asked;
mod next_hops;
mod offer;
mod passed_by;
mod render;
mod routed;
mod service_names;
mod source;
mod tables;
mod useless;
mod words;
mod words_of;

pub use able::{Askers, askers, faults_all, unkept};
pub use asked::{Asking, asking_of, map_not_asked};
pub use behind::{AskedTable, Line, Place, Stands, Stricter, asked_for, places, weakens, weaker};
pub(crate) use fallback::{
    EXPLAINED as FALLBACK_EXPLAINED, finding as fallback_in_clear, relays_of,
};
pub use fallback::{FALLBACK, Fallback, by_fallbacks, fallback_ids, fallbacks, without_closed};
pub(crate) use faults::{EXPLAINED as FAULTS_EXPLAINED, faults, holds_back};
pub(crate) use follow::EXPLAINED as FOLLOW_EXPLAINED;
pub use follow::{
    FOLLOWS_NOT, Follow, Followed, follow_all, follows_not, route_changed, route_unknown,
    ways_unknown,
};
pub use judge::{Home, Judged, covered_by, expects_tls, judge_all};
pub(crate) use judge::{usual_client, wrapping};
pub(crate) use late::no_wrappermode;
pub use late::{NO_WRAPPERMODE, late_routes, own_late};
pub use lead::{Lead, Leads};
pub use managed::{Entry, Manager};

pub use meet::{Met, Outcome, changed_lookups, map_rows, meetings, written};
pub(crate) use never_asked::EXPLAINED as NEVER_ASKED_EXPLAINED;
pub use never_asked::{Listed, NEVER_ASKED, Named, by_names, needs_route, never_asked};
pub use next_hops::{Hops, RouteTable, RouteTables, listable, route_elements, route_tables};
pub(crate) use next_hops::{Routes, routes};
pub use offer::command;
pub use passed_by::{PASSED_BY, passed_by};
pub use render::{Lookup, Rendered, Renderer};
pub use routed::{by_routes, is_other_hop, may_be_others_hop};
pub use service_names::{SERVICES, names_a_service, unknown_service};
pub use source::{BadRow, RowReader, Scopes, SourceRow, Unread, annotated, follows, scope_of};
pub use tables::{Candidate, Source, named_tables, policy_sources, services_with_tables};
pub(crate) use useless::EXPLAINED;
pub use useless::{Cause, IdleRow, Useless, idle, not_compiled, sampled};
pub use words::{Given, is_day, is_seen};

use mailtls::destination::{Destination, DestinationError, Kind, Scope};
use mailtls::policy::{Dialect, Policy, PolicyError};
use serde::{Deserialize, Serialize};

/// What a rule is known by: its destination, and who manages it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RuleId {
    /// The destination with A-labels: `example.org`, `.example.org` for what is below it only,
    /// `[mx.example.org]:587`.
    pub destination: String,
    /// Who manages it; empty for rules made by hand.
    pub manager: String,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What it is known by.
    #[serde(flatten)]
    pub id: RuleId,
    /// Whether it is for the domain and for all names below it.
    pub both: Both,
    /// The right-hand side of its rows, as Postfix reads it.
    pub policy: String,
    /// What people should know of it.
    #[serde(flatten)]
    pub about: About,
}

/// Whether a rule for a domain is for the names below it, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "self-evident")]
pub enum Both {
    #[default]
    No,
    Yes,
}

/// What people should know of a rule. Postfix does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
    /// Whom to ask.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<String>,
    /// Words to find it by, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tags: Vec<String>,
    /// The day on which it is to be looked at again (`YYYY-MM-DD`). It stays in force.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
    /// Why it was put down although a check spoke against it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The entry of a domain that this rule is made for: it manages the rule.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entry: Option<Entry>,
    /// That it is for recipients, and follows their mail to its next hops.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub follow: Option<Follow>,
}

/// Why something is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The destination.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// The policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A word of [`About`].
    #[error("{what} {why}")]
    About {
        /// `note`, `owner`, `tag`, `until`.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
}

impl RuleError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Destination(_) => "policy.bad-destination",
            Self::Policy(_) => "policy.bad-policy",
            Self::About { .. } => "policy.bad-word",
        }
    }
}

impl Rule {
    /// Makes one of what an operator typed.
    ///
    /// # Errors
    /// What is wrong with it; nothing is made then.
    pub fn new(
        destination: &str,
        scope: Option<Scope>,
        policy: &str,
        dialect: Dialect,
    ) -> Result<Self, RuleError> {
        let (destination, implied) = Destination::parse(destination)?;
        let scope = scope.unwrap_or(implied);
        destination.keys(scope)?;
        Ok(Self {
            id: RuleId::of(&destination, scope),
            both: match scope {
                Scope::Both => Both::Yes,
                Scope::Domain | Scope::Subdomains => Both::No,
            },
            policy: Policy::parse(policy, dialect)?.to_string(),
            about: About::default(),
        })
    }

    /// Whether it writes the same rows as another of its id.
    pub fn writes_as(&self, other: &Self) -> bool {
        self.policy == other.policy && self.both == other.both
    }

    /// Which names it is for.
    pub fn scope(&self) -> Scope {
        match (self.both, self.id.destination.starts_with('.')) {
            (Both::Yes, _) => Scope::Both,
            (Both::No, true) => Scope::Subdomains,
            (Both::No, false) => Scope::Domain,
        }
    }

    /// Whether it is for a next hop as routes name it, and not for mail of the domain; what is managed
    /// always is.
    pub fn is_for_next_hop(&self) -> bool {
        let id = &self.id;
        id.destination.starts_with('[') || id.destination.contains(':') || !id.manager.is_empty()
    }

    /// The keys of its rows.
    pub fn keys(&self) -> Vec<String> {
        let id = self.id.destination.as_str();
        // What is plain needs no parsing; a rule was parsed when it was made.
        if !id.contains("xn--") {
            let name = id.trim_start_matches('.');
            return match self.scope() {
                Scope::Domain => vec![id.to_owned()],
                Scope::Subdomains => vec![id.to_owned()],
                Scope::Both => vec![format!(".{name}"), name.to_owned()],
            };
        }
        Destination::parse(id)
            .and_then(|(destination, _)| destination.keys(self.scope()))
            .unwrap_or_else(|_| vec![id.to_owned()])
    }
}

impl RuleId {
    /// The id of a rule made by hand.
    pub fn of(destination: &Destination, scope: Scope) -> Self {
        let name = destination.ascii();
        Self {
            destination: match (destination.kind(), scope) {
                (Kind::Domain, Scope::Subdomains) => format!(".{name}"),
                _ => name.to_owned(),
            },
            manager: String::new(),
        }
    }

    /// What an operator typed to name a rule.
    ///
    /// # Errors
    /// As [`Destination::parse`].
    pub fn parse(text: &str) -> Result<Self, DestinationError> {
        let (destination, scope) = Destination::parse(text)?;
        Ok(Self::of(&destination, scope))
    }

    /// As a person reads it: with U-labels.
    pub fn shown(&self) -> String {
        if !self.destination.contains("xn--") {
            return self.destination.clone();
        }
        let dot = if self.destination.starts_with('.') {
            "."
        } else {
            ""
        };
        Destination::parse(&self.destination).map_or_else(
            |_| self.destination.clone(),
            |(destination, _)| format!("{dot}{destination}"),
        )
    }
}

/// What the installed version knows of policies.
pub fn dialect(version: crate::PostfixVersion) -> Dialect {
    Dialect {
        major: version.major,
        minor: version.minor,
    }
}

#[cfg(test)]
mod tests;

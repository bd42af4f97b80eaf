//! TLS policies: the right-hand side of a row of `smtp_tls_policy_maps` (postconf(5),
//! TLS_README, `smtp_tls_policy.c`).
//!
//! Owns: reading one as Postfix does, and saying where Postfix would refuse it whole: mail for
//! that next hop is deferred then. Never: which row applies, or whether a protocol list or a
//! cipher grade means anything to the OpenSSL at hand.

mod meet;

use crate::{Grade, Level, ProtocolList, RangeSyntax};
pub use meet::Incomparable;
use std::fmt;

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its level.
    pub level: Level,
    /// Its attributes, in order.
    pub attributes: Vec<Attribute>,
}

/// One `name=value` of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: Name,
    /// Its value, as written.
    pub value: String,
}

/// The attributes' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "Postfix's names")]
pub enum Name {
    Protocols,
    Ciphers,
    Exclude,
    Match,
    Tafile,
    Servername,
    ConnectionReuse,
    EnableRpk,
    PolicyType,
    PolicyDomain,
    PolicyString,
    MxHostPattern,
    PolicyFailure,
    PolicyTtl,
}

/// Why Postfix refuses a policy, or what it would make of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Nothing there.
    #[error("the policy is empty: it begins with a level")]
    Empty,
    /// The first word is no level.
    #[error("{0}")]
    Level(String),
    /// A word without `=`, often what a comma cut off.
    #[error(
        "{0:?} is no name=value; blanks and commas end an attribute, and lists within one are \
         separated by colons"
    )]
    Malformed(String),
    /// No such attribute.
    #[error("{0:?} is no attribute of a TLS policy")]
    Unknown(String),
    /// The attribute came with a later Postfix.
    #[error("{name} needs Postfix {since} or later")]
    TooNew {
        /// Which.
        name: &'static str,
        /// `major.minor`.
        since: &'static str,
    },
    /// An attribute that needs a value has none.
    #[error("{0} has no value")]
    NoValue(&'static str),
    /// An attribute that may stand once stands twice.
    #[error("{0} stands more than once")]
    Twice(&'static str),
    /// An attribute that does not go with the level.
    #[error("{name} means nothing at level {level}; it goes with {goes_with}")]
    Misplaced {
        /// Which.
        name: &'static str,
        /// The level.
        level: Level,
        /// Where it would mean something.
        goes_with: &'static str,
    },
    /// A value that Postfix refuses, or takes and then fails every handshake.
    #[error("{name}: {why}")]
    Value {
        /// Which.
        name: &'static str,
        /// Why.
        why: String,
    },
}

impl Name {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Protocols,
        Self::Ciphers,
        Self::Exclude,
        Self::Match,
        Self::Tafile,
        Self::Servername,
        Self::ConnectionReuse,
        Self::EnableRpk,
        Self::PolicyType,
        Self::PolicyDomain,
        Self::PolicyString,
        Self::MxHostPattern,
        Self::PolicyFailure,
        Self::PolicyTtl,
    ];

    /// As it is written.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Protocols => "protocols",
            Self::Ciphers => "ciphers",
            Self::Exclude => "exclude",
            Self::Match => "match",
            Self::Tafile => "tafile",
            Self::Servername => "servername",
            Self::ConnectionReuse => "connection_reuse",
            Self::EnableRpk => "enable_rpk",
            Self::PolicyType => "policy_type",
            Self::PolicyDomain => "policy_domain",
            Self::PolicyString => "policy_string",
            Self::MxHostPattern => "mx_host_pattern",
            Self::PolicyFailure => "policy_failure",
            Self::PolicyTtl => "policy_ttl",
        }
    }

    /// The Postfix version (`major.minor`) that brought it, where that is later than 3.0.
    pub const fn since(self) -> Option<&'static str> {
        match self {
            Self::Servername | Self::ConnectionReuse => Some("3.4"),
            Self::EnableRpk => Some("3.9"),
            Self::PolicyType
            | Self::PolicyDomain
            | Self::PolicyString
            | Self::MxHostPattern
            | Self::PolicyFailure
            | Self::PolicyTtl => Some("3.10"),
            _ => None,
        }
    }

    const fn may_repeat(self) -> bool {
        matches!(
            self,
            Self::Match
                | Self::Tafile
                | Self::ConnectionReuse
                | Self::EnableRpk
                | Self::PolicyString
                | Self::MxHostPattern
        )
    }
}

/// What the Postfix at hand knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Its major version.
    pub major: u16,
    /// Its minor version.
    pub minor: u16,
}

impl Dialect {
    fn knows(self, name: Name) -> bool {
        let Some((major, minor)) = name.since().and_then(|since| since.split_once('.')) else {
            return true;
        };
        let since = (major.parse().unwrap_or(0), minor.parse().unwrap_or(0));
        (self.major, self.minor) >= since
    }

    fn ranges(self) -> RangeSyntax {
        match (self.major, self.minor) >= (3, 6) {
            true => RangeSyntax::Allowed,
            false => RangeSyntax::Unknown,
        }
    }
}

impl Policy {
    /// A policy of a level and nothing else.
    pub const fn of(level: Level) -> Self {
        Self {
            level,
            attributes: Vec::new(),
        }
    }

    /// Reads a right-hand side: a level, then attributes, separated by blanks and commas.
    ///
    /// # Errors
    /// What Postfix refuses; it defers mail for that next hop (4.7.5). Besides: what it takes and
    /// then fails every handshake by (a protocol list or a grade that is none).
    pub fn parse(text: &str, dialect: Dialect) -> Result<Self, PolicyError> {
        let mut words = text
            .split([',', ' ', '\t', '\r', '\n'])
            .filter(|word| !word.is_empty());
        let level = words.next().ok_or(PolicyError::Empty)?;
        let level: Level = level.parse().map_err(PolicyError::Level)?;
        let mut attributes = Vec::new();
        for word in words {
            let attribute = attribute(word, dialect)?;
            let same = |earlier: &Attribute| earlier.name == attribute.name;
            if !attribute.name.may_repeat() && attributes.iter().any(same) {
                return Err(PolicyError::Twice(attribute.name.text()));
            }
            placed(level, &attribute)?;
            checked(&attribute, dialect)?;
            attributes.push(attribute);
        }
        Ok(Self { level, attributes })
    }

    /// The values of an attribute.
    pub fn values(&self, name: Name) -> impl Iterator<Item = &str> {
        let of = self.attributes.iter().filter(move |one| one.name == name);
        of.map(|one| one.value.as_str())
    }
}

/// `name=value`.
fn attribute(word: &str, dialect: Dialect) -> Result<Attribute, PolicyError> {
    let malformed = || PolicyError::Malformed(word.to_owned());
    let (name, value) = word.split_once('=').ok_or_else(malformed)?;
    if name.is_empty() {
        return Err(malformed());
    }
    let known = Name::ALL
        .into_iter()
        .find(|known| known.text().eq_ignore_ascii_case(name))
        .ok_or_else(|| PolicyError::Unknown(name.to_owned()))?;
    if let (false, Some(since)) = (dialect.knows(known), known.since()) {
        let name = known.text();
        return Err(PolicyError::TooNew { name, since });
    }
    if value.is_empty() && known != Name::Exclude {
        return Err(PolicyError::NoValue(known.text()));
    }
    Ok(Attribute {
        name: known,
        value: value.to_owned(),
    })
}

/// Whether an attribute goes with the level. At `none` Postfix warns and ignores them all.
fn placed(level: Level, attribute: &Attribute) -> Result<(), PolicyError> {
    let goes_with = match attribute.name {
        Name::Match => "fingerprint, verify and secure",
        Name::Tafile => "verify and secure",
        _ => "every level but none",
    };
    let fits = match attribute.name {
        Name::Match => matches!(level, Level::Fingerprint | Level::Verify | Level::Secure),
        Name::Tafile => matches!(level, Level::Verify | Level::Secure),
        _ => level != Level::None,
    };
    if fits {
        return Ok(());
    }
    Err(PolicyError::Misplaced {
        name: attribute.name.text(),
        level,
        goes_with,
    })
}

fn checked(attribute: &Attribute, dialect: Dialect) -> Result<(), PolicyError> {
    let value = &attribute.value;
    let why = match attribute.name {
        Name::Protocols => ProtocolList::parse(value, dialect.ranges())
            .err()
            .map(|error| error.to_string()),
        Name::Ciphers => value.parse::<Grade>().err(),
        Name::Exclude => value
            .split(':')
            .find(|word| word.starts_with(['!', '+', '-', '@']))
            .map(|word| {
                format!("{word:?} has a sign; Postfix puts the ! itself, and refuses others")
            }),
        Name::ConnectionReuse | Name::EnableRpk => {
            let is_switch = ["yes", "no"]
                .iter()
                .any(|word| word.eq_ignore_ascii_case(value));
            (!is_switch).then(|| format!("{value:?} is neither yes nor no"))
        }
        Name::PolicyType => {
            let known = ["sts", "no-policy-found"];
            (!known.contains(&value.as_str()))
                .then(|| format!("{value:?} is neither sts nor no-policy-found"))
        }
        Name::Servername => {
            let is_word = ["hostname", "nexthop"]
                .iter()
                .any(|word| word.eq_ignore_ascii_case(value));
            (!is_word && crate::host_name(value).is_none())
                .then(|| format!("{value:?} is no host name"))
        }
        _ => None,
    };
    match why {
        Some(why) => Err(PolicyError::Value {
            name: attribute.name.text(),
            why,
        }),
        None => Ok(()),
    }
}

impl fmt::Display for Policy {
    /// As Postfix reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.level)?;
        for Attribute { name, value } in &self.attributes {
            write!(f, " {}={value}", name.text())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

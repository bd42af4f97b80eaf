//! Several policies for one key: the one that keeps what each of them demands.
//!
//! Owns: the order of strictness, by level and by attribute, and what two demands come to together.
//! Never: guesses. Where one row cannot say both, it says so: smtp(8) finds a single row for a key,
//! and half of what was wished would be silently gone.
//!
//! A policy demands what it says. An attribute that it does not name is main.cf's, and another
//! policy may name it.

use super::{Attribute, Name, Policy};
use crate::{Grade, Level, ProtocolList, RangeSyntax};
use std::collections::BTreeMap;
use std::fmt;

/// Why no single policy keeps what several demand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// Levels that ask for different proofs.
    #[error("no level demands what both {one} and {other} do")]
    Levels {
        /// One of them.
        one: Level,
        /// Another one.
        other: Level,
    },
    /// An attribute that can say one thing.
    #[error("{name} cannot be both {one} and {other}")]
    Values {
        /// Which.
        name: &'static str,
        /// One value.
        one: String,
        /// Another one.
        other: String,
    },
    /// Protocol lists that leave nothing over.
    #[error("no protocol is in both {one} and {other}")]
    NoProtocol {
        /// One list.
        one: String,
        /// Another one.
        other: String,
    },
    /// A name taken from DNS beside the demand for one that DNS cannot forge.
    #[error("match={0} takes the name from DNS, which secure does not")]
    NameFromDns(String),
}

/// What Postfix 3.10 reports of an MTA-STS policy: one thing, said by several attributes.
const REPORTED: [Name; 6] = [
    Name::PolicyType,
    Name::PolicyDomain,
    Name::PolicyString,
    Name::MxHostPattern,
    Name::PolicyFailure,
    Name::PolicyTtl,
];

impl Level {
    /// Whether it demands all that the other one does. `dane` and `encrypt` do not: one may go in
    /// clear where no TLSA record is published, the other takes any certificate.
    pub fn demands_all_of(self, other: Self) -> bool {
        let below: &[Self] = match self {
            Self::None => &[],
            Self::May => &[Self::None],
            Self::Encrypt | Self::HalfDane => &[Self::None, Self::May],
            Self::Dane => &[Self::None, Self::May, Self::HalfDane],
            Self::Fingerprint | Self::Verify => &[Self::None, Self::May, Self::Encrypt],
            Self::Secure => &[Self::None, Self::May, Self::Encrypt, Self::Verify],
            Self::DaneOnly => &[
                Self::None,
                Self::May,
                Self::Encrypt,
                Self::HalfDane,
                Self::Dane,
            ],
        };
        self == other || below.contains(&other)
    }
}

impl Policy {
    /// The policy that keeps what each of these demands, written in one way: attributes in order,
    /// each once. The order of `policies` does not matter. Of none it is `none`.
    ///
    /// # Errors
    /// What no single policy can say.
    pub fn meeting(policies: &[Self]) -> Result<Self, Incomparable> {
        let mut met = Self::of(level(policies)?);
        let meeting = Meeting {
            level: met.level,
            policies,
        };
        for name in Name::ALL {
            let value = match name {
                Name::Protocols => meeting.protocols()?,
                Name::Ciphers => meeting.ciphers(),
                Name::Exclude => meeting.exclude(),
                Name::Match => meeting.names()?,
                Name::Servername => meeting.only(name)?,
                Name::ConnectionReuse | Name::EnableRpk => meeting.switch(name),
                // They may stand more than once.
                _ => continue,
            };
            met.attributes
                .extend(value.map(|value| Attribute { name, value }));
        }
        met.attributes.extend(meeting.anchors()?);
        met.attributes.extend(meeting.reported()?);
        met.attributes.sort_by_key(|one| one.name);
        Ok(met)
    }

    /// Whether it keeps what the other one demands.
    pub fn keeps(&self, other: &Self) -> bool {
        let own = Self::meeting(std::slice::from_ref(self));
        own.is_ok() && own == Self::meeting(&[self.clone(), other.clone()])
    }
}

/// The level that demands what all do.
fn level(policies: &[Policy]) -> Result<Level, Incomparable> {
    let mut levels: Vec<Level> = policies.iter().map(|one| one.level).collect();
    levels.sort();
    levels.dedup();
    let all = |level: &Level| levels.iter().all(|other| level.demands_all_of(*other));
    if let Some(level) = levels.iter().copied().find(all) {
        return Ok(level);
    }
    let clash = levels.iter().find_map(|one| {
        let free = |other: &&Level| !one.demands_all_of(**other) && !other.demands_all_of(*one);
        Some((*one, *levels.iter().find(free)?))
    });
    match clash {
        Some((one, other)) => Err(Incomparable::Levels { one, other }),
        None => Ok(Level::None),
    }
}

/// Policies that meet at a level.
struct Meeting<'a> {
    level: Level,
    policies: &'a [Policy],
}

impl<'a> Meeting<'a> {
    /// The values of an attribute, those of each policy that has it together.
    fn all(&self, name: Name) -> impl Iterator<Item = (&'a Policy, Vec<&'a str>)> {
        let each = self.policies.iter();
        let each = each.map(move |policy| (policy, policy.values(name).collect::<Vec<_>>()));
        each.filter(|(_, values)| !values.is_empty())
    }

    /// The protocols that all of the lists allow, as the narrowest of them writes it.
    fn protocols(&self) -> Result<Option<String>, Incomparable> {
        let read = |text: &str| ProtocolList::parse(text, RangeSyntax::Allowed).ok();
        let lists = self.all(Name::Protocols);
        let mut lists: Vec<(&str, ProtocolList)> = lists
            .flat_map(|(_, values)| values)
            .filter_map(|text| Some((text, read(text)?)))
            .collect();
        // Of lists that say the same it is the first by its letters.
        lists.sort_by_key(|(text, _)| *text);
        let Some(first) = lists.first() else {
            return Ok(None);
        };
        let both = lists.iter().fold(first.1, |both, (_, list)| both.and(list));
        if let Some((text, _)) = lists.iter().find(|(_, list)| list.same_as(&both)) {
            return Ok(Some((*text).to_owned()));
        }
        if both.floor().is_some() {
            return Ok(Some(both.excluded().join(":")));
        }
        Err(Incomparable::NoProtocol {
            one: first.0.to_owned(),
            other: lists.last().map_or("", |(text, _)| text).to_owned(),
        })
    }

    /// The highest grade.
    fn ciphers(&self) -> Option<String> {
        let grades = self.all(Name::Ciphers).flat_map(|(_, values)| values);
        let grades: Vec<Grade> = grades.filter_map(|text| text.parse().ok()).collect();
        let best = Grade::ALL.into_iter().find(|grade| grades.contains(grade));
        best.map(|grade| grade.name().to_owned())
    }

    /// What any of them excludes.
    fn exclude(&self) -> Option<String> {
        let lists: Vec<Vec<&str>> = self.all(Name::Exclude).map(|(_, values)| values).collect();
        let words = lists.iter().flatten().flat_map(|list| list.split(':'));
        let mut words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        words.sort_unstable();
        words.dedup();
        (!lists.is_empty()).then(|| words.join(":"))
    }

    /// The names, or fingerprints, that all of the lists take: the shortest list, where it is a
    /// part of each other one.
    fn names(&self) -> Result<Option<String>, Incomparable> {
        let separator = match self.level {
            Level::Fingerprint => '|',
            _ => ':',
        };
        let all = self.all(Name::Match);
        // What `verify` means anyway, and `secure` goes beyond.
        let usual = |policy: &Policy, words: &[&str]| {
            policy.level == Level::Verify && self.level == Level::Secure && words == ["hostname"]
        };
        let lists = all.filter_map(|(policy, values)| {
            let words = sorted(values.iter().flat_map(|list| list.split(separator)));
            (!usual(policy, &words)).then_some(words)
        });
        let lists: Vec<Vec<&str>> = lists.collect();
        let Some(shortest) = narrowest(Name::Match, &lists)? else {
            return Ok(None);
        };
        let separator = separator.to_string();
        let secure = |policy: &Policy| {
            policy.level == Level::Secure && policy.values(Name::Match).next().is_none()
        };
        let from_dns = shortest
            .iter()
            .any(|word| word.eq_ignore_ascii_case("hostname"));
        if from_dns && self.policies.iter().any(secure) {
            return Err(Incomparable::NameFromDns(shortest.join(&separator)));
        }
        Ok(Some(shortest.join(&separator)))
    }

    /// The trust anchors: of several lists the one that is a part of each other one.
    fn anchors(&self) -> Result<Vec<Attribute>, Incomparable> {
        let lists = self.all(Name::Tafile);
        let lists: Vec<Vec<&str>> = lists.map(|(_, files)| sorted(files.into_iter())).collect();
        let files = narrowest(Name::Tafile, &lists)?.unwrap_or_default();
        let attribute = |file: &str| Attribute {
            name: Name::Tafile,
            value: file.to_owned(),
        };
        Ok(files.into_iter().map(attribute).collect())
    }

    /// A value that all that have one agree on.
    fn only(&self, name: Name) -> Result<Option<String>, Incomparable> {
        let values = self.all(name).flat_map(|(_, values)| values);
        let mut values: Vec<String> = values.map(str::to_ascii_lowercase).collect();
        values.sort();
        values.dedup();
        match values.as_slice() {
            [one, .., other] => Err(differ(name, one, other)),
            _ => Ok(values.pop()),
        }
    }

    /// What is allowed by all: `no` forbids it. Of several values in a policy the last counts.
    fn switch(&self, name: Name) -> Option<String> {
        let last = self
            .all(name)
            .filter_map(|(_, values)| values.last().copied());
        let all: Vec<&str> = last.collect();
        let no = all.iter().any(|value| value.eq_ignore_ascii_case("no"));
        (!all.is_empty()).then(|| if no { "no" } else { "yes" }.to_owned())
    }

    /// What is reported of an MTA-STS policy: the same of all that have it.
    fn reported(&self) -> Result<Vec<Attribute>, Incomparable> {
        let mut found: BTreeMap<String, Vec<Attribute>> = BTreeMap::new();
        for policy in self.policies {
            let attributes = policy.attributes.iter();
            let mut own: Vec<Attribute> = attributes
                .filter(|one| REPORTED.contains(&one.name))
                .cloned()
                .collect();
            own.sort_by_key(|one| one.name);
            if !own.is_empty() {
                found.insert(Shown(&own).to_string(), own);
            }
        }
        let mut texts = found.keys();
        if let (Some(one), Some(other)) = (texts.next(), texts.next_back()) {
            return Err(differ(Name::PolicyType, one, other));
        }
        Ok(found.into_values().next().unwrap_or_default())
    }
}

fn sorted<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The list that is a part of each other one.
fn narrowest<'a>(name: Name, lists: &[Vec<&'a str>]) -> Result<Option<Vec<&'a str>>, Incomparable> {
    let mut lists: Vec<&Vec<&str>> = lists.iter().collect();
    lists.sort_by_key(|list| (list.len(), (*list).clone()));
    let Some((shortest, others)) = lists.split_first() else {
        return Ok(None);
    };
    for other in others {
        if !shortest.iter().all(|word| other.contains(word)) {
            return Err(differ(name, &shortest.join(" "), &other.join(" ")));
        }
    }
    Ok(Some((*shortest).clone()))
}

fn differ(name: Name, one: &str, other: &str) -> Incomparable {
    Incomparable::Values {
        name: name.text(),
        one: one.to_owned(),
        other: other.to_owned(),
    }
}

/// Attributes as they stand in a row.
struct Shown<'a>(&'a [Attribute]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blank = "";
        for Attribute { name, value } in self.0 {
            write!(f, "{blank}{}={value}", name.text())?;
            blank = " ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

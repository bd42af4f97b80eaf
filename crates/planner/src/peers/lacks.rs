//! What peers lack that a change leaves out.
//!
//! Owns: naming them by versions, suites and groups. Never: guesses; a suite is told by OpenSSL's
//! name of it.

use super::Expanded;
use super::terms::{Key, Place, Terms};
use crate::ciphers::is_anonymous;
use mailtls::TlsVersion;
use serde::Serialize;

/// What peers lack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "lack", rename_all = "kebab-case")]
pub enum Lack {
    /// TLS.
    Tls,
    /// A version that is still allowed.
    Versions {
        /// Those that were allowed and are no more.
        gone: Vec<TlsVersion>,
        /// The oldest and the newest that are; none where nothing is.
        left: Vec<TlsVersion>,
    },
    /// A suite that is still allowed; this is about TLS 1.2 and older.
    Suites {
        /// Those that were allowed and are no more.
        gone: Vec<String>,
        /// What all that are left have, and those had not.
        without: Vec<Feature>,
        /// Whether TLS 1.3, whose suites stay, is allowed.
        newer: bool,
    },
    /// A group for ECDHE that is still allowed.
    Groups {
        /// Those that were allowed and are no more.
        gone: Vec<String>,
    },
}

/// What a suite can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// Keys of a session that nobody can make later.
    ForwardSecrecy,
    /// The same by elliptic curves.
    Ecdhe,
    /// Encryption that notices changes by itself: AES-GCM, AES-CCM, ChaCha20-Poly1305.
    Aead,
    /// A certificate.
    Certificate,
}

const FEATURES: [Feature; 4] = [
    Feature::Ecdhe,
    Feature::ForwardSecrecy,
    Feature::Aead,
    Feature::Certificate,
];

impl Feature {
    /// Whether the suite of that name has it.
    pub(super) fn is_of(self, suite: &str) -> bool {
        let starts = |words: &[&str]| words.iter().any(|word| suite.starts_with(word));
        match self {
            Self::Ecdhe => starts(&["ECDHE-", "AECDH-"]),
            Self::ForwardSecrecy => starts(&["ECDHE-", "AECDH-", "DHE-", "EDH-", "ADH-"]),
            Self::Aead => ["GCM", "CCM", "CHACHA20"]
                .iter()
                .any(|word| suite.contains(word)),
            Self::Certificate => !is_anonymous(suite),
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::ForwardSecrecy => "forward secrecy (ECDHE or DHE)",
            Self::Ecdhe => "ECDHE",
            Self::Aead => "authenticated encryption like AES-GCM",
            Self::Certificate => "suites with a certificate",
        }
    }
}

/// What peers of a program lack after a change; nothing where it did no TLS before, or could do none.
pub(super) fn of(before: Option<&Place>, after: &Place, expanded: &Expanded) -> Vec<Lack> {
    let Some(before) = before.filter(|before| before.terms.list.is_some()) else {
        return Vec::new();
    };
    let lacks = [
        versions(&before.terms, &after.terms),
        suites(before, after, expanded),
        groups(&before.terms, &after.terms),
    ];
    lacks.into_iter().flatten().collect()
}

fn allowed(terms: &Terms) -> Vec<TlsVersion> {
    let all = TlsVersion::ALL.into_iter();
    // SSLv2 is in no library that Postfix 3 can be built with.
    all.filter(|version| *version > TlsVersion::Ssl2 && terms.protocols.allows(*version))
        .collect()
}

fn versions(before: &Terms, after: &Terms) -> Option<Lack> {
    let left = allowed(after);
    let gone: Vec<TlsVersion> = allowed(before)
        .into_iter()
        .filter(|version| !left.contains(version))
        .collect();
    (!gone.is_empty()).then_some(Lack::Versions { gone, left })
}

fn suites(was: &Place, is: &Place, expanded: &Expanded) -> Option<Lack> {
    let (before, after) = (&was.terms, &is.terms);
    let older = |terms: &Terms| {
        let mut all = allowed(terms).into_iter();
        all.any(|version| version < TlsVersion::Tls1_3)
    };
    if before.list == after.list || !older(before) || !older(after) {
        return None;
    }
    let of = |terms: &Terms| -> Option<Vec<&String>> {
        let Some(list) = &terms.list else {
            return Some(Vec::new());
        };
        let suites = expanded.get(list)?.iter();
        Some(suites.filter(|suite| is_usable(suite)).collect())
    };
    let (had, have) = (of(before)?, of(after)?);
    if have.is_empty() && !had.is_empty() {
        // Postfix makes no list, or OpenSSL refuses it (no cipher match): there is no handshake at all.
        return Some(Lack::Versions {
            gone: allowed(before),
            left: Vec::new(),
        });
    }
    // Nobody has agreed on a suite for a certificate that is not there.
    let has_key = |suite: &&String| {
        let keys = was.keys.as_ref().zip(is.keys.as_ref());
        let own = Key::of_suite(suite);
        is_anonymous(suite) || keys.is_none_or(|(was, is)| was.contains(&own) || is.contains(&own))
    };
    let have: Vec<&String> = have.into_iter().filter(has_key).collect();
    let had = had.into_iter().filter(has_key);
    let gone: Vec<&String> = had.filter(|one| !have.contains(one)).collect();
    if gone.is_empty() {
        return None;
    }
    let told = |feature: &Feature| {
        have.iter().all(|suite| feature.is_of(suite))
            && gone.iter().any(|suite| !feature.is_of(suite))
    };
    let mut without: Vec<Feature> = FEATURES.into_iter().filter(told).collect();
    if without.contains(&Feature::Ecdhe) {
        without.retain(|feature| *feature != Feature::ForwardSecrecy);
    }
    // Nobody lives by anonymous suites alone where others are left.
    if without.len() > 1 {
        let alone = gone.iter().all(|suite| is_anonymous(suite));
        without.retain(|feature| (*feature == Feature::Certificate) == alone);
    }
    Some(Lack::Suites {
        gone: gone.into_iter().cloned().collect(),
        without,
        newer: allowed(after).contains(&TlsVersion::Tls1_3),
    })
}

/// Postfix has no keys for suites of pre-shared keys and passwords, and nobody has certificates of
/// DSA.
fn is_usable(suite: &str) -> bool {
    !["PSK", "SRP", "-DSS-"]
        .iter()
        .any(|word| suite.contains(word))
}

fn groups(before: &Terms, after: &Terms) -> Option<Lack> {
    let (had, have) = (before.groups.as_ref()?, after.groups.as_ref()?);
    let gone = had.iter().filter(|group| !have.contains(group));
    let gone: Vec<String> = gone.cloned().collect();
    (!gone.is_empty()).then_some(Lack::Groups { gone })
}

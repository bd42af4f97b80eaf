//! Who is shown at a name and port.
//!
//! Owns: the names of the store's certificates for what the planner says is presented. Never:
//! decides what is.

use super::RecordOf;
use crate::{Engine, EngineError};
use mailtls::tlsa::TlsaRecord;
use mailtls::{Certificate, Fingerprint};
use postseal_planner::dane::{Endpoint, Presented, Standing};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A name and port where the certificate is not presented.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    /// The name and port.
    pub endpoint: Endpoint,
    /// What is presented instead.
    pub instead: Instead,
}

/// What is presented instead of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// These certificates of the store, by name, with the version where it is not the newest;
    /// others by their subject. What is wished is told where nothing is presented yet.
    Others(Vec<String>),
    /// None: TLS is off there, or anonymous.
    Nothing,
    /// No server is there.
    Nobody,
    /// The files do not tell.
    Unknown,
}

impl Elsewhere {
    pub(super) fn of(at: &Standing, shown: &Shown) -> Self {
        let now = shown.leaves.iter().any(|leaf| leaf.now);
        let others = shown.leaves.iter().filter(|leaf| leaf.now || !now);
        let others: Vec<String> = others.map(|leaf| leaf.words.clone()).collect();
        Self {
            endpoint: at.endpoint.clone(),
            instead: match (&at.then, others.is_empty()) {
                (_, false) => Instead::Others(others),
                (Presented::Nobody, true) => Instead::Nobody,
                (Presented::Unknown, true) => Instead::Unknown,
                (Presented::Chains(_), true) => Instead::Nothing,
            },
        }
    }
}

/// When something is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Now.
    Now,
    /// Now, or once what is wished is in force.
    Either,
}

/// The certificates of a place.
pub(super) struct Shown {
    leaves: Vec<Leaf>,
}

struct Leaf {
    /// The name in the store; `None` for what is not there.
    name: Option<String>,
    /// The name, with the version where it is not the newest; else the subject.
    words: String,
    record: TlsaRecord,
    is_own: bool,
    now: bool,
    then: bool,
}

impl Shown {
    /// Whether the certificate that is asked about is presented.
    pub(super) fn has_own(&self, side: Side) -> bool {
        let mut own = self.leaves.iter().filter(|leaf| leaf.is_own);
        own.any(|leaf| side == Side::Either || leaf.now)
    }

    /// The other certificates that stay, or come to be, beside it.
    pub(super) fn beside(&self) -> impl Iterator<Item = &String> {
        let own = self.leaves.iter().any(|leaf| leaf.is_own && leaf.then);
        let others = self.leaves.iter().filter(|leaf| !leaf.is_own && leaf.then);
        others
            .filter(move |_| own)
            .filter_map(|leaf| leaf.name.as_ref())
    }

    /// The records of all that is presented, or will be.
    pub(super) fn presented(&self) -> impl Iterator<Item = (TlsaRecord, RecordOf)> {
        self.leaves.iter().map(|leaf| {
            let of = match leaf.now {
                true => RecordOf::Presented(leaf.words.clone()),
                false => RecordOf::Key(leaf.words.clone()),
            };
            (leaf.record.clone(), of)
        })
    }
}

impl Engine<'_> {
    /// The leaves of all versions under a name.
    pub(super) fn leaves_of(&self, name: &str) -> Result<Vec<Fingerprint>, EngineError> {
        let versions = self.store.certificate_versions(name)?;
        let leaves = versions.iter().filter_map(|stored| stored.chain.first());
        Ok(leaves.map(|leaf| Fingerprint::of(leaf)).collect())
    }

    /// What is presented at a place; `own` are the leaves of `name`.
    pub(super) fn shown_at(
        &self,
        at: &Standing,
        name: &str,
        own: &[Fingerprint],
    ) -> Result<Shown, EngineError> {
        let mut leaves: BTreeMap<Fingerprint, Leaf> = BTreeMap::new();
        for (presented, then) in [(&at.then, true), (&at.now, false)] {
            let Presented::Chains(chains) = presented else {
                continue;
            };
            for leaf in chains.iter().filter_map(|chain| chain.first()) {
                let fingerprint = leaf.fingerprint();
                let known = match leaves.entry(fingerprint) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        let own = own.contains(&fingerprint).then_some(name);
                        new.insert(self.leaf(leaf, own)?)
                    }
                };
                known.then |= then;
                known.now |= !then;
            }
        }
        let mut leaves: Vec<Leaf> = leaves.into_values().collect();
        leaves.sort_by(|a, b| a.words.cmp(&b.words));
        Ok(Shown { leaves })
    }

    fn leaf(&self, leaf: &Certificate, own: Option<&str>) -> Result<Leaf, EngineError> {
        let stored = self.of_leaf(&leaf.fingerprint())?;
        let mut known = stored.iter();
        let known = known
            .find(|stored| own.is_none_or(|own| own == stored.name))
            .map(|stored| (stored.name.clone(), stored.version));
        let words = match &known {
            Some((name, version)) => {
                let newest = self.newest(name)?.map(|newest| newest.version);
                match newest.is_some_and(|newest| newest != *version) {
                    true => format!("{name} [version {version}]"),
                    false => name.clone(),
                }
            }
            None => format!("{}, which is not in the store", leaf.subject),
        };
        Ok(Leaf {
            name: known.map(|(name, _)| name),
            words,
            record: TlsaRecord::for_certificate(leaf),
            is_own: own.is_some(),
            now: false,
            then: false,
        })
    }
}

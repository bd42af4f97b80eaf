//! The certificates as a list shows them.
//!
//! Owns: a row of the list. Never: judges a certificate; a list of ten thousand is read at once.

use super::users::Users;
use super::{CertificateView, Stored};
use crate::renew::Renewals;
use crate::succession::Prospect;
use crate::{Engine, EngineError, RenewalView};
use mailtls::Summary;
use postseal_planner::Finding;
use postseal_planner::renewal::Life;

/// A certificate of the store, as a list shows it: the version in force, where one is; else the
/// newest.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// How often it had been renewed, and one more.
    pub version: u32,
    /// What its leaf says.
    pub leaf: Summary,
    /// Certificates in its chain, the leaf included.
    pub chain_length: usize,
    /// Whether its key is in the store.
    pub has_key: bool,
    /// Where it came from.
    pub source: String,
    /// Who presents it, as in [`CertificateView`].
    pub used_by: Vec<String>,
    /// The newest version, where an older one is in force.
    pub waiting: Option<Box<Waiting>>,
    /// How it is renewed, where a CA issues it by ACME.
    pub renewal: Option<RenewalView>,
}

/// A version that is newer than what is in force.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its number.
    pub version: u32,
    /// What its leaf says.
    pub leaf: Summary,
    /// Where it came from.
    pub source: String,
    /// When it came, milliseconds since the epoch.
    pub since_ms: i64,
    /// Where it is wished: `smtpd (pending)`. Nowhere: it waits for `cert deploy`.
    pub used_by: Vec<String>,
    /// Why `cert deploy` would not put it in force; nothing where it would.
    pub waits_for: Vec<Finding>,
    /// That DNS did not tell whether published TLSA records forbid it.
    pub untold: Option<Finding>,
}

/// The versions under a name that a list speaks of.
pub(super) struct Spoken {
    /// In force, or the newest where none is.
    pub(super) shown: Stored,
    /// The newest, where it is not that.
    pub(super) waiting: Option<Stored>,
}

impl Listed {
    /// The row of a certificate that was looked at in full; `None` for one without a chain.
    pub fn of(view: &CertificateView) -> Option<Self> {
        let leaf = view.chain.first()?;
        Some(Self {
            name: view.name.clone(),
            version: view.version,
            leaf: Summary::read(&leaf.der).ok()?,
            chain_length: view.chain.len(),
            has_key: view.has_key,
            source: view.source.clone(),
            used_by: view.used_by.clone(),
            waiting: None,
            renewal: view.renewal.clone(),
        })
    }
}

impl Engine<'_> {
    /// All certificates, by name. Nothing is judged, and of the chains nothing is kept.
    pub fn list_certificates(&self) -> Result<Vec<Listed>, EngineError> {
        let mut rows = Vec::new();
        self.each_listed(&mut |row| rows.push(row))?;
        Ok(rows)
    }

    /// The same, a row at a time.
    pub fn each_listed(&self, each: &mut dyn FnMut(Listed)) -> Result<(), EngineError> {
        let (users, renewals) = (self.users()?, Renewals::of(self)?);
        self.each_stored(&mut |newest| {
            let newest_leaf = leaf(&newest)?;
            let renewal = renewals.of_certificate(&newest.name, &life(&newest_leaf));
            let Spoken { shown, waiting } = self.spoken(newest, &users)?;
            let mut used_by = users.of_certificate(&shown.name, shown.version);
            let (leaf, waiting) = match waiting {
                Some(newest) => {
                    let prospect = self.prospect(&newest)?;
                    let waiting = Waiting::of(newest, newest_leaf, &users, prospect);
                    used_by = users.of_others(&shown.name, shown.version, waiting.version);
                    (leaf(&shown)?, Some(Box::new(waiting)))
                }
                None => (newest_leaf, None),
            };
            each(Listed {
                renewal,
                leaf,
                used_by,
                waiting,
                name: shown.name,
                version: shown.version,
                chain_length: shown.chain.len(),
                has_key: shown.has_key,
                source: shown.source,
            });
            Ok(())
        })
    }

    /// Which versions there are to speak of, `newest` being the newest one.
    pub(super) fn spoken(&self, newest: Stored, users: &Users) -> Result<Spoken, EngineError> {
        let Some(version) = users.older_in_force(&newest.name, newest.version) else {
            return Ok(Spoken {
                shown: newest,
                waiting: None,
            });
        };
        let versions = self.store.certificate_versions(&newest.name)?;
        let shown = versions.into_iter().find(|each| each.version == version);
        Ok(match shown {
            Some(shown) => Spoken {
                shown,
                waiting: Some(newest),
            },
            None => Spoken {
                shown: newest,
                waiting: None,
            },
        })
    }
}

impl Waiting {
    fn of(stored: Stored, leaf: Summary, users: &Users, prospect: Prospect) -> Self {
        Self {
            waits_for: prospect.waits_for,
            untold: prospect.untold,
            leaf,
            used_by: users.of_version(&stored.name, stored.version),
            version: stored.version,
            source: stored.source,
            since_ms: stored.added_ms,
        }
    }
}

fn leaf(stored: &Stored) -> Result<Summary, EngineError> {
    let leaf = stored.chain.first().map_or(&[][..], Vec::as_slice);
    Ok(Summary::read(leaf)?)
}

fn life(leaf: &Summary) -> Life {
    Life {
        of: leaf.fingerprint,
        not_before: leaf.not_before,
        not_after: leaf.not_after,
    }
}

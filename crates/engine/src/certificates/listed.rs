//! The certificates as a list shows them.
//!
//! Owns: a row of the list. Never: judges a certificate; a list of ten thousand is read at once.

use super::CertificateView;
use crate::renew::Renewals;
use crate::{Engine, EngineError, RenewalView};
use mailtls::Summary;
use postseal_planner::renewal::Life;

/// A certificate of the store, as a list shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// How often it was renewed, and one more.
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
    /// How it is renewed, where a CA issues it by ACME.
    pub renewal: Option<RenewalView>,
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
        self.each_stored(&mut |stored| {
            let leaf = stored.chain.first().map_or(&[][..], Vec::as_slice);
            let leaf = Summary::read(leaf)?;
            let life = Life {
                of: leaf.fingerprint,
                not_before: leaf.not_before,
                not_after: leaf.not_after,
            };
            each(Listed {
                renewal: renewals.of_certificate(&stored.name, &life),
                leaf,
                used_by: users.of_certificate(&stored.name, stored.version),
                name: stored.name,
                version: stored.version,
                chain_length: stored.chain.len(),
                has_key: stored.has_key,
                source: stored.source,
            });
            Ok(())
        })
    }
}

//! Certificates of a private CA, in files as an administrator would have them.

use crate::Outcome;
use postseal_issue::{Issued, KeyType, LeafRequest, PrivateCa, Validity};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

/// A CA of the scenarios.
pub(crate) struct Authority {
    ca: PrivateCa,
    validity: Validity,
}

impl Authority {
    pub(crate) fn new() -> Outcome<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let now = i64::try_from(now)?;
        let validity = Validity {
            not_before: now - DAY,
            not_after: now + 90 * DAY,
        };
        let ca = PrivateCa::new("Bench Root CA", KeyType::EcdsaP256, validity)?;
        Ok(Self { ca, validity })
    }

    pub(crate) fn issue(&self, names: &[String]) -> Outcome<Issued> {
        Ok(self.ca.issue(&LeafRequest {
            names: names.to_vec(),
            key_type: KeyType::EcdsaP256,
            validity: self.validity,
        })?)
    }

    /// A key, its certificate and the chain, key first.
    pub(crate) fn file(&self, names: &[String], path: &Path) -> Outcome<PathBuf> {
        let leaf = self.issue(names)?;
        fs::write(path, format!("{}{}", &*leaf.key_pem, leaf.fullchain_pem()))?;
        Ok(path.to_owned())
    }
}

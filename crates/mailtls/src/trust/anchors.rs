//! Many trust anchors, of which a chain needs a few.
//!
//! Owns: finding those that may have issued a certificate of a chain, by name, without parsing
//! the others. Never: says that one has; signatures are checked by who verifies.

use crate::{CertError, Certificate, pem};
use std::collections::BTreeMap;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Trust anchors by their names.
#[derive(Clone, Debug, Default)]
pub struct Anchors(BTreeMap<Vec<u8>, Vec<Vec<u8>>>);

impl Anchors {
    /// Reads a bundle of certificates as systems keep them (PEM). One that cannot be read makes no
    /// other untrusted.
    pub fn read(bundle: &[u8]) -> Result<Self, CertError> {
        let mut anchors: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
        for block in pem::blocks(bundle)? {
            if !block.is_certificate() {
                continue;
            }
            if let Ok((_, parsed)) = X509Certificate::from_der(&block.der) {
                let name = parsed.subject().as_raw().to_vec();
                anchors.entry(name).or_default().push(block.der.to_vec());
            }
        }
        Ok(Self(anchors))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them (DER), by their names.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.0.values().flatten().map(Vec::as_slice)
    }

    /// Those that have the name of an issuer of this chain, or of a certificate in it.
    pub fn of(&self, chain: &[Certificate]) -> Vec<Certificate> {
        let mut found: Vec<Certificate> = Vec::new();
        for certificate in chain {
            let Ok((_, parsed)) = X509Certificate::from_der(&certificate.der) else {
                continue;
            };
            for name in [parsed.issuer(), parsed.subject()] {
                let ders = self.0.get(name.as_raw()).into_iter().flatten();
                let anchors = ders.filter_map(|der| Certificate::parse(der).ok());
                for anchor in anchors {
                    if !found.contains(&anchor) {
                        found.push(anchor);
                    }
                }
            }
        }
        found
    }
}

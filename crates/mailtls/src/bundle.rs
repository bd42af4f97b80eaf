//! A certificate with its key and intermediates, as people have them: in any order and form.
//!
//! Owns: sorting them out, and saying what was done about them. Never: judges the certificate
//! (that is `problems`) or opens a file.

mod order;

use crate::pem::{self, Form};
use crate::{CertError, Certificate, PrivateKey};
use std::fmt;

/// The most certificates taken in one bundle.
const MAX_CERTIFICATES: usize = 32;

/// A chain in order, with its key where one was given.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Bundle {
    /// Leaf first, then each certificate's issuer; without the root. Never empty.
    pub chain: Vec<Certificate>,
    /// The leaf's private key.
    pub key: Option<PrivateKey>,
    /// The root that was among the certificates given and left out, where it fits the chain.
    pub root: Option<Certificate>,
    /// What was done to get there.
    pub notes: Vec<Note>,
}

/// Something that was put right, or left out, while sorting a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The certificates were not in order.
    Reordered,
    /// A certificate was there twice.
    Duplicate(String),
    /// The root was left out: peers have it or do not trust it.
    Root(String),
    /// A certificate has nothing to do with the chain.
    Unrelated(String),
    /// An older certificate for the same key.
    Older(String),
    /// A PEM object of no use here.
    Ignored(String),
    /// DER was converted.
    FromDer,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reordered => f.write_str("the certificates were put in order, leaf first"),
            Self::Duplicate(name) => write!(f, "{name} was there twice"),
            Self::Root(name) => write!(f, "the root {name} was left out: servers do not send it"),
            Self::Unrelated(name) => {
                write!(f, "{name} was left out: it is no part of the chain")
            }
            Self::Older(name) => write!(
                f,
                "an older certificate of the same key was left out: {name}"
            ),
            Self::Ignored(label) => write!(f, "a {label} was left out"),
            Self::FromDer => f.write_str("DER was converted to PEM"),
        }
    }
}

impl Bundle {
    /// Sorts out a certificate file, with its key and its intermediates, which may stand in files
    /// of their own or in the same; PEM in any order, or DER.
    pub fn read(cert: &[u8], key: Option<&[u8]>, chain: Option<&[u8]>) -> Result<Self, CertError> {
        let mut found = Objects::default();
        found.add(cert)?;
        let from_cert = found.certificates.len();
        if let Some(key) = key {
            let before = found.keys.len();
            found.add(key)?;
            if found.keys.len() == before {
                return Err(CertError::KeyMissing);
            }
        }
        if let Some(chain) = chain {
            found.add(chain)?;
        }
        let key = found.take_key()?;
        // Without a key the certificate file says which one is meant, if it holds any.
        order::sort(found, key, from_cert)
    }
}

/// What stands in the files, before it is sorted.
#[derive(Default)]
struct Objects {
    certificates: Vec<Certificate>,
    keys: Vec<PrivateKey>,
    notes: Vec<Note>,
}

impl Objects {
    fn add(&mut self, bytes: &[u8]) -> Result<(), CertError> {
        match pem::form(bytes)? {
            Form::Der(der) => self.add_der(der),
            Form::Pem(pem) => pem::blocks(pem)?
                .iter()
                .try_for_each(|block| self.add_block(block)),
        }
    }

    fn add_der(&mut self, der: &[u8]) -> Result<(), CertError> {
        match Certificate::parse(der) {
            Ok(certificate) => {
                self.certificates.push(certificate);
                self.notes.push(Note::FromDer);
            }
            Err(error @ CertError::NulInName(_)) => return Err(error),
            Err(_) => self.keys.push(PrivateKey::from_der(der)?),
        }
        Ok(())
    }

    fn add_block(&mut self, block: &pem::Block) -> Result<(), CertError> {
        if block.is_key() {
            self.keys.push(PrivateKey::from_block(block)?);
            return Ok(());
        }
        match block.label.as_str() {
            _ if block.is_certificate() => self.certificates.push(Certificate::parse(&block.der)?),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => return Err(CertError::IsRequest),
            "PKCS7" | "CMS" => return Err(CertError::Pkcs7),
            other => self.notes.push(Note::Ignored(other.to_owned())),
        }
        match self.certificates.len() {
            too_many if too_many > MAX_CERTIFICATES => Err(CertError::TooMany(too_many)),
            _ => Ok(()),
        }
    }

    fn take_key(&mut self) -> Result<Option<PrivateKey>, CertError> {
        let Some(key) = self.keys.pop() else {
            return Ok(None);
        };
        match self.keys.iter().all(|other| other.is_same(&key)) {
            true => Ok(Some(key)),
            false => Err(CertError::TwoKeys),
        }
    }
}

#[cfg(test)]
mod tests;

//! A certificate with its key and intermediates, as people have them: in any order and form.
//!
//! Owns: sorting them out, and saying what was done about them. Never: judges the certificate
//! (that is `problems`) or opens a file.

mod order;

use crate::pem::{self, Form};
use crate::pkcs12::{self, Unlock};
use crate::{CertError, Certificate, PrivateKey, pkcs7};
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
    /// PKCS#12 was opened.
    FromPkcs12,
    /// A PKCS#12 file held certificates only; the key came from elsewhere.
    NoKeyInside,
    /// PKCS#7 was converted.
    FromPkcs7,
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
            Self::FromPkcs12 => f.write_str("PKCS#12 was converted to PEM"),
            Self::NoKeyInside => f.write_str("the PKCS#12 file held no key"),
            Self::FromPkcs7 => f.write_str("PKCS#7 was converted to PEM"),
        }
    }
}

/// The files of one certificate, as bytes.
#[derive(Clone, Copy, Default)]
pub struct Files<'a> {
    /// The certificate, and whatever else stands in its file.
    pub cert: &'a [u8],
    /// The private key, where it stands in a file of its own.
    pub key: Option<&'a [u8]>,
    /// The intermediates, where they stand in a file of their own.
    pub chain: Option<&'a [u8]>,
    /// Opens a PKCS#12 file or an encrypted key.
    pub password: Option<&'a str>,
}

/// One of the files of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in `Files`")]
pub enum Part {
    Cert,
    Key,
    Chain,
}

impl Files<'_> {
    /// Which file cannot be read by itself, or is a key's without a key; the first, where one is. The
    /// others may still not belong together.
    pub fn faulty(&self) -> Option<Part> {
        let mut found = Objects::new(self.password);
        if found.add(self.cert).is_err() {
            return Some(Part::Cert);
        }
        let before = found.keys.len();
        if let Some(key) = self.key
            && (found.add(key).is_err() || found.keys.len() == before)
        {
            return Some(Part::Key);
        }
        let chain = self.chain?;
        found.add(chain).is_err().then_some(Part::Chain)
    }
}

impl Bundle {
    /// Sorts out a certificate file, with its key and its intermediates, which may stand in files
    /// of their own or in the same; in any form and order, without a password.
    pub fn read(cert: &[u8], key: Option<&[u8]>, chain: Option<&[u8]>) -> Result<Self, CertError> {
        Self::from_files(Files {
            cert,
            key,
            chain,
            password: None,
        })
    }

    /// As [`Self::read`]: PEM in any order, DER, PKCS#12 or PKCS#7.
    pub fn from_files(files: Files<'_>) -> Result<Self, CertError> {
        let mut found = Objects::new(files.password);
        found.add(files.cert)?;
        let from_cert = found.certificates.len();
        if let Some(key) = files.key {
            let before = found.keys.len();
            found.add(key)?;
            if found.keys.len() == before {
                return Err(CertError::KeyMissing);
            }
        }
        if let Some(chain) = files.chain {
            found.add(chain)?;
        }
        let key = found.take_key()?;
        // Without a key the certificate file says which one is meant, if it holds any.
        order::sort(found, key, from_cert)
    }
}

/// What stands in the files, before it is sorted.
#[derive(Default)]
struct Objects<'a> {
    password: Option<&'a str>,
    certificates: Vec<Certificate>,
    keys: Vec<PrivateKey>,
    notes: Vec<Note>,
}

impl<'a> Objects<'a> {
    fn new(password: Option<&'a str>) -> Self {
        Self {
            password,
            ..Self::default()
        }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), CertError> {
        match pem::form(bytes)? {
            Form::Der(der) => self.add_der(der),
            Form::Pem(pem) => pem::blocks(pem)?
                .iter()
                .try_for_each(|block| self.add_block(block)),
        }
    }

    fn add_der(&mut self, der: &[u8]) -> Result<(), CertError> {
        if pkcs12::is_one(der) {
            return self.add_pkcs12(der);
        }
        if pkcs7::is_one(der) {
            return self.add_pkcs7(der);
        }
        match Certificate::parse(der) {
            Ok(certificate) => {
                self.notes.push(Note::FromDer);
                self.add_certificate(certificate)
            }
            Err(error @ CertError::NulInName(_)) => Err(error),
            Err(_) => {
                self.keys.push(match PrivateKey::from_der(der) {
                    Err(CertError::KeyEncrypted) => self.unlock(der)?,
                    key => key?,
                });
                Ok(())
            }
        }
    }

    fn add_block(&mut self, block: &pem::Block) -> Result<(), CertError> {
        if block.is_key() {
            self.keys.push(match block.label.as_str() {
                "ENCRYPTED PRIVATE KEY" => self.unlock(&block.der)?,
                _ if block.encrypted
                    && let Some(password) = self.password =>
                {
                    PrivateKey::unlock_block(block, password)?
                }
                _ => PrivateKey::from_block(block)?,
            });
            return Ok(());
        }
        match block.label.as_str() {
            _ if block.is_certificate() => self.add_certificate(Certificate::parse(&block.der)?),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Err(CertError::IsRequest),
            "PKCS7" | "CMS" => self.add_pkcs7(&block.der),
            other => {
                self.notes.push(Note::Ignored(other.to_owned()));
                Ok(())
            }
        }
    }

    fn add_pkcs12(&mut self, der: &[u8]) -> Result<(), CertError> {
        let contents = pkcs12::open(der, self.password)?;
        if contents.keys.is_empty() {
            self.notes.push(Note::NoKeyInside);
        }
        self.notes.push(Note::FromPkcs12);
        self.keys.extend(contents.keys);
        self.add_all(&contents.certificates)
    }

    fn add_pkcs7(&mut self, der: &[u8]) -> Result<(), CertError> {
        self.notes.push(Note::FromPkcs7);
        self.add_all(&pkcs7::certificates(der)?)
    }

    fn add_all<T: AsRef<[u8]>>(&mut self, certificates: &[T]) -> Result<(), CertError> {
        certificates
            .iter()
            .try_for_each(|der| self.add_certificate(Certificate::parse(der.as_ref())?))
    }

    fn add_certificate(&mut self, certificate: Certificate) -> Result<(), CertError> {
        self.certificates.push(certificate);
        match self.certificates.len() {
            too_many if too_many > MAX_CERTIFICATES => Err(CertError::TooMany(too_many)),
            _ => Ok(()),
        }
    }

    fn unlock(&self, der: &[u8]) -> Result<PrivateKey, CertError> {
        match self.password {
            Some(_) => Unlock::new(self.password).key(der),
            None => Err(CertError::KeyEncrypted),
        }
    }

    fn take_key(&mut self) -> Result<Option<PrivateKey>, CertError> {
        let Some(key) = self.keys.pop() else {
            return match self.notes.contains(&Note::NoKeyInside) {
                true => Err(CertError::Pkcs12NoKey),
                false => Ok(None),
            };
        };
        match self.keys.iter().all(|other| other.is_same(&key)) {
            true => Ok(Some(key)),
            false => Err(CertError::TwoKeys),
        }
    }
}

#[cfg(test)]
mod tests;

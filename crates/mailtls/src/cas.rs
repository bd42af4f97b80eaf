//! CA certificates that somebody chooses to trust.
//!
//! Owns: reading them from a file, and the form in which they are kept: their DER, one after the
//! other, so that a lone one is kept as itself. Never: takes a server's certificate for a CA's, or
//! says that one vouches for a chain (`verify_chain` does).

use crate::pem::{self, Form};
use crate::{CertError, Certificate, pkcs7, pkcs12};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The most CA certificates that one choice names.
const MAX_CAS: usize = 50;

/// The CA certificates of a file (PEM, DER, PKCS#7), each once. All of them must be CAs'.
pub fn read_cas(bytes: &[u8]) -> Result<Vec<Certificate>, CertError> {
    let mut found: Vec<Certificate> = Vec::new();
    for certificate in certificates(bytes)? {
        if !certificate.may_issue() {
            return Err(CertError::NotACa(certificate.subject));
        }
        if !found.contains(&certificate) {
            found.push(certificate);
        }
    }
    match found.len() {
        0 => Err(CertError::NoCertificate),
        1..=MAX_CAS => Ok(found),
        more => Err(CertError::TooManyCas(more)),
    }
}

/// The form in which they are kept.
pub fn cas_to_der(cas: &[Certificate]) -> Vec<u8> {
    cas.iter().flat_map(|ca| ca.der.iter().copied()).collect()
}

/// What was kept; what cannot be read vouches for nothing.
pub fn cas_from_der(mut der: &[u8]) -> Vec<Certificate> {
    let mut found = Vec::new();
    while found.len() < MAX_CAS
        && let Ok((rest, _)) = X509Certificate::from_der(der)
    {
        let (one, _) = der.split_at(der.len() - rest.len());
        found.extend(Certificate::parse(one).ok());
        der = rest;
    }
    found
}

/// Whether a chain ends at, or goes through, one of these.
pub fn leads_to(chain: &[Certificate], cas: &[Certificate]) -> bool {
    let one = |ca: &Certificate| chain.iter().any(|link| link == ca || link.issued_by(ca));
    cas.iter().any(one)
}

fn certificates(bytes: &[u8]) -> Result<Vec<Certificate>, CertError> {
    let mut ders: Vec<Vec<u8>> = Vec::new();
    match pem::form(bytes)? {
        Form::Der(der) if pkcs12::is_one(der) => return Err(CertError::Pkcs12),
        Form::Der(der) if pkcs7::is_one(der) => ders.extend(of_pkcs7(der)?),
        Form::Der(der) => ders.push(der.to_vec()),
        Form::Pem(pem) => {
            for block in pem::blocks(pem)? {
                match block.label.as_str() {
                    _ if block.is_certificate() => ders.push(block.der.to_vec()),
                    "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                        return Err(CertError::IsRequest);
                    }
                    "PKCS7" | "CMS" => ders.extend(of_pkcs7(&block.der)?),
                    _ => {}
                }
            }
        }
    }
    ders.iter().map(|der| Certificate::parse(der)).collect()
}

fn of_pkcs7(der: &[u8]) -> Result<Vec<Vec<u8>>, CertError> {
    let found = pkcs7::certificates(der)?;
    Ok(found.iter().map(|one| one.to_vec()).collect())
}

#[cfg(test)]
mod tests;

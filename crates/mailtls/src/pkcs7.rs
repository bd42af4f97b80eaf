//! PKCS#7 (`.p7b`; RFC 2315 and CMS, RFC 5652): certificates in a wrapping that signs nothing.
//!
//! Owns: taking them out. Never: looks at signatures or keys, of which such files have none.

use crate::CertError;
use crate::der::{CONTEXT_0, OID, Reader, SEQUENCE, SET, dotted};

const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";

/// Whether DER announces itself as PKCS#7.
pub(crate) fn is_one(der: &[u8]) -> bool {
    let kind = Reader::new(der)
        .enter(SEQUENCE)
        .and_then(|mut info| info.take(OID));
    kind.is_some_and(|kind| dotted(kind).starts_with("1.2.840.113549.1.7."))
}

/// The DER of the certificates in it.
pub(crate) fn certificates(der: &[u8]) -> Result<Vec<&[u8]>, CertError> {
    read(der).ok_or_else(|| CertError::Damaged("the PKCS#7 file".into()))
}

fn read(der: &[u8]) -> Option<Vec<&[u8]>> {
    let mut info = Reader::new(der).enter(SEQUENCE)?;
    if dotted(info.take(OID)?) != SIGNED_DATA {
        return None;
    }
    let mut signed = info.enter(CONTEXT_0)?.enter(SEQUENCE)?;
    signed.number()?;
    signed.take(SET)?;
    signed.take(SEQUENCE)?;
    let mut found = Vec::new();
    let mut certificates = signed.enter(CONTEXT_0)?;
    while !certificates.is_empty() {
        let value = certificates.value()?;
        // Other tags are attribute certificates and older things.
        if value.tag == SEQUENCE {
            found.push(value.whole);
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests;

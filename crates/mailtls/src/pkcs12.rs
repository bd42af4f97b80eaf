//! PKCS#12 (`.pfx`, `.p12`; RFC 7292): a key and its certificates under a password.
//!
//! Owns: which objects are in it. Never: spends more work on a password than [`Unlock`] allows;
//! opens the nested or public-key forms, which nobody writes for servers.
//!
//! OpenSSL's own reader takes any number of iterations and drops every key but one; this one is
//! bounded and says what is there. Ciphers and digests are OpenSSL's.

mod unlock;

use crate::der::{CONTEXT_0, OCTET_STRING, OID, Reader, SEQUENCE, dotted};
use crate::{CertError, PrivateKey};
pub(crate) use unlock::Unlock;
use zeroize::Zeroizing;

const DATA: &str = "1.2.840.113549.1.7.1";
const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";
const KEY_BAG: &str = "1.2.840.113549.1.12.10.1.1";
const SHROUDED_KEY_BAG: &str = "1.2.840.113549.1.12.10.1.2";
const CERT_BAG: &str = "1.2.840.113549.1.12.10.1.3";
const X509_CERTIFICATE: &str = "1.2.840.113549.1.9.22.1";

/// What was in a file.
#[derive(Default)]
pub(crate) struct Contents {
    /// DER of each certificate.
    pub(crate) certificates: Vec<Vec<u8>>,
    pub(crate) keys: Vec<PrivateKey>,
}

/// Whether DER announces itself as PKCS#12.
pub(crate) fn is_one(der: &[u8]) -> bool {
    let pfx = Reader::new(der).enter(SEQUENCE);
    pfx.is_some_and(|mut pfx| pfx.number() == Some(3) && pfx.enter(SEQUENCE).is_some())
}

/// Opens a file; without a password, one that has none or the empty one.
pub(crate) fn open(der: &[u8], password: Option<&str>) -> Result<Contents, CertError> {
    let mut unlock = Unlock::new(password);
    let (safes, verified) = authenticate(der, &mut unlock)?;
    read_safes(safes, &mut unlock).map_err(|error| match error {
        // Without a seal, only garbage tells that the password is wrong.
        CertError::Damaged(_) if !verified => unlock.wrong(),
        error => error,
    })
}

/// The authenticated safe, and whether a seal proved the password.
fn authenticate<'a>(der: &'a [u8], unlock: &mut Unlock<'_>) -> Result<(&'a [u8], bool), CertError> {
    let mut pfx = Reader::new(der).enter(SEQUENCE).ok_or_else(damaged)?;
    pfx.number().ok_or_else(damaged)?;
    let mut info = pfx.enter(SEQUENCE).ok_or_else(damaged)?;
    let kind = dotted(info.take(OID).ok_or_else(damaged)?);
    if kind != DATA {
        return Err(CertError::UnknownCipher(kind));
    }
    let safes = explicit(info)
        .and_then(|mut data| data.take(OCTET_STRING))
        .ok_or_else(damaged)?;
    let Some(seal) = pfx.enter(SEQUENCE) else {
        return Ok((safes, false));
    };
    match unlock.verify(seal, safes)? {
        true => Ok((safes, true)),
        false => Err(unlock.wrong()),
    }
}

fn read_safes(safes: &[u8], unlock: &mut Unlock<'_>) -> Result<Contents, CertError> {
    let mut contents = Contents::default();
    let mut safes = Reader::new(safes).enter(SEQUENCE).ok_or_else(damaged)?;
    while !safes.is_empty() {
        let mut info = safes.enter(SEQUENCE).ok_or_else(damaged)?;
        let kind = dotted(info.take(OID).ok_or_else(damaged)?);
        let mut content = explicit(info).ok_or_else(damaged)?;
        match kind.as_str() {
            DATA => {
                let bags = content.take(OCTET_STRING).ok_or_else(damaged)?;
                read_bags(bags, unlock, &mut contents)?;
            }
            ENCRYPTED_DATA => {
                let bags = decrypt_safe(content, unlock)?;
                read_bags(&bags, unlock, &mut contents)?;
            }
            _ => return Err(CertError::UnknownCipher(kind)),
        }
    }
    Ok(contents)
}

/// EncryptedData: a version, and the content's type, algorithm and octets.
fn decrypt_safe(
    mut content: Reader<'_>,
    unlock: &mut Unlock<'_>,
) -> Result<Zeroizing<Vec<u8>>, CertError> {
    /// `[0]`, primitive.
    const IMPLICIT_OCTETS: u8 = 0x80;
    let mut data = content.enter(SEQUENCE).ok_or_else(damaged)?;
    data.number().ok_or_else(damaged)?;
    let mut data = data.enter(SEQUENCE).ok_or_else(damaged)?;
    data.take(OID).ok_or_else(damaged)?;
    let algorithm = data.enter(SEQUENCE).ok_or_else(damaged)?;
    let octets = data.take(IMPLICIT_OCTETS).ok_or_else(damaged)?;
    unlock.decrypt(algorithm, octets)
}

fn read_bags(
    bags: &[u8],
    unlock: &mut Unlock<'_>,
    contents: &mut Contents,
) -> Result<(), CertError> {
    let mut bags = Reader::new(bags).enter(SEQUENCE).ok_or_else(damaged)?;
    while !bags.is_empty() {
        let mut bag = bags.enter(SEQUENCE).ok_or_else(damaged)?;
        let kind = dotted(bag.take(OID).ok_or_else(damaged)?);
        let mut value = explicit(bag).ok_or_else(damaged)?;
        match kind.as_str() {
            KEY_BAG => {
                let key = value.value().ok_or_else(damaged)?;
                contents.keys.push(PrivateKey::from_der(key.whole)?);
            }
            SHROUDED_KEY_BAG => {
                let key = value.value().ok_or_else(damaged)?;
                contents.keys.push(unlock.key(key.whole)?);
            }
            CERT_BAG => contents.certificates.extend(certificate(value)?),
            // Revocation lists and other secrets are no business of a mail server.
            _ => {}
        }
    }
    Ok(())
}

/// The DER of an X.509 certificate; `None` for the other kind (SDSI).
fn certificate(mut value: Reader<'_>) -> Result<Option<Vec<u8>>, CertError> {
    let mut bag = value.enter(SEQUENCE).ok_or_else(damaged)?;
    let kind = bag.take(OID).ok_or_else(damaged)?;
    let der = explicit(bag).and_then(|mut der| der.take(OCTET_STRING));
    let der = der.ok_or_else(damaged)?;
    Ok((dotted(kind) == X509_CERTIFICATE).then(|| der.to_vec()))
}

fn explicit(mut reader: Reader<'_>) -> Option<Reader<'_>> {
    reader.enter(CONTEXT_0)
}

fn damaged() -> CertError {
    CertError::Damaged("the PKCS#12 file".into())
}

#[cfg(test)]
mod tests;

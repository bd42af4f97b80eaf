//! Certificates that no honest library makes, by OpenSSL.
//!
//! Owns: expired, not yet valid, self-signed and NUL-named ones. Never: judges one.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use openssl::asn1::{Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Extension, X509NameBuilder};

/// Days before and after now between which one is valid.
pub(crate) struct Days {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// Whose names it bears.
pub(crate) enum Names<'a> {
    /// One DNS name.
    Dns(&'a str),
    /// A name with a NUL byte in it.
    Nul,
}

/// What it is.
#[derive(PartialEq, Eq)]
pub(crate) enum Role {
    Server,
    Ca,
}

/// A self-signed certificate and its key, PEM.
pub(crate) struct Forged {
    pub(crate) cert: String,
    pub(crate) key: String,
}

pub(crate) fn forge(names: &Names<'_>, days: &Days, role: &Role) -> Forged {
    let key = key();
    let mut subject = X509NameBuilder::new().unwrap();
    let common = match names {
        Names::Dns(name) => name,
        Names::Nul => "mx.box.test",
    };
    subject
        .append_entry_by_nid(Nid::COMMONNAME, common)
        .unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(&subject).unwrap();
    builder.set_pubkey(&key).unwrap();
    let at = |days: i64| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Asn1Time::from_unix(now.unwrap().as_secs().cast_signed() + days * 86_400).unwrap()
    };
    builder.set_not_before(&at(days.from)).unwrap();
    builder.set_not_after(&at(days.to)).unwrap();
    let alternative = match names {
        Names::Dns(name) => SubjectAlternativeName::new()
            .dns(name)
            .build(&builder.x509v3_context(None, None))
            .unwrap(),
        Names::Nul => nul(),
    };
    builder.append_extension(alternative).unwrap();
    if *role == Role::Ca {
        let constraints = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(constraints).unwrap();
    }
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    Forged {
        cert: text(builder.build().to_pem().unwrap()),
        key: text(key.private_key_to_pem_pkcs8().unwrap()),
    }
}

/// subjectAltName with the dNSName `mx.box.test\0.evil`, which C programs read as `mx.box.test`.
fn nul() -> X509Extension {
    let name = b"mx.box.test\0.evil";
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
    let inner = [&[0x82, length(name)], &name[..]].concat();
    let der = [&[0x30, length(&inner)], &inner[..]].concat();
    let oid = Asn1Object::from_str("2.5.29.17").unwrap();
    let content = Asn1OctetString::new_from_bytes(&der).unwrap();
    X509Extension::new_from_der(&oid, false, &content).unwrap()
}

fn key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

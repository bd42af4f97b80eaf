//! Certificates for tests, good and bad in every way. Made by OpenSSL, because the libraries that
//! make good ones refuse to make bad ones.

use crate::Certificate;
use openssl::asn1::{Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
    SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Extension, X509NameBuilder};

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const DAY: i64 = 86_400;

/// A certificate with its key.
pub(crate) struct Forged {
    pub(crate) x509: X509,
    pub(crate) key: PKey<Private>,
}

impl Forged {
    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::parse(&self.der()).unwrap()
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        self.x509.to_der().unwrap()
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.x509.to_pem().unwrap()
    }

    pub(crate) fn key_pem(&self) -> Vec<u8> {
        self.key.private_key_to_pem_pkcs8().unwrap()
    }
}

/// What to make; change what the test is about.
pub(crate) struct Recipe<'a> {
    pub(crate) common_name: &'a str,
    pub(crate) organisation: Option<&'a str>,
    pub(crate) dns: Vec<String>,
    pub(crate) ip: Vec<&'a str>,
    /// DER of a whole subjectAltName, in place of the names above.
    pub(crate) raw_alternative_names: Option<Vec<u8>>,
    pub(crate) is_ca: bool,
    pub(crate) issuer: Option<&'a Forged>,
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    pub(crate) key: PKey<Private>,
    pub(crate) digest: Option<MessageDigest>,
    pub(crate) usages: Vec<&'a str>,
    pub(crate) serial: Option<BigNum>,
    /// A public key in place of the key's own.
    pub(crate) public: Option<PKey<Public>>,
    /// More extensions, by OID and DER.
    pub(crate) extensions: Vec<(&'a str, Vec<u8>)>,
}

impl<'a> Recipe<'a> {
    pub(crate) fn leaf(name: &'a str) -> Self {
        Self {
            common_name: name,
            organisation: None,
            dns: vec![name.to_owned()],
            ip: Vec::new(),
            raw_alternative_names: None,
            is_ca: false,
            issuer: None,
            not_before: NOW - 30 * DAY,
            not_after: NOW + 60 * DAY,
            key: ec_key(),
            digest: Some(MessageDigest::sha256()),
            usages: Vec::new(),
            serial: None,
            public: None,
            extensions: Vec::new(),
        }
    }

    pub(crate) fn ca(name: &'a str) -> Self {
        Self {
            is_ca: true,
            dns: Vec::new(),
            organisation: Some("Test CA"),
            not_after: NOW + 3650 * DAY,
            ..Self::leaf(name)
        }
    }

    pub(crate) fn by(mut self, issuer: &'a Forged) -> Self {
        self.issuer = Some(issuer);
        self
    }

    pub(crate) fn make(self) -> Forged {
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        let serial = self
            .serial
            .as_deref()
            .map_or_else(random, |n| n.to_owned().unwrap());
        builder
            .set_serial_number(&serial.to_asn1_integer().unwrap())
            .unwrap();
        let date = |seconds| Asn1Time::from_unix(seconds).unwrap();
        builder.set_not_before(&date(self.not_before)).unwrap();
        builder.set_not_after(&date(self.not_after)).unwrap();
        match &self.public {
            Some(public) => builder.set_pubkey(public).unwrap(),
            None => builder.set_pubkey(&self.key).unwrap(),
        }
        self.names(&mut builder);
        self.extensions(&mut builder);
        let signer = self.issuer.map_or(&self.key, |issuer| &issuer.key);
        let digest = self.digest.unwrap_or_else(MessageDigest::null);
        builder.sign(signer, digest).unwrap();
        Forged {
            x509: builder.build(),
            key: self.key,
        }
    }

    fn names(&self, builder: &mut X509Builder) {
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_nid(Nid::COMMONNAME, self.common_name)
            .unwrap();
        if let Some(organisation) = self.organisation {
            name.append_entry_by_nid(Nid::ORGANIZATIONNAME, organisation)
                .unwrap();
        }
        let name = name.build();
        builder.set_subject_name(&name).unwrap();
        let issuer = self
            .issuer
            .map_or(&*name, |issuer| issuer.x509.subject_name());
        builder.set_issuer_name(issuer).unwrap();
    }

    fn extensions(&self, builder: &mut X509Builder) {
        let mut add = |extension: X509Extension| builder.append_extension(extension).unwrap();
        let mut constraints = BasicConstraints::new();
        constraints.critical();
        if self.is_ca {
            constraints.ca();
        }
        if self.is_ca && self.extensions.iter().all(|(oid, _)| *oid != "2.5.29.15") {
            add(KeyUsage::new().key_cert_sign().crl_sign().build().unwrap());
        }
        add(constraints.build().unwrap());
        if !self.usages.is_empty() {
            let mut usage = ExtendedKeyUsage::new();
            for name in &self.usages {
                usage.other(name);
            }
            add(usage.build().unwrap());
        }
        let issuer = self.issuer.map(|issuer| &*issuer.x509);
        let context = builder.x509v3_context(issuer, None);
        let subject_key = SubjectKeyIdentifier::new().build(&context).unwrap();
        let authority_key = issuer.map(|_| {
            let mut identifier = AuthorityKeyIdentifier::new();
            identifier.keyid(true).build(&context).unwrap()
        });
        builder.append_extension(subject_key).unwrap();
        if let Some(authority_key) = authority_key {
            builder.append_extension(authority_key).unwrap();
        }
        self.alternative_names(builder);
    }

    fn alternative_names(&self, builder: &mut X509Builder) {
        for (oid, der) in &self.extensions {
            let oid = Asn1Object::from_str(oid).unwrap();
            let content = Asn1OctetString::new_from_bytes(der).unwrap();
            let extension = X509Extension::new_from_der(&oid, false, &content).unwrap();
            builder.append_extension(extension).unwrap();
        }
        if let Some(der) = &self.raw_alternative_names {
            let oid = Asn1Object::from_str("2.5.29.17").unwrap();
            let content = Asn1OctetString::new_from_bytes(der).unwrap();
            let extension = X509Extension::new_from_der(&oid, false, &content).unwrap();
            builder.append_extension(extension).unwrap();
        } else if !self.dns.is_empty() || !self.ip.is_empty() {
            let mut names = SubjectAlternativeName::new();
            for name in &self.dns {
                names.dns(name);
            }
            for address in &self.ip {
                names.ip(address);
            }
            let context = builder.x509v3_context(None, None);
            let extension = names.build(&context).unwrap();
            builder.append_extension(extension).unwrap();
        }
    }
}

fn random() -> BigNum {
    let mut serial = BigNum::new().unwrap();
    serial.rand(120, MsbOption::MAYBE_ZERO, false).unwrap();
    serial
}

pub(crate) fn ec_key() -> PKey<Private> {
    curve_key(Nid::X9_62_PRIME256V1)
}

pub(crate) fn curve_key(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// One DER value around others.
pub(crate) fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut der = vec![tag];
    match content.len() {
        short @ ..=0x7f => der.push(short as u8),
        long => der.extend([&[0x83][..], &(long as u32).to_be_bytes()[1..]].concat()),
    }
    der.extend(content);
    der
}

pub(crate) fn rsa_key(bits: u32) -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap()
}

pub(crate) fn ed25519_key() -> PKey<Private> {
    let key = PKey::generate_ed25519().unwrap();
    assert_eq!(key.id(), Id::ED25519);
    key
}

/// Root, intermediate and leaf.
pub(crate) struct Chain {
    pub(crate) root: Forged,
    pub(crate) middle: Forged,
    pub(crate) leaf: Forged,
}

pub(crate) fn chain(name: &str) -> Chain {
    let root = Recipe::ca("Root").make();
    let middle = Recipe::ca("Middle").by(&root).make();
    let leaf = Recipe::leaf(name).by(&middle).make();
    Chain { root, middle, leaf }
}

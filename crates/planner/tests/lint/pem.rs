//! Certificates made for a test, good and bad.

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::symm::Cipher;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};

pub(crate) const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

/// A certificate with its key.
pub(crate) struct Pair {
    pub(crate) x509: X509,
    pub(crate) key: PKey<Private>,
}

/// What to make.
pub(crate) struct Recipe<'a> {
    pub(crate) name: &'a str,
    pub(crate) alternative: Option<&'a str>,
    pub(crate) key: PKey<Private>,
    pub(crate) days: (i64, i64),
    pub(crate) ca: bool,
    pub(crate) client_only: bool,
    pub(crate) digest: MessageDigest,
    pub(crate) issuer: Option<&'a Pair>,
}

pub(crate) fn ec() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

pub(crate) fn rsa(bits: u32) -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap()
}

impl<'a> Recipe<'a> {
    pub(crate) fn leaf(name: &'a str) -> Self {
        Self {
            name,
            alternative: Some(name),
            digest: MessageDigest::sha256(),
            key: ec(),
            days: (-10, 80),
            ca: false,
            client_only: false,
            issuer: None,
        }
    }

    pub(crate) fn make(self) -> Pair {
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        let serial = BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
        builder.set_serial_number(&serial).unwrap();
        let date = |days: i64| Asn1Time::from_unix(NOW + days * DAY).unwrap();
        builder.set_not_before(&date(self.days.0)).unwrap();
        builder.set_not_after(&date(self.days.1)).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_nid(Nid::COMMONNAME, self.name)
            .unwrap();
        let name = name.build();
        builder.set_subject_name(&name).unwrap();
        let issuer = self.issuer.map(|pair| pair.x509.subject_name());
        builder.set_issuer_name(issuer.unwrap_or(&name)).unwrap();
        builder.set_pubkey(&self.key).unwrap();
        if let Some(dns) = self.alternative {
            let context = builder.x509v3_context(None, None);
            let san = SubjectAlternativeName::new()
                .dns(dns)
                .build(&context)
                .unwrap();
            builder.append_extension(san).unwrap();
        }
        if self.ca {
            let ca = BasicConstraints::new().critical().ca().build().unwrap();
            builder.append_extension(ca).unwrap();
        }
        if self.client_only {
            let usage = ExtendedKeyUsage::new().client_auth().build().unwrap();
            builder.append_extension(usage).unwrap();
        }
        let signer = self.issuer.map_or(&self.key, |pair| &pair.key);
        builder.sign(signer, self.digest).unwrap();
        Pair {
            x509: builder.build(),
            key: self.key,
        }
    }
}

impl Pair {
    pub(crate) fn cert(&self) -> Vec<u8> {
        self.x509.to_pem().unwrap()
    }

    pub(crate) fn key(&self) -> Vec<u8> {
        self.key.private_key_to_pem_pkcs8().unwrap()
    }

    pub(crate) fn encrypted_key(&self) -> Vec<u8> {
        let cipher = Cipher::aes_128_cbc();
        self.key
            .private_key_to_pem_pkcs8_passphrase(cipher, b"secret")
            .unwrap()
    }

    /// Key first, as Postfix wants it.
    pub(crate) fn chain_file(&self) -> Vec<u8> {
        [self.key(), self.cert()].concat()
    }
}

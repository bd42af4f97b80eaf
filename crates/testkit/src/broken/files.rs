//! The certificate files that broken settings name.
//!
//! Owns: making one good chain and every misuse of it. Never: anything that a certificate store
//! would have to judge; these are faults of files.

use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::symm::Cipher;
use postseal_issue::{Issued, KeyType, LeafRequest, PrivateCa, Validity};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

/// A folder with one good certificate and what can be made wrong of it.
#[derive(Clone, Debug)]
pub struct BrokenFiles {
    folder: PathBuf,
    /// The good certificate with its intermediate, leaf first.
    pub fullchain_pem: String,
    /// Its private key.
    pub key_pem: String,
}

impl BrokenFiles {
    /// Writes them into a new folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn make(folder: &Path, host: &str) -> io::Result<Self> {
        fs::create_dir(folder)?;
        let [good, other] = chains(host)?;
        let made = Self {
            folder: folder.to_owned(),
            fullchain_pem: good.fullchain_pem(),
            key_pem: good.key_pem.to_string(),
        };
        let (key, chain) = (made.key_pem.as_str(), made.fullchain_pem.as_str());
        made.write("key.pem", key)?;
        made.write("fullchain.pem", chain)?;
        made.write("good.pem", &format!("{key}{chain}"))?;
        made.write("cert-first.pem", &format!("{chain}{key}"))?;
        made.write("mismatch.pem", &format!("{}{chain}", *other.key_pem))?;
        made.write("other-key.pem", &other.key_pem)?;
        made.write(
            "two-of-a-kind.pem",
            &format!("{key}{chain}{}{}", *other.key_pem, other.fullchain_pem()),
        )?;
        let upside_down = format!("{}{}", good.chain_pem, good.cert_pem);
        made.write("intermediate-first.pem", &upside_down)?;
        made.write("encrypted.pem", &format!("{}{chain}", encrypted(key)?))?;
        made.write("empty.pem", "")?;
        made.write("half.pem", &format!("{key}{}", &chain[..chain.len() / 2]))?;
        made.write("weak.pem", &weak(host)?)?;
        made.write("ed25519-version-2.pem", &ed25519_version_2(host)?)?;
        fs::create_dir(made.folder.join("directory.pem"))?;
        Ok(made)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `text` with the folder in place of `{files}`.
    pub fn named(&self, text: &str) -> String {
        text.replace("{files}", &self.folder.display().to_string())
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))
    }
}

/// Two chains of one CA, of the same kind.
fn chains(host: &str) -> io::Result<[Issued; 2]> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_secs().cast_signed());
    let validity = Validity {
        not_before: now - DAY,
        not_after: now + 60 * DAY,
    };
    let request = LeafRequest {
        names: vec![host.to_owned()],
        key_type: KeyType::EcdsaP256,
        validity,
    };
    let root = PrivateCa::new("A root", KeyType::EcdsaP256, validity);
    let issued = root.and_then(|root| {
        let middle = root.intermediate("An intermediate", KeyType::EcdsaP256, validity)?;
        Ok([middle.issue(&request)?, middle.issue(&request)?])
    });
    issued.map_err(io::Error::other)
}

fn encrypted(key: &str) -> io::Result<String> {
    let key = PKey::private_key_from_pem(key.as_bytes())?;
    let pem = key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"a pass phrase")?;
    Ok(String::from_utf8_lossy(&pem).into_owned())
}

/// Key and certificate of 1024 bits, which OpenSSL refuses at its security level 2.
fn weak(host: &str) -> io::Result<String> {
    let key = PKey::from_rsa(openssl::rsa::Rsa::generate(1024)?)?;
    let certificate = self_signed(&key, host, MessageDigest::sha256())?;
    let both = [key.private_key_to_pem_pkcs8()?, certificate.to_pem()?].concat();
    Ok(String::from_utf8_lossy(&both).into_owned())
}

/// An Ed25519 key as PKCS#8 version 2 (RFC 5958), which OpenSSL 3.0 does not read, and its
/// certificate.
fn ed25519_version_2(host: &str) -> io::Result<String> {
    const BEFORE_SEED: &[u8] = b"\x30\x51\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    const BEFORE_PUBLIC: &[u8] = b"\x81\x21\x00";
    let key = PKey::generate_ed25519()?;
    let certificate = self_signed(&key, host, MessageDigest::null())?;
    let (seed, public) = (key.raw_private_key()?, key.raw_public_key()?);
    let der = [BEFORE_SEED, &seed, BEFORE_PUBLIC, &public].concat();
    let base64 = openssl::base64::encode_block(&der);
    let lines: Vec<&str> = base64
        .as_bytes()
        .chunks(64)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    let pem = String::from_utf8_lossy(&certificate.to_pem()?).into_owned();
    Ok(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n{pem}",
        lines.join("\n")
    ))
}

fn self_signed(
    key: &PKey<Private>,
    host: &str,
    digest: MessageDigest,
) -> Result<openssl::x509::X509, openssl::error::ErrorStack> {
    use openssl::x509::{X509, X509NameBuilder, extension::SubjectAlternativeName};
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", host)?;
    let name = name.build();
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let serial = openssl::bn::BigNum::from_u32(7)?.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_not_before(&*openssl::asn1::Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*openssl::asn1::Asn1Time::days_from_now(30)?)?;
    builder.set_pubkey(key)?;
    let names = SubjectAlternativeName::new()
        .dns(host)
        .build(&builder.x509v3_context(None, None))?;
    builder.append_extension(names)?;
    builder.sign(key, digest)?;
    Ok(builder.build())
}

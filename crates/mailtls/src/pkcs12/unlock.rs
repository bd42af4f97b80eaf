//! What a password opens: encrypted octets, encrypted keys (PKCS#8) and the seal of a PKCS#12.
//!
//! Owns: the derivations of RFC 8018 (PBKDF2) and RFC 7292 (appendix B), and a bound on the work
//! that all of them together may take. Never: the ciphers that OpenSSL 3 refuses.

use crate::der::{OCTET_STRING, OID, Reader, SEQUENCE, dotted};
use crate::{CertError, PrivateKey};
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::memcmp;
use openssl::pkcs5::pbkdf2_hmac;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt};
use zeroize::Zeroizing;

/// Iterations spent on one file: a few seconds. Careful programs ask for 600,000 once or
/// twice. A fuzzer looks for other mistakes than slowness that is allowed.
#[expect(unexpected_cfgs, reason = "cargo fuzz sets it")]
const MOST_WORK: u64 = if cfg!(fuzzing) { 5_000 } else { 4_000_000 };
const LONGEST_SALT: usize = 1024;
const LONGEST_PASSWORD: usize = 1024;
const LONGEST_KEY: usize = 64;
const PBES2: &str = "1.2.840.113549.1.5.13";
const PBMAC1: &str = "1.2.840.113549.1.5.14";
const PBKDF2: &str = "1.2.840.113549.1.5.12";
const PBE_3DES: &str = "1.2.840.113549.1.12.1.3";
const PBE_2DES: &str = "1.2.840.113549.1.12.1.4";

/// What RFC 7292's derivation makes.
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// A password, and the work that it may still take.
pub(crate) struct Unlock<'a> {
    password: Option<&'a str>,
    /// As RFC 7292 has it: big-endian UTF-16 with a final zero; nothing for no password at all.
    wide: Zeroizing<Vec<u8>>,
    work: u64,
}

impl<'a> Unlock<'a> {
    pub(crate) fn new(password: Option<&'a str>) -> Self {
        Self {
            password,
            wide: password.map(wide).unwrap_or_default(),
            work: MOST_WORK,
        }
    }

    /// Why nothing could be opened: there is no password, or a wrong one.
    pub(crate) fn wrong(&self) -> CertError {
        match self.password {
            None => CertError::PasswordMissing,
            Some(_) => CertError::PasswordWrong,
        }
    }

    /// An EncryptedPrivateKeyInfo (PKCS#8).
    pub(crate) fn key(&mut self, der: &[u8]) -> Result<PrivateKey, CertError> {
        let mut info = Reader::new(der).enter(SEQUENCE).ok_or_else(damaged)?;
        let algorithm = info.enter(SEQUENCE).ok_or_else(damaged)?;
        let octets = info.take(OCTET_STRING).ok_or_else(damaged)?;
        let key = self.decrypt(algorithm, octets)?;
        PrivateKey::from_der(&key).map_err(|error| match error {
            CertError::KeyUnusable(_) => error,
            _ => self.wrong(),
        })
    }

    /// Opens octets that an AlgorithmIdentifier says how to open.
    pub(crate) fn decrypt(
        &mut self,
        mut algorithm: Reader<'_>,
        octets: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CertError> {
        let name = dotted(algorithm.take(OID).ok_or_else(damaged)?);
        let parameters = algorithm.enter(SEQUENCE);
        let parameters = || parameters.ok_or_else(damaged);
        let opener = match name.as_str() {
            PBES2 => self.pbes2(parameters()?)?,
            PBE_3DES | PBE_2DES => self.pbe(parameters()?, name == PBE_2DES)?,
            _ => return Err(refused(&name)),
        };
        decrypt(opener.cipher, &opener.key, Some(&opener.iv), octets)
            .map(Zeroizing::new)
            .map_err(|_| self.wrong())
    }

    /// Whether a seal (MacData) fits the octets. Without a password, that of no password and that
    /// of the empty one are tried, because programs differ.
    pub(crate) fn verify(&mut self, seal: Reader<'_>, octets: &[u8]) -> Result<bool, CertError> {
        if self.seals(seal, octets)? {
            return Ok(true);
        }
        if !self.password.unwrap_or_default().is_empty() {
            return Ok(false);
        }
        self.wide = match self.wide.is_empty() {
            true => wide(""),
            false => Zeroizing::default(),
        };
        self.seals(seal, octets)
    }

    fn seals(&mut self, mut seal: Reader<'_>, octets: &[u8]) -> Result<bool, CertError> {
        let mut info = seal.enter(SEQUENCE).ok_or_else(damaged)?;
        let mut algorithm = info.enter(SEQUENCE).ok_or_else(damaged)?;
        let expected = info.take(OCTET_STRING).ok_or_else(damaged)?;
        let name = dotted(algorithm.take(OID).ok_or_else(damaged)?);
        let (key, digest) = if name == PBMAC1 {
            let mut scheme = algorithm.enter(SEQUENCE).ok_or_else(damaged)?;
            let derivation = scheme.enter(SEQUENCE).ok_or_else(damaged)?;
            let mut mac = scheme.enter(SEQUENCE).ok_or_else(damaged)?;
            let mac = hmac_digest(mac.take(OID).ok_or_else(damaged)?)?;
            (self.pbkdf2(derivation, mac.size())?, mac)
        } else {
            let digest = digest(&name)?;
            let salt = seal.take(OCTET_STRING).ok_or_else(damaged)?;
            let iterations = if seal.is_empty() {
                1
            } else {
                seal.number().ok_or_else(damaged)?
            };
            let length = digest.size();
            let key = self.pkcs12(digest, Purpose::Mac, Salt { salt, iterations }, length)?;
            (key, digest)
        };
        let made = mac(&key, digest, octets).map_err(|_| damaged())?;
        Ok(made.len() == expected.len() && memcmp::eq(&made, expected))
    }

    /// PBES2 (RFC 8018, 6.2).
    fn pbes2(&mut self, mut parameters: Reader<'_>) -> Result<Opener, CertError> {
        let derivation = parameters.enter(SEQUENCE).ok_or_else(damaged)?;
        let mut scheme = parameters.enter(SEQUENCE).ok_or_else(damaged)?;
        let name = dotted(scheme.take(OID).ok_or_else(damaged)?);
        let cipher = match name.as_str() {
            "2.16.840.1.101.3.4.1.2" => Cipher::aes_128_cbc(),
            "2.16.840.1.101.3.4.1.22" => Cipher::aes_192_cbc(),
            "2.16.840.1.101.3.4.1.42" => Cipher::aes_256_cbc(),
            "1.2.840.113549.3.7" => Cipher::des_ede3_cbc(),
            _ => return Err(refused(&name)),
        };
        let iv = scheme.take(OCTET_STRING).ok_or_else(damaged)?;
        if Some(iv.len()) != cipher.iv_len() {
            return Err(damaged());
        }
        let key = self.pbkdf2(derivation, cipher.key_len())?;
        if key.len() != cipher.key_len() {
            return Err(damaged());
        }
        let iv = Zeroizing::new(iv.to_vec());
        Ok(Opener { cipher, key, iv })
    }

    /// The older scheme of RFC 7292: three-key or two-key triple DES.
    fn pbe(&mut self, mut parameters: Reader<'_>, two_keys: bool) -> Result<Opener, CertError> {
        let salt = parameters.take(OCTET_STRING).ok_or_else(damaged)?;
        let iterations = parameters.number().ok_or_else(damaged)?;
        let (salt, sha1) = (Salt { salt, iterations }, MessageDigest::sha1());
        let length = if two_keys { 16 } else { 24 };
        let mut key = self.pkcs12(sha1, Purpose::Key, salt, length)?;
        let iv = self.pkcs12(sha1, Purpose::Iv, salt, 8)?;
        if two_keys {
            key = Zeroizing::new([&key[..], &key[..8]].concat());
        }
        let cipher = Cipher::des_ede3_cbc();
        Ok(Opener { cipher, key, iv })
    }

    fn pbkdf2(
        &mut self,
        mut algorithm: Reader<'_>,
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, CertError> {
        let name = dotted(algorithm.take(OID).ok_or_else(damaged)?);
        if name != PBKDF2 {
            return Err(refused(&name));
        }
        let mut parameters = algorithm.enter(SEQUENCE).ok_or_else(damaged)?;
        let salt = parameters.take(OCTET_STRING).ok_or_else(damaged)?;
        let iterations = parameters.number().ok_or_else(damaged)?;
        let length = match parameters.number() {
            Some(told) => usize::try_from(told).unwrap_or(usize::MAX),
            None => length,
        };
        let digest = match parameters.enter(SEQUENCE) {
            Some(mut prf) => hmac_digest(prf.take(OID).ok_or_else(damaged)?)?,
            None => MessageDigest::sha1(),
        };
        if length > LONGEST_KEY {
            return Err(damaged());
        }
        let rounds = self.spend(Salt { salt, iterations }, length.div_ceil(digest.size()))?;
        let mut key = Zeroizing::new(vec![0; length]);
        let password = self.password.unwrap_or_default().as_bytes();
        pbkdf2_hmac(password, salt, rounds, digest, &mut key).map_err(|_| damaged())?;
        Ok(key)
    }

    /// The derivation of RFC 7292, appendix B.2.
    fn pkcs12(
        &mut self,
        digest: MessageDigest,
        purpose: Purpose,
        salt: Salt<'_>,
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, CertError> {
        let rounds = self.spend(salt, length.div_ceil(digest.size()))?;
        let block = digest.block_size();
        // Never grown, so that no copy of the password is left behind.
        let mut input = Zeroizing::new(Vec::with_capacity(LONGEST_SALT + LONGEST_PASSWORD));
        fill(&mut input, salt.salt, block);
        fill(&mut input, &self.wide, block);
        let mut made = Zeroizing::new(Vec::with_capacity(length + digest.size()));
        loop {
            let start = [&vec![purpose as u8; block], input.as_slice()].concat();
            let mut piece = hash(digest, &Zeroizing::new(start)).map_err(|_| damaged())?;
            for _ in 1..rounds {
                piece = hash(digest, &piece).map_err(|_| damaged())?;
            }
            made.extend_from_slice(&piece);
            if made.len() >= length {
                made.truncate(length);
                return Ok(made);
            }
            let addend: Vec<u8> = piece.iter().copied().cycle().take(block).collect();
            for part in input.chunks_exact_mut(block) {
                add_one_and(part, &addend);
            }
        }
    }

    /// Takes work from the budget; what is left over is how often to iterate.
    fn spend(&mut self, salt: Salt<'_>, times: usize) -> Result<usize, CertError> {
        if salt.salt.len() > LONGEST_SALT || self.wide.len() > LONGEST_PASSWORD {
            return Err(damaged());
        }
        let iterations = salt.iterations.max(1);
        let cost = iterations.saturating_mul(times as u64);
        self.work = self
            .work
            .checked_sub(cost)
            .ok_or(CertError::PasswordCostly(iterations))?;
        usize::try_from(iterations).map_err(|_| damaged())
    }
}

/// What opens octets.
struct Opener {
    cipher: Cipher,
    key: Zeroizing<Vec<u8>>,
    iv: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy)]
struct Salt<'a> {
    salt: &'a [u8],
    iterations: u64,
}

fn wide(password: &str) -> Zeroizing<Vec<u8>> {
    let mut wide = Zeroizing::new(Vec::with_capacity(password.len() * 2 + 2));
    for unit in password.encode_utf16().chain([0]) {
        wide.extend(unit.to_be_bytes());
    }
    wide
}

/// Adds the bytes, repeated up to a multiple of the block.
fn fill(input: &mut Vec<u8>, bytes: &[u8], block: usize) {
    let length = bytes.len().div_ceil(block) * block;
    input.extend(bytes.iter().cycle().take(length));
}

/// `part + addend + 1` as big-endian numbers, without the carry.
fn add_one_and(part: &mut [u8], addend: &[u8]) {
    let mut carry = 1;
    for (byte, more) in part.iter_mut().zip(addend).rev() {
        let sum = u16::from(*byte) + u16::from(*more) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
}

fn mac(key: &[u8], digest: MessageDigest, octets: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let key = PKey::hmac(key)?;
    Signer::new(digest, &key)?.sign_oneshot_to_vec(octets)
}

fn digest(name: &str) -> Result<MessageDigest, CertError> {
    Ok(match name {
        "1.3.14.3.2.26" => MessageDigest::sha1(),
        "2.16.840.1.101.3.4.2.1" => MessageDigest::sha256(),
        "2.16.840.1.101.3.4.2.2" => MessageDigest::sha384(),
        "2.16.840.1.101.3.4.2.3" => MessageDigest::sha512(),
        "2.16.840.1.101.3.4.2.4" => MessageDigest::sha224(),
        _ => return Err(refused(name)),
    })
}

fn hmac_digest(oid: &[u8]) -> Result<MessageDigest, CertError> {
    let name = dotted(oid);
    Ok(match name.as_str() {
        "1.2.840.113549.2.7" => MessageDigest::sha1(),
        "1.2.840.113549.2.8" => MessageDigest::sha224(),
        "1.2.840.113549.2.9" => MessageDigest::sha256(),
        "1.2.840.113549.2.10" => MessageDigest::sha384(),
        "1.2.840.113549.2.11" => MessageDigest::sha512(),
        _ => return Err(refused(&name)),
    })
}

/// An algorithm that is known and obsolete, or not known.
fn refused(name: &str) -> CertError {
    let obsolete = match name {
        "1.2.840.113549.1.12.1.1" | "1.2.840.113549.1.12.1.2" => "RC4",
        "1.2.840.113549.1.12.1.5" => "RC2-128",
        "1.2.840.113549.1.12.1.6" => "RC2-40",
        "1.2.840.113549.3.2" | "1.2.840.113549.1.5.4" | "1.2.840.113549.1.5.6" => "RC2",
        "1.2.840.113549.1.5.11" => "RC2",
        "1.3.14.3.2.7" | "1.2.840.113549.1.5.1" => "DES",
        "1.2.840.113549.1.5.3" | "1.2.840.113549.1.5.10" => "DES",
        "1.2.840.113549.2.5" => "MD5",
        _ => return CertError::UnknownCipher(name.to_owned()),
    };
    CertError::LegacyCipher(obsolete)
}

fn damaged() -> CertError {
    CertError::Damaged("what the password protects".into())
}

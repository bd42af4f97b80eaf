//! Whether a client may begin a handshake anew within TLS 1.2 (RFC 5246 §7.4.1.2).
//!
//! Owns: one ClientHello under keys. OpenSSL does the handshake before it; the bindings have no word
//! for a new one, so its keys are made here (RFC 5246 §6.3) and one record is sealed with them. Never:
//! goes on with the new handshake; tries more than once.

use super::asking::Asker;
use super::hello::{Hello, Resume, SIGNATURES};
use super::suites;
use crate::tls;
use crate::wire::{self, Timed};
use mailtls::TlsVersion;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::ssl::{HandshakeError, Ssl, SslRef, SslVersion};
use openssl::symm::{Cipher, encrypt_aead};
use postseal_planner::full::Seen;
use std::io::{self, ErrorKind, Read, Write};
use zeroize::Zeroizing;

/// Suites whose records are sealed by AES-128-GCM, and whose keys are made by SHA-256.
const SUITES: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
    DHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256:ADH-AES128-GCM-SHA256:@SECLEVEL=0";
/// The same by number, for the new ClientHello.
const NUMBERS: [u16; 5] = [0xC02B, 0xC02F, 0x009E, 0x009C, 0x00A6];
const HANDSHAKE: u8 = 22;
/// Records that are passed over while we wait: a banner, and what else a server likes to say.
const PASSED_OVER: usize = 50;

pub(super) fn look(asker: &Asker) -> Seen {
    let ssl = match client(asker) {
        Ok(ssl) => ssl,
        Err(stack) => return Seen::unknown(tls::reason(&stack)),
    };
    let timed = match asker.open(b"").map(|wire| wire.into_timed()) {
        Ok(Ok(timed)) => timed,
        Ok(Err(stack)) => return Seen::unknown(tls::reason(&stack)),
        Err(kept) => return Seen::Undetermined(kept.words()),
    };
    let mut stream = match ssl.connect(timed) {
        Ok(stream) => stream,
        Err(HandshakeError::SetupFailure(stack)) => return Seen::unknown(tls::reason(&stack)),
        Err(HandshakeError::Failure(_) | HandshakeError::WouldBlock(_)) => {
            return Seen::unknown("the server takes no suite with AES-128-GCM in TLS 1.2");
        }
    };
    let record = match hello_anew(asker, stream.ssl()) {
        Ok(record) => record,
        Err(stack) => return Seen::unknown(tls::reason(&stack)),
    };
    match answered(stream.get_mut(), &record) {
        Ok(HANDSHAKE) => Seen::Yes,
        // An alert (no_renegotiation), or it leaves.
        Ok(_) => Seen::No,
        Err(error) => match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                Seen::No
            }
            _ => Seen::Undetermined(wire::words(&error)),
        },
    }
}

fn client(asker: &Asker) -> Result<Ssl, ErrorStack> {
    let mut context = tls::unverifying()?;
    context.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    context.set_max_proto_version(Some(SslVersion::TLS1_2))?;
    context.set_cipher_list(SUITES)?;
    tls::asking(context, asker.target().sni.as_deref())
}

/// A ClientHello that names the handshake before it (RFC 5746 §3.5), sealed as the second record that
/// we send under keys; the first was Finished.
fn hello_anew(asker: &Asker, ssl: &SslRef) -> Result<Vec<u8>, ErrorStack> {
    let mut finished = [0; 64];
    let length = ssl.finished(&mut finished);
    let hello = Hello {
        version: TlsVersion::Tls1_2,
        random: [0xA5; 32],
        suites: &NUMBERS,
        groups: &suites::curves(),
        signatures: &SIGNATURES,
        name: asker.target().sni.as_deref(),
        shares: &[],
        resume: Resume::Nothing,
        finished: finished.get(..length).unwrap_or_default(),
    };
    let bytes = hello.bytes();
    seal(&Keys::of(ssl)?, 1, bytes.get(5..).unwrap_or_default())
}

/// What seals a client's records.
struct Keys {
    key: Zeroizing<Vec<u8>>,
    /// The first four bytes of each nonce (RFC 5288 §3).
    salt: Vec<u8>,
}

impl Keys {
    fn of(ssl: &SslRef) -> Result<Self, ErrorStack> {
        let mut master = Zeroizing::new([0; 48]);
        if let Some(session) = ssl.session() {
            session.master_key(&mut *master);
        }
        let mut seed = b"key expansion".to_vec();
        let mut random = [0; 32];
        ssl.server_random(&mut random);
        seed.extend(random);
        ssl.client_random(&mut random);
        seed.extend(random);
        Self::expand(&*master, &seed)
    }

    /// The client's part of the key block: two keys of 16 bytes, two salts of 4.
    fn expand(master: &[u8], seed: &[u8]) -> Result<Self, ErrorStack> {
        let block = pseudo_random(master, seed, 40)?;
        Ok(Self {
            key: Zeroizing::new(block.iter().copied().take(16).collect()),
            salt: block.iter().copied().skip(32).take(4).collect(),
        })
    }
}

/// P_SHA256 (RFC 5246 §5).
fn pseudo_random(
    secret: &[u8],
    seed: &[u8],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    let key = PKey::hmac(secret)?;
    let hmac = |parts: &[&[u8]]| {
        let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
        for part in parts {
            signer.update(part)?;
        }
        signer.sign_to_vec()
    };
    let mut all = Zeroizing::new(Vec::with_capacity(length + 32));
    let mut chained = seed.to_vec();
    while all.len() < length {
        chained = hmac(&[&chained])?;
        all.extend(hmac(&[&chained, seed])?);
    }
    all.truncate(length);
    Ok(all)
}

/// A handshake record under keys (RFC 5246 §6.2.3.3, RFC 5288 §3).
fn seal(keys: &Keys, number: u64, message: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let number = number.to_be_bytes();
    let length = |bytes: usize| u16::try_from(bytes).unwrap_or(0).to_be_bytes();
    let header = [HANDSHAKE, 3, 3];
    let outside = [&number[..], &header, &length(message.len())].concat();
    let nonce = [&keys.salt[..], &number].concat();
    let mut tag = [0; 16];
    let cipher = Cipher::aes_128_gcm();
    let sealed = encrypt_aead(cipher, &keys.key, Some(&nonce), &outside, message, &mut tag)?;
    let content = [&number[..], &sealed, &tag].concat();
    Ok([&header[..], &length(content.len()), &content].concat())
}

/// The kind of the first record that answers; data of the session under way is passed over.
fn answered(timed: &mut Timed, record: &[u8]) -> io::Result<u8> {
    const DATA: u8 = 23;
    timed.write_all(record)?;
    let mut content = Vec::new();
    for _ in 0..PASSED_OVER {
        let mut header = [0; 5];
        timed.read_exact(&mut header)?;
        let [kind, _, _, high, low] = header;
        if kind != DATA {
            return Ok(kind);
        }
        content.resize(usize::from(u16::from_be_bytes([high, low])), 0);
        timed.read_exact(&mut content)?;
    }
    Err(ErrorKind::TimedOut.into())
}

#[cfg(test)]
mod tests;

//! Whether a ticket of TLS 1.3 is taken: a ClientHello that offers it as a pre-shared key
//! (RFC 8446 §2.2, §4.2.11).
//!
//! Owns: that ClientHello, with keys to agree on and the binder that proves the ticket ours. Never: goes on
//! after the server's first words, which say whether it takes the ticket.

use super::asking::{Answer, Asker};
use super::hello::{Hello, Resume, SIGNATURES};
use super::sessions::yes_if;
use crate::tls;
use mailtls::TlsVersion;
use openssl::bn::BigNumContext;
use openssl::ec::{EcGroup, EcKey, PointConversionForm};
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use postseal_planner::full::Seen;
use zeroize::Zeroizing;

/// A ticket, and what it takes to show it.
pub(super) struct Ticket {
    pub(super) bytes: Vec<u8>,
    pub(super) age_add: u32,
    /// The key that goes with it (RFC 8446 §4.6.1).
    pub(super) key: Zeroizing<Vec<u8>>,
    /// The suite of its session.
    pub(super) cipher: u16,
}

/// `TLS_AES_256_GCM_SHA384`: the one suite of TLS 1.3 that does not hash by SHA-256.
const SHA384_SUITE: u16 = 0x1302;
/// The answer's extension.
const PRE_SHARED_KEY: u16 = 41;

/// Comes back with it.
pub(super) fn again(asker: &Asker, ticket: &Ticket) -> Seen {
    let hello = match hello(asker.target().sni.as_deref(), ticket) {
        Ok(hello) => hello,
        Err(stack) => return Seen::unknown(tls::reason(&stack)),
    };
    match asker.ask(&hello) {
        Answer::Flight(flight) if flight.retry => {
            Seen::unknown("the server wants a key of a group that is not offered here")
        }
        Answer::Flight(flight) => yes_if(flight.answers(PRE_SHARED_KEY)),
        // A ticket that is not taken is passed over (§4.2.11); whoever refuses the whole tells nothing of it.
        Answer::Refused(words) | Answer::Unknown(words) => Seen::Undetermined(words),
    }
}

fn hello(name: Option<&str>, ticket: &Ticket) -> Result<Vec<u8>, ErrorStack> {
    let digest = match ticket.cipher {
        SHA384_SUITE => MessageDigest::sha384(),
        _ => MessageDigest::sha256(),
    };
    let shares = shares()?;
    let groups: Vec<u16> = shares.iter().map(|(group, _)| *group).collect();
    let hello = Hello {
        version: TlsVersion::Tls1_3,
        random: [0x5A; 32],
        suites: &[ticket.cipher],
        groups: &groups,
        signatures: &SIGNATURES,
        name,
        shares: &shares,
        // It is as new as can be: milliseconds old.
        resume: Resume::Psk(&ticket.bytes, ticket.age_add, digest.size()),
        finished: &[],
    };
    let mut bytes = hello.bytes();
    bind(&mut bytes, &ticket.key, digest)?;
    Ok(bytes)
}

/// Writes the binder: it stands for all that comes before the list of binders (§4.2.11.2).
fn bind(hello: &mut [u8], key: &[u8], digest: MessageDigest) -> Result<(), ErrorStack> {
    const RECORD: usize = 5;
    const LENGTHS: usize = 3;
    let size = digest.size();
    let before = hello.len().saturating_sub(size + LENGTHS);
    let said = hash(digest, hello.get(RECORD..before).unwrap_or_default())?;
    let early = hmac(digest, &vec![0; size], key)?;
    let binder = derived(digest, &early, b"res binder", &hash(digest, &[])?)?;
    let finished = derived(digest, &binder, b"finished", &[])?;
    let proof = hmac(digest, &finished, &said)?;
    if let Some(place) = hello.get_mut(before + LENGTHS..) {
        place.copy_from_slice(&proof);
    }
    Ok(())
}

/// HKDF-Expand-Label to the digest's own length: one round (RFC 8446 §7.1, RFC 5869 §2.3).
fn derived(
    digest: MessageDigest,
    secret: &[u8],
    label: &[u8],
    context: &[u8],
) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    const PREFIX: &[u8] = b"tls13 ";
    let byte = |length: usize| u8::try_from(length).unwrap_or(u8::MAX);
    let mut info = vec![0, byte(digest.size()), byte(PREFIX.len() + label.len())];
    info.extend([PREFIX, label].concat());
    info.push(byte(context.len()));
    info.extend(context);
    info.push(1);
    hmac(digest, secret, &info)
}

fn hmac(
    digest: MessageDigest,
    key: &[u8],
    message: &[u8],
) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    let key = PKey::hmac(key)?;
    let mut signer = Signer::new(digest, &key)?;
    signer.update(message)?;
    signer.sign_to_vec().map(Zeroizing::new)
}

/// New public keys of the groups that servers are set to; nobody needs the private ones.
fn shares() -> Result<Vec<(u16, Vec<u8>)>, ErrorStack> {
    let mut all = vec![
        (0x001D, PKey::generate_x25519()?.raw_public_key()?),
        (0x001E, PKey::generate_x448()?.raw_public_key()?),
    ];
    for (number, curve) in [
        (0x0017, Nid::X9_62_PRIME256V1),
        (0x0018, Nid::SECP384R1),
        (0x0019, Nid::SECP521R1),
    ] {
        let group = EcGroup::from_curve_name(curve)?;
        let key = EcKey::generate(&group)?;
        let form = PointConversionForm::UNCOMPRESSED;
        let mut numbers = BigNumContext::new()?;
        let point = key.public_key().to_bytes(&group, form, &mut numbers)?;
        all.push((number, point));
    }
    Ok(all)
}

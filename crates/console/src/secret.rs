//! Secrets that a browser, a program or somebody invited holds.
//!
//! Owns: making them, and their digests, which alone are stored. Never: stores or shows one.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use postseal_planner::{Digest, Digesting};
use postseal_store::desk::Secret;
use rustix::rand::{GetRandomFlags, getrandom};

/// What every API token begins with, so that those who look for leaked secrets find it.
pub const TOKEN_PREFIX: &str = "postseal_";

/// 32 random bytes, as text for a cookie, a link or (after [`TOKEN_PREFIX`]) a token.
pub fn fresh() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    random(&mut bytes)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// What is stored of a secret: SHA-256 of its text. It has 256 random bits, so nothing slower is needed.
pub fn digest(secret: &str) -> Secret {
    Digest::of(secret.as_bytes()).to_bytes()
}

/// Fills it with random bytes.
pub(crate) fn random(bytes: &mut [u8]) -> std::io::Result<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        filled += getrandom(&mut bytes[filled..], GetRandomFlags::empty())?;
    }
    Ok(())
}

/// Something that only whoever knows `secret` can make: the token in the forms of a session, say.
pub(crate) fn derived(purpose: &str, secret: &str, about: &str) -> String {
    let mut digest = Digesting::default();
    // A length before each part, so that no two lists of parts are one text.
    for part in [purpose, secret, about] {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    BASE64_URL_SAFE_NO_PAD.encode(digest.finish().to_bytes())
}

/// By what people and programs name a session: it says nothing of the session's secret.
pub(crate) fn handle(digest: &Secret) -> String {
    let text = derived("session", &BASE64_URL_SAFE_NO_PAD.encode(digest), "");
    text.chars().take(22).collect()
}

/// Whether they are equal, in a time that does not tell where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one
            .bytes()
            .zip(other.bytes())
            .fold(0, |differs, (a, b)| differs | (a ^ b))
            == 0
}

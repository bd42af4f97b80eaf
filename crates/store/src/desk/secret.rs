//! Secrets of sessions, tokens and invitations.
//!
//! Owns: how they are made, and the digest by which they are found. Never: keeps one.

use super::Secret;
use postseal_planner::Digest;
use std::io;

/// A secret that was just made: who gets it is the only one to have it.
pub struct NewSecret {
    /// 256 random bits, hexadecimal, after a prefix.
    pub text: String,
    /// By which it is found.
    pub digest: Secret,
}

impl NewSecret {
    /// From the kernel's randomness, after `prefix`.
    pub fn make(prefix: &str) -> io::Result<Self> {
        let mut bytes = [0; 32];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            filled += rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty())?;
        }
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("{prefix}{text}");
        let digest = digest_of(&text);
        Ok(Self { text, digest })
    }
}

/// The digest by which a secret is found: SHA-256 of its text. It is long and random, so no salt and no slow
/// function is needed.
pub fn digest_of(secret: &str) -> Secret {
    Digest::of(secret.as_bytes()).to_bytes()
}

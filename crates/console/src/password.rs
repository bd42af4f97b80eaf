//! Passwords: their hashes, and which may be chosen.
//!
//! Owns: argon2id (RFC 9106) with 32 MiB and 3 passes, more than OWASP's Password Storage Cheat Sheet asks for (19 MiB and 2),
//! and how many are at work at once. Never: keeps a password longer than its hashing.

use crate::error::ConsoleError;
use crate::problem::Problem;
use crate::secret;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// What a hash takes, KiB: with it the whole console stays below 80 MB.
const MEMORY: u32 = 32 * 1024;
/// How many are hashed at once: each takes its memory and a processor, which reads must not wait for.
const AT_ONCE: usize = 1;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// The least that may be chosen, in characters.
const SHORTEST: usize = 12;
/// The most: NIST SP 800-63B asks for 64 at least.
const LONGEST: usize = 256;

/// Hashes passwords, and holds them against hashes.
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    turns: Arc<Semaphore>,
    /// The hash of a password that nobody has, for users who are not there.
    nobody: String,
}

impl Hasher {
    pub(crate) fn new() -> Result<Self, ConsoleError> {
        let wrong = |error: argon2::Error| ConsoleError::Password(error.to_string());
        let params = Params::new(MEMORY, 3, 1, None).map_err(wrong)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nothing = secret::fresh().map_err(|source| ConsoleError::System {
            doing: "take random bytes",
            source,
        })?;
        let nobody = hash(&argon2, &nothing).map_err(ConsoleError::Password)?;
        Ok(Self {
            argon2,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            nobody,
        })
    }

    /// The hash of a password, as a PHC string.
    pub(crate) async fn hash(&self, password: Zeroizing<String>) -> Result<String, Problem> {
        let argon2 = self.argon2.clone();
        let hashed = self.in_turn(move || hash(&argon2, &password)).await?;
        hashed.map_err(|why| Problem::malformed(format!("the password cannot be hashed: {why}")))
    }

    /// Whether a password has this hash. Where there is none it takes as long to say no.
    pub(crate) async fn verify(
        &self,
        password: Zeroizing<String>,
        stored: Option<String>,
    ) -> Result<bool, Problem> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let argon2 = self.argon2.clone();
        let right = self.in_turn(move || {
            PasswordHash::new(&stored)
                .is_ok_and(|hash| argon2.verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(right.await? && known)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn = tokio::time::timeout(PATIENCE, turn).await;
        let turn = turn.map_err(|_| Problem::busy())?;
        let turn = turn.map_err(|_| Problem::stopping())?;
        let work = tokio::task::spawn_blocking(move || {
            // It goes with the work, not with a request that gave up.
            let _turn = turn;
            work()
        });
        work.await.map_err(|_| Problem::stopping())
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String, String> {
    let mut salt = [0; 16];
    secret::random(&mut salt).map_err(|error| error.to_string())?;
    let hashed = argon2.hash_password_with_salt(password.as_bytes(), &salt);
    Ok(hashed.map_err(|error| error.to_string())?.to_string())
}

/// Why a password may not be chosen; NIST SP 800-63B §3.1.1.2 wants length and no guessable word, and no rules of
/// composition.
pub(crate) fn refused(password: &str, user: &str) -> Option<&'static str> {
    let length = password.chars().count();
    let plain = password.to_lowercase();
    let mut letters: Vec<char> = plain.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    if length < SHORTEST {
        Some("it needs 12 characters at least")
    } else if length > LONGEST {
        Some("it may have 256 characters at most")
    } else if plain.contains("postseal") {
        Some("it may not contain the name of this program")
    } else if user.chars().count() > 2 && plain.contains(&user.to_lowercase()) {
        Some("it may not contain your name")
    } else if letters.len() < 4 {
        Some("it repeats three characters or fewer")
    } else {
        None
    }
}

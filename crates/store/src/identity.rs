//! The identity: what private keys are sealed to, and opened with.
//!
//! Owns: making and reading the identity's file, sealing, opening. Never: the database; the
//! identity is a file beside it, so that a copy of the database alone opens nothing.
//!
//! The file is what `age-keygen` would write, so that `age -d -i identity` opens a sealed key
//! when Postseal is gone.

use crate::StoreError;
use age::secrecy::ExposeSecret;
use age::x25519;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// No identity file is longer; a wrong file is not read to its end.
const LONGEST: u64 = 4096;

/// An X25519 identity.
pub(crate) struct Identity(x25519::Identity);

impl Identity {
    /// Writes a new identity into `file`, on disk when it returns.
    pub(crate) fn write_new(mut file: File) -> std::io::Result<()> {
        let identity = x25519::Identity::generate();
        let secret = identity.to_string();
        writeln!(file, "# public key: {}", identity.to_public())?;
        file.write_all(secret.expose_secret().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    }

    /// Reads the identity at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, StoreError> {
        let unusable = |why: &dyn std::fmt::Display| {
            StoreError::Identity(format!("{}: {why}", path.display()))
        };
        // Allocated once, so that no copy is left behind by growing.
        let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize + 1));
        let file = File::open(path).map_err(|error| unusable(&error))?;
        file.take(LONGEST)
            .read_to_string(&mut text)
            .map_err(|error| unusable(&error))?;
        let secret = text
            .lines()
            .find(|line| line.starts_with("AGE-SECRET-KEY-1"));
        let secret = secret.ok_or_else(|| unusable(&"holds no age identity"))?;
        let identity = secret
            .parse()
            .map_err(|why| unusable(&format!("damaged, {why}")))?;
        Ok(Self(identity))
    }

    /// The public half, as `age` prints it.
    pub(crate) fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    /// `plain`, to be opened by this identity only.
    pub(crate) fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        age::encrypt(&self.0.to_public(), plain).map_err(|source| StoreError::Unfit {
            what: "private key",
            source: source.into(),
        })
    }

    /// What was sealed.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        // The sealed form is longer than the plain one, so this never grows and leaves a copy.
        let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
        self.open_into(sealed, &mut plain)
            .map_err(|source| StoreError::Format {
                what: "sealed private key",
                source,
            })?;
        Ok(plain)
    }

    fn open_into(
        &self,
        sealed: &[u8],
        plain: &mut Vec<u8>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let decryptor = age::Decryptor::new_buffered(sealed)?;
        decryptor
            .decrypt(std::iter::once(&self.0 as &dyn age::Identity))?
            .read_to_end(plain)?;
        Ok(())
    }
}

/// `plain`, to be opened by the identity of `recipient` only.
pub(crate) fn seal_to(
    recipient: &str,
    plain: &[u8],
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let recipient: x25519::Recipient = recipient.parse()?;
    Ok(age::encrypt(&recipient, plain)?)
}

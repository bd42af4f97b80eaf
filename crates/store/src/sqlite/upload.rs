//! What was sealed to this store elsewhere.
//!
//! Owns: its recipient, and opening with its identity. Never: stores what was opened.

use super::{SqliteStore, certificates};
use crate::StoreError;
use crate::desk::Upload;

impl SqliteStore {
    /// To whom uploads are sealed: an age public key (X25519).
    pub fn recipient(&self) -> Result<String, StoreError> {
        self.read(async |db| certificates::recipient(db).await)
    }

    /// What [`Upload::seal`] made.
    ///
    /// # Errors
    /// [`StoreError::Format`] where it was sealed to another store, or is damaged.
    pub fn open_upload(&self, sealed: &str) -> Result<Upload, StoreError> {
        Upload::opened(sealed, |bytes| self.identity()?.open(bytes))
    }
}

//! What is remembered of CAs that speak ACME.
//!
//! Owns: the shape of an account, and the door to accounts and renewals. Never: shows an account's
//! key but to who asks for it by name; decides when to renew (`planner` does).

use crate::{NewCertificate, StoreError};
use postseal_planner::renewal::Renewal;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// An account with a CA, without its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcmeAccount {
    /// The URL of the CA's directory.
    pub directory: String,
    /// `mailto:` URLs that the CA was told.
    pub contacts: Vec<String>,
    /// When it was registered, milliseconds since the epoch.
    pub made_ms: i64,
}

/// Accounts and renewals.
pub trait AcmeStore {
    /// The account with the CA of a directory.
    fn acme_account(&self, directory: &str) -> Result<Option<AcmeAccount>, StoreError>;

    /// What restores it, opened with the identity.
    fn acme_credentials(&self, directory: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>;

    /// Remembers an account with its credentials, which are sealed. An earlier one with the same
    /// CA is replaced.
    fn put_acme_account(
        &mut self,
        account: &AcmeAccount,
        credentials: &[u8],
    ) -> Result<(), StoreError>;

    /// How certificates are renewed, by name.
    fn renewals(&self) -> Result<Vec<Renewal>, StoreError>;

    /// Adds a certificate as [`crate::Store::put_certificate`] does, and how it is renewed, in one
    /// transaction: neither is ever there without the other.
    fn put_issued(&mut self, new: &NewCertificate, renewal: &Renewal) -> Result<(), StoreError>;

    /// Replaces what is known of a renewal; whether there was one. One that was deleted meanwhile
    /// does not come back.
    fn update_renewal(&mut self, renewal: &Renewal) -> Result<bool, StoreError>;

    /// Forgets how a certificate is renewed; whether that was known. Deleting the certificate
    /// does the same.
    fn delete_renewal(&mut self, name: &str) -> Result<bool, StoreError>;
}

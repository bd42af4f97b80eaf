//! A folder that is watched for renewals, as the store remembers it.
//!
//! Owns: its shape. Never: holds a secret: a password stays in the file that is named here.

use mailtls::Fingerprint;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A folder of an ACME client, watched for renewals of one certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The certificate of the store.
    pub name: String,
    /// The folder, absolute.
    pub dir: PathBuf,
    /// Which certificate, where the folder holds several.
    pub domain: Option<String>,
    /// The file with the password of its key.
    pub password_file: Option<PathBuf>,
    /// The leaf that was last taken from it and presented: what an
    /// administrator does with that certificate later is left as it is.
    pub taken: Option<Fingerprint>,
}

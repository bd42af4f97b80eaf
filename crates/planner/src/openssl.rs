//! The release of an OpenSSL, and what changed with which.
//!
//! Owns: reading it out of what the library says of itself. Never: asks it.

use mailtls::TlsVersion;

/// `major.minor`, as both projects count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Release(pub(crate) u16, pub(crate) u16);

impl Release {
    /// As the library names itself (`OpenSSL 3.0.19 …`), or by its version alone (`3.5`); `None`
    /// where it cannot be told.
    pub(crate) fn of(openssl: &str) -> Option<Self> {
        let starts = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        let version = openssl.split_whitespace().find(starts)?;
        let mut parts = version.split('.').map(|part| part.parse().ok());
        Some(Self(parts.next()??, parts.next()??))
    }
}

/// The oldest version of TLS in which OpenSSL takes signatures above its security level 0. From 3.0 on
/// those of TLS 1.1 and older (MD5 with SHA-1, RFC 4346 §7.4.3) are taken at level 0 only.
pub fn oldest_verified(openssl: &str) -> TlsVersion {
    match Release::of(openssl).is_some_and(|release| release < Release(3, 0)) {
        true => TlsVersion::Tls1_0,
        false => TlsVersion::Tls1_2,
    }
}

//! What can be wrong with certificate and key files, each mistake by itself.
//!
//! Owns: a stable code, a sentence and a remedy for each. Some are found by those who read files
//! (missing, a directory, too large); they are named here all the same, so that a mistake has one
//! code wherever it is met. Never: opens a file.

use thiserror::Error;

/// Why certificate or key bytes cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CertError {
    /// Nothing at that path.
    #[error("there is no such file")]
    Missing,
    /// A directory.
    #[error("this is a directory, not a certificate file")]
    IsDirectory,
    /// The system does not let it be read; its reason.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// What is there is no file, or is never reached: a pipe, links in a circle; why.
    #[error("the file cannot be read: {0}")]
    NoFile(String),
    /// More bytes than any certificate file has.
    #[error("{0} bytes are more than a certificate file has (at most 1048576)")]
    TooLarge(u64),
    /// No bytes, or nothing but blanks.
    #[error("the file is empty")]
    Empty,
    /// UTF-16 text, as some editors save it.
    #[error("the file is UTF-16 text; OpenSSL reads ASCII")]
    Utf16,
    /// Neither PEM nor DER.
    #[error("this is neither PEM nor DER")]
    NotPem,
    /// PKCS#12 (`.pfx`, `.p12`).
    #[error("this is a PKCS#12 file (.pfx, .p12), which Postfix cannot read")]
    Pkcs12,
    /// PKCS#7 (`.p7b`).
    #[error("this is a PKCS#7 file (.p7b), which Postfix cannot read")]
    Pkcs7,
    /// BER with lengths left open, as Firefox and old Java write it.
    #[error("this is BER with lengths left open, which few programs read")]
    OpenLength,
    /// Protected by a password, and none was given.
    #[error("it is protected by a password, and none was given")]
    PasswordMissing,
    /// Protected by another password.
    #[error("the password is wrong")]
    PasswordWrong,
    /// A password that takes more iterations than any program asks for.
    #[error("its password takes {0} iterations, more than any program asks for")]
    PasswordCostly(u64),
    /// Protected with a cipher that OpenSSL 3 refuses (RC2, RC4, single DES).
    #[error("it is protected with {0}, which OpenSSL 3 refuses")]
    LegacyCipher(&'static str),
    /// Protected with an algorithm of this number (OID), which is not known here.
    #[error("it is protected with an algorithm that is not known here ({0})")]
    UnknownCipher(String),
    /// PKCS#12 that holds certificates only.
    #[error("the PKCS#12 file holds no private key")]
    Pkcs12NoKey,
    /// A certificate signing request.
    #[error("this is a certificate request, not a certificate")]
    IsRequest,
    /// It ends in the middle of an object.
    #[error("the file ends in the middle of {0}")]
    Truncated(String),
    /// Its base64 or its content cannot be decoded.
    #[error("{0} cannot be decoded")]
    Damaged(String),
    /// More certificates than a chain can sensibly have.
    #[error("{0} certificates in one chain (at most 32)")]
    TooMany(usize),
    /// A certificate that issues none, given as a CA's; its subject.
    #[error("{0} is no CA's certificate: it may not issue others")]
    NotACa(String),
    /// More CA certificates than somebody chooses.
    #[error("{0} CA certificates are more than a private CA has (at most 50)")]
    TooManyCas(usize),
    /// No certificate at all.
    #[error("no certificate in it")]
    NoCertificate,
    /// Only certificates of CAs.
    #[error("only CA certificates are in it, none of a server")]
    NoLeaf,
    /// Certificates of several servers, and no key that tells which one is meant.
    #[error("certificates of several servers are in it: {0} and {1}")]
    TwoLeaves(String, String),
    /// A key was expected and none is there.
    #[error("no private key in it")]
    KeyMissing,
    /// The key is protected by a pass phrase.
    #[error("the private key is encrypted; Postfix cannot ask for a pass phrase")]
    KeyEncrypted,
    /// A key of a kind that Postfix or OpenSSL does not take.
    #[error("the private key cannot be used: {0}")]
    KeyUnusable(String),
    /// Two different private keys.
    #[error("two different private keys are in it")]
    TwoKeys,
    /// The key belongs to no certificate given; the certificate's subject.
    #[error("the private key does not belong to the certificate {0}")]
    KeyMismatch(String),
    /// Intermediates were given, but none that issued the leaf.
    #[error(
        "an intermediate is missing: {subject} was issued by {issuer}, which is not among the certificates given"
    )]
    ChainBroken {
        /// The certificate whose issuer is missing.
        subject: String,
        /// The issuer's name.
        issuer: String,
    },
    /// A name with a NUL byte, made to be read differently by different programs.
    #[error("a name in the certificate holds a NUL byte: {0}")]
    NulInName(String),
}

impl CertError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "cert.missing",
            Self::IsDirectory => "cert.is-directory",
            Self::Unreadable(_) | Self::NoFile(_) => "cert.unreadable",
            Self::TooLarge(_) => "cert.too-large",
            Self::Empty => "cert.empty",
            Self::Utf16 => "cert.utf16",
            Self::NotPem => "cert.not-pem",
            Self::Pkcs12 => "cert.pkcs12",
            Self::Pkcs7 => "cert.pkcs7",
            Self::OpenLength => "cert.open-length",
            Self::PasswordMissing => "cert.password-missing",
            Self::PasswordWrong => "cert.password-wrong",
            Self::PasswordCostly(_) => "cert.password-costly",
            Self::LegacyCipher(_) => "cert.legacy-cipher",
            Self::UnknownCipher(_) => "cert.unknown-cipher",
            Self::Pkcs12NoKey => "cert.pkcs12-no-key",
            Self::IsRequest => "cert.is-request",
            Self::Truncated(_) => "cert.truncated",
            Self::Damaged(_) => "cert.damaged",
            Self::TooMany(_) => "cert.too-many",
            Self::NotACa(_) => "cert.not-a-ca",
            Self::TooManyCas(_) => "cert.too-many-cas",
            Self::NoCertificate => "cert.no-certificate",
            Self::NoLeaf => "cert.no-leaf",
            Self::TwoLeaves(..) => "cert.two-leaves",
            Self::KeyMissing => "cert.key-missing",
            Self::KeyEncrypted => "cert.key-encrypted",
            Self::KeyUnusable(_) => "cert.key-unusable",
            Self::TwoKeys => "cert.two-keys",
            Self::KeyMismatch(_) => "cert.key-mismatch",
            Self::ChainBroken { .. } => "cert.chain-broken",
            Self::NulInName(_) => "cert.nul-in-name",
        }
    }

    /// What to do about it, in one sentence.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Missing => "Check the path; a relative one is taken from the current folder.",
            Self::IsDirectory => "Name the file in it, usually fullchain.pem or privkey.pem.",
            Self::Unreadable(_) => "Run this as root, or make the file and its folders readable.",
            Self::NoFile(_) => "Name a regular file, no pipe; `namei -l` shows where links lead.",
            Self::TooLarge(_) | Self::TooMany(_) => {
                "Give the server's certificate and its intermediates only, not a bundle of CAs."
            }
            Self::Empty => "Get the file again from the CA or the ACME client.",
            Self::Utf16 => {
                "Save it as plain text: iconv -f UTF-16 -t ASCII file.pem > file-ascii.pem"
            }
            Self::NotPem => "Give a PEM file (-----BEGIN CERTIFICATE-----) or the DER form of it.",
            Self::Pkcs12 => "Convert it: openssl pkcs12 -in file.pfx -nodes -out file.pem",
            Self::Pkcs7 => "Convert it: openssl pkcs7 -in file.p7b -print_certs -out file.pem",
            Self::OpenLength => {
                "Convert it: openssl pkcs12 -in file.p12 -nodes -out file.pem (mode 0600)."
            }
            Self::PasswordMissing => "Give the password that it was exported with, in a file.",
            Self::PasswordWrong => {
                "Check the password: its case, and that its file holds it alone, in UTF-8."
            }
            Self::PasswordCostly(_) | Self::UnknownCipher(_) => {
                "Do not trust this file; have key and certificate exported again by another program."
            }
            Self::LegacyCipher(_) => {
                "Convert it: openssl pkcs12 -legacy -in file.pfx -nodes -out file.pem (mode 0600)."
            }
            Self::Pkcs12NoKey => {
                "Export it again with its private key, or give the key in a file of its own."
            }
            Self::IsRequest => "Give the request to a CA, and the certificate it returns here.",
            Self::Truncated(_) | Self::Damaged(_) => {
                "Copy or download the file again; compare its length with the original."
            }
            Self::NotACa(_) => "Give the CA's own certificate, not one that it issued.",
            Self::TooManyCas(_) => "Give those only that vouch for this certificate.",
            Self::NoCertificate => "Give the file with -----BEGIN CERTIFICATE----- in it.",
            Self::NoLeaf => {
                "Add the server's own certificate (cert.pem or fullchain.pem of the ACME client)."
            }
            Self::TwoLeaves(..) => "Give the private key too, or one certificate at a time.",
            Self::KeyMissing => {
                "Give the private key that was made with the certificate's request (privkey.pem)."
            }
            Self::KeyEncrypted => {
                "Take the pass phrase off: openssl pkey -in key.pem -out key-plain.pem (mode 0600)."
            }
            Self::KeyUnusable(_) => "Use an RSA (2048 bits or more), ECDSA or Ed25519 key in PEM.",
            Self::TwoKeys => "Give one key; import an RSA and an ECDSA certificate one by one.",
            Self::KeyMismatch(_) => {
                "Find the key of this certificate, or have the certificate issued anew for this key."
            }
            Self::ChainBroken { .. } => {
                "Add the CA's intermediate certificate (chain.pem, or fullchain.pem as a whole)."
            }
            Self::NulInName(_) => "Do not use this certificate; have another issued.",
        }
    }
}

#[cfg(test)]
mod tests;

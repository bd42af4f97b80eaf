//! Facts: an immutable picture of one Postfix instance at one moment.
//!
//! Owns: the shape of what was seen, and [`looks`], which names the further files to look at so
//! that the hands need not interpret a parameter. Never: reads anything itself.

use crate::{Digest, PostfixVersion};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// One Postfix instance at one moment.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The configuration directory as given (absolute).
    pub config_directory: PathBuf,
    /// `main.cf`.
    pub main_cf: CfFile,
    /// `master.cf`.
    pub master_cf: CfFile,
    /// `mail_version`.
    pub version: PostfixVersion,
    /// The OpenSSL library the probing side runs with, e.g. `OpenSSL 3.0.19`.
    pub openssl: String,
    /// Every parameter's unexpanded value, defaults included (`postconf -c DIR`).
    pub values: BTreeMap<String, String>,
    /// Every built-in parameter's default, unexpanded (`postconf -c DIR -d`).
    pub defaults: BTreeMap<String, String>,
    /// Lookup table types of this build (`postconf -m`).
    pub map_types: Vec<String>,
    /// SASL server plug-ins of this build (`postconf -a`).
    pub sasl_types: Vec<String>,
    /// The addresses of this host's interfaces.
    pub addresses: Vec<IpAddr>,
    /// The files named by [`looks`], as they were.
    pub files: BTreeMap<PathBuf, FileLook>,
    /// Maps of rules that do not hold what they were made of, and what is the matter with each, in
    /// words: `was edited by hand` …
    pub touched: BTreeMap<PathBuf, String>,
    /// The source of a map of rules that does not stand there yet: its file is what it will be.
    pub unmade: Option<PathBuf>,
    /// Whether an administrator's own maps of server names (`tls_server_sni_maps`) have these keys,
    /// by table; what is not there was not asked, or gave no answer.
    pub server_names: BTreeMap<String, BTreeMap<String, Row>>,
    /// The certificates that Postseal's store holds.
    pub certificates: Vec<StoredCertificate>,
    /// Whether the master of this instance runs.
    pub master: MasterState,
    /// What DNS said; empty where nothing had to be asked, or nothing may be.
    pub dns: crate::dns::Answers,
}

/// main.cf or master.cf as it was read.
#[derive(Clone, Debug)]
pub struct CfFile {
    /// The path, symbolic links resolved.
    pub path: PathBuf,
    /// Every byte.
    pub bytes: Vec<u8>,
    /// Digest of the bytes.
    pub digest: Digest,
}

impl CfFile {
    /// A file with these bytes.
    pub fn of(path: PathBuf, bytes: Vec<u8>) -> Self {
        Self {
            path,
            digest: Digest::of(&bytes),
            bytes,
        }
    }
}

/// Whether a table has a row of a key; never the row, which may hold a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// It has.
    There,
    /// It has none.
    Missing,
}

/// Whether an instance's master process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterState {
    /// It runs, with this process id.
    Running(u32),
    /// It does not run.
    Stopped,
}

/// What was found at a path that a TLS parameter names.
#[derive(Clone, Debug)]
pub enum FileLook {
    /// Nothing there.
    Missing,
    /// A directory.
    Directory,
    /// Neither file nor directory (socket, device, …).
    Special,
    /// Could not be read; the reason in the system's words.
    Unreadable(String),
    /// Whoever looked may not read it, in the system's words; Postfix, as root, may.
    Denied(String),
    /// Larger than the limit for such files; its size in bytes.
    TooLarge(u64),
    /// A regular file.
    File {
        /// Content. May hold a private key: zeroized, never printed.
        bytes: Zeroizing<Vec<u8>>,
        /// Permission bits (`0o600`).
        mode: u32,
        /// Owner.
        uid: u32,
    },
}

/// Who listens at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortOwner {
    /// This instance's master, and nobody else.
    Ours,
    /// Another process, alone or beside the master.
    Other {
        /// Its number, where the system tells it.
        pid: Option<u32>,
        /// Its command, where the system tells it.
        command: Option<String>,
    },
    /// Not to be seen.
    Unknown,
}

/// A certificate of Postseal's store, without its key.
#[derive(Clone, Debug)]
pub struct StoredCertificate {
    /// The name the operator gave.
    pub name: String,
    /// From 1, rising with each renewal under the name.
    pub version: u32,
    /// Leaf first, then intermediates, each DER.
    pub chain: Vec<Vec<u8>>,
    /// SHA-256 of the leaf's DER.
    pub fingerprint: mailtls::Fingerprint,
    /// Whether a matching private key is sealed in the store.
    pub has_key: bool,
    /// The CAs of one's own that were given explicitly, DER, one after the other.
    pub private_ca: Option<Vec<u8>>,
    /// Digest of the key-first PEM file as it will stand on disk (keys never leave the store).
    pub file_digest: Option<Digest>,
}

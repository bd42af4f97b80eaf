//! Which certificate a server presents, by its files.
//!
//! Owns: the parameters that name certificate files, in Postfix's order of precedence, and what
//! stands in these files. Never: judges a certificate.

use crate::compile::{chain_path, stored_at};
use crate::facts::{Facts, FileLook};
use crate::intent::Intent;
use crate::report::HandshakeExpectation;
use crate::view::{Service, View};
use mailtls::{CertError, Fingerprint, Loaded, chain_files_problems, pair_problems};
use std::path::{Path, PathBuf};

/// How a server's certificates are named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Configured {
    /// `smtpd_tls_cert_file = none`.
    Anonymous,
    /// No parameter names any.
    Nothing,
    /// `smtpd_tls_chain_files`, read as one stream.
    Chain(Vec<PathBuf>),
    /// Certificate and key files, a pair for each algorithm.
    Pairs(Vec<Pair>),
}

/// One certificate file with its key file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

const PAIRS: [[&str; 2]; 3] = [
    ["smtpd_tls_cert_file", "smtpd_tls_key_file"],
    ["smtpd_tls_eccert_file", "smtpd_tls_eckey_file"],
    ["smtpd_tls_dcert_file", "smtpd_tls_dkey_file"],
];

/// How this server's certificates are named: `smtpd_tls_chain_files` (3.4) overrides the others.
pub(crate) fn configured(view: &View<'_>, service: &Service, facts: &Facts) -> Configured {
    let at = Some(service);
    if facts.version.at_least(3, 4) {
        let files = view.list(at, "smtpd_tls_chain_files");
        if !files.is_empty() {
            return Configured::Chain(files.into_iter().map(PathBuf::from).collect());
        }
    }
    let first = view.value(at, PAIRS[0][0]);
    if first.eq_ignore_ascii_case("none") {
        return Configured::Anonymous;
    }
    let pairs: Vec<Pair> = PAIRS
        .iter()
        .map(|names| names.map(|name| view.value(at, name)))
        .filter(|[cert, _]| !cert.is_empty())
        .map(|[cert, key]| Pair {
            key: if key.is_empty() {
                (&cert).into()
            } else {
                key.into()
            },
            cert: cert.into(),
        })
        .collect();
    if pairs.is_empty() {
        Configured::Nothing
    } else {
        Configured::Pairs(pairs)
    }
}

/// What Postfix would load, for each file or pair; `None` where a file was not looked at.
/// A stored certificate whose file is not there yet counts as what it will be.
pub(crate) fn form_of(named: &Configured, facts: &Facts) -> Option<Vec<Loaded>> {
    match named {
        Configured::Anonymous | Configured::Nothing => Some(Vec::new()),
        Configured::Chain(files) => {
            let looks: Option<Vec<&FileLook>> =
                files.iter().map(|path| facts.files.get(path)).collect();
            let contents: Result<Vec<&[u8]>, CertError> = looks?.into_iter().map(content).collect();
            Some(vec![match contents {
                Ok(contents) => chain_files_problems(&contents),
                Err(error) => failed(&error),
            }])
        }
        Configured::Pairs(pairs) => pairs
            .iter()
            .map(|pair| {
                let (cert, key) = (facts.files.get(&pair.cert)?, facts.files.get(&pair.key)?);
                Some(match (content(cert), content(key)) {
                    (Ok(cert), Ok(key)) => pair_problems(cert, key),
                    (Err(error), _) | (_, Err(error)) => failed(&error),
                })
            })
            .collect(),
    }
}

/// The bytes of a file, or why there are none.
pub(crate) fn content(look: &FileLook) -> Result<&[u8], CertError> {
    match look {
        FileLook::File { bytes, .. } => Ok(bytes),
        FileLook::Missing => Err(CertError::Missing),
        FileLook::Directory => Err(CertError::IsDirectory),
        FileLook::Special => Err(CertError::Unreadable("it is not a regular file".into())),
        FileLook::Unreadable(why) => Err(CertError::Unreadable(why.clone())),
        FileLook::TooLarge(size) => Err(CertError::TooLarge(*size)),
    }
}

fn failed(error: &CertError) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.problems.push(error.into());
    loaded
}

/// The certificates that a handshake must show.
pub(super) fn expected(
    view: &View<'_>,
    service: &Service,
    facts: &Facts,
    intent: &Intent,
) -> HandshakeExpectation {
    let named = configured(view, service, facts);
    let files: Vec<&Path> = match &named {
        Configured::Anonymous | Configured::Nothing => Vec::new(),
        Configured::Chain(files) => files.iter().map(PathBuf::as_path).collect(),
        Configured::Pairs(pairs) => pairs.iter().map(|pair| pair.cert.as_path()).collect(),
    };
    let ours = files
        .iter()
        .filter_map(|path| promised(path, facts, intent));
    let mut certificates: Vec<Fingerprint> = ours.collect();
    if certificates.len() < files.len() {
        let loaded = form_of(&named, facts).unwrap_or_default();
        let leaves = loaded
            .iter()
            .flat_map(|l| &l.chains)
            .filter_map(|chain| chain.first());
        for leaf in leaves.map(mailtls::Certificate::fingerprint) {
            if !certificates.contains(&leaf) {
                certificates.push(leaf);
            }
        }
    }
    HandshakeExpectation {
        certificates,
        anonymous: named == Configured::Anonymous,
        ..HandshakeExpectation::default()
    }
}

/// The certificate of a file that Postseal writes: its name holds the fingerprint.
fn promised(path: &Path, facts: &Facts, intent: &Intent) -> Option<Fingerprint> {
    let bound = intent
        .bindings
        .iter()
        .find(|bound| chain_path(&facts.config_directory, &bound.name, &bound.fingerprint) == path);
    bound
        .map(|bound| bound.fingerprint)
        .or_else(|| stored_at(facts, path).map(|stored| stored.fingerprint))
}

//! Which certificate a server presents, by its files.
//!
//! Owns: the parameters that name certificate files, in Postfix's order of precedence, and what
//! stands in these files. Never: judges a certificate.

use crate::compile::{bound_path, sni, stored_at};
use crate::facts::{Facts, FileLook};
use crate::intent::Intent;
use crate::report::{Ask, HandshakeExpectation, KeyAlgorithm, Presented};
use crate::view::{Service, View};
use mailtls::{CertError, Certificate, Fingerprint, Loaded};
use mailtls::{chain_files_problems, pair_problems};
use std::collections::BTreeMap;
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
    ["tls_cert_file", "tls_key_file"],
    ["tls_eccert_file", "tls_eckey_file"],
    ["tls_dcert_file", "tls_dkey_file"],
];

/// How this server's certificates are named: `smtpd_tls_chain_files` (3.4) overrides the others.
pub(crate) fn configured(view: &View<'_>, service: &Service, facts: &Facts) -> Configured {
    named_by(view, Some(service), "smtpd_", facts)
}

/// The same of the SMTP client, by main.cf or a service of its own.
pub(crate) fn of_client(view: &View<'_>, at: Option<&Service>, facts: &Facts) -> Configured {
    named_by(view, at, "smtp_", facts)
}

fn named_by(view: &View<'_>, at: Option<&Service>, prefix: &str, facts: &Facts) -> Configured {
    let value = |stem: &str| view.value(at, &format!("{prefix}{stem}"));
    if facts.version.at_least(3, 4) {
        let files = view.list(at, &format!("{prefix}tls_chain_files"));
        if !files.is_empty() {
            return Configured::Chain(files.into_iter().map(PathBuf::from).collect());
        }
    }
    let first = value(PAIRS[0][0]);
    if first.eq_ignore_ascii_case("none") {
        return Configured::Anonymous;
    }
    let pairs: Vec<Pair> = PAIRS
        .iter()
        .map(|names| names.map(value))
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
                files.iter().map(|path| looked_at(facts, path)).collect();
            let looks = looks?.into_iter().enumerate();
            let contents: Result<Vec<&[u8]>, _> = looks
                .map(|(file, look)| content(look).map_err(|error| Loaded::unread(file, &error)))
                .collect();
            Some(vec![match contents {
                Ok(contents) => chain_files_problems(&contents),
                Err(unread) => unread,
            }])
        }
        Configured::Pairs(pairs) => pairs
            .iter()
            .map(|pair| {
                let (cert, key) = (looked_at(facts, &pair.cert)?, looked_at(facts, &pair.key)?);
                Some(match (content(cert), content(key)) {
                    (Ok(cert), Ok(key)) => pair_problems(cert, key),
                    (Err(error), _) => Loaded::unread(0, &error),
                    (_, Err(error)) => Loaded::unread(1, &error),
                })
            })
            .collect(),
    }
}

/// What stands there, where it could be looked at.
fn looked_at<'f>(facts: &'f Facts, path: &Path) -> Option<&'f FileLook> {
    let look = facts.files.get(path);
    look.filter(|look| !matches!(look, FileLook::Denied(_)))
}

/// The bytes of a file, or why there are none.
pub(crate) fn content(look: &FileLook) -> Result<&[u8], CertError> {
    match look {
        FileLook::File { bytes, .. } => Ok(bytes),
        FileLook::Missing => Err(CertError::Missing),
        FileLook::Directory => Err(CertError::IsDirectory),
        FileLook::Special => Err(CertError::NoFile("it is not a regular file".into())),
        FileLook::Unreadable(why) | FileLook::Denied(why) => {
            Err(CertError::Unreadable(why.clone()))
        }
        FileLook::TooLarge(size) => Err(CertError::TooLarge(*size)),
    }
}

/// The certificates that a handshake must show.
pub(super) fn expected(
    view: &View<'_>,
    service: &Service,
    facts: &Facts,
    intent: &Intent,
) -> HandshakeExpectation {
    let named = configured(view, service, facts);
    let leaves = leaves(&named, facts, intent);
    let mut presented = by_algorithm(None, &leaves);
    presented.extend(by_name(view, service, facts, intent));
    HandshakeExpectation {
        certificates: leaves.iter().map(|leaf| leaf.fingerprint).collect(),
        anonymous: named == Configured::Anonymous,
        presented,
        ..HandshakeExpectation::default()
    }
}

/// A certificate that a server presents.
struct Leaf {
    fingerprint: Fingerprint,
    /// `None` where the certificate is not known, or its key is of a kind that cannot be asked for.
    algorithm: Option<KeyAlgorithm>,
}

/// The leaves of these files. Those that Postseal writes are known without a look.
fn leaves(named: &Configured, facts: &Facts, intent: &Intent) -> Vec<Leaf> {
    let files: Vec<&Path> = match named {
        Configured::Anonymous | Configured::Nothing => Vec::new(),
        Configured::Chain(files) => files.iter().map(PathBuf::as_path).collect(),
        Configured::Pairs(pairs) => pairs.iter().map(|pair| pair.cert.as_path()).collect(),
    };
    let ours = files
        .iter()
        .filter_map(|path| promised(path, facts, intent))
        .map(|fingerprint| known(fingerprint, facts));
    let mut leaves: Vec<Leaf> = ours.collect();
    if leaves.len() == files.len() {
        return leaves;
    }
    let loaded = form_of(named, facts).unwrap_or_default();
    let chains = loaded.iter().flat_map(|loaded| &loaded.chains);
    for leaf in chains.filter_map(|chain| chain.first()) {
        let fingerprint = leaf.fingerprint();
        if leaves.iter().all(|known| known.fingerprint != fingerprint) {
            leaves.push(Leaf {
                fingerprint,
                algorithm: KeyAlgorithm::of(leaf),
            });
        }
    }
    leaves
}

/// A certificate of the store.
fn known(fingerprint: Fingerprint, facts: &Facts) -> Leaf {
    let mut stored = facts.certificates.iter();
    let der = stored
        .find(|stored| stored.fingerprint == fingerprint)
        .and_then(|stored| stored.chain.first());
    Leaf {
        fingerprint,
        algorithm: der
            .and_then(|der| Certificate::parse(der).ok())
            .and_then(|leaf| KeyAlgorithm::of(&leaf)),
    }
}

/// What clients must see that take one kind of key only; nothing where all are of one kind.
fn by_algorithm(name: Option<&str>, leaves: &[Leaf]) -> Vec<Presented> {
    let mut kinds: BTreeMap<KeyAlgorithm, Vec<Fingerprint>> = BTreeMap::new();
    for leaf in leaves {
        if let Some(algorithm) = leaf.algorithm {
            kinds.entry(algorithm).or_default().push(leaf.fingerprint);
        }
    }
    if kinds.len() < 2 {
        return Vec::new();
    }
    let of_kind = |(algorithm, certificates)| Presented {
        ask: Ask {
            name: name.map(str::to_owned),
            algorithm: Some(algorithm),
        },
        certificates,
    };
    kinds.into_iter().map(of_kind).collect()
}

/// What clients must see that ask for a name of our map, where this server has it.
fn by_name(view: &View<'_>, service: &Service, facts: &Facts, intent: &Intent) -> Vec<Presented> {
    let Some(map) = sni::map(intent, facts) else {
        return Vec::new();
    };
    let ours = format!("{}:{}", map.table, map.path.display());
    if !view.list(Some(service), sni::PARAMETER).contains(&ours) {
        return Vec::new();
    }
    let mut names: BTreeMap<String, Vec<Leaf>> = BTreeMap::new();
    for (name, bound) in sni::names(intent) {
        names
            .entry(asked(name))
            .or_default()
            .push(known(bound.fingerprint, facts));
    }
    let mut presented = Vec::new();
    for (name, leaves) in names {
        let kinds = by_algorithm(Some(&name), &leaves);
        if kinds.is_empty() {
            presented.push(Presented {
                certificates: leaves.iter().map(|leaf| leaf.fingerprint).collect(),
                ask: Ask {
                    name: Some(name),
                    algorithm: None,
                },
            });
        }
        presented.extend(kinds);
    }
    presented
}

/// What to ask for, to see the certificate of a name: for `.domain`, any name below it.
pub(crate) fn asked(name: &str) -> String {
    if name.starts_with('.') {
        format!("any{name}")
    } else {
        name.to_owned()
    }
}

/// The certificate of a file that Postseal writes: its name holds the fingerprint.
fn promised(path: &Path, facts: &Facts, intent: &Intent) -> Option<Fingerprint> {
    let mut bindings = intent.bindings.iter();
    bindings
        .find(|bound| bound_path(facts, bound) == path)
        .map(|bound| bound.fingerprint)
        .or_else(|| stored_at(facts, path).map(|stored| stored.fingerprint))
}

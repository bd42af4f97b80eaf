//! Folders as ACME clients keep them.
//!
//! Owns: telling from the names in a folder which client made it, and which of its files hold
//! the certificate, the key and the chain. Never: opens one, or guesses between two.

mod below;

pub use below::{Below, choose, held};

use std::fmt;
use thiserror::Error;

const NAMES_SHOWN: usize = 8;

/// A file of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without the folder.
    pub name: String,
    /// Its size, that of the target for a symbolic link.
    pub size: u64,
    /// Where it leads, for a symbolic link.
    pub target: Option<String>,
}

/// The client that keeps a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Client {
    Certbot,
    Dehydrated,
    Lego,
    AcmeSh,
    Caddy,
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certbot => "certbot",
            Self::Dehydrated => "dehydrated",
            Self::Lego => "lego",
            Self::AcmeSh => "acme.sh",
            Self::Caddy => "Caddy",
        })
    }
}

/// Which files of a folder to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Who keeps it.
    pub client: Client,
    /// The certificate, with its chain where `chain` is `None`.
    pub cert: String,
    /// The private key.
    pub key: String,
    /// The intermediates, where they stand in a file of their own.
    pub chain: Option<String>,
}

/// Why a folder cannot be read as one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LayoutError {
    /// No client known here keeps its files so.
    #[error("no certificate folder that is known here; in it: {0}")]
    Unknown(String),
    /// Certificates are in it, and none of them is the one that was asked for.
    #[error("no certificate for {domain} is in it, but those of {there}")]
    OtherDomain {
        /// What was asked for.
        domain: String,
        /// What is there.
        there: String,
    },
    /// Several certificates are in it.
    #[error("several certificates are in it: {0}")]
    Ambiguous(String),
    /// certbot's `archive`, which holds all old versions.
    #[error("this is certbot's archive, which holds old versions too; in it: {0}")]
    Archive(String),
    /// Certificates lie below it, in folders of their own.
    #[error("several certificates lie below it: {0}")]
    Several(String),
    /// The same, and none of them is the one that was asked for.
    #[error("no certificate for {domain} lies below it, but {there}")]
    NoneBelow {
        /// What was asked for.
        domain: String,
        /// What is there, and where.
        there: String,
    },
    /// A file has no bytes: it is being written, or its renewal failed.
    #[error("{0} is empty")]
    Empty(String),
}

impl LayoutError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "layout.unknown",
            Self::OtherDomain { .. } => "layout.other-domain",
            Self::Ambiguous(_) => "layout.ambiguous",
            Self::Archive(_) => "layout.archive",
            Self::Several(_) => "layout.several",
            Self::NoneBelow { .. } => "layout.none-below",
            Self::Empty(_) => "layout.empty",
        }
    }

    /// What to do about it, in one sentence.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Unknown(_) => {
                "Name the folder that an ACME client keeps its certificates in, or the certificate's own \
                 (certbot's live/NAME, Caddy's certificates/CA/NAME), or its files: --cert FILE --key FILE."
            }
            Self::OtherDomain { .. } => {
                "Say one that is there: its client names files by the first domain."
            }
            Self::Ambiguous(_) => "Say which one by its domain, or name its files.",
            Self::Archive(_) => "Name the folder below live/ in place of archive/.",
            Self::Several(_) | Self::NoneBelow { .. } => {
                "Name the folder of the one that is meant (--dir), or its domain (--domain)."
            }
            Self::Empty(_) => "Wait until the client has written it, or run its renewal again.",
        }
    }
}

/// Recognises a folder; `domain` chooses where it holds several certificates (lego).
pub fn recognise(entries: &[Entry], domain: Option<&str>) -> Result<Layout, LayoutError> {
    let folder = Folder(entries);
    let mut found = folder.candidates();
    if let Some(domain) = domain {
        let there: Vec<String> = found.iter().map(|one| stem(&one.cert).to_owned()).collect();
        found.retain(|layout| stem(&layout.cert) == file_stem(domain) || found_by_folder(layout));
        if found.is_empty() && !there.is_empty() {
            return Err(LayoutError::OtherDomain {
                domain: domain.escape_debug().to_string(),
                there: listed(there.iter().map(String::as_str)),
            });
        }
    }
    let layout = match (found.pop(), found.pop()) {
        (Some(one), None) => one,
        (None, _) if folder.is_archive() => return Err(LayoutError::Archive(folder.seen())),
        (None, _) => return Err(LayoutError::Unknown(folder.seen())),
        (Some(one), Some(other)) => {
            found.extend([other, one]);
            let names = found.iter().map(|layout| layout.cert.as_str());
            return Err(LayoutError::Ambiguous(listed(names)));
        }
    };
    let files = [Some(&layout.cert), Some(&layout.key), layout.chain.as_ref()];
    for name in files.into_iter().flatten() {
        if folder.get(name).is_some_and(|entry| entry.size == 0) {
            return Err(LayoutError::Empty(name.clone()));
        }
    }
    Ok(layout)
}

/// Whether the files' names say nothing of the domain, which is the folder's name.
fn found_by_folder(layout: &Layout) -> bool {
    layout.cert.starts_with("fullchain.")
}

struct Folder<'a>(&'a [Entry]);

impl Folder<'_> {
    fn get(&self, name: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.name == name)
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn candidates(&self) -> Vec<Layout> {
        let mut found = Vec::from_iter(self.fullchain_pem());
        for entry in self.0 {
            found.extend(self.acme_sh(&entry.name));
            found.extend(self.lego_or_caddy(&entry.name));
        }
        found
    }

    /// certbot's `live/NAME` and dehydrated's `certs/NAME` have the same names; dehydrated's lead
    /// to names with a time in them (`fullchain-1700000000.pem`), in the same folder.
    fn fullchain_pem(&self) -> Option<Layout> {
        let (cert, key) = ("fullchain.pem", "privkey.pem");
        let entry = self.get(cert).filter(|_| self.has(key))?;
        let dated = |name: &str| {
            let time = name.strip_prefix("fullchain-");
            time.is_some_and(|time| time.ends_with(".pem"))
        };
        let is_dehydrated = match &entry.target {
            Some(target) => dated(target),
            None => self.0.iter().any(|entry| dated(&entry.name)),
        };
        Some(Layout {
            client: if is_dehydrated {
                Client::Dehydrated
            } else {
                Client::Certbot
            },
            cert: cert.to_owned(),
            key: key.to_owned(),
            chain: None,
        })
    }

    /// `NAME.cer` with `NAME.key`; `fullchain.cer`, else `ca.cer`, completes it.
    fn acme_sh(&self, name: &str) -> Option<Layout> {
        let stem = name.strip_suffix(".cer")?;
        let key = format!("{stem}.key");
        if !self.has(&key) {
            return None;
        }
        let has_full = self.has("fullchain.cer");
        let cert = if has_full { "fullchain.cer" } else { name };
        Some(Layout {
            client: Client::AcmeSh,
            cert: cert.to_owned(),
            key,
            chain: (!has_full && self.has("ca.cer")).then(|| "ca.cer".to_owned()),
        })
    }

    /// `NAME.crt`, which holds the chain too, with `NAME.key` and `NAME.json`; lego keeps all its
    /// certificates in one folder, with a `NAME.issuer.crt` each.
    fn lego_or_caddy(&self, name: &str) -> Option<Layout> {
        let stem = name.strip_suffix(".crt")?;
        let (key, json) = (format!("{stem}.key"), format!("{stem}.json"));
        if !self.has(&key) || !self.has(&json) {
            return None;
        }
        let is_lego = self.has(&format!("{stem}.issuer.crt"));
        Some(Layout {
            client: if is_lego { Client::Lego } else { Client::Caddy },
            cert: name.to_owned(),
            key,
            chain: None,
        })
    }

    /// Versions by number: `fullchain1.pem`, `privkey1.pem`.
    fn is_archive(&self) -> bool {
        let numbered = |start: &str| {
            self.0.iter().any(|entry| {
                let number = entry.name.strip_prefix(start);
                let number = number.and_then(|rest| rest.strip_suffix(".pem"));
                number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
            })
        };
        numbered("fullchain") && numbered("privkey")
    }

    fn seen(&self) -> String {
        match self.0 {
            [] => "nothing".to_owned(),
            entries => listed(entries.iter().map(|entry| entry.name.as_str())),
        }
    }
}

fn stem(file: &str) -> &str {
    file.strip_suffix(".crt")
        .or_else(|| file.strip_suffix(".cer"))
        .unwrap_or(file)
}

/// The name that lego gives a domain's files: `_` for `*`.
fn file_stem(domain: &str) -> String {
    domain.replace('*', "_").to_lowercase()
}

/// Some names, escaped, since a folder may hold any.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    let more = names.len().saturating_sub(NAMES_SHOWN);
    let shown: Vec<String> = names
        .iter()
        .take(NAMES_SHOWN)
        .map(|name| name.escape_debug().to_string())
        .collect();
    match more {
        0 => shown.join(", "),
        _ => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;

//! Certificates in folders below the one that was named: Caddy's data, certbot's `/etc/letsencrypt`.
//!
//! Owns: what a folder's certificate is kept for, and the choice among several. Never: looks for the
//! folders, or takes one of two.

use super::{Entry, Folder, Layout, LayoutError, file_stem, listed, stem};
use std::path::PathBuf;

/// A certificate in a folder below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Below {
    /// Its folder.
    pub folder: PathBuf,
    /// Its files.
    pub layout: Layout,
}

impl Below {
    /// What it is kept for: the name of its files, else that of its folder.
    fn name(&self) -> &str {
        let of_files = self.layout.key.strip_suffix(".key");
        of_files.unwrap_or_else(|| self.folder_name())
    }

    fn folder_name(&self) -> &str {
        let name = self.folder.file_name();
        name.and_then(|name| name.to_str()).unwrap_or_default()
    }

    fn is_for(&self, domain: &str) -> bool {
        let plain = file_stem(domain);
        // lego writes `_` for `*`, Caddy `wildcard_`.
        let wildcard = domain
            .strip_prefix("*.")
            .map(|rest| format!("wildcard_.{}", rest.to_lowercase()));
        let names = [self.name(), stem(&self.layout.cert), self.folder_name()];
        let mut names = names.into_iter();
        names.any(|name| name == plain || Some(name) == wildcard.as_deref())
    }
}

/// The certificates that a folder holds, as far as a client is recognised.
pub fn held(entries: &[Entry]) -> Vec<Layout> {
    Folder(entries).candidates()
}

/// The one that is meant: for `domain`, where that is said, else the only one. `None` where nothing
/// was found; where it is not one, the error says what there is, each with its folder.
pub fn choose(found: Vec<Below>, domain: Option<&str>) -> Result<Option<Below>, LayoutError> {
    let all = there(&found);
    let is_empty = found.is_empty();
    let fits = |one: &Below| domain.is_none_or(|domain| one.is_for(domain));
    let mut fitting: Vec<Below> = found.into_iter().filter(fits).collect();
    match (fitting.len(), domain) {
        (2.., _) => Err(LayoutError::Several(there(&fitting))),
        (0, Some(domain)) if !is_empty => Err(LayoutError::NoneBelow {
            domain: domain.escape_debug().to_string(),
            there: all,
        }),
        _ => Ok(fitting.pop()),
    }
}

fn there(found: &[Below]) -> String {
    let told = found
        .iter()
        .map(|one| format!("{} in {}", one.name(), one.folder.display()));
    let told: Vec<String> = told.collect();
    listed(told.iter().map(String::as_str))
}

#[cfg(test)]
mod tests;

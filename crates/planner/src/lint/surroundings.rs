//! What a host shows beside its Postfix, for the rules that need it.
//!
//! Owns: the shape. Never: gathers it (whoever lints does), judges. What was not gathered stays
//! empty, and the rules that need it are silent.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// What was gathered of a host.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// What the TLS library makes of each list of [`cipher_lists`](super::cipher_lists): its
    /// names of the suites up to TLS 1.2, in order; none where it refuses the list.
    pub suites: BTreeMap<String, Vec<String>>,
    /// How the files that parameters name are reached, where that says something.
    pub ways: BTreeMap<PathBuf, Way>,
    /// When files were changed, in seconds since 1970.
    pub changed: BTreeMap<PathBuf, i64>,
    /// The name servers of `/etc/resolv.conf`.
    pub nameservers: Vec<IpAddr>,
    /// Whether the resolver sets the AD bit on a name that is signed (RFC 4035 §3.2.3); `None`
    /// where it was not asked or did not answer.
    pub authenticates: Option<bool>,
    /// The TCP ports that something listens on; `None` where that cannot be seen.
    pub listening: Option<BTreeSet<u16>>,
}

/// How a file is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// What a symbolic link points to, where the file is one.
    pub link: Option<PathBuf>,
    /// A folder on the way, or the link's own, in which somebody other than root can replace it.
    pub open_folder: Option<PathBuf>,
}

impl Surroundings {
    /// Whether `source` was changed after `made` was.
    pub(super) fn is_newer(&self, source: &Path, made: &Path) -> bool {
        let times = self.changed.get(source).zip(self.changed.get(made));
        times.is_some_and(|(source, made)| source > made)
    }
}

//! The names of a certificate, compared with those of another.
//!
//! Owns: which names one has that the other does not serve; wildcards, addresses, a common name where
//! there is no other. Never: knows who asks for a name. There may be ten thousand on either side.

use mailtls::Certificate;
use std::collections::BTreeSet;

/// The names that clients may look for in a certificate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    all: BTreeSet<String>,
    /// What is above the names.
    parents: BTreeSet<String>,
}

impl Names {
    pub(crate) fn of(leaf: &Certificate) -> Self {
        let mut all: BTreeSet<String> = leaf.dns_names.iter().map(|name| plain(name)).collect();
        all.extend(leaf.ip_addresses.iter().map(ToString::to_string));
        if all.is_empty() {
            all.extend(leaf.common_name.as_deref().map(plain));
        }
        Self::from(all)
    }

    /// Whether both have a name in common, or neither has one. A `*` and a name below it are in
    /// common.
    pub(crate) fn are_shared_by(&self, other: &Self) -> bool {
        self.all.is_empty() && other.all.is_empty() || self.meets(other) || other.meets(self)
    }

    fn meets(&self, other: &Self) -> bool {
        self.all.iter().any(|name| {
            let below = name.strip_prefix("*.");
            other.all.contains(name) || below.is_some_and(|domain| other.parents.contains(domain))
        })
    }

    /// Whether who looks for this name finds it; of `*.example.org`, whatever stands for the `*`.
    pub(crate) fn serve(&self, name: &str) -> bool {
        let wildcard = || Some(format!("*.{}", name.split_once('.')?.1));
        self.all.contains(name) || wildcard().is_some_and(|name| self.all.contains(&name))
    }

    /// Those that `others` serve, too, all of them.
    pub(crate) fn served_by_all(mut self, others: &[Self]) -> Self {
        self.all
            .retain(|name| others.iter().all(|other| other.serve(name)));
        Self::from(self.all)
    }

    /// Those that one of `others` does not serve.
    pub(crate) fn missing_in(&self, others: &[Self]) -> Vec<String> {
        let missing = |name: &&String| !others.iter().all(|other| other.serve(name));
        self.all.iter().filter(missing).cloned().collect()
    }
}

impl From<BTreeSet<String>> for Names {
    fn from(all: BTreeSet<String>) -> Self {
        let parent = |name: &String| Some(name.split_once('.')?.1.to_owned());
        Self {
            parents: all.iter().filter_map(parent).collect(),
            all,
        }
    }
}

/// A name as it is compared.
pub(crate) fn plain(name: &str) -> String {
    mailtls::host_name(name).unwrap_or_else(|| name.to_ascii_lowercase())
}

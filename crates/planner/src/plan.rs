//! Plan: an immutable, content-addressed list of steps with a parent and expectations.
//!
//! Owns: the shape of a plan. Never: makes one (`make`) or carries one out (`engine`). A plan
//! leaves no choice to the hands: order, bytes and proofs are all in it.

use crate::intent::Policies;
use crate::report::ServiceExpectation;
use crate::{Digest, Finding, Intent};
use mailtls::Fingerprint;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Which of the two configuration files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "self-evident")]
pub enum Cf {
    Main,
    Master,
}

/// A plan. Equal plans have equal ids; `findings` and `sentences` are not part of the id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Format of this document; 1.
    pub format: u32,
    /// Digest of everything that decides what is done; see [`Plan::with_rule_wishes`], too.
    pub id: Digest,
    /// The operation this plan builds on; `None` right after adoption.
    pub parent: Option<u64>,
    /// What becomes desired when the operation is kept.
    pub intent: Intent,
    /// What was in force when the plan was made; what undoing it leads back to.
    pub earlier: Intent,
    /// Digests of the files the plan was made from.
    pub base: Base,
    /// What the files become. Empty: nothing to do.
    pub edits: Vec<Edit>,
    /// What is done, in this order.
    pub steps: Vec<Step>,
    /// What the wire must show afterwards, a service each.
    pub expectations: Vec<ServiceExpectation>,
    /// Whether `smtp_*` changes, so that a delivery has to be rehearsed.
    pub outbound: OutboundChange,
    /// Typed confirmations needed: `CODE=HOSTNAME` for `apply --accept`.
    pub confirmations: Vec<Confirmation>,
    /// What was noticed; `was_so_before` ones do not block.
    pub findings: Vec<PlanFinding>,
    /// What the plan does, in an administrator's words.
    pub sentences: Vec<String>,
}

/// Digests of the files a plan was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "self-evident")]
pub struct Base {
    pub main_cf: Digest,
    pub master_cf: Digest,
}

/// A file's new bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Which file.
    pub file: Cf,
    /// Digest before.
    pub before: Digest,
    /// Digest after.
    pub after: Digest,
    /// Unified diff, credentials masked.
    pub diff: String,
    /// The new bytes. Not serialized: a stored plan is made again and must have the same id.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// One thing the hands do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// Write a stored certificate's key and chain to `path` (0600 root, key first), if the file
    /// is not there already with the same content. The name holds the fingerprint, so an older
    /// certificate's file is never overwritten.
    InstallChain {
        /// Which certificate of the store.
        fingerprint: Fingerprint,
        /// Where.
        path: PathBuf,
    },
    /// Write the source of a map of server names and let `postmap -F` compile it (both 0600
    /// root). Its name holds a digest of its rows, so an older map is never overwritten.
    InstallSniMap(SniMap),
    /// Write the rows of all rules for destinations, and let `postmap` compile them (both
    /// readable by all, as administrators' maps are). Its name holds a digest of its rows, so the
    /// map that is in force answers until main.cf names the new one.
    InstallPolicyMap(PolicyMap),
    /// Replace a configuration file by its edit's bytes.
    Publish {
        /// Which file.
        file: Cf,
    },
    /// `postfix reload`.
    Reload,
    /// `postfix stop` and `postfix start`: for changes that a reload does not apply. Sessions in
    /// flight are cut.
    Restart,
    /// Wait until what was published so far is effective on the wire.
    Await,
}

/// A map of server names (`tls_server_sni_maps`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SniMap {
    /// Its source; the compiled map stands beside it.
    pub path: PathBuf,
    /// The table's type (`hash`, `lmdb`, `texthash` …).
    pub table: String,
    /// Its rows, sorted: a name, and the key-first PEM files for it.
    pub source: String,
}

/// A map of policies (`smtp_tls_policy_maps`). Its rows are rendered from the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyMap {
    /// Its source; the compiled map stands beside it.
    pub path: PathBuf,
    /// The table's type (`hash`, `lmdb`, `texthash` …).
    pub table: String,
    /// Its rows.
    pub policies: Policies,
}

impl PolicyMap {
    /// As `postmap` and main.cf name it.
    pub fn name(&self) -> String {
        format!("{}:{}", self.table, self.path.display())
    }

    /// Its source, and what `postmap` makes of it, if anything.
    pub fn files(&self) -> Vec<PathBuf> {
        files(&self.path, &self.table)
    }

    /// The last line of the source: which compiled map was made of it. `postmap` skips it.
    pub fn note(compiled: Digest) -> String {
        format!("{COMPILED}{compiled}\n")
    }
}

/// How the last line of a source begins that tells the compiled map of it.
pub const COMPILED: &str = "# the compiled map: SHA-256 ";

/// How the line of a map of names begins that tells the files whose copies it holds.
const COPIED: &str = "# of keys and chains: SHA-256 ";

/// A map's source, and what `postmap` makes of it, if anything.
pub(crate) fn files(path: &Path, table: &str) -> Vec<PathBuf> {
    let index = match table {
        "hash" | "btree" => Some("db"),
        "lmdb" | "cdb" => Some(table),
        _ => None,
    };
    let index = index.map(|suffix| format!("{}.{suffix}", path.display()).into());
    [path.to_owned()].into_iter().chain(index).collect()
}

impl SniMap {
    /// The source as it stands on disk beside a compiled map with this digest, which holds copies of
    /// files with these contents: a map that somebody else compiled is told by it, and one of a chain
    /// that was written anew since. `postmap` skips the lines.
    pub fn source_beside(&self, copied: Digest, compiled: Digest) -> String {
        format!("{}{}", self.beginning(copied), PolicyMap::note(compiled))
    }

    /// Whether a source tells that its map holds copies of files with these contents.
    pub(crate) fn is_of(&self, text: &[u8], copied: Digest) -> bool {
        text.starts_with(self.beginning(copied).as_bytes())
    }

    fn beginning(&self, copied: Digest) -> String {
        format!("{}{COPIED}{copied}\n", self.source)
    }

    /// The files with keys and chains that its rows name.
    pub fn chains(&self) -> impl Iterator<Item = &Path> {
        let rows = self.source.lines();
        rows.flat_map(|row| row.split(' ').skip(1).map(Path::new))
    }

    /// What the contents of [`SniMap::chains`], in their order, come to.
    pub fn copied(contents: impl Iterator<Item = Digest>) -> Digest {
        let all: String = contents.map(String::from).collect();
        Digest::of(all.as_bytes())
    }

    /// Its source, and what `postmap` makes of it, if anything.
    pub fn files(&self) -> Vec<PathBuf> {
        files(&self.path, &self.table)
    }
}

/// Whether the SMTP client's TLS changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutboundChange {
    /// No `smtp_*` parameter changes.
    None,
    /// It changes: rehearse deliveries at `level`.
    Rehearse {
        /// The level they must show.
        level: crate::intent::Outbound,
    },
}

/// Something risky that must be confirmed in type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The finding's code, e.g. `inbound.mandatory-on-public-port-25`.
    pub code: String,
    /// What must be typed: this host's name (`myhostname`).
    pub answer: String,
    /// Why.
    pub message: String,
}

/// A finding with its place in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFinding {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// It was so before this plan: shown, never a block.
    pub was_so_before: bool,
}

impl Plan {
    /// The same for wishes about rules. A plan holds no more of them than a digest of their rows; what
    /// else is said of them (a note, an owner, a reason) comes in force with it, and is told apart by the
    /// revision of the wishes.
    #[must_use]
    pub fn with_rule_wishes(mut self, revision: i64) -> Self {
        self.id = Digest::of(format!("{} {revision}", self.id).as_bytes());
        self
    }

    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.steps.is_empty()
    }

    /// The edit of `file`, if it changes.
    pub fn edit(&self, file: Cf) -> Option<&Edit> {
        self.edits.iter().find(|edit| edit.file == file)
    }
}

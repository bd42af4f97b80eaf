//! The crates, ours and others', as `cargo metadata` tells them.
//!
//! Owns: reading it into small values. Never: judges.

use super::TidyError;
use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// All crates of the build.
#[derive(Debug, Default)]
pub struct Graph {
    crates: Vec<Crate>,
}

/// One crate.
#[derive(Clone, Debug, Default)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, an SPDX expression.
    pub licence: Option<String>,
    /// Whether it is of this workspace.
    pub member: bool,
    /// Its folder in the workspace; empty for others' crates.
    pub folder: PathBuf,
    /// Names of the crates that it needs to run (not to build, not to test).
    pub normal: BTreeSet<String>,
}

impl Graph {
    /// Asks `cargo metadata` about the workspace at `root`, for the platform we are on.
    ///
    /// # Errors
    /// When cargo cannot be run or the lock file does not match the manifests.
    pub fn read(root: &Path) -> Result<Self, TidyError> {
        let metadata = MetadataCommand::new()
            .cargo_path(crate::cargo())
            .manifest_path(root.join("Cargo.toml"))
            .features(CargoOpt::AllFeatures)
            .other_options(vec![
                "--locked".to_owned(),
                "--filter-platform".to_owned(),
                format!("{}-unknown-linux-gnu", std::env::consts::ARCH),
            ])
            .exec()?;
        let edges = normal_edges(&metadata);
        let members = &metadata.workspace_members;
        let packages = metadata.packages.iter();
        let crates = packages.map(|package| Crate {
            name: package.name.to_string(),
            version: package.version.to_string(),
            licence: package.license.clone(),
            member: members.contains(&package.id),
            folder: folder(package, root),
            normal: edges.get(&package.id.repr).cloned().unwrap_or_default(),
        });
        Ok(Self::new(crates.collect()))
    }

    /// A graph of these crates.
    #[must_use]
    pub fn new(crates: Vec<Crate>) -> Self {
        Self { crates }
    }

    pub(super) fn crates(&self) -> &[Crate] {
        &self.crates
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Crate> {
        self.crates.iter().filter(|one| one.member)
    }

    /// The member whose folder holds `path`.
    pub(super) fn member_of(&self, path: &Path) -> Option<&Crate> {
        self.members().find(|one| path.starts_with(&one.folder))
    }

    /// How `from` reaches `to` by normal dependencies: the names on the way, both ends included.
    pub(super) fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut came: BTreeMap<&str, &str> = BTreeMap::new();
        let mut waiting = vec![from];
        while let Some(name) = waiting.pop() {
            if name == to {
                return Some(unwind(&came, from, to));
            }
            let named = self.crates.iter().filter(|one| one.name == name);
            for next in named.flat_map(|one| &one.normal) {
                if next != from && !came.contains_key(next.as_str()) {
                    came.insert(next, name);
                    waiting.push(next);
                }
            }
        }
        None
    }
}

fn unwind(came: &BTreeMap<&str, &str>, from: &str, to: &str) -> Vec<String> {
    let mut way = vec![to.to_owned()];
    let mut place = to;
    while place != from {
        let Some(before) = came.get(place) else { break };
        way.push((*before).to_owned());
        place = before;
    }
    way.reverse();
    way
}

/// Package id → names of its normal dependencies.
fn normal_edges(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let names: BTreeMap<&str, &str> = metadata
        .packages
        .iter()
        .map(|package| (package.id.repr.as_str(), package.name.as_str()))
        .collect();
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let normal = |node: &cargo_metadata::Node| {
        let needed = node.deps.iter().filter(|edge| {
            let mut kinds = edge.dep_kinds.iter();
            kinds.any(|info| info.kind == DependencyKind::Normal)
        });
        needed
            .filter_map(|edge| names.get(edge.pkg.repr.as_str()))
            .map(|name| (*name).to_owned())
            .collect()
    };
    nodes
        .map(|node| (node.id.repr.clone(), normal(node)))
        .collect()
}

fn folder(package: &Package, root: &Path) -> PathBuf {
    let folder = package
        .manifest_path
        .parent()
        .map(|path| path.as_std_path());
    let below = folder.and_then(|folder| folder.strip_prefix(root).ok());
    below.map(Path::to_path_buf).unwrap_or_default()
}

//! Prune: keys and maps in `postseal.d` that nothing names any more.
//!
//! Owns: which of the files that operations installed are superseded. Never: removes one by itself
//! after a change, or one that the store could not write anew.
//!
//! A rollback writes what it needs from the store's sealed keys, so none of these files has to stay
//! for it. What an administrator puts back by hand has no such help: what the files named before the
//! newest change, and after it, stays, too, and removing is a command of its own.

use crate::{Engine, EngineError};
use postseal_planner::facts::FileLook;
use postseal_planner::plan::Step;
use postseal_store::Operation;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// How far back operations are looked through.
const OPERATIONS: usize = 10_000;

impl Engine<'_> {
    /// The installed keys, chains and maps that neither the files in force name nor those from
    /// before and after the newest change; none while an operation is open.
    pub fn superseded(&self) -> Result<Vec<PathBuf>, EngineError> {
        if self.store.open(&self.instance)?.is_some() {
            return Ok(Vec::new());
        }
        let history = self.store.history(&self.instance, OPERATIONS)?;
        if history.is_empty() {
            return Ok(Vec::new());
        }
        // One with an empty plan has changed no file.
        let changed = |operation: &&Operation| !operation.new.plan.is_empty();
        let mut named = self.texts(history.iter().find(changed))?;
        // An edit by hand since may be taken back.
        let written = self.state()?.written;
        let values = written
            .services
            .into_values()
            .flat_map(BTreeMap::into_values);
        let values = values.chain(written.main.into_values());
        named.extend(values.map(String::into_bytes));
        // A map that stays is compiled of keys, which stay with it.
        for map in history.iter().flat_map(maps) {
            if is_named(&named, &map.path) {
                named.push(map.source.clone().into_bytes());
            }
        }
        let mut installed: BTreeSet<PathBuf> = BTreeSet::new();
        for step in history
            .iter()
            .flat_map(|operation| &operation.new.plan.steps)
        {
            installed.extend(self.written_by(step)?);
        }
        let is_there = |path: &PathBuf| matches!(self.host.read(path), FileLook::File { .. });
        let superseded = installed.into_iter().filter(|path| !is_named(&named, path));
        Ok(superseded.filter(is_there).collect())
    }

    /// The files of a step that the store could write anew: keys with their chains, and maps of
    /// server names.
    fn written_by(&self, step: &Step) -> Result<Vec<PathBuf>, EngineError> {
        Ok(match step {
            Step::InstallChain { path, fingerprint } => {
                let known = self.of_leaf(fingerprint)?.iter().any(|known| known.has_key);
                known.then(|| path.clone()).into_iter().collect()
            }
            Step::InstallSniMap(map) => map.files(),
            _ => Vec::new(),
        })
    }

    /// Removes them, and says which.
    pub fn prune(&mut self) -> Result<Vec<PathBuf>, EngineError> {
        let _lock = self.host.lock()?;
        self.settle_what_is_open()?;
        self.refuse_while_open()?;
        let superseded = self.superseded()?;
        for path in &superseded {
            self.host.remove(path)?;
        }
        let what = format!(
            "removed {} superseded files of postseal.d",
            superseded.len()
        );
        if !superseded.is_empty() {
            self.note_done(&what)?;
        }
        Ok(superseded)
    }

    /// Both files as they are, and as they were before the newest operation.
    fn texts(&self, newest: Option<&Operation>) -> Result<Vec<Vec<u8>>, EngineError> {
        let now = self.host.look()?;
        let mut texts = vec![now.main_cf.bytes.clone(), now.master_cf.bytes.clone()];
        let newest = newest.map(|newest| self.store.operation(newest.id));
        let before = newest.transpose()?.flatten();
        let snapshots = before.into_iter().flat_map(|before| before.new.snapshots);
        texts.extend(snapshots.map(|snapshot| snapshot.bytes));
        Ok(texts)
    }
}

fn maps(operation: &Operation) -> impl Iterator<Item = &postseal_planner::plan::SniMap> {
    let steps = operation.new.plan.steps.iter();
    steps.filter_map(|step| match step {
        Step::InstallSniMap(map) => Some(map),
        _ => None,
    })
}

/// Whether a text has the file's name anywhere, or that of the source that it was compiled of.
fn is_named(texts: &[Vec<u8>], path: &std::path::Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let source = path.file_stem().unwrap_or_default().to_string_lossy();
    let names = match path.extension().and_then(|ending| ending.to_str()) {
        Some("db" | "lmdb" | "cdb") => [name.as_bytes(), source.as_bytes()],
        _ => [name.as_bytes(), name.as_bytes()],
    };
    let holds = |text: &Vec<u8>, name: &[u8]| text.windows(name.len()).any(|part| part == name);
    texts
        .iter()
        .any(|text| names.iter().any(|name| holds(text, name)))
}

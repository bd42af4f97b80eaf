//! An operation that is undone from the log.
//!
//! Owns: a snapshot's form in the store, and what the journal tells of the master. Never: touches
//! a file.

use super::Ender;
use postseal_host::Snapshot;
use postseal_planner::plan::Step;
use postseal_store::{Operation, Phase, StoredSnapshot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// As far as the journal tells. A step is noted when it is done, so the one after the last may
/// have been under way. What was proved has survived its reloads.
pub(super) fn ender(operation: &Operation) -> Ender {
    let (mut begun, mut proved, mut while_undone) = (1, false, false);
    for phase in &operation.journal {
        match phase {
            Phase::Step { n } => begun = n + 2,
            Phase::Verified | Phase::AwaitingConfirmation => proved = true,
            Phase::RollingBack { running, .. } => while_undone |= running,
            Phase::Opened | Phase::Proved { .. } | Phase::Restarted { .. } | Phase::RolledBack => {}
        }
    }
    let mut begun = operation.new.plan.steps.iter().take(begun);
    let disturbed = begun.any(|step| matches!(step, Step::Reload | Step::Restart));
    if while_undone || (operation.new.before.running && disturbed && !proved) {
        Ender::Change
    } else {
        Ender::Somebody
    }
}

/// Everything of a snapshot but its bytes, as the store keeps it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Attributes {
    path: PathBuf,
    link: Option<PathBuf>,
    uid: u32,
    gid: u32,
    mode: u32,
    xattrs: BTreeMap<String, Vec<u8>>,
}

impl Attributes {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        Self {
            path: snapshot.path.clone(),
            link: snapshot.link.clone(),
            uid: snapshot.uid,
            gid: snapshot.gid,
            mode: snapshot.mode,
            xattrs: snapshot
                .xattrs
                .iter()
                .map(|(key, value)| (name(key), value.clone()))
                .collect(),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A stored snapshot as the host wants it back; `None` when the store's document is unreadable.
pub(super) fn snapshot(stored: &StoredSnapshot) -> Option<Snapshot> {
    let attributes: Attributes = serde_json::from_str(&stored.attributes).ok()?;
    Some(Snapshot {
        file: stored.file,
        path: attributes.path,
        link: attributes.link,
        bytes: stored.bytes.clone(),
        uid: attributes.uid,
        gid: attributes.gid,
        mode: attributes.mode,
        xattrs: attributes
            .xattrs
            .into_iter()
            .map(|(key, value)| (key.into_bytes(), value))
            .collect(),
    })
}

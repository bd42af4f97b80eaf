//! The watches that the store remembers.
//!
//! Owns: adding, listing and forgetting them. Never: looks into a folder.

use crate::import::check_name;
use crate::{Engine, EngineError};
use postseal_planner::{Finding, Severity};
use postseal_store::Watch;

impl Engine<'_> {
    /// Remembers a folder to watch for renewals of `watch.name`. One that was remembered before
    /// under the name is replaced; what was taken from the same folder is not taken again.
    pub fn remember_watch(&mut self, mut watch: Watch) -> Result<(), EngineError> {
        check_name(&watch.name)?;
        self.state()?;
        let renewals = self.store.renewals()?;
        if renewals.iter().any(|renewal| renewal.name == watch.name) {
            return Err(renewed_here(&watch.name));
        }
        let known = self.watches(None)?;
        let known = known.into_iter().find(|known| known.name == watch.name);
        let same = known.as_ref().filter(|known| known.dir == watch.dir);
        watch.taken = same.and_then(|known| known.taken);
        self.store.put_watch(&self.instance, &watch)?;
        if known.as_ref() == Some(&watch) {
            return Ok(());
        }
        let (name, dir) = (&watch.name, watch.dir.display());
        self.note_done(&format!(
            "remembered the folder {dir} to watch for certificate {name}"
        ))
    }

    /// The remembered watches: all, or the one of a name.
    pub fn watches(&self, only: Option<&str>) -> Result<Vec<Watch>, EngineError> {
        let mut watches = self.store.watches(&self.instance)?;
        watches.retain(|watch| only.is_none_or(|name| name == watch.name));
        Ok(watches)
    }

    /// Refuses what would be a second source beside the watched folder of this name.
    pub(crate) fn refuse_watched(&self, name: &str) -> Result<(), EngineError> {
        let watches = self.watches(Some(name))?;
        watches.first().map_or(Ok(()), |watch| Err(watched(watch)))
    }

    /// Forgets a watch. The certificate stays as it is.
    pub fn forget_watch(&mut self, name: &str) -> Result<(), EngineError> {
        if self.store.delete_watch(&self.instance, name)? {
            return self.note_done(&format!("forgot the watched folder of certificate {name}"));
        }
        Err(EngineError::Unknown {
            what: "watch",
            name: name.to_owned(),
        })
    }
}

/// The same the other way round.
fn watched(watch: &Watch) -> EngineError {
    let (name, dir) = (&watch.name, watch.dir.display());
    let message = format!(
        "{name} is renewed from the folder {dir}, which is watched: a CA asked from here would be a \
         second source."
    );
    let remedy = format!(
        "Issue it under another name; or `postseal cert watch {name} --forget` first, and let the \
         ACME client that writes there renew it no more."
    );
    let finding = Finding::new("acme.watched", Severity::Error, message, remedy);
    EngineError::Refused(finding.into())
}

/// Two sources under one name would take turns in what is presented.
fn renewed_here(name: &str) -> EngineError {
    let message = format!("{name} is renewed here, by ACME: a folder would be a second source.");
    let remedy = format!(
        "Watch the folder under another name, or `postseal cert renew {name} --stop` first."
    );
    let finding = Finding::new("watch.renewed-here", Severity::Error, message, remedy);
    EngineError::Refused(finding.into())
}

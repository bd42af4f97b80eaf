//! What the instance at hand binds, as far as renewals must know.
//!
//! Owns: telling whether an older version than the newest is bound. Never: changes a binding.

use crate::{Engine, EngineError};
use mailtls::Fingerprint;
use postseal_planner::intent::Binding;
use postseal_planner::renewal::Presents;

/// The bindings that are in force, or will be.
pub(crate) struct Bindings(Vec<Binding>);

impl Bindings {
    pub(super) fn of(engine: &Engine<'_>) -> Result<Self, EngineError> {
        let mut all = Vec::new();
        if let Some(state) = engine.store.instance(&engine.instance)? {
            all.extend(state.desired.bindings);
            all.extend(state.draft.into_iter().flat_map(|draft| draft.bindings));
        }
        if let Some(open) = engine.awaiting()? {
            all.extend(open.new.plan.intent.bindings);
        }
        Ok(Self(all))
    }

    /// What is presented under a name whose newest version this is.
    pub(crate) fn presents(&self, name: &str, newest: &Fingerprint) -> Presents {
        let mut its = self.0.iter().filter(|bound| bound.name == name).peekable();
        if its.peek().is_none() {
            return Presents::Nothing;
        }
        match its.any(|bound| bound.fingerprint != *newest) {
            true => Presents::Older,
            false => Presents::Newest,
        }
    }
}

//! Rules that stand, or are wished, for what is checked.
//!
//! Owns: asking the store, where there is one: `policy check` needs none. Never: judges.

use crate::config::Global;
use crate::session::Session;
use postseal_engine::RuleChecked;
use postseal_planner::Preflight;

/// The store of an instance that was adopted.
pub(super) struct Wished(Option<Session>);

impl Wished {
    /// What there is of it.
    pub(super) fn open(global: &Global) -> Self {
        Self(Session::reading(global).ok())
    }

    /// What is known of the rule for a destination.
    pub(super) fn rule(&mut self, destination: &str) -> RuleChecked {
        let session = self.0.as_mut();
        let known = session.and_then(|one| one.engine().check_rule(destination).ok());
        known.unwrap_or_default()
    }

    /// Remembers what servers showed for rules. Where nothing can be stored, that was said.
    pub(super) fn remember(&mut self, seen: &[Preflight]) {
        if let Some(session) = &mut self.0 {
            let _ = session.engine().remember_checked(seen);
        }
    }
}

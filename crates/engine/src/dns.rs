//! DNS for the facts: the planner's questions, asked until it has no more.
//!
//! Owns: that what they rest on is asked too (maps of names), how long that may take in all, and what the instance's machine says of its resolvers.
//! Never: judges an answer, lets a dead resolver hold up a command.

use crate::Engine;
use postseal_planner::dane;
use postseal_planner::dns::Question;
use postseal_planner::facts::{Facts, FileLook, Row};
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// For all questions of one command.
const PATIENCE: Duration = Duration::from_secs(4);
/// Mail exchangers, their addresses, their records.
const ROUNDS: usize = 4;
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// What an instance's machine says of its resolvers.
pub(crate) fn resolv_conf(read: &dyn Fn(&Path) -> FileLook) -> Vec<u8> {
    match read(Path::new(RESOLV_CONF)) {
        FileLook::File { bytes, .. } => bytes.to_vec(),
        _ => Vec::new(),
    }
}

impl Engine<'_> {
    /// Puts the answers to `next`'s questions into the facts.
    pub(crate) fn ask_dns(&self, facts: &mut Facts, next: impl Fn(&Facts) -> Vec<Question>) {
        self.ask_resolver(facts, next);
        self.ask_server_names(facts);
    }

    /// Which of the hosts that DNS was asked for have a row in an administrator's own map of names. A
    /// table that does not answer tells nothing.
    fn ask_server_names(&self, facts: &mut Facts) {
        for (table, keys) in dane::server_names(facts) {
            let Ok(rows) = self.host.lookups(&table, &keys) else {
                continue;
            };
            let rows = rows.into_iter().map(|row| match row.map(Zeroizing::new) {
                Some(_) => Row::There,
                None => Row::Missing,
            });
            let known = facts.server_names.entry(table).or_default();
            known.extend(keys.into_iter().zip(rows));
        }
    }

    fn ask_resolver(&self, facts: &mut Facts, next: impl Fn(&Facts) -> Vec<Question>) {
        let deadline = self.clock.monotonic() + PATIENCE;
        let mut known = None;
        for _ in 0..ROUNDS {
            let questions = next(facts);
            let left = deadline.saturating_sub(self.clock.monotonic());
            if questions.is_empty() || left.is_zero() {
                return;
            }
            let conf = known.get_or_insert_with(|| resolv_conf(&|path| self.host.read(path)));
            let answers = self.wire.ask(&questions, conf, left);
            if answers.is_empty() {
                return;
            }
            facts.dns.extend(answers);
        }
    }
}

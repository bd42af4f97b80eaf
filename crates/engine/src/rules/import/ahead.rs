//! Lines held against the host while those before them are staged.
//!
//! Owns: what a thread of its own may know: the host, its facts, the adopted tables. Never: asks the
//! store, which takes the lines before meanwhile.

use super::{Held, RuleRequest};
use crate::Refused;
use crate::rules::follow::{Made, compiled_requests};
use crate::rules::judged::{judged, met_by_mail};
use postseal_host::Host;
use postseal_planner::Finding;
use postseal_planner::facts::Facts;
use postseal_planner::intent::AdoptedTables;
use postseal_planner::policy::{Rule, RuleId};
use std::collections::BTreeMap;

/// Lines taken together.
#[derive(Default)]
pub(super) struct Chunk {
    /// Those that could be read.
    pub(super) requests: Vec<RuleRequest>,
    /// The others.
    pub(super) unread: Vec<Refused>,
}

impl Chunk {
    /// Itself, where it has a line.
    pub(super) fn filled(self) -> Option<Self> {
        let empty = self.requests.is_empty() && self.unread.is_empty();
        (!empty).then_some(self)
    }
}

/// What lines are held against.
pub(super) struct Ahead<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) facts: Facts,
    pub(super) tables: Option<AdoptedTables>,
    pub(super) held: Held,
}

/// Lines, and what the host says of them.
pub(super) struct Against {
    pub(super) chunk: Chunk,
    /// Recipient's domain → the rules that follow its mail.
    pub(super) followed: BTreeMap<String, Made>,
    /// What speaks against each of those rules.
    pub(super) at_hops: BTreeMap<RuleId, Vec<Finding>>,
    /// What speaks against each of the requests, in their order.
    pub(super) findings: Vec<Vec<Finding>>,
}

impl Ahead<'_> {
    /// Holds the lines against where mail goes.
    pub(super) fn judge(&self, chunk: Chunk) -> Against {
        let rules: Vec<&Rule> = chunk.requests.iter().map(|one| &one.rule).collect();
        let against = match self.held {
            Held::AsItIs => judged,
            Held::AsPlanned => met_by_mail,
        };
        let against = |rules: &[&Rule]| {
            let tables = self.tables.as_ref();
            against(self.host, &self.facts, tables, rules)
        };
        let findings = against(&rules);
        let followed = compiled_requests(self.host, &self.facts, &chunk.requests);
        let made = followed.values().flatten().flatten();
        let made: Vec<&Rule> = made.collect();
        let at_hops = made.iter().zip(against(&made));
        let at_hops = at_hops.map(|(rule, found)| (rule.id.clone(), found));
        Against {
            at_hops: at_hops.collect(),
            followed,
            findings,
            chunk,
        }
    }
}

//! Tables that were adopted before.
//!
//! Owns: whether they answer, and what is told of them. Never: opens one.

use super::{TableRead, TablesRead};
use postseal_planner::intent::{AdoptedTables, Named, PolicyTable};
use postseal_store::InstanceState;

/// Whether a map of the rules answers, so that tables stand behind it or have been replaced.
pub(super) fn rules_answer(state: &InstanceState) -> bool {
    let tables = state.desired.tables.as_ref();
    let replaced = tables.is_some_and(|tables| tables.named == Named::NoMore);
    state.desired.policies.is_some() || replaced
}

/// The tables are as they were.
pub(super) fn as_known(read: TablesRead, known: Option<&AdoptedTables>) -> TablesRead {
    let tables = || known.into_iter().flat_map(|known| &known.tables).map(told);
    TablesRead {
        adopted: tables().collect(),
        earlier: tables().collect(),
        tables: known.cloned(),
        staged: false,
        ..read
    }
}

pub(super) fn told(table: &PolicyTable) -> TableRead {
    TableRead {
        table: table.name.clone(),
        path: table.path.clone(),
        rows: table.rows,
        digest: table.digest,
    }
}

//! The transports that carry mail to a next hop with credentials.
//!
//! Owns: which of them rows of routes name. Never: guesses what a table holds that cannot be read.

use super::sources::Sources;
use crate::explain::listed_hops;
use crate::view::View;
use std::collections::BTreeSet;

/// Where mail is given another transport than the default.
const ROUTES: [&str; 2] = ["transport_maps", "sender_dependent_default_transport_maps"];

/// The transports by which rows of routes lead to a next hop.
#[derive(Default)]
pub(super) struct Ways {
    /// Those that a row names with it.
    pub(super) sure: BTreeSet<String>,
    /// Those that a row names without a next hop: it is the recipient's domain.
    pub(super) possible: BTreeSet<String>,
}

/// Why not, where a table cannot be read.
pub(super) fn ways(
    view: &View<'_>,
    nexthop: &str,
    sources: &mut Sources<'_>,
) -> Result<Ways, String> {
    let mut ways = Ways::default();
    for parameter in ROUTES {
        for table in view.list(None, parameter) {
            for value in sources.values(&table)? {
                let (transport, hops) = value.split_once(':').unwrap_or((value, ""));
                if listed_hops(hops).any(|hop| hop.eq_ignore_ascii_case(nexthop)) {
                    ways.sure.insert(transport.trim().to_owned());
                } else if value.trim().ends_with(':') {
                    ways.possible.insert(transport.trim().to_owned());
                }
            }
        }
    }
    Ok(ways)
}

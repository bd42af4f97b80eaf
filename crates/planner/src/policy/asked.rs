//! Whether the tables in which the rules stand are asked.
//!
//! Owns: which clients would ask them, and are not told to by the files as they are. Never: counts a
//! client that was given other tables on purpose (`judge` tells those).
//!
//! A map may stand as it was made, and answer, and still nobody look into it: by `postconf -X`, or by
//! another value of the parameter.

use super::able::asking;
use super::judge::{Home, OF_LMTP};
use crate::compile::policies::PARAMETER;
use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::intent::AdoptedTables;
use crate::view::{Files, Service};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The code of what is said here.
pub(super) const MAP_NOT_ASKED: &str = "policy.map-not-asked";

/// The clients that would ask the tables of the rules, by whether the files tell them to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asking {
    /// The names of the transports that are told to.
    pub told: BTreeSet<String>,
    /// The names of the others.
    pub untold: BTreeSet<String>,
}

/// Which clients ask tables with one of these sources. `tables` are the adopted ones.
pub fn asking_of(facts: &Facts, tables: Option<&AdoptedTables>, paths: &[PathBuf]) -> Asking {
    let files = Files::of(facts);
    let view = files.view(facts);
    let asks = |service: &&Service| {
        let parameter = match service.command.as_str() {
            "lmtp" => OF_LMTP,
            _ => PARAMETER,
        };
        let asked = view.list(Some(service), parameter);
        asked.iter().any(|table| {
            let path = table.rsplit_once(':').map_or("", |(_, path)| path);
            paths.iter().any(|one| one == Path::new(path))
        })
    };
    let clients = asking(&view, Home::Rules(tables));
    let (told, untold): (Vec<&Service>, Vec<&Service>) = clients.partition(asks);
    let names = |of: Vec<&Service>| of.into_iter().map(|one| one.name.clone()).collect();
    Asking {
        told: names(told),
        untold: names(untold),
    }
}

/// What is said of clients that do not ask the tables of the rules, `name`.
pub fn map_not_asked(asking: &Asking, name: &str) -> Option<Finding> {
    if asking.untold.is_empty() {
        return None;
    }
    let by: Vec<&str> = asking.untold.iter().map(String::as_str).collect();
    let by = by.join(", ");
    let what = match asking.told.is_empty() {
        true => "No smtp(8) asks the rules for destinations: none of them is in force.".to_owned(),
        false => format!("Mail that leaves by {by} meets no rule for its destination."),
    };
    let found = Finding::new(
        MAP_NOT_ASKED,
        Severity::Error,
        format!("{what} {PARAMETER} does not name {name}."),
        "`postseal drift` shows what was edited, and `postseal drift --restore` names it again.",
    );
    Some(found.seen(format!("does not ask it: {by}")))
}

//! What has no level, for programs: the rows that stand for the sentences people read.
//!
//! Owns: their names. Never: grades.

use postseal_planner::full::{ClientAsked, Full, Order, Seen, VersionSeen};

/// A fact without a level.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) fact: &'static str,
    pub(super) value: String,
    pub(super) versions: String,
    pub(super) undetermined: Option<String>,
}

/// In the order of the sentences.
pub(super) fn beside(full: &Full) -> Vec<Beside> {
    let mut all = Vec::new();
    if full.no_tls.is_none() {
        let refused = full.versions.iter().filter(|one| one.seen == Seen::No);
        all.extend(refused.map(|one| fact("refused version", one.version.name())));
        all.extend(full.versions.iter().filter_map(order));
        all.extend(full.versions.iter().filter_map(alike));
        all.push(client_certificate(&full.client_certificate));
    }
    let stopped = full.stopped.clone();
    all.extend(stopped.map(|why| Beside {
        undetermined: Some(why),
        ..fact("look", "ended early")
    }));
    let connections = format!("{} of {}", full.connections, full.budget);
    all.push(fact("connections", connections));
    all
}

fn fact(fact: &'static str, value: impl Into<String>) -> Beside {
    Beside {
        fact,
        value: value.into(),
        ..Beside::default()
    }
}

fn order(one: &VersionSeen) -> Option<Beside> {
    let who = match one.order? {
        Order::Server => "the server",
        Order::Client => "the client",
    };
    Some(Beside {
        versions: one.version.name().to_owned(),
        ..fact("who chooses", who)
    })
}

fn alike(one: &VersionSeen) -> Option<Beside> {
    let as_in = super::as_in(one)?;
    Some(Beside {
        versions: one.version.name().to_owned(),
        ..fact("suites", as_in)
    })
}

fn client_certificate(asked: &ClientAsked) -> Beside {
    let known = || super::asked_for(asked).unwrap_or_else(|| "not asked for".to_owned());
    match asked {
        ClientAsked::Undetermined(why) => Beside {
            undetermined: Some(why.clone()),
            ..fact("client certificate", "")
        },
        _ => fact("client certificate", known()),
    }
}

//! Rules on who may need whom: dependencies between our crates point downwards only.
//!
//! Owns: the table of layers. Development dependencies are free.

use super::{Crate, Graph, Offence};

/// The layers of ARCHITECTURE.md, lowest first. A crate needs only crates of lower layers. The
/// tools stand highest: they may need all, and nothing that ships may need them.
const LAYERS: [&[&str]; 7] = [
    &["postfix-cf", "mailtls", "maillog"],
    &["postseal-planner"],
    &[
        "postseal-host",
        "postseal-probe",
        "postseal-issue",
        "postseal-store",
    ],
    &["postseal-engine"],
    &["postseal-agent", "postseal-console", "postseal-policyd"],
    &["postseal"],
    &["postseal-testkit", "xtask"],
];

/// Crates that must not be reached, not even through others.
const NEVER: [(&str, &[&str]); 6] = [
    ("postfix-cf", &IO),
    ("mailtls", &IO),
    ("maillog", &IO),
    ("postseal-planner", &IO),
    ("postseal-console", &["postseal-engine", "postseal-host"]),
    ("postseal-policyd", &["postseal-engine", "postseal-host"]),
];

/// What does input and output.
const IO: [&str; 5] = ["rustix", "sqlx", "tokio", "tempfile", "nix"];

/// Names that say nothing of what a crate owns.
const NAMELESS: [&str; 6] = ["common", "util", "utils", "core", "types", "helpers"];

pub(super) fn judge(graph: &Graph, offences: &mut Vec<Offence>) {
    for member in graph.members() {
        judge_name(member, offences);
        judge_layer(graph, member, offences);
    }
    for (name, forbidden) in NEVER {
        let Some(member) = graph.members().find(|one| one.name == name) else {
            continue;
        };
        for target in forbidden {
            if let Some(way) = graph.way(name, target) {
                let what = format!("reaches {target}: {}", way.join(" → "));
                let remedy = "take the dependency out: the crate exists for this absence";
                push(member, what, remedy, offences);
            }
        }
    }
}

fn judge_name(member: &Crate, offences: &mut Vec<Offence>) {
    let bare = member.name.strip_prefix("postseal-");
    if NAMELESS.contains(&bare.unwrap_or(&member.name)) {
        let what = format!("a crate named {}", member.name);
        push(
            member,
            what,
            "name it by what it owns and never does",
            offences,
        );
    }
}

fn judge_layer(graph: &Graph, member: &Crate, offences: &mut Vec<Offence>) {
    let Some(own) = layer(&member.name) else {
        let what = format!("{} stands in no layer", member.name);
        let remedy = "give it its place in xtask/src/tidy/directions.rs and ARCHITECTURE.md";
        return push(member, what, remedy, offences);
    };
    for needed in graph
        .members()
        .filter(|one| member.normal.contains(&one.name))
    {
        if layer(&needed.name).is_some_and(|other| other >= own) {
            let what = format!(
                "{} needs {}, which is not below it",
                member.name, needed.name
            );
            let remedy = "turn the dependency round, or move the type down";
            push(member, what, remedy, offences);
        }
    }
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|names| names.contains(&name))
}

fn push(member: &Crate, what: String, remedy: &'static str, offences: &mut Vec<Offence>) {
    offences.push(Offence::new(
        &member.folder.join("Cargo.toml"),
        1,
        what,
        remedy,
    ));
}

//! The words of `probe --full`.
//!
//! Owns: how what was seen is told. Never: looks or grades.

mod rows;

use crate::config::{Global, Output, Talk};
use crate::failure::Exit;
use crate::table;
use postseal_engine::FullAt;
use postseal_planner::full::{
    ClientAsked, Evidence, Full, Graded, Ncsc, Order, Seen, VersionSeen, worst,
};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::net::SocketAddr;

/// On a terminal somebody waits for it.
pub(super) fn under_way(address: SocketAddr, global: &Global) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() && global.output == Output::Text && global.talk != Talk::Quiet {
        // Nobody reading progress must not stop the work.
        let _ = writeln!(
            stderr,
            "postseal: {address}: asking for everything that its TLS can do"
        );
    }
}

/// What could not be told makes the whole undetermined; findings and unreachable servers stay so.
pub(super) fn exit(exit: Exit, seen: &[FullAt]) -> Exit {
    let unknown = seen
        .iter()
        .flat_map(|one| &one.grades)
        .any(|graded| graded.undetermined.is_some());
    match exit {
        Exit::Done if unknown => Exit::Undetermined,
        exit => exit,
    }
}

/// The document's part: `full`, one for each address; nothing where none was looked at in full.
pub(super) fn add(document: &mut Value, seen: &[FullAt]) {
    if seen.is_empty() {
        return;
    }
    let all: Vec<Value> = seen
        .iter()
        .map(|one| {
            json!({
                "host": one.host,
                "address": one.address,
                "ncsc": worst(&one.grades),
                "seen": one.seen,
                "grades": one.grades,
            })
        })
        .collect();
    if let Some(document) = document.as_object_mut() {
        document.insert("full".to_owned(), Value::Array(all));
    }
}

pub(super) fn text(seen: &[FullAt]) -> String {
    let aligned = std::io::stdout().is_terminal();
    seen.iter()
        .map(|one| if aligned { whole(one) } else { separated(one) })
        .collect()
}

/// Tab-separated: address, fact, value, versions, NCSC-NL, Mozilla, why it is undetermined; then what
/// has no level, in the same columns.
fn separated(one: &FullAt) -> String {
    let address = one.address.to_string();
    let row = |cells: [String; 5], why: Option<&str>| {
        let whole = [&address].into_iter().chain(&cells).map(String::as_str);
        let clean: Vec<String> = whole
            .chain([why.unwrap_or_default()])
            .map(|cell| cell.replace(['\t', '\n', '\r'], " "))
            .collect();
        clean.join("\t") + "\n"
    };
    let graded = one.grades.iter();
    let graded = graded.map(|graded| row(cells_of(graded), graded.undetermined.as_deref()));
    let beside = rows::beside(&one.seen).into_iter().map(|one| {
        let level = String::new();
        let cells = [
            one.fact.to_owned(),
            one.value,
            one.versions,
            level.clone(),
            level,
        ];
        row(cells, one.undetermined.as_deref())
    });
    graded.chain(beside).collect()
}

fn cells_of(graded: &Graded) -> [String; 5] {
    let versions: Vec<&str> = graded
        .versions
        .iter()
        .map(|version| version.name())
        .collect();
    [
        graded.fact.clone(),
        graded.value.clone(),
        versions.join(" "),
        graded
            .ncsc
            .map(|level| level.to_string())
            .unwrap_or_default(),
        graded
            .mozilla
            .map(|profile| profile.to_string())
            .unwrap_or_default(),
    ]
}

fn whole(one: &FullAt) -> String {
    let mut text = format!(
        "\n{} {}: everything that its TLS can do\n",
        one.host, one.address
    );
    let rows: Vec<Vec<String>> = one
        .grades
        .iter()
        .map(|graded| cells_of(graded).to_vec())
        .collect();
    text.push_str(&table::render(
        &[
            "FACT",
            "VALUE",
            "VERSIONS",
            "NCSC-NL 2025-05",
            "MOZILLA 6.0",
        ],
        &rows,
    ));
    for sentence in sentences(&one.seen, &one.grades) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{sentence}");
    }
    text
}

fn sentences(full: &Full, grades: &[Graded]) -> Vec<String> {
    let mut all = match &full.no_tls {
        Some(_) => vec!["it starts no TLS, so there is nothing to enumerate".to_owned()],
        None => of_versions(full),
    };
    for graded in grades {
        if let Some(why) = &graded.undetermined {
            all.push(format!(
                "undetermined: {} {}: {why}",
                graded.fact, graded.value
            ));
        }
    }
    if let Some(why) = &full.stopped {
        all.push(format!("the look ended early: {why}"));
    }
    all.extend(
        [Ncsc::PhaseOut, Ncsc::Insufficient]
            .iter()
            .filter_map(|level| of_level(*level, grades)),
    );
    all.push(format!(
        "connections: {} of {}",
        full.connections, full.budget
    ));
    all
}

fn of_versions(full: &Full) -> Vec<String> {
    let refused: Vec<&str> = full
        .versions
        .iter()
        .filter(|one| one.seen == Seen::No)
        .map(|one| one.version.name())
        .collect();
    let mut all = Vec::new();
    if !refused.is_empty() {
        all.push(format!("refused: {}", refused.join(", ")));
    }
    all.extend(full.versions.iter().filter_map(order));
    all.extend(full.versions.iter().filter_map(alike));
    all.extend(client_certificate(&full.client_certificate));
    all
}

/// What a level is made of; many of a kind by their number.
fn of_level(level: Ncsc, grades: &[Graded]) -> Option<String> {
    const NAMED: usize = 3;
    let graded: Vec<&Graded> = grades
        .iter()
        .filter(|one| one.ncsc == Some(level))
        .collect();
    let mut parts = Vec::new();
    for kind in graded.chunk_by(|one, next| one.fact == next.fact) {
        let fact = kind.first().map_or("", |one| one.fact.as_str());
        let values: Vec<&str> = kind.iter().map(|one| one.value.as_str()).collect();
        parts.push(match values.as_slice() {
            many if many.len() > NAMED => format!("{} {fact}s", many.len()),
            few => format!("{fact} {}", few.join(", ")),
        });
    }
    (!parts.is_empty()).then(|| format!("{level} by NCSC-NL 2025-05: {}", parts.join("; ")))
}

fn order(one: &VersionSeen) -> Option<String> {
    let who = match one.order? {
        Order::Server => "the server chooses, in the order above",
        Order::Client => "the client chooses",
    };
    Some(format!("{}: {who}", one.version))
}

fn alike(one: &VersionSeen) -> Option<String> {
    Some(format!("{}: {}", one.version, as_in(one)?))
}

/// Whose suites it has, where that was not seen of each.
fn as_in(one: &VersionSeen) -> Option<String> {
    let alike = one.suites.iter().find_map(|suite| match suite.evidence {
        Evidence::Alike(version) => Some(version),
        Evidence::Chosen => None,
    })?;
    Some(format!(
        "as in {alike}: it took the first and the last of its suites, and refused all others"
    ))
}

fn client_certificate(asked: &ClientAsked) -> Option<String> {
    if let ClientAsked::Undetermined(why) = asked {
        let whether = "undetermined: whether a client certificate is asked for";
        return Some(format!("{whether}: {why}"));
    }
    Some(format!("a client certificate is {}", asked_for(asked)?))
}

/// Whether and of whom a client certificate is asked for, where that is known and it is.
fn asked_for(asked: &ClientAsked) -> Option<String> {
    match asked {
        ClientAsked::NotAsked | ClientAsked::Undetermined(_) => None,
        ClientAsked::Asked(names) if names.is_empty() => {
            Some("asked for, of any authority".to_owned())
        }
        ClientAsked::Asked(names) => Some(format!("asked for, of {}", names.join("; "))),
        ClientAsked::AskedUnderKeys => {
            Some("asked for; TLS 1.3 hides of which authorities".to_owned())
        }
    }
}

//! The words of `probe --full`.
//!
//! Owns: how what was seen is told. Never: looks or grades.

mod facts;

use crate::config::{Global, Output, Talk};
use crate::failure::Exit;
use crate::table;
use facts::Fact;
use postseal_planner::full::{Full, FullAt, Graded, Ncsc, worst};
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

pub(super) fn text(seen: &[FullAt], aligned: bool) -> String {
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
    let facts = facts::of_server(&one.seen).into_iter();
    let facts = facts.chain(facts::stopped(&one.seen));
    let facts = facts.chain([facts::connections(&one.seen)]);
    let beside = facts.flat_map(|fact| fact.rows()).map(|one| {
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
    let server = facts::of_server(full);
    let mut all: Vec<String> = server.iter().filter_map(Fact::sentence).collect();
    let undetermined = grades.iter().filter_map(|graded| {
        let why = graded.undetermined.as_ref()?;
        let (fact, value) = (&graded.fact, &graded.value);
        Some(format!("undetermined: {fact} {value}: {why}"))
    });
    all.extend(undetermined);
    all.extend(facts::stopped(full).and_then(|fact| fact.sentence()));
    all.extend(
        [Ncsc::PhaseOut, Ncsc::Insufficient]
            .iter()
            .filter_map(|level| of_level(*level, grades)),
    );
    all.extend(facts::connections(full).sentence());
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

//! Every rule on a sample that breaks it and one that does not.

mod crates;
mod files;
mod source;

use super::{Crate, File, Graph, Offence, Report, Tree, judge};
use std::path::PathBuf;

/// What all rules say of these files, in a workspace of `postfix-cf` and `postseal`.
fn offences(files: Vec<File>) -> Vec<Offence> {
    let graph = Graph::new(vec![
        member("postfix-cf", "crates/postfix-cf", &[]),
        member("postseal", "crates/cli", &["postfix-cf"]),
    ]);
    let report = judge(&Tree::new(files), &graph, &[]);
    let balance = |one: &Offence| one.path.to_str() != Some("crates");
    report.offences.into_iter().filter(balance).collect()
}

/// The offences of one file of source: `line: what`.
fn found(path: &str, text: &str) -> Vec<String> {
    let list = offences(vec![File::new(path, text)]);
    list.iter()
        .map(|one| format!("{}: {}", one.line, one.what))
        .collect()
}

fn member(name: &str, folder: &str, normal: &[&str]) -> Crate {
    Crate {
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        licence: Some("MIT".to_owned()),
        member: true,
        folder: PathBuf::from(folder),
        normal: normal.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// What all rules say of these crates.
fn report(crates: Vec<Crate>, allowed: &[&str]) -> Report {
    let allowed: Vec<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
    judge(&Tree::new(Vec::new()), &Graph::new(crates), &allowed)
}

#[test]
fn an_offence_says_where_what_and_what_to_do() {
    let list = offences(vec![File::new("crates/cli/src/a.rs", "fn a() {}\n")]);
    let wanted = "crates/cli/src/a.rs:1: does not open with `//!`; \
                  say what it owns, never does, and why";
    assert_eq!(list[0].to_string(), wanted);
}

#[test]
fn a_report_shows_all_and_counts() {
    let bad = File::new("crates/cli/src/b.rs", "fn a() { todo!() }\n");
    let list = offences(vec![bad]);
    let report = Report {
        offences: list,
        notes: vec!["a note".to_owned()],
    };
    let text = report.to_string();
    assert!(
        text.starts_with("a note\ncrates/cli/src/b.rs:1: "),
        "{text}"
    );
    assert!(text.ends_with("\ntidy: 2 offences"), "{text}");
    assert_eq!(Report::default().to_string(), "tidy: in order");
}

//! Rules on crates: names, layers, what is reached, licences, lines of tests.

use super::{member, report};
use crate::tidy::{Crate, File, Graph, Tree, judge, licences};

fn other(name: &str, version: &str, licence: Option<&str>, normal: &[&str]) -> Crate {
    Crate {
        version: version.to_owned(),
        licence: licence.map(str::to_owned),
        member: false,
        folder: "".into(),
        ..member(name, "", normal)
    }
}

fn said(crates: Vec<Crate>, allowed: &[&str]) -> Vec<String> {
    let report = report(crates, allowed);
    report.offences.iter().map(|one| one.what.clone()).collect()
}

#[test]
fn dependencies_point_downwards() {
    let crates = vec![
        member("postfix-cf", "crates/postfix-cf", &[]),
        member("postseal-planner", "crates/planner", &["postfix-cf"]),
        member("postseal-host", "crates/host", &["postseal-planner"]),
        member(
            "postseal-engine",
            "crates/engine",
            &["postseal-host", "postfix-cf"],
        ),
        member(
            "postseal",
            "crates/cli",
            &["postseal-engine", "postseal-planner"],
        ),
        member("xtask", "xtask", &["postseal"]),
    ];
    assert_eq!(said(crates, &[]), [""; 0]);
}

#[test]
fn a_dependency_upwards_or_sideways_is_found() {
    let table = [
        ("postseal-planner", "postseal-host"),
        ("postseal-host", "postseal-store"),
        ("mailtls", "postfix-cf"),
        ("postseal", "postseal-testkit"),
        ("postseal-engine", "xtask"),
    ];
    for (from, to) in table {
        let list = said(vec![member(from, "a", &[to]), member(to, "b", &[])], &[]);
        assert_eq!(list, [format!("{from} needs {to}, which is not below it")]);
    }
}

#[test]
fn a_crate_has_a_place_and_a_name() {
    let list = said(vec![member("postseal-new", "crates/new", &[])], &[]);
    assert_eq!(list, ["postseal-new stands in no layer"]);
    for name in [
        "common",
        "postseal-core",
        "util",
        "postseal-types",
        "helpers",
    ] {
        let list = said(vec![member(name, "crates/x", &[])], &[]);
        assert!(list.contains(&format!("a crate named {name}")), "{list:?}");
    }
}

#[test]
fn a_pure_crate_does_not_reach_io_through_others() {
    let licence = Some("MIT");
    let crates = vec![
        member("postseal-planner", "crates/planner", &["mailtls", "serde"]),
        member("mailtls", "crates/mailtls", &["middle"]),
        other("middle", "1.0.0", licence, &["tokio", "serde"]),
        other("tokio", "1.0.0", licence, &["middle"]),
        other("serde", "1.0.0", licence, &[]),
    ];
    let wanted = [
        "reaches tokio: mailtls → middle → tokio",
        "reaches tokio: postseal-planner → mailtls → middle → tokio",
    ];
    assert_eq!(said(crates, &["MIT"]), wanted);
}

#[test]
fn the_console_never_reaches_the_engine() {
    let crates = vec![
        member("postseal-console", "crates/console", &["postseal-store"]),
        member("postseal-store", "crates/store", &["middle"]),
        other("middle", "1.0.0", Some("MIT"), &["postseal-engine"]),
        member("postseal-engine", "crates/engine", &[]),
    ];
    let list = said(crates, &["MIT"]);
    let wanted = "reaches postseal-engine: postseal-console → postseal-store → middle";
    assert!(list[0].starts_with(wanted), "{list:?}");
}

#[test]
fn licences_are_read_as_expressions() {
    let allowed = [
        "MIT",
        "Apache-2.0",
        "Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ];
    for fine in [
        "MIT",
        "MIT OR GPL-3.0-only",
        "MIT/Apache-2.0",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        let list = said(vec![other("a", "1.0.0", Some(fine), &[])], &allowed);
        assert_eq!(list, [""; 0], "{fine}");
    }
    let table = [
        (
            Some("GPL-3.0-only"),
            "a 1.0.0: licence GPL-3.0-only is not allowed",
        ),
        (
            Some("MIT AND ISC"),
            "a 1.0.0: licence MIT AND ISC is not allowed",
        ),
        (
            Some("as you like"),
            "a 1.0.0: licence \"as you like\" cannot be read",
        ),
        (None, "a 1.0.0: names no licence"),
    ];
    for (licence, wanted) in table {
        assert_eq!(
            said(vec![other("a", "1.0.0", licence, &[])], &allowed),
            [wanted]
        );
    }
}

#[test]
fn the_allowed_licences_stand_in_deny_toml() {
    let tree = |text: &str| Tree::new(vec![File::new("deny.toml", text)]);
    let read = licences::allowed(&tree("[licenses]\nallow = [\"MIT\"]\n"));
    assert_eq!(read.unwrap(), ["MIT"]);
    assert!(licences::allowed(&tree("[licenses]\n")).is_err());
    let none = licences::allowed(&Tree::new(Vec::new())).unwrap_err();
    assert_eq!(none.to_string(), "deny.toml: missing");
}

#[test]
fn crates_that_are_there_twice_are_listed_not_forbidden() {
    let licence = Some("MIT");
    let crates = vec![
        other("a", "1.0.0", licence, &[]),
        other("a", "2.0.0", licence, &[]),
        other("b", "1.0.0", licence, &[]),
    ];
    let report = report(crates, &["MIT"]);
    assert!(report.offences.is_empty());
    assert_eq!(
        report.notes[0],
        "crates in more than one version:\n  a 1.0.0, 2.0.0"
    );
}

#[test]
fn tests_are_weighed_against_what_ships() {
    let graph = || {
        Graph::new(vec![
            member("mailtls", "crates/mailtls", &[]),
            member("postseal-testkit", "crates/testkit", &[]),
        ])
    };
    let file = |path: &str, lines: usize| {
        File::new(path, format!("//! x\n\n{}", "//\n".repeat(lines - 1)))
    };
    let source = || file("crates/mailtls/src/lib.rs", 100);
    let test = |lines| file("crates/mailtls/src/a/tests.rs", lines);
    let kit = || file("crates/testkit/src/lib.rs", 30);

    let enough = judge(&Tree::new(vec![source(), test(50), kit()]), &graph(), &[]);
    assert_eq!(enough.offences, []);
    let table = &enough.notes[0];
    assert!(
        table.contains("mailtls                   100       50   0.50"),
        "{table}"
    );
    assert!(
        table.contains("total                     100       80   0.80"),
        "{table}"
    );

    let few = judge(&Tree::new(vec![source(), test(49), kit()]), &graph(), &[]);
    assert_eq!(few.offences[0].what, "79 lines of tests for 100");
}

#[test]
fn the_real_graph_is_read() {
    let graph = Graph::read(&crate::workspace_root()).unwrap();
    let names: Vec<&str> = graph.members().map(|one| one.name.as_str()).collect();
    assert!(
        names.contains(&"postseal-planner") && names.contains(&"xtask"),
        "{names:?}"
    );
    let planner = graph.members().find(|one| one.name == "postseal-planner");
    let planner = planner.unwrap();
    assert_eq!(planner.folder.to_str(), Some("crates/planner"));
    assert!(planner.normal.contains("postfix-cf"));
    assert!(
        !planner.normal.contains("proptest"),
        "development dependencies are no edges"
    );
    assert!(graph.way("postseal-planner", "serde_core").is_some());
}

//! The directives, one by one, and in two batches on a real Postfix.

use crate::list::{Directive, Expected, directives};
use crate::scene::Scene;
use postseal_testkit::postfix_box::PostfixBox;
use std::collections::BTreeSet;

fn pair(directive: &Directive, scene: &Scene) -> String {
    format!(
        "param.{}={}",
        directive.name,
        directive.good(scene.folder())
    )
}

/// The lines that a plan adds to the files.
fn added(diff: &str) -> BTreeSet<&str> {
    let lines = diff.lines().filter(|line| !line.starts_with("+++"));
    lines.filter_map(|line| line.strip_prefix('+')).collect()
}

#[test]
fn each_is_set_planned_rehearsed_shown_and_undone() {
    let scene = Scene::adopted(PostfixBox::builder());
    let before = scene.files();
    for name in ["bound", "files"] {
        let all = directives();
        let batch: Vec<&Directive> = all.iter().filter(|d| d.batch == name).collect();
        if name == "bound" {
            scene.must(&["cert", "bind", "mx"]);
        }
        for directive in &batch {
            let set = scene.must(&["set", &pair(directive, &scene)]);
            if let Expected::Word(word) = directive.expected {
                assert_eq!(set.json["settings"][word], directive.good(scene.folder()));
            }
        }
        walk(&scene, &batch);
        assert_eq!(scene.files(), before, "the rollback of {name}");
        walk_back_by_unset(&scene, &batch, name);
        assert_eq!(scene.files(), before, "what was given back of {name}");
    }
}

/// Planned and applied, seen by `postconf`, rolled back.
fn walk(scene: &Scene, batch: &[&Directive]) {
    let plan = scene.must(&["plan"]);
    let lines: Vec<String> = batch
        .iter()
        .map(|d| format!("{} = {}", d.name, d.good(scene.folder())))
        .collect();
    let mut expected: BTreeSet<&str> = lines.iter().map(String::as_str).collect();
    let found = added(plan.text("diff"));
    let chain = found
        .iter()
        .find(|line| line.starts_with("smtpd_tls_chain_files"));
    expected.extend(chain);
    assert_eq!(found, expected);
    let applied = scene.must(&["apply"]);
    assert_eq!(applied.text("outcome"), "kept");
    assert!(!applied.json["rehearsed"].is_null(), "{applied:#?}");
    shown(scene, batch);
    scene.must(&["rollback"]);
}

fn shown(scene: &Scene, batch: &[&Directive]) {
    for directive in batch {
        let good = directive.good(scene.folder());
        assert_eq!(scene.value(directive.name), good, "{}", directive.name);
    }
}

/// Wished for and applied again, then given back key by key.
fn walk_back_by_unset(scene: &Scene, batch: &[&Directive], name: &str) {
    if name == "bound" {
        scene.must(&["cert", "bind", "mx"]);
    }
    let pairs: Vec<String> = batch.iter().map(|d| pair(d, scene)).collect();
    let mut words = vec!["set"];
    words.extend(pairs.iter().map(String::as_str));
    scene.must(&words);
    scene.must(&["apply"]);
    shown(scene, batch);
    for directive in batch {
        scene.must(&["unset", &format!("param.{}", directive.name)]);
    }
    if name == "bound" {
        scene.must(&["cert", "unbind", "mx"]);
    }
    scene.must(&["apply"]);
}

#[test]
fn a_bad_value_of_each_is_refused_and_nothing_is_stored() {
    let scene = Scene::adopted(PostfixBox::builder());
    let before = scene.files();
    let mut wrong = Vec::new();
    for directive in directives() {
        let (value, code) = match directive.expected {
            Expected::Obsolete => (directive.good(scene.folder()), "parameter.obsolete"),
            _ => (directive.bad.to_owned(), directive.code),
        };
        let ran = scene.run(&["set", &format!("param.{}={value}", directive.name)]);
        let remedy = ran.json["findings"][0]["remedy"]
            .as_str()
            .unwrap_or_default();
        if ran.exit != Some(65) || ran.code() != code || remedy.is_empty() {
            wrong.push(format!(
                "{} = {value}: {:?} {} {}",
                directive.name,
                ran.exit,
                ran.code(),
                remedy
            ));
        }
        if directive.expected == Expected::Obsolete && !remedy.contains(directive.bad) {
            wrong.push(format!("{}: {remedy}", directive.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let plan = scene.must(&["plan"]);
    assert_eq!(plan.json["pending"], false, "something was stored");
    assert_eq!(scene.files(), before);
}

//! The contract of the command line, walked as a user would: exit codes, `--json` keys, what goes to
//! which stream, tab-separated answers when piped, and what every verb shows.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../scene/mod.rs"]
mod scene;

mod answers;
mod changes;
mod cipher_lists;
mod logged;
mod mistakes;
mod status;
mod together;
mod verbs;

use postseal_testkit::postfix_box::PostfixBox;
use scene::{Ran, Scene, postseal};

/// The verbs of this version, with arguments that let each answer on an instance in force.
const VERBS: &[&[&str]] = &[
    &["status"],
    &["show"],
    &["explain", "user@box.test"],
    &["lint"],
    &["set"],
    &["cert", "list"],
    &["cert", "show", "mx"],
    &["cert", "check"],
    &["cert", "export", "mx"],
    &["plan"],
    &["history"],
    &["diff", "1"],
    &["drift"],
    &["verify"],
    &["recover"],
    &["discard"],
    &["init"],
];

fn adopted() -> Scene {
    Scene::adopted(PostfixBox::builder().sasl_user("alice", "in the jail"))
}

/// Adopted, and one change kept.
fn in_force() -> Scene {
    let scene = adopted();
    scene.must(&["cert", "bind", "mx"]);
    scene.must(&[
        "set",
        "mode=may",
        "submission=on",
        "smtps=on",
        "auth-only=yes",
    ]);
    let applied = scene.must(&["apply"]);
    for key in ["changed", "diff", "before", "after", "findings"] {
        assert!(applied.json.get(key).is_some(), "apply has no {key}");
    }
    scene
}

fn unknown(words: &[&str]) -> Ran {
    Ran::of(&postseal(words).output().unwrap())
}

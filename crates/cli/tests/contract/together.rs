//! Several wishes as one: all of them are stored, or none.

use crate::scene::Scene;
use crate::{adopted, in_force};
use postseal_testkit::postfix_box::PostfixBox;

fn pending(scene: &Scene) -> bool {
    scene.must(&["plan"]).json["pending"] == true
}

/// What nobody could put in force is no wish: it is said why, and nothing of it is stored.
fn refused(scene: &Scene, words: &[&str], code: &str) {
    let ran = scene.run(words);
    assert_eq!(ran.code(), code, "{words:?}: {ran:#?}");
    assert_eq!(ran.exit, Some(65), "{words:?}: {ran:#?}");
    assert!(!pending(scene), "{words:?}");
}

#[test]
fn what_is_refused_of_a_whole_leaves_no_wish_behind() {
    let scene = adopted();
    // Alone it is a draft, as what it lacks may be wished next.
    scene.must(&["set", "inbound=may"]);
    scene.must(&["discard"]);
    let bare = "level.no-certificate";
    refused(&scene, &["set", "--whole", "inbound=may"], bare);
    refused(&scene, &["set", "--check", "inbound=may"], bare);
    let unknown = ["set", "loglevel.inbound=1", "--bind=nobody"];
    refused(&scene, &unknown, "name.unknown");
    let unbound = ["set", "loglevel.inbound=1", "--unbind=mx"];
    refused(&scene, &unbound, "name.unknown");
    let bad = ["set", "loglevel.inbound=1", "mode=sometimes", "--bind=mx"];
    refused(&scene, &bad, "setting.bad-value");
}

#[test]
fn a_check_shows_the_plan_and_wishes_for_nothing() {
    let scene = adopted();
    let words = ["set", "mode=may", "--bind=mx"];
    let checked = scene.ends(2, &[&words[..], &["--check"]].concat());
    assert!(
        checked
            .text("diff")
            .contains("+smtpd_tls_security_level = may")
    );
    assert!(!pending(&scene));
    let saved = scene.must(&words);
    assert_eq!(saved.json["changed"], true);
    let plan = &saved.json["proposal"]["plan"];
    assert_eq!(plan, &checked.json["plan"]);
    let applied = scene.must(&["apply", plan.as_str().unwrap()]);
    assert_eq!(applied.text("outcome"), "kept");
    scene.must(&["set", "--check", "mode=may"]);
}

#[test]
fn the_order_of_what_is_wished_together_does_not_matter() {
    let scene = in_force();
    let bare = "level.no-certificate";
    refused(&scene, &["set", "--unbind=mx"], bare);
    // Each of these is refused alone: TLS without a certificate, and a key back to what needs one.
    let off = [
        "set",
        "--unbind=mx",
        "--unset=submission",
        "--unset=smtps",
        "inbound=off",
    ];
    scene.must(&off);
    assert!(pending(&scene));
    let back = [
        "set",
        "--bind=mx",
        "inbound=may",
        "submission=on",
        "smtps=on",
    ];
    scene.must(&back);
    assert!(!pending(&scene));
}

#[test]
fn what_must_be_typed_before_a_plan_is_applied_is_named_for_programs() {
    let scene = Scene::stopped(PostfixBox::builder().set("inet_interfaces", "all"));
    scene.must(&["init"]);
    scene.import();
    let saved = scene.must(&["set", "inbound=encrypt", "--bind=mx"]);
    let asked = &saved.json["proposal"]["confirmations"][0];
    let ran = scene.run(&["apply"]);
    assert_eq!(
        ran.code(),
        "inbound.mandatory-on-public-port-25",
        "{ran:#?}"
    );
    let accept = &ran.json["error"]["accept"];
    assert_eq!(accept["code"], asked["code"]);
    assert_eq!(accept["answer"], asked["answer"]);
}

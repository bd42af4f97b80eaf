//! Exit codes, and where options come from.

use crate::scene::{Ran, Scene, postseal};
use crate::{adopted, in_force, unknown};
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::Value;
use std::fs;

#[test]
fn mistakes_have_their_exit_codes_and_go_to_stderr() {
    let scene = adopted();
    let before = scene.files();
    for (exit, words) in [
        (64, &["frobnicate"][..]),
        (64, &["apply", "--no-such-option"]),
        (64, &["unset"]),
        (64, &["cert", "import", "x"]),
        (64, &["set", "inbound"]),
        (64, &["lint", "--fail-on", "loud"]),
        (64, &["lint", "--explain", "no.such-code"]),
        (64, &["apply", "--confirm-within", "9 weeks"]),
        (65, &["set", "inbound=perhaps"]),
        (65, &["set", "nonsense=1"]),
        (65, &["unset", "nonsense"]),
        (65, &["cert", "show", "nobody"]),
        (65, &["cert", "bind", "nobody"]),
        (65, &["cert", "import", "x", "--cert", "/nonexistent"]),
        (65, &["diff", "77"]),
        (65, &["show", "no_such_parameter"]),
        (65, &["show", "--service", "no-such-service"]),
        (65, &["lint", "/nonexistent"]),
        (65, &["rollback"]),
        (65, &["apply", "00000000"]),
    ] {
        let ran = scene.say(words);
        assert_eq!(ran.exit, Some(exit), "{words:?}: {ran:#?}");
        assert_eq!(ran.stdout, "", "{words:?}");
        assert!(!ran.stderr.is_empty(), "{words:?}");
    }
    // A wish that the whole forbids is stored, and refused by plan and apply.
    scene.must(&["set", "inbound=may"]);
    for verb in ["plan", "apply"] {
        let ran = scene.ends(65, &[verb]);
        assert_eq!(ran.json["changed"], false, "{verb}");
        assert!(!ran.code().is_empty() && !ran.json["findings"].as_array().unwrap().is_empty());
    }
    assert_eq!(scene.must(&["discard"]).json["changed"], true);
    assert_eq!(scene.must(&["discard"]).json["changed"], false);
    assert_eq!(scene.files(), before);
    let store = format!("sqlite:{}", scene.named("another"));
    let nobodys = unknown(&[
        "--instance",
        &scene.config(),
        "--store",
        &store,
        "plan",
        "--json",
    ]);
    assert_eq!(
        (nobodys.exit, nobodys.code()),
        (Some(65), "instance.not-adopted")
    );
    let nowhere = unknown(&[
        "--instance",
        "/nonexistent",
        "--store",
        &store,
        "init",
        "--json",
    ]);
    assert_eq!(nowhere.exit, Some(1), "{nowhere:#?}");
    let url = unknown(&["--store", "mysql://x", "status", "--json"]);
    assert_eq!((url.exit, url.code()), (Some(64), "store.bad-url"));
}

#[test]
fn pending_changes_are_two_and_done_is_zero() {
    let scene = in_force();
    assert_eq!(scene.run(&["apply", "--check"]).exit, Some(0));
    assert_eq!(scene.must(&["apply"]).text("outcome"), "nothing");
    scene.must(&["set", "received-header=yes"]);
    let check = scene.ends(2, &["apply", "--check"]);
    assert!(
        check
            .text("diff")
            .contains("+smtpd_tls_received_header = yes")
    );
    let diff = scene.say(&["apply", "--check", "--diff"]);
    assert_eq!(
        (diff.exit, diff.stdout.as_str()),
        (Some(2), check.text("diff"))
    );
    let plan = scene.must(&["plan"]);
    assert_eq!(scene.say(&["plan", "--diff"]).stdout, plan.text("diff"));
    scene.must(&["apply", plan.text("plan")]);
    scene.must(&["unset", "received-header"]);
    scene.must(&["apply"]);
    let kept: Vec<Value> = scene.must(&["history"]).json["operations"]
        .as_array()
        .unwrap()
        .clone();
    let numbers: Vec<u64> = kept
        .iter()
        .map(|op| op["operation"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(
        scene.must(&["history", "-n", "1"]).json["operations"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let both = scene.must(&["diff", "2", "3"]);
    assert!(both.text("diff").contains("+smtpd_tls_received_header"));
    assert!(both.text("diff").contains("-smtpd_tls_received_header"));
    scene.edit("main.cf", |text| {
        text.replace(
            "smtp_tls_security_level = may",
            "smtp_tls_security_level = none",
        )
    });
    let drift = scene.ends(2, &["drift"]);
    assert_eq!(drift.json["drift"].as_array().unwrap().len(), 1);
    assert_eq!(scene.must(&["drift", "--restore"]).text("outcome"), "kept");
    assert_eq!(scene.run(&["drift"]).exit, Some(0));
}

#[test]
fn without_root_everything_else_is_77_and_one_sentence() {
    let scene = Scene::stopped(PostfixBox::builder());
    let store = scene.store();
    for words in [
        &["init"][..],
        &["status"],
        &["apply"],
        &["set", "inbound=may"],
        &["try"],
        &["verify"],
        &["release"],
        &["cert", "list"],
    ] {
        let mut command = scene.nobody(&["--instance", &scene.config(), "--store", &store]);
        let ran = Ran::of(&command.args(words).output().unwrap());
        assert_eq!((ran.exit, ran.stdout.as_str()), (Some(77), ""), "{words:?}");
        assert!(ran.stderr.contains("root"), "{}", ran.stderr);
    }
    // What the keys mean is no secret.
    let listed = scene.nobody(&["set"]).output().unwrap();
    assert_eq!(listed.status.code(), Some(0));
}

#[test]
fn environment_and_file_give_the_same_as_options() {
    let scene = adopted();
    let by_environment = postseal(&["status"])
        .env("POSTSEAL_INSTANCE", scene.config())
        .env("POSTSEAL_STORE", scene.store())
        .env("POSTSEAL_JSON", "1")
        .output()
        .unwrap();
    let expected = scene.must(&["status"]).json["services"].clone();
    assert_eq!(Ran::of(&by_environment).json["services"], expected);
    let file = scene.named("postseal.toml");
    fs::write(
        &file,
        format!(
            "instance = {:?}\nstore = {:?}\njson = true\n",
            scene.config(),
            scene.store()
        ),
    )
    .unwrap();
    assert_eq!(
        unknown(&["--config", &file, "status"]).json["services"],
        expected
    );
    fs::write(&file, "colour = true\n").unwrap();
    let bad = unknown(&["--config", &file, "status"]);
    assert_eq!(bad.exit, Some(65), "{bad:#?}");
    let wrong = postseal(&["--instance", &scene.config(), "status", "--json"])
        .env("POSTSEAL_INSTANCE", "/nonexistent")
        .env("POSTSEAL_STORE", scene.store())
        .output()
        .unwrap();
    assert_eq!(
        Ran::of(&wrong).json["services"],
        expected,
        "an option beats the environment"
    );
}

//! What a command changed: told once, in few words, and in the same five keys.

use crate::scene::{Ran, Scene, postseal, run};
use crate::{adopted, in_force};
use postseal_testkit::postfix_box::PostfixBox;
use std::io::Write;
use std::process::Stdio;

/// Whether it changed something, after a look at all five keys.
fn changed(scene: &Scene, words: &[&str]) -> bool {
    let ran = scene.must(words);
    for key in ["diff", "before", "after", "findings"] {
        assert!(ran.json.get(key).is_some(), "{words:?} has no {key}");
    }
    let changed = ran.json["changed"].as_bool().unwrap();
    assert_eq!(
        changed,
        ran.json["before"] != ran.json["after"],
        "{words:?}"
    );
    assert_eq!(changed, !ran.text("diff").is_empty(), "{words:?}");
    changed
}

#[test]
fn every_change_has_the_same_five_keys_and_what_changes_nothing_says_so() {
    let scene = Scene::bare(PostfixBox::builder());
    for again in [false, true] {
        assert_eq!(changed(&scene, &["init"]), !again);
        let (cert, key) = (scene.named("rsa.pem"), scene.named("rsa.key"));
        let import = ["cert", "import", "mx", "--cert", &cert, "--key", &key];
        assert_eq!(changed(&scene, &import), !again);
        assert_eq!(changed(&scene, &["cert", "bind", "mx"]), !again);
        assert_eq!(changed(&scene, &["set", "inbound=may"]), !again);
    }
    for (words, changes) in [
        (&["unset", "inbound"][..], true),
        (&["unset", "inbound"], false),
        (&["cert", "unbind", "mx"], true),
        (&["set", "outbound=may"], true),
        (&["discard"], true),
        (&["discard"], false),
        (&["cert", "delete", "mx"], true),
        (&["recover"], false),
        (&["drift", "--adopt"], false),
    ] {
        assert_eq!(changed(&scene, words), changes, "{words:?}");
    }
    scene.edit("main.cf", |text| text + "smtp_tls_loglevel = 1\n");
    // What is only tried leaves it to be done.
    let tried = scene.run(&["drift", "--adopt", "--check"]);
    assert_eq!(tried.exit, Some(2), "{tried:#?}");
    assert_eq!(tried.json["changed"], false, "{tried:#?}");
    assert!(changed(&scene, &["drift", "--adopt"]));
    scene.edit("main.cf", |text| {
        text.replace("smtp_tls_loglevel = 1", "smtp_tls_loglevel = 2")
    });
    let again = scene.say(&["init"]).stdout;
    assert!(again.contains("was adopted before; the hand edits since then are taken over:\n-smtp_tls_loglevel = 1\n+smtp_tls_loglevel = 2\n"), "{again}");
    scene.must(&["set", "loglevel.outbound=0"]);
    let waits = scene.must(&["apply", "--confirm-within", "1h"]);
    assert!(waits.text("confirm_by").starts_with('2'), "{waits:#?}");
    assert!(changed(&scene, &["confirm"]));
    assert!(changed(&scene, &["release"]));
}

#[test]
fn a_wish_is_answered_with_that_wish() {
    let scene = in_force();
    let said = |words: &[&str]| scene.say(words).stdout;
    assert_eq!(
        said(&["set", "received-header=yes"]),
        "received-header = yes\nNot in force yet: look with `postseal plan`, then `postseal apply`.\n"
    );
    assert!(
        said(&["set", "received-header=yes"])
            .starts_with("Nothing has changed: this was wished already")
    );
    assert_eq!(
        said(&["set", "received-header=no"]).lines().next(),
        Some("received-header = no (was yes)")
    );
    assert!(
        said(&["unset", "received-header"])
            .ends_with("Nothing is pending any more: this is what is in force.\n")
    );
    assert_eq!(
        said(&["set", "mode=may"]),
        "Nothing has changed: this is in force already.\n"
    );
    said(&["set", "received-header=yes"]);
    said(&["set", "mode=off", "submission=off", "smtps=off"]);
    said(&["cert", "unbind", "mx"]);
    assert_eq!(
        said(&["discard"]),
        "Dropped: inbound=off outbound=off submission=off smtps=off received-header=yes unbind mx\n"
    );
}

#[test]
fn a_rollback_names_what_it_undid() {
    let scene = in_force();
    let check = scene.say(&["rollback", "--check"]);
    assert!(
        check
            .stdout
            .starts_with("Back to before operation 1 (inbound=may "),
        "{check:#?}"
    );
    let back = scene.say(&["rollback"]);
    assert!(
        back.stdout
            .contains("certificate=mx) is undone, by operation 2.\n"),
        "{back:#?}"
    );
    for words in [&["rollback"][..], &["confirm"], &["cert", "unbind", "mx"]] {
        let none = scene.say(words);
        assert_eq!(none.exit, Some(65), "{words:?}: {none:#?}");
        assert!(
            none.stderr.contains("\npostseal: hint: `postseal "),
            "{words:?}: {}",
            none.stderr
        );
    }
}

#[test]
fn the_diff_of_an_apply_comes_first_and_check_never_changes() {
    let scene = in_force();
    scene.must(&["set", "received-header=yes"]);
    let diff = scene.say(&["plan", "--diff"]).stdout;
    let applied = scene.say(&["apply", "--diff"]);
    assert_eq!(applied.exit, Some(0), "{applied:#?}");
    assert!(
        applied.stdout.starts_with(&diff) && applied.stdout.len() > diff.len(),
        "{applied:#?}"
    );
    scene.edit("main.cf", |text| {
        text.replace(
            "smtpd_tls_received_header = yes",
            "smtpd_tls_received_header = no",
        )
    });
    let edited = scene.files();
    assert_eq!(
        scene.ends(2, &["drift", "--restore", "--check"]).json["pending"],
        true
    );
    assert_eq!(scene.files(), edited);
}

/// The program on a terminal, with an answer typed.
fn on_a_terminal(scene: &Scene, words: &[&str], typed: &str) -> Ran {
    let config = scene.config();
    let store = scene.store();
    let mut all = vec![
        crate::scene::POSTSEAL,
        "--instance",
        &config,
        "--store",
        &store,
        "--resolver",
        "none",
    ];
    all.extend(words);
    let mut child = std::process::Command::new("/usr/bin/script")
        .args(["-qec", &all.join(" "), "/dev/null"])
        .env("COLUMNS", "80")
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(typed.as_bytes()).unwrap();
    let ran = Ran::of(&child.wait_with_output().unwrap());
    drop(stdin);
    ran
}

#[test]
fn on_a_terminal_every_change_of_postfix_is_asked_for() {
    let scene = in_force();
    let before = scene.files();
    let declined = on_a_terminal(&scene, &["rollback"], "n\n");
    assert_eq!(declined.exit, Some(1), "{declined:#?}");
    assert!(
        declined.stdout.contains("[apply.declined]"),
        "{}",
        declined.stdout
    );
    assert_eq!(scene.files(), before);
    scene.edit("main.cf", |text| {
        text.replace(
            "smtp_tls_security_level = may",
            "smtp_tls_security_level = none",
        )
    });
    let edited = scene.files();
    assert_eq!(
        on_a_terminal(&scene, &["drift", "--restore"], "n\n").exit,
        Some(1)
    );
    assert_eq!(scene.files(), edited);
    assert_eq!(
        on_a_terminal(&scene, &["drift", "--restore", "--yes"], "").exit,
        Some(0)
    );
    assert_eq!(scene.files(), before);
    assert_eq!(on_a_terminal(&scene, &["rollback"], "y\n").exit, Some(0));
    assert_ne!(scene.files(), before);
}

#[test]
fn the_list_of_keys_keeps_to_the_width_of_the_terminal() {
    let scene = Scene::stopped(PostfixBox::builder());
    let list = on_a_terminal(&scene, &["set"], "").stdout;
    let head = list.lines().next().unwrap();
    for column in ["key", "values", "meaning", "default"] {
        assert!(head.contains(column), "{head}");
    }
    assert!(
        list.lines()
            .all(|line| line.trim_end().chars().count() <= 80),
        "{list}"
    );
    assert!(list.contains("(smtpd_tls_security_level)"), "{list}");
    let keys = scene.must(&["set"]).json["keys"].clone();
    let inbound = keys
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["key"] == "inbound")
        .unwrap();
    assert_eq!(inbound["default"], "off");
}

#[test]
fn an_error_says_each_thing_once_and_repeats_no_long_argument() {
    let scene = adopted();
    let refused = scene.say(&["set", "inbound=perhaps"]).stderr;
    assert!(!refused.contains("refused ["), "{refused}");
    assert_eq!(refused.matches("perhaps").count(), 1, "{refused}");
    assert_eq!(refused.matches("[setting.").count(), 1, "{refused}");
    let long = "x".repeat(20_000);
    for words in [
        &[long.as_str()][..],
        &["set", &long],
        &["set", &format!("{long}=1")],
        &["set", &format!("inbound={long}")],
        &["cert", "show", &long],
        &["show", &long],
        &["lint", &long],
        &["apply", &format!("--accept={long}")],
        &["--store", &long, "status"],
    ] {
        let ran = Ran::of(&scene.command(words).output().unwrap());
        assert_ne!(ran.exit, Some(0));
        assert!(
            ran.stderr.len() < 3000,
            "{} bytes: {}…",
            ran.stderr.len(),
            &ran.stderr[..300]
        );
        let json = Ran::of(&postseal(words).arg("--json").output().unwrap());
        assert!(
            json.stdout.len() + json.stderr.len() < 6000,
            "{}…",
            &json.stdout[..300]
        );
    }
}

#[test]
fn a_file_that_is_no_certificate_is_named_with_a_remedy_that_helps() {
    let scene = adopted();
    let pipe = scene.named("pipe");
    run("/usr/bin/mkfifo", &[&pipe]);
    let refused = scene.say(&["cert", "import", "x", "--cert", &pipe]).stderr;
    assert!(
        refused.contains(&pipe) && refused.contains("not a regular file"),
        "{refused}"
    );
    assert!(!refused.contains("as root"), "{refused}");
    let chain = scene.named("rsa.pem");
    for words in [
        &["cert", "import", "x", "--cert", &chain][..],
        &[
            "cert",
            "import",
            "x",
            "--cert",
            &scene.named("rsa.key"),
            "--key",
            &chain,
        ],
    ] {
        let refused = scene.ends(65, words);
        assert_eq!(refused.code(), "cert.key-missing", "{words:?}");
        let message = refused.json["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(&chain), "{message}");
    }
}

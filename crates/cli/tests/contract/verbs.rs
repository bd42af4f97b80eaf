//! Adopting and releasing, lint, the certificate store.

use crate::scene::{Files, Ran, Scene, run};
use crate::{adopted, unknown};
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::Value;
use std::fs;

#[test]
fn lint_works_for_anyone_everywhere_and_alone() {
    let scene = Scene::stopped(PostfixBox::builder());
    let folder = scene.folder().join("bare");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("main.cf");
    fs::write(&file, "smtpd_tls_security_level = may # yes\n").unwrap();
    let path = file.display().to_string();
    let nobody = |words: &[&str]| {
        let mut command = scene.nobody(words);
        Ran::of(&command.arg("--json").output().unwrap())
    };
    for words in [
        &["lint", &path][..],
        &["lint", folder.to_str().unwrap()],
        &["lint", &path, "--fail-on", "fatal"],
        &["lint", &path, "--postfix-version", "3.11.0"],
    ] {
        let ran = nobody(words);
        assert_eq!(ran.exit, Some(2), "{words:?}: {ran:#?}");
        let found = &ran.json["findings"][0];
        assert!(found["code"].is_string() && found["remedy"].is_string());
        assert_eq!(found["evidence"][0]["line"], 1, "{found:#}");
    }
    fs::write(
        &file,
        "smtp_tls_security_level = may\nsmtpd_use_tls = yes\n",
    )
    .unwrap();
    for (exit, level) in [(0, "fatal"), (2, "warning"), (2, "info")] {
        let ran = nobody(&["lint", &path, "--fail-on", level]);
        assert_eq!(ran.exit, Some(exit), "{level}: {ran:#?}");
    }
    let code = unknown(&["lint", &path, "--json"]).json["findings"][0]["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let explained = unknown(&["lint", "--explain", &code]);
    assert_eq!(explained.exit, Some(0), "{explained:#?}");
    assert!(explained.stdout.contains("Remedy:"));
    assert_eq!(
        unknown(&["lint", "--instance", folder.to_str().unwrap()]).exit,
        Some(2)
    );
}

#[test]
fn adopting_takes_hand_edits_over_and_release_gives_all_back() {
    let scene =
        Scene::bare(PostfixBox::builder().append_main_cf("# mine\nsmtp_tls_loglevel = 1\n"));
    let before = scene.files();
    let first = scene.must(&["init"]);
    assert_eq!(
        (&first.json["changed"], scene.files()),
        (&Value::Bool(true), before.clone())
    );
    assert_eq!(scene.must(&["init"]).json["changed"], false);
    assert_eq!(scene.must(&["plan"]).json["pending"], false);
    scene.edit("main.cf", |text| {
        text.replace(
            "smtp_tls_loglevel = 1",
            "smtp_tls_loglevel = 2\nsmtp_tls_ciphers = high",
        )
    });
    let edited = scene.files();
    assert_eq!(scene.must(&["init"]).json["changed"], true);
    assert_eq!(scene.must(&["plan"]).json["pending"], false);
    assert_eq!(
        scene.must(&["drift"]).json["drift"],
        Value::Array(Vec::new())
    );
    assert_eq!(scene.must(&["release"]).json["changed"], true);
    assert_eq!(scene.files(), edited);
    assert_eq!(scene.ends(65, &["status"]).code(), "instance.not-adopted");
    assert_eq!(scene.must(&["init"]).json["changed"], true);
}

#[test]
fn what_postfix_cannot_read_is_not_adopted() {
    let scene = Scene::stopped(PostfixBox::builder());
    let good: Files = scene.files();
    scene.edit("main.cf", |text| text + "no equals sign\n");
    let ran = scene.ends(65, &["init"]);
    assert_eq!(ran.code(), "instance.unreadable");
    fs::write(scene.path_of("main.cf"), &good.main).unwrap();
    assert_eq!(scene.ends(65, &["plan"]).code(), "instance.not-adopted");
}

#[test]
fn certificates_are_kept_shown_and_given_out_without_their_keys() {
    let scene = adopted();
    let listed = scene.must(&["cert", "list"]).json;
    assert_eq!(listed["certificates"][0]["name"], "mx");
    let shown = scene.must(&["cert", "show", "mx"]).json;
    assert_eq!(shown["certificate"]["has_key"], true);
    let chain = fs::read_to_string(scene.named("rsa.pem")).unwrap();
    assert_eq!(scene.say(&["cert", "export", "mx"]).stdout, chain);
    assert_eq!(scene.say(&["cert", "export", "mx", "--key"]).exit, Some(64));
    let key = ["cert", "export", "mx", "--key", "--yes-export-private-key"];
    assert_eq!(scene.ends(64, &key).code(), "cert.no-key-in-json");
    let exported = scene.say(&key).stdout;
    fs::write(scene.named("out.key"), &exported).unwrap();
    let public = |file: &str| {
        run(
            "/usr/bin/openssl",
            &["pkey", "-in", &scene.named(file), "-pubout"],
        )
    };
    assert_eq!(public("out.key"), public("rsa.key"));
    let again = [
        "cert",
        "import",
        "mx",
        "--cert",
        &scene.named("rsa.pem"),
        "--key",
        &scene.named("rsa.key"),
    ];
    assert_eq!(scene.must(&again).json["changed"], false);
    let other = [
        "cert",
        "import",
        "mx",
        "--cert",
        &scene.named("ec.pem"),
        "--key",
        &scene.named("ec.key"),
    ];
    assert_eq!(scene.ends(65, &other).code(), "cert.exists");
    scene.must(&["cert", "bind", "mx"]);
    assert_ne!(
        scene.run(&["cert", "delete", "mx"]).exit,
        Some(0),
        "a bound certificate was deleted"
    );
    scene.must(&["cert", "unbind", "mx"]);
    scene.must(&["cert", "delete", "mx"]);
    assert_eq!(
        scene.must(&["cert", "list"]).json["certificates"],
        Value::Array(Vec::new())
    );
}

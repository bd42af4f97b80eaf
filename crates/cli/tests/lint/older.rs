//! Versions of Postfix from before the catalogue, and eyes that see less than root's.

use crate::lint;
use crate::scene::{Ran, Scene};
use postseal_testkit::postfix_box::PostfixBox;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const MAIN: &str = "smtpd_tls_cert_file = /etc/ssl/mx.pem\nsmtpd_tls_key_file = /etc/ssl/mx.key\n\
    smtpd_tls_security_level = may\n";

fn program(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_postseal"))
        .env("POSTSEAL_CONFIG", "/dev/null")
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// Certificate, key and level are older than 3.4, and work there: nobody takes them away.
#[test]
fn what_is_older_than_the_catalogue_is_judged_as_its_oldest_and_not_mended() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("main.cf"), MAIN).unwrap();
    for version in ["2.3", "2.11.0", "3.0", "3.3.22"] {
        let judged = |words: &[&str]| {
            lint(
                folder.path(),
                &[words, &["--postfix-version", version, "main.cf"]].concat(),
            )
        };
        let codes = judged(&["--json"]).codes();
        let about_age: Vec<_> = codes.iter().filter(|c| c.starts_with("name.")).collect();
        assert_eq!(about_age, ["name.version-too-old"], "{version}");
        let mended = judged(&["--fix"]);
        assert_eq!(mended.exit, Some(65), "{version}: {}", mended.stderr);
        assert!(mended.stderr.contains("lint.fix-too-old"), "{version}");

        let shown = [
            "show",
            "--instance",
            "main.cf",
            "--postfix-version",
            version,
        ];
        let (exit, said) = program(folder.path(), &shown);
        assert_eq!(exit, Some(0), "{said}");
        assert!(!said.contains("not a parameter"), "{said}");
        assert!(
            said.contains("Postfix 3.4, the oldest that is known"),
            "{said}"
        );

        let profile = [
            "profile",
            "show",
            "recommended",
            "--postfix-version",
            version,
        ];
        let (exit, said) = program(folder.path(), &profile);
        assert_eq!(exit, Some(64), "{said}");
        assert!(said.contains("profile.too-old"), "{said}");
    }
    let codes = lint(
        folder.path(),
        &["--json", "--postfix-version", "3.4.0", "main.cf"],
    )
    .codes();
    assert!(
        !codes.iter().any(|code| code.starts_with("name.")),
        "{codes:?}"
    );
}

/// The list is told all the same; that it is of no use here, with it.
#[test]
fn a_postfix_that_no_profile_is_for_is_told_so_with_the_list() {
    let scene = Scene::stopped(PostfixBox::builder());
    let listed = |more: &[&str]| {
        Ran::of(
            &scene
                .command(&[more, &["profile", "list"]].concat())
                .output()
                .unwrap(),
        )
    };
    assert_eq!(listed(&["--json"]).json["too_old"], serde_json::Value::Null);
    let (old, toml) = (scene.named("old"), scene.named("postseal.toml"));
    let script = "#!/bin/sh\n\"$@\" | sed 's/^mail_version = .*/mail_version = 3.3.22/'\n";
    fs::write(&old, script).unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(&toml, format!("[host]\nprefix = [{old:?}]\n")).unwrap();
    let told = listed(&["--config", &toml]);
    assert_eq!(told.exit, Some(0), "{told:#?}");
    assert!(told.stdout.contains("recommended"), "{told:#?}");
    let why = "no profile is written for Postfix 3.3.22; they begin with 3.4";
    assert!(
        told.stdout
            .ends_with(&format!("None of them can be had here: {why}.\n")),
        "{told:#?}"
    );
    assert_eq!(listed(&["--config", &toml, "--json"]).json["too_old"], why);
}

/// A healthy host: the key is root's alone, and Postfix reads it as root.
#[test]
fn a_key_that_only_root_may_read_is_no_error_to_anybody_else() {
    let scene = Scene::stopped(PostfixBox::builder());
    let (cert, key) = (scene.named("rsa.pem"), scene.named("rsa.key"));
    scene.edit("main.cf", |text| {
        format!(
            "{text}\nmyhostname = mx.box.test\nsmtpd_tls_security_level = may\n\
             smtpd_tls_cert_file = {cert}\nsmtpd_tls_key_file = {key}\n"
        )
    });
    let config = scene.config();
    let mut command = scene.nobody(&["lint", &config, "--json"]);
    let ran = Ran::of(&command.output().unwrap());
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let findings = ran.json["findings"].as_array().unwrap();
    let about: Vec<_> = findings
        .iter()
        .filter(|one| one["message"].as_str().unwrap().contains(&key))
        .map(|one| {
            (
                one["code"].as_str().unwrap(),
                one["severity"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(about, [("cert.undetermined", "info")], "{findings:#?}");
}

/// Those of SASL under TLS are asked for with the TLS parameters.
#[test]
fn all_parameters_that_name_tls_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("main.cf"), MAIN).unwrap();
    let words = [
        "show",
        "--all",
        "--instance",
        "main.cf",
        "--postfix-version",
        "3.7",
    ];
    let (_, said) = program(folder.path(), &words);
    for name in [
        "smtpd_sasl_tls_security_options",
        "smtp_sasl_tls_security_options",
        "lmtp_sasl_tls_verified_security_options",
    ] {
        assert!(said.contains(name), "{name}");
    }
}

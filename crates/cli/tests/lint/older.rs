//! Versions of Postfix from before the catalogue.

use crate::lint;
use std::fs;
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

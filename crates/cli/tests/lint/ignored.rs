//! Findings that postseal.toml ignores.

use crate::lint;
use serde_json::json;
use std::fs;
use std::path::Path;

const MAIN: &str = "smtpd_tls_security_level = may\nsmtpd_tls_protocols = TLSv1\n\
    smtp_tls_protocols = TLSv1\n";

fn folder(ignore: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("main.cf.x"), MAIN).unwrap();
    let config = format!("[lint]\nignore = [{ignore}]\n");
    fs::write(folder.path().join("postseal.toml"), config).unwrap();
    folder
}

fn pinned(folder: &Path) -> usize {
    let codes = lint(folder, &["--json", "main.cf.x"]).codes();
    codes
        .iter()
        .filter(|code| *code == "protocols.pinned-old")
        .count()
}

#[test]
fn what_is_ignored_is_counted_and_shown_on_request() {
    let all = r#"{ code = "protocols.pinned-old", reason = "a lab of old machines" }"#;
    let folder = folder(all);
    assert_eq!(pinned(folder.path()), 0);
    let told = lint(folder.path(), &["main.cf.x"]);
    assert!(
        told.stdout.contains("2 findings are ignored"),
        "{}",
        told.stdout
    );
    assert!(!told.stdout.contains("a lab"), "{}", told.stdout);
    let more = lint(folder.path(), &["-v", "main.cf.x"]);
    let words = "ignored (a lab of old machines): error: smtpd_tls_protocols allows TLSv1 only.";
    assert!(more.stdout.contains(words), "{}", more.stdout);
    let document = lint(folder.path(), &["--json", "main.cf.x"]).json();
    let ignored = document["ignored"].as_array().unwrap();
    assert_eq!(ignored.len(), 2);
    assert_eq!(ignored[0]["reason"], json!("a lab of old machines"));
    assert_eq!(ignored[0]["finding"]["code"], json!("protocols.pinned-old"));
}

#[test]
fn what_is_ignored_does_not_count_for_the_exit() {
    let everything = r#"
        { code = "protocols.pinned-old", reason = "a lab" },
        { code = "level.no-certificate", reason = "a lab" }"#;
    let folder = folder(everything);
    assert_eq!(lint(folder.path(), &["main.cf.x"]).exit, Some(0));
    let strict = lint(folder.path(), &["--fail-on", "info", "main.cf.x"]);
    assert_eq!(strict.exit, Some(2), "{}", strict.stdout);
}

#[test]
fn only_where_it_is_said() {
    let there =
        r#"{ code = "protocols.pinned-old", reason = "a lab", where = "smtp_tls_protocols" }"#;
    let folder = folder(there);
    assert_eq!(pinned(folder.path()), 1);
    let nowhere = r#"{ code = "protocols.pinned-old", reason = "a lab", where = "master.cf" }"#;
    let folder = super::ignored::folder(nowhere);
    assert_eq!(pinned(folder.path()), 2);
}

#[test]
fn in_sarif_it_is_marked() {
    let all = r#"{ code = "protocols.pinned-old", reason = "a lab" }"#;
    let folder = folder(all);
    let log = lint(folder.path(), &["--format", "sarif", "main.cf.x"]).json();
    let results = log["runs"][0]["results"].as_array().unwrap().clone();
    let marked = results.iter().filter(|result| {
        result["suppressions"] == json!([{"kind": "external", "justification": "a lab"}])
    });
    let codes: Vec<_> = marked.map(|result| result["ruleId"].clone()).collect();
    assert_eq!(
        codes,
        [json!("protocols.pinned-old"), json!("protocols.pinned-old")]
    );
}

#[test]
fn an_entry_without_a_reason_is_an_error() {
    for entry in [
        r#"{ code = "protocols.pinned-old" }"#,
        r#"{ code = "protocols.pinned-old", reason = "  " }"#,
    ] {
        let folder = folder(entry);
        let ran = lint(folder.path(), &["--json", "main.cf.x"]);
        assert_eq!(ran.json()["error"]["code"], json!("lint.no-reason"));
        assert_eq!(ran.exit, Some(65));
    }
}

#[test]
fn an_entry_for_no_code_is_an_error() {
    let folder = folder(r#"{ code = "protocols.pinned-odl", reason = "a lab" }"#);
    let ran = lint(folder.path(), &["--json", "main.cf.x"]);
    assert_eq!(ran.json()["error"]["code"], json!("lint.unknown-code"));
    let folder = super::ignored::folder(r#"{ code = "protocols.ssl", why = "a lab" }"#);
    let ran = lint(folder.path(), &["--json", "main.cf.x"]);
    assert_eq!(ran.json()["error"]["code"], json!("config.bad"));
}

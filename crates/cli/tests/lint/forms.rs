//! The forms of the answer.

use crate::lint;
use serde_json::json;
use std::fs;

const MAIN: &str = "smtpd_tls_security_level = may\nsmtpd_tls_protocols = TLSv1, SSLv3\n\
    smtp_tls_loglevel = 3\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("main.cf.x"), MAIN).unwrap();
    folder
}

#[test]
fn json_by_either_name_is_the_same() {
    let folder = folder();
    let by_format = lint(folder.path(), &["--format", "json", "main.cf.x"]);
    let by_option = lint(folder.path(), &["--json", "main.cf.x"]);
    assert_eq!(by_format.json(), by_option.json());
    assert_eq!(by_format.json()["schema"], json!(1));
    assert_eq!((by_format.exit, by_option.exit), (Some(2), Some(2)));
    assert!(
        by_format
            .codes()
            .contains(&"protocols.pinned-old".to_owned())
    );
}

#[test]
fn text_is_what_is_written_without_a_word() {
    let folder = folder();
    let plain = lint(folder.path(), &["main.cf.x"]);
    let named = lint(folder.path(), &["--format", "text", "main.cf.x"]);
    assert_eq!(plain.stdout, named.stdout);
    assert!(plain.stdout.contains("main.cf.x:2: smtpd_tls_protocols"));
}

#[test]
fn an_annotation_for_each_finding() {
    let folder = folder();
    let ran = lint(folder.path(), &["--format", "github", "main.cf.x"]);
    let count = lint(folder.path(), &["--json", "main.cf.x"]).codes().len();
    assert_eq!(ran.stdout.lines().count(), count);
    let pinned = ran.stdout.lines().find(|line| line.contains("pinned-old"));
    let start = "::error file=main.cf.x,line=2,title=protocols.pinned-old::smtpd_tls_protocols ";
    assert!(pinned.unwrap().starts_with(start), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n::warning file=main.cf.x,line=3,"));
    assert_eq!(ran.exit, Some(2));
}

/// Nothing in a configuration ends an annotation early or begins another.
#[test]
fn an_annotation_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let main = "smtpd_tls_security_level = x%0A::error::y\n  ::error::z\n";
    fs::write(folder.path().join("main,cf:x"), main).unwrap();
    let ran = lint(folder.path(), &["--format", "github", "main,cf:x"]);
    for line in ran.stdout.lines() {
        let rest = line.strip_prefix("::").unwrap();
        assert!(!rest.starts_with("error::"), "{line}");
    }
    assert!(ran.stdout.contains("file=main%2Ccf%3Ax,line=1"));
    assert!(ran.stdout.contains("x%250A"), "{}", ran.stdout);
}

#[test]
fn a_sarif_log_names_every_rule_that_it_uses() {
    let folder = folder();
    let ran = lint(folder.path(), &["--format", "sarif", "main.cf.x"]);
    let log = ran.json();
    assert_eq!(log["version"], json!("2.1.0"));
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let known = |id: &str| rules.iter().any(|rule| rule["id"] == json!(id));
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        assert!(known(result["ruleId"].as_str().unwrap()), "{result}");
        let level = result["level"].as_str().unwrap();
        assert!(["note", "warning", "error"].contains(&level), "{result}");
        assert_ne!(result["message"]["text"], json!(""));
    }
    let pinned = results.iter();
    let pinned = pinned
        .into_iter()
        .find(|one| one["ruleId"] == json!("protocols.pinned-old"));
    let pinned = pinned.unwrap();
    let fix = &pinned["properties"]["fix"];
    assert_eq!(fix["taken"], json!("by-itself"), "{pinned}");
    let place = &pinned["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], json!("main.cf.x"));
    assert_eq!(place["region"]["startLine"], json!(2));
    assert_eq!(ran.exit, Some(2));
}

#[test]
fn absolute_paths_are_uris() {
    let folder = folder();
    let path = folder.path().join("main cf");
    fs::write(&path, MAIN).unwrap();
    let ran = lint(
        folder.path(),
        &["--format", "sarif", path.to_str().unwrap()],
    );
    let uri = &ran.json()["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    let uri = uri["artifactLocation"]["uri"].as_str().unwrap().to_owned();
    assert!(
        uri.starts_with("file:///") && uri.ends_with("/main%20cf"),
        "{uri}"
    );
}

#[test]
fn two_forms_are_refused() {
    let folder = folder();
    let ran = lint(folder.path(), &["--json", "--format", "sarif", "main.cf.x"]);
    assert_eq!(ran.exit, Some(64));
    assert_eq!(ran.json()["error"]["code"], json!("lint.two-forms"));
}

#[test]
fn a_rule_is_explained_with_what_it_rests_on() {
    let folder = folder();
    let ran = lint(folder.path(), &["--explain", "protocols.ssl"]);
    assert!(ran.stdout.contains("RFC 7568 §3"), "{}", ran.stdout);
    let ran = lint(
        folder.path(),
        &["--json", "--explain", "instance.unreadable"],
    );
    assert_eq!(ran.json()["references"], json!([]));
    assert_eq!(ran.exit, Some(0));
}

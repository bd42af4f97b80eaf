//! Words of findings that were wrong for the program, the service or the file that they are about:
//! what was found in real configurations.

use crate::scene::stock_master;
use crate::{Ran, lint};
use std::fs;

/// Lints a folder with these files.
fn of(main: &str, master: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "main.cf",
        &format!(
            "compatibility_level = 3.6\nmyhostname = mx.box.test\nmyorigin = box.test\n{main}"
        ),
    );
    write("master.cf", master);
    lint(folder.path(), &["--json", "."])
}

/// Message and remedy of the first finding of this code.
fn told(ran: &Ran, code: &str) -> (String, String) {
    let document = ran.json();
    let all = document["findings"].as_array().unwrap();
    let one = all.iter().find(|finding| finding["code"] == code);
    let one = one.unwrap_or_else(|| panic!("no {code}: {document:#}"));
    let text = |field: &str| one[field].as_str().unwrap().to_owned();
    (text("message"), text("remedy"))
}

/// smtp(8) has no STARTTLS to answer.
#[test]
fn what_a_client_loses_is_not_told_of_a_server() {
    let level = "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = none\nsmtp_tls_security_level = may\n";
    let client = of(
        &format!("{level}smtp_tls_CAfile = /nonexistent/ca.pem\n"),
        &stock_master(),
    );
    let (message, _) = told(&client, "trust.ca-file");
    assert!(
        message.contains("at may mail goes in clear") && !message.contains("454"),
        "{message}"
    );
    let server = of(
        &format!("{level}smtpd_tls_CAfile = /nonexistent/ca.pem\n"),
        &stock_master(),
    );
    let (message, _) = told(&server, "trust.ca-file");
    assert!(message.contains("answered with 454"), "{message}");
}

/// Relative paths are no matter of where somebody stands who lints.
#[test]
fn the_remedy_of_a_missing_file_is_for_main_cf() {
    let ran = of(
        "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /nonexistent/mx.pem\n",
        &stock_master(),
    );
    let (_, remedy) = told(&ran, "cert.missing");
    assert_eq!(remedy, "Correct the path.");
}

/// There is no 454 where nobody says STARTTLS.
#[test]
fn wrapper_mode_without_a_certificate_drops_connections() {
    let master = stock_master() + "465 inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n";
    let (message, _) = told(&of("", &master), "level.no-certificate");
    assert!(
        message.contains("drops every connection") && !message.contains("454"),
        "{message}"
    );
    let (message, _) = told(
        &of("smtpd_tls_security_level = may\n", &stock_master()),
        "level.no-certificate",
    );
    assert!(message.contains("454"), "{message}");
}

/// `lint master.cf.old` was always right; a copy under any other name was read as main.cf, and each
/// of its lines was fatal.
#[test]
fn a_file_of_any_name_is_what_it_reads_as() {
    let folder = tempfile::tempdir().unwrap();
    let codes = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        lint(folder.path(), &["--json", name]).codes()
    };
    let has = |codes: &[String], code: &str| codes.iter().any(|one| one == code);
    let master = stock_master() + "smtp inet n - n - - smtpd\n";
    for name in ["old-master.cf", "backup", "master.cf"] {
        let found = codes(name, &master);
        assert!(has(&found, "syntax.duplicate-service"), "{name}: {found:?}");
        assert!(!has(&found, "syntax.missing-equals"), "{name}: {found:?}");
    }
    // A main.cf with a line of master.cf in it stays a main.cf.
    let main =
        "smtpd_tls_security_level = may\nsmtpd_tls_loglevel = 1\nsmtp inet n - n - - smtpd\n";
    for name in ["old-main.cf", "backup", "main.cf"] {
        let found = codes(name, main);
        assert!(has(&found, "syntax.missing-equals"), "{name}: {found:?}");
        assert!(!has(&found, "syntax.field-count"), "{name}: {found:?}");
    }
}

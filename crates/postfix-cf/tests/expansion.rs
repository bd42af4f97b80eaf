//! The rows of `expansion/good.tsv` and `expansion/bad.tsv`, asked of the real `postconf -x`.
//!
//! The crate's own tests hold the same rows against [`postfix_cf::expand`], so both agree.

#![expect(
    clippy::expect_used,
    reason = "a test ends where its ground is missing"
)]

use std::fs::File;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

const NAMES: &str = "\
compatibility_level = 3.6
a = A
b = [$a]
empty =
dollar = $$a
loop = x$loop
bad = ${
level = 3.6
";

/// Expands a value as that of a parameter that may hold anything.
fn postconf(value: &str) -> Output {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file in the scratch folder");
        let file = File::options()
            .write(true)
            .open(&path)
            .expect("the file just written");
        // Postfix waits for a file younger than two seconds.
        let old = SystemTime::now() - Duration::from_secs(60);
        file.set_modified(old).expect("a time in the past");
    };
    write("main.cf", &format!("{NAMES}smtpd_banner = {value}\n"));
    write("master.cf", "");
    Command::new("postconf")
        .arg("-c")
        .arg(folder.path())
        .args(["-x", "-h", "smtpd_banner"])
        .output()
        .expect("these tests need Postfix: there is no `postconf` to run")
}

#[test]
fn postconf_yields_the_same() {
    for row in include_str!("expansion/good.tsv").lines() {
        let (value, expected) = row.split_once('\t').expect("two columns");
        let output = postconf(value);
        // `postconf` prints one blank for many.
        let shown = String::from_utf8_lossy(&output.stdout);
        let shown: Vec<_> = shown.split_whitespace().collect();
        let expected: Vec<_> = expected.split_whitespace().collect();
        assert_eq!(shown, expected, "{value}");
        assert!(output.status.success(), "{value}");
    }
}

/// All at once: a Postfix program that ends with an error waits for a second.
#[test]
fn postconf_refuses_the_same() {
    std::thread::scope(|scope| {
        for row in include_str!("expansion/bad.tsv").lines() {
            let (value, _) = row.split_once('\t').expect("two columns");
            scope.spawn(move || {
                let output = postconf(value);
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(said.contains("macro processing error"), "{value}: {said}");
            });
        }
    });
}

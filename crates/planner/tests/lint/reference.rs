//! `docs/reference/findings.md`, made of the rules and held equal to them.
//!
//! `cargo xtask codegen` writes it anew.

use postseal_planner::Severity;
use postseal_planner::finding::Taken;
use postseal_planner::lint::{self, Rule};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const HEAD: &str = "# Findings

Made of the rules by `cargo xtask codegen`; a test holds it equal to them. `postseal lint --explain CODE`
says the same of one code.

Severities: **fatal**: mail stops, or a service dies. **error**: something does not work, or not as the
setting promises. **warning**: it works, but not as well as it should, or not for long. **info**: worth
knowing. Where a fault is latent, a finding is milder than its rule.

`[lint] ignore` in `/etc/postseal/postseal.toml` leaves findings out, with a reason:

    [lint]
    ignore = [{ code = \"cache.server\", reason = \"clients from 2008\", where = \"smtpd_scache\" }]

`where` may be missing; else only findings are left out with these words in one of their places
(`FILE:LINE: TEXT`, as lint shows them).
";

#[test]
fn the_reference_says_what_the_rules_say() {
    let mut text = HEAD.to_owned();
    let rules = format!(
        "\n## What `lint` finds\n\n{} rules, {} of them with a fix.\n",
        lint::RULES.len(),
        lint::FIXABLE.len()
    );
    text.push_str(&rules);
    lint::RULES.iter().for_each(|rule| entry(&mut text, rule));
    text.push_str("\n## What other commands find\n");
    lint::others()
        .iter()
        .for_each(|rule| entry(&mut text, rule));
    let path = reference();
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, &text).expect("the reference is written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "it is not as the rules are: cargo xtask codegen"
    );
}

fn reference() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/findings.md")
}

fn entry(text: &mut String, rule: &Rule) {
    let severity = match rule.severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
        Severity::Fatal => "fatal",
    };
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\n### {}\n\n**{severity}**: {}. {}\n\nRemedy: {}\n",
        rule.code, rule.title, rule.why, rule.remedy
    );
    let _ = match lint::fixable(rule.code) {
        Some(Taken::ByItself) => text.write_str("\nFix: `lint --fix`, where it is safe.\n"),
        Some(Taken::ByName) => write!(text, "\nFix: `lint --fix --with {}`.\n", rule.code),
        None => Ok(()),
    };
    if !rule.references.is_empty() {
        let _ = write!(text, "\nSee: {}.\n", rule.references.join("; "));
    }
}

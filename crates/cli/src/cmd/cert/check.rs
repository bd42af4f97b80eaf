//! `cert check`: what is wrong with the certificates of the store today.
//!
//! Owns: the words and the exit code, fit for a timer. Never: judges.

use super::prune;
use super::watch::AtOnce;
use crate::answer::{Answer, findings_text};
use crate::cmd::lint::severity;
use crate::config::{Global, Talk};
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_engine::CertificateView;
use postseal_planner::{Finding, Severity};
use serde_json::{Value, json};

/// Arguments of `cert check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// A certificate of the store [default: all]
    name: Option<String>,
    /// Exit 2 when a finding is at least this bad; with --quiet, only such findings are told
    #[arg(long, value_name = "LEVEL", default_value = "error", value_parser = severity)]
    fail_on: Severity,
}

pub(super) fn check(args: &CheckArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::reading(global)?;
    let engine = session.engine();
    let mut text = String::new();
    let mut findings: Vec<Value> = Vec::new();
    let mut bad = false;
    let mut tell = |name: &str, found: &[Finding]| {
        if found.is_empty() {
            return;
        }
        // A timer's mail is about what makes it fail.
        let told = |one: &&Finding| global.talk != Talk::Quiet || one.severity >= args.fail_on;
        let told = findings_text(found.iter().filter(told));
        if !told.is_empty() {
            text.push_str(&format!("{name}:\n{}", indented(&told)));
        }
        bad |= found.iter().any(|finding| finding.severity >= args.fail_on);
        findings.extend(found.iter().map(|finding| named(name, finding)));
    };
    let mut each = |view: CertificateView| tell(&view.name, &view.problems);
    engine.check_certificates(args.name.as_deref(), &mut each)?;
    let mut watch = |name: &str, found: Vec<Finding>| tell(name, &found);
    engine.check_watches(args.name.as_deref(), &AtOnce, &mut watch)?;
    if args.name.is_none() {
        for adopted in engine.adopted_certificates() {
            tell(&adopted.path.display().to_string(), &adopted.problems);
        }
        // Where Postfix cannot be asked what it names, nothing is called superseded.
        let superseded = engine.superseded().unwrap_or_default();
        tell("postseal.d", prune::finding(&superseded).as_slice());
    }
    tell("in force", &engine.check_in_force()?);
    if findings.is_empty() && global.talk != Talk::Quiet {
        text.push_str("Nothing found.\n");
    }
    let exit = if bad { Exit::Pending } else { Exit::Done };
    Ok(Answer::new(text, json!({"changed": false, "findings": findings})).exit(exit))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// A finding with the certificate it is about.
pub(crate) fn named(name: &str, finding: &Finding) -> Value {
    let mut document = json!({"certificate": name});
    if let (Some(into), Value::Object(from)) = (document.as_object_mut(), json!(finding)) {
        into.extend(from);
    }
    document
}

//! What a pair of files would do to mail: the rules that can forbid a plan.
//!
//! Owns: the families and their common ground. Never: compares before and after (`make` does:
//! only what a plan brings or worsens blocks it), never edits. Each family is a file.
//!
//! These rules know what is wanted and what the store holds, and answer in `postseal`'s own
//! words; `lint` knows the files alone. The same matter has the same code in both.

pub(crate) mod anonymous;
mod auth;
mod bindings;
mod captured;
mod certificates;
pub(crate) mod dane;
pub(crate) mod kinds;
mod loopback;
pub(crate) mod names;
mod outbound;
pub(crate) mod profile;

pub(crate) use auth::sasl_files;
pub use bindings::{accepting, matters_at};
pub use captured::captured_name;
pub(crate) use certificates::public_mx;
pub use names::names_missed;

use crate::compile;
use crate::facts::Facts;
use crate::finding::Evidence;
use crate::intent::Intent;
use crate::lint::{self, LintInput};
use crate::trust::SystemTrust;
use crate::view::View;
use crate::{Finding, Severity};
use postfix_cf::{MainCf, MasterCf};
use std::cell::OnceCell;
use std::collections::BTreeSet;

/// A pair of files in its world.
pub(crate) struct World<'a> {
    pub(crate) main: &'a MainCf,
    pub(crate) master: &'a MasterCf,
    pub(crate) view: View<'a>,
    pub(crate) facts: &'a Facts,
    pub(crate) intent: &'a Intent,
    pub(crate) now: i64,
    system: OnceCell<SystemTrust>,
}

impl<'a> World<'a> {
    pub(crate) fn new(
        main: &'a MainCf,
        master: &'a MasterCf,
        facts: &'a Facts,
        intent: &'a Intent,
        now: i64,
    ) -> Self {
        Self {
            view: View::new(main, master, facts),
            main,
            master,
            facts,
            intent,
            now,
            system: OnceCell::new(),
        }
    }

    /// The system's trust anchors, read where something asks for them.
    fn system(&self) -> &SystemTrust {
        self.system
            .get_or_init(|| SystemTrust::of_facts(self.facts))
    }
}

/// Everything noticed, worst first. What these rules say of a code, lint does not say again.
pub(crate) fn findings(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    certificates::check(world, &mut findings);
    bindings::check(world, &mut findings);
    kinds::check(world, &mut findings);
    auth::check(world, &mut findings);
    loopback::check(world, &mut findings);
    outbound::check(world, &mut findings);
    profile::check(world, &mut findings);
    let said: BTreeSet<_> = findings
        .iter()
        .map(|finding| finding.code.clone())
        .collect();
    let more = lint::lint(&LintInput {
        main: Some((&world.facts.main_cf.path, world.main)),
        master: Some((&world.facts.master_cf.path, world.master)),
        version: Some(world.facts.version),
        facts: Some(world.facts),
        now_unix: Some(world.now),
        surroundings: None,
    });
    let ours = installed(world);
    findings.extend(more.into_iter().filter(|finding| {
        !said.contains(&finding.code)
            && !is_servers_certificate(finding)
            && !is_of_a_file(finding, &ours)
    }));
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
    findings.dedup();
    findings
}

/// Whether lint speaks of a server's certificate files: those of bound certificates are not
/// there yet, so that `certificates` judges all of them, by what they will be. That one form of
/// naming them hides another is told by nobody else.
fn is_servers_certificate(finding: &Finding) -> bool {
    if finding.code == "cert.both-forms" {
        return false;
    }
    let of_server = |evidence: &Evidence| evidence.text.starts_with("smtpd_tls_");
    finding.code.starts_with("cert.") && finding.evidence.iter().any(of_server)
}

/// The files that are installed for the intent's bindings and rules. They may not be there yet.
fn installed(world: &World<'_>) -> Vec<String> {
    let bound = world.intent.bindings.iter();
    let chains = bound.map(|bound| compile::bound_path(world.facts, bound));
    let map = compile::sni::map(world.intent, world.facts).map(|map| map.path);
    let policies = compile::policies::map(world.intent, world.facts).map(|map| map.path);
    chains
        .chain(map)
        .chain(policies)
        .map(|path| path.display().to_string())
        .collect()
}

/// Whether lint speaks of one of these files, as it stands on disk now.
fn is_of_a_file(finding: &Finding, files: &[String]) -> bool {
    let about_files = finding.code.starts_with("cert.") || finding.code.starts_with("maps.");
    about_files && files.iter().any(|file| finding.message.contains(file))
}

/// An error.
fn error(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding::new(code, Severity::Error, message, remedy)
}

/// What lint says of a host as it is.
pub fn lint_facts(facts: &Facts, now_unix: i64) -> Vec<Finding> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    lint::lint(&LintInput {
        main: Some((&facts.main_cf.path, &main)),
        master: Some((&facts.master_cf.path, &master)),
        version: Some(facts.version),
        facts: Some(facts),
        now_unix: Some(now_unix),
        surroundings: None,
    })
}

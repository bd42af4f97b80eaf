//! Lint: what is wrong, doubtful or noteworthy in a configuration, without changing it.
//!
//! Owns: the rules, one file a family, and the order of what they find. Never: reads a file or a
//! clock; edits (a plan does); repeats what another finding has said. It works on bare files with
//! no Postfix at hand: rules that need the version, the host's files or the time say nothing
//! without them, and one finding says so.
//!
//! Severities follow what Postfix 3.7.11 did with each fault: a port that hangs or mail that stops
//! is fatal, TLS switched off or a promise not kept is an error, a fault that shows only later or
//! elsewhere is a warning.

mod anonymous;
mod auth;
mod cache;
mod certificate;
mod ciphers;
mod context;
mod credentials;
mod dh;
mod fix;
mod level;
mod library;
mod listeners;
mod logging;
mod maps;
mod names;
mod not_main;
mod obsolete;
mod outbound;
mod places;
mod policy;
mod ports;
mod protocols;
mod references;
mod relay;
mod resolver;
mod rule;
mod sasl;
mod services;
mod starttls;
mod suites;
mod surroundings;
mod syntax;
mod told;
mod trust;
mod values;

pub use context::NEWEST;
pub(crate) use context::{DEFAULTS as NEIGHBOURS_BY_DEFAULT, looks_like_tls};
pub use fix::{FIXABLE, fixable};
pub(crate) use maps::without_keys;
pub use relay::KNOWN_ROUTES;
pub use rule::Rule;
pub(crate) use rule::rule as row;
pub use surroundings::{Surroundings, Way};
pub use told::{REVIEW_DUE, UNREADABLE};

use crate::{Facts, Finding, PostfixVersion, catalog};
use context::Context;
use postfix_cf::{MainCf, MasterCf};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

/// What is linted. Everything is optional; more of it lets more rules speak.
#[derive(Clone, Copy, Debug, Default)]
pub struct LintInput<'a> {
    /// main.cf and its path.
    pub main: Option<(&'a Path, &'a MainCf)>,
    /// master.cf and its path.
    pub master: Option<(&'a Path, &'a MasterCf)>,
    /// The Postfix version that reads them.
    pub version: Option<PostfixVersion>,
    /// The host: files, table types, defaults.
    pub facts: Option<&'a Facts>,
    /// The time, in seconds since 1970, for the dates of certificates.
    pub now_unix: Option<i64>,
    /// What else was gathered of the host.
    pub surroundings: Option<&'a Surroundings>,
}

/// All rules, by code.
pub static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let mut rules: Vec<Rule> = FAMILIES
        .iter()
        .flat_map(|family| family.0)
        .chain(not_main::RULES)
        .copied()
        .collect();
    rules.iter_mut().for_each(references::add);
    rules.sort_by_key(|rule| rule.code);
    rules
});

/// What other verbs say, by code.
static OTHERS: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let tables = [
        certificate::EXPLAINED,
        told::EXPLAINED,
        crate::preflight::RULES,
        crate::probed::RULES,
        crate::mail_waits::EXPLAINED,
        crate::resolve::PATTERNS_EXPLAINED,
        crate::policy::EXPLAINED,
        crate::policy::FAULTS_EXPLAINED,
        crate::rules::profile::EXPLAINED,
        crate::policy::FALLBACK_EXPLAINED,
        crate::policy::FOLLOW_EXPLAINED,
        crate::policy::NEVER_ASKED_EXPLAINED,
    ];
    let mut others: Vec<Rule> = tables.concat();
    others.retain(|other| rule(other.code).is_none());
    others.iter_mut().for_each(references::add);
    others.sort_by_key(|rule| rule.code);
    others.dedup_by_key(|rule| rule.code);
    others
});

/// The rules of a family, and what looks for them.
type Family = (&'static [Rule], fn(&Context<'_>, &mut Vec<Finding>));

const FAMILIES: &[Family] = &[
    (syntax::RULES, syntax::run),
    (values::RULES, values::run),
    (names::RULES, names::run),
    (obsolete::RULES, obsolete::run),
    (level::RULES, level::run),
    (anonymous::RULES, anonymous::run),
    (starttls::RULES, starttls::run),
    (auth::RULES, auth::run),
    (sasl::RULES, sasl::run),
    (services::RULES, services::run),
    (listeners::RULES, listeners::run),
    (certificate::RULES, certificate::run),
    (places::RULES, places::run),
    (trust::RULES, trust::run),
    (protocols::RULES, protocols::run),
    (ciphers::RULES, ciphers::run),
    (suites::RULES, suites::run),
    (dh::RULES, dh::run),
    (library::RULES, library::run),
    (outbound::RULES, outbound::run),
    (relay::RULES, relay::run),
    (resolver::RULES, resolver::run),
    (maps::RULES, maps::run),
    (policy::RULES, policy::run),
    (credentials::RULES, credentials::run),
    (cache::RULES, cache::run),
    (logging::RULES, logging::run),
    (ports::RULES, ports::run),
];

/// The rule with that code.
pub fn rule(code: &str) -> Option<&'static Rule> {
    let rules: &'static [Rule] = &RULES;
    let at = rules.binary_search_by_key(&code, |rule| rule.code).ok()?;
    rules.get(at)
}

/// The credentials of an instance as it is that may go in clear.
pub fn credentials_in_clear(facts: &Facts) -> Vec<Finding> {
    credentials::of_facts(facts)
}

/// What could not be told of the credentials of an instance as it is.
pub fn credentials_untold(facts: &Facts) -> Vec<Finding> {
    credentials::untold(facts)
}

/// The credentials under the name of a server that no rule for it covers.
pub fn credentials_by_server(facts: &Facts) -> Vec<Finding> {
    credentials::by_server(facts)
}

/// What a code means: that of a rule, or one that import, a check or a plan gives.
pub fn explained(code: &str) -> Option<&'static Rule> {
    rule(code).or_else(|| others().iter().find(|rule| rule.code == code))
}

/// What import, checks and plans say beside the rules, by code.
pub fn others() -> &'static [Rule] {
    &OTHERS
}

/// The cipher lists that OpenSSL has to expand for [`Surroundings::suites`].
pub fn cipher_lists(input: &LintInput<'_>) -> BTreeSet<String> {
    match suites::are_set(input) {
        true => suites::lists(&Context::new(input)),
        false => BTreeSet::new(),
    }
}

/// What is to be said about a configuration: worst first, then by place.
pub fn lint(input: &LintInput<'_>) -> Vec<Finding> {
    let context = Context::new(input);
    if let Some(finding) = not_main::found(&context) {
        return vec![finding];
    }
    let mut findings = Vec::new();
    for (_, run) in FAMILIES {
        run(&context, &mut findings);
    }
    let mut findings = rule::merge(findings);
    // What means the same to a Postfix before the catalogue is not known: nothing is mended for it.
    if context.version < catalog::OLDEST {
        findings.iter_mut().for_each(|finding| finding.fix = None);
    }
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    rule::limited(findings)
}

/// Worst first, then by place.
fn order(finding: &Finding) -> impl Ord + use<'_> {
    let place = finding.evidence.first();
    let place = place.map(|seen| (seen.file.as_deref(), seen.line));
    (Reverse(finding.severity), place, &*finding.code)
}

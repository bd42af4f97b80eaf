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

mod auth;
mod cache;
mod certificate;
mod ciphers;
mod context;
mod credentials;
mod level;
mod logging;
mod maps;
mod names;
mod obsolete;
mod outbound;
mod policy;
mod protocols;
mod rule;
mod services;
mod syntax;
mod values;

pub use rule::Rule;
pub(crate) use rule::rule as row;

use crate::{Facts, Finding, PostfixVersion};
use context::Context;
use postfix_cf::{MainCf, MasterCf};
use std::cmp::Reverse;
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
}

/// All rules, by code.
pub static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let mut rules: Vec<Rule> = FAMILIES.concat();
    rules.sort_by_key(|rule| rule.code);
    rules
});

const FAMILIES: &[&[Rule]] = &[
    syntax::RULES,
    values::RULES,
    names::RULES,
    obsolete::RULES,
    level::RULES,
    auth::RULES,
    services::RULES,
    certificate::RULES,
    protocols::RULES,
    ciphers::RULES,
    outbound::RULES,
    maps::RULES,
    policy::RULES,
    credentials::RULES,
    cache::RULES,
    logging::RULES,
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
    let others = certificate::EXPLAINED.iter();
    let mut others = others
        .chain(crate::preflight::RULES)
        .chain(crate::policy::EXPLAINED)
        .chain(crate::policy::FAULTS_EXPLAINED);
    rule(code).or_else(|| others.find(|rule| rule.code == code))
}

/// What is to be said about a configuration: worst first, then by place.
pub fn lint(input: &LintInput<'_>) -> Vec<Finding> {
    let context = Context::new(input);
    let mut findings = Vec::new();
    for family in [
        syntax::run,
        values::run,
        names::run,
        obsolete::run,
        level::run,
        auth::run,
        services::run,
        certificate::run,
        protocols::run,
        ciphers::run,
        outbound::run,
        maps::run,
        policy::run,
        credentials::run,
        cache::run,
        logging::run,
    ] {
        family(&context, &mut findings);
    }
    let mut findings = rule::merge(findings);
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    rule::limited(findings)
}

/// Worst first, then by place.
fn order(finding: &Finding) -> impl Ord + use<'_> {
    let place = finding.evidence.first();
    let place = place.map(|seen| (seen.file.as_deref(), seen.line));
    (Reverse(finding.severity), place, &*finding.code)
}

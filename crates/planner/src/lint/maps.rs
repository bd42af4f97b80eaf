//! Lookup tables of TLS parameters: types that the build lacks, files that are not there.
//!
//! Owns: which file a `type:name` opens. Never: what stands in it.

use super::context::{Context, Setting};
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{self, Error, Fatal, Warning};
use crate::catalog::{Direction, Kind};
use crate::compile::{is_policy_map, sni};
use crate::facts::{Facts, FileLook};
use std::path::Path;

/// The rules.
pub(super) const RULES: &[Rule] = &[MISSING, NOT_BUILT, WITHOUT_KEYS];

#[rustfmt::skip]
const MISSING: Rule = rule("maps.missing", Fatal, "lookup table without a file",
    "The table cannot be opened; where it holds the client's policy, all its mail is deferred.",
    "Make the file and run postmap on it (postmap -F for SNI), or take the table out.");
#[rustfmt::skip]
const NOT_BUILT: Rule = rule("maps.type-not-built", Fatal, "table type that this Postfix lacks",
    "The table cannot be opened (unsupported dictionary type); where it holds the client's policy, all its mail is deferred.",
    "Use a type that postconf -m lists, or install the package with that type.");

#[rustfmt::skip]
const WITHOUT_KEYS: Rule = rule("maps.without-keys", Error, "map of server names that was compiled without its files",
    "It holds the names of files in place of keys (postmap without -F): smtpd(8) ends every handshake for a name that it lists.",
    "Run postmap -F on it, then postfix reload.");

/// Looks at every table of a TLS parameter.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(facts) = context.facts else {
        return;
    };
    for setting in context.all_settings() {
        let Some(parameter) = setting.parameter.filter(|p| p.kind == Kind::MapList) else {
            continue;
        };
        if !parameter.exists_in(context.version) {
            continue;
        }
        let Some(value) = context.expanded(setting) else {
            continue;
        };
        // Missing SNI tables leave the default certificate; missing policies stop the mail.
        let severity = match parameter.direction {
            Direction::Inbound | Direction::Shared => Warning,
            Direction::Outbound | Direction::Tlsproxy => Fatal,
        };
        for element in postfix_cf::elements(&value) {
            out.extend(judge(context, facts, setting, severity, element));
        }
    }
}

/// Tables of names of a server are no policy: no mail waits for them.
fn why(rule: &Rule, severity: Severity) -> &'static str {
    match severity {
        Warning => {
            "The table cannot be opened: clients that ask for a name of it get the default certificate."
        }
        _ => rule.why,
    }
}

fn judge(
    context: &Context<'_>,
    facts: &Facts,
    setting: &Setting<'_>,
    severity: Severity,
    element: &str,
) -> Option<Finding> {
    let (kind, name) = opened(element)?;
    let built = facts.map_types.is_empty() || facts.map_types.iter().any(|t| t == kind);
    if !built {
        let message = format!(
            "{}: this Postfix has no tables of type {kind}. {}",
            setting.name,
            why(&NOT_BUILT, severity)
        );
        return Some(NOT_BUILT.says(message).on(Some(setting)).severe(severity));
    }
    if setting.name == sni::PARAMETER
        && let Some(finding) = without_keys(element, facts)
    {
        return Some(finding.on(Some(setting)));
    }
    let path = format!("{name}{}", suffix(kind)?);
    if !matches!(context.look(&path), Some(FileLook::Missing)) {
        return None;
    }
    let message = format!(
        "{}: there is no {path}. {}",
        setting.name,
        why(&MISSING, severity)
    );
    let mut finding = MISSING.says(message).on(Some(setting)).severe(severity);
    if is_policy_map(&format!("{kind}:{name}")) {
        finding.remedy = "`postseal drift --restore` makes it anew from the rules.".to_owned();
    }
    Some(finding)
}

/// That an administrator's own map of server names was compiled without its files; `element` of the
/// parameter's value.
pub(crate) fn without_keys(element: &str, facts: &Facts) -> Option<Finding> {
    let (kind, source) = opened(element)?;
    // What is read as text has its files opened by smtpd(8) itself.
    let suffix = suffix(kind).filter(|suffix| !suffix.is_empty())?;
    let compiled = format!("{source}{suffix}");
    let bytes = |path: &str| match facts.files.get(Path::new(path)) {
        Some(FileLook::File { bytes, .. }) => Some(bytes),
        _ => None,
    };
    sni::lacks_keys(bytes(source)?, bytes(&compiled)?).then(|| {
        WITHOUT_KEYS.says(format!(
            "{}: {compiled} was compiled by postmap without -F. {}",
            sni::PARAMETER,
            WITHOUT_KEYS.why
        ))
    })
}

/// The type and the name of the table that is opened at last.
fn opened(element: &str) -> Option<(&str, &str)> {
    let element = element.trim_start_matches('{').trim_start();
    let (mut kind, mut name) = element.split_once(':')?;
    while kind == "proxy" {
        (kind, name) = name.split_once(':')?;
    }
    Some((kind, name))
}

/// What the name of the file that is opened ends with, beside the table's.
fn suffix(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "hash" | "btree" => ".db",
        "lmdb" => ".lmdb",
        "cdb" => ".cdb",
        "dbm" | "sdbm" => ".pag",
        "texthash" | "regexp" | "pcre" | "cidr" => "",
        _ => return None,
    })
}

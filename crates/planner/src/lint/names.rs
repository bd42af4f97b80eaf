//! Names: misspelt ones, and ones that the version does not know.
//!
//! Owns: what counts as a slip, and what is said of a Postfix before the catalogue. Never: knows names (`catalog` does).

use super::context::{Context, Setting, looks_like_tls};
use super::fix;
use super::rule::{Place as _, Rule, rule};
use crate::Severity::{Error, Info, Warning};
use crate::catalog::{self, Parameter, State};
use crate::{Finding, PostfixVersion};
use std::collections::HashSet;

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[MISSPELT, UNKNOWN, NOT_IN_VERSION, TOO_OLD];

#[rustfmt::skip]
const MISSPELT: Rule = rule("name.misspelt", Error, "misspelt parameter",
    "Postfix takes it for a parameter of your own and ignores it.",
    "Correct the name.");
#[rustfmt::skip]
const UNKNOWN: Rule = rule("name.unknown", Warning, "unknown TLS parameter",
    "No Postfix from 3.4 to 3.11 knows it; it has no effect.",
    "Delete the line, or look the name up in postconf(5).");
#[rustfmt::skip]
const NOT_IN_VERSION: Rule = rule("name.not-in-version", Warning, "parameter of a newer Postfix",
    "The installed Postfix does not know it; it has no effect.",
    "Delete the line, or upgrade Postfix.");
#[rustfmt::skip]
const TOO_OLD: Rule = rule("name.version-too-old", Info, "Postfix older than the catalogue",
    "Postseal knows the parameters of Postfix from 3.4 on. Names, values and defaults are judged as of 3.4; what such an old Postfix makes of them is undetermined.",
    "Upgrade Postfix; until then hold what is said against its own postconf(5).");

/// Looks at every name.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    let is_too_old = |version: &PostfixVersion| *version < catalog::OLDEST;
    if let Some(version) = context.known_version.filter(is_too_old) {
        let found = TOO_OLD.says(format!(
            "This is judged for Postfix {version}. {}",
            TOO_OLD.why
        ));
        out.push(found.seen(format!("Postfix {version}")));
    }
    let mut transports: Option<HashSet<&str>> = None;
    let mut strangers = 0;
    for setting in context.all_settings() {
        let Some(parameter) = setting.parameter else {
            if looks_like_tls(&setting.name)
                // Said of the file (`syntax.byte-order-mark`).
                && !setting.name.starts_with('\u{feff}')
                // What a value refers to is an administrator's own, whatever it looks like.
                && !context.refers_to(&setting.name)
                && !belongs_to_a_transport(
                    transports.get_or_insert_with(|| context.service_names()),
                    &setting.name,
                )
            {
                strangers += 1;
                let meant = (strangers <= SLIPS).then(|| catalog::nearest(&setting.name));
                out.push(stranger(setting, meant.flatten()));
            }
            continue;
        };
        let not_yet = |version| parameter.state(version) == State::NotYet;
        if let Some(version) = context.known_version.filter(|v| not_yet(*v)) {
            let message = format!(
                "{} exists from Postfix {}.{} on; {version} ignores it.",
                setting.name, parameter.since.major, parameter.since.minor
            );
            let found = NOT_IN_VERSION.says(message).on(Some(setting));
            out.push(found.mended_by(fix::absent(context, setting)));
        }
    }
}

/// What a hand slips over in one file; beyond that, names are no slips, and looking for what was
/// meant costs time.
const SLIPS: usize = 100;

fn stranger(setting: &Setting<'_>, meant: Option<&Parameter>) -> Finding {
    match meant {
        Some(meant) => MISSPELT
            .says(format!(
                "{} is not a Postfix parameter and has no effect; {} is meant, it seems.",
                setting.name, meant.name
            ))
            .on(Some(setting))
            .remedy(format!("Write {}.", meant.name)),
        None => UNKNOWN
            .says(format!(
                "No Postfix knows {}; it has no effect.",
                setting.name
            ))
            .on(Some(setting)),
    }
}

/// `NAME_…` parameters of a transport called NAME in master.cf (`smtp_tls_relay_time_limit`…).
fn belongs_to_a_transport(services: &HashSet<&str>, name: &str) -> bool {
    TRANSPORT_STEMS.iter().any(|stem| {
        name.strip_suffix(stem)
            .and_then(|rest| rest.strip_suffix('_'))
            .is_some_and(|service| services.contains(service))
    })
}

/// What qmgr(8) and spawn(8) read for a transport by its name.
const TRANSPORT_STEMS: &[&str] = &[
    "destination_concurrency_limit",
    "destination_recipient_limit",
    "destination_rate_delay",
    "initial_destination_concurrency",
    "recipient_limit",
    "time_limit",
    "transport_rate_delay",
];

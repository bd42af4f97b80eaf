//! A file that is no main.cf at all.
//!
//! Owns: telling it from one with mistakes. Never: judges its lines.

use super::context::Context;
use super::rule::{Rule, rule};
use crate::Finding;
use crate::Severity::Fatal;
use postfix_cf::FindingCode;

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[NOT_MAIN];

#[rustfmt::skip]
const NOT_MAIN: Rule = rule("syntax.not-main-cf", Fatal, "a file that is no main.cf",
    "Most of it cannot be read as main.cf, and nothing in it sets a parameter of Postfix: every Postfix program would die of it.",
    "Name the right file; `postconf -h config_directory` says where main.cf is.");

/// One slip, or two, are mistakes.
const LINES: usize = 3;

/// How the names of most parameters begin, and nearly no others.
const BEGINNINGS: [&str; 28] = [
    "alias_",
    "biff",
    "command_",
    "compatibility_level",
    "daemon_",
    "data_directory",
    "default_",
    "inet_",
    "lmtp_",
    "local_",
    "mail_",
    "mailbox_",
    "maillog_",
    "milter_",
    "mydestination",
    "mydomain",
    "myhostname",
    "mynetworks",
    "myorigin",
    "postscreen_",
    "queue_",
    "relay_",
    "relayhost",
    "smtp_",
    "smtpd_",
    "tls_",
    "transport_",
    "virtual_",
];

/// What is said of it, and nothing else: once, whatever its lines are.
pub(super) fn found(context: &Context<'_>) -> Option<Finding> {
    let (path, main) = context.main?;
    if main.entries().any(|one| is_postfixs(&one.name())) {
        return None;
    }
    let found = main.findings();
    let unreadable = |one: &&postfix_cf::Finding| {
        matches!(
            one.code,
            FindingCode::MissingEquals | FindingCode::MissingName
        )
    };
    // A parameter without its = is a slip in a main.cf.
    let unreadable: Vec<&postfix_cf::Finding> = found.iter().filter(unreadable).collect();
    let first = unreadable.first()?;
    let lines: usize = unreadable.iter().map(|one| 1 + one.more).sum();
    if lines < LINES || unreadable.iter().any(|one| is_postfixs(&one.subject)) {
        return None;
    }
    let message = format!(
        "{} is no main.cf: {lines} of its lines cannot be read as settings, and no other sets a parameter of Postfix.",
        path.display()
    );
    Some(
        NOT_MAIN
            .says(message)
            .at(path, first.line, first.subject.clone()),
    )
}

/// Whether a name may be one of Postfix's own.
fn is_postfixs(name: &str) -> bool {
    let name = name.trim_start_matches('\u{feff}');
    BEGINNINGS.iter().any(|begin| name.starts_with(begin))
}

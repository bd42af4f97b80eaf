//! Log levels and the Received header.
//!
//! Owns: too much and too little said about TLS. Never: what is in a log.

use super::context::{Context, ServerTls};
use super::fix;
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Info, Warning};
use mailtls::Level;

/// The rules.
pub(super) const RULES: &[Rule] = &[TOO_MUCH, SILENT_IN, SILENT_OUT, NO_HEADER];

#[rustfmt::skip]
const TOO_MUCH: Rule = rule("logging.too-much", Warning, "TLS log level above 1",
    "Levels from 2 on are for debugging: they slow mail down, and 4 writes the mail itself into the log.",
    "Set it to 1.");
#[rustfmt::skip]
const SILENT_IN: Rule = rule("logging.inbound-silent", Info, "inbound TLS is not logged",
    "At smtpd_tls_loglevel 0 no line tells which sessions were encrypted.",
    "Set smtpd_tls_loglevel = 1.");
#[rustfmt::skip]
const SILENT_OUT: Rule = rule("logging.outbound-silent", Info, "outbound TLS is not logged",
    "At smtp_tls_loglevel 0 no line tells which deliveries were encrypted (before Postfix 3.11).",
    "Set smtp_tls_loglevel = 1.");
#[rustfmt::skip]
const NO_HEADER: Rule = rule("logging.no-received-header", Info, "no TLS facts in Received",
    "The Received header does not tell recipients how the mail came.",
    "Set smtpd_tls_received_header = yes.");

/// Looks at main.cf and the servers.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    for setting in context.all_settings() {
        let loud = setting.name.ends_with("_tls_loglevel")
            && context.expanded(setting).is_some_and(|v| is_loud(&v));
        if loud {
            let message = format!("{} is {}. {}", setting.name, setting.value, TOO_MUCH.why);
            let found = TOO_MUCH.says(message).on(Some(setting));
            out.push(found.mended_by(fix::written(context, setting, "1")));
        }
    }
    let offers = |s: &_| !matches!(context.server_tls(*s), ServerTls::Off | ServerTls::Unknown);
    if let Some(server) = context.servers().into_iter().find(offers) {
        let off = |name: &str, zero: &str| context.text(server, name).is_some_and(|v| v == zero);
        if off("smtpd_tls_loglevel", "0") {
            out.push(
                SILENT_IN
                    .found()
                    .on(context.set(server, "smtpd_tls_loglevel"))
                    .or_seen("smtpd_tls_loglevel is not set")
                    .or_seen("smtpd_tls_loglevel is not set"),
            );
        }
        if off("smtpd_tls_received_header", "no") {
            out.push(
                NO_HEADER
                    .found()
                    .on(context.set(server, "smtpd_tls_received_header"))
                    .or_seen("smtpd_tls_received_header is not set")
                    .or_seen("smtpd_tls_received_header is not set"),
            );
        }
    }
    if context.main.is_some()
        && !context.known_version.is_some_and(|v| v.at_least(3, 11))
        && context
            .client_level(None)
            .is_some_and(|level| level != Level::None)
        && context
            .text(None, "smtp_tls_loglevel")
            .is_some_and(|v| v == "0")
    {
        out.push(
            SILENT_OUT
                .found()
                .on(context.set(None, "smtp_tls_loglevel"))
                .or_seen("smtp_tls_loglevel is not set")
                .or_seen("smtp_tls_loglevel is not set"),
        );
    }
}

fn is_loud(value: &str) -> bool {
    let words = [
        "debug",
        "ssl-expert",
        "ssl-developer",
        "ssl-session-packet-dump",
    ];
    value.split([',', ' ', '\t']).any(|word| {
        word.parse::<u8>().is_ok_and(|level| level > 1)
            || words.iter().any(|loud| loud.eq_ignore_ascii_case(word))
    })
}

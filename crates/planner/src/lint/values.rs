//! Values of the wrong type, by the catalogue's check.
//!
//! Owns: how grave each is for the parameter at hand. Never: checks itself (`catalog` does).

use super::context::{Context, Latent, Setting, unless};
use super::fix;
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{self, Error, Fatal, Info, Warning};
use crate::catalog::{Direction, Ending, Kind, Parameter, Reason, State};
use crate::finding::Fix;

/// The rules; codes are those of [`Reason`].
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule("value.inline-comment", Error, "comment after a value",
        "main.cf has no comments after a value; a boolean, number or level with one kills the service.",
        "Put the comment on a line of its own, with # in the first column."),
    rule("value.control-character", Error, "control character in a value",
        "It is part of the value, and the value is not what it looks like.",
        "Write the value anew."),
    rule("value.empty", Fatal, "nothing where a value is needed",
        "Every process that reads the parameter dies: bad string length, bad numerical value.",
        "Delete the line to get the default."),
    rule("value.boolean", Fatal, "neither yes nor no",
        "Every process that reads the parameter dies (bad boolean configuration); the port accepts connections and never answers.",
        "Write yes or no."),
    rule("value.number", Fatal, "not a number",
        "Every process that reads the parameter dies (bad numerical configuration).",
        "Write decimal digits only."),
    rule("value.time", Fatal, "not a time",
        "Every process that reads the parameter dies (bad time value).",
        "Write a number and s, m, h, d or w in lower case, without a blank."),
    rule("value.level", Fatal, "not a TLS level",
        "Every process that reads the parameter dies (Invalid TLS level).",
        "Write none, may or encrypt; for the client also dane, dane-only, fingerprint, verify, secure."),
    rule("value.level-of-client", Warning, "level of the client on the server",
        "The server warns and uses encrypt.",
        "Write encrypt, or may on a public port 25."),
    rule("value.protocols", Error, "protocol list that Postfix cannot use",
        "The server switches TLS off and answers STARTTLS with 454; a client at may sends in clear.",
        "Write >=TLSv1.2 (before Postfix 3.6: !SSLv2, !SSLv3, !TLSv1, !TLSv1.1)."),
    rule("value.grade", Error, "not a cipher grade",
        "The server answers 220 to STARTTLS and drops the connection.",
        "Write medium or high."),
    rule("value.grade-obsolete", Warning, "cipher grade that is no more",
        "low and export mean medium since Postfix 3.8.",
        "Write medium or high."),
    rule("value.ciphers", Error, "character that no cipher list has",
        "OpenSSL refuses the list, and handshakes fail.",
        "Write OpenSSL cipher names with colons between them."),
    rule("value.exclusion", Error, "sign before an excluded cipher",
        "Postfix refuses it (invalid unary '!+-@' in cipher exclusion); the server answers 220 and drops the connection.",
        "Write the names without a sign."),
    rule("value.digest", Error, "not a digest",
        "Postfix switches TLS off.",
        "Write sha256."),
    rule("value.path", Error, "not an absolute path",
        "Postfix looks below its queue directory, finds nothing, and switches TLS off.",
        "Write the path from / on, or nothing after the = where no file is wanted."),
    rule("value.table-type", Error, "no such type of lookup table",
        "A policy table that cannot be opened defers all mail of the client.",
        "Write one of the types that postconf -m lists."),
    rule("value.table-form", Fatal, "lookup table without a type",
        "Every process that reads the parameter dies (expecting type:name form).",
        "Write type:name."),
    rule("value.cache-type", Warning, "table that cannot hold sessions",
        "tlsmgr(8) cannot open it; sessions are not resumed.",
        "Write btree:${data_directory}/NAME, or lmdb: where btree is not built in."),
    rule("value.random-source", Fatal, "no source of random bytes",
        "tlsmgr(8) exits in a loop, and every smtpd with TLS hangs.",
        "Write dev:/dev/urandom, or delete the line."),
    rule("value.word", Warning, "not one of the words",
        "Postfix ignores it or uses something else.",
        "Write one of the words that postconf(5) lists."),
    rule("value.server-name", Error, "not a host name",
        "The TLS client cannot use it: deliveries are deferred.",
        "Write hostname, nexthop or a host name."),
];

/// Checks every value.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    for setting in context.all_settings() {
        let Some(parameter) = setting.parameter else {
            continue;
        };
        let state = parameter.state(context.version);
        if matches!(
            state,
            State::NotYet | State::Ended(Ending::Ignored | Ending::Gone)
        ) {
            continue;
        }
        if let Some(reason) = refusal(context, setting, parameter) {
            out.extend(finding(context, setting, parameter, reason));
        }
    }
}

/// The reason against the value as written, else against its expansion.
fn refusal(context: &Context<'_>, setting: &Setting<'_>, parameter: &Parameter) -> Option<Reason> {
    let check = |value: &str| parameter.check(value, context.version).err();
    check(setting.value.trim()).or_else(|| {
        let value = context.expanded_if_needed(setting)?;
        check(&value)
    })
}

fn finding(
    context: &Context<'_>,
    setting: &Setting<'_>,
    parameter: &Parameter,
    reason: Reason,
) -> Option<Finding> {
    let rule = RULES.iter().find(|rule| rule.code == reason.code)?;
    let severity = severity(context, parameter, &reason, rule.severity);
    let message = format!("{}: {}.", setting.name, reason.message);
    Some(
        rule.says(message)
            .on(Some(setting))
            .severe(severity)
            .remedy(reason.remedy)
            .mended_by(mended(context, setting, reason.code)),
    )
}

/// What was meant, where that is beyond doubt.
fn mended(context: &Context<'_>, setting: &Setting<'_>, code: &str) -> Option<Fix> {
    let value = setting.value.trim();
    match code {
        "value.empty" | "value.random-source" => fix::absent(context, setting),
        "value.grade-obsolete" => fix::written(context, setting, "medium"),
        "value.level-of-client" => fix::written(context, setting, "encrypt"),
        "value.inline-comment" => {
            let (meant, _) = value.split_once('#')?;
            fix::written(context, setting, meant.trim())
        }
        "value.path" => {
            let nothing = ["no", "none", "off"].contains(&&*value.to_ascii_lowercase());
            let trust = setting.name.ends_with("_CApath") || setting.name.ends_with("_CAfile");
            (nothing && trust).then(|| fix::absent(context, setting))?
        }
        "value.exclusion" if !value.contains('$') => {
            let words = value.split([',', ':', ' ', '\t']).filter(|w| !w.is_empty());
            let bare = words.map(|word| word.trim_start_matches(['!', '-']));
            let bare: Vec<&str> = bare.collect();
            fix::written(context, setting, &bare.join(", "))
        }
        _ => None,
    }
}

/// How grave a refusal is for this parameter, as 3.7.11 reacted.
fn severity(context: &Context<'_>, p: &Parameter, reason: &Reason, usual: Severity) -> Severity {
    let name = p.name.as_str();
    match (reason.code, p.kind) {
        ("value.inline-comment", Kind::Bool | Kind::Integer(_) | Kind::Time(_)) => Fatal,
        ("value.inline-comment", Kind::ServerLevel | Kind::ClientLevel) => Fatal,
        ("value.inline-comment", Kind::SslOptions(_) | Kind::Groups) => Warning,
        // Without that file Postfix takes its own groups.
        ("value.path", Kind::Directory | Kind::DhFile) => Warning,
        ("value.table-type", _) if name.ends_with("policy_maps") => Fatal,
        ("value.table-type", _) => Warning,
        ("value.word", Kind::Word(_)) if name.ends_with("dns_support_level") => Fatal,
        ("value.word", Kind::WordList(_)) if name.contains("_sasl_") => Fatal,
        ("value.word", Kind::Word(_)) if name.ends_with("insecure_mx_policy") => Fatal,
        ("value.word", Kind::Word(_)) if name.ends_with("eecdh_grade") => Info,
        ("value.protocols" | "value.grade" | "value.exclusion", _) => {
            unless(latent(context, p), usual)
        }
        _ => usual,
    }
}

/// A mandatory_* of the server while no server demands TLS, or the other way round.
fn latent(context: &Context<'_>, parameter: &Parameter) -> Latent {
    if parameter.direction != Direction::Inbound {
        return Latent::No;
    }
    let used = match parameter.name.contains("_mandatory_") {
        true => context.some_server_demands(),
        // The exclusions for all levels are used by servers that demand TLS too.
        false if parameter.name.ends_with("exclude_ciphers") => true,
        false => context.some_server_offers(),
    };
    match used {
        true => Latent::No,
        false => Latent::Yes,
    }
}

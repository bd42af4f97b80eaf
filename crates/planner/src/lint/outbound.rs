//! The SMTP client: levels that cannot be kept, and mail in clear.
//!
//! Owns: what a client level needs beside itself. Never: policy rows (a table's content is not
//! looked at here).

use super::context::{Context, Service, Setting};
use super::fix;
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Info, Warning};
use crate::preflight::NoDane;
use mailtls::Level;

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    CLEAR, DANE_WITHOUT_DNSSEC, NO_TRUST, NO_FINGERPRINT, WEAK_DIGEST, WRAPPER, MANDATORY,
    FILTER_INHERITS, CLIENT_CERTIFICATE, PER_SITE,
];

#[rustfmt::skip]
const CLEAR: Rule = rule("outbound.cleartext", Warning, "mail is sent in clear",
    "The client does not use TLS, though nearly every server offers it.",
    "Set smtp_tls_security_level = may, or dane where the resolver validates DNSSEC.");
#[rustfmt::skip]
const DANE_WITHOUT_DNSSEC: Rule = rule("outbound.dane-without-dnssec", Error, "DANE without DNSSEC",
    "Without smtp_dns_support_level = dnssec Postfix looks up no TLSA records: dane acts as may, and dane-only defers all mail.",
    "Set smtp_dns_support_level = dnssec, with a validating resolver on this host.");
#[rustfmt::skip]
const NO_TRUST: Rule = rule("outbound.nothing-to-verify-with", Error, "certificates checked against nothing",
    "No CA is trusted, so no server's certificate can be verified: all mail is deferred.",
    "Set smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt, or tls_append_default_CA = yes.");
#[rustfmt::skip]
const NO_FINGERPRINT: Rule = rule("outbound.no-fingerprint", Error, "level fingerprint without fingerprints",
    "No fingerprint is configured, so no server matches: all mail is deferred.",
    "Set the level in a policy row with match=, or set smtp_tls_fingerprint_cert_match.");
#[rustfmt::skip]
const WEAK_DIGEST: Rule = rule("outbound.weak-fingerprint-digest", Warning, "fingerprints with a broken digest",
    "Certificates with the same MD5 or SHA-1 fingerprint can be made.",
    "Set smtp_tls_fingerprint_digest = sha256 and record the fingerprints anew.");
#[rustfmt::skip]
const WRAPPER: Rule = rule("outbound.wrapper-without-encrypt", Error, "client wrapper mode without a demand for TLS",
    "Wrapper mode needs the level encrypt or stronger: all its mail is deferred (smtp_tls_wrappermode requires \"smtp_tls_security_level = encrypt\").",
    "Set smtp_tls_security_level = encrypt beside smtp_tls_wrappermode = yes.");
#[rustfmt::skip]
const MANDATORY: Rule = rule("outbound.mandatory-for-all", Warning, "TLS demanded of every server",
    "Mail to servers without TLS (or without what the level demands) waits in the queue and comes back after days.",
    "Set may (or dane) for all and demand more for single destinations with smtp_tls_policy_maps.");
#[rustfmt::skip]
const FILTER_INHERITS: Rule = rule("outbound.filter-inherits", Error, "TLS demanded of a content filter",
    "Content filters on this host speak no TLS: mail to them is deferred (TLS is required, but was not offered).",
    "Add -o smtp_tls_security_level=none to the filter's transport in master.cf.");
#[rustfmt::skip]
const CLIENT_CERTIFICATE: Rule = rule("outbound.client-certificate", Info, "certificate shown to every server",
    "The client needs no certificate unless a server asks for that one; some servers stumble over it.",
    "Delete smtp_tls_cert_file and its like, or set them with -o on the transport that needs them.");

#[rustfmt::skip]
const PER_SITE: Rule = rule("outbound.per-site-ignored", Error, "table of sites that is not asked any more",
    "Beside policy maps Postfix does not ask the table of sites at all: what it demands (MUST, MUST_NOPEERMATCH) is demanded no more, and that mail may go in clear.",
    "Make rules of its rows first: NONE becomes none, MAY becomes may, MUST_NOPEERMATCH becomes encrypt, MUST becomes verify. A row for a server's name becomes one for each next hop that leads there.");

const UNBIND: &str = "Nothing, where a server asks for it. Else `postseal cert unbind NAME --client`, \
    or bind it to the transport alone that needs it: `--client --transport TRANSPORT`.";

const IN_CLEAR_AGAIN: &str =
    "Mail to servers without TLS is delivered again, in clear; certificates are not checked.";

/// Looks at the client by main.cf, and at each service that is one.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    if context.main.is_none() {
        return;
    }
    defaults(context, out);
    let clients = context.services.iter().filter(|s| s.command == "smtp");
    for client in std::iter::once(None).chain(clients.map(Some)) {
        needs(context, client, out);
    }
    filter(context, out);
    context
        .services
        .iter()
        .for_each(|one| out.extend(per_site(context, one)));
    for name in [
        "smtp_tls_cert_file",
        "smtp_tls_chain_files",
        "smtp_tls_eccert_file",
    ] {
        if let Some(setting) = context.set(None, name).filter(|s| !s.value.is_empty()) {
            let bound = crate::compile::is_installed(&setting.value);
            let found = CLIENT_CERTIFICATE.found().on(Some(setting));
            out.push(if bound { found.remedy(UNBIND) } else { found });
        }
    }
}

/// The level for everything that has no rule of its own.
fn defaults(context: &Context<'_>, out: &mut Vec<Finding>) {
    let level = level_setting(context, None);
    let elsewhere = |name: &str| context.text(None, name).is_none_or(|v| !v.is_empty());
    match context.client_level(None) {
        Some(Level::None) if !elsewhere("smtp_tls_policy_maps") => {
            let relays = context.set(None, "smtp_tls_wrappermode").is_some();
            if !relays {
                let said = [
                    "smtp_tls_security_level",
                    "smtp_use_tls",
                    "smtp_enforce_tls",
                ];
                let said = said.iter().any(|name| context.set(None, name).is_some());
                let plain = !said && !is_delicate(context);
                let fix = plain.then(|| fix::at(context, None, "smtp_tls_security_level", "may"));
                let found = CLEAR.found().on(level).mended_by(fix.flatten());
                out.push(found.or_seen("smtp_tls_security_level is not set"));
            }
        }
        Some(strict) if strict.never_cleartext() && !elsewhere("relayhost") => {
            let fix = level.and_then(|level| fix::written(context, level, "may"));
            let fix = fix.map(|fix| fix.by_name(IN_CLEAR_AGAIN));
            out.push(MANDATORY.found().on(level).mended_by(fix));
        }
        _ => {}
    }
}

/// Whether passwords go along, for which may is too little, or TLS would not begin all the same.
fn is_delicate(context: &Context<'_>) -> bool {
    let names = ["smtp_sasl_auth_enable", "smtp_never_send_ehlo"];
    names.iter().any(|name| context.yes(None, name))
        || context.given(None, "smtp_sasl_password_maps")
        || context.given(None, "smtp_discard_ehlo_keywords")
}

fn level_setting<'s, 'a>(
    context: &'s Context<'a>,
    client: Option<&'s Service<'a>>,
) -> Option<&'s Setting<'a>> {
    context
        .set(client, "smtp_tls_security_level")
        .or_else(|| context.set(client, "smtp_enforce_tls"))
}

/// A table of sites beside policy maps (`smtp_tls_policy.c`: one or the other is opened).
fn per_site(context: &Context<'_>, client: &Service<'_>) -> Option<Finding> {
    let program = client.command.as_str();
    if !matches!(program, "smtp" | "lmtp") || client.kind != "unix" {
        return None;
    }
    let [sites, maps] = ["per_site", "policy_maps"].map(|end| format!("{program}_tls_{end}"));
    let table = context
        .text(Some(client), &sites)
        .filter(|table| !table.is_empty())?;
    if !context.given(Some(client), &maps) {
        return None;
    }
    let set = context.set(Some(client), &sites);
    let key = match set.and_then(|set| context.service_of(set)) {
        Some(own) => format!("{}/{}/{sites}", own.name, own.kind),
        None => sites.clone(),
    };
    let message = format!(
        "{sites} = {table} is ignored, because {maps} is set. {}",
        PER_SITE.why
    );
    let remedy = format!(
        "{} Then take it away: `postseal set param.{key}=default`.",
        PER_SITE.remedy
    );
    Some(PER_SITE.says(message).on(set).remedy(remedy))
}

/// What the level of one client rests on.
fn needs(context: &Context<'_>, client: Option<&Service<'_>>, out: &mut Vec<Finding>) {
    let Some(level) = context.client_level(client) else {
        return;
    };
    let place = level_setting(context, client);
    let empty = |name: &str| context.text(client, name).is_some_and(|v| v.is_empty());
    match level {
        Level::Dane | Level::DaneOnly => {
            if let Some(hindrance) = NoDane::of("smtp", |name| context.text(client, name)) {
                let set = context.set(client, hindrance.parameter());
                out.push(without_dane(hindrance).on(place).on(set));
            }
        }
        Level::Verify | Level::Secure => {
            let anchors = [
                "smtp_tls_CAfile",
                "smtp_tls_CApath",
                "smtp_tls_trust_anchor_file",
            ];
            let system = context.yes(client, "tls_append_default_CA");
            if anchors.iter().all(|name| empty(name)) && !system {
                out.push(NO_TRUST.found().on(place));
            }
        }
        Level::Fingerprint => {
            if empty("smtp_tls_fingerprint_cert_match") && empty("smtp_tls_policy_maps") {
                out.push(NO_FINGERPRINT.found().on(place));
            }
            weak_digest(context, client, out);
        }
        _ => {}
    }
    if context.yes(client, "smtp_tls_wrappermode") && empty("smtp_tls_policy_maps") {
        let mode = context.set(client, "smtp_tls_wrappermode");
        out.extend(wrapper(level).map(|found| found.on(mode).on(place)));
    }
}

/// What a level lacks for wrapper mode.
fn wrapper(level: Level) -> Option<Finding> {
    match level {
        Level::None | Level::May => Some(WRAPPER.found()),
        Level::Dane => {
            let message = "Without TLSA records dane means may, and wrapper mode needs the level \
                encrypt or stronger: mail to servers without such records is deferred.";
            Some(WRAPPER.says(message).severe(Warning))
        }
        _ => None,
    }
}

/// What stands in the way is not always `smtp_dns_support_level`.
fn without_dane(hindrance: NoDane) -> Finding {
    let found = match hindrance {
        NoDane::Support => return DANE_WITHOUT_DNSSEC.found(),
        other => DANE_WITHOUT_DNSSEC.says(format!(
            "Without {} Postfix looks up no TLSA records: dane acts as may, and dane-only defers \
             all mail.",
            other.needs()
        )),
    };
    found.remedy(hindrance.remedy())
}

fn weak_digest(context: &Context<'_>, client: Option<&Service<'_>>, out: &mut Vec<Finding>) {
    let name = "smtp_tls_fingerprint_digest";
    let Some(digest) = context.text(client, name) else {
        return;
    };
    if ["md5", "sha1"].contains(&&*digest.to_ascii_lowercase()) {
        let message = format!("{name} is {digest}. {}", WEAK_DIGEST.why);
        let set = context.set(client, name);
        let place = set.or_else(|| level_setting(context, client));
        out.push(WEAK_DIGEST.says(message).on(place));
    }
}

/// `content_filter = TRANSPORT:…` whose transport would demand TLS of a program on this host.
fn filter(context: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(filter) = context.set(None, "content_filter") else {
        return;
    };
    let Some((transport, hop)) = filter.value.split_once(':') else {
        return;
    };
    let host = hop.trim_start_matches('[');
    if !["127.", "localhost", "::1"]
        .iter()
        .any(|local| host.starts_with(local))
    {
        return;
    }
    let named = |s: &&Service<'_>| s.name == transport && s.kind == "unix";
    let Some(client) = context.services.iter().find(named) else {
        return;
    };
    // lmtp(8) reads lmtp_tls_security_level, which nobody sets by accident.
    if client.command != "smtp" {
        return;
    }
    let policy = context.given(Some(client), "smtp_tls_policy_maps");
    if context
        .client_level(Some(client))
        .is_some_and(Level::never_cleartext)
        && !policy
    {
        let level = level_setting(context, Some(client));
        let found = FILTER_INHERITS
            .found()
            .on(level)
            .on(Some(filter))
            .of(Some(client));
        // These deliver other mail too.
        let own = !["smtp", "relay"].contains(&transport);
        let fix = own.then(|| fix::at(context, Some(client), "smtp_tls_security_level", "none"));
        out.push(found.mended_by(fix.flatten()));
    }
}

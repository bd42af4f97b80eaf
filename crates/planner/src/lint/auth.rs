//! AUTH and TLS.
//!
//! Owns: passwords in clear, in and out. Never: whether SASL works at all.

use super::context::{Context, Reach, ServerTls, Service};
use super::fix;
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Warning};
use crate::credentials::credentials;
use mailtls::Level;

/// The rules.
pub(super) const RULES: &[Rule] = &[CLEAR, NEVER, RELAY_CLEAR];

#[rustfmt::skip]
const CLEAR: Rule = rule("auth.cleartext", Error, "passwords in clear",
    "AUTH is offered before TLS: passwords can be read on the way.",
    "Set smtpd_tls_auth_only = yes, or demand TLS on that service.");
#[rustfmt::skip]
const NEVER: Rule = rule("auth.never-offered", Error, "AUTH only under TLS, and no TLS",
    "smtpd_tls_auth_only hides AUTH until TLS starts, and the server offers no TLS: nobody can log in.",
    "Set smtpd_tls_security_level = may (on submission: encrypt) and a certificate.");
#[rustfmt::skip]
const RELAY_CLEAR: Rule = rule("auth.relay-password-in-clear", Warning, "password to the relay host possibly in clear",
    "The client logs in to servers at a level that does without TLS when the server does not offer it.",
    "Set smtp_tls_security_level = encrypt, or a policy for the relay host.");

const WITHOUT_TLS_NO_MORE: &str = "Mail programs that log in without TLS are turned away.";

/// Looks at every server that offers AUTH, and at the client.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    for server in context.servers() {
        if context.yes(server, "smtpd_sasl_auth_enable") {
            judge(context, server, out);
        }
    }
    relay(context, out);
}

fn judge(context: &Context<'_>, server: Option<&Service<'_>>, out: &mut Vec<Finding>) {
    let enabled = context.set(server, "smtpd_sasl_auth_enable");
    let only = context.set(server, "smtpd_tls_auth_only");
    let auth_only = context.yes(server, "smtpd_tls_auth_only");
    match context.server_tls(server) {
        ServerTls::Off if auth_only => {
            out.push(NEVER.found().on(enabled).on(only).of(server));
        }
        ServerTls::Off | ServerTls::May
            if !auth_only
                && !no_plaintext(context, server)
                && context.reach(server) == Reach::Network =>
        {
            let found = CLEAR.found().on(enabled).on(only).of(server);
            // Without TLS nobody could log in any more.
            let at = only.and_then(|only| context.service_of(only));
            let fix = (context.server_tls(server) == ServerTls::May)
                .then(|| fix::at(context, at, "smtpd_tls_auth_only", "yes"));
            let fix = fix.flatten().map(|fix| fix.by_name(WITHOUT_TLS_NO_MORE));
            out.push(found.mended_by(fix));
        }
        _ => {}
    }
}

/// Without TLS only mechanisms that do not show the password; or a value not known here.
fn no_plaintext(context: &Context<'_>, server: Option<&Service<'_>>) -> bool {
    context
        .text(server, "smtpd_sasl_security_options")
        .is_none_or(|options| {
            options
                .split([',', ' ', '\t'])
                .any(|word| word.eq_ignore_ascii_case("noplaintext"))
        })
}

fn relay(context: &Context<'_>, out: &mut Vec<Finding>) {
    let known = context
        .facts
        .is_some_and(|facts| !credentials(facts).keys.is_empty());
    if known {
        // Told of each next hop, by outbound.credentials-in-clear.
        return;
    }
    let enabled = context.set(None, "smtp_sasl_auth_enable");
    let weak = matches!(context.client_level(None), Some(Level::None | Level::May));
    let by_policy = context
        .text(None, "smtp_tls_policy_maps")
        .is_none_or(|maps| !maps.is_empty());
    let hides = context
        .text(None, "smtp_sasl_security_options")
        .is_none_or(|options| options.to_ascii_lowercase().contains("noplaintext"));
    if context.yes(None, "smtp_sasl_auth_enable") && weak && !by_policy && !hides {
        let level = context.set(None, "smtp_tls_security_level");
        out.push(RELAY_CLEAR.found().on(enabled).on(level));
    }
}

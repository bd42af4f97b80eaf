//! Levels of the SMTP server: what they break, and what keeps them from being kept.
//!
//! Owns: server levels against ports, loopback listeners and certificates configured. Never:
//! certificates themselves (`certificate`), AUTH (`auth`), the client (`outbound`).

use super::context::{Context, Reach, ServerTls, Service};
use super::fix;
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Fatal, Info, Warning};
use crate::facts::FileLook;
use crate::finding::Fix;

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    NO_CERTIFICATE, OFF, CERTIFICATE_UNUSED, MANDATORY_ON_25, LOOPBACK_INHERITS, WRAPPER_PORT,
    SMTPS_WITHOUT_WRAPPER, WRAPPER_LEVEL, SUBMISSION_NOT_ENCRYPTED, CLIENT_CERT_NOT_REQUIRED,
];

#[rustfmt::skip]
const NO_CERTIFICATE: Rule = rule("level.no-certificate", Error, "TLS without a certificate",
    "The server offers STARTTLS and answers it with 454 TLS not available; many clients then send in clear.",
    "Set smtpd_tls_chain_files to a file with the key and its certificate chain, key first.");
#[rustfmt::skip]
const OFF: Rule = rule("level.inbound-off", Info, "no TLS on a server",
    "The server does not offer STARTTLS: everything reaches it in clear.",
    "Set smtpd_tls_security_level = may and a certificate.");
#[rustfmt::skip]
const CERTIFICATE_UNUSED: Rule = rule("level.certificate-unused", Warning, "certificate without TLS",
    "A certificate is configured, but no level: STARTTLS is not offered, and the certificate is not used.",
    "Set smtpd_tls_security_level = may.");
#[rustfmt::skip]
const MANDATORY_ON_25: Rule = rule("level.mandatory-on-public-25", Warning, "TLS demanded on public port 25",
    "Mail from servers without TLS is refused with 530 and bounces (RFC 3207, section 4 forbids it on a public server).",
    "Set smtpd_tls_security_level = may for port 25, unless only known peers connect.");
#[rustfmt::skip]
const LOOPBACK_INHERITS: Rule = rule("level.loopback-inherits", Error, "TLS demanded on a loopback listener",
    "Content filters hand mail back there without TLS: they get 530, and mail stops.",
    "Add -o smtpd_tls_security_level=none to the listener in master.cf.");
#[rustfmt::skip]
const WRAPPER_PORT: Rule = rule("level.wrapper-on-starttls-port", Fatal, "wrapper mode on a port for STARTTLS",
    "Clients wait for a greeting in clear that never comes: no mail gets in.",
    "Set smtpd_tls_wrappermode=yes only for smtps (465), with -o in master.cf.");
#[rustfmt::skip]
const SMTPS_WITHOUT_WRAPPER: Rule = rule("level.smtps-without-wrapper", Error, "port 465 without wrapper mode",
    "Clients start with TLS, the server with a greeting in clear: no session succeeds.",
    "Add -o smtpd_tls_wrappermode=yes to the service.");
#[rustfmt::skip]
const WRAPPER_LEVEL: Rule = rule("level.wrapper-ignores-level", Info, "wrapper mode beside a weaker level",
    "In wrapper mode TLS is always demanded; the level has no effect.",
    "Delete the level, or write encrypt for readers.");
#[rustfmt::skip]
const SUBMISSION_NOT_ENCRYPTED: Rule = rule("level.submission-not-encrypted", Warning, "submission without enforced TLS",
    "Clients may send mail and passwords in clear, by mistake or because someone between strips STARTTLS.",
    "Add -o smtpd_tls_security_level=encrypt to the service.");
#[rustfmt::skip]
const CLIENT_CERT_NOT_REQUIRED: Rule = rule("level.client-certificate-not-required", Warning, "client certificates required at an optional level",
    "Postfix warns (Can't require client certs unless TLS is required) and requires none.",
    "Set smtpd_tls_security_level = encrypt for that service, or smtpd_tls_req_ccert = no.");

const DROPPED: &str = "The server drops every connection: TLS from the first byte cannot begin without a certificate.";
const IN_CLEAR_AGAIN: &str = "Mail from servers that do not start TLS is taken again, in clear.";
const WITHOUT_TLS_NO_MORE: &str = "Mail programs that do not start TLS there are turned away.";

/// Where a certificate can be configured.
pub(super) const CERTIFICATES: [&str; 4] = [
    "smtpd_tls_chain_files",
    "smtpd_tls_cert_file",
    "smtpd_tls_eccert_file",
    "smtpd_tls_dcert_file",
];

/// Looks at every server.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    for server in context.servers() {
        let tls = context.server_tls(server);
        match tls {
            ServerTls::Unknown => continue,
            ServerTls::Off => off(context, server, out),
            _ => without_certificate(context, server, out),
        }
        if tls == ServerTls::Encrypt {
            demanded(context, server, out);
        }
        wrapper(context, server, tls, out);
        submission(context, server, tls, out);
        if tls == ServerTls::May && context.yes(server, "smtpd_tls_req_ccert") {
            let place = context.set(server, "smtpd_tls_req_ccert");
            out.push(CLIENT_CERT_NOT_REQUIRED.found().on(place));
        }
    }
}

fn off(context: &Context<'_>, server: Option<&Service<'_>>, out: &mut Vec<Finding>) {
    if context.reach(server) == Reach::Loopback {
        return;
    }
    let level = context.set(server, "smtpd_tls_security_level");
    let certificate = CERTIFICATES
        .iter()
        .filter_map(|name| context.set(None, name))
        // A value that cannot be expanded here names a file all the same.
        .find(|s| !s.value.is_empty() && context.expanded(s).is_none_or(|v| !v.is_empty()));
    match certificate {
        // `none` is said on purpose; nothing at all is forgotten.
        Some(set) if level.is_none_or(|l| l.value.is_empty()) => {
            let found = CERTIFICATE_UNUSED.found().on(Some(set)).of(server);
            out.push(found.mended_by(switched_on(context, server)));
        }
        _ => {
            let found = OFF.found().on(level).of(server);
            out.push(found.or_seen("smtpd_tls_security_level is not set"));
        }
    }
}

/// The level may, where nobody said no, and the certificate's files are there.
fn switched_on(context: &Context<'_>, server: Option<&Service<'_>>) -> Option<Fix> {
    let said = [
        "smtpd_use_tls",
        "smtpd_enforce_tls",
        "smtpd_tls_security_level",
    ];
    if said.iter().any(|name| context.set(server, name).is_some()) {
        return None;
    }
    let files = CERTIFICATES
        .iter()
        .filter_map(|name| context.text(None, name));
    let files: Vec<String> = files.collect();
    let mut paths = files
        .iter()
        .flat_map(|value| value.split([',', ' ', '\t']))
        .filter(|path| !path.is_empty());
    let there = |path: &str| matches!(context.look(path), Some(FileLook::File { .. }));
    paths
        .all(there)
        .then(|| fix::at(context, None, "smtpd_tls_security_level", "may"))?
}

fn without_certificate(
    context: &Context<'_>,
    server: Option<&Service<'_>>,
    out: &mut Vec<Finding>,
) {
    // A value that cannot be expanded here may well name a file.
    let none = |name: &&str| context.text(server, name).is_some_and(|v| v.is_empty());
    if CERTIFICATES.iter().all(none) {
        let level = context.set(server, "smtpd_tls_security_level");
        let wrapper = context.set(server, "smtpd_tls_wrappermode");
        let (found, at) = match context.server_tls(server) {
            ServerTls::Wrapper => (NO_CERTIFICATE.says(DROPPED), wrapper.or(level)),
            _ => (NO_CERTIFICATE.found(), level.or(wrapper)),
        };
        out.push(found.on(at).of(server));
    }
}

fn demanded(context: &Context<'_>, server: Option<&Service<'_>>, out: &mut Vec<Finding>) {
    let level = context.set(server, "smtpd_tls_security_level");
    let level = level.or_else(|| context.set(server, "smtpd_enforce_tls"));
    let on_25 = || {
        let fix = level.and_then(|level| fix::written(context, level, "may"));
        let fix = fix.map(|fix| fix.by_name(IN_CLEAR_AGAIN));
        MANDATORY_ON_25.found().on(level).mended_by(fix)
    };
    let Some(service) = server else {
        out.push(on_25());
        return;
    };
    let inherited = level.is_none_or(|level| level.service.is_none());
    match (context.reach(server), service.port()) {
        (Reach::Loopback, _) if inherited && !hears_everyone(context) => {}
        (Reach::Loopback, _) if inherited => {
            let found = LOOPBACK_INHERITS.found().on(level).of(server);
            let fix = fix::at(context, server, "smtpd_tls_security_level", "none");
            out.push(found.mended_by(fix));
        }
        (Reach::Network, Some(25)) => out.push(on_25().of(server)),
        _ if service.kind == "pass" => out.push(on_25().of(server)),
        _ => {}
    }
}

/// False where inet_interfaces itself is loopback: then no listener is special.
fn hears_everyone(context: &Context<'_>) -> bool {
    context.reach(None) == Reach::Network
}

fn wrapper(
    context: &Context<'_>,
    server: Option<&Service<'_>>,
    tls: ServerTls,
    out: &mut Vec<Finding>,
) {
    let mode = context.set(server, "smtpd_tls_wrappermode");
    let port = server.and_then(Service::port);
    match (tls, port) {
        (ServerTls::Wrapper, Some(25 | 587)) => {
            out.push(WRAPPER_PORT.found().on(mode).of(server));
        }
        (ServerTls::Wrapper, None) if server.is_none() => {
            out.push(WRAPPER_PORT.found().on(mode));
        }
        (ServerTls::Wrapper, _) => {
            let level = context.set(server, "smtpd_tls_security_level");
            let own = level.filter(|l| l.service.is_some());
            let weak = own.filter(|l| ["none", "may"].contains(&&*l.value.to_ascii_lowercase()));
            if let Some(weak) = weak {
                let found = WRAPPER_LEVEL.found().on(Some(weak));
                out.push(found.mended_by(fix::absent(context, weak)));
            }
        }
        (_, Some(465)) => {
            let found = SMTPS_WITHOUT_WRAPPER.found().on(mode).of(server);
            // What is said on purpose there stays.
            let said = mode.is_some_and(|mode| mode.service.is_some());
            let fix = (!said).then(|| fix::at(context, server, "smtpd_tls_wrappermode", "yes"));
            out.push(found.mended_by(fix.flatten()));
        }
        _ => {}
    }
}

fn submission(
    context: &Context<'_>,
    server: Option<&Service<'_>>,
    tls: ServerTls,
    out: &mut Vec<Finding>,
) {
    let on_587 = server.and_then(Service::port) == Some(587);
    if on_587
        && matches!(tls, ServerTls::May | ServerTls::Off)
        && context.reach(server) == Reach::Network
    {
        let level = context.set(server, "smtpd_tls_security_level");
        let found = SUBMISSION_NOT_ENCRYPTED.found().on(level).of(server);
        let fix = fix::at(context, server, "smtpd_tls_security_level", "encrypt");
        out.push(found.mended_by(fix.map(|fix| fix.by_name(WITHOUT_TLS_NO_MORE))));
    }
}

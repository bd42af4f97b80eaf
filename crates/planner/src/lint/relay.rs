//! The SMTP client against where it sends: relay host, wrapper mode, names that are checked.
//!
//! Owns: what a client's settings mean together at one next hop. Never: levels alone
//! (`outbound`), passwords (`sasl`, `credentials`).

use super::context::{Context, Setting};
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Info, Warning};
use crate::view::port_of;
use mailtls::Level;

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    NO_WRAPPER, WRAPPER_ON_STARTTLS, WRAPPER_FOR_ALL, SECURE_BY_MX, VERIFY_BY_MX, REPORTS_NOWHERE,
];

/// Parameters whose next hops on port 465 are told of here, and not with the routes of tables.
pub const KNOWN_ROUTES: [&str; 1] = ["relayhost"];

#[rustfmt::skip]
const NO_WRAPPER: Rule = rule("outbound.relay-465-without-wrapper", Error, "relay on port 465 without wrapper mode",
    "The server waits for TLS, the client for a greeting: mail is deferred after the time limit (conversation timed out).",
    "Set smtp_tls_wrappermode = yes and smtp_tls_security_level = encrypt (or stronger), or default_transport = NAME of a service of master.cf that has both by -o; or use port 587.");
#[rustfmt::skip]
const WRAPPER_ON_STARTTLS: Rule = rule("outbound.wrapper-on-starttls-relay", Error, "wrapper mode to a relay with STARTTLS",
    "The client starts TLS at once and the server greets in clear: the handshake fails, and mail is deferred.",
    "Delete smtp_tls_wrappermode, or use the relay's port 465.");
#[rustfmt::skip]
const WRAPPER_FOR_ALL: Rule = rule("outbound.wrapper-for-all", Error, "wrapper mode to every server",
    "Mail exchangers listen on port 25 and greet in clear: no handshake succeeds, and mail is deferred.",
    "Set smtp_tls_wrappermode=yes with -o on the transport that needs it.");
#[rustfmt::skip]
const SECURE_BY_MX: Rule = rule("outbound.secure-by-mx-name", Warning, "level secure by names out of DNS",
    "hostname stands for the MX host that DNS named: whoever forges the answer chooses the name, and the certificate matches.",
    "Take hostname out; the default is nexthop, dot-nexthop.");
#[rustfmt::skip]
const VERIFY_BY_MX: Rule = rule("outbound.verify-by-mx-name", Info, "level verify by names out of DNS",
    "verify compares the certificate with the MX host that DNS named: whoever forges the answer chooses the name.",
    "Use secure, or dane, where the sender must be sure; verify where DNS can be trusted.");
#[rustfmt::skip]
const REPORTS_NOWHERE: Rule = rule("outbound.tlsrpt-without-socket", Warning, "TLS reports without a collector",
    "smtp_tlsrpt_enable needs smtp_tlsrpt_socket_name: no result of a handshake is reported.",
    "Set smtp_tlsrpt_socket_name to the collector's socket, or delete smtp_tlsrpt_enable.");

/// Looks at the client by main.cf.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    if context.main.is_none() {
        return;
    }
    wrapper(context, out);
    names(context, out);
    let report = "smtp_tlsrpt_enable";
    let socket = context.text(None, "smtp_tlsrpt_socket_name");
    if context.yes(None, report) && socket.is_some_and(|socket| socket.is_empty()) {
        out.push(REPORTS_NOWHERE.found().on(context.set(None, report)));
    }
}

fn wrapper(context: &Context<'_>, out: &mut Vec<Finding>) {
    let mode = context.set(None, "smtp_tls_wrappermode");
    let [relayhost] = KNOWN_ROUTES;
    let relay = context.set(None, relayhost);
    let Some(hop) = context.text(None, relayhost) else {
        return;
    };
    let (everybody, nobody) = wraps(context);
    let everybody = is_sent(context, true, everybody);
    match port(&hop) {
        Some(465) if is_sent(context, false, nobody) => {
            out.push(NO_WRAPPER.found().on(relay).on(mode));
        }
        Some(25 | 587 | 2525) if everybody => {
            out.push(WRAPPER_ON_STARTTLS.found().on(mode).on(relay));
        }
        // A relay without a port is on 25.
        None if everybody && !hop.is_empty() => {
            out.push(WRAPPER_ON_STARTTLS.found().on(mode).on(relay));
        }
        None if everybody => out.push(WRAPPER_FOR_ALL.found().on(mode)),
        _ => {}
    }
}

/// Whether the relay host's mail, or that for mail exchangers, is sent by a client in wrapper mode, or by
/// one that is not: by that of default_transport, unless it has a next hop of its own. Where rows name
/// clients for senders, it may be any of them: what holds for all of them counts.
fn is_sent(context: &Context<'_>, wraps: bool, all: bool) -> bool {
    if context.given(None, "sender_dependent_default_transport_maps") {
        return all;
    }
    let Some(usual) = context.text(None, "default_transport") else {
        return all;
    };
    let (transport, own_hop) = usual.split_once(':').unwrap_or((&usual, ""));
    if !own_hop.trim().is_empty() {
        return false;
    }
    let mut services = context.services.iter();
    match services.find(|one| one.kind == "unix" && one.name == transport.trim()) {
        Some(one) => {
            one.command == "smtp" && context.yes(Some(one), "smtp_tls_wrappermode") == wraps
        }
        None => all,
    }
}

/// Whether all clients are in wrapper mode, and whether none is.
fn wraps(context: &Context<'_>) -> (bool, bool) {
    let services = context.services.iter();
    let clients = services.filter(|s| s.kind == "unix" && s.command == "smtp");
    let modes: Vec<bool> = clients
        .map(Some)
        .chain(context.master.is_none().then_some(None))
        .map(|client| context.yes(client, "smtp_tls_wrappermode"))
        .collect();
    let everybody = !modes.is_empty() && modes.iter().all(|on| *on);
    (everybody, modes.iter().all(|on| !*on))
}

/// `[host]:465`, `host:smtps`.
fn port(hop: &str) -> Option<u16> {
    let (host, port) = hop.trim().rsplit_once(':')?;
    let whole = !host.starts_with('[') || host.ends_with(']');
    whole.then(|| port_of(port)).flatten()
}

/// Names that are checked and that an attacker chooses.
fn names(context: &Context<'_>, out: &mut Vec<Finding>) {
    let name = "smtp_tls_secure_cert_match";
    if let Some(set) = context.set(None, name).filter(|s| by_mx(context, s)) {
        out.push(SECURE_BY_MX.found().on(Some(set)));
    }
    let verifies = context.client_level(None) == Some(Level::Verify);
    let matched = context.text(None, "smtp_tls_verify_cert_match");
    if verifies && matched.is_some_and(|words| has_hostname(&words)) {
        let level = context.set(None, "smtp_tls_security_level");
        let level = level.or_else(|| context.set(None, "smtp_enforce_tls"));
        out.push(VERIFY_BY_MX.found().on(level));
    }
}

fn by_mx(context: &Context<'_>, setting: &Setting<'_>) -> bool {
    let words = context.expanded(setting);
    words.is_some_and(|words| has_hostname(&words))
}

fn has_hostname(words: &str) -> bool {
    words
        .split([',', ':', ' ', '\t'])
        .any(|word| word.eq_ignore_ascii_case("hostname"))
}

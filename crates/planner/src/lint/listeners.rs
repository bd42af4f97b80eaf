//! Services of master.cf side by side: what listens where, and what is missing beside it.
//!
//! Owns: ports that two services share, services for mail programs, listeners behind a filter,
//! postscreen(8) and tlsproxy(8). Never: levels on ports (`level`), `-o` (`services`).

use super::context::{Context, Reach, ServerTls, Service};
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Info, Warning};
use crate::view::split_name;
use std::collections::HashMap;

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    SAME_PORT, NO_SUBMISSION, NO_IMPLICIT_TLS, OPEN_REINJECTION, REUSE_WITHOUT_PROXY, PROXY_LIMIT,
    NO_PASS, POSTSCREEN_ON_SUBMISSION, POSTSCREEN_DIFFERS,
];

#[rustfmt::skip]
const SAME_PORT: Rule = rule("service.same-port", Warning, "two services on one port",
    "Both names mean one port: master(8) warns (duplicate master.cf entry) and uses the last one; what the first one says has no effect.",
    "Keep one of the two.");
#[rustfmt::skip]
const NO_SUBMISSION: Rule = rule("service.no-submission", Info, "AUTH without a service for mail programs",
    "Mail programs use 465 and 587, where TLS can be demanded; on port 25 it cannot, and many networks block it.",
    "Take the # from submission and smtps (or submissions) in master.cf.");
#[rustfmt::skip]
const NO_IMPLICIT_TLS: Rule = rule("service.no-implicit-tls", Info, "submission without implicit TLS",
    "On 587 TLS begins with a word in clear that somebody between can take away; RFC 8314 wants 465 beside it.",
    "Take the # from smtps (or submissions) in master.cf.");
#[rustfmt::skip]
const OPEN_REINJECTION: Rule = rule("service.open-reinjection", Warning, "way around the content filter",
    "The listener takes mail back from the filter, and anybody on the network can reach it: what comes that way is not filtered.",
    "Let it listen on loopback only: write 127.0.0.1:PORT for its name in master.cf.");
#[rustfmt::skip]
const REUSE_WITHOUT_PROXY: Rule = rule("service.reuse-without-tlsproxy", Error, "connection reuse without tlsproxy(8)",
    "The client hands its TLS sessions to tlsproxy(8); without that service they fail, and mail is deferred or goes in clear.",
    "Add tlsproxy to master.cf as the stock file has it: tlsproxy unix - - y - 0 tlsproxy");
#[rustfmt::skip]
const PROXY_LIMIT: Rule = rule("service.tlsproxy-limit", Warning, "limit on tlsproxy(8)",
    "One tlsproxy(8) process serves many sessions and must not be waited for: the stock master.cf has 0 (no limit) as its seventh field.",
    "Write 0 in the seventh field of tlsproxy.");
#[rustfmt::skip]
const NO_PASS: Rule = rule("service.no-smtpd-behind-postscreen", Error, "postscreen(8) without an smtpd to pass to",
    "postscreen(8) hands good clients to the service smtpd of type pass; without it they get no further.",
    "Take the # from the line: smtpd pass - - y - - smtpd");
#[rustfmt::skip]
const POSTSCREEN_ON_SUBMISSION: Rule = rule("service.postscreen-on-submission", Error, "postscreen(8) before mail programs",
    "postscreen(8) has neither AUTH nor TLS from the first byte: mail programs cannot send through it.",
    "Give the port to smtpd; postscreen(8) belongs on port 25 only.");
#[rustfmt::skip]
const POSTSCREEN_DIFFERS: Rule = rule("service.postscreen-differs", Warning, "postscreen(8) and smtpd(8) at different levels",
    "A client is offered TLS by one of them and not by the other, depending on whether postscreen(8) has seen it before.",
    "Delete postscreen_tls_security_level; it follows smtpd_tls_security_level.");

/// Looks at the services.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    if context.master.is_none() {
        return;
    }
    same_port(context, out);
    for_mail_programs(context, out);
    reinjection(context, out);
    postscreen(context, out);
    tlsproxy(context, out);
}

fn same_port(context: &Context<'_>, out: &mut Vec<Finding>) {
    let mut first: HashMap<(&str, u16), &Service<'_>> = HashMap::new();
    for service in &context.services {
        let Some(port) = service.port() else {
            continue;
        };
        let place = (split_name(&service.name).host, port);
        match first.get(&place) {
            Some(earlier) => {
                let message = format!(
                    "{} and {} both are port {port}. {}",
                    earlier.name, service.name, SAME_PORT.why
                );
                out.push(SAME_PORT.says(message).of(Some(earlier)).of(Some(service)));
            }
            None => {
                first.insert(place, service);
            }
        }
    }
}

fn for_mail_programs(context: &Context<'_>, out: &mut Vec<Finding>) {
    let on = |port: u16| {
        let mut services = context.services.iter();
        services.find(|s| s.port() == Some(port) && context.reach(Some(s)) == Reach::Network)
    };
    let (starttls, implicit) = (on(587), on(465));
    match (starttls, implicit) {
        (Some(submission), None) => out.push(NO_IMPLICIT_TLS.found().of(Some(submission))),
        (None, None) => {
            let Some(mx) = on(25).filter(|s| context.yes(Some(s), "smtpd_sasl_auth_enable")) else {
                return;
            };
            let enabled = context.set(Some(mx), "smtpd_sasl_auth_enable");
            out.push(NO_SUBMISSION.found().on(enabled).of(Some(mx)));
        }
        _ => {}
    }
}

/// A listener that takes the filter out with `-o content_filter=`, on a port of its own.
fn reinjection(context: &Context<'_>, out: &mut Vec<Finding>) {
    if !context.given(None, "content_filter") {
        return;
    }
    for service in context.services.iter().filter(|s| s.is_smtpd()) {
        let own_port = service
            .port()
            .is_some_and(|port| !matches!(port, 25 | 465 | 587 | 2525));
        let filter = context.set(Some(service), "content_filter");
        let none = filter.is_some_and(|f| f.service.is_some() && f.value.is_empty());
        if own_port && none && context.reach(Some(service)) == Reach::Network {
            out.push(OPEN_REINJECTION.found().of(Some(service)).on(filter));
        }
    }
}

fn postscreen(context: &Context<'_>, out: &mut Vec<Finding>) {
    let services = || context.services.iter();
    for screen in services().filter(|s| s.kind == "inet" && s.command == "postscreen") {
        if matches!(screen.port(), Some(465 | 587)) {
            out.push(POSTSCREEN_ON_SUBMISSION.found().of(Some(screen)));
            continue;
        }
        if !services().any(|s| s.kind == "pass" && s.command == "smtpd") {
            out.push(NO_PASS.found().of(Some(screen)));
        }
        let name = "postscreen_tls_security_level";
        let set = context.set(Some(screen), name);
        let levels =
            [name, "smtpd_tls_security_level"].map(|name| context.text(Some(screen), name));
        if let ([Some(screens), Some(servers)], Some(set)) = (&levels, set)
            && !screens.eq_ignore_ascii_case(servers)
        {
            let at = context.set(None, "smtpd_tls_security_level");
            out.push(POSTSCREEN_DIFFERS.found().on(Some(set)).on(at));
        }
    }
}

fn tlsproxy(context: &Context<'_>, out: &mut Vec<Finding>) {
    let proxy = context.services.iter().find(|s| s.command == "tlsproxy");
    let reuse = || context.set(None, "smtp_tls_connection_reuse");
    let reuses = context.yes(None, "smtp_tls_connection_reuse");
    let screens = context
        .services
        .iter()
        .any(|s| s.command == "postscreen" && context.server_tls(Some(s)) != ServerTls::Off);
    match proxy {
        None if reuses => out.push(REUSE_WITHOUT_PROXY.found().on(reuse())),
        Some(proxy) if (reuses || screens) && proxy.process_limit != "0" => {
            out.push(PROXY_LIMIT.found().of(Some(proxy)));
        }
        _ => {}
    }
}

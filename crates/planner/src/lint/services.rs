//! master.cf against main.cf: `-o` without effect, and services that TLS needs.
//!
//! Owns: which program reads which family of parameters. Never: levels and ports (`level`).

use super::context::{Context, ServerTls, Service, Setting};
use super::fix;
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Info, Warning};
use crate::catalog::{Direction, PerService, Role};

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    WRONG_PROGRAM, MAIN_ONLY, BEHIND_POSTSCREEN, BEHIND_PROXY, NO_TLSMGR, NO_TLSPROXY,
];

#[rustfmt::skip]
const WRONG_PROGRAM: Rule = rule("service.override-of-another-program", Warning, "-o that the program does not read",
    "The server reads smtpd_tls_*, the client smtp_tls_*: this -o has no effect.",
    "Write the parameter of the program, or take the -o out.");
#[rustfmt::skip]
const MAIN_ONLY: Rule = rule("service.override-without-effect", Warning, "-o of a parameter that tlsmgr(8) reads",
    "tlsmgr(8) reads the parameter, from main.cf or its own -o; here it has no effect.",
    "Set it in main.cf.");
#[rustfmt::skip]
const BEHIND_POSTSCREEN: Rule = rule("service.override-behind-postscreen", Warning, "TLS -o behind postscreen(8)",
    "postscreen(8) does its STARTTLS with main.cf's settings: clients that it looks at never see this -o.",
    "Set the parameter in main.cf.");
#[rustfmt::skip]
const BEHIND_PROXY: Rule = rule("service.behind-proxy", Info, "server behind a proxy protocol",
    "The server answers only what comes through its proxy: Postseal cannot look at it, and says nothing of its TLS.",
    "Look at it through the proxy: openssl s_client -starttls smtp -connect PROXY:25");
#[rustfmt::skip]
const NO_TLSMGR: Rule = rule("service.no-tlsmgr", Error, "no tlsmgr service",
    "TLS needs random bytes from tlsmgr(8): without it handshakes fail.",
    "Add tlsmgr to master.cf as the stock file has it: tlsmgr unix - - y 1000? 1 tlsmgr");
#[rustfmt::skip]
const NO_TLSPROXY: Rule = rule("service.no-tlsproxy", Error, "postscreen(8) without tlsproxy(8)",
    "postscreen(8) offers STARTTLS and cannot do it.",
    "Add tlsproxy to master.cf as the stock file has it: tlsproxy unix - - y - 0 tlsproxy");

/// Looks at master.cf.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    if context.master.is_none() {
        return;
    }
    let inet = |s: &&Service<'_>| s.kind == "inet" && s.command == "postscreen";
    let postscreen = context.services.iter().find(inet);
    for service in &context.services {
        for setting in &service.settings {
            let found = misplaced(service, setting, postscreen.is_some());
            out.extend(found.map(|found| without_effect(context, setting, found)));
        }
    }
    behind_proxy(context, out);
    helpers(context, postscreen, out);
}

/// Told, because a look at the wire leaves these out.
fn behind_proxy(context: &Context<'_>, out: &mut Vec<Finding>) {
    for service in context.services.iter().filter(|s| s.kind == "inet") {
        let name = match service.command.as_str() {
            "smtpd" => "smtpd_upstream_proxy_protocol",
            "postscreen" => "postscreen_upstream_proxy_protocol",
            _ => continue,
        };
        if context.given(Some(service), name) {
            out.push(BEHIND_PROXY.found().of(Some(service)));
        }
    }
}

/// What nothing reads can be taken out; what is read by some clients cannot.
fn without_effect(context: &Context<'_>, setting: &Setting<'_>, found: Finding) -> Finding {
    match found.code == BEHIND_POSTSCREEN.code {
        true => found,
        false => found.mended_by(fix::absent(context, setting)),
    }
}

fn misplaced(
    service: &Service<'_>,
    setting: &Setting<'_>,
    has_postscreen: bool,
) -> Option<Finding> {
    let parameter = setting.parameter.filter(|p| p.role == Role::Tls)?;
    let direction = parameter.direction;
    let server = matches!(
        service.command.as_str(),
        "smtpd" | "postscreen" | "tlsproxy"
    );
    let client = matches!(service.command.as_str(), "smtp" | "lmtp" | "tlsproxy");
    if parameter.per_service == PerService::MainOnly {
        return (service.command != "tlsmgr").then(|| MAIN_ONLY.found().on(Some(setting)));
    }
    let wrong = match direction {
        Direction::Inbound => client && !server,
        Direction::Outbound => server && !client,
        Direction::Shared | Direction::Tlsproxy => false,
    };
    if wrong {
        let message = format!(
            "{} is not read by {}(8): this -o has no effect.",
            setting.name, service.command
        );
        return Some(
            WRONG_PROGRAM
                .says(message)
                .on(Some(setting))
                .of(Some(service)),
        );
    }
    let behind = has_postscreen && service.kind == "pass" && direction == Direction::Inbound;
    behind.then(|| {
        BEHIND_POSTSCREEN
            .found()
            .on(Some(setting))
            .of(Some(service))
    })
}

fn helpers(context: &Context<'_>, postscreen: Option<&Service<'_>>, out: &mut Vec<Finding>) {
    let runs = |command: &str| context.services.iter().any(|s| s.command == command);
    let uses_tls = |s: &Option<&Service<'_>>| {
        !matches!(context.server_tls(*s), ServerTls::Off | ServerTls::Unknown)
    };
    let servers = context.servers();
    if let Some(server) = servers.into_iter().find(uses_tls)
        && !runs("tlsmgr")
    {
        out.push(NO_TLSMGR.found().of(server));
    }
    if postscreen.is_some_and(|s| uses_tls(&Some(s))) && !runs("tlsproxy") {
        out.push(NO_TLSPROXY.found().of(postscreen));
    }
}

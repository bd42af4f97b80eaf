//! What AUTH rests on, and what it lets in.
//!
//! Owns: SASL types, sockets, mechanisms. Never: whether TLS protects AUTH (`auth`), users.

use super::context::{Context, Reach, Service, Setting};
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Fatal, Info, Warning};
use crate::facts::FileLook;
use crate::rules::sasl_files;
use crate::view::{self, View};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    NO_SASL, OUTSIDE_JAIL, ANONYMOUS, ON_25, NO_MECHANISM,
];

#[rustfmt::skip]
const NO_SASL: Rule = rule("auth.no-sasl", Fatal, "AUTH with nothing behind it",
    "The server's processes die when a client connects (no SASL authentication mechanisms): the port accepts connections and never answers.",
    "Start Dovecot with an auth listener there, or set smtpd_sasl_type and smtpd_sasl_path to what is there; else smtpd_sasl_auth_enable = no.");
#[rustfmt::skip]
const OUTSIDE_JAIL: Rule = rule("auth.socket-outside-jail", Fatal, "AUTH socket outside of the jail",
    "The service runs chrooted: the path is looked for below the queue directory, is not there, and the server's processes die (no SASL authentication mechanisms).",
    "Write smtpd_sasl_path = private/auth, with Dovecot's listener in the queue directory's private folder; or chroot n in master.cf.");
#[rustfmt::skip]
const ANONYMOUS: Rule = rule("auth.anonymous", Warning, "AUTH that may be anonymous",
    "Without noanonymous a client may log in as nobody, and permit_sasl_authenticated lets it send to everybody.",
    "Add noanonymous to smtpd_sasl_security_options and smtpd_sasl_tls_security_options.");
#[rustfmt::skip]
const ON_25: Rule = rule("auth.on-port-25", Info, "AUTH on port 25 beside a submission service",
    "Mail programs have their own service; on port 25 nobody but guessers of passwords tries AUTH.",
    "Set smtpd_sasl_auth_enable = no in main.cf and -o smtpd_sasl_auth_enable=yes on submission and smtps, once no program uses port 25.");
#[rustfmt::skip]
const NO_MECHANISM: Rule = rule("auth.relay-mechanisms-refused", Warning, "client that refuses the mechanisms of its relay",
    "noplaintext holds under TLS too: a relay that offers PLAIN and LOGIN only is refused (no mechanism available), and mail is deferred.",
    "Set smtp_sasl_tls_security_options = noanonymous: under TLS nobody else sees the password.");

/// Looks at every server that offers AUTH, and at the client.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    let view = OnceCell::new();
    for server in context.servers() {
        if context.yes(server, "smtpd_sasl_auth_enable") {
            backend(context, server, &view, out);
            anonymous(context, server, out);
            on_25(context, server, out);
        }
    }
    if context.main.is_some() && context.yes(None, "smtp_sasl_auth_enable") {
        mechanisms(context, out);
    }
}

/// The pair of files on the host, made where Cyrus SASL is used.
type Seen<'a> = OnceCell<Option<View<'a>>>;

fn backend<'a>(
    context: &Context<'a>,
    server: Option<&Service<'_>>,
    view: &Seen<'a>,
    out: &mut Vec<Finding>,
) {
    let Some(kind) = context.text(server, "smtpd_sasl_type") else {
        return;
    };
    let enabled = context.set(server, "smtpd_sasl_auth_enable");
    let types = context.facts.map(|facts| &facts.sasl_types);
    if types.is_some_and(|built| !built.is_empty() && !built.contains(&kind)) {
        let message = format!("This Postfix has no SASL type {kind}. {}", NO_SASL.why);
        let at = context.set(server, "smtpd_sasl_type").or(enabled);
        out.push(NO_SASL.says(message).on(at).of(server));
        return;
    }
    if kind == "cyrus" {
        out.extend(cyrus(context, server, view, enabled));
        return;
    }
    let Some(path) = context.text(server, "smtpd_sasl_path") else {
        return;
    };
    let Some(socket) = path.strip_prefix("unix:").or(Some(&*path)) else {
        return;
    };
    if kind != "dovecot" || socket.is_empty() || socket.starts_with("inet:") {
        return;
    }
    let at = context.set(server, "smtpd_sasl_path").or(enabled);
    let queue = context.text(None, "queue_directory").unwrap_or_default();
    let jailed = server.is_some_and(|service| context.is_chrooted(service));
    if jailed && Path::new(socket).is_absolute() {
        let message = format!(
            "{socket} is outside of {}'s jail. {}",
            shown(server),
            OUTSIDE_JAIL.why
        );
        out.push(OUTSIDE_JAIL.says(message).on(at).of(server));
        return;
    }
    let place: PathBuf = Path::new(&queue).join(socket);
    if matches!(
        context.look(&place.display().to_string()),
        Some(FileLook::Missing)
    ) {
        let message = format!("There is no {}. {}", place.display(), NO_SASL.why);
        out.push(NO_SASL.says(message).on(at).of(server));
    }
}

/// Cyrus SASL with neither a configuration nor a database of users, wherever it looks.
fn cyrus<'a>(
    context: &Context<'a>,
    server: Option<&Service<'_>>,
    view: &Seen<'a>,
    enabled: Option<&Setting<'_>>,
) -> Option<Finding> {
    let facts = context.facts?;
    let view = view.get_or_init(|| {
        let ((_, main), (_, master)) = context.main.zip(context.master)?;
        Some(View::new(main, master, facts))
    });
    let view = view.as_ref()?;
    let own = |one: &&view::Service| {
        server.is_some_and(|server| server.name == one.name && server.kind == one.kind)
    };
    let places = sasl_files(view, view.services.iter().find(own));
    let missing = |path: &PathBuf| matches!(facts.files.get(path), Some(FileLook::Missing));
    if places.is_empty() || !places.iter().all(missing) {
        return None;
    }
    let names: Vec<String> = places
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let message = format!("Cyrus SASL has nothing to go by. {}", NO_SASL.why);
    let found = NO_SASL.says(message).on(enabled).of(server).remedy(
        "Set up Cyrus SASL (smtpd.conf, packages libsasl2-modules and sasl2-bin), or Dovecot \
         (smtpd_sasl_type = dovecot); else smtpd_sasl_auth_enable = no.",
    );
    Some(found.seen(format!("none of these is there: {}", names.join(", "))))
}

fn shown<'s>(server: Option<&'s Service<'_>>) -> &'s str {
    server.map_or("smtpd", |service| service.name.as_str())
}

fn anonymous(context: &Context<'_>, server: Option<&Service<'_>>, out: &mut Vec<Finding>) {
    let names = [
        "smtpd_sasl_security_options",
        "smtpd_sasl_tls_security_options",
    ];
    for name in names {
        let Some(set) = context.set(server, name) else {
            continue;
        };
        let refuses = context
            .text(server, name)
            .is_none_or(|words| has(&words, "noanonymous"));
        if !refuses {
            let message = format!("{name} has no noanonymous. {}", ANONYMOUS.why);
            out.push(ANONYMOUS.says(message).on(Some(set)));
        }
    }
}

fn has(words: &str, wanted: &str) -> bool {
    words
        .split([',', ' ', '\t'])
        .any(|word| word.eq_ignore_ascii_case(wanted))
}

fn on_25(context: &Context<'_>, server: Option<&Service<'_>>, out: &mut Vec<Finding>) {
    let Some(service) = server.filter(|s| s.port() == Some(25)) else {
        return;
    };
    let for_mail_programs = |s: &&Service<'_>| {
        s.is_smtpd()
            && matches!(s.port(), Some(465 | 587))
            && context.yes(Some(s), "smtpd_sasl_auth_enable")
    };
    if context.reach(server) == Reach::Network
        && context.services.iter().any(|s| for_mail_programs(&s))
    {
        let enabled = context.set(server, "smtpd_sasl_auth_enable");
        out.push(ON_25.found().on(enabled).of(Some(service)));
    }
}

/// smtp_sasl_security_options is `noplaintext, noanonymous` unless somebody says otherwise.
fn mechanisms(context: &Context<'_>, out: &mut Vec<Finding>) {
    let name = "smtp_sasl_tls_security_options";
    let Some(words) = context.text(None, name) else {
        return;
    };
    if has(&words, "noplaintext") {
        let enabled = context.set(None, "smtp_sasl_auth_enable");
        let set = context.set(None, name);
        let set = set.or_else(|| context.set(None, "smtp_sasl_security_options"));
        out.push(NO_MECHANISM.found().on(enabled).on(set));
    }
}

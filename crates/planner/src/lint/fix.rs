//! Remedies as wishes: what `lint --fix` wishes for.
//!
//! Owns: the wishes that write or take out one setting, and where none is safe. Never: knows a rule;
//! each rule says itself what mends it. A fix that a rule gives by itself means the same as what is
//! written, or mends what does not work, and turns nobody away; what changes a promise is taken only
//! by name.

use super::context::{Context, Service, Setting};
use crate::finding::{Fix, Taken};
use crate::intent::{DEFAULT, Wish};
use crate::{owned, settings};

/// The codes of findings that may have a fix, and whether it is taken by itself.
pub const FIXABLE: &[(&str, Taken)] = &[
    ("auth.cleartext", Taken::ByName),
    ("cache.exchange-folder-missing", Taken::ByItself),
    ("cache.folder-missing", Taken::ByItself),
    ("cache.proxy-not-approved", Taken::ByItself),
    ("cache.random-source-missing", Taken::ByItself),
    ("cache.random-source-not-random", Taken::ByItself),
    ("cache.seed-too-long", Taken::ByItself),
    ("cache.server", Taken::ByItself),
    ("cache.too-long", Taken::ByItself),
    ("ciphers.exclusion-without-effect", Taken::ByItself),
    ("ciphers.selects-nothing", Taken::ByItself),
    ("ciphers.small-dh-group", Taken::ByItself),
    ("ciphers.unknown-group", Taken::ByItself),
    ("level.certificate-unused", Taken::ByItself),
    ("level.loopback-inherits", Taken::ByItself),
    ("level.mandatory-on-public-25", Taken::ByName),
    ("level.smtps-without-wrapper", Taken::ByItself),
    ("level.submission-not-encrypted", Taken::ByName),
    ("level.wrapper-ignores-level", Taken::ByItself),
    ("library.config-file-missing", Taken::ByItself),
    ("logging.too-much", Taken::ByItself),
    ("name.not-in-version", Taken::ByItself),
    ("obsolete.ignored", Taken::ByItself),
    ("obsolete.overruled", Taken::ByItself),
    ("obsolete.superseded", Taken::ByItself),
    ("obsolete.will-go", Taken::ByItself),
    ("outbound.cleartext", Taken::ByItself),
    ("outbound.filter-inherits", Taken::ByItself),
    ("outbound.mandatory-for-all", Taken::ByName),
    ("protocols.capped", Taken::ByItself),
    ("protocols.contradiction", Taken::ByItself),
    ("protocols.none-left", Taken::ByItself),
    ("protocols.old-form", Taken::ByItself),
    ("protocols.pinned-old", Taken::ByItself),
    ("protocols.ssl", Taken::ByItself),
    ("service.override-of-another-program", Taken::ByItself),
    ("service.override-without-effect", Taken::ByItself),
    ("syntax.overridden", Taken::ByItself),
    ("syntax.repeated", Taken::ByItself),
    ("value.empty", Taken::ByItself),
    ("value.exclusion", Taken::ByItself),
    ("value.grade-obsolete", Taken::ByItself),
    ("value.inline-comment", Taken::ByItself),
    ("value.level-of-client", Taken::ByItself),
    ("value.path", Taken::ByItself),
    ("value.random-source", Taken::ByItself),
];

/// How a finding of that code is fixed, where it can be.
pub fn fixable(code: &str) -> Option<Taken> {
    let at = FIXABLE.binary_search_by_key(&code, |(known, _)| known);
    at.ok()
        .and_then(|at| FIXABLE.get(at))
        .map(|(_, taken)| *taken)
}

/// The setting with another value.
pub(super) fn written(context: &Context<'_>, setting: &Setting<'_>, value: &str) -> Option<Fix> {
    at(context, context.service_of(setting), &setting.name, value)
}

/// The setting taken out: Postfix's default holds, or main.cf's value for a `-o`.
pub(super) fn absent(context: &Context<'_>, setting: &Setting<'_>) -> Option<Fix> {
    // What another value refers to would change with it.
    if context.refers_to(&setting.name) {
        return None;
    }
    written(context, setting, DEFAULT)
}

/// A parameter with this value, in main.cf or in a `-o` of a service.
pub(super) fn at(
    context: &Context<'_>,
    service: Option<&Service<'_>>,
    name: &str,
    value: &str,
) -> Option<Fix> {
    if !owned::is_owned(name) {
        return None;
    }
    let key = match service {
        Some(service) => format!("param.{}/{name}", service.id()),
        None => format!("param.{name}"),
    };
    if service.is_none() && settings::alias(name).is_some() && is_particular(context, name) {
        return None;
    }
    let wishes = settings::parse(&key, value, context.version).ok()?;
    let set: Vec<String> = wishes.iter().filter_map(Wish::text).collect();
    Some(Fix {
        set,
        taken: Taken::ByItself,
        says: String::new(),
    })
}

/// Whether a word for the parameter would reach further than main.cf: services with a `-o` of it
/// follow the word, and so do the levels that postscreen(8) and tlsproxy(8) have of their own.
fn is_particular(context: &Context<'_>, name: &str) -> bool {
    let follows = |service: &Service<'_>| match name {
        "smtpd_tls_security_level" => service.kind == "pass" || service.port() == Some(25),
        "smtpd_tls_auth_only" => true,
        "smtp_tls_security_level" => service.command == "smtp",
        _ => false,
    };
    let services = context.services.iter().filter(|service| follows(service));
    let mut overrides = services.flat_map(|service| &service.settings);
    let derived = [
        "postscreen_tls_security_level",
        "tlsproxy_tls_security_level",
    ];
    let derived = derived.iter().any(|name| context.set(None, name).is_some());
    name == "smtpd_tls_security_level" && derived || overrides.any(|own| own.name == name)
}

impl Fix {
    /// Both, where both can be had.
    pub(super) fn and(mut self, other: Option<Self>) -> Option<Self> {
        self.set.extend(other?.set);
        Some(self)
    }

    /// The same, taken only by name, for it does this.
    pub(super) fn by_name(mut self, says: &str) -> Self {
        self.taken = Taken::ByName;
        self.says = says.to_owned();
        self
    }
}

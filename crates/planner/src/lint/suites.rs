//! Cipher suites that grades, lists and exclusions come to.
//!
//! Owns: what the suites of the lists are worth; where TLS is demanded and where it is not apart.
//! Never: makes a list (`ciphers::recipe`), expands one (OpenSSL does), TLS 1.3 (its suites are not chosen so), the settings one by one (`ciphers`).
//!
//! What Postfix chooses by default is not judged: only who set something reads of it.

use super::LintInput;
use super::context::{Context, ServerTls, Service, Setting};
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{self, Error, Info, Warning};
use crate::ciphers::{Demand, excluded_at, is_anonymous, is_rsa_exchange, recipe};
use mailtls::{Grade, Level};
use postfix_cf::{MainCf, MasterCf};
use std::collections::BTreeSet;

/// The rules.
pub(super) const RULES: &[Rule] = &[EMPTY, BROKEN, RSA_EXCHANGE, ANONYMOUS];

#[rustfmt::skip]
const EMPTY: Rule = rule("ciphers.none-left", Error, "no cipher suite left",
    "OpenSSL refuses the list that grade and exclusions come to (no cipher match): every handshake fails, TLS 1.3 included.",
    "Take exclusions out, until postseal lint is content; the defaults are good.");
#[rustfmt::skip]
const BROKEN: Rule = rule("ciphers.broken", Warning, "broken cipher suites",
    "They can be read or forged with the means of today, and no peer of today needs them.",
    "Delete the list's own definition, and exclude RC4, 3DES, SEED, IDEA and MD5 with smtpd_tls_exclude_ciphers or its like.");
#[rustfmt::skip]
const RSA_EXCHANGE: Rule = rule("ciphers.no-forward-secrecy", Info, "suites without forward secrecy where TLS is demanded",
    "Who gets the server's private key later can read what was recorded before (RSA key exchange).",
    "Add kRSA to the exclusions for mandatory TLS; peers of today have ECDHE.");
#[rustfmt::skip]
const ANONYMOUS: Rule = rule("ciphers.anonymous", Info, "suites without a certificate where passwords are sent",
    "A client that takes them cannot tell this server from another; mail programs do not offer them, and scanners complain.",
    "Add aNULL to smtpd_tls_mandatory_exclude_ciphers.");

/// A list that some program uses.
struct Use<'s, 'a> {
    service: Option<&'s Service<'a>>,
    /// What `openssl ciphers` would be given.
    list: String,
    demand: Demand,
    /// The settings it is made of.
    sets: Vec<&'s Setting<'a>>,
}

/// Whether anything about ciphers is set at all: most files are done with here.
pub(super) fn are_set(input: &LintInput<'_>) -> bool {
    let named = |name: &[u8]| name.ends_with(b"_ciphers") || name.ends_with(b"_cipherlist");
    let in_main = |main: &MainCf| main.entries().any(|entry| named(entry.name_bytes()));
    let in_master = |master: &MasterCf| {
        let mut options = master.services().flat_map(|service| service.overrides);
        options.any(|option| named(option.name.as_bytes()))
    };
    input.main.is_some_and(|(_, main)| in_main(main))
        || input.master.is_some_and(|(_, master)| in_master(master))
}

/// The lists of those who set something of it.
pub(super) fn lists(context: &Context<'_>) -> BTreeSet<String> {
    uses(context).into_iter().map(|one| one.list).collect()
}

/// Judges what OpenSSL made of the lists.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(around) = context.surroundings.filter(|s| !s.suites.is_empty()) else {
        return;
    };
    for one in uses(context) {
        if let Some(suites) = around.suites.get(&one.list) {
            judge(context, &one, suites, out);
        }
    }
}

fn uses<'s, 'a>(context: &'s Context<'a>) -> Vec<Use<'s, 'a>> {
    let mut uses = Vec::new();
    if !context.all_settings().any(is_of_ciphers) {
        return uses;
    }
    for server in context.servers() {
        let demand = match context.server_tls(server) {
            ServerTls::May => Demand::Opportunistic,
            ServerTls::Encrypt | ServerTls::Wrapper => Demand::Mandatory,
            ServerTls::Off | ServerTls::Unknown => continue,
        };
        let asks = ["smtpd_tls_ask_ccert", "smtpd_tls_req_ccert"];
        let asks = asks.iter().any(|name| context.yes(server, name));
        uses.extend(make(
            context,
            server,
            "smtpd",
            demand,
            asks.then_some("aNULL"),
        ));
    }
    if context.main.is_some() {
        let level = context.client_level(None);
        let demand = match level {
            None | Some(Level::None) => return uses,
            Some(level) if level.never_cleartext() => Demand::Mandatory,
            Some(_) => Demand::Opportunistic,
        };
        let also = match demand {
            Demand::Mandatory => level.and_then(excluded_at),
            Demand::Opportunistic => None,
        };
        uses.extend(make(context, None, "smtp", demand, also));
    }
    uses
}

fn is_of_ciphers(setting: &Setting<'_>) -> bool {
    let name = setting.name.as_str();
    name.ends_with("_ciphers") || name.ends_with("_cipherlist")
}

fn make<'s, 'a>(
    context: &'s Context<'a>,
    service: Option<&'s Service<'a>>,
    prefix: &str,
    demand: Demand,
    also: Option<&str>,
) -> Option<Use<'s, 'a>> {
    let text = |name: &str| context.text(service, name);
    let recipe = recipe(prefix, demand, also, context.version, &text).ok()?;
    // It has no encryption on purpose.
    if recipe.grade == Grade::Null {
        return None;
    }
    let set = |name: &String| context.set(service, name);
    let sets: Vec<_> = recipe.names.iter().filter_map(set).collect();
    (!sets.is_empty()).then_some(Use {
        service,
        list: recipe.list,
        demand,
        sets,
    })
}

fn judge(context: &Context<'_>, one: &Use<'_, '_>, suites: &[String], out: &mut Vec<Finding>) {
    let says = |rule: &Rule, what: String, severity: Severity| {
        let first = one.sets.first().map_or("", |set| set.name.as_str());
        let message = format!("{first} and its kin {what}. {}", rule.why);
        let found = rule.says(message).severe(severity);
        one.sets
            .iter()
            .fold(found, |found, set| found.on(Some(set)))
    };
    if suites.is_empty() {
        out.push(says(&EMPTY, format!("come to {}", one.list), Error));
        return;
    }
    let select = |of: fn(&str) -> bool| -> Vec<&str> {
        let names = suites.iter().map(String::as_str);
        names.filter(|name| of(name)).collect()
    };
    let broken = select(is_broken);
    if !broken.is_empty() {
        let severity = match one.demand {
            Demand::Mandatory => Warning,
            // Weak encryption is more than none (RFC 7435).
            Demand::Opportunistic => Info,
        };
        out.push(says(&BROKEN, format!("allow {}", few(&broken)), severity));
    }
    if one.demand == Demand::Opportunistic {
        return;
    }
    let plain = select(is_rsa_exchange);
    if !plain.is_empty() {
        out.push(says(&RSA_EXCHANGE, format!("allow {}", few(&plain)), Info));
    }
    let anonymous = select(is_anonymous);
    let passwords = || context.yes(one.service, "smtpd_sasl_auth_enable");
    let serves = one.sets.iter().any(|set| set.name.starts_with("smtpd_"));
    if !anonymous.is_empty() && serves && passwords() {
        out.push(says(&ANONYMOUS, format!("allow {}", few(&anonymous)), Info));
    }
}

fn few(names: &[&str]) -> String {
    let shown = names.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    match names.len() {
        0..=3 => shown,
        more => format!("{shown} and {} more", more - 3),
    }
}

fn is_broken(name: &str) -> bool {
    let words = || name.split('-');
    let dead = [
        "RC4", "RC2", "IDEA", "SEED", "DES", "3DES", "NULL", "EXP", "MD5",
    ];
    words().any(|word| dead.contains(&word))
}

//! Writing the declarative file.
//!
//! Owns: its text, sorted and stable. Never: holds more than a page of rules.

use super::{SCHEMA, failed, flushed};
use crate::cmd::policy::export::Out;
use crate::cmd::policy::records::Format;
use crate::cmd::policy::toml::field;
use crate::failure::Failure;
use crate::session::Session;
use postseal_engine::{DeclaredCredentials, Engine, Intended};
use postseal_planner::intent::{Binding, Place};
use postseal_planner::policy::{Entry, Manager, Rule};
use postseal_store::RuleView;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write;

const HEAD: &str = "\
# What is wanted of the TLS of this Postfix. `postseal apply -f FILE` makes it so:
# what a section leaves out is taken back, a section that is not here stays as it is.
";
const SETTINGS: &str = "\n# As `postseal set` takes them; without arguments it lists them all.\n";
const CERTIFICATES: &str = "\n# Certificates by their names in the store, and who presents them: \
every SMTP service, or\n# service = 587, sni = \"NAME\", client = true (with transport = \"NAME\").\n";
const CREDENTIALS: &str =
    "\n# Whether each next hop of smtp_sasl_password_maps has a rule (`postseal domain sync`).\n";
const DOMAINS: &str = "\n# Entries of `postseal domain`.\n";
const RULES: &str = "\n# Rules of `postseal policy`.\n";

/// An entry of a domain, in words.
struct Said<'r> {
    domain: String,
    rule: &'r Rule,
    entry: Entry,
}

pub(super) fn write_toml(
    session: &mut Session,
    view: RuleView,
    mut out: impl Write,
) -> Result<(), Failure> {
    let engine = session.engine();
    let intended = engine.intended(view)?;
    let head = head(&intended);
    out.write_all(head.as_bytes()).map_err(|e| failed(&e))?;
    if intended.has_rules {
        out.write_all(RULES.as_bytes()).map_err(|e| failed(&e))?;
        rules(&engine, view, Format::Toml, &mut out)?;
    }
    flushed(out)
}

fn rules(
    engine: &Engine<'_>,
    view: RuleView,
    format: Format,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut rules = Out::new(format, out);
    Ok(engine.each_rule(view, &mut |rule| rules.rule(&rule))?)
}

/// Everything but the rules.
fn head(intended: &Intended) -> String {
    let mut text = format!("{HEAD}schema = {SCHEMA}\n");
    let empty = [
        ("certificates", intended.intent.bindings.is_empty()),
        ("domains", intended.domains.is_empty()),
        ("rules", !intended.has_rules),
    ];
    for (name, _) in empty.iter().filter(|(_, empty)| *empty) {
        line(&mut text, name, "[]");
    }
    text.push_str(SETTINGS);
    text.push_str("[settings]\n");
    for (key, setting) in &intended.intent.settings {
        field(&mut text, &quoted(&key.name()), Some(&setting.text(key)));
    }
    text.push_str(CREDENTIALS);
    text.push_str("[credentials]\n");
    let rules = intended.credentials == DeclaredCredentials::Rules;
    line(&mut text, "rules", if rules { "true" } else { "false" });
    let bindings = sorted(&intended.intent.bindings);
    if !bindings.is_empty() {
        text.push_str(CERTIFICATES);
    }
    bindings.iter().for_each(|bound| binding(&mut text, bound));
    if !intended.domains.is_empty() {
        text.push_str(DOMAINS);
    }
    said(intended).iter().for_each(|one| domain(&mut text, one));
    text
}

/// A key as TOML takes it: beside `profile`, `profile.inbound` would be a part of a text.
fn quoted(key: &str) -> String {
    match key.starts_with("profile.") {
        true => format!("\"{key}\""),
        false => key.to_owned(),
    }
}

/// By their places; within one the order matters.
fn sorted(bindings: &[Binding]) -> Vec<&Binding> {
    let mut sorted: Vec<&Binding> = bindings.iter().collect();
    sorted.sort_by(|one, other| one.place.cmp(&other.place));
    sorted
}

fn binding(text: &mut String, bound: &Binding) {
    text.push_str("\n[[certificates]]\n");
    field(text, "name", Some(&bound.name));
    match &bound.place {
        Place::Server => {}
        Place::Port(port) => line(text, "service", &port.to_string()),
        Place::Sni(name) => field(text, "sni", Some(name)),
        Place::Client(transport) => {
            line(text, "client", "true");
            field(text, "transport", transport.as_deref());
        }
    }
    if bound.allow_self_signed {
        line(text, "allow-self-signed", "true");
    }
}

fn said(intended: &Intended) -> Vec<Said<'_>> {
    let rules = intended.domains.iter();
    let said = rules.filter_map(|rule| match Manager::of(&rule.id) {
        Some(Manager::Domain(domain)) => Some(Said {
            domain,
            rule,
            entry: rule.about.entry.unwrap_or(Entry {
                requires_auth: false,
                smtps: false,
            }),
        }),
        _ => None,
    });
    said.collect()
}

fn domain(text: &mut String, said: &Said<'_>) {
    text.push_str("\n[[domains]]\n");
    field(text, "domain", Some(&said.domain));
    field(text, "next-hop", Some(&said.rule.id.destination));
    field(text, "policy", Some(&said.rule.policy));
    if said.entry.requires_auth {
        line(text, "requires-auth", "true");
    }
    if said.entry.smtps {
        line(text, "smtps", "true");
    }
    field(text, "note", said.rule.about.note.as_deref());
    field(text, "reason", said.rule.about.reason.as_deref());
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{name} = {value}");
}

/// The same as JSON.
pub(super) fn write_json(
    session: &mut Session,
    view: RuleView,
    mut out: impl Write,
) -> Result<(), Failure> {
    let engine = session.engine();
    let intended = engine.intended(view)?;
    let head = document(&intended).to_string();
    // The rules stand in the same object, after everything else.
    let head = head.strip_suffix('}').unwrap_or(&head);
    write!(out, "{head}, \"rules\": [").map_err(|e| failed(&e))?;
    rules(&engine, view, Format::Json, &mut out)?;
    writeln!(out, "\n]}}").map_err(|e| failed(&e))?;
    flushed(out)
}

fn document(intended: &Intended) -> Value {
    let settings = intended.intent.settings.iter();
    let settings = settings.map(|(key, value)| (key.name().into_owned(), json!(value.text(key))));
    let place = |place: &Place| match place {
        Place::Server => json!({}),
        Place::Port(port) => json!({"service": port}),
        Place::Sni(name) => json!({"sni": name}),
        Place::Client(transport) => json!({"client": true, "transport": transport}),
    };
    let bindings = sorted(&intended.intent.bindings).into_iter();
    let bindings = bindings.map(|bound| {
        json!({
            "name": bound.name,
            "place": place(&bound.place),
            "allow_self_signed": bound.allow_self_signed,
        })
    });
    let domains = said(intended).into_iter().map(|one| {
        json!({
            "domain": one.domain,
            "next_hop": one.rule.id.destination,
            "policy": one.rule.policy,
            "requires_auth": one.entry.requires_auth,
            "smtps": one.entry.smtps,
            "note": one.rule.about.note,
            "reason": one.rule.about.reason,
        })
    });
    json!({
        "schema": SCHEMA,
        "changed": false,
        "settings": settings.collect::<serde_json::Map<_, _>>(),
        "certificates": bindings.collect::<Vec<_>>(),
        "credentials": intended.credentials == DeclaredCredentials::Rules,
        "domains": domains.collect::<Vec<_>>(),
    })
}

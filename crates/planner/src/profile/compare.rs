//! A profile against another one, or against what Postfix does now.
//!
//! Owns: both comparisons. Never: says which is better.

use super::{Direction, Parameter, Profile, Software};
use crate::compile::range_syntax;
use crate::facts::Facts;
use crate::view::{Files, Service, View};
use mailtls::ProtocolList;
use serde::Serialize;

/// A parameter in two profiles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// What it is for.
    pub direction: Direction,
    /// The parameter.
    pub parameter: &'static str,
    /// Its value in the first one; `None` where it says nothing of it.
    pub first: Option<String>,
    /// Its value in the second one.
    pub second: Option<String>,
}

/// A parameter of a profile, as a program of Postfix has it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// What it is for.
    pub direction: Direction,
    /// The service (`smtp/inet`); `main.cf` where none has a value of its own.
    pub place: String,
    /// The parameter.
    pub parameter: &'static str,
    /// Its value in the profile.
    pub profile: String,
    /// Its value now, expanded.
    pub now: String,
    /// Whether both mean the same.
    pub same: bool,
}

/// What two profiles have of different values.
pub fn between(first: &Profile, second: &Profile, software: Software) -> Vec<Compared> {
    let all = Direction::ALL.into_iter();
    let rows = all.flat_map(|direction| {
        let (ours, theirs) = (
            first.of(direction, software),
            second.of(direction, software),
        );
        let mut names: Vec<&'static str> = ours.iter().map(|row| row.name).collect();
        let more = theirs.iter().map(|row| row.name);
        names.extend(more.filter(|name| !ours.iter().any(|row| row.name == *name)));
        names.into_iter().map(move |parameter| Compared {
            direction,
            parameter,
            first: value(&ours, parameter),
            second: value(&theirs, parameter),
        })
    });
    rows.filter(|row| row.first != row.second).collect()
}

fn value(rows: &[Parameter], name: &str) -> Option<String> {
    let row = rows.iter().find(|row| row.name == name)?;
    Some(row.value.clone())
}

/// What each program that a profile speaks of has now.
pub fn against(profile: &Profile, facts: &Facts) -> Vec<Held> {
    let files = Files::of(facts);
    held(profile, &files.view(facts))
}

/// The same of any pair of files.
pub(crate) fn held(profile: &Profile, view: &View<'_>) -> Vec<Held> {
    let software = Software::new(view.facts().version, &view.facts().openssl);
    let rows = profile.parameters(software).into_iter();
    rows.flat_map(|row| places(view, &row)).collect()
}

/// main.cf, unless all services of the direction have a `-o`; and each `-o`.
fn places(view: &View<'_>, row: &Parameter) -> Vec<Held> {
    let services = view.services.iter();
    let concerned: Vec<&Service> = services
        .filter(|service| concerns(view, row.direction, service))
        .collect();
    let own = |service: &&Service| service.overrides.contains_key(row.name);
    let (mut own, inherit): (Vec<&Service>, Vec<_>) = concerned.into_iter().partition(own);
    let mut found = Vec::new();
    if own.is_empty() || !inherit.is_empty() {
        found.push(one(view, row, None));
    }
    own.sort_by_key(|service| &service.id);
    found.extend(own.into_iter().map(|service| one(view, row, Some(service))));
    found
}

/// Whether a direction of a profile is about a service.
pub(crate) fn concerns(view: &View<'_>, direction: Direction, service: &Service) -> bool {
    let server = service.is_smtp_server();
    match direction {
        Direction::Inbound => {
            (service.kind == "pass" && service.command == "smtpd")
                || (server && service.port() == Some(25))
        }
        Direction::Submission => {
            server && service.port() != Some(25) && view.for_mail_clients(service)
        }
        Direction::Outbound => service.is_smtp_client(),
        Direction::Shared => server || service.is_smtp_client(),
    }
}

fn one(view: &View<'_>, row: &Parameter, service: Option<&Service>) -> Held {
    let now = view.value(service, row.name);
    Held {
        direction: row.direction,
        place: service.map_or_else(|| "main.cf".to_owned(), |service| service.id.clone()),
        parameter: row.name,
        profile: row.value.clone(),
        same: same(view.facts(), row, &now),
        now,
    }
}

/// Two spellings of a list of protocols may allow the same.
fn same(facts: &Facts, row: &Parameter, now: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split([',', ':', ' ', '\t']);
        let words = words.filter(|word| !word.is_empty());
        words.map(str::to_ascii_lowercase).collect()
    };
    if !row.name.ends_with("_protocols") {
        return words(&row.value) == words(now);
    }
    let list = |text: &str| ProtocolList::parse(text, range_syntax(facts.version));
    match (list(&row.value), list(now)) {
        (Ok(wanted), Ok(now)) => wanted.same_as(&now),
        _ => false,
    }
}

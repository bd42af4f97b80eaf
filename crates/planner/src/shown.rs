//! Parameters as Postfix sees them: value, default, and where each comes from.
//!
//! Owns: which parameters are listed, and what is known of them where no Postfix could be asked.
//! Never: reads a file, judges a value (`lint` does).

mod files;

use crate::catalog::{self, Parameter, Role};
use crate::facts::Facts;
use crate::view::{Service, View};
use crate::{Finding, PostfixVersion, Refusal, Severity, lint};
use files::refused;
use postfix_cf::{ExpandError, MainCf, MasterCf, ServiceKey};
use serde::Serialize;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// A parameter as `show` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its name.
    pub name: String,
    /// Its value as written.
    pub raw: String,
    /// Its value expanded; none where that takes a value that only an installed Postfix knows.
    pub expanded: Option<String>,
    /// Its default, unexpanded; none where that release of Postfix has no such parameter.
    pub default: Option<String>,
    /// `default`, `main.cf:LINE` or `master.cf:LINE -o`.
    pub from: String,
    /// The release line that brought it; none where it is older than the catalogue, or not of it.
    pub since: Option<PostfixVersion>,
}

/// Which parameters are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// These, TLS parameters or not.
    Named(&'a [String]),
    /// The TLS parameters that are set.
    Set,
    /// Every TLS parameter of that release, and those that are set all the same.
    All,
}

/// What `show` shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// The service whose view it is, `name/type`; none: main.cf's own.
    pub service: Option<String>,
    /// The parameters, by name, or in the order in which they were asked for.
    pub values: Vec<Shown>,
}

/// Parameters as Postfix sees them, for one service (`name`, `name/type` or a port), or for main.cf.
///
/// # Errors
/// An unknown parameter or service; and files that Postfix cannot read either.
pub fn show(facts: &Facts, which: Which<'_>, service: Option<&str>) -> Result<Listing, Refusal> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let view = View::new(&main, &master, facts);
    let service = service.map(|name| find(&view, name)).transpose()?;
    if let Some(finding) = refused(facts, &main, &master, service) {
        return Err(finding.into());
    }
    let places = places(&main, &master, service);
    let wanted: Vec<String> = match which {
        Which::Named(names) => names.to_vec(),
        Which::Set => set_here(&places).into_iter().collect(),
        Which::All => {
            let mut names = set_here(&places);
            names.extend(of_release(facts));
            names.into_iter().collect()
        }
    };
    let values = wanted.into_iter().map(|name| {
        let raw = view.raw(service, &name);
        let raw = raw.ok_or_else(|| unknown("parameter", &name))?;
        let from = places.get(&name);
        let from = from.map_or_else(|| "default".to_owned(), Clone::clone);
        let expanded = expanded(&view, service, &raw);
        Ok(Shown {
            expanded: expanded.map_err(|error| unexpanded(&name, &from, &error))?,
            default: default(facts, &name),
            since: since(&name),
            name,
            raw,
            from,
        })
    });
    Ok(Listing {
        values: values.collect::<Result<_, Refusal>>()?,
        service: service.map(|service| service.id.clone()),
    })
}

/// The service that a word means: its name, `name/type`, or the port that it listens on.
pub(crate) fn find<'v>(view: &'v View<'_>, name: &str) -> Result<&'v Service, Refusal> {
    let port = crate::view::port_of(name);
    let named = |service: &&Service| service.id == name || service.name == name;
    let there = |service: &&Service| port.is_some() && service.port() == port;
    let services = || view.services.iter();
    let found = services().find(named).or_else(|| services().find(there));
    found.ok_or_else(|| unknown("service", name))
}

/// Where each name is set; of two places the one that wins.
fn places(main: &MainCf, master: &MasterCf, service: Option<&Service>) -> BTreeMap<String, String> {
    let in_main = main.entries().map(|entry| {
        let line = entry.first_line();
        (entry.name().into_owned(), format!("main.cf:{line}"))
    });
    let mut places: BTreeMap<String, String> = in_main.collect();
    let entry = service.and_then(|one| master.service(ServiceKey::new(&one.name, &one.kind)));
    for given in entry.into_iter().flat_map(|entry| entry.overrides) {
        places.insert(given.name, format!("master.cf:{} -o", given.line));
    }
    places
}

fn set_here(places: &BTreeMap<String, String>) -> BTreeSet<String> {
    let names = places.keys().filter(|name| match catalog::find(name) {
        Some(parameter) => is_about_tls(parameter),
        None => lint::looks_like_tls(name),
    });
    names.cloned().collect()
}

/// TLS parameters, and those that name TLS (`smtpd_sasl_tls_security_options`).
fn is_about_tls(parameter: &Parameter) -> bool {
    parameter.role == Role::Tls || parameter.name.contains("_tls_")
}

/// The TLS parameters of the installed release, or of the one that is judged by.
fn of_release(facts: &Facts) -> impl Iterator<Item = String> {
    let all = catalog::all().iter().filter(|one| is_about_tls(one));
    let there = all.filter(|one| default(facts, &one.name).is_some());
    there.map(|one| one.name.clone())
}

/// What an installed Postfix says, or else the catalogue.
fn default(facts: &Facts, name: &str) -> Option<String> {
    match facts.defaults.get(name) {
        Some(said) => Some(said.clone()),
        None if facts.was_asked() => None,
        None => Some(catalog::find(name)?.default_in(facts.version)?.to_owned()),
    }
}

fn since(name: &str) -> Option<PostfixVersion> {
    let since = catalog::find(name)?.since;
    (since >= catalog::OLDEST).then_some(since)
}

/// As `postconf -x` expands it. Where no Postfix was asked, names that it might know spoil it.
fn expanded(
    view: &View<'_>,
    service: Option<&Service>,
    raw: &str,
) -> Result<Option<String>, ExpandError> {
    if !raw.contains('$') {
        return Ok(Some(raw.to_owned()));
    }
    let unknown = Cell::new(false);
    let lookup = |name: &str| -> Option<Cow<'_, [u8]>> {
        let found = view.raw(service, name);
        if found.is_none() && !view.facts().was_asked() {
            unknown.set(true);
        }
        found.map(|value| Cow::Owned(value.into_bytes()))
    };
    let bytes = postfix_cf::expand(raw.as_bytes(), &lookup)?;
    let text = || String::from_utf8_lossy(&bytes).trim().to_owned();
    Ok((!unknown.get()).then(text))
}

fn unexpanded(name: &str, from: &str, error: &ExpandError) -> Refusal {
    let message = format!("{name} ({from}) cannot be expanded, by Postfix neither: {error}.");
    let remedy = "Close the braces; write $$ for a dollar sign.";
    Finding::new("syntax.bad-expansion", Severity::Fatal, message, remedy).into()
}

fn unknown(what: &str, name: &str) -> Refusal {
    let message = format!("There is no {what} {name} here.");
    let remedy = "`postconf` lists the parameters, `postconf -M` the services.";
    Finding::new("name.unknown", Severity::Error, message, remedy).into()
}

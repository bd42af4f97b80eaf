//! What the rules look at: the TLS settings of both files, indexed once, and their meaning.
//!
//! Owns: one pass over the files, effective values (`-o`, main.cf, default) with the place they
//! come from, and what a service is (port, loopback, program). Never: judges.

mod server;

pub(super) use server::{Reach, ServerTls};

use super::{LintInput, Surroundings};
use crate::catalog::{self, Parameter};
use crate::facts::{Facts, FileLook};
use crate::view::COMPUTED;
use crate::{PostfixVersion, Severity};
use postfix_cf::{MainCf, MasterCf};
use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Judged by where the version is not known.
pub const NEWEST: PostfixVersion = PostfixVersion::new(3, 11, 0);
/// Evidence is cut after so many characters.
const EVIDENCE: usize = 160;
/// Defaults of parameters that the catalogue does not hold, the same in all releases.
pub(crate) const DEFAULTS: &[(&str, &str)] = &[
    ("compatibility_level", "0"),
    ("content_filter", ""),
    ("default_transport", "smtp"),
    ("inet_interfaces", "all"),
    ("queue_directory", "/var/spool/postfix"),
    ("relay_clientcerts", ""),
    ("relayhost", ""),
    ("smtp_discard_ehlo_keywords", ""),
    ("smtp_never_send_ehlo", "no"),
    ("smtpd_discard_ehlo_keywords", ""),
];
/// Parameters that are no TLS parameters and that rules point at.
const NEIGHBOURS: &[&str] = &[
    "content_filter",
    "ignore_mx_lookup_error",
    "inet_interfaces",
    "proxy_write_maps",
    "queue_directory",
    "relay_clientcerts",
    "relayhost",
    "smtp_discard_ehlo_keywords",
    "smtp_dns_resolver_options",
    "smtp_host_lookup",
    "smtp_never_send_ehlo",
    "smtpd_client_restrictions",
    "smtpd_discard_ehlo_keywords",
    "smtpd_recipient_restrictions",
    "smtpd_relay_restrictions",
];

/// A `name = value` of main.cf that wins, or a `-o` that wins.
pub(super) struct Setting<'a> {
    pub(super) name: String,
    /// Unexpanded.
    pub(super) value: String,
    pub(super) file: &'a Path,
    pub(super) line: usize,
    /// For evidence.
    pub(super) text: String,
    pub(super) parameter: Option<&'static Parameter>,
    /// Index into [`Context::services`].
    pub(super) service: Option<usize>,
}

/// A service of master.cf that wins.
pub(super) struct Service<'a> {
    pub(super) name: String,
    pub(super) kind: String,
    /// The fifth field: `y`, `n`, or `-` for the default.
    pub(super) chroot: String,
    /// The seventh field.
    pub(super) process_limit: String,
    /// The program, without folders.
    pub(super) command: String,
    pub(super) file: &'a Path,
    pub(super) line: usize,
    pub(super) text: String,
    pub(super) settings: Vec<Setting<'a>>,
    by_name: HashMap<String, usize>,
}

/// Everything the rules look at.
pub(super) struct Context<'a> {
    pub(super) main: Option<(&'a Path, &'a MainCf)>,
    pub(super) master: Option<(&'a Path, &'a MasterCf)>,
    /// The version that was given.
    pub(super) known_version: Option<PostfixVersion>,
    /// That one, or the newest.
    pub(super) version: PostfixVersion,
    pub(super) facts: Option<&'a Facts>,
    pub(super) surroundings: Option<&'a Surroundings>,
    pub(super) now: Option<i64>,
    /// main.cf's, in the order of the file.
    pub(super) settings: Vec<Setting<'a>>,
    pub(super) services: Vec<Service<'a>>,
    by_name: HashMap<String, usize>,
    referred: OnceCell<HashSet<String>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(input: &LintInput<'a>) -> Self {
        let known_version = input.version.or(input.facts.map(|facts| facts.version));
        let mut context = Self {
            main: input.main,
            master: input.master,
            known_version,
            version: known_version.unwrap_or(NEWEST),
            facts: input.facts,
            surroundings: input.surroundings,
            now: input.now_unix,
            settings: Vec::new(),
            services: Vec::new(),
            by_name: HashMap::new(),
            referred: OnceCell::new(),
        };
        context.index_main();
        context.index_master();
        context
    }

    fn index_main(&mut self) {
        let Some((file, main)) = self.main else {
            return;
        };
        for entry in main.entries() {
            let name = entry.name();
            let parameter = catalog::find(&name);
            if parameter.is_none() && !looks_like_tls(&name) && !NEIGHBOURS.contains(&&*name) {
                continue;
            }
            let value = String::from_utf8_lossy(&entry.value()).into_owned();
            let setting = Setting {
                text: cut(&format!("{name} = {value}")),
                name: name.clone().into_owned(),
                value,
                file,
                line: entry.first_line(),
                parameter,
                service: None,
            };
            match self.by_name.get(&*name) {
                Some(at) => self.settings[*at] = setting,
                None => {
                    self.by_name.insert(name.into_owned(), self.settings.len());
                    self.settings.push(setting);
                }
            }
        }
    }

    fn index_master(&mut self) {
        let Some((file, master)) = self.master else {
            return;
        };
        let mut by_key: HashMap<(String, String), usize> = HashMap::new();
        for entry in master.services() {
            let at = by_key
                .entry((entry.name.clone(), entry.kind.clone()))
                .or_insert(self.services.len());
            let at = *at;
            let service = service(file, entry, at);
            match self.services.get_mut(at) {
                Some(earlier) => *earlier = service,
                None => self.services.push(service),
            }
        }
    }

    /// All settings of both files.
    pub(super) fn all_settings(&self) -> impl Iterator<Item = &Setting<'a>> {
        let overrides = self.services.iter().flat_map(|s| &s.settings);
        self.settings.iter().chain(overrides)
    }

    /// The names of all services, whatever their type.
    pub(super) fn service_names(&self) -> HashSet<&str> {
        self.services.iter().map(|s| s.name.as_str()).collect()
    }

    /// Whether some value refers to the parameter by `$NAME`.
    pub(super) fn refers_to(&self, name: &str) -> bool {
        self.referred.get_or_init(|| self.referred()).contains(name)
    }

    fn referred(&self) -> HashSet<String> {
        let mut names = HashSet::new();
        let entries = self.main.iter().flat_map(|(_, main)| main.entries());
        for value in entries.map(|entry| entry.value()) {
            if value.contains(&b'$') {
                names.extend(postfix_cf::references(&value));
            }
        }
        for setting in self.services.iter().flat_map(|s| &s.settings) {
            if setting.value.contains('$') {
                names.extend(postfix_cf::references(setting.value.as_bytes()));
            }
        }
        names
    }

    /// The service a setting is a `-o` of.
    pub(super) fn service_of(&self, setting: &Setting<'_>) -> Option<&Service<'a>> {
        self.services.get(setting.service?)
    }

    /// Where `name` is set for `service` (or in main.cf).
    pub(super) fn set<'s>(
        &'s self,
        service: Option<&'s Service<'a>>,
        name: &str,
    ) -> Option<&'s Setting<'a>> {
        let own = service.and_then(|s| s.settings.get(*s.by_name.get(name)?));
        own.or_else(|| self.settings.get(*self.by_name.get(name)?))
    }

    /// The value of `name` as a program of `service` sees it, expanded; `None` where that takes
    /// values that are not known here.
    pub(super) fn text(&self, service: Option<&Service<'a>>, name: &str) -> Option<String> {
        self.expand(service, &self.raw(service, name)?)
    }

    /// Whether a boolean is known to be yes.
    pub(super) fn yes(&self, service: Option<&Service<'a>>, name: &str) -> bool {
        let value = self.text(service, name);
        value.is_some_and(|value| value.eq_ignore_ascii_case("yes"))
    }

    /// Whether a value is known and not empty.
    pub(super) fn given(&self, service: Option<&Service<'a>>, name: &str) -> bool {
        self.text(service, name).is_some_and(|v| !v.is_empty())
    }

    /// The value of a setting where it stands, expanded.
    pub(super) fn expanded(&self, setting: &Setting<'a>) -> Option<String> {
        self.expand(self.service_of(setting), &setting.value)
    }

    /// The same, only where the value as written does not say it.
    pub(super) fn expanded_if_needed(&self, setting: &Setting<'a>) -> Option<String> {
        setting
            .value
            .contains('$')
            .then(|| self.expanded(setting))
            .flatten()
    }

    fn expand(&self, service: Option<&Service<'a>>, raw: &str) -> Option<String> {
        if !raw.contains('$') {
            return Some(raw.to_owned());
        }
        let unknown = Cell::new(false);
        let lookup = |name: &str| -> Option<Cow<'_, [u8]>> {
            let found = self.raw(service, name);
            if found.is_none() && self.facts.is_none() {
                unknown.set(true);
            }
            found.map(|value| Cow::Owned(value.into_owned().into_bytes()))
        };
        let bytes = postfix_cf::expand(raw.as_bytes(), &lookup).ok()?;
        (!unknown.get()).then(|| String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    fn raw<'s>(&'s self, service: Option<&'s Service<'a>>, name: &str) -> Option<Cow<'s, str>> {
        // Each process knows these of itself, whatever the files say.
        match (service, name) {
            (Some(service), "service_name") => return Some(Cow::Borrowed(&service.name)),
            (Some(service), "process_name") => return Some(Cow::Borrowed(&service.command)),
            _ => (),
        }
        if let Some(setting) = self.set(service, name) {
            return Some(Cow::Borrowed(&setting.value));
        }
        let Some((_, main)) = self.main else {
            // Without main.cf a default is no more than a guess.
            let value = self.facts?.values.get(name)?;
            return Some(Cow::Borrowed(value));
        };
        if let Some(value) = main.get(name) {
            return Some(Cow::Owned(String::from_utf8_lossy(&value).into_owned()));
        }
        // What daemons are given by MAIL_CONFIG comes before what was compiled in.
        if let Some(facts) = self.facts.filter(|_| name == "config_directory") {
            return Some(Cow::Owned(facts.config_directory.display().to_string()));
        }
        let computed = self.facts.filter(|_| COMPUTED.contains(&name));
        if let Some(value) = computed.and_then(|facts| facts.values.get(name)) {
            return Some(Cow::Borrowed(value));
        }
        if let Some(default) = self.facts.and_then(|facts| facts.defaults.get(name)) {
            return Some(Cow::Borrowed(default));
        }
        if let Some((_, default)) = DEFAULTS.iter().find(|(known, _)| *known == name) {
            return Some(Cow::Borrowed(default));
        }
        let parameter = catalog::find(name)?;
        let default = parameter.default_in(self.version);
        // A parameter from another release: empty, as Postfix expands unknown names.
        Some(Cow::Borrowed(default.unwrap_or_default()))
    }

    /// What stands at `path`, where that was looked at.
    pub(super) fn look(&self, path: &str) -> Option<&'a FileLook> {
        self.facts?.files.get(Path::new(path))
    }
}

/// Milder where a fault is latent.
pub(super) fn unless(latent: Latent, severity: Severity) -> Severity {
    match latent {
        Latent::Yes => severity.min(Severity::Warning),
        Latent::No => severity,
    }
}

/// Whether a fault shows only when something else changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Latent {
    Yes,
    No,
}

/// Names that mean TLS wherever they stand.
pub(crate) fn looks_like_tls(name: &str) -> bool {
    let stem = ["smtpd_", "smtp_", "lmtp_", "postscreen_", "tlsproxy_"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix));
    match stem {
        Some(stem) => {
            stem.starts_with("tls_") || stem.ends_with("_tls") || stem.contains("starttls")
        }
        None => name.starts_with("tls_") || name.contains("_tls_"),
    }
}

fn service<'a>(file: &'a Path, entry: postfix_cf::Service, at: usize) -> Service<'a> {
    let mut settings: Vec<Setting<'a>> = Vec::new();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    for over in entry.overrides {
        let parameter = catalog::find(&over.name);
        let value = String::from_utf8_lossy(&over.value).into_owned();
        let setting = Setting {
            text: cut(&format!("-o {}={value}", over.name)),
            name: over.name,
            value,
            file,
            line: over.line,
            parameter,
            service: Some(at),
        };
        match by_name.get(&setting.name) {
            Some(earlier) => settings[*earlier] = setting,
            None => {
                by_name.insert(setting.name.clone(), settings.len());
                settings.push(setting);
            }
        }
    }
    let command = entry.command.rsplit('/').next().unwrap_or_default();
    Service {
        text: cut(&format!(
            "{} {} … {}",
            entry.name, entry.kind, entry.command
        )),
        command: command.to_owned(),
        name: entry.name,
        kind: entry.kind,
        chroot: entry.chroot,
        process_limit: entry.process_limit,
        file,
        line: entry.first_line,
        settings,
        by_name,
    }
}

fn cut(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(EVIDENCE).collect()
}

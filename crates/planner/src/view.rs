//! What a pair of files means for each service: values as Postfix resolves them.
//!
//! Owns: `-o` over main.cf over default, expanded; and where a service listens. Never: judges,
//! edits. The files may be any pair: as they are, as planned, or the state between two renames.

mod listen;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use listen::{is_public, own, port_of, split_name};

use crate::facts::Facts;
use postfix_cf::{MainCf, MasterCf};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// What Postfix makes of other parameters (`myhostname`, `mynetworks_style`) where it is not set:
/// `postconf -d` does so by the defaults of those.
pub(crate) const COMPUTED: [&str; 2] = ["mydomain", "mynetworks"];

/// One service of master.cf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// `name/type`.
    pub(crate) id: String,
    /// The first field.
    pub(crate) name: String,
    /// The second field.
    pub(crate) kind: String,
    /// The fifth field: `y`, `n`, or `-` for the default.
    pub(crate) chroot: String,
    /// The program.
    pub(crate) command: String,
    /// `-o` parameter → value, the last one where repeated; those that are not UTF-8 are left out.
    pub(crate) overrides: BTreeMap<String, String>,
}

impl Service {
    /// Whether it is a server that speaks SMTP on an inet socket.
    pub(crate) fn is_smtp_server(&self) -> bool {
        self.kind == "inet" && matches!(self.command.as_str(), "smtpd" | "postscreen")
    }

    /// Whether it is an SMTP client (not LMTP, whose parameters are its own).
    pub(crate) fn is_smtp_client(&self) -> bool {
        self.kind == "unix" && self.command == "smtp"
    }

    /// The port it listens on, where the name tells.
    pub(crate) fn port(&self) -> Option<u16> {
        (self.kind == "inet").then(|| port_of(split_name(&self.name).port))?
    }
}

/// The services of a master.cf, in its order; of those with the same name and type the last.
pub(crate) fn services(master: &MasterCf) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for entry in master.services() {
        let service = service(entry);
        services.retain(|earlier| earlier.id != service.id);
        services.push(service);
    }
    services
}

fn service(entry: postfix_cf::Service) -> Service {
    let mut overrides = BTreeMap::new();
    for option in entry.overrides {
        match String::from_utf8(option.value) {
            Ok(value) => overrides.insert(option.name, value),
            Err(_) => overrides.remove(&option.name),
        };
    }
    Service {
        id: format!("{}/{}", entry.name, entry.kind),
        name: entry.name,
        kind: entry.kind,
        chroot: entry.chroot,
        command: entry.command,
        overrides,
    }
}

/// The two files of a host as they are, parsed.
pub(crate) struct Files {
    main: MainCf,
    master: MasterCf,
}

impl Files {
    pub(crate) fn of(facts: &Facts) -> Self {
        Self {
            main: MainCf::parse(&facts.main_cf.bytes),
            master: MasterCf::parse(&facts.master_cf.bytes),
        }
    }

    /// `facts` are those that they were parsed of.
    pub(crate) fn view<'a>(&'a self, facts: &'a Facts) -> View<'a> {
        View::new(&self.main, &self.master, facts)
    }
}

/// A pair of files on a host.
pub(crate) struct View<'a> {
    main: &'a MainCf,
    facts: &'a Facts,
    /// The services.
    pub(crate) services: Vec<Service>,
}

impl<'a> View<'a> {
    pub(crate) fn new(main: &'a MainCf, master: &MasterCf, facts: &'a Facts) -> Self {
        Self {
            main,
            facts,
            services: services(master),
        }
    }

    /// The host that the files stand on.
    pub(crate) fn facts(&self) -> &'a Facts {
        self.facts
    }

    /// The SMTP servers on inet sockets.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &Service> {
        self.services
            .iter()
            .filter(|service| service.is_smtp_server())
    }

    /// The value of a parameter as `service` sees it, unexpanded.
    pub(crate) fn raw(&self, service: Option<&Service>, name: &str) -> Option<String> {
        // Each process knows these of itself, whatever the files say.
        match (service, name) {
            (Some(service), "service_name") => return Some(service.name.clone()),
            (Some(service), "process_name") => return Some(service.command.clone()),
            _ => (),
        }
        if let Some(value) = service.and_then(|service| service.overrides.get(name)) {
            return Some(value.clone());
        }
        if let Some(value) = self.main.get(name) {
            return Some(String::from_utf8_lossy(&value).into_owned());
        }
        // What daemons are given by MAIL_CONFIG comes before what was compiled in.
        if name == "config_directory" {
            return Some(self.facts.config_directory.display().to_string());
        }
        if let Some(domain) = self.domain_of(service).filter(|_| name == "mydomain") {
            return Some(domain);
        }
        if COMPUTED.contains(&name)
            && let Some(value) = self.facts.values.get(name)
        {
            return Some(value.clone());
        }
        self.facts.defaults.get(name).cloned().or_else(|| {
            Some(
                crate::catalog::find(name)?
                    .default_in(self.facts.version)?
                    .to_owned(),
            )
        })
    }

    /// `mydomain` where it is not set and a service has a name of its own (postconf(5)).
    fn domain_of(&self, service: Option<&Service>) -> Option<String> {
        let own = service?.overrides.get("myhostname");
        let own = own.filter(|name| !name.contains('$'))?;
        let domain = own.split_once('.').map(|(_, domain)| domain);
        Some(domain.unwrap_or("localdomain").to_owned())
    }

    /// The line of main.cf that a parameter is set in.
    pub(crate) fn line_of(&self, name: &str) -> Option<usize> {
        let set = self.main.entries().filter(|entry| entry.name() == name);
        set.map(|entry| entry.first_line()).last()
    }

    /// The value of a parameter as `service` sees it, expanded; empty where there is none, and
    /// where Postfix could not expand it either.
    pub(crate) fn value(&self, service: Option<&Service>, name: &str) -> String {
        let Some(raw) = self.raw(service, name) else {
            return String::new();
        };
        self.expanded(service, &raw)
    }

    /// A text as `service` expands it; empty where Postfix could not.
    pub(crate) fn expanded(&self, service: Option<&Service>, raw: &str) -> String {
        if !raw.contains('$') {
            return raw.to_owned();
        }
        let lookup = |name: &str| -> Option<Cow<'_, [u8]>> {
            self.raw(service, name)
                .map(|value| Cow::Owned(value.into_bytes()))
        };
        postfix_cf::expand(raw.as_bytes(), &lookup)
            .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
            .unwrap_or_default()
    }

    /// Whether a boolean is `yes`.
    pub(crate) fn is_yes(&self, service: Option<&Service>, name: &str) -> bool {
        self.value(service, name).eq_ignore_ascii_case("yes")
    }

    /// The words of a list; what stands in braces is not split (`inline:{a=b, c=d}`).
    pub(crate) fn list(&self, service: Option<&Service>, name: &str) -> Vec<String> {
        let value = self.value(service, name);
        postfix_cf::elements(&value).map(str::to_owned).collect()
    }

    /// The level of a server: `smtpd_tls_security_level`, or what its predecessors say
    /// (`smtpd_use_tls`, `smtpd_enforce_tls`; postconf(5)).
    pub(crate) fn server_level(&self, service: &Service) -> String {
        let service = Some(service);
        let level = self.value(service, "smtpd_tls_security_level");
        if !level.is_empty() {
            return level.to_ascii_lowercase();
        }
        if self.is_yes(service, "smtpd_enforce_tls") {
            return "encrypt".to_owned();
        }
        let may = self.is_yes(service, "smtpd_use_tls");
        if may { "may" } else { "none" }.to_owned()
    }

    /// The level of a client, with the same fallbacks.
    pub(crate) fn client_level(&self, service: Option<&Service>) -> String {
        let level = self.value(service, "smtp_tls_security_level");
        if !level.is_empty() {
            return level.to_ascii_lowercase();
        }
        if self.is_yes(service, "smtp_enforce_tls") {
            let verify = self.is_yes(service, "smtp_tls_enforce_peername");
            return if verify { "verify" } else { "encrypt" }.to_owned();
        }
        let may = self.is_yes(service, "smtp_use_tls");
        if may { "may" } else { "none" }.to_owned()
    }

    /// Whether a server demands TLS: by level, or from the first byte.
    pub(crate) fn demands_tls(&self, service: &Service) -> bool {
        self.is_yes(Some(service), "smtpd_tls_wrappermode")
            || !matches!(self.server_level(service).as_str(), "none" | "may")
    }

    /// Whether a server offers TLS at all.
    pub(crate) fn offers_tls(&self, service: &Service) -> bool {
        self.is_yes(Some(service), "smtpd_tls_wrappermode") || self.server_level(service) != "none"
    }

    /// Whether a service runs in the jail of `queue_directory`; `-` stands for no from
    /// `compatibility_level` 1 on (master(5)).
    pub(crate) fn is_jailed(&self, service: &Service) -> bool {
        match service.chroot.as_str() {
            "y" => true,
            "n" => false,
            _ => matches!(self.value(None, "compatibility_level").as_str(), "" | "0"),
        }
    }

    /// Where a server listens, as far as the files tell (see `listen`).
    pub(crate) fn addresses(&self, service: &Service) -> Vec<SocketAddr> {
        listen::addresses(self, service)
    }

    /// Whether a server is reached from loopback only.
    pub(crate) fn on_loopback(&self, service: &Service) -> bool {
        let addresses = self.addresses(service);
        !addresses.is_empty() && addresses.iter().all(|a| a.ip().is_loopback())
    }

    /// Whether a server is for mail clients: it offers AUTH, or listens on their ports.
    pub(crate) fn for_mail_clients(&self, service: &Service) -> bool {
        matches!(service.port(), Some(465 | 587))
            || self.is_yes(Some(service), "smtpd_sasl_auth_enable")
    }
}

//! SMTP servers: which there are, who reaches them, what TLS they speak.
//!
//! Owns: smtpd's decision between `smtpd_tls_security_level`, its predecessors and wrapper mode
//! (postconf(5)). Never: judges.

use super::{Context, Service};
use crate::view::{port_of, split_name};
use mailtls::{Level, OnServer};

/// TLS of an SMTP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lint) enum ServerTls {
    /// Not offered.
    Off,
    /// STARTTLS is offered.
    May,
    /// STARTTLS is required.
    Encrypt,
    /// TLS from the first byte.
    Wrapper,
    /// Not known: a value that is wrong or takes more to expand.
    Unknown,
}

/// Who can connect to an inet service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lint) enum Reach {
    /// Programs of this host.
    Loopback,
    /// Others too.
    Network,
}

impl<'a> Context<'a> {
    /// The SMTP servers: services, or main.cf alone where there is no master.cf.
    pub(in crate::lint) fn servers(&self) -> Vec<Option<&Service<'a>>> {
        match (self.master, self.main) {
            (Some(_), _) => self
                .services
                .iter()
                .filter(|s| s.is_smtpd())
                .map(Some)
                .collect(),
            (None, Some(_)) => vec![None],
            (None, None) => Vec::new(),
        }
    }

    /// TLS of a server.
    pub(in crate::lint) fn server_tls(&self, service: Option<&Service<'a>>) -> ServerTls {
        if self.yes(service, "smtpd_tls_wrappermode") {
            return ServerTls::Wrapper;
        }
        let Some(level) = self.text(service, "smtpd_tls_security_level") else {
            return ServerTls::Unknown;
        };
        if level.is_empty() {
            return match service {
                _ if self.yes(service, "smtpd_enforce_tls") => ServerTls::Encrypt,
                _ if self.yes(service, "smtpd_use_tls") => ServerTls::May,
                _ => ServerTls::Off,
            };
        }
        match level.parse::<Level>() {
            Ok(Level::None) => ServerTls::Off,
            Ok(Level::May) => ServerTls::May,
            Ok(level) if level.on_server() != OnServer::Fatal => ServerTls::Encrypt,
            _ => ServerTls::Unknown,
        }
    }

    /// Who can connect to `service`.
    pub(in crate::lint) fn reach(&self, service: Option<&Service<'a>>) -> Reach {
        let host = service.map_or("", |s| split_name(&s.name).host);
        let listed = match host {
            "" => self.text(None, "inet_interfaces").unwrap_or_default(),
            host => host.to_owned(),
        };
        let mut hosts = listed.split([',', ' ', '\t']).filter(|h| !h.is_empty());
        match hosts.clone().next() {
            Some(_) if hosts.all(is_loopback) => Reach::Loopback,
            _ => Reach::Network,
        }
    }

    /// Whether a service runs in the queue directory; only where that is certain.
    pub(in crate::lint) fn is_chrooted(&self, service: &Service<'a>) -> bool {
        let old = || {
            let level = self.text(None, "compatibility_level");
            level.is_some_and(|level| level.trim() == "0")
        };
        service.chroot == "y" || service.chroot == "-" && old()
    }

    /// Whether some server demands TLS, so that `*_mandatory_*` matters.
    pub(in crate::lint) fn some_server_demands(&self) -> bool {
        let demands = |s| matches!(self.server_tls(s), ServerTls::Encrypt | ServerTls::Wrapper);
        self.servers().into_iter().any(demands)
    }

    /// Whether some server offers TLS without demanding it.
    pub(in crate::lint) fn some_server_offers(&self) -> bool {
        let offers = |s| self.server_tls(s) == ServerTls::May;
        self.servers().into_iter().any(offers)
    }

    /// The level of the SMTP client, by main.cf or a service's `-o`; `None` where not known.
    pub(in crate::lint) fn client_level(&self, service: Option<&Service<'a>>) -> Option<Level> {
        let level = self.text(service, "smtp_tls_security_level")?;
        if !level.is_empty() {
            return level.parse().ok();
        }
        Some(match service {
            // Before 2.3 names were checked as well, unless that was switched off.
            _ if self.yes(service, "smtp_enforce_tls") => {
                match self.yes(service, "smtp_tls_enforce_peername") {
                    true => Level::Verify,
                    false => Level::Encrypt,
                }
            }
            _ if self.yes(service, "smtp_use_tls") => Level::May,
            _ => Level::None,
        })
    }
}

impl Service<'_> {
    /// Name and type, as `postconf -P` has them (`submission/inet`).
    pub(in crate::lint) fn id(&self) -> String {
        format!("{}/{}", self.name, self.kind)
    }

    /// An SMTP server that master(8) or postscreen(8) hands connections to.
    pub(in crate::lint) fn is_smtpd(&self) -> bool {
        self.command == "smtpd" && matches!(self.kind.as_str(), "inet" | "pass")
    }

    /// Its port, where the name tells.
    pub(in crate::lint) fn port(&self) -> Option<u16> {
        (self.kind == "inet")
            .then(|| port_of(split_name(&self.name).port))
            .flatten()
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.eq_ignore_ascii_case("loopback-only")
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

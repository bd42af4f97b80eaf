//! Places where a certificate is presented, as they are said.
//!
//! Owns: reading them from words, and their text. Never: knows what is written for them
//! (`compile` does).

use super::Place;
use crate::{Finding, Refusal, Severity};

impl Place {
    /// A service by its port or its name in services(5) and master.cf.
    pub fn service(word: &str) -> Result<Self, Refusal> {
        let port = match word.trim() {
            "smtp" => Some(25),
            "submission" => Some(587),
            "smtps" | "submissions" => Some(465),
            number => number.parse().ok().filter(|port| *port != 0),
        };
        port.map(Self::Port).ok_or_else(|| {
            refuse(
                "cert.bad-service",
                format!("{word:?} is no service that presents a certificate."),
                "Say a port (25, 587, 465) or its name (smtp, submission, smtps).",
            )
        })
    }

    /// A name that clients ask for: a host name, or `.domain` for all names below it. Names in
    /// Unicode become A-labels, as clients send them (RFC 6066 §3).
    pub fn name(name: &str) -> Result<Self, Refusal> {
        let (dot, host) = match name.strip_prefix('.') {
            Some(domain) => (".", domain),
            None => ("", name),
        };
        let host = mailtls::host_name(host).ok_or_else(|| {
            refuse(
                "cert.bad-server-name",
                format!("{name:?} is no host name that a client could ask for."),
                "Say a host name (mail.example.org), or .example.org for any name below it; \
                 addresses and wildcards are not asked for.",
            )
        })?;
        Ok(Self::Sni(format!("{dot}{host}")))
    }

    /// The options that name these places to `cert bind` and `cert unbind`, each with the blank before
    /// it; for every server nothing. Places of several kinds cannot be named at once (ports, names, the
    /// client): those like the first are.
    pub fn options(places: &[&Self]) -> String {
        let list = |words: Vec<String>| words.join(",");
        let ports = places.iter().filter_map(|place| match place {
            Self::Port(port) => Some(port.to_string()),
            _ => None,
        });
        let names = places.iter().filter_map(|place| match place {
            Self::Sni(name) => Some(name.clone()),
            _ => None,
        });
        match places.first() {
            None | Some(Self::Server) => String::new(),
            Some(Self::Port(_)) => format!(" --service {}", list(ports.collect())),
            Some(Self::Sni(_)) => format!(" --sni {}", list(names.collect())),
            Some(Self::Client(None)) => " --client".to_owned(),
            Some(Self::Client(Some(transport))) => format!(" --client --transport {transport}"),
        }
    }

    /// The place in an administrator's words.
    pub fn text(&self) -> String {
        match self {
            Self::Server => "smtpd".to_owned(),
            Self::Port(port) => format!("smtpd on port {port}"),
            Self::Sni(name) => format!("smtpd for {name}"),
            Self::Client(None) => "smtp client".to_owned(),
            Self::Client(Some(transport)) => format!("smtp client of {transport}"),
        }
    }
}

fn refuse(code: &'static str, message: String, remedy: &str) -> Refusal {
    Finding::new(code, Severity::Error, message, remedy).into()
}

#[cfg(test)]
mod tests;

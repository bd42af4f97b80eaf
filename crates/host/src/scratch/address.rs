//! Addresses of inet services: whether a master could use them.
//!
//! Owns: `host:port` as master.cf writes it, service names, whether an address is this host's.
//! Never: asks DNS, listens.
//!
//! The scratch instance listens elsewhere, so a name that cannot be resolved or an address that
//! cannot be bound would go unseen; live, it ends the master at the reload, with status 0.

use super::refused;
use crate::HostError;
use crate::root::Root;
use postfix_cf::MasterCf;
use std::fs;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::path::Path;

/// `known_tcp_ports`' default (3.6); older ones find these in services(5).
const KNOWN: [&str; 5] = ["lmtp", "smtp", "smtps", "submission", "submissions"];

/// Looks at every `name/inet`.
pub(super) fn check<'a>(
    root: &Root,
    prefix: &[String],
    master_cf: &[u8],
    services: impl Iterator<Item = &'a String>,
) -> Result<(), HostError> {
    let table = fs::read_to_string(root.at(Path::new("/etc/services"))).unwrap_or_default();
    for service in services {
        let name = service.strip_suffix("/inet").unwrap_or(service);
        let address = Address::of(name);
        if !is_port(address.port, &table) {
            return Err(HostError::UnknownPort {
                service: service.clone(),
                line: line_of(service, master_cf),
                port: address.port.to_owned(),
            });
        }
        // Behind a prefix there may be another network.
        if let (Some(ip), true) = (address.ip(), prefix.is_empty())
            && let Err(error) = bindable(ip)
        {
            return Err(refused(
                &format!("service {service}: {ip} cannot be bound, which ends the master: {error}"),
                &[],
            ));
        }
    }
    Ok(())
}

fn line_of(service: &str, master_cf: &[u8]) -> usize {
    let master = MasterCf::parse(master_cf);
    let mut services = master.services();
    let found = services.find(|entry| entry.key().to_string() == service);
    found.map_or(0, |entry| entry.first_line)
}

/// The two halves of an inet service's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Address<'a> {
    host: Option<&'a str>,
    port: &'a str,
}

impl<'a> Address<'a> {
    fn of(name: &'a str) -> Self {
        match name.rsplit_once(':') {
            Some((host, port)) => Self {
                host: Some(host),
                port,
            },
            None => Self {
                host: None,
                port: name,
            },
        }
    }

    /// The literal address; none for a host name or all interfaces.
    fn ip(&self) -> Option<IpAddr> {
        let host = self.host?;
        let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        inner.unwrap_or(host).parse().ok()
    }
}

fn is_port(port: &str, services: &str) -> bool {
    if port.bytes().all(|byte| byte.is_ascii_digit()) {
        return port.parse::<u16>().is_ok_and(|port| port != 0);
    }
    KNOWN.contains(&port) || in_services(port, services)
}

/// services(5): name, port/protocol, aliases, `#` comment.
fn in_services(name: &str, services: &str) -> bool {
    services.lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let tcp = words.get(1).is_some_and(|port| port.ends_with("/tcp"));
        tcp && words
            .iter()
            .enumerate()
            .any(|(at, word)| at != 1 && *word == name)
    })
}

/// Whether the address is this host's; any port tells.
fn bindable(ip: IpAddr) -> io::Result<()> {
    match TcpListener::bind((ip, 0)) {
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

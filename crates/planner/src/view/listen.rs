//! Where a service listens.
//!
//! Owns: master.cf's first field, `inet_interfaces` and `inet_protocols` → addresses. Never:
//! resolves a name: of host names only `localhost` and its like are known.
//!
//! A service on all interfaces is looked at on every address of the host, loopback first: a
//! second server that sits on just one of them is found that way. Link-local addresses are left
//! out, they cannot be named without an interface.

use super::{Service, View};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The first field of an inet service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    /// Before the colon, without brackets; empty: all of `inet_interfaces`.
    pub(crate) host: &'a str,
    /// A port number or a service name.
    pub(crate) port: &'a str,
}

/// Splits `[::1]:10025`, `127.0.0.1:smtp`, `submission`.
pub(crate) fn split_name(name: &str) -> Named<'_> {
    match name.rsplit_once(':') {
        Some((host, port)) => Named {
            host: host
                .strip_prefix('[')
                .and_then(|h| h.strip_suffix(']'))
                .unwrap_or(host),
            port,
        },
        None => Named {
            host: "",
            port: name,
        },
    }
}

/// The port of a number or of a service name that Postfix itself knows (known_tcp_ports).
pub(crate) fn port_of(text: &str) -> Option<u16> {
    match text {
        "smtp" => Some(25),
        "lmtp" => Some(24),
        "smtps" | "submissions" => Some(465),
        "submission" => Some(587),
        number => number.parse().ok().filter(|port| *port != 0),
    }
}

/// The addresses of an inet service; empty where a name or port would have to be resolved.
pub(super) fn addresses(view: &View<'_>, service: &Service) -> Vec<SocketAddr> {
    let Some(port) = service.port() else {
        return Vec::new();
    };
    let host = split_name(&service.name).host;
    let interfaces = if host.is_empty() {
        view.list(None, "inet_interfaces")
    } else {
        vec![host.to_owned()]
    };
    let mut addresses = Vec::new();
    for interface in interfaces {
        for address in named(view, &interface) {
            let address = SocketAddr::new(address, port);
            if !addresses.contains(&address) && speaks(view, address.ip()) {
                addresses.push(address);
            }
        }
    }
    addresses
}

const LOOPBACK: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// The addresses by which smtp(8) knows this host (`inet_interfaces`, `proxy_interfaces`), as far
/// as they are said by number.
pub(crate) fn own(view: &View<'_>) -> Vec<IpAddr> {
    let mut said = view.list(None, "inet_interfaces");
    said.extend(view.list(None, "proxy_interfaces"));
    said.iter().flat_map(|one| named(view, one)).collect()
}

fn named(view: &View<'_>, interface: &str) -> Vec<IpAddr> {
    let bare = interface.trim_matches(['[', ']']);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return if address.is_unspecified() {
            every(view)
        } else {
            vec![address]
        };
    }
    match interface.to_ascii_lowercase().as_str() {
        "all" => every(view),
        "loopback-only" => loopback(view),
        "localhost" | "localhost.localdomain" | "ip6-localhost" => loopback(view),
        _ => Vec::new(),
    }
}

/// The loopback addresses that the host has; IPv4's where nothing is known.
fn loopback(view: &View<'_>) -> Vec<IpAddr> {
    let have = &view.facts.addresses;
    let mut there: Vec<IpAddr> = LOOPBACK.into_iter().filter(|a| have.contains(a)).collect();
    if there.is_empty() {
        there.push(LOOPBACK[0]);
    }
    there
}

fn every(view: &View<'_>) -> Vec<IpAddr> {
    let link_local = |address: &IpAddr| match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let others = view
        .facts
        .addresses
        .iter()
        .filter(|a| !a.is_loopback() && !link_local(a));
    loopback(view).into_iter().chain(others.copied()).collect()
}

fn speaks(view: &View<'_>, address: IpAddr) -> bool {
    let protocols = view.list(None, "inet_protocols");
    let wanted = if address.is_ipv4() { "ipv4" } else { "ipv6" };
    protocols.is_empty() || protocols.iter().any(|p| p == "all" || p == wanted)
}

/// Whether an address can be reached from the Internet as it is: not loopback, private, shared
/// (RFC 1918, RFC 6598, RFC 4193) or link-local.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            !(v4.is_loopback() || v4.is_private() || v4.is_link_local() || shared)
        }
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()),
    }
}

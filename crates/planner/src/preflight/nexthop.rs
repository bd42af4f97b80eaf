//! A next hop as smtp(8) reads it (`smtp_connect.c`, `smtp_parse_destination`).
//!
//! Owns: host, port, and whether mail exchangers are looked up. Never: resolves.

use crate::explain::{is_domain, is_next_hop};
use crate::view::port_of;
use mailtls::destination::literal_address;
use std::fmt;
use std::net::IpAddr;

/// A next hop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NextHop {
    /// As it is looked up in policy tables.
    pub text: String,
    /// The host or domain in lower-case A-labels, without brackets; the address of a literal.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// What is done with the host.
    pub lookup: Lookup,
}

/// What smtp(8) does with the host of a next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lookup {
    /// Its mail exchangers.
    Mx,
    /// Its addresses: brackets.
    Addresses,
    /// Nothing: it is this address.
    Literal(IpAddr),
}

/// What is no next hop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no next hop: it is a domain, [host], [host]:port or host:port, with a port up to \
     65535"
)]
pub struct NoNextHop(pub String);

impl NextHop {
    /// The port of one that names none, by Postfix's own default (`smtp_tcp_port`).
    pub const USUAL_PORT: u16 = 25;

    /// Reads one; `default_port` is the transport's (`smtp_tcp_port`: 25).
    ///
    /// # Errors
    /// What smtp(8) would not find a host in, and ports whose names are not those of mail.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, NoNextHop> {
        let bad = || NoNextHop(text.chars().take(80).collect());
        if !is_domain(text) && !is_next_hop(text) {
            return Err(bad());
        }
        let (inner, port) = split(text);
        let port = match port {
            Some(port) => port_of(port).ok_or_else(bad)?,
            None => default_port,
        };
        let bare = inner
            .strip_prefix('[')
            .and_then(|one| one.strip_suffix(']'));
        let host = bare.unwrap_or(inner);
        if let Some(address) = literal_address(host) {
            return Ok(Self {
                text: text.to_owned(),
                host: address.to_string(),
                port,
                lookup: Lookup::Literal(address),
            });
        }
        Ok(Self {
            text: text.to_owned(),
            host: mailtls::host_name(host).ok_or_else(bad)?,
            port,
            lookup: match bare {
                Some(_) => Lookup::Addresses,
                None => Lookup::Mx,
            },
        })
    }
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The host, brackets included, and the port, where one is said.
fn split(text: &str) -> (&str, Option<&str>) {
    match (text.starts_with('['), text.rsplit_once("]:")) {
        (true, Some((_, port))) => (&text[..text.len() - port.len() - 1], Some(port)),
        (true, None) => (text, None),
        (false, _) => match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    }
}

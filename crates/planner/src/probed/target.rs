//! What is looked at: a domain, or a host.
//!
//! Owns: telling them apart, and the port. Never: resolves.

use crate::preflight::{Lookup, NextHop, Opening};
use std::net::{IpAddr, SocketAddr};

/// The port of TLS from the first byte (RFC 8314 §3.3).
const SMTPS: u16 = 465;
const SMTP: u16 = 25;

/// A target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeTarget {
    /// As it was said.
    pub text: String,
    /// As a next hop: of a domain the exchangers are looked up, of what has a port or brackets the
    /// addresses.
    pub hop: NextHop,
    /// How TLS begins.
    pub opening: Opening,
}

/// What is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be looked at: it is a domain, a host, a mail address or an IP address, with a \
     port up to 65535 if need be"
)]
pub struct NoTarget(pub String);

impl ProbeTarget {
    /// Reads one. `opening` is how TLS begins where that is said; else port 465 tells.
    ///
    /// # Errors
    /// What is neither name nor address.
    pub fn parse(text: &str, opening: Option<Opening>) -> Result<Self, NoTarget> {
        let bad = || NoTarget(text.chars().take(80).collect());
        let usual = match opening {
            Some(Opening::Wrapper) => SMTPS,
            _ => SMTP,
        };
        // Of a recipient the domain counts.
        let place = text.rsplit_once('@').map_or(text, |(_, domain)| domain);
        let place = place.strip_suffix('.').unwrap_or(place);
        let literal = place.parse().map(|ip: IpAddr| SocketAddr::new(ip, usual));
        let hop = match place.parse().or(literal) {
            Ok(address) => of_address(address),
            Err(_) => of_name(place, usual).ok_or_else(bad)?,
        };
        if hop.port == 0 {
            return Err(bad());
        }
        let opening = opening.unwrap_or(match hop.port {
            SMTPS => Opening::Wrapper,
            _ => Opening::StartTls,
        });
        Ok(Self {
            text: text.to_owned(),
            hop,
            opening,
        })
    }
}

fn of_address(address: SocketAddr) -> NextHop {
    NextHop {
        text: format!("[{}]:{}", address.ip(), address.port()),
        host: address.ip().to_string(),
        port: address.port(),
        lookup: Lookup::Literal(address.ip()),
    }
}

/// A name with a port is a host; one without is a domain, unless TLS is to begin at once.
fn of_name(place: &str, usual: u16) -> Option<NextHop> {
    let is_host = place.starts_with('[') || place.contains(':') || usual == SMTPS;
    if !is_host {
        let domain = NextHop::parse(place, usual).ok();
        return domain.or_else(|| NextHop::parse(&format!("[{place}]"), usual).ok());
    }
    let hop = NextHop::parse(place, usual).ok()?;
    let lookup = match hop.lookup {
        Lookup::Mx => Lookup::Addresses,
        other => other,
    };
    Some(NextHop {
        text: format!("[{}]:{}", hop.host, hop.port),
        lookup,
        ..hop
    })
}

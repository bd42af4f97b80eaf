//! Which resolvers are asked, and whose word on DNSSEC counts.
//!
//! Owns: `resolver` of Postseal's own configuration, and what resolv.conf(5) says. Never: opens
//! a file.
//!
//! AD is one unsigned bit. It counts from a resolver on this very host, from one that the
//! administrator vouches for in resolv.conf (`options trust-ad`), and from one named to Postseal.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

const PORT: u16 = 53;
/// resolv.conf(5): further ones are ignored.
const MOST: usize = 3;

/// A resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// Where it answers.
    pub address: SocketAddr,
    /// Whether its AD bit counts.
    pub(super) trust: AdBit,
}

/// Whether a resolver is believed about DNSSEC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AdBit {
    Counts,
    Ignored,
}

/// What Postseal is told to ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Named {
    /// What the machine asks itself.
    #[default]
    System,
    /// This one; it is trusted.
    At(SocketAddr),
    /// Nobody: DNS is left out of account.
    Nobody,
}

/// Not `system`, `none`, an address, or an address with a port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no resolver: say an address (127.0.0.1, [::1]:5353), `system` or `none`")]
pub struct NoResolver(String);

impl FromStr for Named {
    type Err = NoResolver;

    fn from_str(text: &str) -> Result<Self, NoResolver> {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        match text {
            "system" => return Ok(Self::System),
            "none" => return Ok(Self::Nobody),
            _ => {}
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::At(address));
        }
        let address: IpAddr = bare
            .parse()
            .map_err(|_| NoResolver(text.chars().take(80).collect()))?;
        Ok(Self::At((address, PORT).into()))
    }
}

/// The resolvers in the order they are asked; none where nobody is to be.
pub fn resolvers(named: Named, resolv_conf: &[u8]) -> Vec<Resolver> {
    match named {
        Named::Nobody => Vec::new(),
        Named::At(address) => vec![Resolver {
            address,
            trust: AdBit::Counts,
        }],
        Named::System => of_system(resolv_conf),
    }
}

/// resolv.conf(5). A machine without one asks itself.
fn of_system(resolv_conf: &[u8]) -> Vec<Resolver> {
    let text = String::from_utf8_lossy(resolv_conf);
    let mut servers = Vec::new();
    let mut trust_ad = false;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("nameserver") => servers.extend(words.next().and_then(address)),
            Some("options") => trust_ad |= words.any(|word| word == "trust-ad"),
            _ => {}
        }
    }
    if servers.is_empty() {
        servers.push((Ipv4Addr::LOCALHOST, PORT).into());
    }
    let resolver = |address: SocketAddr| Resolver {
        address,
        trust: match trust_ad || address.ip().to_canonical().is_loopback() {
            true => AdBit::Counts,
            false => AdBit::Ignored,
        },
    };
    servers.into_iter().take(MOST).map(resolver).collect()
}

/// An address; of a link-local one the scope is by number only.
fn address(word: &str) -> Option<SocketAddr> {
    let (bare, scope) = word.split_once('%').unwrap_or((word, "0"));
    match bare.parse().ok()? {
        IpAddr::V4(v4) => Some((v4, PORT).into()),
        IpAddr::V6(v6) => {
            let scope = scope.parse().ok()?;
            Some(std::net::SocketAddrV6::new(v6, PORT, 0, scope).into())
        }
    }
}

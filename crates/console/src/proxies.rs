//! From where a request really came, where a proxy stands before the console.
//!
//! Owns: whose word is taken for it. Never: believes whoever is not on the list: `Forwarded` and `X-Forwarded-For` are
//! what anybody can write.

use crate::error::ConsoleError;
use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The proxies that are trusted.
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Addresses, or networks with the length of their prefix (`10.0.0.0/8`).
    pub(crate) fn read(words: &[String]) -> Result<Self, ConsoleError> {
        let network = |word: &String| {
            let address = word.parse::<IpAddr>().map(IpNet::from);
            let network = address.or_else(|_| word.parse::<IpNet>());
            network.map_err(|_| ConsoleError::Proxy(word.clone()))
        };
        words
            .iter()
            .map(network)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Who asks: the connection's other end, or whom it names where it is a trusted proxy.
    ///
    /// A proxy may write one of both headers and let its client's other one through. So where both are there and do not
    /// agree, neither is believed.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        let forwarded = values(headers, "forwarded").map(|value| for_of(&value));
        let forwarded: Vec<Option<IpAddr>> = forwarded.collect();
        let plain = values(headers, "x-forwarded-for").map(|value| node(&value));
        let plain: Vec<Option<IpAddr>> = plain.collect();
        match (forwarded.is_empty(), plain.is_empty()) {
            (true, _) => self.walk(peer, &plain),
            (_, true) => self.walk(peer, &forwarded),
            (false, false) => {
                let client = self.walk(peer, &plain);
                match client == self.walk(peer, &forwarded) {
                    true => client,
                    false => peer,
                }
            }
        }
    }

    /// From the nearest to the farthest: each is named by the one before it, and is believed where that one is trusted.
    fn walk(&self, peer: IpAddr, named: &[Option<IpAddr>]) -> IpAddr {
        let mut nearest = peer;
        for next in named.iter().rev() {
            match next {
                Some(next) if self.trusts(nearest) => nearest = *next,
                _ => break,
            }
        }
        nearest
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The members of a header that is a list, in their order.
fn values(headers: &HeaderMap, name: &'static str) -> impl Iterator<Item = String> {
    let lines = headers.get_all(name).into_iter();
    let lines = lines.map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',').map(|one| one.trim().to_owned()))
}

/// Whom a member of `Forwarded` says the request is for (RFC 7239 §5.2).
fn for_of(member: &str) -> Option<IpAddr> {
    let pairs = member.split(';').filter_map(|pair| pair.split_once('='));
    let mut said = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    node(said.next()?.1)
}

/// The address of a node, with or without a port (RFC 7239 §6); none where it hides.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|at| at.ip());
    address
        .or_else(with_port)
        .map(|address| address.to_canonical())
}

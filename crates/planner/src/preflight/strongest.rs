//! The strongest policy that would work today at every server that could be seen.
//!
//! Owns: the ladder, and why each stronger rung would not hold. Never: suggests `fingerprint` where
//! it was not asked for: it works at every server that has a certificate, and ends with the next key;
//! nor `verify`, which believes the DNS: with the names written out it is `secure`.

use super::level::{Judged, Peer};
use super::reached::Reached;
use super::{Obstacle, Strongest, certificate};
use mailtls::policy::{Attribute, Name, Policy};
use mailtls::{Certificate, Level};

/// More names than this are said by their common parent, where they have one.
const MOST_NAMES: usize = 4;

pub(super) fn strongest(wanted: &Policy, peers: &[Peer<'_>]) -> Strongest {
    let mut stronger = Vec::new();
    for policy in ladder(wanted, peers) {
        match holds(&policy, peers) {
            Holds::Yes => {
                return Strongest {
                    policy: Some(policy.to_string()),
                    stronger,
                };
            }
            Holds::No(why) => stronger.push(Obstacle {
                policy: policy.to_string(),
                why,
            }),
            Holds::Unknown => return Strongest::default(),
        }
    }
    Strongest {
        policy: None,
        stronger,
    }
}

/// The rungs, the highest first, but that with names.
pub(super) fn bare(wanted: &Policy) -> [Policy; 4] {
    let levels = [Level::DaneOnly, Level::Secure, Level::Encrypt, Level::May];
    levels.map(|level| Policy {
        level,
        attributes: kept(wanted),
    })
}

/// A server name that was asked for is asked for on each rung.
fn kept(wanted: &Policy) -> Vec<Attribute> {
    let named = wanted.attributes.iter();
    let named = named.filter(|one| one.name == Name::Servername);
    named.cloned().collect()
}

/// A key that is known by its fingerprint is proof that no CA and no DNS can give to another: nothing
/// stands above it.
fn ladder(wanted: &Policy, peers: &[Peer<'_>]) -> Vec<Policy> {
    let by_key = (wanted.level == Level::Fingerprint).then(|| wanted.clone());
    let [first, second, rest @ ..] = bare(wanted);
    let pinned = names(peers).map(|value| {
        let attribute = Attribute {
            name: Name::Match,
            value,
        };
        Policy {
            level: Level::Secure,
            attributes: [vec![attribute], kept(wanted)].concat(),
        }
    });
    by_key
        .into_iter()
        .chain([first, second])
        .chain(pinned)
        .chain(rest)
        .collect()
}

enum Holds {
    Yes,
    No(String),
    /// No server could be seen.
    Unknown,
}

fn holds(policy: &Policy, peers: &[Peer<'_>]) -> Holds {
    let mut seen = false;
    for peer in peers {
        match peer.judge(policy) {
            Judged::Goes(_) => seen = true,
            Judged::Unknown(_) => {}
            Judged::Waits(lack) => {
                return Holds::No(format!("{}: {}.", peer.host.name, lack.why));
            }
        }
    }
    if seen { Holds::Yes } else { Holds::Unknown }
}

/// `match=` for `secure`: the names by which the servers' certificates are known, written out, so
/// that no answer of the DNS can change them. `None` where a server shows no certificate.
fn names(peers: &[Peer<'_>]) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for peer in peers {
        let seen = match peer.any() {
            Reached::Tls(seen) => seen,
            Reached::NoTls(_) => return None,
            Reached::Unknown(_) => continue,
        };
        let name = name(&peer.host.name, certificate::chain(seen).ok()?.first()?)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match (names.as_slice(), parent(&names)) {
        ([], _) => None,
        (many, Some(parent)) if many.len() > MOST_NAMES => Some(format!(".{parent}")),
        (few, _) => Some(few.join(":")),
    }
}

/// The host's own name where the certificate has it, else a name that the certificate has.
fn name(host: &str, leaf: &Certificate) -> Option<String> {
    if host.parse::<std::net::IpAddr>().is_err() && leaf.matches_name(host) {
        return Some(host.to_owned());
    }
    let own = leaf
        .dns_names
        .iter()
        .find_map(|name| mailtls::host_name(name));
    let wild = || {
        leaf.dns_names
            .iter()
            .find_map(|name| name.strip_prefix('*'))
    };
    own.or_else(|| wild().map(str::to_owned))
        .or_else(|| mailtls::host_name(leaf.common_name.as_deref()?))
}

/// The longest domain, of two labels at least, that all names lie below.
fn parent(names: &[String]) -> Option<String> {
    let mut parent = names.first()?.as_str();
    loop {
        parent = parent.split_once('.')?.1;
        parent.contains('.').then_some(())?;
        let below = |name: &String| {
            let above = name.strip_suffix(parent);
            above.is_some_and(|above| above.ends_with('.'))
        };
        if names.iter().all(below) {
            return Some(parent.to_owned());
        }
    }
}

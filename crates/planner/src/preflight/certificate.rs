//! Whether a server's certificate is what a policy asks for: the chain first, then the name, as
//! OpenSSL does.
//!
//! Owns: the names of `match=`, fingerprints, who is trusted. Never: reads a trust anchor's file;
//! says which there are.

use super::Lack;
use super::client::{Client, SystemAnchors, within};
use super::level::Peer;
use super::nexthop::NextHop;
use crate::report::Handshake;
use crate::trust::SystemTrust;
use mailtls::policy::{Name, Policy};
use mailtls::{Certificate, Level, TrustError, verify_chain};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

/// What a level asks of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    Nothing,
    Fingerprint,
    /// A chain to a trust anchor, and a name.
    Names,
}

/// A name that a certificate is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Match {
    This(String),
    /// Any name below it.
    Below(String),
}

/// The certificates of a handshake.
pub(super) fn chain(seen: &Handshake) -> Result<Vec<Certificate>, Lack> {
    let parsed = seen.chain.iter().map(|der| Certificate::parse(der));
    let chain: Vec<Certificate> = parsed.collect::<Result<_, _>>().map_err(|error| {
        let why = format!("its certificate cannot be read: {error}");
        Lack::new("policy.certificate-untrusted", why)
    })?;
    match chain.is_empty() {
        true => Err(Lack::new(
            "policy.no-certificate",
            "it shows no certificate",
        )),
        false => Ok(chain),
    }
}

pub(super) fn judge(
    peer: &Peer<'_>,
    policy: &Policy,
    seen: &Handshake,
    wants: Wants,
) -> Result<(), Lack> {
    match wants {
        Wants::Nothing => Ok(()),
        Wants::Fingerprint => fingerprint(peer.client, policy, &chain(seen)?),
        Wants::Names => {
            let chain = chain(seen)?;
            trusted(peer, &chain)?;
            let wanted = matches(peer, policy);
            match chain.first().is_some_and(|leaf| has_one(leaf, &wanted)) {
                true => Ok(()),
                false => Err(wrong_name(&chain, &wanted)),
            }
        }
    }
}

fn trusted(peer: &Peer<'_>, chain: &[Certificate]) -> Result<(), Lack> {
    let anchors: Vec<Certificate> = peer.anchors.iter().flat_map(|one| one.of(chain)).collect();
    let Err(error) = verify_chain(chain, &anchors, peer.now) else {
        return Ok(());
    };
    let leaf = chain.first();
    let subject = leaf.map_or("it", |leaf| leaf.subject.as_str());
    let late = chain.iter().find(|one| peer.now > one.not_after);
    let why = match (&error, late) {
        (TrustError::Untrusted { .. }, Some(late)) => {
            return Err(Lack::new(
                "policy.certificate-expired",
                format!("the certificate {} has expired", late.subject),
            ));
        }
        _ if leaf.is_some_and(|leaf| leaf.self_signed) => {
            format!("its certificate {subject} is self-signed, so nobody vouches for it")
        }
        _ if peer.anchors.iter().all(|one| one.is_empty()) => {
            format!("nobody is trusted here, so nobody can vouch for its certificate {subject}")
        }
        (TrustError::Untrusted { reason, .. }, _) => {
            format!("its certificate {subject} does not lead to a trusted CA ({reason})")
        }
        (other, _) => format!("its certificate {subject} cannot be checked: {other}"),
    };
    Err(Lack::new("policy.certificate-untrusted", why))
}

/// The names of the row, else those of the parameter.
fn matches(peer: &Peer<'_>, policy: &Policy) -> Vec<Match> {
    let said: Vec<&str> = policy.values(Name::Match).collect();
    let defaults = match policy.level {
        Level::Verify => &peer.client.matches.verify,
        _ => &peer.client.matches.secure,
    };
    let words: Vec<&str> = match said.is_empty() {
        true => defaults.iter().map(String::as_str).collect(),
        false => said.iter().flat_map(|list| list.split(':')).collect(),
    };
    words
        .into_iter()
        .filter_map(|word| one(word, peer.hop, &peer.host.name))
        .collect()
}

fn one(word: &str, hop: &NextHop, host: &str) -> Option<Match> {
    let name = |name: &str| Some(mailtls::host_name(name).unwrap_or_else(|| name.to_owned()));
    match word.to_ascii_lowercase().as_str() {
        "" => None,
        "hostname" => Some(Match::This(host.to_owned())),
        "nexthop" => Some(Match::This(hop.host.clone())),
        "dot-nexthop" => Some(Match::Below(hop.host.clone())),
        _ => match word.strip_prefix('.') {
            Some(parent) => name(parent).map(Match::Below),
            None => name(word).map(Match::This),
        },
    }
}

/// One of the names. But where an address is among them (that of a next hop in brackets), OpenSSL
/// asks for that address, and besides for one of the names, if there are any (`SSL_add1_host`).
fn has_one(leaf: &Certificate, wanted: &[Match]) -> bool {
    let is_address = |one: &&Match| match one {
        Match::This(name) => name.parse::<IpAddr>().is_ok(),
        Match::Below(_) => false,
    };
    let (addresses, names): (Vec<&Match>, Vec<&Match>) = wanted.iter().partition(is_address);
    let has = |one: &&Match| match one {
        Match::This(name) => leaf.matches_name(name),
        Match::Below(parent) => leaf.has_name_below(parent),
    };
    addresses.first().is_none_or(has)
        && (names.is_empty() || names.iter().any(has))
        && !wanted.is_empty()
}

fn wrong_name(chain: &[Certificate], wanted: &[Match]) -> Lack {
    let words = |one: &Match| match one {
        Match::This(name) => name.clone(),
        Match::Below(parent) => format!("*.{parent}"),
    };
    let wanted: Vec<String> = wanted.iter().map(words).collect();
    let has = chain
        .first()
        .map_or_else(String::new, |leaf| leaf.names_shown());
    let why = format!(
        "its certificate is for {has}, not for {}",
        wanted.join(" or ")
    );
    Lack::new("policy.certificate-name", why)
}

/// `fingerprint`: of the certificate or of its key; nothing else counts, not even dates.
fn fingerprint(client: &Client, policy: &Policy, chain: &[Certificate]) -> Result<(), Lack> {
    let said: Vec<&str> = policy.values(Name::Match).collect();
    let wanted: Vec<String> = match said.is_empty() {
        true => client.matches.fingerprint.clone(),
        false => {
            let words = said.iter().flat_map(|list| list.split('|'));
            words.map(str::to_owned).collect()
        }
    };
    let seen = chain.first().and_then(|leaf| leaf.digests(&client.digest));
    let Some(seen) = seen else {
        let why = format!("{} is no digest that OpenSSL knows", client.digest);
        return Err(Lack::new("policy.fingerprint-mismatch", why));
    };
    let has = format!(
        "its certificate has the {} fingerprint {}, and its key {}",
        client.digest, seen.certificate, seen.key
    );
    if wanted.is_empty() {
        let why = format!("no fingerprint is listed; {has}");
        return Err(Lack::new("policy.no-fingerprint", why));
    }
    // Colons may be left out.
    let digits = |text: &str| text.replace(':', "").to_ascii_lowercase();
    let own = [digits(&seen.certificate), digits(&seen.key)];
    let is_one = |text: &String| own.contains(&digits(text));
    if wanted.iter().any(is_one) {
        return Ok(());
    }
    Err(Lack::new("policy.fingerprint-mismatch", has))
}

/// The files of trust anchors that a policy, or its client, names in place of all CAs; as they are
/// seen from outside of the jail. Without one of them smtp(8) does not deliver.
pub(crate) fn own_anchors(client: &Client, policy: &Policy) -> BTreeSet<PathBuf> {
    let jailed = |path: &str| within(&client.trust.jail, path);
    let said: BTreeSet<PathBuf> = policy.values(Name::Tafile).map(jailed).collect();
    match said.is_empty() && matches!(policy.level, Level::Verify | Level::Secure) {
        true => client
            .trust
            .anchors
            .iter()
            .map(|path| jailed(path))
            .collect(),
        false => said,
    }
}

/// The files that hold the trust anchors which may count for chains like these. Of a folder
/// (`smtp_tls_CApath`) those that OpenSSL would open: by the hash of an issuer's name.
pub(super) fn trust_files<'h>(
    client: &Client,
    policy: &Policy,
    seen: impl Iterator<Item = &'h Handshake>,
) -> BTreeSet<PathBuf> {
    // Of one name there are seldom two CAs.
    const SAME_HASH: u8 = 3;
    let own = own_anchors(client, policy);
    if !own.is_empty() {
        return own;
    }
    let mut files: BTreeSet<PathBuf> = client.trust.file.iter().cloned().collect();
    if client.trust.system == SystemAnchors::Count {
        files.extend(SystemTrust::bundles());
    }
    if let Some(folder) = &client.trust.folder {
        let chains = seen.filter_map(|seen| chain(seen).ok());
        for certificate in chains.flatten() {
            for name in [certificate.issuer_hash(), certificate.subject_hash()] {
                files.extend((0..SAME_HASH).map(|n| folder.join(format!("{name:08x}.{n}"))));
            }
        }
    }
    files
}

//! What was found, in the words of the report.
//!
//! Owns: putting it together. Never: asks anything.

use super::FullBudget;
use super::answer::Flight;
use super::asking::{Answer, Asker};
use super::enumerate::Found;
use super::hello::wire;
use super::sessions::{Done, yes_if};
use super::suites::{self, Suite};
use super::versions::Look;
use mailtls::{Fingerprint, TlsVersion};
use openssl::x509::X509Name;
use postseal_planner::full::{
    ClientAsked, DhSeen, Evidence, Features, Full, GroupsSeen, LeafSeen, Seen, StarttlsSeen,
    SuiteSeen, VersionSeen,
};

/// The report.
pub(super) fn told(
    asker: &Asker,
    budget: FullBudget,
    look: Look<'_>,
    starttls: Option<StarttlsSeen>,
) -> Full {
    let stopped = asker.stopped();
    let mut versions: Vec<VersionSeen> = look
        .firsts
        .iter()
        .map(|(version, answer)| version_seen(&look, *version, answer, stopped.as_ref()))
        .collect();
    versions.sort_by_key(|seen| seen.version);
    Full {
        connections: asker.used(),
        budget: budget.connections,
        no_tls: no_tls(&look, stopped.as_deref()),
        versions,
        groups: groups(&look),
        dh: finite_fields(&look),
        certificates: certificates(&look),
        client_certificate: client_certificate(&look),
        features: features(&look, stopped.as_deref()),
        starttls,
        stopped,
    }
}

/// Why there is nothing to ask for. Where the look was cut short nothing is said of what was not asked.
fn no_tls(look: &Look<'_>, stopped: Option<&str>) -> Option<String> {
    let words = look.refused().filter(|_| stopped.is_none())?;
    Some(match words {
        "" => "no handshake came about".to_owned(),
        words => words.to_owned(),
    })
}

fn version_seen(
    look: &Look<'_>,
    version: TlsVersion,
    answer: &Answer,
    stopped: Option<&String>,
) -> VersionSeen {
    let seen = match answer {
        Answer::Flight(flight) => yes_if(flight.version == wire(version)),
        Answer::Refused(_) => Seen::No,
        Answer::Unknown(why) => Seen::unknown(why),
    };
    let found = look.suites.iter().filter(|(other, _)| *other == version);
    let mut unasked = found.clone().find_map(|(_, found)| found.unasked.clone());
    if seen == Seen::Yes && look.chosen(version).is_empty() {
        unasked = unasked.or_else(|| stopped.cloned());
    }
    VersionSeen {
        suites: found
            .flat_map(|(_, found)| suites_seen(look, version, found))
            .collect(),
        order: look
            .orders
            .iter()
            .find(|(other, _)| *other == version)
            .map(|(_, order)| *order),
        version,
        seen,
        unasked,
    }
}

fn suites_seen(look: &Look<'_>, version: TlsVersion, found: &Found) -> Vec<SuiteSeen> {
    let evidence = match found.alike.then(|| reference(look, version)).flatten() {
        Some(reference) => Evidence::Alike(reference),
        None => Evidence::Chosen,
    };
    found
        .chosen
        .iter()
        .map(|id| suite_seen(*id, evidence))
        .collect()
}

/// The version in which all suites were asked for.
fn reference(look: &Look<'_>, version: TlsVersion) -> Option<TlsVersion> {
    let others = look
        .suites
        .iter()
        .filter(|(other, found)| *other > version && !found.alike);
    others
        .map(|(other, _)| *other)
        .filter(|other| *other < TlsVersion::Tls1_3)
        .max()
}

fn suite_seen(id: u16, evidence: Evidence) -> SuiteSeen {
    let number = format!("0x{id:04X}");
    let name = Suite::of(id).map_or_else(|| number.clone(), |suite| suite.name.to_owned());
    let openssl = openssl::ssl::cipher_name(&name);
    SuiteSeen {
        openssl: (openssl != "(NONE)").then(|| openssl.to_owned()),
        id: number,
        name,
        evidence,
    }
}

fn groups(look: &Look<'_>) -> Vec<GroupsSeen> {
    let seen = |(version, found): &(TlsVersion, Found)| GroupsSeen {
        version: *version,
        groups: found
            .chosen
            .iter()
            .map(|id| suites::group_name(*id))
            .collect(),
        evidence: match found.alike {
            true => Evidence::Alike(TlsVersion::Tls1_3),
            false => Evidence::Chosen,
        },
        unasked: found.unasked.clone(),
    };
    look.groups.iter().map(seen).collect()
}

/// Each group once.
fn finite_fields(look: &Look<'_>) -> Vec<DhSeen> {
    let mut all: Vec<DhSeen> = Vec::new();
    for flight in look.flights() {
        let Some(prime) = &flight.prime else { continue };
        let suite = suite_seen(flight.suite, Evidence::Chosen);
        let seen = dh(prime, suite.openssl.unwrap_or(suite.name));
        let same = |other: &DhSeen| other.bits == seen.bits && other.name == seen.name;
        if !all.iter().any(same) {
            all.push(seen);
        }
    }
    all
}

/// A prime of RFC 7919 begins with e, one of RFC 3526 with π.
fn dh(prime: &[u8], suite: String) -> DhSeen {
    const FFDHE: [u8; 8] = [0xAD, 0xF8, 0x54, 0x58, 0xA2, 0xBB, 0x4A, 0x9A];
    const MODP: [u8; 8] = [0xC9, 0x0F, 0xDA, 0xA2, 0x21, 0x68, 0xC2, 0x34];
    let start = prime.iter().position(|byte| *byte != 0);
    let prime = start
        .and_then(|start| prime.get(start..))
        .unwrap_or_default();
    let zeros = prime.first().map_or(0, |first| first.leading_zeros());
    let bits = u32::try_from(prime.len() * 8)
        .unwrap_or(u32::MAX)
        .saturating_sub(zeros);
    let begins =
        |constant: [u8; 8]| prime.starts_with(&[0xFF; 8]) && prime.get(8..16) == Some(&constant);
    let name = match bits {
        2048 | 3072 | 4096 | 6144 | 8192 if begins(FFDHE) => Some(format!("ffdhe{bits}")),
        768..=8192 if begins(MODP) => Some(format!("modp{bits}")),
        _ => None,
    };
    DhSeen { bits, name, suite }
}

fn certificates(look: &Look<'_>) -> Vec<LeafSeen> {
    let mut seen: Vec<LeafSeen> = Vec::new();
    let under_keys = look.done.iter().flatten().map(|done| &done.chain);
    for chain in look.flights().map(|flight| &flight.chain).chain(under_keys) {
        let Some(leaf) = chain.first() else { continue };
        let fingerprint = Fingerprint::of(leaf);
        if seen.iter().all(|other| other.fingerprint != fingerprint) {
            let chain = chain.clone();
            seen.push(LeafSeen { fingerprint, chain });
        }
    }
    seen
}

fn client_certificate(look: &Look<'_>) -> ClientAsked {
    // A server without a certificate of its own in this handshake may not ask (RFC 5246 §7.4.4).
    let certified: Vec<&Flight> = look
        .flights()
        .filter(|flight| !flight.chain.is_empty())
        .collect();
    if let Some(names) = certified.iter().find_map(|flight| flight.asks.as_ref()) {
        return ClientAsked::Asked(names.iter().map(|name| name_words(name)).collect());
    }
    let done: Vec<&Done> = look.done.iter().flatten().collect();
    if done.iter().any(|done| done.asks) {
        return ClientAsked::AskedUnderKeys;
    }
    if certified.is_empty() && done.is_empty() {
        return ClientAsked::Undetermined("no handshake with a certificate was seen".to_owned());
    }
    ClientAsked::NotAsked
}

/// A name in DER as words, such as `CN=Test CA, O=Example`.
fn name_words(der: &[u8]) -> String {
    let Ok(name) = X509Name::from_der(der) else {
        return "a name that cannot be read".to_owned();
    };
    let entry = |entry: &openssl::x509::X509NameEntryRef| {
        let key = entry.object().nid().short_name().unwrap_or("?").to_owned();
        let value = entry.data().to_string().unwrap_or_default();

        let clean: String = value
            .chars()
            .take(100)
            .map(|c| if c.is_control() { '?' } else { c })
            .collect();
        format!("{key}={clean}")
    };
    name.entries().map(entry).collect::<Vec<_>>().join(", ")
}

fn features(look: &Look<'_>, stopped: Option<&str>) -> Features {
    let unknown = || Seen::unknown(stopped.unwrap_or("no handshake was seen"));
    let old = look.flights().next().is_some();
    let new = look.first(TlsVersion::Tls1_3).is_some();
    // TLS 1.3 has the good ones built in and the bad ones not at all.
    let of_all = |test: &dyn Fn(&Flight) -> bool, in_1_3: Seen| match (old, new) {
        (true, _) => yes_if(look.flights().all(test)),
        (false, true) => in_1_3,
        (false, false) => unknown(),
    };
    let of_any = |test: &dyn Fn(&Flight) -> bool| match (old, new) {
        (true, _) => yes_if(look.flights().any(test)),
        (false, true) => Seen::No,
        (false, false) => unknown(),
    };
    // Of versions before TLS 1.2, whose handshakes were not asked for it.
    let only_old = |seen: &Option<Seen>, older: Seen| match (seen, old, new) {
        (Some(seen), _, _) => seen.clone(),
        (None, true, _) => older,
        (None, false, true) => Seen::No,
        (None, false, false) => unknown(),
    };
    let of_done = |test: &dyn Fn(&Done) -> Seen| match (
        look.done.iter().find(|done| done.is_ok()),
        look.done.first(),
    ) {
        (Some(Ok(done)), _) => test(done),
        (_, Some(Err(why))) => Seen::unknown(why),
        _ if old => Seen::No,
        _ => unknown(),
    };
    let is_extended =
        |flight: &Flight| flight.version == wire(TlsVersion::Ssl3) || flight.answers(23);
    let stapled = look.done.iter().flatten().any(|done| done.stapled);
    Features {
        session_ids: only_old(&look.session_ids, unknown()),
        tickets: only_old(&look.tickets, unknown()),
        tickets_1_3: of_done(&Done::tickets),
        // Not tried where no ticket came.
        resumption_1_3: look
            .resumption_1_3
            .clone()
            .unwrap_or_else(|| of_done(&|_| Seen::No)),
        fallback_scsv: look.fallback_scsv.clone(),
        early_data: of_done(&Done::early_data),
        secure_renegotiation: of_all(&|flight| flight.answers(0xFF01), Seen::Yes),
        client_renegotiation: only_old(
            &look.renegotiation,
            Seen::unknown("it is tried in TLS 1.2 only"),
        ),
        compression: of_any(&|flight| flight.compression != 0),
        extended_master_secret: of_all(&is_extended, Seen::Yes),
        ocsp: match stapled {
            true => Seen::Yes,
            false => of_any(&|flight| flight.stapled),
        },
        // Older ones sign with nothing better (RFC 4346 §7.4.3).
        sha1_signatures: only_old(&look.sha1, Seen::Yes),
    }
}

#[cfg(test)]
mod tests;

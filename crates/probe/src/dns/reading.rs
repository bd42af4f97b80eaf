//! From a message to an answer.
//!
//! Owns: following aliases within one message, and when its AD bit counts. Never: takes a record
//! that the question or its aliases do not lead to; asks again.

use super::resolvers::AdBit;
use hickory_proto::dnssec::rdata::DNSSECRData;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::TLSA;
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use mailtls::tlsa::TlsaRecord;
use postseal_planner::dns::{Answer, Exchanger, Records, Security, Ttl};
use std::net::IpAddr;

/// Aliases followed, at most.
pub(super) const MOST_ALIASES: usize = 16;

/// What a resolver's message says of `name`.
pub(super) fn read(
    message: &Message,
    name: &Name,
    kind: RecordType,
    ad_bit: AdBit,
) -> Result<Answer, String> {
    match message.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => {}
        ResponseCode::ServFail => {
            return Err("it failed (SERVFAIL): perhaps DNSSEC does not hold".to_owned());
        }
        other => return Err(format!("it refused: {other}")),
    }
    let (owner, alias_ttl) = canonical(message, name)?;
    let found: Vec<&Record> = message
        .answers
        .iter()
        .filter(|record| is_of(record, &owner, kind))
        .collect();
    let ttl = found.iter().map(|record| record.ttl).max();
    let ttl = ttl.map(|left| lifetime(message, &owner, kind, left));
    let vouched = ad_bit == AdBit::Counts && message.metadata.authentic_data;
    Ok(Answer {
        records: records(&found, kind),
        owner: plain(&owner),
        security: match vouched {
            true => Security::Secure,
            false => Security::Insecure,
        },
        ttl: ttl.max(ttl.and(alias_ttl)),
    })
}

/// The time to live of a set of records, of which `left` is left: that of the zone, where its signature
/// came with it.
fn lifetime(message: &Message, owner: &Name, kind: RecordType, left: u32) -> Ttl {
    let of_zone = message
        .answers
        .iter()
        .find_map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::RRSIG(signature)) if record.name == *owner => {
                let signed = signature.input();
                (signed.type_covered == kind).then_some(signed.original_ttl)
            }
            _ => None,
        });
    Ttl {
        seconds: of_zone.unwrap_or(left),
        of_zone: of_zone.is_some(),
    }
}

fn is_of(record: &Record, owner: &Name, kind: RecordType) -> bool {
    record.record_type() == kind && record.dns_class == DNSClass::IN && record.name == *owner
}

/// Where the aliases of this message lead, and their longest time to live.
fn canonical(message: &Message, name: &Name) -> Result<(Name, Option<Ttl>), String> {
    let mut at = name.clone();
    let mut ttl: Option<Ttl> = None;
    for _ in 0..=MOST_ALIASES {
        let mut aliases = message.answers.iter();
        let next = aliases.find(|record| is_of(record, &at, RecordType::CNAME));
        match next.map(|record| (&record.data, record.ttl)) {
            Some((RData::CNAME(target), left)) => {
                let life = lifetime(message, &at, RecordType::CNAME, left);
                ttl = ttl.max(Some(life));
                at = target.0.clone();
            }
            _ => return Ok((at, ttl)),
        }
    }
    Err(endless(name))
}

/// That a name is an alias which leads back to itself, or on and on.
pub(super) fn endless(name: &Name) -> String {
    format!(
        "{} is an alias without an end (a loop of CNAME records)",
        plain(name)
    )
}

/// Whether a resolver says that it failed.
pub(super) fn is_failure(message: &Message) -> bool {
    message.metadata.response_code == ResponseCode::ServFail
}

/// Where an alias leads.
pub(super) fn alias(message: &Message, name: &Name) -> Option<Name> {
    let mut aliases = message.answers.iter();
    let found = aliases.find(|record| is_of(record, name, RecordType::CNAME))?;
    match &found.data {
        RData::CNAME(target) => Some(target.0.clone()),
        _ => None,
    }
}

fn records(found: &[&Record], kind: RecordType) -> Records {
    let data = || found.iter().map(|record| &record.data);
    match kind {
        RecordType::MX => {
            let mut hosts: Vec<Exchanger> = data()
                .filter_map(|data| match data {
                    RData::MX(mx) => Some(Exchanger {
                        preference: mx.preference,
                        host: plain(&mx.exchange),
                    }),
                    _ => None,
                })
                .collect();
            hosts.sort();
            Records::Mx(hosts)
        }
        RecordType::TLSA => Records::Tlsa(
            data()
                .filter_map(|data| match data {
                    RData::TLSA(tlsa) => Some(record(tlsa)),
                    _ => None,
                })
                .collect(),
        ),
        RecordType::TXT => Records::Txt(
            data()
                .filter_map(|data| match data {
                    RData::TXT(text) => Some(text.txt_data.concat()),
                    _ => None,
                })
                .collect(),
        ),
        _ => Records::Addresses(
            data()
                .filter_map(|data| match data {
                    RData::A(a) => Some(IpAddr::V4(a.0)),
                    RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0)),
                    _ => None,
                })
                .collect(),
        ),
    }
}

fn record(tlsa: &TLSA) -> TlsaRecord {
    TlsaRecord {
        usage: tlsa.cert_usage.into(),
        selector: tlsa.selector.into(),
        matching: tlsa.matching.into(),
        data: tlsa.cert_data.clone(),
    }
}

/// Lower case, without the final dot.
fn plain(name: &Name) -> String {
    let text = name.to_lowercase().to_ascii();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}

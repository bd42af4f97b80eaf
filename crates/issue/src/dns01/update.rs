//! Dynamic updates (RFC 2136) signed by TSIG (RFC 8945).
//!
//! Owns: finding the zone, adding and deleting one TXT value, and waiting until the server shows
//! it. Never: touches another value of the same name: a wildcard and its base, or another host,
//! may need theirs at the same moment.

use super::wire::{exchange, question};
use crate::{Bounds, Challenge, ChallengeKind, Solver, SolverError};
use hickory_proto::op::update_message::{append, delete_by_rdata};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::rdata::tsig::TsigAlgorithm as Algorithm;
use hickory_proto::rr::{Name, RData, Record, RecordSet, RecordType, TSigner};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a TXT record may be kept by resolvers: gone when the next order comes.
const TTL: u32 = 60;
/// How far the clocks may differ (RFC 8945, 10).
const FUDGE: u16 = 300;
/// How long a server may take to show what it accepted, and how often it is asked.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);
const ASK_EVERY: Duration = Duration::from_millis(200);

/// The hash of a TSIG key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum TsigAlgorithm {
    #[default]
    HmacSha256,
    HmacSha384,
    HmacSha512,
}

/// A TSIG key.
#[derive(Clone)]
pub struct TsigKey {
    /// Its name, as the server knows it.
    pub name: String,
    /// Its hash.
    pub algorithm: TsigAlgorithm,
    /// Its secret, decoded.
    pub secret: Zeroizing<Vec<u8>>,
}

impl TsigKey {
    /// Reads a key as BIND's `tsig-keygen`, `ddns-confgen` and Knot's `keymgr` write it: `key
    /// "NAME" { algorithm ALGORITHM; secret "BASE64"; };`, comments around it.
    pub fn read(text: &str) -> Result<Self, SolverError> {
        super::key_file::read(text)
    }
}

impl fmt::Debug for TsigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TsigKey({})", self.name)
    }
}

/// Answers by dynamic updates.
#[derive(Clone, Debug)]
pub struct DynamicUpdate {
    /// The primary server of the zone.
    pub server: SocketAddr,
    /// The zone; asked from the server where it is `None`.
    pub zone: Option<String>,
    /// The key that may update it.
    pub key: TsigKey,
    /// Other servers of the zone that must show the record before the CA is called.
    pub secondaries: Vec<SocketAddr>,
}

#[derive(Clone, Copy)]
enum Change {
    Add,
    Delete,
}

impl DynamicUpdate {
    fn change(
        &self,
        change: Change,
        challenge: &Challenge,
        bounds: &Bounds<'_>,
    ) -> Result<(), SolverError> {
        let name = name(&challenge.txt_name())?;
        let zone = match &self.zone {
            Some(zone) => self::name(zone)?,
            None => self.find_zone(&name, bounds)?,
        };
        let outside = || SolverError::NoZone {
            server: self.server,
            name: challenge.txt_name(),
        };
        if !zone.zone_of(&name) {
            return Err(outside());
        }
        let value = RData::TXT(TXT::new(vec![challenge.dns_value.clone()]));
        let set = RecordSet::from(Record::from_rdata(name.clone(), TTL, value));
        let mut message = match change {
            Change::Add => append(set, zone, false, false),
            Change::Delete => delete_by_rdata(set, zone, false),
        };
        self.send(&mut message, &name, bounds)
    }

    fn send(
        &self,
        message: &mut Message,
        name: &Name,
        bounds: &Bounds<'_>,
    ) -> Result<(), SolverError> {
        let wrong = |reason: String| SolverError::DnsAnswer {
            server: self.server,
            reason,
        };
        let key = self.key.secret.to_vec();
        let signer = TSigner::new(key, self.algorithm(), self::name(&self.key.name)?, FUDGE)
            .map_err(|error| wrong(error.to_string()))?;
        let now = u64::try_from(bounds.now()).unwrap_or_default();
        let verifier = message
            .finalize(&signer, now)
            .map_err(|error| wrong(error.to_string()))?;
        let answer = exchange(self.server, message, verifier, bounds)?;
        match answer.response_code {
            ResponseCode::NoError => Ok(()),
            code => Err(SolverError::DnsRefused {
                server: self.server,
                name: name.to_string(),
                rcode: rcode(code, &answer),
            }),
        }
    }

    fn algorithm(&self) -> Algorithm {
        match self.key.algorithm {
            TsigAlgorithm::HmacSha256 => Algorithm::HmacSha256,
            TsigAlgorithm::HmacSha384 => Algorithm::HmacSha384,
            TsigAlgorithm::HmacSha512 => Algorithm::HmacSha512,
        }
    }

    /// The zone that a name lies in: the owner of the SOA record that answers or denies.
    fn find_zone(&self, name: &Name, bounds: &Bounds<'_>) -> Result<Name, SolverError> {
        let answer = exchange(self.server, &question(name, RecordType::SOA), None, bounds)?;
        let records = answer.answers.iter().chain(&answer.authorities);
        records
            .filter(|record| record.record_type() == RecordType::SOA)
            .map(|record| record.name.clone())
            .find(|zone| zone.zone_of(name))
            .ok_or_else(|| SolverError::NoZone {
                server: self.server,
                name: name.to_string(),
            })
    }

    /// Waits until a server shows the value.
    fn wait_shown(
        &self,
        server: SocketAddr,
        challenge: &Challenge,
        bounds: &Bounds<'_>,
    ) -> Result<(), SolverError> {
        let name = name(&challenge.txt_name())?;
        let within = bounds.at_most(SHOWN_WITHIN);
        let question = question(&name, RecordType::TXT);
        let shown = |answer: Message| {
            answer.answers.iter().any(|record| match &record.data {
                RData::TXT(txt) => txt.txt_data.concat() == challenge.dns_value.as_bytes(),
                _ => false,
            })
        };
        while !exchange(server, &question, None, &within).is_ok_and(shown) {
            if within.sleep(ASK_EVERY).is_err() {
                bounds.check()?;
                let name = challenge.txt_name();
                return Err(SolverError::NotPublished { server, name });
            }
        }
        Ok(())
    }
}

impl Solver for DynamicUpdate {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::Dns01
    }

    fn present(&mut self, challenge: &Challenge, bounds: &Bounds<'_>) -> Result<(), SolverError> {
        self.change(Change::Add, challenge, bounds)?;
        for server in std::iter::once(self.server).chain(self.secondaries.iter().copied()) {
            self.wait_shown(server, challenge, bounds)?;
        }
        Ok(())
    }

    fn clean_up(&mut self, challenge: &Challenge, bounds: &Bounds<'_>) -> Result<(), SolverError> {
        self.change(Change::Delete, challenge, bounds)
    }
}

/// RFC 2136's word; for NOTAUTH the TSIG error where there is one, since it says which part of
/// the key is wrong.
fn rcode(code: ResponseCode, answer: &Message) -> String {
    use hickory_proto::rr::rdata::tsig::TsigError;
    let tsig = answer
        .signature()
        .and_then(|record| record.data.error.as_ref());
    let word = match (code, tsig) {
        (_, Some(TsigError::BadSig)) => "BADSIG",
        (_, Some(TsigError::BadKey)) => "BADKEY",
        (_, Some(TsigError::BadTime)) => "BADTIME",
        (ResponseCode::NotAuth, _) => "NOTAUTH",
        (ResponseCode::Refused, _) => "REFUSED",
        (ResponseCode::NotZone, _) => "NOTZONE",
        (ResponseCode::ServFail, _) => "SERVFAIL",
        (ResponseCode::NXDomain, _) => "NXDOMAIN",
        (ResponseCode::FormErr, _) => "FORMERR",
        (ResponseCode::NotImp, _) => "NOTIMP",
        (other, _) => return format!("rcode {}", u16::from(other)),
    };
    word.to_owned()
}

/// A name of ASCII labels, always absolute.
fn name(text: &str) -> Result<Name, SolverError> {
    let mut name = Name::from_ascii(text).map_err(|_| SolverError::Unusable(text.to_owned()))?;
    name.set_fqdn(true);
    Ok(name)
}

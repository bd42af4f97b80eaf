//! What a look at any server shows, and what that is worth: `probe`.
//!
//! Owns: the shape of its report, which can be stored and read again; what certificate and TLSA
//! records come to at one address; the levels that would work. Never: asks, connects, or takes
//! silence for an answer.
//!
//! `target` reads what is asked about, `address` judges one address, `mta_sts` the domain's policy,
//! `levels` the whole, `wrong` what is wrong with the server's TLS as such; `second` holds it against posttls-finger(1), `compare` against an earlier one.

mod address;
mod codes;
mod compare;
mod levels;
mod mta_sts;
mod second;
mod target;
mod wrong;

use crate::dns::Security;
use crate::finding::Finding;
use crate::preflight::{Delivery, RouteHost, Strongest, UNDETERMINED};
use crate::report::{Outcome, Report};
pub use address::{Around, address};
pub(crate) use codes::{RULES, found};
pub use compare::{Change, changes};
pub use levels::{Judged, Own, judge};
pub use mta_sts::{Fetched, STS_PATH, has_sts, sts_host, sts_record};
pub use second::{Agreement, SecondOpinion, arguments as second_arguments, second_opinion};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
pub use target::{NoTarget, ProbeTarget};
pub(crate) use wrong::TOO_OLD;

/// Everything that was seen of one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// As it was said.
    pub target: String,
    /// When, in seconds since 1970.
    pub at: i64,
    /// How far the servers can be held to TLS: pass where every server that was seen has TLS that
    /// works; fail where one has not; else undetermined.
    pub outcome: Outcome,
    /// Whether any server was reached.
    pub reached: Reach,
    /// What DNS said.
    pub dns: DnsSeen,
    /// The hosts, the preferred first.
    pub hosts: Vec<HostProbed>,
    /// What the domain's MTA-STS comes to.
    pub mta_sts: MtaStsSeen,
    /// What each level would come to, the weakest first.
    pub levels: Vec<LevelSeen>,
    /// The strongest policy that would work.
    pub strongest: Strongest,
    /// The message that was sent, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<SentMessage>,
    /// What is wrong, or could not be told.
    pub findings: Vec<Finding>,
}

impl Probed {
    /// Whether one of its servers answers at that address.
    pub fn leads_to(&self, address: SocketAddr) -> bool {
        let mut all = self.hosts.iter().flat_map(|host| &host.addresses);
        all.any(|at| at.address == address)
    }

    /// Whether anything could not be told: a server, a certificate, TLSA records, the MTA-STS policy, a
    /// second opinion that was asked for.
    pub fn is_undetermined(&self) -> bool {
        let addresses = || self.hosts.iter().flat_map(|host| &host.addresses);
        let mut opinions = addresses().filter_map(|one| one.second_opinion.as_ref());
        let certificates = addresses().filter_map(|one| one.certificate.as_ref());
        let mut judged = certificates
            .map(|one| &one.judged)
            .chain(addresses().map(|one| &one.dane))
            .chain([&self.mta_sts.judged]);
        let mut findings = self.findings.iter();
        self.outcome == Outcome::Undetermined
            || self.reached != Reach::Reached
            || findings.any(|one| one.code == UNDETERMINED)
            || judged.any(|one| one.outcome == Some(Outcome::Undetermined))
            || opinions.any(|one| one.outcome == Outcome::Undetermined)
    }
}

/// Whether a server was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// One at least took a connection.
    Reached,
    /// None did, or there is none.
    Unreachable,
    /// It could not be found out where they are.
    Unknown,
}

/// What DNS said of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsSeen {
    /// Pass: it is known where mail goes.
    pub outcome: Outcome,
    /// In a few words.
    pub words: String,
    /// The time it took, in microseconds.
    pub micros: u64,
}

/// A host of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostProbed {
    /// Its name or address.
    pub name: String,
    /// Of its MX record; `None` where there is none.
    pub preference: Option<u16>,
    /// Its TLSA records as DNSSEC vouches for them (`3 1 1 …`).
    pub tlsa: Vec<String>,
    /// Its addresses.
    pub addresses: Vec<AddressProbed>,
    /// Why there are no addresses.
    pub trouble: Option<String>,
}

/// One address, looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressProbed {
    /// Where.
    pub address: SocketAddr,
    /// The server name that was asked for, if any.
    pub sni: Option<String>,
    /// What was seen; `None` where there were too many addresses to look at all.
    pub report: Option<Report>,
    /// The certificate, where one was shown.
    pub certificate: Option<CertificateSeen>,
    /// What the TLSA records make of it.
    pub dane: Judgement,
    /// What posttls-finger(1) saw there, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_opinion: Option<SecondOpinion>,
}

/// A server's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateSeen {
    /// Subject of the leaf.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// The names it is for.
    pub names: Vec<String>,
    /// Valid from, in seconds since 1970.
    pub not_before: i64,
    /// Valid to, in seconds since 1970.
    pub not_after: i64,
    /// Its key, in words.
    pub key: String,
    /// Certificates that were sent.
    pub chain: usize,
    /// Pass: trusted by the CAs that count, for the server's name, and valid today.
    pub judged: Judgement,
}

/// A message that was sent for a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMessage {
    /// Where it was given to.
    pub address: SocketAddr,
    /// The sender; empty for the null sender.
    pub from: String,
    /// The recipient.
    pub to: String,
    /// Pass: the server has taken it over; undetermined: the answer to the final dot was lost.
    pub outcome: Outcome,
    /// The server's answer, or what went wrong.
    pub words: String,
    /// The identifier under which the server has it, where it says one.
    pub queue_id: Option<String>,
}

/// The identifier in an answer to the final dot: `250 2.0.0 Ok: queued as 4F1B2C3D`.
pub fn queue_id(reply: &str) -> Option<String> {
    let marks = ["queued as ", "id="];
    let rest = marks.iter().find_map(|mark| reply.split_once(mark))?.1;
    let word = rest
        .split([' ', ',', ';', '<', '>'])
        .find(|word| !word.is_empty())?;
    Some(word.to_owned())
}

/// A domain's MTA-STS (RFC 8461).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MtaStsSeen {
    /// Pass: every server that was seen fits the policy.
    pub judged: Judgement,
    /// The time that its record and its policy took, in microseconds; `None` where neither was asked for.
    #[serde(default)]
    pub micros: Option<u64>,
    /// Of the TXT record.
    pub id: Option<String>,
    /// `enforce`, `testing` or `none`.
    pub mode: Option<String>,
    /// How long senders keep the policy, in seconds.
    pub max_age: Option<u64>,
    /// The names of servers in the policy.
    pub mx: Vec<String>,
}

/// A stage that is judged rather than seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// `None` where there is nothing to judge.
    pub outcome: Option<Outcome>,
    /// Why, in a few words.
    pub words: String,
}

/// What a level would come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelSeen {
    /// `may`, `encrypt`, `dane`, `verify` or `secure`.
    pub level: String,
    /// Pass: mail would be delivered as the level demands.
    pub outcome: Outcome,
    /// How mail would be delivered, where it would: the weakest way.
    pub delivery: Option<Delivery>,
    /// That, or why it would not.
    pub why: String,
    /// What it would come to from this host, as its Postfix is set, where that is something else.
    pub here: Option<LevelHere>,
}

/// What a level would come to from this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelHere {
    /// Pass: mail would be delivered as the level demands.
    pub outcome: Outcome,
    /// That, or why it would not.
    pub why: String,
}

/// Where mail goes, in a few words.
pub fn route_words(hosts: &[RouteHost]) -> String {
    let addresses = hosts
        .iter()
        .flat_map(|host| host.addresses.iter().flatten());
    let count = addresses.count();
    let addresses = match count {
        1 => "1 address".to_owned(),
        count => format!("{count} addresses"),
    };
    let exchangers = hosts
        .iter()
        .filter(|host| host.preference.is_some())
        .count();
    let named = |one: &RouteHost| one.named == Security::Secure;
    let vouched = match hosts.iter().all(named) {
        true => ", DNSSEC vouches for them",
        false => "",
    };
    match exchangers {
        0 => addresses,
        1 => format!(
            "1 mail exchanger{}, {addresses}",
            vouched.replace("them", "it")
        ),
        many => format!("{many} mail exchangers{vouched}, {addresses}"),
    }
}

#[cfg(test)]
mod tests;

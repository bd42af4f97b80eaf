//! What becomes of mail at a level, at one address of one host: what smtp(8) would do
//! (`smtp_tls_policy.c`, `smtp_proto.c`, `tls_client.c` of Postfix 3.7).
//!
//! Owns: that judgement. Never: looks at more than one address.

use super::certificate::{self, Wants};
use super::client::{Client, Opening, Protocol};
use super::limits::{limits, offered, protocols, versions_alone};
use super::nexthop::NextHop;
use super::own::Own;
use super::reached::{Reached, reached};
use super::records::Dane;
use super::way::Host;
use super::{Delivery, Lack, Visit, Visits};
use crate::report::{Handshake, Report};
use mailtls::policy::{Name, Policy};
use mailtls::{Anchors, Level};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What would become of mail here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// It is delivered so.
    Goes(Delivery),
    /// It is not delivered here.
    Waits(Lack),
    /// It cannot be told.
    Unknown(String),
}

/// One address of one host, with all that is known.
#[derive(Clone, Copy)]
pub(super) struct Peer<'a> {
    pub(super) hop: &'a NextHop,
    pub(super) client: &'a Client,
    pub(super) host: &'a Host,
    pub(super) address: SocketAddr,
    pub(super) visits: &'a Visits,
    pub(super) anchors: &'a [&'a Anchors],
    pub(super) unusable: &'a BTreeMap<PathBuf, String>,
    pub(super) now: i64,
}

impl Peer<'_> {
    pub(super) fn judge(&self, policy: &Policy) -> Judged {
        let judged = self.by_sight(policy);
        let is_offered = self.client.opening == Opening::StartTls;
        match (&judged, &self.client.filtered) {
            // What was offered here may not reach the client.
            (Judged::Goes(Delivery::Verified | Delivery::Encrypted), Some(why)) if is_offered => {
                Judged::Unknown(why.clone())
            }
            _ => judged,
        }
    }

    fn by_sight(&self, policy: &Policy) -> Judged {
        // Of a server that is seen the fingerprint can be told, where none is listed.
        let lack = self.own().lack(policy);
        let told = |lack: &Lack| lack.code != "policy.no-fingerprint" || !self.shows();
        if let Some(lack) = lack.filter(told) {
            return Judged::Waits(lack);
        }
        match policy.level {
            Level::None | Level::May => self.opportunistic(policy),
            Level::Dane | Level::DaneOnly | Level::HalfDane => match self.dane(policy.level) {
                Dane::As(Level::None | Level::May) => self.without_records(&at(policy, Level::May)),
                Dane::As(_) => self.mandatory(&at(policy, Level::Encrypt), Wants::Nothing),
                Dane::By(found) => self.by_records(policy, found),
                Dane::Waits(lack) => Judged::Waits(lack),
                Dane::Unknown(why) => Judged::Unknown(why),
            },
            Level::Encrypt => self.mandatory(policy, Wants::Nothing),
            Level::Fingerprint => self.mandatory(policy, Wants::Fingerprint),
            Level::Verify | Level::Secure => self.mandatory(policy, Wants::Names),
        }
    }

    fn own(&self) -> Own<'_> {
        Own {
            client: self.client,
            anchors: self.anchors,
            unusable: self.unusable,
        }
    }

    /// Whether it shows a certificate.
    fn shows(&self) -> bool {
        matches!(self.any(), Reached::Tls(_))
    }

    /// What was seen of the address by one who asks for `sni`, and holds the handshake to what the
    /// policy allows.
    pub(super) fn reached(&self, policy: &Policy, sni: Option<String>) -> Reached<'_> {
        let visit = self.visit(sni);
        let open = || self.seen(&visit);
        match limits(policy, self.client) {
            Ok(None) => open(),
            Ok(Some(limits)) => {
                let within = |limits| {
                    self.seen(&Visit {
                        limits: Some(limits),
                        ..visit.clone()
                    })
                };
                match (within(limits), open()) {
                    (Reached::NoTls(lack), Reached::Tls(seen))
                        if lack.code == "policy.handshake-failed" =>
                    {
                        let alone = versions_alone(policy, self.client).map(within);
                        // Of the versions it takes one, so it is the ciphers.
                        let seen = match alone {
                            Some(Reached::Tls(alone)) => alone,
                            _ => seen,
                        };
                        Reached::NoTls(self.held_off(policy, seen, &lack))
                    }
                    (held, _) => held,
                }
            }
            Err(lack) => match open() {
                Reached::Tls(_) => Reached::NoTls(lack),
                other => other,
            },
        }
    }

    /// A handshake fails that would not without the limits of the policy.
    fn held_off(&self, policy: &Policy, seen: &Handshake, lack: &Lack) -> Lack {
        let offered = offered(policy, self.client);
        let (version, why) = (seen.version, &lack.why);
        if !offered.contains(&version) {
            let offered: Vec<&str> = offered.iter().map(|one| one.name()).collect();
            let offered = offered.join(", ");
            let why = format!("it chose {version}, and where only {offered} is offered {why}");
            return Lack::new("policy.protocol", why);
        }
        let cipher = &seen.cipher;
        let why = format!(
            "with the ciphers that may be used {why}; without that limit it chose {cipher}"
        );
        Lack::new("policy.no-cipher", why)
    }

    fn visit(&self, sni: Option<String>) -> Visit {
        Visit {
            address: self.address,
            protocol: self.client.protocol,
            opening: self.client.opening,
            from: self.client.bind.to(self.address.ip()),
            sni,
            limits: None,
        }
    }

    fn seen(&self, visit: &Visit) -> Reached<'_> {
        let report = self.visits.get(visit);
        if report.is_some_and(|report| self.is_this_host(report)) {
            return Reached::NoTls(Lack::new(
                "policy.mx-self",
                "it greets with this host's own name, so Postfix takes it for itself",
            ));
        }
        match report.map(reached) {
            Some(Reached::Unknown(_)) if self.lacks_wrapper() => Reached::NoTls(Lack::new(
                "policy.no-wrappermode",
                "port 465 expects TLS with the first byte, and the transport begins in clear",
            )),
            Some(reached) => reached,
            None => Reached::Unknown("it was not looked at".to_owned()),
        }
    }

    /// What was seen of the address, whatever name was asked for; a handshake where there is one.
    pub(super) fn any(&self) -> Reached<'_> {
        let own_address = self.client.bind.to(self.address.ip());
        let own = self.visits.range(self.visit(None)..);
        let own = own.take_while(|(visit, _)| {
            visit.address == self.address
                && visit.protocol == self.client.protocol
                && visit.opening == self.client.opening
                && visit.from == own_address
        });
        let mut first = None;
        for (visit, _) in own {
            let reached = self.seen(visit);
            if matches!(reached, Reached::Tls(_)) {
                return reached;
            }
            first.get_or_insert(reached);
        }
        first.unwrap_or_else(|| Reached::Unknown("it was not looked at".to_owned()))
    }

    /// At port 25 only (`smtp_proto.c`, `SMTP_MISC_FLAG_LOOP_DETECT`).
    fn is_this_host(&self, report: &Report) -> bool {
        let words = report.banner.as_deref().unwrap_or_default();
        let name = words.split_whitespace().nth(1).unwrap_or_default();
        self.address.port() == 25
            && self.client.protocol == Protocol::Smtp
            && !name.is_empty()
            && name.eq_ignore_ascii_case(&self.client.own_name)
    }

    fn lacks_wrapper(&self) -> bool {
        self.address.port() == 465 && self.client.opening == Opening::StartTls
    }

    /// What DANE comes to where there are no records. What a transport needs is asked of that level
    /// (`smtp_connect.c`), so wrapper mode has nobody's mail go out.
    fn without_records(&self, may: &Policy) -> Judged {
        match self.own().lack(may) {
            Some(lack) => Judged::Waits(Lack::new(
                lack.code,
                format!("without TLSA records dane means may, and {}", lack.why),
            )),
            None => self.opportunistic(may),
        }
    }

    fn opportunistic(&self, policy: &Policy) -> Judged {
        let sni = server_name(policy, self.client, self.hop, &self.host.name);
        match self.reached(policy, sni) {
            Reached::Unknown(why) => Judged::Unknown(why),
            Reached::NoTls(lack) if !is_about_tls(&lack) => Judged::Waits(lack),
            _ if policy.level == Level::None => Judged::Goes(Delivery::Clear),
            _ if self.client.disabled.is_some() => Judged::Goes(Delivery::Clear),
            Reached::NoTls(lack) if ends_a_session(&lack) => Judged::Goes(Delivery::ClearLater),
            Reached::NoTls(_) => Judged::Goes(Delivery::Clear),
            Reached::Tls(seen) => match self.version(policy, seen) {
                Ok(()) => Judged::Goes(Delivery::Encrypted),
                Err(_) => Judged::Goes(Delivery::ClearLater),
            },
        }
    }

    fn mandatory(&self, policy: &Policy, wants: Wants) -> Judged {
        // What DANE has come to may lack something, too.
        if let Some(lack) = self.own().unable(policy) {
            return Judged::Waits(lack);
        }
        let sni = server_name(policy, self.client, self.hop, &self.host.name);
        let seen = match self.reached(policy, sni) {
            Reached::Unknown(why) => return Judged::Unknown(why),
            Reached::NoTls(lack) => return Judged::Waits(lack),
            Reached::Tls(seen) => seen,
        };
        if let Err(lack) = self.version(policy, seen) {
            return Judged::Waits(lack);
        }
        let verified = match wants {
            Wants::Nothing => Ok(()),
            Wants::Fingerprint | Wants::Names => self.verifiable(seen),
        };
        match verified.and_then(|()| certificate::judge(self, policy, seen, wants)) {
            Ok(()) if wants == Wants::Nothing => Judged::Goes(Delivery::Encrypted),
            Ok(()) => Judged::Goes(Delivery::Verified),
            Err(lack) => Judged::Waits(lack),
        }
    }

    /// Whether OpenSSL would go on where it has to verify.
    pub(super) fn verifiable(&self, seen: &Handshake) -> Result<(), Lack> {
        match seen.version >= self.client.oldest_verified {
            true => Ok(()),
            false => Err(Lack::new(
                "policy.weak-tls",
                format!(
                    "it speaks {}, which OpenSSL refuses where the server is to be verified",
                    seen.version
                ),
            )),
        }
    }

    /// Whether the protocol list lets the version pass. A handshake that was held to it did.
    pub(super) fn version(&self, policy: &Policy, seen: &Handshake) -> Result<(), Lack> {
        let list = protocols(policy, self.client);
        match list.filter(|list| !list.allows(seen.version)) {
            None => Ok(()),
            Some(list) => Err(Lack::new(
                "policy.protocol",
                format!(
                    "it speaks nothing newer than {}, and only {list} may be used",
                    seen.version
                ),
            )),
        }
    }
}

/// The policy as it is, and where it asks for DANE as what that may come to (`dane_init`, before
/// ciphers and protocols are chosen).
pub(super) fn faces(policy: &Policy) -> Vec<Policy> {
    let mut faces = vec![policy.clone()];
    if matches!(
        policy.level,
        Level::Dane | Level::DaneOnly | Level::HalfDane
    ) {
        faces.extend([Level::May, Level::Encrypt].map(|level| at(policy, level)));
    }
    faces
}

fn at(policy: &Policy, level: Level) -> Policy {
    Policy {
        level,
        ..policy.clone()
    }
}

/// Whether the session is lost with it: smtp(8) begins anew, in clear.
fn ends_a_session(lack: &Lack) -> bool {
    let codes = [
        "policy.handshake-failed",
        "policy.protocol",
        "policy.no-cipher",
    ];
    codes.contains(&lack.code)
}

/// Whether less TLS would do where this is lacking.
fn is_about_tls(lack: &Lack) -> bool {
    !matches!(lack.code, "policy.no-wrappermode" | "policy.mx-self")
}

/// The server name that is asked for below DANE (`servername=`, `smtp_tls_servername`).
pub(super) fn server_name(
    policy: &Policy,
    client: &Client,
    hop: &NextHop,
    host: &str,
) -> Option<String> {
    let said = policy.values(Name::Servername).next();
    let word = said.unwrap_or(&client.servername).to_ascii_lowercase();
    let name = match word.as_str() {
        "" => return None,
        "hostname" => host,
        "nexthop" => &hop.host,
        other => other,
    };
    mailtls::host_name(name)
}

//! What becomes of mail at a level, at one address of one host: what smtp(8) would do
//! (`smtp_tls_policy.c`, `smtp_proto.c`, `tls_client.c` of Postfix 3.7).
//!
//! Owns: that judgement. Never: looks at more than one address.

use super::certificate::{self, Wants};
use super::client::{Client, Lookups, Opening, Protocol};
use super::nexthop::NextHop;
use super::reached::{Reached, reached};
use super::way::Host;
use super::{Delivery, Lack, Visit, Visits};
use crate::dane::{Found, Published};
use crate::dns::Security;
use crate::report::{Handshake, Report};
use mailtls::policy::{Name, Policy};
use mailtls::tlsa::{self, Verdict};
use mailtls::{Anchors, Level, ProtocolList, RangeSyntax, TlsVersion};
use std::net::SocketAddr;

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
    pub(super) now: i64,
}

/// How the records of a host bear on a policy.
enum Dane<'a> {
    /// It is as this level.
    As(Level),
    /// These records decide.
    By(&'a Found),
    Waits(Lack),
    Unknown(String),
}

impl Peer<'_> {
    pub(super) fn judge(&self, policy: &Policy) -> Judged {
        if self.client.opening == Opening::Wrapper
            && matches!(policy.level, Level::None | Level::May)
        {
            return Judged::Waits(Lack::new(
                "policy.wrapper-without-encrypt",
                "the transport begins with TLS (smtp_tls_wrappermode), which needs the level \
                 encrypt or a stronger one",
            ));
        }
        match policy.level {
            Level::None | Level::May => self.opportunistic(policy),
            Level::Dane | Level::DaneOnly | Level::HalfDane => match self.dane(policy.level) {
                Dane::As(Level::None | Level::May) => self.opportunistic(policy),
                Dane::As(_) => self.mandatory(policy, Wants::Nothing),
                Dane::By(found) => self.by_records(policy, found),
                Dane::Waits(lack) => Judged::Waits(lack),
                Dane::Unknown(why) => Judged::Unknown(why),
            },
            Level::Encrypt => self.mandatory(policy, Wants::Nothing),
            Level::Fingerprint => self.mandatory(policy, Wants::Fingerprint),
            Level::Verify | Level::Secure => self.mandatory(policy, Wants::Names),
        }
    }

    /// What was seen of the address by one who asks for `sni`.
    fn reached(&self, policy: &Policy, sni: Option<String>) -> Reached<'_> {
        self.seen(&Visit {
            newest: newest(policy, self.client),
            ..self.visit(sni)
        })
    }

    fn visit(&self, sni: Option<String>) -> Visit {
        Visit {
            address: self.address,
            protocol: self.client.protocol,
            opening: self.client.opening,
            sni,
            newest: None,
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
        let own = self.visits.range(self.visit(None)..);
        let own = own.take_while(|(visit, _)| {
            visit.address == self.address
                && visit.protocol == self.client.protocol
                && visit.opening == self.client.opening
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

    /// Whether `dane` comes to no more than `may` here.
    pub(super) fn is_dane_as_may(&self) -> bool {
        matches!(self.dane(Level::Dane), Dane::As(Level::None | Level::May))
    }

    fn opportunistic(&self, policy: &Policy) -> Judged {
        let sni = server_name(policy, self.client, self.hop, &self.host.name);
        match self.reached(policy, sni) {
            Reached::Unknown(why) => Judged::Unknown(why),
            Reached::NoTls(lack) if !is_about_tls(&lack) => Judged::Waits(lack),
            _ if policy.level == Level::None => Judged::Goes(Delivery::Clear),
            Reached::NoTls(lack) if lack.code == "policy.handshake-failed" => {
                Judged::Goes(Delivery::ClearLater)
            }
            Reached::NoTls(_) => Judged::Goes(Delivery::Clear),
            Reached::Tls(seen) => match self.version(policy, seen) {
                Ok(()) => Judged::Goes(Delivery::Encrypted),
                Err(Judged::Waits(_)) => Judged::Goes(Delivery::ClearLater),
                Err(other) => other,
            },
        }
    }

    fn mandatory(&self, policy: &Policy, wants: Wants) -> Judged {
        let sni = server_name(policy, self.client, self.hop, &self.host.name);
        let seen = match self.reached(policy, sni) {
            Reached::Unknown(why) => return Judged::Unknown(why),
            Reached::NoTls(lack) => return Judged::Waits(lack),
            Reached::Tls(seen) => seen,
        };
        if let Err(judged) = self.version(policy, seen) {
            return judged;
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

    fn dane(&self, level: Level) -> Dane<'_> {
        let only = level == Level::DaneOnly;
        let without = |code, why: &'static str| match only {
            true => Dane::Waits(Lack::new(code, why)),
            false => Dane::As(Level::May),
        };
        if self.client.lookups != Lookups::Dnssec {
            let why = "the transport does not ask for DNSSEC (smtp_dns_support_level = dnssec)";
            return without("policy.dane-without-dnssec", why);
        }
        let fallback = self.client.insecure_mx;
        if self.host.named == Security::Insecure && (only || fallback != Level::Dane) {
            let why = "DNSSEC does not vouch for it being the host of this destination";
            return match without("policy.mx-insecure", why) {
                Dane::As(_) => Dane::As(fallback),
                held => held,
            };
        }
        match &self.host.tlsa {
            Published::NotAsked | Published::Insecure(_) => {
                without("policy.no-tlsa", "DNSSEC vouches for no TLSA records of it")
            }
            Published::Failed(why) => {
                Dane::Unknown(format!("its TLSA records could not be asked for: {why}"))
            }
            Published::Vouched(found) if found.records.is_empty() => {
                without("policy.no-tlsa", "it has no TLSA records")
            }
            Published::Vouched(found) => {
                let usable = found.records.iter().any(|one| one.unusable().is_none());
                match (usable, only) {
                    (true, _) => Dane::By(found),
                    (false, true) => Dane::Waits(Lack::new(
                        "policy.tlsa-unusable",
                        "none of its TLSA records is of use to SMTP",
                    )),
                    (false, false) => Dane::As(Level::Encrypt),
                }
            }
        }
    }

    fn by_records(&self, policy: &Policy, found: &Found) -> Judged {
        let seen = match self.reached(policy, Some(self.host.base.clone())) {
            Reached::Unknown(why) => return Judged::Unknown(why),
            Reached::NoTls(lack) => return Judged::Waits(lack),
            Reached::Tls(seen) => seen,
        };
        if let Err(judged) = self.version(policy, seen) {
            return judged;
        }
        let chain = self
            .verifiable(seen)
            .and_then(|()| certificate::chain(seen));
        let chain = match chain {
            Ok(chain) => chain,
            Err(lack) => return Judged::Waits(lack),
        };
        let mut names = vec![self.host.base.as_str()];
        names.extend(self.host.domain.as_deref());
        let peer = tlsa::Peer {
            names: &names,
            now: self.now,
        };
        match tlsa::judge(&found.records, &chain, peer) {
            Verdict::Match(_) if self.host.named == Security::Secure => {
                Judged::Goes(Delivery::Verified)
            }
            // Postfix calls it halfdane: the records fit a host that anybody could have named.
            Verdict::Match(_) | Verdict::NothingUsable | Verdict::Absent => {
                Judged::Goes(Delivery::Encrypted)
            }
            Verdict::Mismatch => Judged::Waits(Lack::new(
                "policy.tlsa-mismatch",
                format!(
                    "its certificate matches none of the TLSA records of {}",
                    found.owner.trim_end_matches('.')
                ),
            )),
        }
    }

    /// Whether OpenSSL would go on where it has to verify.
    fn verifiable(&self, seen: &Handshake) -> Result<(), Lack> {
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

    /// Whether the protocol list lets the version pass. `Err` is the judgement where it does not.
    fn version(&self, policy: &Policy, seen: &Handshake) -> Result<(), Judged> {
        let Some(list) = protocols(policy, self.client) else {
            return Err(Judged::Waits(Lack::new(
                "policy.protocol",
                "the list of protocols cannot be read, so no handshake succeeds",
            )));
        };
        let version = seen.version;
        match list.floor() {
            _ if list.allows(version) => Ok(()),
            Some(floor) if floor < version => Err(Judged::Unknown(format!(
                "it chose {version}; whether it speaks one of {list}, too, was not asked"
            ))),
            _ => Err(Judged::Waits(Lack::new(
                "policy.protocol",
                format!("it speaks nothing newer than {version}, and only {list} may be used"),
            ))),
        }
    }
}

/// The versions that a policy allows; `None` where its list cannot be read.
fn protocols(policy: &Policy, client: &Client) -> Option<ProtocolList> {
    let said = policy.values(Name::Protocols).next();
    match (said, policy.level) {
        (Some(text), _) => ProtocolList::parse(text, RangeSyntax::Allowed).ok(),
        (None, Level::May) => client.protocols.may,
        (None, _) => client.protocols.mandatory,
    }
}

/// The newest version that a policy offers, where newer ones exist.
pub(super) fn newest(policy: &Policy, client: &Client) -> Option<TlsVersion> {
    let ceiling = protocols(policy, client)?.ceiling()?;
    (ceiling < TlsVersion::Tls1_3).then_some(ceiling)
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

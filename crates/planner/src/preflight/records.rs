//! What TLSA records of a host make of a policy (`dane_init` of Postfix 3.7, RFC 7672).
//!
//! Owns: what `dane` and `dane-only` come to at one host, and whether its certificate matches. Never:
//! asks DNS, judges another level.

use super::certificate;
use super::level::{Judged, Peer};
use super::reached::Reached;
use super::{Delivery, Lack};
use crate::dane::{Found, Published};
use crate::dns::Security;
use mailtls::Level;
use mailtls::policy::Policy;
use mailtls::tlsa::{self, Verdict};
use std::borrow::Cow;

/// How the records of a host bear on a policy.
pub(super) enum Dane<'a> {
    /// It is as this level.
    As(Level),
    /// These records decide.
    By(&'a Found),
    Waits(Lack),
    Unknown(String),
}

impl Peer<'_> {
    /// Whether `dane` comes to no more than `may` here.
    pub(super) fn is_dane_as_may(&self) -> bool {
        matches!(self.dane(Level::Dane), Dane::As(Level::None | Level::May))
    }

    pub(super) fn dane(&self, level: Level) -> Dane<'_> {
        let only = level == Level::DaneOnly;
        let without = |code, why: Cow<'static, str>| match only {
            true => Dane::Waits(Lack::new(code, why)),
            false => Dane::As(Level::May),
        };
        if let Some(hindrance) = self.client.lookups.no_dane {
            let needs = hindrance.needs();
            let why = format!("the transport does no DANE, which needs {needs}");
            return without("policy.dane-without-dnssec", why.into());
        }
        let fallback = self.client.insecure_mx;
        if self.host.named == Security::Insecure && (only || fallback != Level::Dane) {
            let why = "DNSSEC does not vouch for it being the host of this destination";
            return match without("policy.mx-insecure", why.into()) {
                Dane::As(_) => Dane::As(fallback),
                held => held,
            };
        }
        match &self.host.tlsa {
            Published::NotAsked | Published::Insecure(_) => without(
                "policy.no-tlsa",
                "DNSSEC vouches for no TLSA records of it".into(),
            ),
            Published::Failed(why) => {
                Dane::Unknown(format!("its TLSA records could not be asked for: {why}"))
            }
            Published::Vouched(found) if found.records.is_empty() => {
                without("policy.no-tlsa", "it has no TLSA records".into())
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

    pub(super) fn by_records(&self, policy: &Policy, found: &Found) -> Judged {
        if let Some(lack) = &self.client.disabled {
            return Judged::Waits(lack.clone());
        }
        let seen = match self.reached(policy, Some(self.host.base.clone())) {
            Reached::Unknown(why) => return Judged::Unknown(why),
            Reached::NoTls(lack) => return Judged::Waits(lack),
            Reached::Tls(seen) => seen,
        };
        if let Err(lack) = self.version(policy, seen) {
            return Judged::Waits(lack);
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
}

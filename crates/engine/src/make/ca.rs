//! Private CAs: made here, made again before they end, and what they issue.
//!
//! Owns: that no certificate outlives its CA, and that a renewed CA vouches for what the one before
//! issued. Never: makes a signature itself (`issue` does).

use super::{KeyChoice, Wanted, names, refused};
use crate::certificates::{CertificateView, parsed, unknown};
use crate::{Engine, EngineError};
use mailtls::CertError;
use postseal_issue::{Issued, PrivateCa, Validity};
use postseal_planner::{Finding, Severity};
use postseal_store::{Certificate as Stored, Succession};

/// The source of a CA of one's own.
pub(crate) const MADE_CA: &str = "private CA made here";

impl Engine<'_> {
    /// A CA of one's own. `permitted`: the domains it may issue for, all where none is named.
    pub fn private_ca(
        &mut self,
        wanted: &Wanted,
        permitted: &[String],
    ) -> Result<CertificateView, EngineError> {
        let newest = self.newest(&wanted.name)?;
        if newest.is_some_and(|newest| newest.source == MADE_CA) {
            return Err(there(&wanted.name));
        }
        self.check_free(wanted)?;
        let KeyChoice::New(key_type) = wanted.key else {
            return Err(EngineError::Refused(
                Finding::new(
                    "cert.ca-key-reused",
                    Severity::Error,
                    "A CA is made with a key of its own.",
                    "Leave out --reuse-key.",
                )
                .into(),
            ));
        };
        let name = wanted
            .names
            .first()
            .map_or(wanted.name.as_str(), |name| name);
        let validity = Validity::days(self.clock.now_unix(), wanted.days);
        let ca = PrivateCa::constrained(name, key_type, validity, permitted).map_err(refused)?;
        self.put_issued(wanted, &made(&ca), None, MADE_CA)
    }

    /// A CA that was made here again, for so many days from now: with its key, its name and its
    /// domains, so that what it issued stays valid.
    pub fn renew_private_ca(
        &mut self,
        name: &str,
        days: u32,
    ) -> Result<CertificateView, EngineError> {
        let newest = self.newest(name)?.ok_or_else(|| unknown(name))?;
        if newest.source != MADE_CA {
            return Err(made_elsewhere(name));
        }
        let (_, ca) = self.issuer(name)?;
        let validity = Validity::days(self.clock.now_unix(), days);
        let next = ca.renewed(validity).map_err(refused)?;
        let wanted = Wanted {
            name: name.to_owned(),
            names: Vec::new(),
            key: KeyChoice::Reuse,
            days,
            succession: Succession::Renewal,
        };
        self.put_issued(&wanted, &made(&next), None, MADE_CA)
    }

    /// A private CA of the store, with its key.
    fn issuer(&self, ca: &str) -> Result<(Stored, PrivateCa), EngineError> {
        let stored = self.newest(ca)?.ok_or_else(|| unknown(ca))?;
        let key = self.store.private_key(ca, stored.version)?;
        let key = key.ok_or(CertError::KeyMissing)?;
        let mut pem = String::new();
        for certificate in parsed(&stored)? {
            pem.push_str(&String::from_utf8_lossy(&certificate.to_pem()?));
        }
        let issuer = PrivateCa::read(&pem, &key).map_err(refused)?;
        Ok((stored, issuer))
    }

    /// A certificate by a private CA of the store.
    pub fn issue_by(&mut self, ca: &str, wanted: &Wanted) -> Result<CertificateView, EngineError> {
        self.check_free(wanted)?;
        self.refuse_other_key(wanted)?;
        let (stored, issuer) = self.issuer(ca)?;
        let own = self.key_for(wanted)?;
        let now = self.clock.now_unix();
        let asked = Validity::days(now, wanted.days);
        let validity = asked.within(issuer.validity());
        if validity.not_after <= now.max(validity.not_before) {
            return Err(ended(&stored));
        }
        let issued = issuer
            .issue_for(&names(wanted)?, validity, &own)
            .map_err(refused)?;
        let root = stored.chain.last().cloned();
        let source = format!("issued here by {ca}");
        let mut view = self.put_issued(wanted, &issued, root, &source)?;
        if validity.not_after < asked.not_after {
            view.problems.push(shortened(&stored, wanted.days));
        }
        Ok(view)
    }
}

fn made(ca: &PrivateCa) -> Issued {
    Issued {
        cert_pem: ca.certificate_pem(),
        key_pem: ca.key_pem(),
        chain_pem: String::new(),
    }
}

/// A CA that has ended vouches for nothing.
fn ended(ca: &Stored) -> EngineError {
    let name = &ca.name;
    let message = format!("The CA {name} is not valid any more: what it issues would be refused.");
    let remedy = longer(name, &ca.source);
    EngineError::Refused(
        Finding::new("cert.issuer-expired", Severity::Error, message, remedy).into(),
    )
}

/// No certificate outlives its CA.
fn shortened(ca: &Stored, days: u32) -> Finding {
    let name = &ca.name;
    Finding::new(
        "cert.ends-with-its-ca",
        Severity::Info,
        format!("It ends with its CA {name}, sooner than the {days} days that were asked for."),
        longer(name, &ca.source),
    )
}

/// How a CA of the store gets a later end.
pub(crate) fn longer(name: &str, source: &str) -> String {
    match source {
        MADE_CA => format!(
            "`postseal cert private-ca {name} --renew` gives the CA a later end, with the same key and \
             name; have your peers trust the renewed one (`postseal cert export {name}`)."
        ),
        _ => format!(
            "Renew the CA where it was made, `postseal cert import {name} --cert FILE --renew`, and \
             have your peers trust the renewed one."
        ),
    }
}

/// Two CAs under one name would be one that lost its key.
fn there(name: &str) -> EngineError {
    let message = format!("There is a CA {name} already.");
    let remedy = format!(
        "{} A CA with a key of its own needs another name.",
        longer(name, MADE_CA)
    );
    EngineError::Refused(Finding::new("cert.exists", Severity::Error, message, remedy).into())
}

fn made_elsewhere(name: &str) -> EngineError {
    let message = format!("{name} was not made here by `cert private-ca`.");
    let remedy = longer(name, "");
    EngineError::Refused(
        Finding::new("cert.ca-made-elsewhere", Severity::Error, message, remedy).into(),
    )
}

//! What a policy lacks on this very host, so that all mail waits, whoever the server is.
//!
//! Owns: that judgement, made before a server is looked at: one that cannot be seen changes nothing
//! of it (`smtp_tls_policy.c`, `tls_client_init.c` of Postfix 3.7). Never: looks at a server.

use super::certificate::own_anchors;
use super::client::{Client, Opening};
use super::limits::limits;
use super::{Known, Lack, Wanted, overlooked};
use mailtls::policy::{Name, Policy};
use mailtls::{Anchors, Level};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A client, and what it trusts.
#[derive(Clone, Copy)]
pub(super) struct Own<'a> {
    pub(super) client: &'a Client,
    pub(super) anchors: &'a [&'a Anchors],
    pub(super) unusable: &'a BTreeMap<PathBuf, String>,
}

impl<'a> Own<'a> {
    pub(super) const fn of(wanted: &'a Wanted, known: Known<'a>) -> Self {
        Self {
            client: &wanted.client,
            anchors: known.anchors,
            unusable: known.unusable,
        }
    }

    /// What holds all mail back.
    pub(super) fn lack(self, policy: &Policy) -> Option<Lack> {
        if self.client.opening == Opening::Wrapper && policy.level <= Level::May {
            return Some(Lack::new(
                "policy.wrapper-without-encrypt",
                "the transport begins with TLS (smtp_tls_wrappermode), which needs the level \
                 encrypt or a stronger one",
            ));
        }
        if let Some(lack) = overlooked::lack(policy, self.client) {
            return Some(lack);
        }
        match policy.level {
            Level::None | Level::May | Level::Dane | Level::HalfDane => None,
            Level::DaneOnly => self.without_dane(),
            Level::Encrypt => self.unable(policy),
            Level::Fingerprint => {
                no_fingerprint(policy, self.client).or_else(|| self.unable(policy))
            }
            Level::Verify | Level::Secure => {
                let unable = self.unable(policy);
                unable.or_else(|| self.nobody_trusted(policy))
            }
        }
    }

    /// Files of anchors that cannot be used, and handshakes that cannot succeed.
    pub(super) fn unable(self, policy: &Policy) -> Option<Lack> {
        if let Some(lack) = &self.client.disabled {
            return Some(lack.clone());
        }
        let named = own_anchors(self.client, policy);
        let mut bad = named
            .iter()
            .filter_map(|path| self.unusable.get_key_value(path));
        if let Some((path, why)) = bad.next() {
            return Some(Lack::new(
                "policy.tafile-missing",
                format!("the trust anchors {} cannot be used: {why}", path.display()),
            ));
        }
        limits(policy, self.client).err()
    }

    fn without_dane(self) -> Option<Lack> {
        let hindrance = self.client.lookups.no_dane?;
        let needs = hindrance.needs();
        let why = format!("the transport does no DANE, which needs {needs}");
        Some(Lack::new("policy.dane-without-dnssec", why))
    }

    /// In a folder of CAs (`smtp_tls_CApath`) may be one for any server.
    fn nobody_trusted(self, policy: &Policy) -> Option<Lack> {
        let trust = &self.client.trust;
        let has_own = !own_anchors(self.client, policy).is_empty();
        let may =
            has_own || trust.folder.is_some() || !self.anchors.iter().all(|one| one.is_empty());
        (!may).then(|| {
            let why = match &trust.file {
                None => "no CA is trusted here (smtp_tls_CAfile, smtp_tls_CApath, \
                         tls_append_default_CA), so nobody can vouch for any certificate"
                    .to_owned(),
                Some(file) => format!(
                    "no CA is trusted here: there is none in {} (smtp_tls_CAfile)",
                    file.display()
                ),
            };
            Lack::new("policy.nobody-trusted", why)
        })
    }
}

fn no_fingerprint(policy: &Policy, client: &Client) -> Option<Lack> {
    let named = policy.values(Name::Match).next().is_some();
    (!named && client.matches.fingerprint.is_empty()).then(|| {
        Lack::new(
            "policy.no-fingerprint",
            "no fingerprint is listed, neither by match= nor by smtp_tls_fingerprint_cert_match",
        )
    })
}

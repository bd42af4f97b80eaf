//! Wishes applied to an intent.
//!
//! Owns: [`Intent::with`], [`Intent::with_all`], [`Intent::renewed`] and [`Intent::following`]. Never: judges whether the
//! result makes sense; `plan` does, so that the order of `set` and `bind` never matters.

use super::{Binding, Intent, Key, Setting, Wish};
use crate::{compile, profile};
use mailtls::Fingerprint;

impl Intent {
    /// The intent after one more wish. What was said last wins: a word that governs a parameter
    /// (`profile` and `smtp_tls_protocols`) takes an earlier `param.` of it away.
    #[must_use]
    pub fn with(&self, wish: Wish) -> Self {
        let mut intent = self.clone();
        match wish {
            Wish::Set(key, setting) => {
                for parameter in key.governs(&setting) {
                    intent.settings.remove(&Key::Param(parameter.to_owned()));
                }
                if key == Key::Profile {
                    let own = [
                        Key::ProfileInbound,
                        Key::ProfileSubmission,
                        Key::ProfileOutbound,
                    ];
                    own.iter().for_each(|key| drop(intent.settings.remove(key)));
                }
                if key == Key::InboundCertificate {
                    intent.exempt.clear();
                }
                intent.settings.insert(key, setting);
            }
            Wish::Unset(key) => {
                intent.settings.remove(&key);
            }
            Wish::Bind(binding) => {
                let place = &binding.place;
                intent
                    .exempt
                    .retain(|exempt| !compile::is_decided_by(place, exempt));
                let same = |bound: &&mut Binding| {
                    bound.name == binding.name && bound.place == binding.place
                };
                match intent.bindings.iter_mut().find(same) {
                    Some(bound) => *bound = binding,
                    None => intent.bindings.push(binding),
                }
            }
            Wish::Unbind(name, place) => intent.bindings.retain(|bound| {
                bound.name != name || place.as_ref().is_some_and(|place| *place != bound.place)
            }),
        }
        intent
    }

    /// The same after several wishes, in their order.
    #[must_use]
    pub fn with_all<'w>(&self, wishes: impl IntoIterator<Item = &'w Wish>) -> Self {
        let wishes = wishes.into_iter().cloned();
        wishes.fold(self.clone(), |intent, wish| intent.with(wish))
    }

    /// Whether a version of this certificate is bound anywhere.
    pub fn binds(&self, name: &str) -> bool {
        self.bindings.iter().any(|bound| bound.name == name)
    }

    /// The same intent with this certificate wherever another one of its name is bound.
    #[must_use]
    pub fn renewed(&self, name: &str, newest: Fingerprint) -> Self {
        let mut intent = self.clone();
        let bindings = intent.bindings.iter_mut();
        for bound in bindings.filter(|bound| bound.name == name) {
            bound.fingerprint = newest;
        }
        intent
    }

    /// The same wishes with the version of a certificate that `other` binds: what is pending while
    /// a renewal comes in force follows it.
    #[must_use]
    pub fn following(&self, name: &str, other: &Self) -> Self {
        let bound = other.bindings.iter().find(|bound| bound.name == name);
        bound.map_or_else(
            || self.clone(),
            |bound| self.renewed(name, bound.fingerprint),
        )
    }
}

impl Key {
    /// The main.cf parameters that this key alone decides while it is set.
    fn governs(&self, setting: &Setting) -> Vec<&'static str> {
        if let Setting::Word(name) = setting {
            let profile = profile::governed(self, name);
            if !profile.is_empty() {
                return profile;
            }
        }
        let names: &[_] = match self {
            Self::Inbound => &["smtpd_tls_security_level"],
            Self::Outbound => &["smtp_tls_security_level"],
            Self::InboundCertificate => &[
                "smtpd_tls_chain_files",
                "smtpd_tls_cert_file",
                "smtpd_tls_key_file",
                "smtpd_tls_eccert_file",
                "smtpd_tls_eckey_file",
            ],
            Self::AuthOnly => &["smtpd_tls_auth_only"],
            Self::ReceivedHeader => &["smtpd_tls_received_header"],
            Self::LoglevelInbound => &["smtpd_tls_loglevel"],
            Self::LoglevelOutbound => &["smtp_tls_loglevel"],
            Self::SessionCache => &[
                "smtpd_tls_session_cache_database",
                "smtp_tls_session_cache_database",
            ],
            Self::ClientCerts => &["smtpd_tls_ask_ccert", "smtpd_tls_req_ccert"],
            Self::TrustInbound => &["smtpd_tls_CAfile", "smtpd_tls_CApath"],
            Self::TrustOutbound => &["smtp_tls_CAfile", "smtp_tls_CApath"],
            Self::Profile
            | Self::ProfileInbound
            | Self::ProfileSubmission
            | Self::ProfileOutbound
            | Self::Submission
            | Self::Smtps
            | Self::SmtpsOut
            | Self::LoopbackCleartext
            | Self::Param(_)
            | Self::Override { .. } => &[],
        };
        names.to_vec()
    }
}

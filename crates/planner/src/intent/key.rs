//! The text form of keys.
//!
//! Owns: [`Key::name`] and its inverse. Never: what a key's values are (`settings`).

use super::Key;
use std::borrow::Cow;

/// Keys without an argument, with their names.
const NAMES: [(Key, &str); 19] = [
    (Key::Inbound, "inbound"),
    (Key::Outbound, "outbound"),
    (Key::InboundCertificate, "inbound-certificate"),
    (Key::Profile, "profile"),
    (Key::ProfileInbound, "profile.inbound"),
    (Key::ProfileSubmission, "profile.submission"),
    (Key::ProfileOutbound, "profile.outbound"),
    (Key::Submission, "submission"),
    (Key::Smtps, "smtps"),
    (Key::SmtpsOut, "smtps-out"),
    (Key::AuthOnly, "auth-only"),
    (Key::ReceivedHeader, "received-header"),
    (Key::LoglevelInbound, "loglevel.inbound"),
    (Key::LoglevelOutbound, "loglevel.outbound"),
    (Key::SessionCache, "session-cache"),
    (Key::ClientCerts, "client-certs"),
    (Key::TrustInbound, "trust.inbound"),
    (Key::TrustOutbound, "trust.outbound"),
    (Key::LoopbackCleartext, "loopback-cleartext"),
];

impl Key {
    /// The key as `postseal set` spells it.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Param(name) => format!("param.{name}").into(),
            Self::Override { service, name } => format!("param.{service}/{name}").into(),
            key => NAMES
                .iter()
                .find(|(known, _)| known == key)
                .map_or("", |(_, name)| name)
                .into(),
        }
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.name().into_owned()
    }
}

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("param.").filter(|name| !name.is_empty()) {
            return Ok(parameter(name));
        }
        NAMES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(key, _)| key.clone())
            .ok_or_else(|| format!("no such key: {text:?}"))
    }
}

/// `NAME`, or `SERVICE/TYPE/NAME`; a service's own name may hold a slash, the rest cannot.
fn parameter(text: &str) -> Key {
    let parts = text.rsplit_once('/');
    let of_service = parts.filter(|(service, name)| service.contains('/') && !name.is_empty());
    match of_service {
        Some((service, name)) => Key::Override {
            service: service.to_owned(),
            name: name.to_owned(),
        },
        None => Key::Param(text.to_owned()),
    }
}

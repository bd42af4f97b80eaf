//! Intent: what an operator wants, typed and closed; and wishes, the single changes of it.
//!
//! Owns: the closed vocabulary of what can be wanted. Never: knows how Postfix is told (that is
//! the rules' business) or what is there now (Facts).
//!
//! An intent right after adoption has no settings at all: everything is as it was found, in
//! [`Intent::adopted`]. A setting overlays what was adopted; giving it back uncovers it again.

mod key;
mod place;
mod tables;
mod text;
mod with;

use crate::Digest;
use mailtls::Fingerprint;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
pub(crate) use tables::Parted;
pub use tables::{AdoptedTables, Named, PolicyTable};
pub(crate) use text::DEFAULT;

/// Everything wanted of one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// What was there when Postseal adopted the instance.
    pub adopted: Owned,
    /// What was set since, by key. `mode` never appears here: it is `inbound` and `outbound`.
    pub settings: BTreeMap<Key, Setting>,
    /// The certificates presented, by name and fingerprint, in the order they are configured
    /// (RSA and ECDSA side by side).
    pub bindings: Vec<Binding>,
    /// The rules for destinations, as the rows that they come to; the rules themselves stay in the
    /// store. `None` where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Policies>,
    /// The administrator's tables whose rows are rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tables: Option<AdoptedTables>,
    /// Certificate parameters that were taken over as somebody wrote them while certificates were
    /// bound: there the adopted value stands, whatever is bound to all servers.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub exempt: BTreeSet<Exempt>,
}

/// A parameter that bindings leave alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Exempt {
    /// `main.cf`, or a service of master.cf (`submission/inet`).
    pub place: String,
    /// The parameter.
    pub parameter: String,
}

/// The rows of all rules for destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// Of the rendered rows.
    pub digest: Digest,
    /// How many.
    pub rows: u64,
}

/// The TLS parameters written in main.cf and master.cf: what Postseal owns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// main.cf: parameter name → its logical value as written (unexpanded).
    pub main: BTreeMap<String, String>,
    /// master.cf: service (`name/type`) → TLS parameter of its `-o` lines → value.
    pub services: BTreeMap<String, BTreeMap<String, String>>,
    /// main.cf: parameter name → the text of its whole entry, line breaks and inner comments
    /// included, so that giving it back gives the same bytes.
    #[serde(default)]
    pub entries: BTreeMap<String, String>,
    /// main.cf: parameter name → the texts of its earlier entries, which the last one overrides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overridden: BTreeMap<String, Vec<String>>,
    /// master.cf: the services of mail clients (ports 465 and 587) → their text as it stood.
    #[serde(default)]
    pub blocks: BTreeMap<String, String>,
    /// master.cf: port (465, 587) → the commented-out service of the stock file, as it stood.
    #[serde(default)]
    pub templates: BTreeMap<u16, String>,
}

/// One key of `postseal set`. The text form is [`Key::name`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Key {
    /// `inbound`: level of the SMTP server on port 25.
    Inbound,
    /// `outbound`: default level of the SMTP client.
    Outbound,
    /// `inbound-certificate`: `none` for anonymous TLS on closed networks.
    InboundCertificate,
    /// `profile`: protocols and ciphers, in all directions.
    Profile,
    /// `profile.inbound`: those of port 25.
    ProfileInbound,
    /// `profile.submission`: those of mail clients, on ports 587 and 465.
    ProfileSubmission,
    /// `profile.outbound`: those of the SMTP client.
    ProfileOutbound,
    /// `submission`: the service on port 587.
    Submission,
    /// `smtps`: the service on port 465.
    Smtps,
    /// `smtps-out`: a client for next hops that expect TLS from the first byte (port 465).
    SmtpsOut,
    /// `auth-only`: AUTH only under TLS.
    AuthOnly,
    /// `received-header`: TLS facts in the Received header.
    ReceivedHeader,
    /// `loglevel.inbound`.
    LoglevelInbound,
    /// `loglevel.outbound`.
    LoglevelOutbound,
    /// `session-cache`.
    SessionCache,
    /// `client-certs`.
    ClientCerts,
    /// `trust.inbound`: trust anchors for client certificates.
    TrustInbound,
    /// `trust.outbound`: trust anchors for servers.
    TrustOutbound,
    /// `loopback-cleartext`: keep listeners and clients of content filters on loopback in clear
    /// when TLS becomes mandatory.
    LoopbackCleartext,
    /// `param.NAME`: a TLS parameter of the catalogue.
    Param(String),
    /// `param.SERVICE/TYPE/NAME`: the same in a `-o` of a service, named as `postconf -P` does.
    Override {
        /// The service (`submission/inet`).
        service: String,
        /// The parameter.
        name: String,
    },
}

/// A value of `postseal set`, made only by parsing (`settings`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// off, may, encrypt.
    Inbound(Inbound),
    /// off, may, encrypt, dane, dane-only, verify, secure.
    Outbound(Outbound),
    /// A word out of a closed list, already checked (`profile=recommended`, `session-cache=…`).
    Word(String),
    /// on or off, yes or no.
    Switch(Switch),
    /// 0 to 4.
    Loglevel(u8),
    /// Where trust anchors come from.
    Trust(Trust),
    /// The value of a `param.NAME`, checked against its type.
    Raw(String),
    /// No line of a `param.NAME`: what Postfix has by default (or main.cf, for a `-o`) holds.
    Default,
}

/// Inbound TLS on port 25.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inbound {
    /// No STARTTLS.
    Off,
    /// STARTTLS offered.
    May,
    /// STARTTLS required.
    Encrypt,
}

/// Default TLS level of outbound deliveries (postconf(5) `smtp_tls_security_level`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "Postfix's own words")]
pub enum Outbound {
    Off,
    May,
    Encrypt,
    Dane,
    DaneOnly,
    Verify,
    Secure,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "self-evident")]
pub enum Switch {
    Off,
    On,
}

/// Where trust anchors come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// No anchors.
    None,
    /// The system's store.
    System,
    /// A PEM file.
    File(PathBuf),
    /// A hashed directory.
    Directory(PathBuf),
}

/// A certificate of the store, and who presents it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Its name in the store.
    pub name: String,
    /// Its fingerprint: what is bound is this certificate, not whatever the name means later.
    pub fingerprint: Fingerprint,
    /// `cert bind --allow-self-signed`: accepted for opportunistic MX use.
    pub allow_self_signed: bool,
    /// Who presents it, and when.
    #[serde(default)]
    pub place: Place,
}

/// Who presents a certificate, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Every SMTP server, to clients that ask for no other name (`smtpd_tls_chain_files`).
    #[default]
    Server,
    /// The SMTP servers on this port (`-o smtpd_tls_chain_files` of their services).
    Port(u16),
    /// Every SMTP server, to clients that ask for this name (`tls_server_sni_maps`): a host name
    /// in lower case, or `.domain` for all names below it.
    Sni(String),
    /// The SMTP client, to servers that ask for one (`smtp_tls_chain_files`): all of them, or the
    /// one of this transport in master.cf.
    Client(Option<String>),
}

/// One change of an intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// `set KEY=VALUE` (`mode=` arrives as two wishes).
    Set(Key, Setting),
    /// `unset KEY`: back to what was adopted.
    Unset(Key),
    /// `cert bind NAME`.
    Bind(Binding),
    /// `cert unbind NAME`: everywhere, or in one place.
    Unbind(String, Option<Place>),
}

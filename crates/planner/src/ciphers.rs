//! Which ciphers and versions each program may use: grades, exclusions and protocol lists put together.
//!
//! Owns: the list that Postfix gives OpenSSL, for servers and clients, by level. Never: expands one
//! (only the OpenSSL at hand can), judges one (`lint` does).

mod recipe;

pub use recipe::Demand;
pub(crate) use recipe::{definition, excluded_at, exclusions, recipe, without};

use crate::compile::range_syntax;
use crate::expect::{Configured, configured, form_of};
use crate::facts::Facts;
use crate::openssl::oldest_verified;
use crate::report::KeyAlgorithm;
use crate::view::{Files, Service, View};
use crate::{Finding, Refusal, Severity, shown};
use mailtls::{Grade, Level, ProtocolList, TlsVersion};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which side a program is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// It is connected to: smtpd(8), tlsproxy(8).
    Server,
    /// It connects: smtp(8), lmtp(8).
    Client,
}

/// Whether a use is the one that holds without a word of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is what the level says.
    InForce,
    /// A row of a policy table may demand it.
    ByPolicy,
}

/// What one program may use at one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CipherUse {
    /// `name/type`; `main.cf` where there is no master.cf.
    pub service: String,
    /// Which side it is on.
    pub side: Side,
    /// The level: `may`, `encrypt`, and of clients `verify` for all that authenticate.
    pub level: Level,
    /// Whether that level holds without a policy.
    pub standing: Standing,
    /// What is allowed, or why nothing is and every handshake fails.
    pub allowed: Result<Allowed, String>,
    /// The keys of the server's certificates; none where they could not be looked at, and of clients.
    pub keys: Option<BTreeSet<KeyAlgorithm>>,
    /// Whose order of suites decides at a server (`tls_preempt_cipherlist`).
    pub order: Order,
}

/// Whose order of suites decides among what both know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The server's (`tls_preempt_cipherlist = yes`).
    Server,
    /// The client's.
    Client,
}

/// What OpenSSL is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Allowed {
    /// The grade.
    pub grade: Grade,
    /// The cipher list, for TLS 1.2 and older.
    pub list: String,
    /// The versions, the oldest first.
    pub versions: Vec<TlsVersion>,
    /// OpenSSL's security level: the list's (`@SECLEVEL`), or Postfix's.
    pub security_level: u32,
}

/// What the programs of an instance may use: each server that offers TLS and each client, or one
/// service (`name`, `name/type` or a port).
///
/// # Errors
/// An unknown service, or one that does not speak TLS.
pub fn uses(facts: &Facts, service: Option<&str>) -> Result<Vec<CipherUse>, Refusal> {
    let files = Files::of(facts);
    let view = files.view(facts);
    let Some(name) = service else {
        return Ok(all(&view));
    };
    let service = shown::find(&view, name)?;
    match of(&view, service) {
        Some(uses) => Ok(uses),
        None => Err(silent(&service.id)),
    }
}

fn all(view: &View<'_>) -> Vec<CipherUse> {
    if view.services.is_empty() {
        let mut uses = server(view, None, "smtpd");
        uses.extend(client(view, None, "smtp"));
        return uses;
    }
    let screened = view.servers().any(|one| one.command == "postscreen");
    let counts = |service: &&Service| match service.command.as_str() {
        "tlsproxy" => screened,
        _ => true,
    };
    let services = view.services.iter().filter(counts);
    services.filter_map(|one| of(view, one)).flatten().collect()
}

/// The uses of a program; `None` where it has no TLS of its own.
fn of(view: &View<'_>, service: &Service) -> Option<Vec<CipherUse>> {
    match service.command.rsplit('/').next()? {
        "smtpd" => Some(server(view, Some(service), "smtpd")),
        "tlsproxy" => Some(server(view, Some(service), "tlsproxy")),
        "smtp" => Some(client(view, Some(service), "smtp")),
        "lmtp" => Some(client(view, Some(service), "lmtp")),
        _ => None,
    }
}

fn silent(id: &str) -> Refusal {
    let message = format!("{id} speaks no TLS of its own.");
    let remedy =
        "Name a service of smtpd, tlsproxy, smtp or lmtp; postscreen leaves TLS to tlsproxy.";
    Finding::new("name.unknown", Severity::Error, message, remedy).into()
}

/// The level of a server; none where it offers no TLS.
fn server(view: &View<'_>, service: Option<&Service>, prefix: &str) -> Vec<CipherUse> {
    let yes = |name: &str| view.is_yes(service, &format!("{prefix}_{name}"));
    let said = view.value(service, &format!("{prefix}_tls_security_level"));
    let wrapper = prefix == "smtpd" && yes("tls_wrappermode");
    let level = match said.to_ascii_lowercase().as_str() {
        _ if wrapper => Level::Encrypt,
        "" if yes("enforce_tls") => Level::Encrypt,
        "" if yes("use_tls") => Level::May,
        "" | "none" => return Vec::new(),
        "may" => Level::May,
        _ => Level::Encrypt,
    };
    let asks = yes("tls_ask_ccert") || yes("tls_req_ccert");
    let own = Own {
        view,
        service,
        prefix,
    };
    vec![CipherUse {
        service: own.name(),
        side: Side::Server,
        level,
        standing: Standing::InForce,
        allowed: own.allowed(level, asks.then_some("aNULL"), Holes::Allowed, 0),
        keys: keys(view, service),
        order: match view.is_yes(service, "tls_preempt_cipherlist") {
            true => Order::Server,
            false => Order::Client,
        },
    }]
}

/// Of the three kinds of levels that a policy can demand, whatever holds without one.
fn client(view: &View<'_>, service: Option<&Service>, prefix: &str) -> Vec<CipherUse> {
    let level = match prefix {
        "smtp" => view.client_level(service),
        _ => view.value(service, "lmtp_tls_security_level"),
    };
    let level: Level = level.parse().unwrap_or(Level::None);
    let own = Own {
        view,
        service,
        prefix,
    };
    let is_of = |one: Level| match one {
        Level::May | Level::Encrypt => level == one,
        _ => level > Level::Encrypt,
    };
    let uses = [Level::May, Level::Encrypt, Level::Verify].map(|one| CipherUse {
        service: own.name(),
        side: Side::Client,
        level: one,
        standing: match is_of(one) {
            true => Standing::InForce,
            false => Standing::ByPolicy,
        },
        allowed: own.allowed(
            one,
            excluded_at(one),
            Holes::End,
            u32::from(one > Level::Encrypt),
        ),
        keys: None,
        order: Order::Server,
    });
    uses.into()
}

/// What a gap in a protocol list does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holes {
    /// A server refuses just the versions in it.
    Allowed,
    /// A client offers what is below it.
    End,
}

/// The settings of one program.
struct Own<'a> {
    view: &'a View<'a>,
    service: Option<&'a Service>,
    prefix: &'a str,
}

impl Own<'_> {
    fn name(&self) -> String {
        self.service
            .map_or_else(|| "main.cf".to_owned(), |service| service.id.clone())
    }

    fn allowed(
        &self,
        level: Level,
        also: Option<&str>,
        holes: Holes,
        security_level: u32,
    ) -> Result<Allowed, String> {
        let demand = match level {
            Level::May => Demand::Opportunistic,
            _ => Demand::Mandatory,
        };
        let text = |name: &str| Some(self.view.value(self.service, name));
        let version = self.view.facts().version;
        let recipe = recipe(self.prefix, demand, also, version, &text)?;
        Ok(Allowed {
            grade: recipe.grade,
            security_level: level_in(&recipe.list).unwrap_or(security_level),
            list: recipe.list,
            versions: self.versions(demand, holes)?,
        })
    }

    fn versions(&self, demand: Demand, holes: Holes) -> Result<Vec<TlsVersion>, String> {
        let name = demand.protocols(self.prefix);
        let text = self.view.value(self.service, &name);
        let list = ProtocolList::parse(&text, range_syntax(self.view.facts().version));
        let list = list.map_err(|error| format!("{name} = {text}: {error}"))?;
        let newer = TlsVersion::ALL.into_iter();
        let known = newer.filter(|version| *version >= TlsVersion::Tls1_0);
        let versions: Vec<TlsVersion> = match holes {
            Holes::Allowed => known.filter(|one| list.allows(*one)).collect(),
            Holes::End => known
                .skip_while(|one| !list.allows(*one))
                .take_while(|one| list.allows(*one))
                .collect(),
        };
        match versions.is_empty() {
            true => Err(format!("{name} = {text} leaves no version of TLS")),
            false => Ok(versions),
        }
    }
}

/// The kinds of keys that a server's certificates have.
fn keys(view: &View<'_>, service: Option<&Service>) -> Option<BTreeSet<KeyAlgorithm>> {
    let named = configured(view, service?, view.facts());
    let loaded = form_of(&named, view.facts())?;
    let chains = loaded.iter().flat_map(|loaded| &loaded.chains);
    let kinds = chains.map(|chain| chain.first().and_then(KeyAlgorithm::of));
    let kinds: Option<BTreeSet<KeyAlgorithm>> = kinds.collect();
    // What could not be read is not known to be nothing.
    kinds.filter(|kinds| !kinds.is_empty() || named == Configured::Anonymous)
}

/// Whether a suite goes without a certificate, by OpenSSL's name of it.
pub fn is_anonymous(suite: &str) -> bool {
    suite.starts_with("ADH-") || suite.starts_with("AECDH-")
}

/// Whether the key is sent, encrypted by RSA: nothing stands before the cipher's name.
pub fn is_rsa_exchange(suite: &str) -> bool {
    let ciphers = [
        "AES", "CAMELLIA", "ARIA", "SEED", "IDEA", "DES", "RC4", "NULL", "RSA-PSK",
    ];
    ciphers.iter().any(|cipher| suite.starts_with(cipher))
}

impl CipherUse {
    /// Whether a handshake with this suite, in this version, gets along with OpenSSL's security level:
    /// above 0 a server refuses the versions whose signatures it does not take, and a client has suites
    /// without one.
    pub fn is_signable(&self, suite: &str, version: TlsVersion, openssl: &str) -> bool {
        let level = self.allowed.as_ref().map_or(0, |one| one.security_level);
        let is_signed = level == 0 || version >= oldest_verified(openssl);
        is_signed || self.side == Side::Client && is_rsa_exchange(suite)
    }
}

/// The level that a cipher list sets (`@SECLEVEL=2`); the last one counts.
fn level_in(list: &str) -> Option<u32> {
    let words = list.split([':', ',', ' ']);
    words
        .filter_map(|word| word.strip_prefix("@SECLEVEL=")?.parse().ok())
        .next_back()
}

/// The kind of key that a suite up to TLS 1.2 wants of the server, by OpenSSL's name of it.
pub fn wants(suite: &str) -> Wants {
    let has = |part: &str| suite.split('-').any(|one| one == part);
    match () {
        () if is_anonymous(suite) => Wants::None,
        () if has("ECDSA") => Wants::Ecdsa,
        () if has("DSS") => Wants::Dsa,
        () if has("PSK") && !has("RSA") => Wants::None,
        () => Wants::Rsa,
    }
}

/// What certificate a suite wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Wants {
    None,
    Rsa,
    Ecdsa,
    Dsa,
}

impl Wants {
    /// Whether a server with certificates of these keys can serve it.
    pub fn is_met(self, keys: &BTreeSet<KeyAlgorithm>) -> bool {
        match self {
            Self::None => true,
            Self::Rsa => keys.contains(&KeyAlgorithm::Rsa),
            // RFC 8422 §5.4: ECDSA suites are used with Ed25519, too.
            Self::Ecdsa => {
                keys.contains(&KeyAlgorithm::Ecdsa) || keys.contains(&KeyAlgorithm::Ed25519)
            }
            Self::Dsa => false,
        }
    }
}

#[cfg(test)]
mod tests;

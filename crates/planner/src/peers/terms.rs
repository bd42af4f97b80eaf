//! What a program asks of its peers.
//!
//! Owns: protocols, ciphers and groups as a program has them, where TLS is opportunistic and where it is
//! mandatory. Never: makes a list of ciphers (`ciphers::recipe` does), or expands one.

use super::{Demand, Whom};
use crate::ciphers::recipe;
use crate::compile::{filter_listeners, range_syntax};
use crate::expect::{speaker, unasked};
use crate::view::{Service, View};
use mailtls::{Certificate, KeyKind, Level, ProtocolList};
use std::collections::BTreeSet;

/// One program, with peers of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// What it is compared by.
    pub(super) key: (String, Option<Demand>),
    /// As it is shown.
    pub(super) service: String,
    pub(super) port: Option<u16>,
    pub(super) whom: Whom,
    pub(super) demand: Demand,
    /// How it calls itself in the log.
    pub(super) tags: Vec<String>,
    /// What it presents; none where that is not known, or is the other side's to present.
    pub(super) keys: Option<BTreeSet<Key>>,
    pub(super) terms: Terms,
}

/// The kind of a certificate's key, as suites up to TLS 1.2 tell it (RFC 8422 §2, RFC 5246 §7.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// RSA.
    Rsa,
    /// ECDSA and EdDSA.
    Curve,
}

impl Key {
    /// That of a suite, by OpenSSL's name of it.
    pub(super) fn of_suite(suite: &str) -> Self {
        match suite.contains("ECDSA") {
            true => Self::Curve,
            false => Self::Rsa,
        }
    }

    fn of(certificate: &Certificate) -> Self {
        match certificate.key {
            KeyKind::Rsa { .. } => Self::Rsa,
            _ => Self::Curve,
        }
    }
}

/// What a handshake with it must agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) protocols: ProtocolList,
    /// As `openssl ciphers` would be given it; none where Postfix sets none, and no handshake succeeds.
    pub(super) list: Option<String>,
    /// For ECDHE; none where OpenSSL's own syntax or defaults say.
    pub(super) groups: Option<Vec<String>>,
}

/// The programs that do TLS at all.
pub(super) fn places(view: &View<'_>) -> Vec<Place> {
    let filters: Vec<&str> = filter_listeners(view)
        .into_iter()
        .map(|service| service.id.as_str())
        .collect();
    let servers = view.servers();
    let servers = servers
        .filter(|service| !filters.contains(&service.id.as_str()))
        .filter_map(|service| server(view, service));
    let own = view.services.iter().filter(|service| {
        let mut names = service.overrides.keys();
        service.is_smtp_client()
            && names.any(|name| name.starts_with("smtp_tls_") || name.starts_with("tls_"))
    });
    let clients = std::iter::once(None).chain(own.map(Some));
    servers
        .chain(clients.flat_map(|service| client(view, service)))
        .collect()
}

fn server(view: &View<'_>, service: &Service) -> Option<Place> {
    let speaker = speaker(view, service);
    if !view.offers_tls(speaker) {
        return None;
    }
    let demand = match view.demands_tls(speaker) {
        true => Demand::Mandatory,
        false => Demand::Opportunistic,
    };
    let asks = ["smtpd_tls_ask_ccert", "smtpd_tls_req_ccert"];
    let asks = asks.iter().any(|name| view.is_yes(Some(speaker), name));
    let screened = service.command == "postscreen";
    let proxy = screened.then(|| tag(view, None, "tlsproxy"));
    Some(Place {
        key: (service.id.clone(), None),
        service: service.id.clone(),
        port: service.port(),
        whom: match view.for_mail_clients(speaker) && service.port() != Some(25) {
            true => Whom::MailClients,
            false => Whom::Senders,
        },
        demand,
        tags: [Some(tag(view, Some(speaker), "smtpd")), proxy]
            .into_iter()
            .flatten()
            .collect(),
        keys: keys(view, speaker),
        terms: terms(
            view,
            Some(speaker),
            "smtpd",
            demand,
            asks.then_some("aNULL"),
        )?,
    })
}

/// What a server presents. Where names have certificates of their own, it is any.
fn keys(view: &View<'_>, speaker: &Service) -> Option<BTreeSet<Key>> {
    if !view.list(Some(speaker), "tls_server_sni_maps").is_empty() {
        return None;
    }
    let chains = unasked(view, speaker, view.facts())?;
    let leaves = chains.iter().filter_map(|chain| chain.first());
    let keys: BTreeSet<Key> = leaves.map(Key::of).collect();
    (!keys.is_empty()).then_some(keys)
}

/// Where TLS is optional and where it is demanded, as far as mail goes there.
fn client(view: &View<'_>, service: Option<&Service>) -> Vec<Place> {
    let Ok(level) = view.client_level(service).parse::<Level>() else {
        return Vec::new();
    };
    let rules = !view.value(service, "smtp_tls_policy_maps").is_empty();
    let optional = matches!(level, Level::May | Level::Dane);
    let demanded = level.never_cleartext() || level == Level::Dane || rules;
    let also = match level {
        Level::Encrypt => "eNULL",
        _ => "aNULL",
    };
    let kinds = [
        optional.then_some((Demand::Opportunistic, None)),
        demanded.then_some((Demand::Mandatory, Some(also))),
    ];
    let kinds = kinds.into_iter().flatten();
    let place = |(demand, also)| {
        let id = service.map_or("main.cf", |service| &service.id);
        Some(Place {
            key: (id.to_owned(), Some(demand)),
            service: id.to_owned(),
            port: None,
            whom: Whom::Servers,
            demand,
            tags: vec![tag(view, service, "smtp")],
            keys: None,
            terms: terms(view, service, "smtp", demand, also)?,
        })
    };
    kinds.filter_map(place).collect()
}

fn tag(view: &View<'_>, service: Option<&Service>, program: &str) -> String {
    // master(8) sets it for daemons, and no file says it.
    let own = service.map_or(program, |service| service.name.as_str());
    let name = view.raw(service, "syslog_name").unwrap_or_default();
    let name = name.replace("${service_name}", own);
    let name = view.expanded(service, &name.replace("$service_name", own));
    let name = if name.is_empty() { "postfix" } else { &name };
    format!("{name}/{program}")
}

/// `None` where its protocols cannot be read.
fn terms(
    view: &View<'_>,
    service: Option<&Service>,
    prefix: &str,
    demand: Demand,
    also: Option<&str>,
) -> Option<Terms> {
    let value = |name: &str| view.value(service, name);
    let version = view.facts().version;
    let list = recipe(prefix, demand, also, version, &|name| Some(value(name)));
    let protocols = value(&demand.protocols(prefix));
    Some(Terms {
        protocols: ProtocolList::parse(&protocols, range_syntax(version)).ok()?,
        list: list.ok().map(|recipe| recipe.list),
        groups: groups(&value("tls_eecdh_auto_curves")),
    })
}

/// The groups by one name each, in lower case; none where OpenSSL's own words stand among them.
fn groups(text: &str) -> Option<Vec<String>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_, \t".contains(c);
    let words = text.split([',', ' ', '\t']).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(group).collect();
    let known = !words.is_empty() && text.chars().all(plain) && !words.contains(&"default".into());
    known.then_some(words)
}

/// One name for each curve, whichever was written.
pub(super) fn group(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "p-256" | "secp256r1" => "prime256v1".to_owned(),
        "p-384" => "secp384r1".to_owned(),
        "p-521" => "secp521r1".to_owned(),
        other => other.to_owned(),
    }
}

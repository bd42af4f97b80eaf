//! Credentials that a server, or whoever sits between, may see in clear.
//!
//! Owns: the level at the next hop that credentials go to, by `explain`'s own machinery, answered
//! from the sources of the tables; where rows of routes lead there, at the clients that they name.
//! Never: guesses: where a table cannot be read, or a transport that demands TLS may carry the mail,
//! that is [`Undetermined`].

use super::senders::{self, SenderHop};
use super::servers::{self, ByServer};
use super::sources::Sources;
use super::undetermined::{Undetermined, Unread};
use super::ways::{Ways, ways};
use super::{Credential, Credentials, Hidden, Kind, PARAMETER, credentials_in};
use crate::explain::{Hop, met};
use crate::facts::Facts;
use crate::policy::Routes;
use crate::resolve::{Answers, Asked};
use crate::view::{Files, Service, View};
use mailtls::Level;
use std::collections::BTreeSet;

/// A next hop has few parents and few tables.
const MOST_LOOKS: usize = 2_000;
/// A domain that no table names: a sender without a relay sends to any.
pub(super) const ANYWHERE: &str = "any-domain.invalid";
/// The same in words.
pub(crate) const ANY_DOMAIN: &str = "any domain";
/// Credentials that may go in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// Which.
    pub credential: Credential,
    /// The next hop that gets them.
    pub nexthop: String,
    /// The level there.
    pub level: Level,
}

/// What is known of all credentials.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exposure {
    /// Those that may go in clear.
    pub(crate) exposed: Vec<Exposed>,
    /// Those of which that cannot be told.
    pub(crate) undetermined: Vec<Undetermined>,
    /// Those of a server that may be met by a next hop without TLS.
    pub(crate) by_server: Vec<ByServer>,
}

/// A next hop, and the relay that all mail with the credentials goes by; empty where there is none.
type RelayedHop = (String, String);

/// A pair of files, and what is read of them once.
struct Reading<'v> {
    view: &'v View<'v>,
    keys: Vec<Credential>,
    hidden: Vec<Hidden>,
    sources: Sources<'v>,
    routes: Routes,
}

impl<'v> Reading<'v> {
    fn of(view: &'v View<'v>) -> Self {
        let mut sources = Sources::new(view.facts());
        let Credentials { keys, hidden } = credentials_in(view);
        let by_routes = |key: &Credential| matches!(key.kind(), Kind::Name | Kind::Every);
        let routes = match !hidden.is_empty() || keys.iter().any(by_routes) {
            true => servers::routes_of(view, &mut sources),
            false => Routes::default(),
        };
        Self {
            keys,
            hidden,
            sources,
            routes,
            view,
        }
    }

    /// The next hops that get each of the credentials.
    fn hops(&mut self) -> Vec<(Credential, Result<Vec<RelayedHop>, String>)> {
        let mut found = Vec::new();
        for credential in &self.keys {
            let hops = match credential.kind() {
                Kind::Sender => of_sender(self.view, credential, &self.keys, &mut self.sources),
                _ => Ok(self.named(credential)),
            };
            found.push((credential.clone(), hops));
        }
        found
    }

    /// The next hops of a key that names one, or a server.
    fn named(&self, credential: &Credential) -> Vec<RelayedHop> {
        let relayhost = self.view.value(None, "relayhost");
        let hops = match credential.kind() {
            Kind::NextHop => vec![credential.key.clone()],
            Kind::Name => servers::leading(self.view, credential, &self.routes),
            Kind::Every => servers::every(self.view, credential, &self.routes),
            Kind::Sender => Vec::new(),
        };
        let hops = hops.into_iter();
        hops.map(|hop| (hop, relayhost.clone())).collect()
    }

    /// What cannot be told of a table whose keys nobody knows: nothing where TLS is demanded of every
    /// next hop.
    fn of_hidden(&mut self, hidden: &Hidden) -> Option<Undetermined> {
        let relayhost = self.view.value(None, "relayhost");
        for hop in servers::every(self.view, &hidden.table, &self.routes) {
            let level = weakest(
                self.view,
                &hidden.table,
                &hop,
                &relayhost,
                &mut self.sources,
            );
            let why = match level {
                Ok(None) => continue,
                Ok(Some(level)) => format!(
                    "{}, and at level {level} mail for {} goes without TLS where the server offers \
                     none",
                    hidden.why,
                    in_words(hop)
                ),
                Err(why) => format!("{}; {why}", hidden.why),
            };
            return Some(Undetermined {
                credential: hidden.table.clone(),
                why,
                unread: Unread::Keys,
            });
        }
        None
    }

    /// What credentials of a server may meet by next hops that are not known to lead there; `None`
    /// where TLS is demanded by all of them. Why not, where that cannot be told.
    fn by_server(&mut self, credential: &Credential) -> Result<Option<ByServer>, String> {
        let relayhost = self.view.value(None, "relayhost");
        let mut found: Option<ByServer> = None;
        for hop in servers::open(self.view, credential, &self.routes) {
            let level = weakest(self.view, credential, &hop, &relayhost, &mut self.sources)?;
            let Some(level) = level else { continue };
            let found = found.get_or_insert_with(|| ByServer {
                credential: credential.clone(),
                level,
                nexthops: Vec::new(),
            });
            found.level = found.level.min(level);
            found.nexthops.push(in_words(hop));
        }
        Ok(found)
    }
}

/// Reads the files of an instance, and asks.
fn read_of<T>(facts: &Facts, ask: impl FnOnce(Reading<'_>) -> T) -> T {
    let files = Files::of(facts);
    ask(Reading::of(&files.view(facts)))
}

/// What is known of the credentials of a pair of files.
pub(crate) fn exposure(view: &View<'_>) -> Exposure {
    exposed_by(Reading::of(view))
}

/// The credentials of an instance that may go in clear.
pub fn exposed_in(facts: &Facts) -> Vec<Exposed> {
    read_of(facts, exposed_by).exposed
}

/// The relays of senders with credentials of their own, of an instance. Nothing where the tables
/// cannot be read.
pub fn sender_hops(facts: &Facts, credential: &Credential) -> Vec<SenderHop> {
    read_of(facts, |mut read| {
        senders::hops(read.view, credential, &read.keys, &mut read.sources).unwrap_or_default()
    })
}

/// The next hops that a key which names one, or a server, is known to send credentials to.
pub fn named_hops(facts: &Facts, credential: &Credential) -> Vec<String> {
    let hops = read_of(facts, |mut read| {
        read.routes = servers::routes_of(read.view, &mut read.sources);
        read.named(credential)
    });
    hops.into_iter().map(|(hop, _)| hop).collect()
}

/// Credentials under the bare name of a server that a next hop may lead to without TLS.
pub fn by_server_in(facts: &Facts) -> Vec<ByServer> {
    read_of(facts, exposed_by).by_server
}

/// All next hops with credentials that can be told.
pub fn next_hops(facts: &Facts) -> BTreeSet<String> {
    let hops = read_of(facts, |mut read| read.hops()).into_iter();
    hops.filter_map(|(_, hops)| hops.ok())
        .flatten()
        .map(|(nexthop, _)| nexthop)
        .filter(|nexthop| nexthop != ANYWHERE)
        .collect()
}

fn exposed_by(mut read: Reading<'_>) -> Exposure {
    let mut found = Exposure::default();
    for (credential, hops) in read.hops() {
        let hops = match hops {
            Ok(hops) => hops,
            Err(why) => {
                found
                    .undetermined
                    .push(Undetermined::level(credential, why));
                continue;
            }
        };
        for (nexthop, relay) in hops {
            let level = weakest(read.view, &credential, &nexthop, &relay, &mut read.sources);
            let credential = credential.clone();
            match level {
                Ok(None) => {}
                Ok(Some(level)) => found.exposed.push(Exposed {
                    credential,
                    nexthop: in_words(nexthop),
                    level,
                }),
                Err(why) => found
                    .undetermined
                    .push(Undetermined::level(credential, why)),
            }
        }
    }
    for hidden in std::mem::take(&mut read.hidden) {
        found.undetermined.extend(read.of_hidden(&hidden));
    }
    for credential in read.keys.clone() {
        match read.by_server(&credential) {
            Ok(one) => found.by_server.extend(one),
            Err(why) => {
                let known = found.undetermined.iter();
                if !known
                    .map(|one| &one.credential)
                    .any(|one| *one == credential)
                {
                    found
                        .undetermined
                        .push(Undetermined::level(credential, why));
                }
            }
        }
    }
    found
}

/// A next hop that is looked up as words say it.
fn in_words(hop: String) -> String {
    match hop.as_str() {
        ANYWHERE => ANY_DOMAIN.to_owned(),
        _ => hop,
    }
}

/// The next hops that a sender's credentials go to; why not, where that cannot be told.
fn of_sender(
    view: &View<'_>,
    credential: &Credential,
    all: &[Credential],
    sources: &mut Sources<'_>,
) -> Result<Vec<RelayedHop>, String> {
    let found = senders::hops(view, credential, all, sources)?;
    let hop = |hop| match hop {
        SenderHop::Anywhere => (ANYWHERE.to_owned(), String::new()),
        SenderHop::Relay(hop) if senders::routed(view) => (hop, String::new()),
        SenderHop::Relay(hop) => (hop.clone(), hop),
    };
    Ok(found.into_iter().map(hop).collect())
}

/// The level at which a next hop may see credentials in clear; `None` where it does not. Why not,
/// where that cannot be told.
fn weakest(
    view: &View<'_>,
    credential: &Credential,
    nexthop: &str,
    relayhost: &str,
    sources: &mut Sources<'_>,
) -> Result<Option<Level>, String> {
    let (usual, other) = carriers(view, credential);
    let ways = match nexthop.eq_ignore_ascii_case(relayhost) {
        true => Ok(Ways::default()),
        false => ways(view, nexthop, sources),
    };
    if let Ok(Ways { sure, .. }) = &ways
        && !sure.is_empty()
    {
        let all = usual.iter().chain(&other);
        let sure = all.filter(|client| sure.contains(&client.name));
        return weakest_of(view, sure, nexthop, sources);
    }
    let Some(level) = weakest_of(view, usual.iter(), nexthop, sources)? else {
        return Ok(None);
    };
    // Where rows cannot be read, any of the others may be the one that goes there.
    let mut weakest = level;
    for client in other {
        let why = match &ways {
            Ok(ways) if !ways.possible.contains(&client.name) => continue,
            Ok(_) => format!(
                "mail may go by {}, too, which would not show them",
                client.name
            ),
            Err(why) => why.clone(),
        };
        let level = clear_level(view, client, nexthop, sources)?;
        weakest = weakest.min(level.ok_or(why)?);
    }
    Ok(Some(weakest))
}

/// The lowest level at which one of some clients shows credentials.
fn weakest_of<'s>(
    view: &View<'_>,
    clients: impl Iterator<Item = &'s &'s Service>,
    nexthop: &str,
    sources: &mut Sources<'_>,
) -> Result<Option<Level>, String> {
    let levels = clients.map(|client| clear_level(view, client, nexthop, sources));
    let levels: Vec<_> = levels.collect();
    let known = levels.iter().filter_map(|level| level.clone().ok());
    match known.flatten().min() {
        Some(level) => Ok(Some(level)),
        None => levels.into_iter().find(Result::is_err).unwrap_or(Ok(None)),
    }
}

/// The clients that take mail by default, and the others.
fn carriers<'v>(
    view: &'v View<'_>,
    credential: &Credential,
) -> (Vec<&'v Service>, Vec<&'v Service>) {
    let clients = view.services.iter().filter(|one| one.is_smtp_client());
    let mut all: Vec<&Service> = clients.collect();
    if let Some(own) = &credential.service {
        all.retain(|client| client.id == *own);
        return (all, Vec::new());
    }
    let value = view.value(None, "default_transport");
    let usual = value.split(':').next().unwrap_or_default().to_owned();
    all.retain(|client| !client.overrides.contains_key(PARAMETER));
    all.into_iter().partition(|client| client.name == usual)
}

/// `None`: no credentials in clear there. Why not, where it cannot be told.
fn clear_level(
    view: &View<'_>,
    client: &Service,
    nexthop: &str,
    sources: &mut Sources<'_>,
) -> Result<Option<Level>, String> {
    let wraps = view.is_yes(Some(client), "smtp_tls_wrappermode");
    let words = view.value(Some(client), "smtp_sasl_security_options");
    // Mechanisms that show the password are not used in clear then.
    let guarded = words
        .split([',', ' ', '\t'])
        .any(|word| word.eq_ignore_ascii_case("noplaintext"));
    let authenticates = view.is_yes(Some(client), "smtp_sasl_auth_enable");
    if wraps || guarded || !authenticates {
        return Ok(None);
    }
    let hops = hops(view, client, nexthop, sources)?;
    if let Some(hop) = hops.iter().find(|hop| hop.is_undetermined()) {
        return Err(hop.sentence.clone());
    }
    let levels = hops.iter().filter_map(|hop| hop.level);
    Ok(levels.filter(|level| !level.never_cleartext()).min())
}

fn hops(
    view: &View<'_>,
    client: &Service,
    nexthop: &str,
    sources: &mut Sources<'_>,
) -> Result<Vec<Hop>, String> {
    let mut answers = Answers::default();
    for _ in 0..MOST_LOOKS {
        match met(view, &client.name, nexthop, &answers) {
            Asked::Answered(hops) => return Ok(hops),
            Asked::Unanswered(question) => {
                let answer = sources.answer(&question)?;
                answers.put(question, answer);
            }
        }
    }
    Err(format!("it takes more than {MOST_LOOKS} looks into tables"))
}

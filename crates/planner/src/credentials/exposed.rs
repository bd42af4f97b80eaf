//! Credentials that a server, or whoever sits between, may see in clear.
//!
//! Owns: the level at the next hop that credentials go to, by `explain`'s own machinery, answered
//! from the sources of the tables; where rows of routes lead there, at the clients that they name.
//! Never: guesses: where a table cannot be read, or a transport with a level of its own may carry
//! the mail, nothing is said.

use super::senders::{self, SenderHop};
use super::{Credential, PARAMETER, credentials_in, source};
use crate::explain::{Hop, listed_hops, met};
use crate::facts::{Facts, FileLook};
use crate::resolve::{Answer, Answers, Asked, Question};
use crate::view::{Files, Service, View};
use mailtls::Level;
use postfix_cf::table::{Content, rows};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// A next hop has few parents and few tables.
const MOST_LOOKS: usize = 2_000;
/// A domain that no table names: a sender without a relay sends to any.
const ANYWHERE: &str = "any-domain.invalid";
/// The same in words.
pub(crate) const ANY_DOMAIN: &str = "any domain";
/// Where mail is given another transport than the default.
const ROUTES: [&str; 2] = ["transport_maps", "sender_dependent_default_transport_maps"];

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

/// A pair of files, and what is read of them once.
struct Reading<'v> {
    view: &'v View<'v>,
    keys: Vec<Credential>,
    sources: Sources<'v>,
}

impl<'v> Reading<'v> {
    fn of(view: &'v View<'v>) -> Self {
        Self {
            keys: credentials_in(view).keys,
            sources: Sources::new(view.facts()),
            view,
        }
    }

    /// The next hops that get each of the credentials, beside the relay that all their mail goes by.
    fn hops(&mut self) -> Vec<(Credential, String, String)> {
        let mut found = Vec::new();
        for credential in &self.keys {
            let hops = hops_of(self.view, credential, &self.keys, &mut self.sources);
            let hops = hops.into_iter();
            found.extend(hops.map(|(nexthop, relay)| (credential.clone(), nexthop, relay)));
        }
        found
    }
}

/// Reads the files of an instance, and asks.
fn read_of<T>(facts: &Facts, ask: impl FnOnce(Reading<'_>) -> T) -> T {
    let files = Files::of(facts);
    ask(Reading::of(&files.view(facts)))
}

/// The credentials of a pair of files that may go in clear.
pub(crate) fn exposed(view: &View<'_>) -> Vec<Exposed> {
    exposed_by(Reading::of(view))
}

/// The same of an instance.
pub fn exposed_in(facts: &Facts) -> Vec<Exposed> {
    read_of(facts, exposed_by)
}

/// The relays of senders with credentials of their own, of an instance. Nothing where the tables
/// cannot be read.
pub fn sender_hops(facts: &Facts, credential: &Credential) -> Vec<SenderHop> {
    read_of(facts, |mut read| {
        senders::hops(read.view, credential, &read.keys, &mut read.sources).unwrap_or_default()
    })
}

/// All next hops with credentials that can be told.
pub fn next_hops(facts: &Facts) -> BTreeSet<String> {
    let hops = read_of(facts, |mut read| read.hops()).into_iter();
    hops.map(|(_, nexthop, _)| nexthop)
        .filter(|nexthop| nexthop != ANYWHERE)
        .collect()
}

fn exposed_by(mut read: Reading<'_>) -> Vec<Exposed> {
    let mut found = Vec::new();
    for (credential, nexthop, relay) in read.hops() {
        let level = weakest(read.view, &credential, &nexthop, &relay, &mut read.sources);
        found.extend(level.map(|level| Exposed {
            credential,
            nexthop: match nexthop.as_str() {
                ANYWHERE => ANY_DOMAIN.to_owned(),
                _ => nexthop,
            },
            level,
        }));
    }
    found
}

/// The next hops that get credentials, beside the relay that all their mail goes by.
fn hops_of(
    view: &View<'_>,
    credential: &Credential,
    all: &[Credential],
    sources: &mut Sources<'_>,
) -> Vec<(String, String)> {
    let relayhost = view.value(None, "relayhost");
    if let Some(nexthop) = credential.next_hop(&relayhost) {
        return vec![(nexthop, relayhost)];
    }
    let found = senders::hops(view, credential, all, sources);
    let hop = |hop| match hop {
        SenderHop::Anywhere => (ANYWHERE.to_owned(), String::new()),
        SenderHop::Relay(hop) if senders::routed(view) => (hop, String::new()),
        SenderHop::Relay(hop) => (hop.clone(), hop),
    };
    found.unwrap_or_default().into_iter().map(hop).collect()
}

/// The level at which a next hop may see credentials in clear; `None` where it does not, and where
/// that cannot be told.
fn weakest(
    view: &View<'_>,
    credential: &Credential,
    nexthop: &str,
    relayhost: &str,
    sources: &mut Sources<'_>,
) -> Option<Level> {
    // A server there says nothing before TLS.
    if [":465", ":smtps", ":submissions"]
        .iter()
        .any(|port| nexthop.ends_with(port))
    {
        return None;
    }
    let (usual, other) = carriers(view, credential);
    let ways = match nexthop.eq_ignore_ascii_case(relayhost) {
        true => Some(Ways::default()),
        false => ways(view, nexthop, sources),
    };
    if let Some(Ways { sure, .. }) = &ways
        && !sure.is_empty()
    {
        let all = usual.iter().chain(&other);
        let sure = all.filter(|client| sure.contains(&client.name));
        let levels = sure.filter_map(|client| clear_level(view, client, nexthop, sources));
        return levels.flatten().min();
    }
    let mut found = None;
    for client in usual {
        let level = clear_level(view, client, nexthop, sources);
        found = found.or(level?);
    }
    let level = found?;
    // Where rows cannot be read, any of the others may be the one that goes there.
    let may_go = |client: &&&Service| match &ways {
        Some(ways) => ways.possible.contains(&client.name),
        None => true,
    };
    let mut others = other.iter().filter(may_go);
    let same = |client: &&Service| clear_level(view, client, nexthop, sources) == Some(Some(level));
    others.all(same).then_some(level)
}

/// The transports by which rows of routes lead to a next hop.
#[derive(Default)]
struct Ways {
    /// Those that a row names with it.
    sure: BTreeSet<String>,
    /// Those that a row names without a next hop: it is the recipient's domain.
    possible: BTreeSet<String>,
}

/// `None` where a table cannot be read.
fn ways(view: &View<'_>, nexthop: &str, sources: &mut Sources<'_>) -> Option<Ways> {
    let mut ways = Ways::default();
    for parameter in ROUTES {
        for table in view.list(None, parameter) {
            for value in sources.rows(&table)?.values() {
                let (transport, hops) = value.split_once(':').unwrap_or((value, ""));
                if listed_hops(hops).any(|hop| hop.eq_ignore_ascii_case(nexthop)) {
                    ways.sure.insert(transport.trim().to_owned());
                } else if value.trim().ends_with(':') {
                    ways.possible.insert(transport.trim().to_owned());
                }
            }
        }
    }
    Some(ways)
}

/// The files in which rows of routes stand, where any credentials go by them.
pub(crate) fn route_files(view: &View<'_>) -> Vec<PathBuf> {
    if !super::are_used(view) {
        return Vec::new();
    }
    let tables = ROUTES
        .iter()
        .flat_map(|parameter| view.list(None, parameter));
    tables
        .filter_map(|table| source(&table).map(PathBuf::from))
        .collect()
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

/// `Some(None)`: no credentials in clear there. `None`: it cannot be told.
fn clear_level(
    view: &View<'_>,
    client: &Service,
    nexthop: &str,
    sources: &mut Sources<'_>,
) -> Option<Option<Level>> {
    let wraps = view.is_yes(Some(client), "smtp_tls_wrappermode");
    let words = view.value(Some(client), "smtp_sasl_security_options");
    // Mechanisms that show the password are not used in clear then.
    let guarded = words
        .split([',', ' ', '\t'])
        .any(|word| word.eq_ignore_ascii_case("noplaintext"));
    let authenticates = view.is_yes(Some(client), "smtp_sasl_auth_enable");
    if wraps || guarded || !authenticates {
        return Some(None);
    }
    let hops = hops(view, client, nexthop, sources)?;
    let levels = hops.iter().filter_map(|hop| hop.level);
    Some(levels.filter(|level| !level.never_cleartext()).min())
}

fn hops(
    view: &View<'_>,
    client: &Service,
    nexthop: &str,
    sources: &mut Sources<'_>,
) -> Option<Vec<Hop>> {
    let mut answers = Answers::default();
    for _ in 0..MOST_LOOKS {
        match met(view, &client.name, nexthop, &answers) {
            Asked::Answered(hops) => return Some(hops),
            Asked::Unanswered(question) => {
                let answer = sources.answer(&question)?;
                answers.put(question, answer);
            }
        }
    }
    None
}

/// The sources of tables, each read once.
pub(super) struct Sources<'f> {
    facts: &'f Facts,
    tables: BTreeMap<String, Option<HashMap<String, String>>>,
}

impl<'f> Sources<'f> {
    fn new(facts: &'f Facts) -> Self {
        Self {
            facts,
            tables: BTreeMap::new(),
        }
    }

    /// The rows of a table, by their keys in small letters; nothing where it cannot be read.
    pub(super) fn rows(&mut self, table: &str) -> Option<&HashMap<String, String>> {
        let facts = self.facts;
        let rows = self.tables.entry(table.to_owned());
        rows.or_insert_with(|| read(facts, table)).as_ref()
    }

    fn answer(&mut self, question: &Question) -> Option<Answer> {
        let Question::Lookup { table, key } = question else {
            return None;
        };
        let found = self.rows(table)?.get(&key.to_lowercase());
        Some(found.map_or(Answer::NotFound, |value| Answer::Found(value.clone())))
    }
}

/// The rows of a table; the first of a key counts.
fn read(facts: &Facts, table: &str) -> Option<HashMap<String, String>> {
    let path = Path::new(source(table)?);
    let Some(FileLook::File { bytes, .. }) = facts.files.get(path) else {
        return None;
    };
    let mut found = HashMap::new();
    for row in rows(bytes) {
        if let Content::Pair { key, value } = row.content {
            let [key, value] = [key, value].map(|text| String::from_utf8_lossy(&text).into_owned());
            found.entry(key.to_lowercase()).or_insert(value);
        }
    }
    Some(found)
}

//! Kinds of keys: one certificate of each kind in one place.
//!
//! Owns: refusing two that Postfix cannot present side by side, and telling of a kind that is
//! presented no more, and which of these losses locks peers out. Never: picks one of them.
//!
//! Every client of TLS 1.3 takes certificates with RSA and with ECDSA P-256 keys (RFC 8446 §9.1), and
//! older ones take RSA. So who goes from RSA to ECDSA alone, as certbot 2 does by itself, loses
//! clients from before 2010 or so: a Postfix among them goes on with anonymous ciphers, other senders
//! in clear where TLS is optional, and mail programs stay out. That is told, and no reason to let a
//! certificate expire over it. Ed25519 is another matter: Thunderbird of today refuses it
//! (docs/measured.md), and no public CA issues it.
//!
//! OpenSSL keeps one certificate of each kind of key. Of a second one in
//! `smtpd_tls_chain_files`, Postfix says “not replacing certificate” and switches TLS off; in the
//! parameters from before 3.4 it takes the place of the first, whose key then does not match.

use super::{World, error};
use crate::compile::stored_at;
use crate::expect::{Configured, chains, configured, speaker, unasked};
use crate::facts::{Facts, StoredCertificate};
use crate::intent::{Binding, Intent, Place};
use crate::view::Service;
use crate::{Finding, Severity};
use mailtls::{KeyKind, Summary};
use std::collections::{BTreeMap, BTreeSet};
use std::mem::discriminant;
use std::path::PathBuf;

/// The findings of this family.
pub(super) fn check(world: &World<'_>, findings: &mut Vec<Finding>) {
    let mut places: BTreeMap<&Place, Vec<&StoredCertificate>> = BTreeMap::new();
    for bound in &world.intent.bindings {
        let stored = stored(world, bound);
        places.entry(&bound.place).or_default().extend(stored);
    }
    let mut told = BTreeSet::new();
    for (place, stored) in places {
        for (n, one) in stored.iter().enumerate() {
            let earlier = stored.iter().take(n);
            let same = earlier.copied().find(|other| is_same_kind(one, other));
            if let Some(other) = same.filter(|other| told.insert([&one.name, &other.name])) {
                findings.push(two(world, place, [other, one]));
            }
        }
    }
}

/// The kinds of keys that are presented in one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kinds(BTreeSet<&'static str>);

impl Kinds {
    pub(crate) fn at(place: &Place, intent: &Intent, facts: &Facts) -> Self {
        let here = intent.bindings.iter().filter(|bound| bound.place == *place);
        let here = here.filter_map(|bound| kind(of_binding(facts, bound)?));
        Self(here.map(|key| word(&key)).collect())
    }

    /// Of the files that a server's parameters name, to who asks for no name.
    fn of_files(world: &World<'_>, server: &Service) -> Self {
        let chains = unasked(&world.view, speaker(&world.view, server), world.facts);
        let chains = chains.unwrap_or_default();
        let keys = chains.iter().filter_map(|chain| Some(&chain.first()?.key));
        let known = keys.filter(|key| **key != KeyKind::Other);
        Self(known.map(word).collect())
    }

    /// Whether one of them is known to every client of today.
    fn has_common(&self) -> bool {
        ["RSA", "ECDSA"].iter().any(|kind| self.0.contains(kind))
    }

    /// That these take the place of `before` would lock out much of who comes today.
    pub(crate) fn lock_out(&self, before: &Self) -> bool {
        !self.0.is_empty() && before.has_common() && !self.has_common()
    }

    /// `ECDSA and RSA`.
    pub(crate) fn text(&self) -> String {
        let kinds: Vec<String> = self.0.iter().map(|&kind| kind.to_owned()).collect();
        crate::words::list(&kinds)
    }

    /// That one is presented no more in these places, where these still are.
    fn instead_of(&self, gone: &str, places: &[String]) -> Finding {
        let severity = match gone == "RSA" || !self.has_common() {
            true => Severity::Warning,
            // Whoever takes ECDSA takes RSA, and nobody takes Ed25519 alone.
            false => Severity::Info,
        };
        let message = format!(
            "No certificate with an {gone} key is presented any more ({}), only {}: clients that \
             take no other kind get none, and cannot use TLS.",
            crate::words::some(places),
            self.text()
        );
        let remedy = format!(
            "Nothing, where no such client comes; else bind one with {gone} beside it: each client \
             gets its kind."
        );
        Finding::new("cert.kind-gone", severity, message, remedy)
    }
}

/// Kinds of keys that servers present now and will not any more.
pub(crate) fn compare(before: &World<'_>, after: &World<'_>, findings: &mut Vec<Finding>) {
    let kinds = |world: &World<'_>, place: &Place| {
        let bound = Kinds::at(place, world.intent, world.facts);
        match bound.0.is_empty() {
            true => inherited(world, place),
            false => bound,
        }
    };
    let mut gone: BTreeMap<(&'static str, Kinds), Vec<String>> = BTreeMap::new();
    let bindings = before.intent.bindings.iter().chain(&after.intent.bindings);
    let places: BTreeSet<&Place> = bindings.map(|bound| &bound.place).collect();
    for place in places {
        let (old, new) = (kinds(before, place), kinds(after, place));
        if matches!(place, Place::Client(_)) || new.0.is_empty() {
            continue;
        }
        for kind in old.0.difference(&new.0) {
            let places = gone.entry((kind, new.clone())).or_default();
            places.push(place.text());
        }
    }
    for server in after.view.servers() {
        let mut known = before.view.servers();
        let known = known.find(|known| known.id == server.id && presents_own(before, known));
        let Some(old) = known.map(|known| Kinds::of_files(before, known)) else {
            continue;
        };
        let new = Kinds::of_files(after, server);
        for kind in old.0.difference(&new.0).filter(|_| !new.0.is_empty()) {
            let places = gone.entry((kind, new.clone())).or_default();
            places.push(server.name.clone());
        }
    }
    findings.extend(
        gone.into_iter()
            .map(|((kind, left), places)| left.instead_of(kind, &places)),
    );
}

/// The kinds at a port or a name that nothing is bound to: those of its servers. Clients that ask for
/// a name had the use of certificates that are for it.
fn inherited(world: &World<'_>, place: &Place) -> Kinds {
    let (view, facts) = (&world.view, world.facts);
    let name = match place {
        Place::Sni(name) if name.starts_with('.') => format!("any{name}"),
        Place::Sni(name) => name.clone(),
        Place::Server | Place::Port(_) | Place::Client(_) => String::new(),
    };
    let is_there = |server: &&Service| match place {
        // Of files of an administrator's own it is told server by server.
        Place::Port(port) => server.port() == Some(*port) && !presents_own(world, server),
        Place::Sni(_) => true,
        Place::Server | Place::Client(_) => false,
    };
    let servers = view.servers().filter(is_there);
    let servers = servers.map(|server| speaker(view, server));
    let chains = servers
        .filter(|server| view.offers_tls(server))
        .filter_map(|server| chains(view, server, facts, world.intent, &name))
        .flatten();
    let leaves = chains.filter_map(|chain| chain.into_iter().next());
    let leaves = leaves.filter(|leaf| name.is_empty() || leaf.matches_name(&name));
    let known = leaves.filter(|leaf| leaf.key != KeyKind::Other);
    Kinds(known.map(|leaf| word(&leaf.key)).collect())
}

/// Whether a server offers TLS by files of an administrator's own, which no binding tells of.
fn presents_own(world: &World<'_>, server: &Service) -> bool {
    let server = speaker(&world.view, server);
    let is_own = |path: &PathBuf| stored_at(world.facts, path).is_none();
    world.view.offers_tls(server)
        && match configured(&world.view, server, world.facts) {
            Configured::Anonymous | Configured::Nothing => false,
            Configured::Chain(files) => files.iter().all(is_own),
            Configured::Pairs(pairs) => pairs.iter().all(|pair| is_own(&pair.cert)),
        }
}

fn stored<'a>(world: &World<'a>, bound: &Binding) -> Option<&'a StoredCertificate> {
    of_binding(world.facts, bound)
}

fn of_binding<'a>(facts: &'a Facts, bound: &Binding) -> Option<&'a StoredCertificate> {
    let mut all = facts.certificates.iter();
    all.find(|stored| stored.name == bound.name && stored.fingerprint == bound.fingerprint)
}

fn kind(stored: &StoredCertificate) -> Option<KeyKind> {
    let leaf = Summary::read(stored.chain.first()?).ok()?;
    (leaf.key != KeyKind::Other).then_some(leaf.key)
}

fn is_same_kind(one: &StoredCertificate, other: &StoredCertificate) -> bool {
    match (kind(one), kind(other)) {
        (Some(one), Some(other)) => discriminant(&one) == discriminant(&other),
        _ => false,
    }
}

fn two(world: &World<'_>, place: &Place, pair: [&StoredCertificate; 2]) -> Finding {
    let named = pair.map(|stored| match is_only(world, stored) {
        true => stored.name.clone(),
        false => format!("version {} of {}", stored.version, stored.name),
    });
    let key = kind(pair[0]).map_or_else(String::new, |key| word(&key).to_owned());
    let message = format!(
        "{} and {} both have {key} keys, and both are bound ({}): Postfix presents one \
         certificate of each kind of key, and with two of a kind switches TLS off.",
        named[0],
        named[1],
        place.text()
    );
    let changed = pair.into_iter().find_map(|stored| {
        let before = before(world, stored)?;
        Some((stored, before))
    });
    let there = Place::options(&[place]);
    let remedy = match changed {
        Some((stored, before)) => format!(
            "Version {} of {name} had {} key: `postseal cert delete {name} --version {}` drops the \
             one with {key}, then import one of that kind; or `postseal cert bind {name}{there}` \
             presents it in the place of {}.",
            before.version,
            kind(before).map_or("another", |key| with_article(&key)),
            stored.version,
            pair.iter()
                .find(|other| other.name != stored.name)
                .map_or("the other", |other| &other.name),
            name = stored.name,
        ),
        None => format!(
            "Unbind one of them: `postseal cert unbind {}{there}` or `postseal cert unbind {}{there}`.",
            pair[0].name, pair[1].name
        ),
    };
    pair.into_iter()
        .filter_map(|stored| Some((stored, Summary::read(stored.chain.first()?).ok()?)))
        .fold(
            error("cert.two-of-a-kind", message, remedy),
            |finding, (stored, leaf)| {
                let until = crate::words::date(leaf.not_after);
                finding.seen(format!(
                    "{}, version {}: {}, until {until}, from {}",
                    stored.name, stored.version, leaf.key, leaf.issuer
                ))
            },
        )
}

fn is_only(world: &World<'_>, stored: &StoredCertificate) -> bool {
    let mut all = world.facts.certificates.iter();
    !all.any(|other| other.name == stored.name && other.version != stored.version)
}

/// The newest earlier version, where its key is of another kind: what was imported after it is of
/// the wrong one.
fn before<'a>(world: &World<'a>, stored: &StoredCertificate) -> Option<&'a StoredCertificate> {
    let all = world.facts.certificates.iter();
    all.filter(|other| other.name == stored.name && other.version < stored.version)
        .max_by_key(|other| other.version)
        .filter(|other| !is_same_kind(stored, other))
}

/// What people call this kind of key.
pub(super) fn word(key: &KeyKind) -> &'static str {
    match key {
        KeyKind::Rsa { .. } => "RSA",
        KeyKind::Ec { .. } => "ECDSA",
        KeyKind::Ed25519 => "Ed25519",
        KeyKind::Ed448 => "Ed448",
        KeyKind::Other => "other",
    }
}

fn with_article(key: &KeyKind) -> &'static str {
    match key {
        KeyKind::Rsa { .. } => "an RSA",
        KeyKind::Ec { .. } => "an ECDSA",
        KeyKind::Ed25519 => "an Ed25519",
        KeyKind::Ed448 => "an Ed448",
        KeyKind::Other => "another",
    }
}

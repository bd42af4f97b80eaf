//! TLSA: the records of a certificate, and what DNS has of them.
//!
//! Owns: which records belong to which name and port. Never: publishes one.

mod shown;

use crate::certificates::{parsed, unknown};
use crate::next_key::WaitingKey;
use crate::{Engine, EngineError};
use mailtls::Fingerprint;
use mailtls::tlsa::{TlsaRecord, owner_name};
use postseal_planner::dane::{self, Found, Places, Presented, Published, Standing};
use postseal_planner::dns::Ttl;
use postseal_planner::facts::Facts;
use postseal_planner::intent::Place;
use postseal_planner::{Finding, Intent};
use postseal_store::Certificate;
pub use shown::{Elsewhere, Instead};
use shown::{Shown, Side};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// The records of a certificate at the names and ports of this host where it is presented.
#[derive(Clone, Debug)]
pub struct Tlsa {
    /// Name after name, port after port.
    pub rows: Vec<TlsaRow>,
    /// Whether it is presented anywhere, or will be; the rows of one that is not are those of a
    /// binding to every service, or of port 25 where that would not present it either.
    pub reach: Reach,
    /// Certificates that the same servers present beside it, by name: their records are among the
    /// rows.
    pub beside: Vec<String>,
    /// The names and ports where it is not presented.
    pub elsewhere: Vec<Elsewhere>,
    /// The newest version, where it waits for somebody who looks and an older one is in force: no row
    /// is for it.
    pub waits: Option<u32>,
    /// The key that waits for the next certificate.
    pub next: Option<WaitingKey>,
    /// What could not be listed, in words.
    pub unlisted: Vec<String>,
    /// The names of which DNSSEC vouches for no answer, records or none: senders use none there.
    pub insecure: Vec<String>,
    /// The longest time to live that DNS told.
    pub ttl: Option<Ttl>,
}

/// Where a certificate gets to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It is presented in all places that have rows.
    InForce,
    /// In these only once what is wished is applied, by the names of their records.
    Pending(Vec<String>),
    /// Servers present it, but not to clients that ask for one of the names, as senders that use
    /// DANE do (RFC 7672 §8.1): no record of it is needed. At these ports.
    Unasked(Vec<u16>),
    /// It is presented nowhere, and no wish changes that.
    Nowhere,
}

/// A record, and what DNS has of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsaRow {
    /// `_25._tcp.mx.example.org.`
    pub owner: String,
    /// The record.
    pub record: TlsaRecord,
    /// What it stands for.
    pub of: RecordOf,
    /// What DNS has.
    pub state: RecordState,
}

/// What a record stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordOf {
    /// The key of this certificate of the store.
    Key(String),
    /// The CA that issued it, by its subject.
    Issuer(String),
    /// The key of what is presented there still, by name and version: an earlier version of it, or
    /// what it takes the place of.
    Presented(String),
    /// The key that waits.
    NextKey,
    /// Nothing here: it is published, and matches no certificate named here.
    Nothing,
}

/// What DNS has of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordState {
    /// It is there, and DNSSEC vouches for it.
    Published,
    /// It is there, and DNSSEC does not vouch for it.
    PublishedInsecurely,
    /// There are no TLSA records at this name.
    Missing,
    /// There are only others at this name.
    Different,
    /// It could not be found out; why.
    Undetermined(String),
}

/// The port of senders.
const SENDERS: u16 = 25;

impl Engine<'_> {
    /// The records of a certificate, for the names that senders find this host by, or for `given`;
    /// for those where it is presented, or will be once what is wished is in force, or would be if it
    /// was bound to every service: records are published before their certificate is bound.
    pub fn tlsa(&mut self, name: &str, given: &[String]) -> Result<Tlsa, EngineError> {
        let newest = self.newest(name)?.ok_or_else(|| unknown(name))?;
        let mut facts = self.observe()?;
        let state = self.in_force_now(&facts)?;
        let wanted = state.draft.as_ref().unwrap_or(&state.desired);
        let told = self.tlsa_once(name, given, &mut facts, [&state.desired, wanted])?;
        if told.reach != Reach::Nowhere {
            return Ok(told);
        }
        let bound = self.with_bound(wanted, &newest)?;
        let dns = std::mem::take(&mut facts.dns);
        facts = self.observe_for(Some(&bound))?;
        facts.dns = dns;
        let mut supposed = self.tlsa_once(name, given, &mut facts, [&state.desired, &bound])?;
        if !matches!(supposed.reach, Reach::Pending(_)) {
            return Ok(told);
        }
        supposed.reach = Reach::Nowhere;
        Ok(supposed)
    }

    /// The records of a certificate: with what is in force, and once `wanted` is.
    fn tlsa_once(
        &self,
        name: &str,
        given: &[String],
        facts: &mut Facts,
        [in_force, wanted]: [&Intent; 2],
    ) -> Result<Tlsa, EngineError> {
        let also = match given {
            [] => asked_names(name, [in_force, wanted]),
            _ => Vec::new(),
        };
        let places = Places {
            in_force,
            wanted,
            given,
            also: &also,
        };
        self.ask_dns(facts, |facts| places.questions(facts));
        let standings = places.standings(facts);
        let mut tlsa = Tlsa {
            rows: Vec::new(),
            reach: Reach::InForce,
            beside: Vec::new(),
            elsewhere: Vec::new(),
            waits: self.in_play(name)?.waits,
            next: self.waiting_key(name)?,
            unlisted: dane::mx_names(facts, given).unlisted,
            insecure: Vec::new(),
            ttl: None,
        };
        let published =
            |at: &Standing| dane::published(&facts.dns, &at.endpoint.host, at.endpoint.port);
        self.add_all(&mut tlsa, name, &standings, &published)?;
        Ok(tlsa)
    }

    /// The rows of the places where it is presented; of port 25 where it is nowhere.
    fn add_all(
        &self,
        tlsa: &mut Tlsa,
        name: &str,
        standings: &[Standing],
        published: &dyn Fn(&Standing) -> Published,
    ) -> Result<(), EngineError> {
        let own = self.leaves_of(name)?;
        let mut known = Known::new();
        let mut pending = Vec::new();
        let mut nowhere = true;
        for at in standings {
            let shown = self.shown_at(at, name, &own)?;
            if !shown.has_own(Side::Either) {
                tlsa.elsewhere.push(Elsewhere::of(at, &shown));
                continue;
            }
            nowhere = false;
            let published = published(at);
            let records = self.records_at(tlsa, name, &shown, &mut known)?;
            let owner = tlsa.add(at, &records, &published);
            if !shown.has_own(Side::Now) {
                pending.push(owner);
            }
            for other in shown.beside() {
                if !tlsa.beside.contains(other) {
                    tlsa.beside.push(other.clone());
                }
            }
        }
        let unasked = shown_to_the_unasking(standings, &own);
        if nowhere && !unasked.is_empty() {
            tlsa.reach = Reach::Unasked(unasked);
        } else if nowhere {
            tlsa.reach = Reach::Nowhere;
            for at in standings.iter().filter(|at| at.endpoint.port == SENDERS) {
                let shown = self.shown_at(at, name, &own)?;
                let records = self.records_at(tlsa, name, &shown, &mut known)?;
                tlsa.add(at, &records, &published(at));
            }
        } else if !pending.is_empty() {
            tlsa.reach = Reach::Pending(pending);
        }
        Ok(())
    }

    /// The records that one place needs: those of the certificate and of what stays beside it, of
    /// what is presented still, and of the next key.
    fn records_at(
        &self,
        tlsa: &Tlsa,
        name: &str,
        shown: &Shown,
        known: &mut Known,
    ) -> Result<Records, EngineError> {
        let mut records = Records::new();
        for name in std::iter::once(name).chain(shown.beside().map(String::as_str)) {
            let its = match known.entry(name.to_owned()) {
                Entry::Occupied(its) => its.into_mut(),
                Entry::Vacant(new) => new.insert(self.records_of(name)?),
            };
            records.extend(its.iter().cloned());
        }
        for (record, of) in shown.presented() {
            if records.iter().all(|(known, _)| *known != record) {
                records.push((record, of));
            }
        }
        let next = tlsa.next.iter();
        records.extend(next.map(|next| (next.record.clone(), RecordOf::NextKey)));
        Ok(records)
    }

    /// What DNS says against what is in force: `dane.mismatch`, `dane.undetermined`.
    pub(crate) fn dane_findings(&self, intent: &Intent) -> Result<Vec<Finding>, EngineError> {
        Ok(self.dane_findings_in(self.observe()?, intent))
    }

    /// The same, of what was looked at already.
    pub(crate) fn dane_findings_in(&self, mut facts: Facts, intent: &Intent) -> Vec<Finding> {
        self.ask_dns(&mut facts, |facts| dane::questions(facts, &[]));
        dane::findings(&facts, intent, self.clock.now_unix())
    }

    /// The version of a certificate that is presented once nothing waits for its time: the newest,
    /// but for one that comes in force only when somebody binds it, and that nobody has bound.
    fn in_play(&self, name: &str) -> Result<InPlay, EngineError> {
        let versions = self.store.certificate_versions(name)?;
        let newest = versions.first().ok_or_else(|| unknown(name))?.clone();
        let of_newest = |version| InPlay {
            stored: version,
            waits: None,
        };
        let users = self.users()?;
        let Some(older) = users.older_in_force(name, newest.version) else {
            return Ok(of_newest(newest));
        };
        let wished = !users.of_version(name, newest.version).is_empty();
        if wished || self.why_it_waits(&newest)?.is_empty() {
            return Ok(of_newest(newest));
        }
        let waits = Some(newest.version);
        let in_force = versions.into_iter().find(|one| one.version == older);
        let stored = in_force.unwrap_or(newest);
        Ok(InPlay { stored, waits })
    }

    /// `3 1 1` of its key, and `2 1 1` of the CA where that stands in the chain.
    fn records_of(&self, name: &str) -> Result<Records, EngineError> {
        let InPlay { stored, waits } = self.in_play(name)?;
        let chain = parsed(&stored)?;
        let leaf = chain.first().ok_or_else(|| unknown(name))?;
        let words = match waits {
            Some(_) => format!("{name} [version {}]", stored.version),
            None => name.to_owned(),
        };
        let own = (TlsaRecord::for_certificate(leaf), RecordOf::Key(words));
        let issuer = chain.get(1).map(|issuer| {
            let of = RecordOf::Issuer(issuer.subject.clone());
            (TlsaRecord::for_issuer(issuer), of)
        });
        Ok([own].into_iter().chain(issuer).collect())
    }
}

/// Records, and what they stand for.
type Records = Vec<(TlsaRecord, RecordOf)>;

/// Those of the certificates, by name: what comes in force of one is the same at every place.
type Known = BTreeMap<String, Records>;

/// The version of a certificate that records are for.
struct InPlay {
    stored: Certificate,
    /// The newest, where that is another one.
    waits: Option<u32>,
}

impl Tlsa {
    /// Adds the rows of one place; the name that they stand at.
    fn add(
        &mut self,
        at: &Standing,
        records: &[(TlsaRecord, RecordOf)],
        published: &Published,
    ) -> String {
        let owner = owner_name(&at.endpoint.host, at.endpoint.port).unwrap_or_default();
        let found = match published {
            Published::Vouched(found) | Published::Insecure(found) => Some(found),
            Published::Failed(_) | Published::NotAsked => None,
        };
        let at = found.map_or(owner.as_str(), |found| found.owner.as_str());
        if matches!(published, Published::Insecure(_)) {
            self.insecure.push(at.to_owned());
        }
        self.ttl = self.ttl.max(found.and_then(|found| found.ttl));
        let row = |record: &TlsaRecord, of: &RecordOf, state| TlsaRow {
            owner: at.to_owned(),
            record: record.clone(),
            of: of.clone(),
            state,
        };
        for (record, of) in records {
            let row = row(record, of, state(record, published));
            if !self.rows.contains(&row) {
                self.rows.push(row);
            }
        }
        let strangers = found.into_iter().flat_map(|found| &found.records);
        for record in strangers.filter(|there| records.iter().all(|(own, _)| own != *there)) {
            let row = row(record, &RecordOf::Nothing, state(record, published));
            if !self.rows.contains(&row) {
                self.rows.push(row);
            }
        }
        at.to_owned()
    }
}

/// The names that clients ask for to be shown a certificate.
fn asked_names(name: &str, intents: [&Intent; 2]) -> Vec<String> {
    let bindings = intents.into_iter().flat_map(|intent| &intent.bindings);
    let own = bindings.filter(|bound| bound.name == name);
    own.filter_map(|bound| match &bound.place {
        Place::Sni(asked) if !asked.starts_with('.') => Some(asked.clone()),
        _ => None,
    })
    .collect()
}

/// The ports at which clients that ask for no name are shown one of these leaves.
fn shown_to_the_unasking(standings: &[Standing], own: &[Fingerprint]) -> Vec<u16> {
    let shown = |at: &&Standing| match &at.unasked {
        Presented::Chains(chains) => {
            let mut leaves = chains.iter().filter_map(|chain| chain.first());
            leaves.any(|leaf| own.contains(&leaf.fingerprint()))
        }
        Presented::Nobody | Presented::Unknown => false,
    };
    let ports = standings.iter().filter(shown).map(|at| at.endpoint.port);
    ports.collect::<BTreeSet<u16>>().into_iter().collect()
}

fn state(record: &TlsaRecord, published: &Published) -> RecordState {
    let among = |found: &Found, there| match () {
        () if found.records.contains(record) => there,
        () if found.records.is_empty() => RecordState::Missing,
        () => RecordState::Different,
    };
    match published {
        Published::Vouched(found) => among(found, RecordState::Published),
        // Who does not vouch for what is there does not vouch for what is not.
        Published::Insecure(found) => match among(found, RecordState::PublishedInsecurely) {
            RecordState::Different => RecordState::Undetermined(
                "others are there, and DNSSEC vouches for nothing".to_owned(),
            ),
            other => other,
        },
        Published::Failed(why) => RecordState::Undetermined(why.clone()),
        Published::NotAsked => RecordState::Undetermined("DNS was not asked".to_owned()),
    }
}

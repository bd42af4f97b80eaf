//! TLSA: the records of a certificate, and what DNS has of them.
//!
//! Owns: which records belong to which name and port. Never: publishes one.

use crate::certificates::{parsed, unknown};
use crate::next_key::WaitingKey;
use crate::{Engine, EngineError};
use mailtls::tlsa::{TlsaRecord, owner_name};
use mailtls::{Certificate, Fingerprint};
use postseal_planner::dane::{self, Found, Published};
use postseal_planner::report::KeyAlgorithm;
use postseal_planner::{Finding, Intent};

/// The records of a certificate at every name and port of this host.
#[derive(Clone, Debug)]
pub struct Tlsa {
    /// Name after name, port after port.
    pub rows: Vec<TlsaRow>,
    /// Certificates that the same servers present beside it, by name: their records are among the
    /// rows.
    pub beside: Vec<String>,
    /// The key that waits for the next certificate.
    pub next: Option<WaitingKey>,
    /// What could not be listed, in words.
    pub unlisted: Vec<String>,
    /// The names of which DNSSEC vouches for no answer, records or none: senders use none there.
    pub insecure: Vec<String>,
    /// The longest time to live that DNS told, in seconds.
    pub ttl: Option<u32>,
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
    /// The key of an earlier version of it that is presented still, by name and version.
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

impl Engine<'_> {
    /// The records of a certificate, for the names that senders find this host by, or for `given`.
    pub fn tlsa(&mut self, name: &str, given: &[String]) -> Result<Tlsa, EngineError> {
        self.newest(name)?.ok_or_else(|| unknown(name))?;
        let state = self.state()?;
        let intent = state.draft.as_ref().unwrap_or(&state.desired).clone();
        let mut facts = self.observe()?;
        self.ask_dns(&mut facts, |facts| dane::questions(facts, given));
        let beside = self.beside(name, &intent)?;
        let mut records = Vec::new();
        for name in [name].into_iter().chain(beside.iter().map(String::as_str)) {
            records.extend(self.records_of(name)?);
        }
        for (record, of) in self.presented_still(name, &state.desired)? {
            if records.iter().all(|(known, _)| *known != record) {
                records.push((record, of));
            }
        }
        let next = self.waiting_key(name)?;
        records.extend(
            next.iter()
                .map(|next| (next.record.clone(), RecordOf::NextKey)),
        );
        let mut tlsa = Tlsa {
            rows: Vec::new(),
            beside,
            next,
            unlisted: dane::mx_names(&facts, given).unlisted,
            insecure: Vec::new(),
            ttl: None,
        };
        for endpoint in dane::endpoints(&facts, given) {
            let published = dane::published(&facts.dns, &endpoint.host, endpoint.port);
            tlsa.add(
                &owner_name(&endpoint.host, endpoint.port).unwrap_or_default(),
                &records,
                &published,
            );
        }
        Ok(tlsa)
    }

    /// What DNS says against what is in force: `dane.mismatch`, `dane.undetermined`.
    pub(crate) fn dane_findings(&self, intent: &Intent) -> Result<Vec<Finding>, EngineError> {
        let mut facts = self.observe()?;
        self.ask_dns(&mut facts, |facts| dane::questions(facts, &[]));
        Ok(dane::findings(&facts, intent, self.clock.now_unix()))
    }

    /// The keys of earlier versions that are in force: the newest waits for `deploy`.
    fn presented_still(
        &self,
        name: &str,
        in_force: &Intent,
    ) -> Result<Vec<(TlsaRecord, RecordOf)>, EngineError> {
        let mut found = Vec::new();
        for stored in self.store.certificate_versions(name)? {
            let Some(leaf) = stored.chain.first() else {
                continue;
            };
            let fingerprint = Fingerprint::of(leaf);
            let mut bound = in_force.bindings.iter();
            if bound.any(|bound| bound.name == name && bound.fingerprint == fingerprint) {
                let record = TlsaRecord::for_certificate(&Certificate::parse(leaf)?);
                let of = RecordOf::Presented(format!("{name} [version {}]", stored.version));
                found.push((record, of));
            }
        }
        Ok(found)
    }

    /// The other certificates that are bound where this one is, of other kinds of key.
    fn beside(&self, name: &str, intent: &Intent) -> Result<Vec<String>, EngineError> {
        let places = |name: &str| -> Vec<_> {
            let bound = intent.bindings.iter().filter(|bound| bound.name == name);
            bound.map(|bound| bound.place.clone()).collect()
        };
        let own = places(name);
        let kind = self.kind(name)?;
        let mut beside = Vec::new();
        for bound in &intent.bindings {
            if bound.name != name
                && own.contains(&bound.place)
                && !beside.contains(&bound.name)
                && self.kind(&bound.name)? != kind
            {
                beside.push(bound.name.clone());
            }
        }
        Ok(beside)
    }

    fn kind(&self, name: &str) -> Result<Option<KeyAlgorithm>, EngineError> {
        let newest = self.newest(name)?;
        let leaf = newest.as_ref().and_then(|newest| newest.chain.first());
        Ok(leaf
            .and_then(|der| Certificate::parse(der).ok())
            .and_then(|leaf| KeyAlgorithm::of(&leaf)))
    }

    /// `3 1 1` of its key, and `2 1 1` of the CA where that stands in the chain.
    fn records_of(&self, name: &str) -> Result<Vec<(TlsaRecord, RecordOf)>, EngineError> {
        let stored = self.newest(name)?.ok_or_else(|| unknown(name))?;
        let chain = parsed(&stored)?;
        let leaf = chain.first().ok_or_else(|| unknown(name))?;
        let own = (
            TlsaRecord::for_certificate(leaf),
            RecordOf::Key(name.to_owned()),
        );
        let issuer = chain.get(1).map(|issuer| {
            let of = RecordOf::Issuer(issuer.subject.clone());
            (TlsaRecord::for_issuer(issuer), of)
        });
        Ok([own].into_iter().chain(issuer).collect())
    }
}

impl Tlsa {
    fn add(&mut self, owner: &str, records: &[(TlsaRecord, RecordOf)], published: &Published) {
        let found = match published {
            Published::Vouched(found) | Published::Insecure(found) => Some(found),
            Published::Failed(_) | Published::NotAsked => None,
        };
        let at = found.map_or(owner, |found| found.owner.as_str());
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
    }
}

fn state(record: &TlsaRecord, published: &Published) -> RecordState {
    let among = |found: &Found, there| match () {
        () if found.records.contains(record) => there,
        () if found.records.is_empty() => RecordState::Missing,
        () => RecordState::Different,
    };
    match published {
        Published::Vouched(found) => among(found, RecordState::Published),
        Published::Insecure(found) => among(found, RecordState::PublishedInsecurely),
        Published::Failed(why) => RecordState::Undetermined(why.clone()),
        Published::NotAsked => RecordState::Undetermined("DNS was not asked".to_owned()),
    }
}

//! The questions about versions, suites and groups, in their order.
//!
//! Owns: which versions are there, and what each is asked. Never: opens a connection itself.

use super::answer::Flight;
use super::asking::{Answer, Asker};
use super::enumerate::Found;
use super::hello::wire;
use super::psk;
use super::questions;
use super::renegotiation;
use super::sessions::{self, Done, How};
use super::suites::{self, Exchange, Suite};
use crate::parallel::{Job, together};
use mailtls::TlsVersion;
use openssl::ssl::{SslOptions, SslVersion};
use postseal_planner::full::{Order, Seen};

/// The versions that are asked for, the newest first.
const VERSIONS: [TlsVersion; 5] = [
    TlsVersion::Tls1_3,
    TlsVersion::Tls1_2,
    TlsVersion::Tls1_1,
    TlsVersion::Tls1_0,
    TlsVersion::Ssl3,
];

/// What was found so far.
pub(super) struct Look<'a> {
    asker: &'a Asker,
    at_once: usize,
    /// The first answer in each version.
    pub(super) firsts: Vec<(TlsVersion, Answer)>,
    pub(super) suites: Vec<(TlsVersion, Found)>,
    pub(super) orders: Vec<(TlsVersion, Order)>,
    pub(super) groups: Vec<(TlsVersion, Found)>,
    pub(super) session_ids: Option<Seen>,
    pub(super) tickets: Option<Seen>,
    pub(super) resumption_1_3: Option<Seen>,
    pub(super) fallback_scsv: Option<Seen>,
    pub(super) sha1: Option<Seen>,
    pub(super) renegotiation: Option<Seen>,
    /// Handshakes in TLS 1.3 that went to their end, or why none did.
    pub(super) done: Vec<Result<Done, String>>,
}

/// What one job brings.
enum Part {
    First(TlsVersion, Answer),
    Order(TlsVersion, Option<u16>),
    Suites(TlsVersion, Found),
    Groups(TlsVersion, Found),
    SessionIds(Seen),
    Tickets(Seen),
    Resumption(Seen),
    Fallback(Seen),
    Sha1(Seen),
    Renegotiation(Seen),
    Done(Result<Done, String>),
}

impl<'a> Look<'a> {
    /// Asks which versions there are: TLS 1.2 first and alone, for a server that does not talk is not
    /// asked four times at once.
    pub(super) fn begin(asker: &'a Asker, at_once: usize) -> Self {
        let mut look = Self {
            asker,
            at_once,
            firsts: Vec::new(),
            suites: Vec::new(),
            orders: Vec::new(),
            groups: Vec::new(),
            session_ids: None,
            tickets: None,
            resumption_1_3: None,
            fallback_scsv: None,
            sha1: None,
            renegotiation: None,
            done: Vec::new(),
        };
        let first = |version| -> Job<'a, Part> {
            Box::new(move || {
                Part::First(version, asker.ask(&questions::all_suites(asker, version)))
            })
        };
        look.take(vec![first(TlsVersion::Tls1_2)]);
        let not_offered = |(_, answer): &(_, Answer)| matches!(answer, Answer::Refused(words) if super::starttls::is_not_offered(words));
        if !look.firsts.iter().any(not_offered) {
            let others = VERSIONS
                .into_iter()
                .filter(|version| *version != TlsVersion::Tls1_2);
            look.take(others.map(first).collect());
            look.doubt_tls_1_3();
        }
        look
    }

    /// The words in which it refused every version that it was asked for.
    pub(super) fn refused(&self) -> Option<&str> {
        let mut all = self.firsts.iter().map(|(_, answer)| match answer {
            Answer::Refused(words) => Some(words.as_str()),
            _ => None,
        });
        let first = all.next()??;
        all.all(|other| other.is_some()).then_some(first)
    }

    /// The newest version that it speaks.
    pub(super) fn newest(&self) -> Option<TlsVersion> {
        let mut all = VERSIONS.into_iter();
        all.find(|version| self.first(*version).is_some())
    }

    /// A server that does TLS 1.3, but not with who leaves the choice of the group to it, is not said to
    /// refuse it.
    fn doubt_tls_1_3(&mut self) {
        let refused = |(version, answer): &&mut (TlsVersion, Answer)| {
            *version == TlsVersion::Tls1_3 && matches!(answer, Answer::Refused(_))
        };
        let how = How {
            version: SslVersion::TLS1_3,
            signatures: None,
            options: SslOptions::empty(),
        };
        if let Some((_, answer)) = self.firsts.iter_mut().find(refused)
            && sessions::complete(self.asker, how).is_ok()
        {
            let why = "it does TLS 1.3, but names no group to a client that shows no key";
            *answer = Answer::Unknown(why.to_owned());
        }
    }

    /// What the server chose in `version` when it was offered everything.
    pub(super) fn first(&self, version: TlsVersion) -> Option<&Flight> {
        self.firsts.iter().find_map(|(asked, answer)| match answer {
            Answer::Flight(flight) if *asked == version && flight.version == wire(version) => {
                Some(flight)
            }
            _ => None,
        })
    }

    /// The newest version before TLS 1.3: all its suites are asked for, one by one.
    fn reference(&self) -> Option<TlsVersion> {
        VERSIONS
            .into_iter()
            .skip(1)
            .find(|version| self.first(*version).is_some())
    }

    /// TLS 1.3 whole, sessions, and who chooses.
    pub(super) fn sessions_and_new_suites(&mut self) {
        let asker = self.asker;
        let mut jobs: Vec<Job<'a, Part>> = Vec::new();
        if let Some(version) = self.reference() {
            jobs.push(Box::new(move || {
                Part::Order(version, questions::turned(asker, version))
            }));
            jobs.push(Box::new(move || {
                Part::SessionIds(sessions::by_number(asker, version))
            }));
            jobs.push(Box::new(move || {
                Part::Tickets(sessions::by_ticket(asker, version))
            }));
            if version == TlsVersion::Tls1_2 {
                jobs.push(Box::new(move || Part::Sha1(questions::sha1(asker))));
                jobs.push(Box::new(move || {
                    Part::Renegotiation(renegotiation::look(asker))
                }));
            }
        }
        if self.first(TlsVersion::Tls1_3).is_some() {
            let new = TlsVersion::Tls1_3;
            jobs.push(Box::new(move || {
                Part::Order(new, questions::turned(asker, new))
            }));
            jobs.push(Box::new(move || {
                Part::Suites(
                    new,
                    questions::suites_of(asker, new, questions::offered(new)),
                )
            }));
            jobs.push(Box::new(move || {
                Part::Groups(new, questions::groups_of(asker, new, suites::groups_1_3()))
            }));
            let signatures: &[Option<&'static str>] = match self.reference() {
                Some(_) => &[None],
                // Its certificates go under keys: each kind is asked for by itself.
                None => &[Some(RSA), Some(ECDSA), Some(EDDSA)],
            };
            for signatures in signatures.iter().copied() {
                let how = How {
                    version: SslVersion::TLS1_3,
                    signatures,
                    options: SslOptions::empty(),
                };
                jobs.push(Box::new(move || Part::Done(sessions::complete(asker, how))));
            }
        }
        self.take(jobs);
    }

    /// The suites of the newest version before TLS 1.3. A server with an order of its own shows it so;
    /// one that takes the client's is asked for several kinds at the same time.
    pub(super) fn suites(&mut self) {
        let Some(version) = self.reference() else {
            return;
        };
        let asker = self.asker;
        let mut parts = vec![questions::offered(version)];
        if self.orders.contains(&(version, Order::Client)) {
            parts = questions::by_kind(&parts.concat());
        }
        let job = |part| -> Job<'a, Part> {
            Box::new(move || Part::Suites(version, questions::suites_of(asker, version, part)))
        };
        self.take(parts.into_iter().map(job).collect());
        // One suite says nothing of an order.
        if self.chosen(version).len() < 2 {
            self.orders.retain(|(other, _)| *other != version);
        }
    }

    /// Versions that are older still, and the curves up to TLS 1.2.
    pub(super) fn older_and_curves(&mut self) {
        let Some(reference) = self.reference() else {
            return;
        };
        let asker = self.asker;
        let chosen = self.chosen(reference);
        let expected: Vec<u16> = chosen
            .iter()
            .copied()
            .filter(|id| Suite::of(*id).is_some_and(Suite::is_older))
            .collect();
        let mut jobs: Vec<Job<'a, Part>> = Vec::new();
        let older = |version: &TlsVersion| *version < reference && self.first(*version).is_some();
        for version in VERSIONS.into_iter().filter(older) {
            let expected = expected.clone();
            jobs.push(Box::new(move || {
                Part::Suites(version, questions::older_suites(asker, version, &expected))
            }));
        }
        let with_curves: Vec<u16> = chosen
            .iter()
            .copied()
            .filter(|id| questions::exchange(*id) == Exchange::Curve)
            .collect();
        let known: Vec<u16> = self
            .groups
            .iter()
            .flat_map(|(_, found)| found.chosen.clone())
            .filter(|group| suites::curves().contains(group))
            .collect();
        if !with_curves.is_empty() {
            jobs.push(Box::new(move || {
                Part::Groups(
                    reference,
                    questions::curves_of(asker, reference, &with_curves, &known),
                )
            }));
        }
        self.take(jobs);
    }

    /// What a client meets that comes back: with a ticket of TLS 1.3, or with an older version.
    pub(super) fn coming_back(&mut self) {
        let asker = self.asker;
        let mut jobs: Vec<Job<'a, Part>> = Vec::new();
        if let Some(ticket) = self.done.iter().flatten().find_map(Done::ticket) {
            jobs.push(Box::new(move || {
                Part::Resumption(psk::again(asker, &ticket))
            }));
        }
        let mut spoken = VERSIONS.into_iter();
        let older = spoken
            .by_ref()
            .filter(|one| self.first(*one).is_some())
            .nth(1);
        if let Some(older) = older {
            jobs.push(Box::new(move || {
                Part::Fallback(questions::fallback(asker, older))
            }));
        }
        self.take(jobs);
    }

    /// Whether the server still answers what it answered first. If not, what it refused meanwhile
    /// may be a limit of its own rather than its TLS.
    pub(super) fn still_there(&self) {
        let Some(version) = self.newest() else {
            return;
        };
        if let Answer::Refused(words) = self.asker.ask(&questions::all_suites(self.asker, version))
        {
            self.asker.stop(&format!(
                "the server no longer answers what it answered at first ({words}): what it refused meanwhile may be a limit"
            ));
        }
    }

    pub(super) fn chosen(&self, version: TlsVersion) -> Vec<u16> {
        let of_version = self.suites.iter().filter(|(other, _)| *other == version);
        of_version
            .flat_map(|(_, found)| found.chosen.clone())
            .collect()
    }

    /// Every flight up to TLS 1.2.
    pub(super) fn flights(&self) -> impl Iterator<Item = &Flight> {
        let firsts = self.firsts.iter().filter_map(|(_, answer)| match answer {
            Answer::Flight(flight) => Some(flight),
            _ => None,
        });
        let found = self.suites.iter().chain(&self.groups);
        firsts
            .chain(found.flat_map(|(_, found)| &found.flights))
            .filter(|flight| flight.version < wire(TlsVersion::Tls1_3))
    }

    fn take(&mut self, jobs: Vec<Job<'a, Part>>) {
        for part in together(jobs, self.at_once) {
            match part {
                Part::First(version, answer) => self.firsts.push((version, answer)),
                Part::Order(version, turned) => {
                    let first = self.first(version).map(|flight| flight.suite);
                    if let (Some(first), Some(turned)) = (first, turned) {
                        let order = if first == turned {
                            Order::Server
                        } else {
                            Order::Client
                        };
                        self.orders.push((version, order));
                    }
                }
                Part::Suites(version, found) => self.suites.push((version, found)),
                Part::Groups(version, found) => self.groups.push((version, found)),
                Part::SessionIds(seen) => self.session_ids = Some(seen),
                Part::Tickets(seen) => self.tickets = Some(seen),
                Part::Resumption(seen) => self.resumption_1_3 = Some(seen),
                Part::Fallback(seen) => self.fallback_scsv = Some(seen),
                Part::Sha1(seen) => self.sha1 = Some(seen),
                Part::Renegotiation(seen) => self.renegotiation = Some(seen),
                Part::Done(done) => self.done.push(done),
            }
        }
    }
}

const RSA: &str = "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512";
const ECDSA: &str = "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512";
const EDDSA: &str = "ed25519:ed448";

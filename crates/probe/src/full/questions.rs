//! The ClientHello of each question.
//!
//! Owns: what is offered in which version, and how an answer is read. Never: decides what is asked.

use super::answer::Flight;
use super::asking::{Answer, Asker, FELL_BACK};
use super::enumerate::{self, Found, Question};
use super::hello::{Hello, Resume, SHA1_SIGNATURES, SIGNATURES, wire};
use super::sessions;
use super::suites::{self, Exchange, Suite};
use mailtls::TlsVersion;
use postseal_planner::full::Seen;

/// The suites that are offered in a version.
pub(super) fn offered(version: TlsVersion) -> Vec<u16> {
    match version {
        TlsVersion::Tls1_3 => suites::numbers(Suite::is_1_3),
        TlsVersion::Tls1_2 => suites::numbers(|suite| !suite.is_1_3()),
        _ => suites::numbers(Suite::is_older),
    }
}

pub(super) fn exchange(id: u16) -> Exchange {
    Suite::of(id).map_or(Exchange::Other, Suite::exchange)
}

/// Parts of about the same size on most servers.
pub(super) fn by_kind(offered: &[u16]) -> Vec<Vec<u16>> {
    let mut kinds = vec![Vec::new(); 4];
    for id in offered {
        let anonymous = Suite::of(*id).is_some_and(|suite| suite.name.contains("_anon_"));
        let place = match exchange(*id) {
            _ if anonymous => 0,
            Exchange::Curve => 1,
            Exchange::Field => 2,
            Exchange::Other | Exchange::Free => 3,
        };
        kinds[place].push(*id);
    }
    kinds
}

fn hello(
    asker: &Asker,
    version: TlsVersion,
    suites: &[u16],
    groups: &[u16],
    signatures: &[u16],
) -> Vec<u8> {
    let hello = Hello {
        version,
        random: [0x5A; 32],
        suites,
        groups,
        signatures,
        name: asker.target().sni.as_deref(),
        shares: &[],
        resume: Resume::Nothing,
        finished: &[],
    };
    hello.bytes()
}

pub(super) fn all_suites(asker: &Asker, version: TlsVersion) -> Vec<u8> {
    with_suites(asker, version, &offered(version))
}

fn with_suites(asker: &Asker, version: TlsVersion, suites: &[u16]) -> Vec<u8> {
    let groups = match version {
        TlsVersion::Tls1_3 => suites::groups_1_3(),
        _ => suites::curves(),
    };
    hello(asker, version, suites, &groups, &SIGNATURES)
}

fn chose_suite(version: TlsVersion, flight: &Flight) -> Option<u16> {
    (flight.version == wire(version)).then_some(flight.suite)
}

/// Puts a question about the suites of a version.
fn of_suites<T>(asker: &Asker, version: TlsVersion, put: impl FnOnce(&Question<'_>) -> T) -> T {
    put(&Question {
        hello: &|suites| with_suites(asker, version, suites),
        chosen: &|flight| chose_suite(version, flight),
    })
}

/// What the server chooses when all is offered the other way round.
pub(super) fn turned(asker: &Asker, version: TlsVersion) -> Option<u16> {
    of_suites(asker, version, |question| {
        enumerate::reversed(asker, &offered(version), question)
    })
}

pub(super) fn suites_of(asker: &Asker, version: TlsVersion, offered: Vec<u16>) -> Found {
    of_suites(asker, version, |question| {
        enumerate::all(asker, offered, question)
    })
}

pub(super) fn older_suites(asker: &Asker, version: TlsVersion, expected: &[u16]) -> Found {
    of_suites(asker, version, |question| {
        enumerate::as_expected(asker, &offered(version), expected, question)
    })
}

/// Puts a question about the groups that a version has with some suites.
fn of_groups<T>(
    asker: &Asker,
    version: TlsVersion,
    suites: &[u16],
    put: impl FnOnce(&Question<'_>) -> T,
) -> T {
    put(&Question {
        hello: &|groups| hello(asker, version, suites, groups, &SIGNATURES),
        chosen: &|flight| flight.group,
    })
}

pub(super) fn groups_of(asker: &Asker, version: TlsVersion, groups: Vec<u16>) -> Found {
    of_groups(asker, version, &offered(version), |question| {
        enumerate::all(asker, groups, question)
    })
}

pub(super) fn curves_of(
    asker: &Asker,
    version: TlsVersion,
    suites: &[u16],
    known: &[u16],
) -> Found {
    of_groups(asker, version, suites, |question| {
        enumerate::as_expected(asker, &suites::curves(), known, question)
    })
}

/// Whether it signs with SHA-1 for a client that knows nothing else: seen at suites that need a
/// signature in the handshake.
pub(super) fn sha1(asker: &Asker) -> Seen {
    let version = TlsVersion::Tls1_2;
    let signed = suites::numbers(|suite| {
        matches!(suite.exchange(), Exchange::Curve | Exchange::Field)
            && !suite.name.contains("_anon_")
    });
    let hello = hello(asker, version, &signed, &suites::curves(), &SHA1_SIGNATURES);
    match asker.ask(&hello) {
        Answer::Flight(flight) => sessions::yes_if(flight.version == wire(version)),
        Answer::Refused(_) => Seen::No,
        Answer::Unknown(why) => Seen::Undetermined(why),
    }
}

/// Whether a client that comes back with `version`, older than what the server speaks, is sent away
/// (RFC 7507 §3).
pub(super) fn fallback(asker: &Asker, version: TlsVersion) -> Seen {
    const FALLBACK_SCSV: u16 = 0x5600;
    let suites = [offered(version), vec![FALLBACK_SCSV]].concat();
    match asker.ask(&with_suites(asker, version, &suites)) {
        Answer::Flight(_) => Seen::No,
        Answer::Refused(words) if words.ends_with(FELL_BACK) => Seen::Yes,
        // It takes this version otherwise, so these words are of something else.
        Answer::Refused(words) | Answer::Unknown(words) => Seen::Undetermined(words),
    }
}

//! The sessions of a log that a change would leave out.
//!
//! Owns: counting line by line, within bounds. Never: opens a log; claims more than a line says. A
//! session of a version that goes is lost for sure; one of a suite that goes may have had another.

use super::terms::Place;
use super::{Demand, Expanded, Peers, Whom};
use maillog::{Direction, Event, Record, TlsSession};
use mailtls::TlsVersion;
use serde::Serialize;
use std::collections::HashMap;

/// So many peers are told apart; of more only the sessions are counted.
const PEERS: usize = 10_000;
/// So many are named.
const NAMED: usize = 5;
/// A peer's name and address are no longer; a log is hostile input.
const NAME: usize = 320;

/// Counts a log, a line at a time.
#[derive(Debug)]
pub struct Tally<'a> {
    after: &'a [Place],
    expanded: &'a Expanded,
    lines: u64,
    inbound: Sums,
    outbound: Sums,
}

#[derive(Debug, Default)]
struct Sums {
    sessions: u64,
    unplaced: u64,
    excluded: Sum,
    doubtful: Sum,
}

#[derive(Debug, Default)]
struct Sum {
    sessions: u64,
    by: HashMap<String, u64>,
    peers: HashMap<String, u64>,
    uncounted: u64,
}

/// What a log holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Lines read.
    pub lines: u64,
    /// Sessions with clients.
    pub inbound: Side,
    /// Sessions with servers.
    pub outbound: Side,
}

/// The TLS sessions of one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// All.
    pub sessions: u64,
    /// Of programs that the files do not tell of, or that do no TLS after the change.
    pub unplaced: u64,
    /// Of a version that is not allowed after the change, or where no handshake is possible then.
    pub excluded: Met,
    /// Of a suite that is not allowed after the change; whether the peer has another is not in the
    /// log.
    pub doubtful: Met,
}

/// Sessions that a change concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Met {
    /// How many.
    pub sessions: u64,
    /// Of how many peers; at least so many where `uncounted` is not 0.
    pub peers: u64,
    /// Sessions of peers that were not told apart, because there were too many.
    pub uncounted: u64,
    /// Versions or suites, and sessions of each; the most frequent first, and few of them.
    pub by: Vec<Count>,
    /// Peers, and sessions of each; the same.
    pub top: Vec<Count>,
}

/// A name and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What.
    pub name: String,
    /// How often.
    pub sessions: u64,
}

enum Fate {
    Kept,
    Excluded(String),
    Doubtful(String),
}

impl<'a> Tally<'a> {
    /// Against what is asked of peers after the change.
    pub fn new(peers: &'a Peers, expanded: &'a Expanded) -> Self {
        Self {
            after: &peers.after,
            expanded,
            lines: 0,
            inbound: Sums::default(),
            outbound: Sums::default(),
        }
    }

    /// Counts one line, without its end.
    pub fn line(&mut self, line: &[u8]) {
        self.lines += 1;
        let Some(record) = Record::parse(1, line) else {
            return;
        };
        if let Event::Tls(session) = Event::of(&record)
            && !session.is_reused
        {
            self.session(&record, &session);
        }
    }

    fn session(&mut self, record: &Record<'_>, session: &TlsSession<'_>) {
        let place = place(self.after, record, session.direction);
        let fate = place.map(|place| fate(place, session, self.expanded));
        let sums = match session.direction {
            Direction::Inbound => &mut self.inbound,
            Direction::Outbound => &mut self.outbound,
        };
        sums.sessions += 1;
        match fate {
            None => sums.unplaced += 1,
            Some(Fate::Kept) => {}
            Some(Fate::Excluded(by)) => sums.excluded.add(by, session),
            Some(Fate::Doubtful(by)) => sums.doubtful.add(by, session),
        }
    }

    /// What was counted.
    pub fn counts(&self) -> Counts {
        Counts {
            lines: self.lines,
            inbound: self.inbound.side(),
            outbound: self.outbound.side(),
        }
    }
}

/// The program that wrote a line: by what it calls itself, else the usual one of its direction.
fn place<'p>(places: &'p [Place], record: &Record<'_>, direction: Direction) -> Option<&'p Place> {
    let ours = |place: &&Place| {
        let client = place.whom == Whom::Servers;
        client == (direction == Direction::Outbound)
    };
    let named = |place: &&Place| place.tags.iter().any(|tag| tag == record.tag);
    // Where TLS is optional most mail goes; a log does not tell which rule a session was for.
    let order = |place: &&Place| (place.demand == Demand::Mandatory, place.port != Some(25));
    let all = || places.iter().filter(ours);
    all().filter(named).min_by_key(order).or_else(|| {
        let usual = |place: &&Place| match direction {
            Direction::Inbound => place.port == Some(25),
            Direction::Outbound => place.service == "main.cf",
        };
        // A service that was called otherwise then; lmtp(8) has settings of its own.
        let known = matches!(record.service(), "smtpd" | "tlsproxy" | "smtp");
        all().filter(usual).min_by_key(order).filter(|_| known)
    })
}

fn fate(place: &Place, session: &TlsSession<'_>, expanded: &Expanded) -> Fate {
    let Ok(version) = session.protocol.parse::<TlsVersion>() else {
        return Fate::Kept;
    };
    if !place.terms.protocols.allows(version) {
        return Fate::Excluded(version.to_string());
    }
    let Some(list) = &place.terms.list else {
        return Fate::Excluded(version.to_string());
    };
    let suites = expanded.get(list);
    if suites.is_some_and(Vec::is_empty) {
        return Fate::Excluded(version.to_string());
    }
    let gone = |suites: &Vec<String>| !suites.iter().any(|suite| suite == session.cipher);
    match version < TlsVersion::Tls1_3 && suites.is_some_and(gone) {
        true => Fate::Doubtful(bounded(session.cipher)),
        false => Fate::Kept,
    }
}

fn bounded(text: &str) -> String {
    text[..text.floor_char_boundary(NAME)].to_owned()
}

impl Sum {
    fn add(&mut self, by: String, session: &TlsSession<'_>) {
        self.sessions += 1;
        if self.by.len() < PEERS || self.by.contains_key(&by) {
            *self.by.entry(by).or_default() += 1;
        }
        let peer = format!("{}[{}]", session.peer.host, session.peer.address);
        let peer = bounded(&peer);
        if self.peers.len() < PEERS || self.peers.contains_key(&peer) {
            *self.peers.entry(peer).or_default() += 1;
        } else {
            self.uncounted += 1;
        }
    }

    fn met(&self) -> Met {
        Met {
            sessions: self.sessions,
            peers: self.peers.len() as u64,
            uncounted: self.uncounted,
            by: top(&self.by),
            top: top(&self.peers),
        }
    }
}

impl Sums {
    fn side(&self) -> Side {
        Side {
            sessions: self.sessions,
            unplaced: self.unplaced,
            excluded: self.excluded.met(),
            doubtful: self.doubtful.met(),
        }
    }
}

fn top(counts: &HashMap<String, u64>) -> Vec<Count> {
    let mut all: Vec<(&String, &u64)> = counts.iter().collect();
    all.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let few = all.into_iter().take(NAMED);
    few.map(|(name, sessions)| Count {
        name: name.clone(),
        sessions: *sessions,
    })
    .collect()
}

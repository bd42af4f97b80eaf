//! The live log since the master started or read its configuration: what it says against TLS.
//!
//! Owns: which lines count, and telling a log that is silent from one that is not this instance's.
//! Never: what a message means (`maillog` does), more than the newest part of a long log.

use crate::Engine;
use crate::rehearse::log_findings;
use maillog::{Direction, Event, Record, TlsWarning, Weight, records, tls_warnings};
use postseal_host::{LogLook, LogMark};
use postseal_planner::facts::Facts;
use postseal_planner::shown::{Which, show};
use postseal_planner::{Finding, Severity};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

/// syslog and postlogd(8) write a line well within it.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(50);

/// What may be the doing of somebody else's DNS, on one day: no fault of this host for ever.
const OF_OTHERS: [&str; 2] = ["log.tlsa-lookup", "log.sts-mx-mismatch"];

/// How OpenSSL's words begin in a line.
const LIBRARY: &[u8] = b"TLS library problem: ";

/// Failures of a session that are this host's own all the same.
const OF_OURS: [&str; 4] = [
    "internal error",
    "malloc failure",
    "no certificate ",
    "no ciphers available",
];

/// Commands that a person or a script runs: where one of them ends, no service does.
const COMMANDS: [&str; 11] = [
    "postalias",
    "postcat",
    "postconf",
    "postdrop",
    "postfix-script",
    "postkick",
    "postmap",
    "postmulti",
    "postqueue",
    "postsuper",
    "sendmail",
];

/// What the live log says.
#[derive(Clone, Debug)]
pub enum LiveLog {
    /// It was read.
    Read(LogSeen),
    /// It tells nothing, and why.
    Undetermined(String),
}

/// What was read of it.
#[derive(Clone, Debug, Default)]
pub struct LogSeen {
    /// Which log: a path, or `the journal`.
    pub source: String,
    /// What it says against TLS, the worst first. What peers did is information.
    pub findings: Vec<Finding>,
    /// Whether the last start or reload is in it.
    pub since_reload: bool,
}

/// Whether a look at the ports must have left a trace in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trace {
    /// It must: a server has answered.
    Left,
    /// Nothing has answered.
    None,
}

impl Engine<'_> {
    /// What the log says since the last reload, after a look at the wire that began at `mark`.
    pub(crate) fn live_log(&self, facts: &Facts, mark: &LogMark, trace: Trace) -> LiveLog {
        let source = source(mark);
        let Some(tag) = tag(facts) else {
            return LiveLog::Undetermined("syslog_name cannot be expanded".to_owned());
        };
        if trace == Trace::Left
            && let Err(why) = self.is_alive(mark, &tag)
        {
            return LiveLog::Undetermined(format!("{source}: {why}"));
        }
        match self.host.log_since(&mark.clone().whole()) {
            LogLook::Lines(lines) => LiveLog::Read(LogSeen {
                source,
                ..seen(&tag, &facts.addresses, &lines)
            }),
            LogLook::Unreadable(why) => LiveLog::Undetermined(why),
        }
    }

    /// A log into which this instance writes has the connections of the look.
    fn is_alive(&self, mark: &LogMark, tag: &str) -> Result<(), String> {
        let deadline = self.clock.monotonic() + PATIENCE;
        loop {
            match self.host.log_since(mark) {
                LogLook::Lines(lines) if records(&lines).any(|one| one.tag.starts_with(tag)) => {
                    return Ok(());
                }
                LogLook::Unreadable(why) if matches!(mark, LogMark::None(_)) => return Err(why),
                _ if self.clock.monotonic() + PAUSE > deadline => {
                    let why = "it has nothing of the connections that were just made, so this \
                               Postfix does not log there now";
                    return Err(why.to_owned());
                }
                _ => self.clock.sleep(PAUSE),
            }
        }
    }
}

fn source(mark: &LogMark) -> String {
    match mark {
        LogMark::File { path, .. } => path.display().to_string(),
        LogMark::Journal(_) => "the journal".to_owned(),
        LogMark::None(_) => "no log".to_owned(),
    }
}

/// What the programs of the instance call themselves begins with it.
fn tag(facts: &Facts) -> Option<String> {
    let name = ["syslog_name".to_owned()];
    let shown = show(facts, Which::Named(&name), None).ok()?;
    let name = shown.values.into_iter().next()?.expanded?;
    Some(match name.as_str() {
        "" => "postfix/".to_owned(),
        name => format!("{name}/"),
    })
}

/// The lines of an instance since its last start or reload, read once.
fn seen(tag: &str, own: &[IpAddr], log: &[u8]) -> LogSeen {
    let mut reader = Reader {
        own,
        by_us: HashSet::new(),
        sessions: HashMap::new(),
        faults: Vec::new(),
        peers: BTreeMap::new(),
        since_reload: false,
    };
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        let record = records(line).next();
        let Some(record) = record.filter(|one| one.tag.starts_with(tag)) else {
            continue;
        };
        reader.take(&record, line);
    }
    let mut findings = log_findings(&reader.faults);
    for finding in &mut findings {
        if OF_OTHERS.contains(&&*finding.code) {
            finding.severity = Severity::Warning;
        }
    }
    findings.extend(
        reader
            .peers
            .into_iter()
            .map(|(code, peers)| peers.told(code)),
    );
    LogSeen {
        source: String::new(),
        findings,
        since_reload: reader.since_reload,
    }
}

struct Reader<'l> {
    own: &'l [IpAddr],
    /// Processes whose client is this host: a look of `verify` or `status`, most likely.
    by_us: HashSet<u32>,
    /// Processes that are in a session with a peer now, by the side we are on.
    sessions: HashMap<u32, Session>,
    /// Lines that speak of faults here.
    faults: Vec<u8>,
    /// What peers did, by code.
    peers: BTreeMap<&'static str, Peers>,
    since_reload: bool,
}

/// A session in which a process is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Session {
    /// With a client, until it disconnects.
    Client,
    /// A handshake that just failed: OpenSSL's reasons follow at once.
    Failed(Direction),
}

/// Lines of one kind about peers.
#[derive(Default)]
struct Peers {
    count: u64,
    newest: String,
}

impl Peers {
    fn told(self, code: &'static str) -> Finding {
        let times = match self.count {
            1 => "once".to_owned(),
            count => format!("{count} times"),
        };
        let message = format!("Logged {times}, by the doing of peers: {}", self.newest);
        let remedy = "Nothing, unless those are peers that you want to reach.";
        Finding::new(code, Severity::Info, message, remedy)
    }
}

impl Reader<'_> {
    fn take(&mut self, record: &Record<'_>, line: &[u8]) {
        match Event::of(record) {
            Event::Started | Event::Reloaded => {
                self.by_us.clear();
                self.sessions.clear();
                self.faults.clear();
                self.peers.clear();
                self.since_reload = true;
            }
            Event::Connected(peer) | Event::HandshakeFailed { peer, .. } => {
                self.note(record.pid, peer.address);
            }
            _ => (),
        }
        self.follow(record);
        let of_command = COMMANDS.contains(&record.service());
        for warning in tls_warnings(line) {
            if !(of_command && warning.code == "log.fatal") {
                self.warning(record, &warning, line);
            }
        }
    }

    fn note(&mut self, pid: Option<u32>, address: &str) {
        let Some(pid) = pid else { return };
        let is_ours = |address: IpAddr| address.is_loopback() || self.own.contains(&address);
        match address.parse().is_ok_and(is_ours) {
            true => self.by_us.insert(pid),
            false => self.by_us.remove(&pid),
        };
    }

    /// Notes in which session the process of a line is.
    fn follow(&mut self, record: &Record<'_>) {
        let Some(pid) = record.pid else { return };
        let now = self.sessions.get(&pid).copied();
        let next = match Event::of(record) {
            Event::Connected(_) => Some(Session::Client),
            Event::Disconnected { .. } => None,
            Event::HandshakeFailed { .. } if now == Some(Session::Client) => now,
            Event::HandshakeFailed { direction, .. } => Some(Session::Failed(direction)),
            Event::Complaint { message, .. } if message.starts_with(LIBRARY) => now,
            _ => now.filter(|session| *session == Session::Client),
        };
        match next {
            Some(session) => self.sessions.insert(pid, session),
            None => self.sessions.remove(&pid),
        };
    }

    /// What a line says: of a peer where OpenSSL's words, which name no setting, are about a
    /// session with one.
    fn told_by(&self, record: &Record<'_>, warning: &TlsWarning<'_>) -> (&'static str, Weight) {
        let session = record.pid.and_then(|pid| self.sessions.get(&pid));
        let is_theirs = match (session, warning.code) {
            (Some(_), "log.tls-library") => {
                !OF_OURS.iter().any(|words| warning.message.contains(words))
            }
            // Keys of the server that we went to.
            (Some(session), "log.weak-certificate") => {
                *session == Session::Failed(Direction::Outbound)
            }
            _ => false,
        };
        match is_theirs {
            true => ("log.peer-handshake", Weight::Peer),
            false => (warning.code, warning.weight),
        }
    }

    fn warning(&mut self, record: &Record<'_>, warning: &TlsWarning<'_>, line: &[u8]) {
        let (code, weight) = self.told_by(record, warning);
        if weight != Weight::Peer {
            self.faults.extend_from_slice(line);
            return;
        }
        // What a look of ours tries on purpose is no news.
        if record.pid.is_some_and(|pid| self.by_us.contains(&pid)) {
            return;
        }
        let peers = self.peers.entry(code).or_default();
        peers.count += 1;
        peers.newest = warning.message.to_string();
    }
}

#[cfg(test)]
mod tests;

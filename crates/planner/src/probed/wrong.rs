//! What is wrong with a server's TLS as such: STARTTLS taken out on the way, or open to commands from
//! before TLS; old versions alone; another client that sees something else.
//!
//! Owns: the findings, from a plain look and from a full one. Never: looks; says the same twice.

use super::codes::found;
use super::{Agreement, HostProbed, ProbeTarget, Probed};
use crate::finding::Finding;
use crate::full::{self, Seen, StarttlsSeen, VersionSeen};
use crate::report::Report;
use mailtls::TlsVersion;
use std::net::SocketAddr;

const STRIPPED: &str = "starttls.stripped";
const INJECTION: &str = "starttls.injection";
const SLIPPED_IN: &str = "starttls.slipped-in";
const SECOND: &str = "probe.second-opinion";
pub(crate) const TOO_OLD: &str = "tls.too-old";

/// What of a look shows something wrong, in words.
type Shows = fn(&Report) -> Option<String>;

/// What the plain looks show.
pub(super) fn seen(target: &ProbeTarget, hosts: &[HostProbed]) -> Vec<Finding> {
    let all: [(_, Shows); 3] = [
        (STRIPPED, full::stripped),
        (SLIPPED_IN, |report| report.after_starttls.clone()),
        (TOO_OLD, |report| {
            nothing_newer(report.handshake.as_ref()?.version)
        }),
    ];
    let found = |(code, shows)| wherever(code, target, hosts, shows);
    all.into_iter().filter_map(found).collect()
}

/// One finding of every place whose look shows it.
fn wherever(
    code: &'static str,
    target: &ProbeTarget,
    hosts: &[HostProbed],
    shows: Shows,
) -> Option<Finding> {
    let all = hosts.iter().flat_map(|host| {
        host.addresses.iter().filter_map(move |one| {
            let by = shows(one.report.as_ref()?)?;
            Some(format!("{}: {by}", place(&host.name, one.address)))
        })
    });
    let mut all = all.peekable();
    all.peek()?;
    Some(all.fold(found(code, &target.text), Finding::seen))
}

/// By the newest version that a server takes when it has the choice of all.
fn nothing_newer(newest: TlsVersion) -> Option<String> {
    let name = newest.name();
    (newest < TlsVersion::Tls1_2).then(|| format!("nothing newer than {name}"))
}

impl Probed {
    /// Adds the findings of a full look at an address of `host`.
    pub fn starttls_seen(&mut self, host: &str, address: SocketAddr, seen: &StarttlsSeen) {
        let at = place(host, address);
        if let (Seen::Yes, Some(by)) = (&seen.stripped, &seen.stripped_by) {
            self.note(STRIPPED, format!("{at}: {by}"));
        }
        if seen.injection == Some(Seen::Yes) {
            let why = "a NOOP that was sent in one piece with STARTTLS was answered under TLS";
            self.note(INJECTION, format!("{at}: {why}"));
        }
    }

    /// Adds that the server at an address of `host` speaks old versions alone, where all newer ones were
    /// seen to be refused.
    pub fn versions_seen(&mut self, host: &str, address: SocketAddr, versions: &[VersionSeen]) {
        let is_old = |one: &&VersionSeen| one.version < TlsVersion::Tls1_2;
        let mut new = versions.iter().filter(|one| !is_old(one));
        let old = versions.iter().filter(is_old);
        let spoken = old.filter(|one| one.seen == Seen::Yes);
        let newest = spoken.map(|one| one.version).max();
        if let Some(only) = newest.and_then(nothing_newer)
            && new.all(|one| one.seen == Seen::No)
        {
            self.note(TOO_OLD, format!("{}: {only}", place(host, address)));
        }
    }

    /// Adds where a second opinion differs.
    pub fn opinions_seen(&mut self) {
        let addresses = self.hosts.iter().flat_map(|host| {
            let addresses = host.addresses.iter();
            addresses.filter_map(|one| {
                Some((place(&host.name, one.address), one.second_opinion.as_ref()?))
            })
        });
        let differing = addresses.flat_map(|(at, second)| {
            let differs = |one: &&Agreement| one.same == Some(false);
            let stages = second.stages.iter().filter(differs);
            stages.map(move |one| {
                format!(
                    "{at}: {}: {} here, {} there",
                    one.stage, one.ours, one.theirs
                )
            })
        });
        for evidence in differing.collect::<Vec<_>>() {
            self.note(SECOND, evidence);
        }
    }

    /// One more place of a finding. What the plain look has told of a place is not told again.
    fn note(&mut self, code: &'static str, evidence: String) {
        let known = self.findings.iter_mut().find(|one| one.code == code);
        match known {
            Some(finding) if finding.evidence.iter().any(|one| one.text == evidence) => {}
            Some(finding) => *finding = finding.clone().seen(evidence),
            None => self.findings.push(found(code, &self.target).seen(evidence)),
        }
    }
}

fn place(host: &str, address: SocketAddr) -> String {
    match address.ip().to_string() == host {
        true => address.to_string(),
        false => format!("{host} ({address})"),
    }
}

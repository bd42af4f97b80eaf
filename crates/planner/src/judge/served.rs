//! Why another certificate is served than is bound.
//!
//! Owns: telling the causes apart: another process, an older process of Postfix, a file that
//! somebody wrote, a line that somebody edited, a map of names that was not asked or holds something else. Each is a finding
//! of its own beside `wire.wrong-certificate`. Never: looks at anything; what is not known is not
//! taken for a cause.

mod files;
mod names;
mod older;

use crate::compile::is_of_certificates;
use crate::expect::expect;
use crate::facts::{Facts, PortOwner, StoredCertificate};
use crate::intent::Intent;
use crate::owned::{Drift, MAIN_CF};
use crate::report::{
    Answered, Ask, HandshakeExpectation, Outcome, Report, ServiceExpectation, Verdict,
};
use crate::{FileDrift, Finding, Severity, words};
pub use files::add_lost_files;
use mailtls::Fingerprint;
use older::turns_away;
use postfix_cf::{MainCf, MasterCf};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// What is known around the wire.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The picture that the expectations were made from.
    pub facts: &'a Facts,
    /// What is in force.
    pub intent: &'a Intent,
    /// Who listens where another certificate was seen.
    pub owners: &'a BTreeMap<SocketAddr, PortOwner>,
    /// Certificates of the store that were seen, though nothing binds them.
    pub known: &'a [StoredCertificate],
    /// Files of ours that are not as they were written.
    pub touched: &'a [FileDrift],
    /// Hand edits of owned keys.
    pub edits: &'a [Drift],
}

/// A certificate that was seen in place of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub address: SocketAddr,
    /// How the client asked.
    pub ask: Ask,
    /// What it was shown; nothing where it asks for a name or takes one kind of key only and was turned
    /// away, though others were not.
    pub seen: Option<Fingerprint>,
    /// What it should have been shown.
    pub wanted: Vec<Fingerprint>,
    /// What clients are shown there that ask for no name.
    pub default: Vec<Fingerprint>,
    service: String,
}

/// Every client that saw another certificate than it should.
pub fn differences(expectations: &[ServiceExpectation], reports: &[Report]) -> Vec<Difference> {
    let mut all = Vec::new();
    for report in reports {
        let expected = expectations.iter().find(|expected| {
            expected.service == report.service && expected.addresses.contains(&report.address)
        });
        if let Some(handshake) = expected.and_then(ServiceExpectation::certified) {
            all.extend(of_report(report, handshake));
        }
    }
    all
}

fn of_report(report: &Report, wanted: &HandshakeExpectation) -> Vec<Difference> {
    let plain = report.handshake.as_ref().and_then(|seen| seen.fingerprint);
    let speaks = plain.is_some();
    let plain = plain.map(|seen| (Ask::default(), Some(seen), wanted.certificates.clone()));
    let asked = wanted.presented.iter().filter_map(|presented| {
        let answer = report.asked.iter().find(|seen| seen.ask == presented.ask);
        let seen = match answer.map(|seen| &seen.answer) {
            Some(Answered::Shown(Some(leaf))) => Some(*leaf),
            Some(Answered::Refused(_)) if speaks => None,
            _ => return None,
        };
        Some((presented.ask.clone(), seen, presented.certificates.clone()))
    });
    let differs = |(_, seen, wanted): &(Ask, Option<Fingerprint>, Vec<Fingerprint>)| {
        !wanted.is_empty() && seen.is_none_or(|seen| !wanted.contains(&seen))
    };
    let all = plain.into_iter().chain(asked).filter(differs);
    all.map(|(ask, seen, certificates)| Difference {
        address: report.address,
        ask,
        seen,
        wanted: certificates,
        default: wanted.certificates.clone(),
        service: report.service.clone(),
    })
    .collect()
}

/// Adds the cause of each difference to the judgement of its address, each said once.
pub fn add_causes(verdict: &mut Verdict, differences: &[Difference], around: &Around<'_>) {
    for difference in differences {
        let Some(cause) = around.cause(difference) else {
            continue;
        };
        let judgements = verdict.judgements.iter_mut();
        for judged in judgements.filter(|judged| {
            judged.service == difference.service && judged.address == difference.address
        }) {
            if judged
                .findings
                .iter()
                .all(|known| known.message != cause.message)
            {
                judged.sentences.push(cause.message.clone());
                // Where the cause is known, nothing is guessed.
                let code = match difference.seen {
                    Some(_) => "wire.wrong-certificate",
                    None => "wire.handshake-failed",
                };
                let wrong = |known: &&mut Finding| known.code == code;
                for known in judged.findings.iter_mut().filter(wrong) {
                    known.remedy.clone_from(&cause.remedy);
                }
                judged
                    .findings
                    .push(cause.clone().seen(judged.service.clone()));
            }
        }
    }
}

/// Names the other process where a port is not as it should be: what it says, or that it says nothing,
/// tells nothing of Postfix, and nothing that is done to Postfix helps. `owner` is asked of such
/// addresses only.
pub fn add_strangers(verdict: &mut Verdict, owner: impl Fn(SocketAddr) -> PortOwner) {
    for judged in &mut verdict.judgements {
        if judged.outcome == Outcome::Pass {
            continue;
        }
        let mut known = judged.findings.iter();
        let told = known.find(|known| known.code == OTHER_PROCESS);
        let remedy = if let Some(told) = told {
            told.remedy.clone()
        } else if let PortOwner::Other { pid, command } = owner(judged.address) {
            let stranger = other_process(judged.address, pid, command.as_deref());
            judged.outcome = Outcome::Fail;
            judged.sentences.push(stranger.message.clone());
            let remedy = stranger.remedy.clone();
            judged.findings.push(stranger.seen(judged.service.clone()));
            remedy
        } else {
            continue;
        };
        for known in &mut judged.findings {
            known.remedy.clone_from(&remedy);
        }
    }
}

const OTHER_PROCESS: &str = "served.other-process";

impl Around<'_> {
    fn cause(&self, difference: &Difference) -> Option<Finding> {
        Some(match self.owners.get(&difference.address) {
            Some(PortOwner::Other { pid, command }) => {
                other_process(difference.address, *pid, command.as_deref())
            }
            _ if self.is_as_edited(difference) => self.edited(difference),
            _ if difference.ask.name.is_some() => return self.by_name(difference),
            owner => self.by_file(difference, owner),
        })
    }

    /// Whether the files, as somebody edited them, present what was seen.
    fn is_as_edited(&self, difference: &Difference) -> bool {
        let mut edits = self.edits_of(difference);
        edits.next().is_some() && {
            let main = MainCf::parse(&self.facts.main_cf.bytes);
            let master = MasterCf::parse(&self.facts.master_cf.bytes);
            let now = expect(&main, &master, self.facts, self.intent);
            let mut same = now.iter().filter(|one| one.service == difference.service);
            same.any(|one| {
                one.certified().is_some_and(|now| {
                    let mut asked = now.presented.iter();
                    let asked = asked.find(|one| one.ask == difference.ask);
                    let certificates = asked.map_or(&now.certificates, |one| &one.certificates);
                    match difference.seen {
                        Some(seen) => certificates.contains(&seen),
                        None => certificates
                            .iter()
                            .all(|one| !difference.wanted.contains(one)),
                    }
                })
            })
        }
    }

    /// The edits that may be why: of certificates, for all services or for this one.
    fn edits_of(&self, difference: &Difference) -> impl Iterator<Item = &Drift> {
        let service = difference.service.clone();
        self.edits.iter().filter(move |edit| {
            (edit.place == MAIN_CF || edit.place == service) && is_of_certificates(&edit.parameter)
        })
    }

    fn edited(&self, difference: &Difference) -> Finding {
        let keys: Vec<String> = self
            .edits_of(difference)
            .map(|edit| format!("{} {}", edit.place, edit.parameter))
            .collect();
        let shows = match difference.seen {
            Some(_) => "shows what its files name now".to_owned(),
            None => format!("{}, as its files say now", turns_away(difference)),
        };
        error(
            "served.edited",
            format!(
                "{} {shows}: somebody edited {}.",
                place(difference.address),
                words::list(&keys)
            ),
            "`postseal drift --adopt` takes the edit over, `postseal drift --restore` puts back what \
             was bound.",
        )
    }

    /// What a client saw that asked for no name.
    fn by_file(&self, difference: &Difference, owner: Option<&PortOwner>) -> Finding {
        let stored = difference.seen.and_then(|seen| self.stored(&seen));
        if let Some(finding) = self.file_differs(&difference.wanted, difference.address) {
            return finding;
        }
        if stored.is_some() || owner == Some(&PortOwner::Ours) {
            return self.older_process(difference, stored);
        }
        error(
            "served.stranger",
            format!(
                "{} shows a certificate that is neither in the store nor in a file that is \
                 configured, and who listens there cannot be seen.",
                place(difference.address)
            ),
            "Look at what answers there (`ss -ltnp`), and whether a proxy or a NAT rule stands \
             before Postfix.",
        )
    }

    fn stored(&self, seen: &Fingerprint) -> Option<&StoredCertificate> {
        let mut all = self.facts.certificates.iter().chain(self.known);
        all.find(|stored| stored.fingerprint == *seen)
    }
}

fn other_process(address: SocketAddr, pid: Option<u32>, command: Option<&str>) -> Finding {
    let who = match (command, pid) {
        (Some(command), Some(pid)) => format!("{command:?} (process {pid})"),
        (None, Some(pid)) => format!("process {pid}"),
        _ => "another process, which the system does not name".to_owned(),
    };
    error(
        OTHER_PROCESS,
        format!(
            "On {}, {who} listens, which is not this Postfix.",
            lower(address)
        ),
        "Stop it, or move it to another port; until then it is what clients talk to.",
    )
}

fn place(address: SocketAddr) -> String {
    format!("Port {} on {}", address.port(), address.ip())
}

fn lower(address: SocketAddr) -> String {
    format!("port {} on {}", address.port(), address.ip())
}

fn error(code: &'static str, message: String, remedy: &'static str) -> Finding {
    Finding::new(code, Severity::Error, message, remedy)
}

#[cfg(test)]
mod tests;

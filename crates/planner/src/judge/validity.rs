//! Whether the certificates that are served are valid today.
//!
//! Owns: judging their dates, whichever client is shown them. Never: looks at a clock; judges what is
//! only stored. A change that touches no certificate is not undone for this: it was so before.

use super::handshake::clients;
use crate::report::{Ask, Outcome, Report, Verdict};
use crate::{Finding, Severity, words};
use mailtls::{Certificate, Fingerprint};
use std::collections::BTreeMap;

const EXPIRED: &str = "wire.certificate-expired";
const NOT_YET_VALID: &str = "wire.certificate-not-yet-valid";

/// Whether a finding is that what is served is not valid today. It may be what is wanted all the
/// same.
pub fn is_of_validity(finding: &Finding) -> bool {
    [EXPIRED, NOT_YET_VALID].contains(&&*finding.code)
}

/// Adds to the judgement of each address the certificates seen there that are not valid at `now`.
pub fn add_validity(verdict: &mut Verdict, reports: &[Report], now: i64) {
    for judged in &mut verdict.judgements {
        let mut reports = reports.iter();
        let report = reports
            .find(|report| report.service == judged.service && report.address == judged.address);
        for seen in report.map(invalid_at(now)).unwrap_or_default() {
            let finding = seen.finding(judged.address);
            judged.outcome = Outcome::Fail;
            judged.sentences.push(finding.message.clone());
            judged.findings.push(finding.seen(judged.service.clone()));
        }
    }
}

/// A certificate that is not valid, and who is shown it.
struct Invalid {
    leaf: Certificate,
    code: &'static str,
    clients: Vec<String>,
}

/// Those of a report, each once.
fn invalid_at(now: i64) -> impl Fn(&Report) -> Vec<Invalid> {
    move |report| {
        let mut all: BTreeMap<Fingerprint, Invalid> = BTreeMap::new();
        for (ask, der) in leaves(report) {
            let Ok(leaf) = Certificate::parse(der) else {
                continue;
            };
            let code = match () {
                () if now > leaf.not_after => EXPIRED,
                () if now < leaf.not_before => NOT_YET_VALID,
                () => continue,
            };
            let invalid = all.entry(leaf.fingerprint()).or_insert(Invalid {
                leaf,
                code,
                clients: Vec::new(),
            });
            invalid.clients.push(clients(&ask));
        }
        all.into_values().collect()
    }
}

fn leaves(report: &Report) -> impl Iterator<Item = (Ask, &[u8])> {
    let plain = report
        .handshake
        .iter()
        .filter_map(|seen| seen.chain.first());
    let plain = plain.map(|leaf| (Ask::default(), leaf.as_slice()));
    let asked = report.asked.iter();
    plain.chain(asked.filter_map(|asked| Some((asked.ask.clone(), asked.leaf.as_deref()?))))
}

impl Invalid {
    fn finding(&self, address: std::net::SocketAddr) -> Finding {
        let (what, remedy) = match self.code {
            EXPIRED => (
                "has expired".to_owned(),
                "Renew it. `postseal cert list` shows whether a newer version waits, and for what.",
            ),
            _ => (
                format!("is not valid before {}", words::date(self.leaf.not_before)),
                "Wait until it is, or check this host's clock; `postseal rollback` presents the one \
                 before.",
            ),
        };
        let message = format!(
            "Port {} on {} shows clients that {} a certificate that {what}: {}.",
            address.port(),
            address.ip(),
            words::some(&self.clients),
            words::certificate(&self.leaf)
        );
        Finding::new(self.code, Severity::Error, message, remedy)
    }
}

#[cfg(test)]
mod tests;

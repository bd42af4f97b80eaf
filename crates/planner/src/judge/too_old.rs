//! Whether the newest version of TLS that is served is out of use.
//!
//! Owns: judging it, by a look that offers all versions. Never: judges what is older beside it (the
//! floor is). A change of anything else is not undone for this: it was so before.

use crate::probed::{TOO_OLD, found};
use crate::report::{Outcome, Report, Verdict};
use crate::{Finding, words};
use mailtls::TlsVersion;

/// Whether a finding is that what is served is out of use. It may be what is wanted all the same.
pub fn is_too_old(finding: &Finding) -> bool {
    finding.code == TOO_OLD
}

/// Adds to the judgement of each address that TLS 1.1 or older is the newest there (RFC 8996).
pub fn add_too_old(verdict: &mut Verdict, reports: &[Report]) {
    for judged in &mut verdict.judgements {
        let mut reports = reports.iter();
        let report = reports
            .find(|report| report.service == judged.service && report.address == judged.address);
        let shaken = report.and_then(|report| report.handshake.as_ref());
        let Some(old) = shaken.filter(|seen| seen.version < TlsVersion::Tls1_2) else {
            continue;
        };
        let (at, name) = (judged.address, words::version(old.version));
        let message = format!(
            "Port {} on {} speaks nothing newer than {name}: clients of today refuse it, or send in \
             cleartext.",
            at.port(),
            at.ip()
        );
        let finding = Finding {
            message: message.clone(),
            ..found(TOO_OLD, "")
        };
        judged.outcome = Outcome::Fail;
        judged.sentences.push(message);
        judged.findings.push(finding.seen(judged.service.clone()));
    }
}

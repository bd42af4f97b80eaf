//! The files of ours that hold keys and certificates, as a cause.
//!
//! Owns: telling of one that is gone, or that somebody wrote. Never: looks at a file; takes one for the
//! cause that holds what it is named after.

use super::{Around, error, place};
use crate::Finding;
use crate::compile::bound_path;
use crate::expect::content;
use crate::facts::{Facts, FileLook};
use crate::intent::Intent;
use crate::report::{Outcome, ServiceExpectation, Verdict};
use mailtls::{Fingerprint, pem_certificates};
use std::net::SocketAddr;
use std::path::Path;

/// What a server says that could not load its certificates.
const WITHOUT: [&str; 4] = [
    "wire.no-certificate",
    "wire.starttls-broken",
    "wire.handshake-failed",
    "wire.no-banner",
];

/// Names the file of ours for want of which a service shows no certificate at all, where no other
/// cause is known.
pub fn add_lost_files(
    verdict: &mut Verdict,
    expectations: &[ServiceExpectation],
    facts: &Facts,
    intent: &Intent,
) {
    for judged in &mut verdict.judgements {
        let codes = || judged.findings.iter().map(|known| &known.code);
        let told = codes().any(|code| code.starts_with("served."));
        let without = codes().any(|code| WITHOUT.contains(&code.as_ref()));
        if judged.outcome != Outcome::Fail || told || !without {
            continue;
        }
        let expected = expectations.iter().find(|expected| {
            expected.service == judged.service && expected.addresses.contains(&judged.address)
        });
        let Some(wanted) = expected.and_then(ServiceExpectation::certified) else {
            continue;
        };
        let Some(cause) = differs(facts, intent, &wanted.certificates, judged.address) else {
            continue;
        };
        let known = judged.findings.iter_mut();
        for known in known.filter(|known| WITHOUT.contains(&known.code.as_ref())) {
            known.remedy.clone_from(&cause.remedy);
        }
        judged.sentences.push(cause.message.clone());
        judged.findings.push(cause.seen(judged.service.clone()));
    }
}

impl Around<'_> {
    /// A file of ours that does not hold what it is named after.
    pub(super) fn file_differs(&self, wanted: &[Fingerprint], at: SocketAddr) -> Option<Finding> {
        differs(self.facts, self.intent, wanted, at)
    }
}

fn differs(
    facts: &Facts,
    intent: &Intent,
    wanted: &[Fingerprint],
    at: SocketAddr,
) -> Option<Finding> {
    let mut bindings = intent.bindings.iter();
    bindings.find_map(|bound| {
        let path = bound_path(facts, bound);
        let look = facts.files.get(&path)?;
        // Another one that is wanted there has a file of its own.
        let own = wanted.contains(&bound.fingerprint);
        own.then(|| file_differs(&path, look, &bound.fingerprint, at))?
    })
}

fn file_differs(
    path: &Path,
    look: &FileLook,
    own: &Fingerprint,
    at: SocketAddr,
) -> Option<Finding> {
    let what = match content(look) {
        Err(_) if matches!(look, FileLook::Missing) => "is gone: somebody took it away".to_owned(),
        Err(error) => format!("cannot be used: {error}: somebody wrote it since"),
        Ok(bytes) => match pem_certificates(bytes).unwrap_or_default().first() {
            Some(leaf) if leaf.fingerprint() == *own => return None,
            Some(leaf) => format!(
                "holds another certificate ({}): somebody wrote it since",
                leaf.subject
            ),
            None => "holds no certificate: somebody wrote it since".to_owned(),
        },
    };
    Some(error(
        "served.file-differs",
        format!("{}, which {} presents, {what}.", path.display(), place(at)),
        "`postseal apply` writes it anew from the store.",
    ))
}

//! What is wrong with a chain that can be read.
//!
//! Owns: the rules on dates, names, keys, signatures, uses and completeness, each with a code, a
//! sentence and a remedy. Never: reads a clock, decides what may be done with the certificate
//! (whoever asks maps codes and gravity to findings).

mod chain;
mod dates;
mod key_file;
mod names;
mod strength;

use crate::{CertError, Certificate, Fingerprint, Trust};
pub use dates::span;
pub use key_file::KeyFile;

/// How much a problem matters to mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gravity {
    /// Worth knowing.
    Note,
    /// Works today, or for peers that do not verify.
    Warning,
    /// Peers that verify refuse it, or Postfix cannot use it at all.
    Error,
}

/// One thing wrong with a certificate, its chain or its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertProblem {
    /// The stable code (`cert.expired`).
    pub code: &'static str,
    /// How much it matters.
    pub gravity: Gravity,
    /// One sentence: what is wrong.
    pub message: String,
    /// One sentence: what to do.
    pub remedy: String,
    /// The certificate of the chain that it is about, from 0: the server's own.
    pub at: usize,
}

impl CertProblem {
    pub(crate) fn new(
        code: &'static str,
        gravity: Gravity,
        message: impl Into<String>,
        remedy: &str,
    ) -> Self {
        Self {
            code,
            gravity,
            message: message.into(),
            remedy: remedy.to_owned(),
            at: 0,
        }
    }
}

impl From<&CertError> for CertProblem {
    fn from(error: &CertError) -> Self {
        let gravity = Gravity::Error;
        Self::new(error.code(), gravity, error.to_string(), error.remedy())
    }
}

/// Everything wrong with a chain (leaf first) for a server of these names, at `now` in seconds
/// since 1970. Worst first.
pub fn problems(
    chain: &[Certificate],
    now: i64,
    names: &[&str],
    trust: Trust<'_>,
) -> Vec<CertProblem> {
    let Some((leaf, issuers)) = chain.split_first() else {
        return vec![CertProblem::from(&CertError::NoCertificate)];
    };
    let mut found = Vec::new();
    dates::judge(leaf, now, &mut found);
    for (at, issuer) in issuers.iter().enumerate() {
        about(at + 1, &mut found, |found| {
            dates::judge_issuer(issuer, now, found);
        });
    }
    for (at, certificate) in chain.iter().enumerate() {
        about(at, &mut found, |found| strength::judge(certificate, found));
    }
    uses(leaf, &mut found);
    names::judge(leaf, names, &mut found);
    length(chain, &mut found);
    if leaf.self_signed {
        // That it may only issue is the cause; a root is its own issuer by nature.
        found.extend((!leaf.only_issues()).then(|| chain::self_signed(leaf)));
    } else {
        chain::judge(chain, now, trust, &mut found);
    }
    found.sort_by_key(|problem| std::cmp::Reverse(problem.gravity));
    found
}

/// What `judge` finds is about the certificate `at` of the chain.
fn about(at: usize, found: &mut Vec<CertProblem>, judge: impl FnOnce(&mut Vec<CertProblem>)) {
    let before = found.len();
    judge(found);
    found[before..].iter_mut().for_each(|one| one.at = at);
}

/// OpenSSL refuses a longer Certificate message (`SSL_CTX_set_max_cert_list`, its default), and so do
/// those that are built on it, Postfix's client among them.
const LONGEST: usize = 100 * 1024;

/// A chain that clients give up on (RFC 8446 §4.4.2: each certificate has 5 bytes more, the list 4).
fn length(chain: &[Certificate], found: &mut Vec<CertProblem>) {
    let bytes: usize = 4 + chain.iter().map(|one| one.der.len() + 5).sum::<usize>();
    let Some(leaf) = chain.first().filter(|_| bytes > LONGEST) else {
        return;
    };
    found.push(CertProblem::new(
        "cert.too-long",
        Gravity::Error,
        format!(
            "{} and its chain take {bytes} bytes in the handshake; OpenSSL clients refuse more than \
             {LONGEST}",
            leaf.subject
        ),
        "Have it issued for fewer names; several certificates can be bound by name (`postseal cert \
         bind NAME --sni HOST`).",
    ));
}

fn uses(leaf: &Certificate, found: &mut Vec<CertProblem>) {
    if leaf.is_ca {
        let gravity = match leaf.only_issues() {
            true => Gravity::Error,
            false => Gravity::Warning,
        };
        found.push(CertProblem::new(
            "cert.ca-as-leaf",
            gravity,
            format!("{} is a CA's certificate, not a server's", leaf.subject),
            "Have the CA issue a certificate for the server, and keep the CA's key elsewhere.",
        ));
    }
    no_signing(leaf, found);
    if leaf.must_staple {
        found.push(CertProblem::new(
            "cert.must-staple",
            Gravity::Warning,
            format!(
                "{} demands a stapled OCSP answer, which Postfix cannot give; peers that heed it refuse it",
                leaf.subject
            ),
            "Have a certificate issued without must-staple (certbot: without --must-staple).",
        ));
    }
    if !leaf.allows_server_auth() {
        let usages = leaf.extended_key_usage.as_deref().unwrap_or_default();
        found.push(CertProblem::new(
            "cert.no-server-auth",
            Gravity::Error,
            format!(
                "{} is not for TLS servers (only {})",
                leaf.subject,
                usages.join(", ")
            ),
            "Have a certificate issued with extendedKeyUsage serverAuth.",
        ));
    }
}

/// A CA's keyUsage names other things, and `cert.ca-as-leaf` has said so.
fn no_signing(leaf: &Certificate, found: &mut Vec<CertProblem>) {
    let Some(usage) = leaf.key_usage.as_ref().filter(|_| !leaf.is_ca) else {
        return;
    };
    if usage.contains(&"digitalSignature") {
        return;
    }
    found.push(CertProblem::new(
        "cert.no-digital-signature",
        Gravity::Error,
        format!(
            "{} may not sign (keyUsage {}), which TLS 1.3 and all forward-secret ciphers need",
            leaf.subject,
            usage.join(", ")
        ),
        "Have a certificate issued with keyUsage digitalSignature.",
    ));
}

/// What is wrong with a certificate for a server of this name: `None` where it has the name.
pub fn name_problem(leaf: &Certificate, name: &str) -> Option<CertProblem> {
    names::mismatch(leaf, name)
}

/// Whether a certificate is known already: its fingerprint among those of a store, by name.
pub fn duplicate(leaf: &Certificate, known: &[(&str, Fingerprint)]) -> Option<CertProblem> {
    let fingerprint = leaf.fingerprint();
    let (name, _) = known.iter().find(|(_, known)| *known == fingerprint)?;
    Some(CertProblem::new(
        "cert.duplicate",
        Gravity::Warning,
        format!("{} is there already, as {name}", leaf.subject),
        "Use that one, or delete it first.",
    ))
}

#[cfg(test)]
mod tests;

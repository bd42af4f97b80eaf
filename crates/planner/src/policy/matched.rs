//! What `match=` names, in a form that can match a server at all.
//!
//! Owns: the form of fingerprints and how lists of them are written (measured on 3.7.11,
//! docs/measured.md). Never: looks at a server: whose fingerprint it is, is the preflight's question.

use crate::finding::{Finding, Severity};
use crate::preflight::Client;
use mailtls::Level;
use mailtls::policy::{Name, Policy};

/// Fingerprints that smtp(8) leaves out, and lists of names that it takes for one name; `of` names the
/// destination.
pub(super) fn faults(policy: &Policy, of: &str, client: &Client) -> Option<Finding> {
    match policy.level {
        Level::Fingerprint => fingerprints(policy, of, &client.digest),
        Level::Verify | Level::Secure => names(policy, of),
        _ => None,
    }
}

fn fingerprints(policy: &Policy, of: &str, digest: &str) -> Option<Finding> {
    let words = policy.values(Name::Match).flat_map(|list| list.split('|'));
    let words: Vec<&str> = words.collect();
    let bad = words
        .iter()
        .filter_map(|word| Some((*word, fault(word, digest)?)));
    let bad: Vec<(&str, String)> = bad.collect();
    if bad.is_empty() {
        return None;
    }
    let follows = match bad.len() == words.len() {
        true => "all mail for it would wait",
        false => "smtp(8) leaves it out",
    };
    let finding = Finding::new(
        "policy.bad-fingerprint",
        Severity::Error,
        format!(
            "What is listed for {of} is no {digest} fingerprint (smtp_tls_fingerprint_digest): \
             {follows}."
        ),
        format!(
            "`postseal policy check '{of}' --policy fingerprint` shows those of the servers. Several \
             are separated by |: --match 'ONE|OTHER'."
        ),
    );
    let seen =
        |finding: Finding, (word, why): (&str, String)| finding.seen(format!("{word}: {why}"));
    Some(bad.into_iter().fold(finding, seen))
}

/// What is wrong with a fingerprint.
fn fault(word: &str, digest: &str) -> Option<String> {
    let hex: Vec<u8> = word.bytes().filter(|byte| *byte != b':').collect();
    if hex.is_empty() || !hex.iter().all(u8::is_ascii_hexdigit) {
        return Some("it is not hexadecimal".to_owned());
    }
    // A colon may stand between two bytes, and may be left out.
    let bytes = |part: &str| !part.is_empty() && part.len().is_multiple_of(2);
    if !word.split(':').all(bytes) {
        return Some("it is not made of pairs of digits".to_owned());
    }
    let (long, wanted) = (hex.len() / 2, length(digest)?);
    match long {
        _ if long == wanted => None,
        _ if long.is_multiple_of(wanted) => Some(format!(
            "these are {} fingerprints; between two stands a |, not a colon",
            long / wanted
        )),
        _ => Some(format!("it has {long} bytes, not {wanted}")),
    }
}

/// How many bytes a digest has; nothing of those that are not known here.
fn length(digest: &str) -> Option<usize> {
    let known = [
        ("md5", 16),
        ("sha1", 20),
        ("sha224", 28),
        ("sha256", 32),
        ("sha384", 48),
        ("sha512", 64),
    ];
    let found = known
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(digest));
    found.map(|(_, bytes)| bytes)
}

/// Names are separated by colons: with another sign between them they are one, which no certificate
/// has. A list of colons only names nobody.
fn names(policy: &Policy, of: &str) -> Option<Finding> {
    let words = || policy.values(Name::Match).flat_map(|list| list.split(':'));
    let bad = |message: String| {
        Finding::new(
            "policy.bad-match",
            Severity::Error,
            message,
            "Names are separated by colons: --match ONE:OTHER.",
        )
    };
    if words().next().is_some() && words().all(str::is_empty) {
        return Some(bad(format!(
            "match= lists no name for {of}: no certificate is good enough, and all mail for it would \
             wait."
        )));
    }
    let word = words().find(|word| !is_of_a_certificate(word))?;
    let message = format!("No certificate has the name {word:?} that is listed for {of}.");
    Some(bad(message).seen(word))
}

/// Whether a certificate could have a name, or it stands for one.
fn is_of_a_certificate(word: &str) -> bool {
    let name = word.strip_prefix('.').unwrap_or(word);
    // smtp(8) compares `*.example.org` with the same words of a certificate.
    let name = name.strip_prefix("*.").unwrap_or(name);
    word.is_empty()
        || mailtls::host_name(name).is_some()
        || name.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests;

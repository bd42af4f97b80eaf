//! What a policy promises, in one sentence.
//!
//! Owns: naming what a certificate is held to, where the row or a parameter says it. Never: finds the
//! policy; the words of a level that says nothing else are the level's own ([`Level::promises`]).

use crate::preflight::Client;
use mailtls::Level;
use mailtls::policy::{Name, Policy};

/// More names than this are counted.
const SHOWN: usize = 5;
/// What `verify` and `secure` hold a certificate to where nothing says it (postconf(5),
/// `smtp_tls_verify_cert_match`, `smtp_tls_secure_cert_match`; lmtp(8) has the shorter one).
const USUAL: [(Level, &[&str]); 3] = [
    (Level::Verify, &["hostname"]),
    (Level::Secure, &["nexthop", "dot-nexthop"]),
    (Level::Secure, &["nexthop"]),
];

/// The sentence. `policy` is the row's, at the same level.
pub(super) fn of(level: Level, policy: Option<&Policy>, client: &Client) -> String {
    let rows = policy.filter(|policy| policy.level == level);
    let said = |sign: char, parameter: &[String]| -> Vec<String> {
        let lists = rows.into_iter().flat_map(|row| row.values(Name::Match));
        let own: Vec<String> = lists
            .flat_map(|list| list.split(sign))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        match own.is_empty() {
            true => parameter.to_vec(),
            false => own,
        }
    };
    let own = match level {
        Level::Verify => names(level, &said(':', &client.matches.verify), rows),
        Level::Secure => names(level, &said(':', &client.matches.secure), rows),
        Level::Fingerprint => fingerprints(&said('|', &client.matches.fingerprint)),
        _ => None,
    };
    own.unwrap_or_else(|| level.promises().to_owned())
}

/// Names that are not those of the level.
fn names(level: Level, words: &[String], row: Option<&Policy>) -> Option<String> {
    let is_named = row.is_some_and(|row| row.values(Name::Match).next().is_some());
    let usual = |(of, usual): &(Level, &[&str])| *of == level && words == *usual;
    if words.is_empty() || (!is_named && USUAL.iter().any(usual)) {
        return None;
    }
    let from_dns = words
        .iter()
        .any(|word| word.eq_ignore_ascii_case("hostname"));
    let forged = match (from_dns, words) {
        (false, _) => "a forged DNS answer does not help",
        (true, [_]) => "that name is taken from the DNS, so a forged MX record still deceives",
        (true, _) => {
            "the MX host's name is taken from the DNS, so a forged MX record still deceives"
        }
    };
    Some(format!(
        "Mail is only sent encrypted, to a server with a trusted certificate for {}; {forged}.",
        or(words, name)
    ))
}

fn name(word: &str) -> String {
    match word.to_ascii_lowercase().as_str() {
        "hostname" => "the MX host's name".to_owned(),
        "nexthop" => "the name of the next hop".to_owned(),
        "dot-nexthop" => "a name below the next hop".to_owned(),
        _ => match word.strip_prefix('.') {
            Some(parent) => format!("a name below {parent}"),
            None => word.to_owned(),
        },
    }
}

fn fingerprints(words: &[String]) -> Option<String> {
    let whose = match words {
        [] => return None,
        [one] => format!("the fingerprint {one}"),
        more => format!("one of the fingerprints {}", or(more, str::to_owned)),
    };
    Some(format!(
        "Mail is only sent encrypted, to a server whose certificate or key has {whose}; otherwise it \
         waits in the queue."
    ))
}

/// `a`, `a or b`, `a, b or c`; of many the first.
fn or(words: &[String], shown: fn(&str) -> String) -> String {
    let mut shown: Vec<String> = words.iter().take(SHOWN).map(|word| shown(word)).collect();
    match words.len().saturating_sub(SHOWN) {
        0 => {}
        more => shown.push(format!("one of {more} more")),
    }
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;

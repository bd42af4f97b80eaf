//! Diffie-Hellman groups of one's own.
//!
//! Owns: how large a group in a file is. Never: whether the parameters are out of use
//! (`obsolete`), or the groups by name (`ciphers`).

use super::context::{Context, Setting};
use super::fix;
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::Warning;
use crate::facts::FileLook;

/// The rules.
pub(super) const RULES: &[Rule] = &[SMALL];

#[rustfmt::skip]
const SMALL: Rule = rule("ciphers.small-dh-group", Warning, "small Diffie-Hellman group",
    "Groups below 2048 bits are refused by clients of today and can be broken by those who prepare for it.",
    "Delete the line: Postfix has good groups of its own.");
/// The smallest group that is taken (RFC 9325 §4.1).
const ENOUGH: usize = 2048;

/// Looks at the file that is named.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    let settings = context.all_settings();
    let named = settings.filter(|s| s.name == "smtpd_tls_dh1024_param_file");
    out.extend(named.filter_map(|setting| group(context, setting)));
}

fn group(context: &Context<'_>, setting: &Setting<'_>) -> Option<Finding> {
    let path = context.expanded(setting)?;
    let Some(FileLook::File { bytes, .. }) = context.look(&path) else {
        return None;
    };
    let bits = bits(bytes)?;
    if bits >= ENOUGH {
        return None;
    }
    let message = format!("{path} holds a group of about {bits} bits. {}", SMALL.why);
    let found = SMALL.says(message).on(Some(setting));
    Some(found.mended_by(fix::absent(context, setting)))
}

/// The size of the prime of the first group in a PEM file, in whole bytes. What follows the prime may
/// be as long (`openssl dhparam -dsaparam`), so its own length is read (PKCS #3 and X9.42: SEQUENCE, INTEGER).
fn bits(pem: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, body) = text.split_once("DH PARAMETERS-----")?;
    let (body, _) = body.split_once("-----END ")?;
    let der = head(body)?;
    let (_, inner) = element(0x30, &der)?;
    let (length, prime) = element(0x02, inner)?;
    let sign = usize::from(prime.first() == Some(&0));
    length.checked_sub(sign).map(|bytes| bytes * 8)
}

/// So many bytes hold both headers and the begin of the prime.
const HEAD: usize = 15;

/// The first bytes of a text in Base64 (RFC 4648).
fn head(body: &str) -> Option<Vec<u8>> {
    let digits = body.bytes().filter_map(|letter| match letter {
        b'A'..=b'Z' => Some(u32::from(letter - b'A')),
        b'a'..=b'z' => Some(u32::from(letter - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(letter - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    });
    let digits: Vec<u32> = digits.take(HEAD / 3 * 4).collect();
    let bytes = digits.chunks_exact(4).flat_map(|four| {
        let all = four.iter().fold(0_u32, |all, digit| all << 6 | digit);
        all.to_be_bytes().into_iter().skip(1)
    });
    let bytes: Vec<u8> = bytes.collect();
    (!bytes.is_empty()).then_some(bytes)
}

/// The length that an element says it has, and what is there of it.
fn element(tag: u8, der: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = der
        .split_first()
        .filter(|(first, _)| **first == tag)?
        .1
        .split_first()?;
    let long = usize::from(first & 0x7f);
    if first & 0x80 == 0 {
        return Some((long, rest));
    }
    let (length, rest) = rest.split_at_checked(long).filter(|_| long <= 2)?;
    let length = length
        .iter()
        .fold(0, |all, byte| all << 8 | usize::from(*byte));
    Some((length, rest))
}

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

/// The size of the first group of a PEM file, in whole bytes, by the length of its text: of the
/// DER (PKCS #3) all but some ten bytes are the prime.
fn bits(pem: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, body) = text.split_once("-----BEGIN DH PARAMETERS-----")?;
    let (body, _) = body.split_once("-----END DH PARAMETERS-----")?;
    let base64 = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    let der = body.chars().filter(base64).count() * 3 / 4;
    // SEQUENCE and INTEGER headers, a zero before the prime, a generator of one byte.
    let prime = der.checked_sub(10)?;
    Some((prime + 4) / 8 * 64)
}

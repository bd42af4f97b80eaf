//! Whether a chain that a CA sent is the one that was ordered.
//!
//! Owns: reading it, and judging it against key, names and time; leaving a root out behind
//! intermediates. Never: judges whether the CA is
//! trusted by others; that depends on who asks.

use super::AcmeError;
use crate::{Issued, Key};
use mailtls::{Certificate, PrivateKey, pem_certificates};

/// The longest chain that is believed.
const MAX_CHAIN: usize = 10;

/// Takes a chain apart into leaf and intermediates, if it fits.
pub(super) fn accept(
    pem: &str,
    key: &Key,
    names: &[String],
    now: i64,
) -> Result<Issued, AcmeError> {
    let wrong = |reason: String| AcmeError::WrongChain(reason);
    let chain = pem_certificates(pem.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    if chain.len() > MAX_CHAIN {
        return Err(wrong(format!("it holds {} certificates", chain.len())));
    }
    let (leaf, above) = chain
        .split_first()
        .ok_or_else(|| wrong("it is empty".into()))?;
    judge_leaf(leaf, key, names, now)?;
    if let Some(pair) = chain.windows(2).find(|pair| !pair[0].issued_by(&pair[1])) {
        return Err(wrong(format!(
            "{} did not issue {}",
            pair[1].subject, pair[0].subject
        )));
    }
    let mut chain_pem = String::new();
    // A root that issued it itself is all there is above it: whoever knows who is trusted decides
    // whether it is left out.
    let is_sent = |one: &&Certificate| !one.self_signed || above.len() == 1;
    for one in above.iter().filter(is_sent) {
        chain_pem.push_str(&text(one)?);
    }
    Ok(Issued {
        cert_pem: text(leaf)?,
        key_pem: key.to_pem(),
        chain_pem,
    })
}

fn judge_leaf(leaf: &Certificate, key: &Key, names: &[String], now: i64) -> Result<(), AcmeError> {
    let wrong = |reason: &str| Err(AcmeError::WrongChain(reason.to_owned()));
    let fits = PrivateKey::parse(key.to_pem().as_bytes()).is_ok_and(|key| key.matches(leaf));
    if !fits {
        return wrong("its certificate is for another key");
    }
    if let Some(name) = names.iter().find(|name| !leaf.covers(name)) {
        return wrong(&format!("its certificate is not for {name}"));
    }
    if leaf.is_ca {
        return wrong("its first certificate is a CA's");
    }
    if leaf.not_after <= now {
        let ago = mailtls::span(now.saturating_sub(leaf.not_after));
        return wrong(&format!(
            "its certificate has expired {ago} ago, by the clock of this host"
        ));
    }
    Ok(())
}

fn text(certificate: &Certificate) -> Result<String, AcmeError> {
    let unreadable = || AcmeError::WrongChain("it has no PEM form".into());
    let pem = certificate.to_pem().map_err(|_| unreadable())?;
    String::from_utf8(pem).map_err(|_| unreadable())
}

#[cfg(test)]
mod tests;

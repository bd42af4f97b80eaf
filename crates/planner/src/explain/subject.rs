//! What `explain` is asked about.
//!
//! Owns: reading it as an operator types it, into the form in which Postfix holds it. Never: knows
//! whether it exists.

use super::{is_domain, is_literal, is_next_hop};
use std::fmt;

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A recipient, as Postfix holds it: `user@domain`, without the quotes of its local part.
    Address(String),
    /// Any recipient of a domain: rows for single recipients are not seen.
    Domain(String),
    /// A next hop as it stands: `[host]:port`, `host:port`, `[host]`.
    NextHop(String),
}

/// Why something cannot be asked about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// Nothing, or too much.
    #[error("an address, a domain or a next hop has 1 to 512 bytes")]
    Length,
    /// Blanks and control characters.
    #[error("{0:?} holds a character that no address, domain or next hop has")]
    Character(String),
    /// `user@`, `@domain`, `a..b`.
    #[error("{0:?} is no address: it is user@domain")]
    Address(String),
    /// Not a domain name.
    #[error(
        "{0:?} is no domain: labels of up to 63 letters, digits and hyphens, with dots between"
    )]
    Domain(String),
    /// Not a next hop.
    #[error(
        "{0:?} is no next hop: it is [host], [host]:port or host:port, with a port up to 65535"
    )]
    NextHop(String),
}

const LONGEST: usize = 512;

impl Subject {
    /// Reads what an operator typed.
    ///
    /// # Errors
    /// Where it is none of the three.
    pub fn parse(text: &str) -> Result<Self, SubjectError> {
        if text.is_empty() || text.len() > LONGEST {
            return Err(SubjectError::Length);
        }
        if text.starts_with('"') {
            let address = quoted(text).ok_or_else(|| SubjectError::Address(text.to_owned()));
            return address.map(Self::Address);
        }
        let bad = |letter: char| letter.is_control() || letter.is_whitespace();
        if text.chars().any(bad) {
            return Err(SubjectError::Character(text.to_owned()));
        }
        if let Some((local, domain)) = text.rsplit_once('@') {
            let domain = recipients(domain).filter(|_| !local.is_empty());
            let domain = domain.ok_or_else(|| SubjectError::Address(text.to_owned()))?;
            return Ok(Self::Address(format!("{local}@{domain}")));
        }
        if text.starts_with('[') || text.contains(':') {
            return match is_next_hop(text) {
                true => Ok(Self::NextHop(text.to_owned())),
                false => Err(SubjectError::NextHop(text.to_owned())),
            };
        }
        match recipients(text) {
            Some(domain) => Ok(Self::Domain(domain.to_owned())),
            None => Err(SubjectError::Domain(text.to_owned())),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Address(text) | Self::Domain(text) | Self::NextHop(text)) = self;
        match text.rsplit_once('@') {
            Some((local, domain)) if needs_quotes(local) => {
                let local = local.replace('\\', r"\\").replace('"', "\\\"");
                write!(f, "\"{local}\"@{domain}")
            }
            _ => f.write_str(text),
        }
    }
}

/// The domain of recipients: a name, whose last dot cleanup(8) takes off, or an address in brackets.
fn recipients(domain: &str) -> Option<&str> {
    let name = domain.strip_suffix('.').unwrap_or(domain);
    match is_literal(domain) {
        true => Some(domain),
        false => is_domain(name).then_some(name),
    }
}

/// `"local part"@domain` (RFC 5321 §4.1.2) without its quotes.
fn quoted(text: &str) -> Option<String> {
    let mut local = String::new();
    let mut letters = text.strip_prefix('"')?.chars();
    loop {
        match letters.next()? {
            '"' => break,
            '\\' => local.push(letters.next()?),
            letter => local.push(letter),
        }
    }
    let domain = letters.as_str().strip_prefix('@')?;
    let bad = |letter: char| letter != '\t' && (letter.is_control() || letter == '\u{2028}');
    let domain = recipients(domain).filter(|_| !local.chars().any(bad))?;
    Some(format!("{local}@{domain}"))
}

/// Whether a local part is no dot-atom; `@` alone, of a routed address, is left as it was typed.
fn needs_quotes(local: &str) -> bool {
    let special = |letter: char| {
        matches!(
            letter,
            '"' | '\\' | ' ' | '\t' | ',' | ';' | ':' | '<' | '>' | '(' | ')'
        )
    };
    local.is_empty() || local.chars().any(special)
}

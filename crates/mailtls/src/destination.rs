//! Destinations: what a row of `smtp_tls_policy_maps` is for.
//!
//! Owns: reading one as an operator types it, saying what is wrong with it, and the keys that
//! Postfix would look up for it (TLS_README, `smtp_tls_policy.c`). Never: whether mail ever takes
//! this next hop.
//!
//! Postfix compares keys as text. A name in another script reaches it as U-labels (SMTPUTF8) or as
//! A-labels (RFC 5890), and neither matches the other, so both are written.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use unicode_security::MixedScript;

/// A domain, or a next hop with a host or a port of its own. Equal destinations have equal keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    ascii: String,
    unicode: String,
    kind: Kind,
}

/// How smtp(8) goes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `example.org`: by its MX records. Domains below it are found by a key of their own.
    Domain,
    /// `[host]`, `[host]:port` or `host:port`, literally: no other spelling is found by it.
    NextHop,
}

/// Which names a row is for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The domain itself (`example.org`).
    #[default]
    Domain,
    /// All domains below it, and not itself (`.example.org`).
    Subdomains,
    /// Both.
    Both,
}

/// Why a text is no destination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum DestinationError {
    #[error("a destination is a domain or a next hop; this is empty")]
    Empty,
    #[error("a name has at most 253 bytes, this has {0}")]
    TooLong(usize),
    #[error("the label {0:?} has more than 63 bytes")]
    LongLabel(String),
    #[error("{0:?} has an empty label: two dots side by side, or one at an end")]
    EmptyLabel(String),
    #[error("{0:?} ends with a dot; Postfix looks names up without it")]
    TrailingDot(String),
    #[error(
        "{0:?} has a wildcard, which Postfix takes literally; for all names below a domain \
             write .{1}"
    )]
    Wildcard(String, String),
    #[error("{0:?} is an address; rows are for the domain, {1:?}")]
    Address(String, String),
    #[error("{0:?} is an IP address; as a next hop it stands in brackets: [{0}]")]
    BareAddress(String),
    #[error("{0:?} holds a blank, a control character or another one that no name has")]
    Character(String),
    #[error("{0:?} is no port: a number from 1 to 65535, or a service's name")]
    Port(String),
    #[error("{0:?} is no host in brackets: [host], [192.0.2.1] or [2001:db8::1]")]
    Brackets(String),
    #[error(
        "{0:?} mixes letters of several scripts, so it can look like another name; write it \
             with A-labels (xn--…) if it is meant"
    )]
    MixedScript(String),
    #[error("{0:?} is no name by RFC 5891")]
    Idn(String),
    #[error("{0:?} is no host name: letters, digits and hyphens, with dots between")]
    Name(String),
    #[error("a next hop is literal; only a domain has names below it")]
    ScopeOfNextHop,
}

/// A name of more bytes is none (RFC 1035 §2.3.4, without the last dot).
const LONGEST: usize = 253;
const LONGEST_LABEL: usize = 63;

impl Destination {
    /// Reads what an operator typed, and its scope: `.example.org` is for what is below.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn parse(text: &str) -> Result<(Self, Scope), DestinationError> {
        refuse_characters(text)?;
        if let Some((local, domain)) = text.rsplit_once('@')
            && !local.is_empty()
        {
            return Err(DestinationError::Address(
                text.to_owned(),
                domain.to_owned(),
            ));
        }
        if text.parse::<IpAddr>().is_ok() {
            return Err(DestinationError::BareAddress(text.to_owned()));
        }
        if text.starts_with('[') || text.contains(':') {
            return Ok((Self::next_hop(text)?, Scope::Domain));
        }
        match text.strip_prefix('.') {
            Some(parent) => Ok((Self::domain(parent)?, Scope::Subdomains)),
            None => Ok((Self::domain(text)?, Scope::Domain)),
        }
    }

    fn domain(text: &str) -> Result<Self, DestinationError> {
        let name = Name::parse(text)?;
        Ok(Self {
            ascii: name.ascii,
            unicode: name.unicode,
            kind: Kind::Domain,
        })
    }

    fn next_hop(text: &str) -> Result<Self, DestinationError> {
        let brackets = || DestinationError::Brackets(text.to_owned());
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, tail) = rest.split_once(']').ok_or_else(brackets)?;
                let port = match tail {
                    "" => None,
                    tail => Some(tail.strip_prefix(':').ok_or_else(brackets)?),
                };
                (host, port)
            }
            None => {
                let (host, port) = text.rsplit_once(':').ok_or_else(brackets)?;
                (host, Some(port))
            }
        };
        if let Some(port) = port {
            refuse_port(port)?;
        }
        let bracketed = text.starts_with('[');
        let name = match literal(host) {
            Some(name) => name,
            None if host.is_empty() => return Err(brackets()),
            None => Name::parse(host)?,
        };
        let whole = |host: &str| {
            let host = if bracketed {
                format!("[{host}]")
            } else {
                host.to_owned()
            };
            match port {
                Some(port) => format!("{host}:{}", port.to_ascii_lowercase()),
                None => host,
            }
        };
        Ok(Self {
            ascii: whole(&name.ascii),
            unicode: whole(&name.unicode),
            kind: Kind::NextHop,
        })
    }

    /// With A-labels, in lower case: what identifies it.
    pub fn ascii(&self) -> &str {
        &self.ascii
    }

    /// How smtp(8) goes there.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The keys that Postfix looks up for it; both spellings of a name in another script.
    ///
    /// # Errors
    /// [`DestinationError::ScopeOfNextHop`].
    pub fn keys(&self, scope: Scope) -> Result<Vec<String>, DestinationError> {
        if self.kind == Kind::NextHop && scope != Scope::Domain {
            return Err(DestinationError::ScopeOfNextHop);
        }
        let mut spellings = vec![self.ascii.as_str()];
        if self.unicode != self.ascii {
            spellings.push(&self.unicode);
        }
        let keys = spellings.into_iter().flat_map(|name| match scope {
            Scope::Domain => vec![name.to_owned()],
            Scope::Subdomains => vec![format!(".{name}")],
            Scope::Both => vec![format!(".{name}"), name.to_owned()],
        });
        Ok(keys.collect())
    }
}

/// As a person reads it: with U-labels.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.unicode)
    }
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Domain, Self::Subdomains, Self::Both];

    /// Its word: `domain`, `subdomains`, `both`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Subdomains => "subdomains",
            Self::Both => "both",
        }
    }

    /// The scope of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == word)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A host name in both spellings.
struct Name {
    ascii: String,
    unicode: String,
}

impl Name {
    fn parse(text: &str) -> Result<Self, DestinationError> {
        refuse_form(text)?;
        let plain = text.is_ascii() && !text.to_ascii_lowercase().contains("xn--");
        let name = if plain {
            let ascii = text.to_ascii_lowercase();
            Self {
                unicode: ascii.clone(),
                ascii,
            }
        } else {
            Self::international(text)?
        };
        refuse_size(&name.ascii)?;
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let hyphens = |label: &str| label.starts_with('-') || label.ends_with('-');
        if !name.ascii.chars().all(letters) || name.ascii.split('.').any(hyphens) {
            return Err(DestinationError::Name(text.to_owned()));
        }
        if name.ascii.chars().all(|c| c.is_ascii_digit() || c == '.') {
            return Err(DestinationError::Name(text.to_owned()));
        }
        Ok(name)
    }

    /// UTS #46, not transitional, with the rules for letters written from right to left.
    fn international(text: &str) -> Result<Self, DestinationError> {
        let deny = AsciiDenyList::STD3;
        let idn = || DestinationError::Idn(text.to_owned());
        let ascii = Uts46::new()
            .to_ascii(text.as_bytes(), deny, Hyphens::Allow, DnsLength::Ignore)
            .map_err(|_| idn())?
            .into_owned();
        let (unicode, read) = Uts46::new().to_unicode(ascii.as_bytes(), deny, Hyphens::Allow);
        read.map_err(|_| idn())?;
        // Who writes A-labels means them.
        if !text.is_ascii() && !unicode.split('.').all(|label| label.is_single_script()) {
            return Err(DestinationError::MixedScript(text.to_owned()));
        }
        Ok(Self {
            unicode: unicode.into_owned(),
            ascii,
        })
    }
}

/// The address that stands in brackets: `192.0.2.1`, `IPv6:2001:db8::1` (RFC 5321 §4.1.3), and that
/// of IPv6 without its mark, as smtp(8) takes it.
pub fn literal_address(inner: &str) -> Option<IpAddr> {
    match inner.get(..5) {
        Some(mark) if mark.eq_ignore_ascii_case("ipv6:") => inner[5..].parse().map(IpAddr::V6).ok(),
        _ => inner.parse().ok(),
    }
}

fn literal(host: &str) -> Option<Name> {
    let ascii = host.to_ascii_lowercase();
    literal_address(host).map(|_| Name {
        unicode: ascii.clone(),
        ascii,
    })
}

fn refuse_characters(text: &str) -> Result<(), DestinationError> {
    if text.is_empty() {
        return Err(DestinationError::Empty);
    }
    if text.len() > 4 * LONGEST {
        return Err(DestinationError::TooLong(text.len()));
    }
    let bad = |c: char| {
        c.is_control() || c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\\' | '/' | '#' | '=')
    };
    match text.chars().any(bad) {
        true => Err(DestinationError::Character(text.to_owned())),
        false => Ok(()),
    }
}

fn refuse_form(text: &str) -> Result<(), DestinationError> {
    if text.is_empty() {
        return Err(DestinationError::Empty);
    }
    if text.contains('*') {
        let below = text.trim_start_matches(['*', '.']);
        return Err(DestinationError::Wildcard(
            text.to_owned(),
            below.to_owned(),
        ));
    }
    if text.contains("..") || text.starts_with('.') {
        return Err(DestinationError::EmptyLabel(text.to_owned()));
    }
    if text.ends_with('.') {
        return Err(DestinationError::TrailingDot(text.to_owned()));
    }
    Ok(())
}

fn refuse_size(ascii: &str) -> Result<(), DestinationError> {
    if let Some(label) = ascii.split('.').find(|label| label.len() > LONGEST_LABEL) {
        return Err(DestinationError::LongLabel(label.to_owned()));
    }
    match ascii.len() > LONGEST {
        true => Err(DestinationError::TooLong(ascii.len())),
        false => Ok(()),
    }
}

fn refuse_port(port: &str) -> Result<(), DestinationError> {
    let bad = || DestinationError::Port(port.to_owned());
    if port.chars().all(|c| c.is_ascii_digit()) {
        return match port.parse::<u16>() {
            Ok(number) if number > 0 => Ok(()),
            _ => Err(bad()),
        };
    }
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match port.chars().all(letters) {
        true => Ok(()),
        false => Err(bad()),
    }
}

#[cfg(test)]
mod tests;

//! Who is told.
//!
//! Owns: which words are addresses, and how many there may be. Never: whether one takes mail.

use super::Kind;
use std::fmt;

/// No more addresses are told.
pub const MOST_ADDRESSES: usize = 10;
/// RFC 5321, 4.5.3.1: a local part, and a path without its brackets.
const LONGEST: [usize; 2] = [64, 254];

/// A mail address, or the name of a local user: a dot-atom (RFC 5322, 3.2.3) without the signs by which Postfix routes
/// (`%`, `!`: percent hack, bang path), so that none is an option, a second address, a line of a header or a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

/// Why a word is no address, or a list is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is none.
    #[error("{0:?} is no mail address (`name@example.org`, or the name of a local user)")]
    Bad(String),
    /// There are too many.
    #[error("{0} addresses are named, and {MOST_ADDRESSES} at most are told")]
    TooMany(usize),
}

impl Address {
    /// Reads one. Letters beyond ASCII need their A-labels, and no quoted local part is taken.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let bad = || AddressError::Bad(text.chars().take(LONGEST[1]).collect());
        let (local, domain) = match text.rsplit_once('@') {
            Some((local, domain)) => (local, Some(domain)),
            None => (text, None),
        };
        let is_local = local.len() <= LONGEST[0] && local.split('.').all(is_atom);
        let is_domain = domain.is_none_or(|domain| domain.split('.').all(is_label));
        // A word that begins so could be read as an option by what stands behind sendmail(1).
        let is_option = local.starts_with('-');
        match is_local && is_domain && !is_option && text.len() <= LONGEST[1] {
            true => Ok(Self(text.to_owned())),
            false => Err(bad()),
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The signs of RFC 5322, 3.2.3 that addresses in use have.
fn is_atom(text: &str) -> bool {
    let taken = |byte: u8| byte.is_ascii_alphanumeric() || b"#&'+-=_~".contains(&byte);
    !text.is_empty() && text.bytes().all(taken)
}

/// RFC 1123, 2.1.
fn is_label(text: &str) -> bool {
    let taken = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let ends = text.starts_with('-') || text.ends_with('-');
    (1..=63).contains(&text.len()) && text.bytes().all(taken) && !ends
}

/// Who is told what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipients {
    /// Of every change.
    pub all: Vec<Address>,
    /// Of what becomes critical, stays so, and is so no longer.
    pub critical: Vec<Address>,
}

impl Recipients {
    /// Reads both lists; who stands in both is told once.
    pub fn parse(all: &[String], critical: &[String]) -> Result<Self, AddressError> {
        let read = |list: &[String]| -> Result<Vec<Address>, AddressError> {
            let mut read: Vec<Address> = Vec::new();
            for text in list {
                let address = Address::parse(text)?;
                if !read.contains(&address) {
                    read.push(address);
                }
            }
            Ok(read)
        };
        let all = read(all)?;
        let mut critical = read(critical)?;
        critical.retain(|address| !all.contains(address));
        match all.len() + critical.len() {
            many if many > MOST_ADDRESSES => Err(AddressError::TooMany(many)),
            _ => Ok(Self { all, critical }),
        }
    }

    /// Whether nobody is told.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.critical.is_empty()
    }

    /// Those who get a mail of this kind.
    pub fn of(&self, kind: Kind) -> Vec<Address> {
        let mut told = self.all.clone();
        if kind != Kind::State {
            told.extend_from_slice(&self.critical);
        }
        told
    }
}

//! MTA-STS (RFC 8461): a domain's TXT record, and its policy.
//!
//! Owns: reading both as senders have to, and which names of servers a policy covers. Never: asks DNS,
//! fetches, or knows a clock.

use std::fmt;
use thiserror::Error;

/// More names of servers than this are no policy (a policy has at most 64 KiB).
const MOST_MX: usize = 1000;
/// RFC 8461 §3.2: about a year, in seconds.
const LONGEST: u64 = 31_557_600;
/// RFC 8461 §3.1.
const LONGEST_ID: usize = 32;

/// A domain's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsRecord {
    /// Tells one policy from another: letters and digits.
    pub id: String,
}

/// Why a record is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StsRecordError {
    /// RFC 8461 §3.1: senders act as if there were none.
    #[error("there is more than one record that begins with v=STSv1")]
    Many,
    /// No field `id`.
    #[error("the record has no id")]
    NoId,
    /// An `id` that is no 1 to 32 letters and digits.
    #[error("the record's id is not 1 to 32 letters and digits")]
    BadId,
}

impl StsRecord {
    /// The record among the TXT records of `_mta-sts.DOMAIN`, each with its strings joined; `None`
    /// where there is none.
    ///
    /// # Errors
    /// Where senders act as if there were none.
    pub fn of(texts: &[Vec<u8>]) -> Result<Option<Self>, StsRecordError> {
        let is_one = |text: &&Vec<u8>| {
            let version = text.split(|byte| *byte == b';').next();
            version.is_some_and(|version| version.trim_ascii_end() == b"v=STSv1")
        };
        let mut own = texts.iter().filter(is_one);
        let Some(text) = own.next() else {
            return Ok(None);
        };
        if own.next().is_some() {
            return Err(StsRecordError::Many);
        }
        let text = String::from_utf8_lossy(text);
        let mut fields = text.split(';').map(str::trim);
        let id = fields.find_map(|field| field.strip_prefix("id="));
        let id = id.ok_or(StsRecordError::NoId)?;
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match plain && (1..=LONGEST_ID).contains(&id.len()) {
            true => Ok(Some(Self { id: id.to_owned() })),
            false => Err(StsRecordError::BadId),
        }
    }
}

/// What senders do where a server does not fit (RFC 8461 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StsMode {
    /// They do not deliver to it.
    Enforce,
    /// They deliver, and may report (RFC 8460).
    Testing,
    /// They act as if there were no policy.
    None,
}

impl fmt::Display for StsMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enforce => "enforce",
            Self::Testing => "testing",
            Self::None => "none",
        })
    }
}

/// A policy (RFC 8461 §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsPolicy {
    /// What becomes of mail where a server does not fit.
    pub mode: StsMode,
    /// How long senders keep it, in seconds.
    pub max_age: u64,
    /// Names of servers: `mx.example.org`, or `*.example.org` for one label more.
    pub mx: Vec<String>,
}

/// Why a policy is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StsPolicyError {
    /// Not UTF-8.
    #[error("it is no text in UTF-8")]
    NotText,
    /// The first field is not `version: STSv1`, or it is missing.
    #[error("it does not say version: STSv1")]
    Version,
    /// A line that is no `key: value`.
    #[error("line {0} is no field (KEY: VALUE)")]
    Line(usize),
    /// `mode` is missing or unknown.
    #[error("its mode is not enforce, testing or none")]
    Mode,
    /// `max_age` is missing, no number, or too large.
    #[error("its max_age is no number of seconds from 0 to 31557600")]
    MaxAge,
    /// No `mx` where there must be one.
    #[error("it names no mx")]
    NoMx,
    /// A name that is none.
    #[error("its mx {0:?} is no name of a server")]
    BadMx(String),
    /// More names than any domain has servers.
    #[error("it names more than {MOST_MX} mx")]
    TooMany,
}

impl StsPolicy {
    /// Reads a policy file. Of a repeated field the first counts, unknown ones are passed over.
    ///
    /// # Errors
    /// Where senders have to treat it as if it could not be fetched.
    pub fn parse(body: &[u8]) -> Result<Self, StsPolicyError> {
        let text = std::str::from_utf8(body).map_err(|_| StsPolicyError::NotText)?;
        let fields = fields(text)?;
        let first = |name: &str| {
            let mut fields = fields.iter();
            fields
                .find(|(key, _)| *key == name)
                .map(|(_, value)| *value)
        };
        if first("version") != Some("STSv1") {
            return Err(StsPolicyError::Version);
        }
        let mode = match first("mode") {
            Some("enforce") => StsMode::Enforce,
            Some("testing") => StsMode::Testing,
            Some("none") => StsMode::None,
            _ => return Err(StsPolicyError::Mode),
        };
        let max_age = first("max_age").filter(|age| age.bytes().all(|one| one.is_ascii_digit()));
        let max_age = max_age.and_then(|age| age.parse().ok());
        let max_age = max_age.filter(|age| *age <= LONGEST);
        let names = fields.iter().filter(|(key, _)| *key == "mx");
        let mx: Vec<String> = names
            .map(|(_, name)| pattern(name))
            .collect::<Result<_, _>>()?;
        match mx.len() {
            0 if mode != StsMode::None => return Err(StsPolicyError::NoMx),
            0..=MOST_MX => {}
            _ => return Err(StsPolicyError::TooMany),
        }
        Ok(Self {
            mode,
            max_age: max_age.ok_or(StsPolicyError::MaxAge)?,
            mx,
        })
    }

    /// Whether a server of this name is one of the policy's (RFC 8461 §4.1).
    pub fn covers(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.mx
            .iter()
            .any(|pattern| match pattern.strip_prefix("*.") {
                Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
                None => *pattern == host,
            })
    }
}

/// Keys and values, line by line; empty lines are passed over.
fn fields(text: &str) -> Result<Vec<(&str, &str)>, StsPolicyError> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        match line.split_once(':') {
            Some((key, value)) => found.push((key.trim(), value.trim())),
            None if line.trim().is_empty() => {}
            None => return Err(StsPolicyError::Line(number + 1)),
        }
    }
    Ok(found)
}

fn pattern(name: &str) -> Result<String, StsPolicyError> {
    let bad = || StsPolicyError::BadMx(name.chars().take(80).collect());
    let (head, bare) = match name.strip_prefix("*.") {
        Some(bare) => ("*.", bare),
        None => ("", name),
    };
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    let host = crate::host_name(bare).ok_or_else(bad)?;
    Ok(format!("{head}{host}"))
}

#[cfg(test)]
mod tests;

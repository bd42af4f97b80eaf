//! Postfix's lists of TLS protocol versions.
//!
//! Owns: what `smtpd_tls_protocols` and its kin mean, in both syntaxes: ranges (`>=TLSv1.2`,
//! Postfix 3.6 and later) and inclusion or exclusion lists (`!SSLv2, !SSLv3`). Never: what the
//! OpenSSL at hand or its openssl.cnf forbids besides.
//!
//! Accepts and rejects what Postfix does (`tls_proto_mask_lims`, held against posttls-finger
//! 3.7.11 in the tests), because a list that Postfix rejects switches TLS off. Rejects besides a
//! limit that Postfix would silently ignore.

use crate::TlsVersion;
use std::fmt;

/// Whether the Postfix at hand knows `>=` and `<=` (3.6 and later).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeSyntax {
    /// Postfix 3.6 and later.
    Allowed,
    /// Postfix 3.5 and earlier: a range makes the whole list invalid, and TLS is switched off.
    Unknown,
}

/// What a protocol list allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolList {
    /// Indexed as [`TlsVersion::ALL`].
    allowed: [bool; 6],
    lone_operator: bool,
}

/// Why a protocol list is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A word that names no protocol. `TLSv1.0` is such a word: Postfix calls it `TLSv1`.
    #[error("{0:?} is not a protocol that Postfix knows (SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3)")]
    UnknownProtocol(String),
    /// A range, and the Postfix at hand does not know ranges.
    #[error(
        "{0:?}: Postfix before 3.6 knows no >= and <=; list what is excluded: !SSLv2, !SSLv3, …"
    )]
    RangeUnknown(String),
    /// A hexadecimal version that Postfix takes and OpenSSL does not: the limit is then silently
    /// none at all (3.7.11).
    #[error("{0:?} is not a version that OpenSSL knows; Postfix would set no limit at all")]
    Limit(String),
}

const BLANK: [char; 6] = [' ', '\t', '\r', '\n', ',', ':'];
const SSL3_WIRE: u64 = 0x0300;

impl ProtocolList {
    /// Reads a list as Postfix does: words separated by blanks, commas and colons, in any case.
    pub fn parse(text: &str, ranges: RangeSyntax) -> Result<Self, ProtocolError> {
        let (mut included, mut excluded) = ([false; 6], [false; 6]);
        let (mut floor, mut ceiling) = (0, 0);
        let mut lone_operator = false;
        for word in text.split(BLANK).filter(|word| !word.is_empty()) {
            let operator = [(">=", &mut floor), ("<=", &mut ceiling)]
                .into_iter()
                .find_map(|(sign, limit)| Some((word.strip_prefix(sign)?, limit)));
            if let Some((version, limit)) = operator {
                if ranges == RangeSyntax::Unknown {
                    return Err(ProtocolError::RangeUnknown(word.to_owned()));
                }
                lone_operator |= version.is_empty();
                *limit = wire_version(version, word)?;
            } else if let Some(name) = word.strip_prefix('!') {
                excluded[index(name, word)?] = true;
            } else {
                included[index(word, word)?] = true;
            }
        }
        let any_included = included.contains(&true);
        let mut allowed = [false; 6];
        for (i, slot) in allowed.iter_mut().enumerate() {
            *slot = !excluded[i] && (included[i] || !any_included) && within(i, floor, ceiling);
        }
        Ok(Self {
            allowed,
            lone_operator,
        })
    }

    /// The list that allows `floor` and everything newer.
    pub fn from_floor(floor: TlsVersion) -> Self {
        Self {
            allowed: TlsVersion::ALL.map(|version| version >= floor),
            lone_operator: false,
        }
    }

    /// Whether the list allows a version.
    pub fn allows(&self, version: TlsVersion) -> bool {
        TlsVersion::ALL
            .iter()
            .zip(self.allowed)
            .any(|(v, allowed)| *v == version && allowed)
    }

    /// The oldest version allowed; `None` where nothing is, and no handshake can succeed.
    pub fn floor(&self) -> Option<TlsVersion> {
        TlsVersion::ALL.into_iter().find(|v| self.allows(*v))
    }

    /// The newest version allowed.
    pub fn ceiling(&self) -> Option<TlsVersion> {
        TlsVersion::ALL.into_iter().rev().find(|v| self.allows(*v))
    }

    /// The versions that both allow.
    pub fn and(self, other: &Self) -> Self {
        let mut both = self;
        for (own, others) in both.allowed.iter_mut().zip(other.allowed) {
            *own &= others;
        }
        both
    }

    /// Whether it allows the same versions.
    pub fn same_as(&self, other: &Self) -> bool {
        self.allowed == other.allowed
    }

    /// What it does not allow, as every Postfix writes it: `!SSLv2`, `!SSLv3`.
    pub fn excluded(&self) -> Vec<String> {
        let versions = TlsVersion::ALL.into_iter();
        let out = versions.filter(|version| !self.allows(*version));
        out.map(|version| format!("!{version}")).collect()
    }

    /// Whether a `>=` or `<=` stood alone, as in `>= TLSv1.2`: Postfix takes that for no limit at
    /// all, and for a list that includes nothing but `TLSv1.2`.
    pub fn has_lone_operator(&self) -> bool {
        self.lone_operator
    }
}

/// How to write “this version and newer” for a Postfix of the given syntax.
pub fn render_floor(floor: TlsVersion, ranges: RangeSyntax) -> String {
    match ranges {
        // SSLv2 is no limit that Postfix accepts (`>=SSLv2` is an invalid list), and no library
        // that Postfix 3.6 can be built with speaks it.
        RangeSyntax::Allowed => format!(">={}", floor.max(TlsVersion::Ssl3)),
        RangeSyntax::Unknown => TlsVersion::ALL
            .into_iter()
            .filter(|version| *version < floor)
            .map(|version| format!("!{version}"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

impl fmt::Display for ProtocolList {
    /// The versions allowed, oldest first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for version in TlsVersion::ALL.into_iter().filter(|v| self.allows(*v)) {
            write!(f, "{separator}{version}")?;
            separator = ", ";
        }
        if separator.is_empty() {
            f.write_str("none")?;
        }
        Ok(())
    }
}

/// Not `TlsVersion::from_str`, which is more tolerant than Postfix.
fn index(name: &str, word: &str) -> Result<usize, ProtocolError> {
    TlsVersion::ALL
        .iter()
        .position(|version| version.name().eq_ignore_ascii_case(name))
        .ok_or_else(|| ProtocolError::UnknownProtocol(word.to_owned()))
}

/// The version of a limit: a name from SSLv3 on, or hexadecimal as strtoul(3) reads it, with an
/// optional sign and `0x`; nothing at all is 0, no limit.
fn wire_version(version: &str, word: &str) -> Result<u64, ProtocolError> {
    let unknown = || ProtocolError::UnknownProtocol(word.to_owned());
    if let Ok(i) = index(version, word) {
        let above_ssl3 = i.checked_sub(1).ok_or_else(unknown)?;
        return Ok(SSL3_WIRE + above_ssl3 as u64);
    }
    let digits = version.strip_prefix('+').unwrap_or(version);
    let digits = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(digits);
    let value = match digits {
        "" if version.is_empty() => 0,
        // from_str_radix takes a sign of its own, strtoul takes one only.
        _ if digits.starts_with('+') => return Err(unknown()),
        _ => u64::from_str_radix(digits, 16).map_err(|_| unknown())?,
    };
    let newest = SSL3_WIRE + TlsVersion::ALL.len() as u64 - 2;
    match value {
        0 => Ok(0),
        SSL3_WIRE.. if value <= newest => Ok(value),
        _ => Err(ProtocolError::Limit(word.to_owned())),
    }
}

/// Whether the version at this index lies within limits, 0 being none.
fn within(index: usize, floor: u64, ceiling: u64) -> bool {
    let wire = (SSL3_WIRE + index as u64).saturating_sub(1);
    (floor == 0 || wire >= floor) && (ceiling == 0 || wire <= ceiling)
}

#[cfg(test)]
mod tests;

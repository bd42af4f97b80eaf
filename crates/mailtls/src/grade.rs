//! Cipher grades, by Postfix's names.
//!
//! Owns: their names and what became of them. Never: expands one into ciphers, which only the
//! OpenSSL at hand can do.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A cipher grade (postconf(5) `smtpd_tls_ciphers`, `smtp_tls_mandatory_ciphers`, since 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it, `promises` explains it")]
pub enum Grade {
    High,
    Medium,
    Low,
    Export,
    Null,
}

impl Grade {
    /// All grades.
    pub const ALL: [Self; 5] = [
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Export,
        Self::Null,
    ];

    /// Postfix's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Export => "export",
            Self::Null => "null",
        }
    }

    /// What the grade means, in one sentence.
    pub const fn promises(self) -> &'static str {
        match self {
            Self::High => "Ciphers with keys of 128 bits and more, the strong ones only.",
            Self::Medium => "Ciphers with keys of 128 bits and more; Postfix's default.",
            Self::Low => "Weak ciphers too (56 bits); since Postfix 3.8 the same as medium.",
            Self::Export => {
                "Ciphers weakened for export too (40 bits); since Postfix 3.8 the same as medium."
            }
            Self::Null => "Authentication without encryption: the mail can be read on the wire.",
        }
    }

    /// The Postfix version (`major.minor`) since which the grade is an alias of another.
    pub const fn obsolete_since(self) -> Option<&'static str> {
        match self {
            Self::Low | Self::Export => Some("3.8"),
            Self::High | Self::Medium | Self::Null => None,
        }
    }

    /// The grade to write in place of an obsolete one.
    pub const fn replacement(self) -> Option<Self> {
        match self {
            Self::Low | Self::Export => Some(Self::Medium),
            Self::High | Self::Medium | Self::Null => None,
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Grade {
    type Err = String;

    /// Case-insensitive, as Postfix reads it.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|grade| grade.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                format!("not a cipher grade: {text:?} (high, medium, low, export, null)")
            })
    }
}

#[cfg(test)]
mod tests;

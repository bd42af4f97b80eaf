//! Postfix's version, as `postconf -h mail_version` prints it.
//!
//! Owns: parsing and ordering versions (3.10 is younger than 3.9). Never: knows what a version
//! can do; that is the catalogue's.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A Postfix version such as 3.7.11. Development snapshots (`3.12-20260821`) have patch 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PostfixVersion {
    /// 3 in 3.7.11.
    pub major: u16,
    /// 7 in 3.7.11.
    pub minor: u16,
    /// 11 in 3.7.11.
    pub patch: u16,
}

impl PostfixVersion {
    /// The version `major.minor.patch`.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// True from `major.minor` on.
    pub const fn at_least(self, major: u16, minor: u16) -> bool {
        self.major > major || (self.major == major && self.minor >= minor)
    }
}

impl fmt::Display for PostfixVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl From<PostfixVersion> for String {
    fn from(version: PostfixVersion) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for PostfixVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for PostfixVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("not a Postfix version: {text:?}");
        let release = text.trim().split('-').next().unwrap_or_default();
        let mut parts = release.split('.');
        let mut number = || {
            parts
                .next()
                .unwrap_or("0")
                .parse::<u16>()
                .map_err(|_| bad())
        };
        let version = Self {
            major: number()?,
            minor: number()?,
            patch: number()?,
        };
        if version.major == 0 || parts.next().is_some() {
            Err(bad())
        } else {
            Ok(version)
        }
    }
}

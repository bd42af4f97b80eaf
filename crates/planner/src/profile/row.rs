//! A line of a profile's table, and the software that it holds for.
//!
//! Owns: values that depend on the version of Postfix or OpenSSL. Never: holds data.

use crate::PostfixVersion;
use crate::compile::range_syntax;
use crate::openssl::Release;
use mailtls::{TlsVersion, render_floor};

/// What a profile is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Software {
    postfix: PostfixVersion,
    openssl: Release,
}

/// OpenSSL where its version cannot be told: Postfix 3.6 and later need it at least.
const OLDEST_OPENSSL: Release = Release(1, 1);

impl Software {
    /// A Postfix, and an OpenSSL as the library names itself (`OpenSSL 3.0.19 …`) or as its
    /// version alone (`3.5`).
    pub fn new(postfix: PostfixVersion, openssl: &str) -> Self {
        Self {
            postfix,
            openssl: Release::of(openssl).unwrap_or(OLDEST_OPENSSL),
        }
    }
}

/// A value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    /// A list of protocols: this one and newer.
    Floor(TlsVersion),
    /// As it stands.
    Text(&'static str),
}

/// A line of a table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    value: Value,
    pub(super) why: &'static str,
    postfix_from: Release,
    openssl_from: Release,
    openssl_before: Release,
}

/// A row for all versions.
pub(super) const fn row(name: &'static str, value: Value, why: &'static str) -> Row {
    Row {
        name,
        value,
        why,
        postfix_from: Release(0, 0),
        openssl_from: Release(0, 0),
        openssl_before: Release(u16::MAX, 0),
    }
}

impl Row {
    /// Only from this Postfix on.
    pub(super) const fn postfix(mut self, major: u16, minor: u16) -> Self {
        self.postfix_from = Release(major, minor);
        self
    }

    /// Only from this OpenSSL on.
    pub(super) const fn openssl(mut self, major: u16, minor: u16) -> Self {
        self.openssl_from = Release(major, minor);
        self
    }

    /// Only before this OpenSSL.
    pub(super) const fn before_openssl(mut self, major: u16, minor: u16) -> Self {
        self.openssl_before = Release(major, minor);
        self
    }

    pub(super) fn holds_for(&self, software: Software) -> bool {
        let Release(major, minor) = self.postfix_from;
        software.postfix.at_least(major, minor)
            && software.openssl >= self.openssl_from
            && software.openssl < self.openssl_before
    }

    pub(super) fn text(&self, software: Software) -> String {
        match self.value {
            Value::Floor(floor) => render_floor(floor, range_syntax(software.postfix)),
            Value::Text(text) => text.to_owned(),
        }
    }
}

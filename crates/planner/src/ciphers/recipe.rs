//! The cipher list that Postfix gives OpenSSL.
//!
//! Owns: what grade, definition of the grade and exclusions come to (`tls_set_ciphers`,
//! `tls_misc.c`), for whoever knows where they stand. Never: expands it.

use crate::PostfixVersion;
use mailtls::{Grade, Level};
use serde::Serialize;

/// Whether a session without TLS is the alternative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Demand {
    /// It is.
    #[serde(rename = "optional")]
    Opportunistic,
    /// It is not.
    #[serde(rename = "demanded")]
    Mandatory,
}

impl Demand {
    /// The parameter that says which versions a program may use.
    pub(crate) fn protocols(self, prefix: &str) -> String {
        match self {
            Self::Opportunistic => format!("{prefix}_tls_protocols"),
            Self::Mandatory => format!("{prefix}_tls_mandatory_protocols"),
        }
    }
}

/// A list, and what it is made of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Recipe {
    pub(crate) grade: Grade,
    /// What `openssl ciphers` would be given.
    pub(crate) list: String,
    /// The parameters that it comes from.
    pub(crate) names: Vec<String>,
}

/// The list of a program whose parameters begin with `prefix` (`smtpd`, `smtp` …), and which leaves
/// out `also` of its own accord. `text` gives values, expanded.
///
/// # Errors
/// Why Postfix sets none, so that no handshake succeeds; or what is not known.
pub(crate) fn recipe(
    prefix: &str,
    demand: Demand,
    also: Option<&str>,
    version: PostfixVersion,
    text: &dyn Fn(&str) -> Option<String>,
) -> Result<Recipe, String> {
    let stem = |name: &str| format!("{prefix}_tls_{name}");
    let (grade, mandatory) = match demand {
        Demand::Opportunistic => (stem("ciphers"), None),
        Demand::Mandatory => (
            stem("mandatory_ciphers"),
            Some(stem("mandatory_exclude_ciphers")),
        ),
    };
    let value = |name: &str| text(name).ok_or_else(|| format!("{name} is not known"));
    let said = value(&grade)?;
    let graded: Grade = said
        .parse()
        .map_err(|_| format!("{grade} = {said}: that is no grade of ciphers"))?;
    let base = definition(version, graded);
    let mut list = value(base)?;
    let mut names = vec![grade, base.to_owned()];
    for name in std::iter::once(stem("exclude_ciphers")).chain(mandatory) {
        let excluded = value(&name)?;
        let excluded = exclusions(&excluded)
            .map_err(|bad| format!("{name}: Postfix refuses the exclusion {bad}"))?;
        list = without(&list, excluded);
        names.push(name);
    }
    let list = without(&list, also);
    Ok(Recipe {
        grade: graded,
        list,
        names,
    })
}

/// The parameter that defines a grade.
pub(crate) fn definition(version: PostfixVersion, grade: Grade) -> &'static str {
    let old = !version.at_least(3, 8);
    match grade {
        Grade::High => "tls_high_cipherlist",
        Grade::Low if old => "tls_low_cipherlist",
        Grade::Export if old => "tls_export_cipherlist",
        Grade::Null => "tls_null_cipherlist",
        _ => "tls_medium_cipherlist",
    }
}

/// The names that a parameter excludes.
///
/// # Errors
/// The first that Postfix refuses for its sign, so that it sets no list.
pub(crate) fn exclusions(names: &str) -> Result<Vec<&str>, &str> {
    let names = names.split([',', ':', ' ', '\t', '\r', '\n']);
    let names = names.filter(|name| !name.is_empty());
    let is_bad = |name: &&str| name.starts_with(['!', '+', '-', '@']);
    match names.clone().find(is_bad) {
        Some(bad) => Err(bad),
        None => Ok(names.collect()),
    }
}

/// What a client excludes of its own accord at a level.
pub(crate) const fn excluded_at(level: Level) -> Option<&'static str> {
    match level {
        Level::None | Level::May => None,
        Level::Encrypt => Some("eNULL"),
        _ => Some("aNULL"),
    }
}

/// A list with `:!NAME` for each.
pub(crate) fn without<'n>(list: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let names = names.into_iter();
    names.fold(list.to_owned(), |list, name| format!("{list}:!{name}"))
}

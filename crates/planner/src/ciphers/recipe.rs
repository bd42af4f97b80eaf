//! The cipher list that Postfix gives OpenSSL.
//!
//! Owns: what grade, definition of the grade and exclusions come to (`tls_set_ciphers`,
//! `tls_misc.c`). Never: expands it.

use crate::PostfixVersion;
use mailtls::Grade;

/// Whether a session without TLS is the alternative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// It is.
    Opportunistic,
    /// It is not.
    Mandatory,
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
        exclude(&mut list, &name, &value(&name)?)?;
        names.push(name);
    }
    exclude(&mut list, prefix, also.unwrap_or_default())?;
    Ok(Recipe {
        grade: graded,
        list,
        names,
    })
}

/// The parameter that defines a grade.
fn definition(version: PostfixVersion, grade: Grade) -> &'static str {
    let old = !version.at_least(3, 8);
    match grade {
        Grade::High => "tls_high_cipherlist",
        Grade::Low if old => "tls_low_cipherlist",
        Grade::Export if old => "tls_export_cipherlist",
        Grade::Null => "tls_null_cipherlist",
        _ => "tls_medium_cipherlist",
    }
}

/// `:!NAME` for each; Postfix refuses a name for its sign.
fn exclude(list: &mut String, from: &str, names: &str) -> Result<(), String> {
    let words = names.split([',', ':', ' ', '\t', '\r', '\n']);
    for name in words.filter(|name| !name.is_empty()) {
        if name.starts_with(['!', '+', '-', '@']) {
            return Err(format!("{from}: Postfix refuses the exclusion {name}"));
        }
        list.push_str(":!");
        list.push_str(name);
    }
    Ok(())
}

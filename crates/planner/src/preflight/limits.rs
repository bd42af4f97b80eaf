//! What smtp(8) holds a handshake to at a policy: versions and ciphers.
//!
//! Owns: which grade and exclusions hold at a policy (`set_cipher_grade` of Postfix 3.7). Never: makes a
//! list of them (`ciphers::recipe` does), or expands one; only the OpenSSL at hand can, and a handshake
//! that is held to it tells.

use super::Lack;
use super::client::Client;
use crate::ciphers::{excluded_at, exclusions, without};
use crate::report::Limits;
use mailtls::policy::{Name, Policy};
use mailtls::{Grade, Level, ProtocolList, RangeSyntax, TlsVersion};

/// The cipher settings of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphers {
    /// `smtp_tls_ciphers`.
    pub may: String,
    /// `smtp_tls_mandatory_ciphers`.
    pub mandatory: String,
    /// `smtp_tls_exclude_ciphers`.
    pub exclude: String,
    /// `smtp_tls_mandatory_exclude_ciphers`.
    pub mandatory_exclude: String,
    /// `tls_high_cipherlist` and so on, in the order of [`Grade::ALL`].
    pub lists: [String; 5],
}

/// The list of `medium` as Postfix has it by default.
pub(super) const MEDIUM: &str = "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH";

/// `None` where a handshake with everything that OpenSSL has shows the same: Postfix's own
/// defaults, with whatever oldest version.
///
/// # Errors
/// Why no handshake can succeed, whoever the server is.
pub(super) fn limits(policy: &Policy, client: &Client) -> Result<Option<Limits>, Lack> {
    let versions = versions(policy, client)?;
    let (list, excluded) = ciphers(policy, client)?;
    let usual = ["aNULL", "eNULL"];
    let is_usual = list == MEDIUM && excluded.iter().all(|one| usual.contains(one));
    let is_open = TlsVersion::ALL.ends_with(&versions);
    if is_usual && is_open {
        return Ok(None);
    }
    Ok(Some(Limits {
        ciphers: without(list, excluded),
        security_level: u32::from(policy.level > Level::Encrypt),
        versions,
    }))
}

/// The same with the usual ciphers, where a policy limits both: what fails by one of them is told apart.
pub(super) fn versions_alone(policy: &Policy, client: &Client) -> Option<Limits> {
    let both = limits(policy, client).ok()??;
    let excluded = match policy.level {
        Level::None | Level::May => "",
        Level::Encrypt => ":!eNULL",
        _ => ":!aNULL",
    };
    let usual = format!("{MEDIUM}{excluded}");
    let is_open = TlsVersion::ALL.ends_with(&both.versions);
    (both.ciphers != usual && !is_open).then_some(Limits {
        ciphers: usual,
        ..both
    })
}

fn versions(policy: &Policy, client: &Client) -> Result<Vec<TlsVersion>, Lack> {
    let none = |why: &'static str| Lack::new("policy.protocol", why);
    let list = protocols(policy, client)
        .ok_or_else(|| none("the list of protocols cannot be read, so no handshake succeeds"))?;
    let allowed = |version: &TlsVersion| list.allows(*version);
    let versions: Vec<TlsVersion> = TlsVersion::ALL.into_iter().filter(allowed).collect();
    // Only SSL, which OpenSSL speaks no more, is as good as nothing.
    match versions
        .iter()
        .any(|version| *version >= TlsVersion::Tls1_0)
    {
        true => Ok(versions),
        false => Err(none(
            "no version of TLS may be used, so no handshake succeeds",
        )),
    }
}

/// Why a policy leaves the client no version of TLS; `None` where it leaves one.
pub(crate) fn without_version(policy: &Policy, client: &Client) -> Option<String> {
    versions(policy, client)
        .err()
        .map(|lack| lack.why.into_owned())
}

/// The list of the grade, and what is excluded from it.
fn ciphers<'a>(policy: &'a Policy, client: &'a Client) -> Result<(&'a str, Vec<&'a str>), Lack> {
    let own = &client.ciphers;
    let none = |why: String| Lack::new("policy.no-cipher", why);
    let grade = policy.values(Name::Ciphers).next();
    let grade = match (grade, policy.level) {
        (Some(grade), _) => grade,
        (None, Level::May) => &own.may,
        (None, _) => &own.mandatory,
    };
    let is_one = |(one, _): &(&Grade, &String)| one.name().eq_ignore_ascii_case(grade);
    let Some((_, list)) = Grade::ALL.iter().zip(&own.lists).find(is_one) else {
        let why = format!("{grade:?} is no grade of ciphers, so no handshake succeeds");
        return Err(none(why));
    };
    let refused = |word| {
        none(format!(
            "Postfix refuses the exclusion {word:?}, so no handshake succeeds"
        ))
    };
    Ok((list, excluded(policy, own).map_err(refused)?))
}

/// The cipher list that smtp(8) sets for a policy, where it is not the one of Postfix's defaults.
///
/// # Errors
/// Why it sets none, so that no handshake succeeds.
pub(crate) fn cipher_list(policy: &Policy, client: &Client) -> Result<Option<String>, String> {
    match limits(policy, client) {
        Ok(limits) => Ok(limits.map(|limits| limits.ciphers)),
        Err(lack) => Err(lack.why.into_owned()),
    }
}

/// What the policy excludes stands in place of both parameters.
fn excluded<'a>(policy: &'a Policy, own: &'a Ciphers) -> Result<Vec<&'a str>, &'a str> {
    let (general, mandatory) = match policy.values(Name::Exclude).next() {
        Some(said) => (said, ""),
        None if policy.level <= Level::May => (own.exclude.as_str(), ""),
        None => (own.exclude.as_str(), own.mandatory_exclude.as_str()),
    };
    let mut excluded = exclusions(general)?;
    excluded.extend(exclusions(mandatory)?);
    excluded.extend(excluded_at(policy.level));
    Ok(excluded)
}

/// The versions that a policy allows; `None` where its list cannot be read.
pub(super) fn protocols(policy: &Policy, client: &Client) -> Option<ProtocolList> {
    let said = policy.values(Name::Protocols).next();
    match (said, policy.level) {
        (Some(text), _) => ProtocolList::parse(text, RangeSyntax::Allowed).ok(),
        (None, Level::May) => client.protocols.may,
        (None, _) => client.protocols.mandatory,
    }
}

/// The versions that OpenSSL offers: of a list with a gap those below the gap only.
pub(super) fn offered(policy: &Policy, client: &Client) -> Vec<TlsVersion> {
    let list = protocols(policy, client);
    let allows = |version: &TlsVersion| list.is_some_and(|list| list.allows(*version));
    let all = TlsVersion::ALL.into_iter();
    all.skip_while(|version| !allows(version))
        .take_while(allows)
        .collect()
}

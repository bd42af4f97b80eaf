//! Values that are lists, paths or tables.
//!
//! Owns: protocols, ciphers, files, `type:name`. Never: single words (`words`).

use super::{Answer, Checked, GOOD, Reason, words as word};
use crate::PostfixVersion;
use crate::compile::range_syntax;
use mailtls::{ProtocolList, RangeSyntax};

const COMMA_SPACE: [char; 3] = [',', ' ', '\t'];

fn split(value: &str) -> impl Iterator<Item = &str> {
    value.split(COMMA_SPACE).filter(|word| !word.is_empty())
}

fn all<'a>(words: impl Iterator<Item = &'a str>, check: impl Fn(&str) -> Answer) -> Answer {
    let mut answer = Checked::Good;
    for each in words {
        if check(each)? == Checked::Undecided {
            answer = Checked::Undecided;
        }
    }
    Ok(answer)
}

/// Protocols, in the syntax of `version`.
pub(super) fn protocols(value: &str, version: PostfixVersion) -> Answer {
    let ranges = range_syntax(version);
    let refuse = |message: String| {
        let example = match ranges {
            RangeSyntax::Allowed => "Write >=TLSv1.2 (no blank after the sign).",
            RangeSyntax::Unknown => "Write !SSLv2, !SSLv3, !TLSv1, !TLSv1.1.",
        };
        Err(Reason::new("value.protocols", message, example))
    };
    match ProtocolList::parse(value, ranges) {
        Err(error) => refuse(error.to_string()),
        Ok(list) if list.has_lone_operator() => refuse(format!(
            "{value:?} has a blank after >= or <=, so Postfix allows only {list}"
        )),
        Ok(list) if list.floor().is_none() => refuse(format!("{value:?} allows no version at all")),
        Ok(_) => GOOD,
    }
}

/// An OpenSSL cipher list, as far as its letters go; what it selects only the library knows.
pub(super) fn ciphers(value: &str) -> Answer {
    let strange = |c: char| !(c.is_ascii_alphanumeric() || "+-!@:=_., \t".contains(c));
    match value.chars().find(|c| strange(*c)) {
        None => GOOD,
        Some(c) => Err(Reason::new(
            "value.ciphers",
            format!("{c:?} cannot stand in a cipher list"),
            "Write OpenSSL cipher names with colons between them.",
        )),
    }
}

/// What is to be left out: names without signs.
pub(super) fn exclusions(value: &str) -> Answer {
    ciphers(value)?;
    match split(value).find(|name| name.starts_with(['!', '+', '-', '@'])) {
        None => GOOD,
        Some(name) => Err(Reason::new(
            "value.exclusion",
            format!(
                "{name:?} has a sign; Postfix puts the ! itself and refuses others, and the handshake fails"
            ),
            "Write the names without a sign.",
        )),
    }
}

/// Digests, strongest first.
pub(super) fn digests(value: &str) -> Answer {
    all(split(value), word::digest)
}

/// An absolute path.
pub(super) fn path(value: &str) -> Answer {
    if value.starts_with('/') {
        return GOOD;
    }
    Err(Reason::new(
        "value.path",
        format!("{value:?} is not an absolute path; Postfix looks below its queue directory"),
        "Write the path from / on, or nothing after the = where no file is wanted.",
    ))
}

/// Absolute paths.
pub(super) fn paths(value: &str) -> Answer {
    all(split(value), path)
}

/// Lookup tables that Postfix can be built with.
const TABLE_TYPES: &[&str] = &[
    "btree",
    "cdb",
    "cidr",
    "dbm",
    "debug",
    "environ",
    "fail",
    "hash",
    "inline",
    "internal",
    "ldap",
    "lmdb",
    "memcache",
    "mongodb",
    "mysql",
    "netinfo",
    "nis",
    "nisplus",
    "pcre",
    "pgsql",
    "pipemap",
    "proxy",
    "randmap",
    "regexp",
    "sdbm",
    "socketmap",
    "sqlite",
    "static",
    "tcp",
    "texthash",
    "unionmap",
    "unix",
    "utf8",
];

/// Lookup tables.
pub(super) fn maps(value: &str) -> Answer {
    all(postfix_cf::elements(value), table)
}

fn table(element: &str) -> Answer {
    // A table in braces carries options of its own (`{inline {…}}`); its type is its first word.
    let inner = element.trim_start_matches('{').trim_start();
    // postmap(1) takes a bare name for default_database_type; daemons do not (3.7.11).
    let Some((kind, rest)) = inner.split_once(':') else {
        return Err(Reason::new(
            "value.table-form",
            format!("{inner:?} is not of the form type:name; a process that reads it dies"),
            format!("Write the type too: hash:{inner}, or lmdb: where hash is not built in."),
        ));
    };
    let known = TABLE_TYPES.contains(&kind) || kind.starts_with("check_");
    match kind {
        "proxy" | "debug" if known => table(rest),
        "socketmap" if !names_a_socket(rest) => Err(Reason::new(
            "value.table-form",
            format!("{inner:?} does not name an endpoint and a map; a process that reads it dies"),
            "Write socketmap:inet:HOST:PORT:MAP or socketmap:unix:PATH:MAP.",
        )),
        _ if known => GOOD,
        _ => Err(Reason::new(
            "value.table-type",
            format!("{kind:?} is not a type of lookup table"),
            "Write one of the types that `postconf -m` lists, such as hash or lmdb.",
        )),
    }
}

/// `inet:host:port:map` or `unix:path:map`, as socketmap_table(5) wants it.
fn names_a_socket(rest: &str) -> bool {
    let parts: Vec<&str> = rest.split(':').collect();
    match parts.as_slice() {
        ["inet", _, port, .., map] => !port.is_empty() && !map.is_empty(),
        ["unix", path, .., map] => !path.is_empty() && !map.is_empty(),
        _ => false,
    }
}

/// A table that can be written to.
pub(super) fn cache(value: &str) -> Answer {
    let table = value.strip_prefix("proxy:").unwrap_or(value);
    let kind = table.split_once(':').map(|(kind, _)| kind);
    match kind {
        Some("btree" | "lmdb" | "hash" | "sdbm" | "dbm") => GOOD,
        _ => Err(Reason::new(
            "value.cache-type",
            format!("{value:?} is not a table that tlsmgr(8) can keep sessions in"),
            "Write btree:${data_directory}/NAME, or lmdb: where btree is not built in.",
        )),
    }
}

/// Where random bytes come from.
pub(super) fn random_source(value: &str) -> Answer {
    let name = ["dev:", "egd:"]
        .iter()
        .find_map(|prefix| value.strip_prefix(prefix));
    if name.unwrap_or(value).starts_with('/') {
        return GOOD;
    }
    Err(Reason::new(
        "value.random-source",
        format!("{value:?} is no source of random bytes; without one every smtpd hangs"),
        "Write dev:/dev/urandom.",
    ))
}

/// Known words, and hexadecimal masks as strtoul(3) reads them.
pub(super) fn ssl_options(value: &str, known: &[&str]) -> Answer {
    let is_mask = |word: &str| {
        let digits = word.strip_prefix("0x").or(word.strip_prefix("0X"));
        let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.is_some_and(|digits| is_hex(digits) && u64::from_str_radix(digits, 16).is_ok())
    };
    let named = split(value).filter(|word| !is_mask(word));
    all(named, |each| word::one_of(each, known))
}

/// Known words only.
pub(super) fn words(value: &str, known: &[&str]) -> Answer {
    all(split(value), |each| word::one_of(each, known))
}

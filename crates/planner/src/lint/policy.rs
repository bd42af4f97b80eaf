//! Rows of the client's policy tables: those that Postfix refuses, misreads or never finds.
//!
//! Owns: what the source of a table says, row by row. Never: whether a next hop is one that mail
//! takes (`explain` tells that), or what stands in a compiled table.

use super::context::{Context, Setting};
use super::rule::{Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Fatal, Info, Warning};
use crate::explain::{is_domain, is_next_hop};
use crate::facts::FileLook;
use mailtls::policy::{Dialect, Name, Policy};
use mailtls::{Level, ProtocolList, RangeSyntax, TlsVersion};
use postfix_cf::table::{Content, Row, rows};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    REFUSED, JOINED, DUPLICATE, NEVER, NO_VALUE, ONE_FORM, OLD_PROTOCOLS,
];

#[rustfmt::skip]
const REFUSED: Rule = rule("policy.row-refused", Fatal, "row that Postfix refuses",
    "Postfix refuses the row, and mail for that next hop is deferred (4.7.5, client TLS configuration problem).",
    "Mend the row, and run postmap on its table.");
#[rustfmt::skip]
const JOINED: Rule = rule("policy.joined-row", Error, "row that begins with a blank",
    "A line that begins with a blank goes on the row before: it is no row of its own, and the one before is spoilt.",
    "Begin the row in the first column, and run postmap on its table.");
#[rustfmt::skip]
const DUPLICATE: Rule = rule("policy.duplicate-key", Warning, "key that stands twice",
    "Only the first row of a key counts; postmap warns of the others, and says so to a terminal only.",
    "Take one of the rows out.");
#[rustfmt::skip]
const NEVER: Rule = rule("policy.key-never-matches", Error, "key that is no next hop",
    "Postfix looks up next hops: a domain, its parents as .domain, [host], [host]:port or host:port. No other key is ever found.",
    "Write .example.org for the subdomains of example.org, and example.org for itself.");
#[rustfmt::skip]
const NO_VALUE: Rule = rule("policy.no-policy", Warning, "key without a policy",
    "postmap leaves a row without a value out, and says so to a terminal only: the destination has no policy.",
    "Give it a level, or take it out.");
#[rustfmt::skip]
const ONE_FORM: Rule = rule("policy.one-form-of-name", Info, "internationalized name in one form only",
    "Postfix does not convert names: mail whose address has the A-label (xn--) does not find a U-label key, nor the reverse.",
    "Write both forms as keys.");

#[rustfmt::skip]
const OLD_PROTOCOLS: Rule = rule("policy.old-protocols", Error, "row for protocols that servers refuse",
    "Only TLS 1.1 and older are left by it (names without ! allow no others); servers of today refuse those, and mail for that next hop is deferred.",
    "Take protocols= out of the row, or write protocols=>=TLSv1.2, and run postmap on its table.");
/// Parameters whose tables hold policies.
const PARAMETERS: [&str; 2] = ["smtp_tls_policy_maps", "lmtp_tls_policy_maps"];
/// Types that are made from a source by postmap(1), or are one.
const TYPES: [&str; 7] = ["hash", "btree", "lmdb", "cdb", "dbm", "sdbm", "texthash"];

/// Looks at every row of every source.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    let mut seen = HashSet::new();
    let settings = context.all_settings();
    for setting in settings.filter(|setting| PARAMETERS.contains(&setting.name.as_str())) {
        for path in sources(context, setting) {
            if let Some(FileLook::File { bytes, .. }) = context.look(&path)
                && seen.insert(path.clone())
            {
                source(context, Path::new(&path), bytes, out);
            }
        }
    }
}

fn sources(context: &Context<'_>, setting: &Setting<'_>) -> Vec<String> {
    let Some(value) = context.expanded(setting) else {
        return Vec::new();
    };
    let path = |element: &str| {
        let bare = element.strip_prefix("proxy:").unwrap_or(element);
        let (kind, path) = bare.split_once(':')?;
        TYPES.contains(&kind).then(|| path.to_owned())
    };
    postfix_cf::elements(&value).filter_map(path).collect()
}

fn source(context: &Context<'_>, path: &Path, bytes: &[u8], out: &mut Vec<Finding>) {
    let dialect = Dialect {
        major: context.version.major,
        minor: context.version.minor,
    };
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut wide: Vec<(String, usize)> = Vec::new();
    for row in rows(bytes) {
        let text = shown(&row);
        out.extend(joined(&row).map(|line| JOINED.found().at(path, line, text.clone())));
        let at = |finding: Finding| finding.at(path, row.line, text.clone());
        let (key, value) = match &row.content {
            Content::Pair { key, value } => (key, value),
            Content::NoValue(_) | Content::Unbalanced | Content::Indented => {
                out.push(at(NO_VALUE.found()));
                continue;
            }
            Content::Nothing => continue,
        };
        let [key, value] = [key, value].map(|text| String::from_utf8_lossy(text).into_owned());
        if first.contains_key(&key.to_lowercase()) {
            out.push(at(
                DUPLICATE.says(format!("{key} stands twice. {}", DUPLICATE.why))
            ));
            continue;
        }
        if !is_key(&key) {
            out.push(at(
                NEVER.says(format!("{key:?} is never found. {}", NEVER.why))
            ));
        }
        match Policy::parse(&value, dialect) {
            Ok(policy) => out.extend(pinned(&key, &policy).map(at)),
            Err(error) => out.push(at(REFUSED.says(format!("{key}: {error}. {}", REFUSED.why)))),
        }
        if !key.is_ascii() {
            wide.push((key.clone(), row.line));
        }
        first.insert(key.to_lowercase(), row.line);
    }
    for (key, line) in wide {
        if !ascii(&key).is_some_and(|ascii| first.contains_key(&ascii)) {
            let message = format!("{key} has no row for its A-label. {}", ONE_FORM.why);
            out.push(ONE_FORM.says(message).at(path, line, key));
        }
    }
}

/// A row that pins what servers refuse.
fn pinned(key: &str, policy: &Policy) -> Option<Finding> {
    let too_old = |value: &&str| {
        let list = ProtocolList::parse(value, RangeSyntax::Allowed);
        list.is_ok_and(|list| list.ceiling().is_none_or(|top| top <= TlsVersion::Tls1_1))
    };
    let value = policy.values(Name::Protocols).find(too_old)?;
    let message = format!("{key}: protocols={value}. {}", OLD_PROTOCOLS.why);
    Some(OLD_PROTOCOLS.says(message))
}

/// The lines that were joined to a row and read like one: a key, then a level.
fn joined<'a>(row: &'a Row<'a>) -> impl Iterator<Item = usize> {
    let lines = row.joined.iter().copied();
    lines.filter(move |line| {
        let text = String::from_utf8_lossy(row.text);
        let text = text.lines().nth(line - row.line).unwrap_or_default();
        let mut words = text.split_ascii_whitespace();
        let (key, level) = (words.next(), words.next());
        key.is_some_and(is_key) && level.is_some_and(|word| word.parse::<Level>().is_ok())
    })
}

/// Whether smtp(8) ever looks a key up.
fn is_key(key: &str) -> bool {
    let domain = key.strip_prefix('.').unwrap_or(key);
    is_domain(domain)
        || is_next_hop(key)
        || key.parse::<std::net::IpAddr>().is_ok()
        || key.starts_with('/')
}

/// The A-label of a key, with its leading dot.
fn ascii(key: &str) -> Option<String> {
    let (dot, name) = match key.strip_prefix('.') {
        Some(name) => (".", name),
        None => ("", key),
    };
    mailtls::host_name(name).map(|name| format!("{dot}{name}"))
}

fn shown(row: &Row<'_>) -> String {
    let text = String::from_utf8_lossy(row.text);
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let text: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).collect();
    text.join("\n")
}

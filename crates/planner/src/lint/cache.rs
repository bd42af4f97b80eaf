//! TLS session caches and the random source: what tlsmgr(8) opens.
//!
//! Owns: cache databases against each other and the build. Never: timeouts (`values`).

use super::context::{Context, Setting};
use super::fix;
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Fatal, Info, Warning};
use crate::catalog::Kind;
use crate::catalog::seconds;
use crate::facts::FileLook;
use std::path::Path;

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    NOT_BUILT, NO_FOLDER, SERVER, SHARED, NOT_APPROVED, NO_RANDOM, NOT_RANDOM, NO_EXCHANGE, SEED_TOO_LONG, TOO_LONG,
];

#[rustfmt::skip]
const NOT_BUILT: Rule = rule("cache.type-not-built", Warning, "cache type that this Postfix lacks",
    "tlsmgr(8) cannot open the database and warns; sessions are not resumed.",
    "Use btree: or lmdb:, as postconf -m lists them.");
#[rustfmt::skip]
const NO_FOLDER: Rule = rule("cache.folder-missing", Warning, "session cache in a folder that is not there",
    "tlsmgr(8) cannot open the database (is unavailable) and warns at each start; sessions are not resumed.",
    "Write btree:${data_directory}/NAME, or make the folder.");
#[rustfmt::skip]
const SERVER: Rule = rule("cache.server", Info, "session cache of the server",
    "Session tickets need no database; the cache only serves clients without tickets, which are gone.",
    "Delete smtpd_tls_session_cache_database.");
#[rustfmt::skip]
const SHARED: Rule = rule("cache.shared", Error, "one database for two session caches",
    "Each cache needs a database of its own; two that share one spoil each other's sessions.",
    "Give each a file of its own, such as smtp_scache and smtpd_scache.");
#[rustfmt::skip]
const NOT_APPROVED: Rule = rule("cache.proxy-not-approved", Fatal, "session cache that proxymap(8) may not write",
    "proxymap(8) opens for writing only what proxy_write_maps names: tlsmgr(8) exits in a loop, and every smtpd with TLS hangs.",
    "Write the table without proxy: (only tlsmgr(8) uses it), or name it in proxy_write_maps.");
#[rustfmt::skip]
const NO_RANDOM: Rule = rule("cache.random-source-missing", Fatal, "random source that is not there",
    "tlsmgr(8) exits in a loop, and every smtpd with TLS hangs.",
    "Delete tls_random_source; the default is dev:/dev/urandom.");

#[rustfmt::skip]
const NOT_RANDOM: Rule = rule("cache.random-source-not-random", Warning, "random source that is none",
    "tlsmgr(8) takes its bytes without a word, and they add nothing to the seed of the TLS programs.",
    "Delete tls_random_source; the default is dev:/dev/urandom.");

#[rustfmt::skip]
const NO_EXCHANGE: Rule = rule("cache.exchange-folder-missing", Fatal, "exchange file of random bytes in a folder that is not there",
    "tlsmgr(8) cannot make the file (cannot open PRNG exchange file) and exits in a loop; every smtpd with TLS hangs.",
    "Delete tls_random_exchange_name; the default is ${data_directory}/prng_exch.");

#[rustfmt::skip]
const SEED_TOO_LONG: Rule = rule("cache.seed-too-long", Error, "more random bytes than tlsmgr(8) gives",
    "tlsmgr(8) refuses more than 255 bytes at once (bogus seed length), and the programs that ask switch TLS off.",
    "Delete tls_daemon_random_bytes; the default is 32.");

#[rustfmt::skip]
const TOO_LONG: Rule = rule("cache.too-long", Warning, "sessions that are kept for more than a day",
    "Whoever gets the key of a ticket can read all sessions that were resumed by it; the key is kept as long as this says.",
    "Delete the line; the default is 3600s.");

/// A day, in seconds.
const DAY: u64 = 86_400;

/// Devices that give the same byte for ever.
const CONSTANT: &[&str] = &["/dev/zero", "/dev/full"];

/// The most that tlsmgr(8) gives at once (`UCHAR_MAX`).
const SEED: u64 = 255;

/// Looks at what tlsmgr(8) opens.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    let caches: Vec<&Setting<'_>> = context
        .settings
        .iter()
        .filter(|s| s.parameter.is_some_and(|p| p.kind == Kind::CacheDatabase))
        .filter(|s| !s.value.is_empty())
        .collect();
    for (i, cache) in caches.iter().enumerate() {
        if cache.name.starts_with("smtpd_") {
            let found = SERVER.found().on(Some(cache));
            out.push(found.mended_by(fix::absent(context, cache)));
        }
        if let Some(other) = caches.iter().skip(i + 1).find(|o| o.value == cache.value) {
            out.push(SHARED.found().on(Some(cache)).on(Some(other)));
        }
        out.extend(not_approved(context, cache));
        out.extend(no_folder(context, cache));
        let table = unproxied(&cache.value).split_once(':');
        if let (Some(facts), Some((kind, _))) = (context.facts, table)
            && !facts.map_types.is_empty()
            && !facts.map_types.iter().any(|built| built == kind)
        {
            let message = format!(
                "{}: this Postfix has no {kind}:. {}",
                cache.name, NOT_BUILT.why
            );
            out.push(NOT_BUILT.says(message).on(Some(cache)));
        }
    }
    random(context, out);
    exchange(context, out);
    seed(context, out);
    let timeouts = context.settings.iter();
    let timeouts = timeouts.filter(|s| s.name.ends_with("_tls_session_cache_timeout"));
    for setting in timeouts {
        let value = context.expanded(setting).unwrap_or_default();
        if seconds(&value).is_some_and(|seconds| seconds > DAY) {
            let message = format!("{} is {value}. {}", setting.name, TOO_LONG.why);
            let found = TOO_LONG.says(message).on(Some(setting));
            out.push(found.mended_by(fix::absent(context, setting)));
        }
    }
}

fn random(context: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(setting) = context.set(None, "tls_random_source") else {
        return;
    };
    let value = context.expanded(setting).unwrap_or_default();
    let path = ["dev:", "egd:"].iter().find_map(|p| value.strip_prefix(p));
    let path = path.unwrap_or(&value);
    let rule = match context.look(path) {
        Some(FileLook::Missing) => &NO_RANDOM,
        // Without "dev:" a file of random bytes is meant.
        Some(FileLook::File { .. }) if value.starts_with("dev:") => &NOT_RANDOM,
        _ if CONSTANT.contains(&path) => &NOT_RANDOM,
        _ => return,
    };
    let found = rule.found().on(Some(setting));
    out.push(found.mended_by(fix::absent(context, setting)));
}

/// By default `proxy_write_maps` names no cache of TLS sessions.
fn not_approved(context: &Context<'_>, cache: &Setting<'_>) -> Option<Finding> {
    let value = context.expanded(cache);
    let value = value.as_ref().unwrap_or(&cache.value);
    let table = value.strip_prefix("proxy:")?;
    if let Some(maps) = context.set(None, "proxy_write_maps") {
        let approved = context.expanded(maps)?;
        let mut approved = approved.split([',', ' ', '\t']);
        if approved.any(|one| one.strip_prefix("proxy:") == Some(table)) {
            return None;
        }
    }
    let message = format!("{} is {value}. {}", cache.name, NOT_APPROVED.why);
    let found = NOT_APPROVED.says(message).on(Some(cache));
    // A cache of the server is of no use either way.
    let fix = match (
        cache.name.starts_with("smtpd_"),
        cache.value.strip_prefix("proxy:"),
    ) {
        (false, Some(direct)) => fix::written(context, cache, direct),
        _ => fix::absent(context, cache),
    };
    Some(found.mended_by(fix))
}

/// A folder that belongs to somebody else does no harm: Postfix takes `data_directory` in its place, and
/// that it makes at its start.
fn no_folder(context: &Context<'_>, cache: &Setting<'_>) -> Option<Finding> {
    let value = context.expanded(cache)?;
    let (kind, path) = unproxied(&value).split_once(':')?;
    let path = Path::new(path);
    let folder = path.parent()?.to_str()?;
    let is_made = context.text(None, "data_directory").as_deref() == Some(folder);
    if is_made || !matches!(context.look(folder), Some(FileLook::Missing)) {
        return None;
    }
    let name = path.file_name()?.to_str()?;
    // A cache of the server is of no use anyway.
    let fix = match cache.name.starts_with("smtpd_") {
        true => fix::absent(context, cache),
        false => fix::written(
            context,
            cache,
            &format!("{kind}:${{data_directory}}/{name}"),
        ),
    };
    let message = format!("There is no {folder}. {}", NO_FOLDER.why);
    let found = NO_FOLDER.says(message).on(Some(cache));
    Some(found.mended_by(fix))
}

/// The table itself, where proxymap(8) is to open it.
fn unproxied(table: &str) -> &str {
    table.strip_prefix("proxy:").unwrap_or(table)
}

fn exchange(context: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(setting) = context.set(None, "tls_random_exchange_name") else {
        return;
    };
    let value = context.expanded(setting).unwrap_or_default();
    let folder = Path::new(&value).parent().and_then(Path::to_str);
    let look = folder.and_then(|folder| context.look(folder));
    if matches!(look, Some(FileLook::Missing | FileLook::File { .. })) {
        let found = NO_EXCHANGE.found().on(Some(setting));
        out.push(found.mended_by(fix::absent(context, setting)));
    }
}

fn seed(context: &Context<'_>, out: &mut Vec<Finding>) {
    let asked = context.all_settings();
    for setting in asked.filter(|setting| setting.name == "tls_daemon_random_bytes") {
        let value = context.expanded(setting).unwrap_or_default();
        if value.parse::<u64>().is_ok_and(|bytes| bytes > SEED) {
            let found = SEED_TOO_LONG.found().on(Some(setting));
            out.push(found.mended_by(fix::absent(context, setting)));
        }
    }
}

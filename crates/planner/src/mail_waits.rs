//! Mail that waits for TLS, as a log tells it: for which destination, since when, and what demands it.
//!
//! Owns: which deliveries those are, by smtp(8)'s own reasons (`smtp_proto.c`, `smtp_tls_policy.c` of
//! Postfix 3.7), and the words. Never: reads a log, or takes what a server said for smtp(8)'s reason.

use crate::compile::is_policy_map;
use crate::explain::{Delivery, Explanation, Hop, Source};
use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::lint::{Rule, row};
use crate::outbound_seen::OwnLog;
use crate::policy::route_elements;
use crate::view::Files;
use maillog::{Event, Record, records};
use mailtls::Level;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The code of all that is said here.
pub const MAIL_WAITS: &str = "outbound.mail-waits";

/// What `lint --explain` tells of it.
#[rustfmt::skip]
pub(crate) const EXPLAINED: &[Rule] = &[
    row(MAIL_WAITS, Severity::Warning, "mail that waits for TLS",
        "What a rule or the level for all mail demands is not what the servers of a destination offer, or this host cannot do it: the mail stays in the queue, and comes back to its senders after maximal_queue_lifetime.",
        "`postseal policy check DESTINATION` shows what its servers offer; ask their administrator for it, or lower what is demanded."),
];

/// How smtp(8) begins where TLS fails by its own settings.
const OURS: [&str; 2] = [
    "TLS is required, but our TLS engine is unavailable",
    "client TLS configuration problem",
];
/// How it begins where TLS fails by what the server or its DNS shows.
const THEIRS: [&str; 8] = [
    "TLS is required, but was not offered by host ",
    "TLS is required, but host ",
    "Cannot start TLS: ",
    "Server certificate not ",
    "TLSA lookup error for ",
    "TLSA records unusable",
    "no TLSA records found",
    "non DNSSEC destination",
];

/// By whose senders mail may take a way of its own.
const BY_SENDER: [&str; 2] = [
    "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps",
];

/// So many recipients are shown.
const SHOWN: usize = 5;

/// Messages that wait for the same reason at the same servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// One of the recipients, as it is logged.
    pub recipient: String,
    /// The envelope sender, where ways depend on it; empty otherwise.
    pub sender: String,
    /// How many messages.
    pub messages: usize,
    /// When the first of them was held back, as it is logged.
    pub since: String,
    /// The newest reason, as it is logged.
    pub reason: String,
    /// Whether it is this host's own.
    pub is_ours: bool,
}

/// A delivery that was held back, by line.
struct Line<'l> {
    first: (usize, &'l str),
    newest: usize,
    relay: &'l str,
    reason: &'l str,
}

/// The deliveries of an instance that its log since the last reload leaves held back for want of TLS,
/// those of most messages first.
pub fn held_back(facts: &Facts, log: &[u8]) -> Vec<HeldBack> {
    let files = Files::of(facts);
    let own = OwnLog::of(&files.view(facts), log);
    let waiting = waiting(&own, log);
    let has_ways = |name| !route_elements(facts, name).is_empty();
    let by_sender = BY_SENDER.into_iter().any(has_ways);
    let mut groups: BTreeMap<_, Vec<(&str, &str, &Line<'_>)>> = BTreeMap::new();
    for (queue_id, recipients) in &waiting {
        let sender = match by_sender {
            true => own.sender(queue_id),
            false => "",
        };
        for (to, line) in recipients {
            let domain = to.rsplit('@').next().unwrap_or_default();
            let is_ours = is_ours(line.reason);
            let key = (domain.to_lowercase(), sender, line.relay, is_ours);
            groups.entry(key).or_default().push((queue_id, to, line));
        }
    }
    let groups = groups.into_iter();
    let mut held: Vec<HeldBack> = groups
        .filter_map(|((_, sender, _, is_ours), lines)| {
            let first = lines.iter().min_by_key(|(.., line)| line.first)?;
            let newest = lines.iter().max_by_key(|(.., line)| line.newest)?;
            let messages: BTreeSet<&str> = lines.iter().map(|(id, ..)| *id).collect();
            Some(HeldBack {
                recipient: first.1.to_owned(),
                sender: sender.to_owned(),
                messages: messages.len(),
                since: first.2.first.1.to_owned(),
                reason: newest.2.reason.to_owned(),
                is_ours,
            })
        })
        .collect();
    held.sort_by_key(|one| Reverse(one.messages));
    held
}

/// Message → recipient → how it was last held back, of those that were not sent or taken away since.
fn waiting<'l>(own: &OwnLog<'_>, log: &'l [u8]) -> BTreeMap<&'l str, BTreeMap<&'l str, Line<'l>>> {
    let mut waiting: BTreeMap<&str, BTreeMap<&str, Line<'_>>> = BTreeMap::new();
    // The process that named what it removed.
    let mut named = None;
    for record in records(log) {
        match Event::of(&record) {
            Event::Removed { queue_id } if own.has(&record, queue_id) => {
                waiting.remove(queue_id);
                named = record.pid;
            }
            // `postsuper -d ALL` names none; what is still there is logged again with its next attempt.
            Event::Other if record.pid != named && own.has(&record, "") && deletes(&record) => {
                waiting.clear();
            }
            Event::Delivery(one) if own.has(&record, one.queue_id) => {
                let recipients = waiting.entry(one.queue_id).or_default();
                let is_client = matches!(record.service(), "smtp" | "lmtp");
                if !is_client || one.status != "deferred" || !is_about_tls(one.reason) {
                    recipients.remove(one.to);
                    continue;
                }
                let line = Line {
                    first: (record.number, record.stamp),
                    newest: record.number,
                    relay: one.relay,
                    reason: one.reason,
                };
                let known = recipients.remove(one.to);
                let first = known.map_or(line.first, |known| known.first);
                recipients.insert(one.to, Line { first, ..line });
            }
            _ => {}
        }
    }
    waiting
}

fn deletes(record: &Record<'_>) -> bool {
    record.service() == "postsuper" && record.text.starts_with(b"Deleted: ")
}

fn is_ours(reason: &str) -> bool {
    OURS.iter().any(|words| reason.starts_with(words))
}

fn is_about_tls(reason: &str) -> bool {
    is_ours(reason) || THEIRS.iter().any(|words| reason.starts_with(words))
}

/// Mail that waits, with the way that it takes, where that was looked up.
type Held = (HeldBack, Option<Explanation>);

/// What is said of mail that waits, a finding a next hop.
pub fn mail_waits(each: &[Held]) -> Vec<Finding> {
    let mut hops: BTreeMap<(String, bool), Vec<&Held>> = BTreeMap::new();
    for one in each {
        let hop = one.1.as_ref().and_then(hop);
        let domain = one.0.recipient.rsplit('@').next().unwrap_or_default();
        let name = hop.map_or(domain, |hop| &hop.nexthop);
        let key = (name.to_lowercase(), one.0.is_ours);
        hops.entry(key).or_default().push(one);
    }
    let told = hops.into_iter();
    told.filter_map(|((name, is_ours), each)| told_of(&name, is_ours, &each))
        .collect()
}

fn told_of(name: &str, is_ours: bool, each: &[&Held]) -> Option<Finding> {
    let (first, explained) = each.first()?;
    let messages = match each.iter().map(|(held, _)| held.messages).sum() {
        1 => "1 message".to_owned(),
        n => format!("{n} messages"),
    };
    let hop = explained.as_ref().and_then(hop);
    let (severity, demand, remedy) = match (is_ours, hop) {
        (true, _) => (
            Severity::Error,
            demanded(hop),
            format!(
                "`postseal policy check '{name}'` and `postseal lint` name the setting of this host; \
                 once it is mended, `postqueue -f` sends the mail."
            ),
        ),
        (false, Some(hop)) if !demands(hop) => (
            Severity::Info,
            format!("What holds for {name} now demands no TLS"),
            "Nothing: it goes with its next attempt, or at once by `postqueue -f`.".to_owned(),
        ),
        (false, _) => (
            Severity::Warning,
            demanded(hop),
            format!(
                "`postseal policy check '{name}'` shows what its servers offer now, and the strongest \
                 policy that would work. Ask their administrator for TLS, or demand less; else the \
                 mail comes back to its senders after maximal_queue_lifetime."
            ),
        ),
    };
    let since = &first.since;
    let reason = &first.reason;
    let message =
        format!("Mail for {name} waits for TLS ({messages}, since {since}): {reason}. {demand}.");
    let finding = Finding::new(MAIL_WAITS, severity, message, remedy);
    let others = each.iter().map(|(held, _)| held);
    let shown = others.take(SHOWN);
    Some(shown.fold(finding, |finding, held| {
        finding.seen(format!("{}: {}", held.recipient, held.reason))
    }))
}

/// The next hop that demands TLS, or the first where none does.
fn hop(explained: &Explanation) -> Option<&Hop> {
    let hops = explained.hops.iter().chain(&explained.fallbacks);
    let speaks = |hop: &&Hop| matches!(hop.delivery, Delivery::Smtp | Delivery::Lmtp);
    hops.filter(speaks).min_by_key(|hop| !demands(hop))
}

fn demands(hop: &Hop) -> bool {
    !matches!(hop.level, Some(Level::None | Level::May))
}

fn demanded(hop: Option<&Hop>) -> String {
    let Some(hop) = hop else {
        return "Which rule demands it was not looked up (it is for the destinations with most \
                messages, as long as tables answer); `postseal explain` tells"
            .to_owned();
    };
    match (&hop.source, hop.level) {
        (Some(Source::Row(row)), _) if is_policy_map(&row.table) => {
            format!("The rule {} {} demands it", row.key, row.text)
        }
        (Some(Source::Row(row)), _) => {
            format!("{} {} of {} demands it", row.key, row.text, row.table)
        }
        (Some(Source::Default(parameter)), Some(level)) => {
            format!("No rule is for it, so {parameter} = {level} demands it")
        }
        (Some(Source::Default(parameter) | Source::Sites(parameter)), _) => {
            format!("{parameter} decides")
        }
        (None, _) => "Which rule demands it cannot be told".to_owned(),
    }
}

#[cfg(test)]
mod tests;

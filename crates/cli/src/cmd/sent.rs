//! What deliveries showed, in words.
//!
//! Owns: the words of `status` and `verify`, and the document. Never: counts.

use postseal_engine::Sent;
use postseal_planner::OutboundSeen;
use serde_json::{Value, json};

const MAIL: &str = "mail that is sent shows it (a plan's own message to two sinks is a rehearsal)";

/// `2 verified, 1 in clear`; `None` where nothing was seen.
fn counts(seen: &OutboundSeen) -> Option<String> {
    let each = [
        (seen.verified, "verified"),
        (seen.trusted, "trusted"),
        (seen.untrusted, "untrusted"),
        (seen.anonymous, "anonymous"),
        (seen.none, "without TLS"),
        (seen.untold, "not told (smtp_tls_loglevel = 0)"),
    ];
    let each = each.into_iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = each
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// A cell of `status`.
pub(super) fn cell(sent: &Sent) -> String {
    match sent {
        Sent::Seen(seen) if seen.told() > 0 => {
            format!("sent: {}", counts(seen).unwrap_or_default())
        }
        Sent::Seen(seen) if seen.all() > 0 => "? smtp_tls_loglevel = 0 logs no TLS".to_owned(),
        Sent::Seen(_) => "? no delivery seen yet".to_owned(),
        Sent::Unknown(_) => "? no log to see deliveries in".to_owned(),
    }
}

/// A line of `verify`.
pub(super) fn line(sent: &Sent) -> String {
    let seen = match sent {
        Sent::Seen(seen) => seen,
        Sent::Unknown(why) => {
            return format!("? outbound: undetermined: deliveries cannot be seen: {why}.\n");
        }
    };
    let since = match seen.since_reload {
        true => "since the last reload",
        false => "in the newest part of the log",
    };
    match (seen.told(), counts(seen)) {
        (0, None) => format!("? outbound: undetermined: no delivery {since}; {MAIL}.\n"),
        (0, Some(_)) => format!(
            "? outbound: undetermined: {} sent {since}, and smtp_tls_loglevel = 0 logs no TLS; \
             `postseal set param.smtp_tls_loglevel=1`.\n",
            messages(seen.all())
        ),
        (_, words) => format!(
            "Outbound: {} sent {since}: {}.\n",
            messages(seen.all()),
            words.unwrap_or_default()
        ),
    }
}

/// Whether nothing is known of any delivery's TLS.
pub(super) fn is_unseen(sent: &Sent) -> bool {
    match sent {
        Sent::Seen(seen) => seen.told() == 0,
        Sent::Unknown(_) => true,
    }
}

fn messages(count: u64) -> String {
    match count {
        1 => "1 message was".to_owned(),
        n => format!("{n} messages were"),
    }
}

/// The document.
pub(super) fn document(sent: &Sent) -> Value {
    match sent {
        Sent::Seen(seen) => json!({
            "outcome": if seen.told() > 0 { "seen" } else { "undetermined" },
            "deliveries": seen,
        }),
        Sent::Unknown(why) => json!({"outcome": "undetermined", "why": why}),
    }
}

//! Reading the lines, from their words to their shapes.

use super::{Attempts, Delivery, Direction, Event, Peer, TlsSession, TrustWord};
use crate::record::{Record, number, readable, split};
use memchr::memmem;

pub(super) fn connection(text: &[u8]) -> Option<Event<'_>> {
    const UNVERIFIED: [&[u8]; 2] = [
        b"server certificate verification failed for ",
        b"certificate verification failed for ",
    ];
    const FAILED: [(&[u8], Direction); 2] = [
        (b"SSL_accept error from ", Direction::Inbound),
        (b"SSL_connect error to ", Direction::Outbound),
    ];
    if let Some(session) = session(text) {
        return Some(Event::Tls(session));
    }
    if let Some(rest) = UNVERIFIED
        .iter()
        .find_map(|start| text.strip_prefix(*start))
    {
        let (peer, reason) = peer_and_reason(rest)?;
        return Some(Event::Unverified { peer, reason });
    }
    for (start, direction) in FAILED {
        if let Some(rest) = text.strip_prefix(start) {
            let (peer, reason) = peer_and_reason(rest)?;
            return Some(Event::HandshakeFailed {
                direction,
                peer,
                reason,
            });
        }
    }
    if let Some(host) = text.strip_prefix(b"Host offered STARTTLS: [") {
        let host = readable(host.strip_suffix(b"]")?);
        return Some(Event::StartTlsOffered { host });
    }
    if let Some(rest) = text.strip_prefix(b"connect from ") {
        return Peer::parse(rest).map(Event::Connected);
    }
    disconnected(text.strip_prefix(b"disconnect from ")?)
}

/// `{Trust} TLS connection {established|reused} {to|from} PEER[ to SNI]: PROTOCOL with cipher C
/// (n/m bits)…`; what follows differs from version to version.
fn session(text: &[u8]) -> Option<TlsSession<'_>> {
    let (word, rest) = split(text, b" TLS connection ")?;
    let trust = match word {
        b"Anonymous" => TrustWord::Anonymous,
        b"Untrusted" => TrustWord::Untrusted,
        b"Trusted" => TrustWord::Trusted,
        b"Verified" => TrustWord::Verified,
        _ => return None,
    };
    let (how, rest) = split(rest, b" ")?;
    let (direction, rest) = match split(rest, b" ")? {
        (b"to", rest) => (Direction::Outbound, rest),
        (b"from", rest) => (Direction::Inbound, rest),
        _ => return None,
    };
    let (left, right) = split(rest, b" with cipher ")?;
    let colon = memmem::rfind(left, b": ")?;
    let (peer, sni) = match split(&left[..colon], b"] to ") {
        Some((peer, name)) => (&left[..peer.len() + 1], Some(readable(name))),
        None => (&left[..colon], None),
    };
    let (cipher, rest) = split(right, b" (")?;
    let (bits, rest) = split(rest, b"/")?;
    Some(TlsSession {
        trust,
        direction,
        is_reused: how == b"reused",
        peer: Peer::parse(peer)?,
        sni,
        protocol: readable(&left[colon + 2..]),
        cipher: readable(cipher),
        bits: number(bits)?,
        key_exchange: split(rest, b" key-exchange ").map(|(_, rest)| readable(first_word(rest))),
    })
}

fn first_word(bytes: &[u8]) -> &[u8] {
    split(bytes, b" ").map_or(bytes, |(word, _)| word)
}

/// `host[address]:port: reason`.
fn peer_and_reason(bytes: &[u8]) -> Option<(Peer<'_>, &str)> {
    let bracket = memchr::memchr(b']', bytes)?;
    let colon = bracket + memmem::find(&bytes[bracket..], b": ")?;
    let peer = Peer::parse(&bytes[..colon])?;
    Some((peer, readable(&bytes[colon + 2..])))
}

fn disconnected(rest: &[u8]) -> Option<Event<'_>> {
    let (peer, counts) = split(rest, b"] ").map_or((rest, &b""[..]), |(peer, counts)| {
        (&rest[..peer.len() + 1], counts)
    });
    let starttls = counts
        .split(|byte| *byte == b' ')
        .find_map(|count| count.strip_prefix(b"starttls="))
        .and_then(attempts);
    let peer = Peer::parse(peer)?;
    Some(Event::Disconnected { peer, starttls })
}

/// `2`, all of them successes, or `1/2`.
fn attempts(count: &[u8]) -> Option<Attempts> {
    let (succeeded, tried) = split(count, b"/").unwrap_or((count, count));
    Some(Attempts {
        succeeded: number(succeeded)?,
        tried: number(tried)?,
    })
}

pub(super) fn message<'a>(record: &Record<'a>) -> Option<Event<'a>> {
    let (queue_id, rest) = record.about_message()?;
    if rest == b"removed" {
        return Some(Event::Removed { queue_id });
    }
    if let Some(client) = rest.strip_prefix(b"client=") {
        let client = Peer::parse(split(client, b", ").map_or(client, |(client, _)| client))?;
        return Some(Event::Received { queue_id, client });
    }
    if let Some(from) = rest.strip_prefix(b"from=<")
        && rest.ends_with(b" (queue active)")
    {
        let sender = readable(address(from)?.0);
        return Some(Event::Queued { queue_id, sender });
    }
    delivery(queue_id, rest).map(Event::Delivery)
}

fn delivery<'a>(queue_id: &'a str, rest: &'a [u8]) -> Option<Delivery<'a>> {
    let (to, mut rest) = address(rest.strip_prefix(b"to=<")?)?;
    if let Some(original) = rest.strip_prefix(b"orig_to=<") {
        rest = address(original)?.1;
    }
    let mut found = Delivery {
        queue_id,
        to: readable(to),
        relay: "",
        conn_use: None,
        tls: None,
        dsn: "",
        status: "",
        reason: "",
    };
    while !rest.starts_with(b"status=") {
        let (field, after) = split(rest, b", ")?;
        match split(field, b"=")? {
            (b"relay", value) => found.relay = readable(value),
            (b"conn_use", value) => found.conn_use = number(value),
            (b"tls", value) => found.tls = Some(readable(value)),
            (b"dsn", value) => found.dsn = readable(value),
            _ => {}
        }
        rest = after;
    }
    let status = rest.strip_prefix(b"status=")?;
    let (word, reason) = split(status, b" (").unwrap_or((status, b""));
    found.status = readable(word);
    found.reason = readable(reason.strip_suffix(b")").unwrap_or(reason));
    Some(found)
}

/// The address up to its `>`, and what follows `>, `. A quoted local part may hold anything, also
/// what looks like the fields that follow.
fn address(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut quoted, mut escaped) = (false, false);
    for (i, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some((&bytes[..i], bytes[i + 1..].strip_prefix(b", ")?)),
            _ => {}
        }
    }
    None
}

pub(super) fn master<'a>(record: &Record<'a>) -> Option<Event<'a>> {
    if record.service() != "master" {
        return None;
    }
    match record.text {
        text if text.starts_with(b"daemon started -- ") => Some(Event::Started),
        text if text.starts_with(b"reload -- ") => Some(Event::Reloaded),
        text if text.starts_with(b"terminating on signal") => Some(Event::Stopped),
        _ => None,
    }
}

pub(super) fn throttled(message: &[u8]) -> Option<Event<'_>> {
    let (command, _) = split(message, b": bad command startup -- throttling")?;
    Some(Event::Throttled {
        command: readable(command),
    })
}

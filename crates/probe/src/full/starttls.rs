//! How STARTTLS behaves: injected commands, and what takes it out of EHLO.
//!
//! Owns: these two looks. Never: sends a command that could change anything: NOOP and QUIT only.

use super::asking::{Asker, Kept, NOT_OFFERED};
use super::versions::Look;
use crate::dialogue::offers;
use crate::reply::{Reply, ReplyReader};
use crate::tls::{self, Offer};
use crate::wire::Wire;
use mailtls::TlsVersion;
use postseal_planner::full::{self, Seen, StarttlsSeen};

/// Both looks, after those at its TLS.
pub(super) fn look(asker: &Asker, seen: &Look<'_>) -> StarttlsSeen {
    let is_named = |said: crate::dialogue::Said| offers(&said.ehlo_before, "STARTTLS");
    let injection = match asker.said().map(is_named) {
        // Where there is no STARTTLS nothing can be sent with it.
        Some(false) => None,
        Some(true) | None => injection(asker, seen.newest()),
    };
    let (stripped, stripped_by) = match stripped_by(asker, seen.refused()) {
        Some(by) => (Seen::Yes, Some(by)),
        None if asker.said().is_none() => (Seen::unknown("the server did not answer EHLO"), None),
        None => (Seen::No, None),
    };
    StarttlsSeen {
        injection,
        stripped,
        stripped_by,
    }
}

/// Whether a command that was sent in one piece with STARTTLS is answered under TLS
/// (CVE-2011-0411; Postfix forgets it since 2.4.16, 2.5.12, 2.6.9, 2.7.3 and 2.8). What is answered in clear is nobody's harm.
/// `None` where STARTTLS is refused.
fn injection(asker: &Asker, newest: Option<TlsVersion>) -> Option<Seen> {
    let wire = match asker.open(b"NOOP\r\n") {
        Ok(wire) => wire,
        // A server that takes STARTTLS otherwise refuses what came with it.
        Err(Kept::Refused(_)) => return newest.map(|_| Seen::No),
        Err(kept) => return Some(Seen::Undetermined(kept.words())),
    };
    let shaken = tls::connect(wire, Offer::Everything, asker.target().sni.as_deref());
    let mut wire = match shaken {
        Ok(shaken) => shaken.wire,
        // What was sent after STARTTLS was taken for the handshake, or the server has left.
        Err(tls::HandshakeFailure::Alert(_) | tls::HandshakeFailure::NoTls(_))
            if newest > Some(TlsVersion::Ssl3) =>
        {
            return Some(Seen::No);
        }
        Err(failure) => return Some(Seen::Undetermined(failure.to_string())),
    };
    Some(match first_reply(&mut wire, b"QUIT\r\n") {
        Ok(reply) if reply.code == 221 => Seen::No,
        Ok(reply) if reply.is_positive() => Seen::Yes,
        Ok(reply) => Seen::unknown(format!("QUIT was answered {reply}")),
        Err(why) => Seen::Undetermined(why),
    })
}

/// What made it look as if something on the way forbids STARTTLS.
fn stripped_by(asker: &Asker, refused: Option<&str>) -> Option<String> {
    let said = asker.said()?;
    let by = full::stripped_by(said.banner.as_deref(), &said.ehlo_before, refused);
    if by.is_some() || offers(&said.ehlo_before, "STARTTLS") {
        return by;
    }
    taken_all_the_same(asker).then(|| "STARTTLS is not in EHLO, but is taken".to_owned())
}

/// Whether STARTTLS is taken though EHLO did not name it.
fn taken_all_the_same(asker: &Asker) -> bool {
    let Ok(mut wire) = asker.unoffered() else {
        return false;
    };
    first_reply(&mut wire, b"STARTTLS\r\n").is_ok_and(|reply| reply.code == 220)
}

/// Whether words of a refusal mean that TLS was never offered.
pub(super) fn is_not_offered(words: &str) -> bool {
    words == NOT_OFFERED
}

fn first_reply(wire: &mut Wire, command: &[u8]) -> Result<Reply, String> {
    let broken = |error: std::io::Error| crate::wire::words(&error);
    wire.send(command).map_err(broken)?;
    let mut reader = ReplyReader::default();
    let mut buffer = [0; 4096];
    loop {
        if let Some(reply) = reader.next_reply().map_err(|error| error.to_string())? {
            return Ok(reply);
        }
        match wire.receive(&mut buffer).map_err(broken)? {
            0 => return Err("the server closed the connection".to_owned()),
            length => reader.receive(buffer.get(..length).unwrap_or_default()),
        }
    }
}

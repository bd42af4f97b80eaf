//! Handshakes that go to their end, by OpenSSL: sessions and what can be done with them again,
//! and what TLS 1.3 shows under keys only.
//!
//! Owns: these handshakes. Never: takes a session up again by OpenSSL, whose bindings ask for unsafe
//! code there: a ClientHello of our own suffices (`psk` makes that of TLS 1.3), because the server's first
//! words say it.

use super::asking::{Answer, Asker};
use super::hello::{Hello, Resume, SIGNATURES};
use super::psk::Ticket;
use super::suites;
use crate::target::Start;
use crate::tls;
use crate::wire::Timed;
use mailtls::TlsVersion;
use openssl::error::ErrorStack;
use openssl::ssl::{
    Ssl, SslOptions, SslSession, SslSessionCacheMode, SslStream, SslVersion, StatusType,
};
use postseal_planner::full::Seen;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// How a handshake is done.
#[derive(Clone, Copy)]
pub(super) struct How {
    pub(super) version: SslVersion,
    /// The signatures that are taken; `None` for all.
    pub(super) signatures: Option<&'static str>,
    pub(super) options: SslOptions,
}

/// A handshake that was done.
pub(super) struct Done {
    sessions: Vec<SslSession>,
    cipher: u16,
    pub(super) chain: Vec<Vec<u8>>,
    /// We were asked for a certificate (TLS 1.3 only).
    pub(super) asks: bool,
    pub(super) stapled: bool,
}

impl Done {
    /// Tickets of TLS 1.3 (RFC 8446 §4.6.1) came.
    pub(super) fn tickets(&self) -> Seen {
        yes_if(!self.sessions.is_empty())
    }

    /// What it takes to come back with one.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        let of = |session: &SslSession| {
            let der = session.to_der().ok()?;
            let mut key = Zeroizing::new([0; 64]);
            let length = session.master_key(&mut *key);
            Some(Ticket {
                bytes: field(&der, TICKET)?,
                age_add: field(&der, AGE_ADD)?
                    .iter()
                    .fold(0, |sum: u32, byte| sum.wrapping_shl(8) | u32::from(*byte)),
                key: Zeroizing::new(key.get(..length)?.to_vec()),
                cipher: self.cipher,
            })
        };
        self.sessions.iter().rev().find_map(of)
    }

    /// A ticket allows early data.
    pub(super) fn early_data(&self) -> Seen {
        yes_if(
            self.sessions
                .iter()
                .any(|session| session.max_early_data() > 0),
        )
    }
}

pub(super) fn yes_if(condition: bool) -> Seen {
    if condition { Seen::Yes } else { Seen::No }
}

/// Whether a session of `version` is taken up again by its number.
pub(super) fn by_number(asker: &Asker, version: TlsVersion) -> Seen {
    again(asker, version, SslOptions::NO_TICKET, &|session| {
        Some(session.id().to_vec()).filter(|id| !id.is_empty())
    })
}

/// Whether a session of `version` is taken up again by a ticket.
pub(super) fn by_ticket(asker: &Asker, version: TlsVersion) -> Seen {
    again(asker, version, SslOptions::empty(), &|session| {
        field(&session.to_der().ok()?, TICKET)
    })
}

fn again(
    asker: &Asker,
    version: TlsVersion,
    options: SslOptions,
    handle: &dyn Fn(&SslSession) -> Option<Vec<u8>>,
) -> Seen {
    let Some(wanted) = ssl_version(version) else {
        return Seen::unknown(format!("OpenSSL speaks no {version}"));
    };
    let how = How {
        version: wanted,
        signatures: None,
        options,
    };
    let done = match complete(asker, how) {
        Ok(done) => done,
        Err(why) => return Seen::Undetermined(why),
    };
    let Some(handle) = done.sessions.last().and_then(handle) else {
        return Seen::No;
    };
    let resume = match options {
        SslOptions::NO_TICKET => Resume::Session(&handle),
        _ => Resume::Ticket(&handle),
    };
    let hello = Hello {
        version,
        random: [0x5A; 32],
        suites: &[done.cipher],
        groups: &suites::curves(),
        signatures: &SIGNATURES,
        name: asker.target().sni.as_deref(),
        shares: &[],
        resume,
        finished: &[],
    };
    match asker.ask(&hello.bytes()) {
        Answer::Flight(flight) => yes_if(flight.session == hello.session()),
        Answer::Refused(_) => Seen::No,
        Answer::Unknown(why) => Seen::Undetermined(why),
    }
}

/// A handshake to its end, EHLO under it, and QUIT.
pub(super) fn complete(asker: &Asker, how: How) -> Result<Done, String> {
    let sessions = Arc::new(Mutex::new(Vec::new()));
    let ssl = client(asker, how, &sessions).map_err(|stack| tls::reason(&stack))?;
    let wire = asker.open(b"").map_err(super::asking::Kept::words)?;
    let timed = wire.into_timed().map_err(|stack| tls::reason(&stack))?;
    let tapped = Tapped {
        timed,
        written: Vec::new(),
    };
    let connected = ssl.connect(tapped);
    let mut stream = connected.map_err(|error| tls::failure(error).to_string())?;
    let asks =
        how.version == SslVersion::TLS1_3 && encrypted_records(&stream.get_ref().written) > 1;
    // What comes of it changes nothing, but that a server's tickets are read with its answer.
    let _ = talk(asker, &mut stream);
    let ssl = stream.ssl();
    let chain = ssl.peer_cert_chain();
    let chain = chain.map(|chain| chain.iter().filter_map(|one| one.to_der().ok()).collect());
    let cipher = ssl.current_cipher();
    let cipher = cipher.map_or(0, |cipher| u16::from_be_bytes(cipher.protocol_id()));
    let taken = std::mem::take(&mut *sessions.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Done {
        sessions: taken,
        cipher,
        chain: chain.unwrap_or_default(),
        asks,
        stapled: ssl.ocsp_status().is_some_and(|answer| !answer.is_empty()),
    })
}

type Sessions = Arc<Mutex<Vec<SslSession>>>;

fn client(asker: &Asker, how: How, sessions: &Sessions) -> Result<Ssl, ErrorStack> {
    let mut context = tls::unverifying()?;
    context.set_options(how.options);
    context.set_min_proto_version(Some(how.version))?;
    context.set_max_proto_version(Some(how.version))?;
    context.set_cipher_list("ALL:+aNULL:@SECLEVEL=0")?;
    if let Some(signatures) = how.signatures {
        context.set_sigalgs_list(signatures)?;
    }
    context.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    let kept = Arc::clone(sessions);
    context.set_new_session_callback(move |_, session| {
        kept.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(session);
    });
    let mut ssl = tls::asking(context, asker.target().sni.as_deref())?;
    ssl.set_status_type(StatusType::OCSP)?;
    Ok(ssl)
}

fn talk(asker: &Asker, stream: &mut SslStream<Tapped>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    if asker.target().tls == Start::Implicit {
        let _ = stream.read(&mut buffer)?;
    }
    // The name was found sayable before TLS, by the dialogue; TLS from the first byte says none.
    let name = &asker.target().ehlo_name;
    if name.bytes().all(|byte| byte.is_ascii_graphic()) {
        stream.write_all(format!("EHLO {name}\r\n").as_bytes())?;
        let _ = stream.read(&mut buffer)?;
    }
    stream.write_all(b"QUIT\r\n")?;
    let _ = stream.read(&mut buffer)?;
    // A session that ends without it is forgotten (RFC 2246 §7.2.1).
    let _ = stream.shutdown();
    Ok(())
}

/// A socket of which is remembered what was written to it in the handshake.
struct Tapped {
    timed: Timed,
    written: Vec<u8>,
}

impl Read for Tapped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.timed.read(buffer)
    }
}

impl Write for Tapped {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let length = self.timed.write(buffer)?;
        self.written.extend(buffer.iter().take(length));
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.timed.flush()
    }
}

/// Records of a client's handshake in TLS 1.3 that go under keys: Finished, and before it
/// Certificate where one was asked for, though there is none (RFC 8446 §4.4.2).
fn encrypted_records(written: &[u8]) -> usize {
    let mut rest = written;
    let mut count = 0;
    while let Some(([kind, _, _, high, low], after)) = rest.split_first_chunk::<5>() {
        count += usize::from(*kind == 23);
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        rest = after.get(length..).unwrap_or_default();
    }
    count
}

/// `[10] OCTET STRING` of OpenSSL's form of a session (ssl/ssl_asn1.c): the ticket.
const TICKET: u8 = 0xAA;
/// `[14] INTEGER`: what is added to its age, so that nobody knows the client by it.
const AGE_ADD: u8 = 0xAE;

/// What is in a field of a session.
fn field(session: &[u8], wanted: u8) -> Option<Vec<u8>> {
    let (_, mut fields, _) = element(session)?;
    while let Some((tag, content, after)) = element(fields) {
        if tag == wanted {
            return element(content).map(|(_, content, _)| content.to_vec());
        }
        fields = after;
    }
    None
}

/// The first element of DER: its tag, its content, what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let ([tag, first], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match usize::from(*first) {
        short @ 0..=0x7F => (short, rest),
        long @ 0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(long - 0x80)?;
            let length = digits
                .iter()
                .fold(0, |sum, digit| sum * 256 + usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((*tag, content, after))
}

fn ssl_version(version: TlsVersion) -> Option<SslVersion> {
    match version {
        TlsVersion::Ssl2 | TlsVersion::Ssl3 => None,
        TlsVersion::Tls1_0 => Some(SslVersion::TLS1),
        TlsVersion::Tls1_1 => Some(SslVersion::TLS1_1),
        TlsVersion::Tls1_2 => Some(SslVersion::TLS1_2),
        TlsVersion::Tls1_3 => Some(SslVersion::TLS1_3),
    }
}

//! A ClientHello of our own (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2, RFC 6101 §5.6.1.2).
//!
//! Owns: its bytes. Never: speaks on after the server's answer: it makes no keys. So it can ask for
//! what no library at hand speaks any more, or not yet.

use mailtls::TlsVersion;

/// What a ClientHello offers.
#[derive(Clone, Debug)]
pub struct Hello<'a> {
    /// The one version that is offered.
    pub version: TlsVersion,
    /// 32 bytes; they protect nothing here.
    pub random: [u8; 32],
    /// The suites, the most wanted first.
    pub suites: &'a [u16],
    /// The key exchange groups; none leaves the extension out.
    pub groups: &'a [u16],
    /// The signature algorithms (TLS 1.2 and 1.3).
    pub signatures: &'a [u16],
    /// The server name to ask for.
    pub name: Option<&'a str>,
    /// Public keys, each of one of the groups (TLS 1.3); without them the server names the group that it
    /// wants (RFC 8446 §4.1.4).
    pub shares: &'a [(u16, Vec<u8>)],
    /// A session to take up again.
    pub resume: Resume<'a>,
    /// What our Finished said in the handshake before this one (RFC 5746 §3.5); empty in the first.
    pub finished: &'a [u8],
}

/// A session to take up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume<'a> {
    /// None.
    Nothing,
    /// By its number.
    Session(&'a [u8]),
    /// By a ticket up to TLS 1.2; the server echoes the number where it takes it (RFC 5077 §3.4).
    Ticket(&'a [u8]),
    /// By a ticket of TLS 1.3, with its age (RFC 8446 §4.2.11), and the bytes of the binder that the
    /// sender puts at the very end.
    Psk(&'a [u8], u32, usize),
}

/// Every signature algorithm that servers sign with, SHA-1 last.
pub const SIGNATURES: [u16; 19] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B, 0x0401,
    0x0501, 0x0601, 0x081A, 0x0301, 0x0303, 0x0201, 0x0203,
];
/// Those with SHA-1 alone.
pub const SHA1_SIGNATURES: [u16; 3] = [0x0201, 0x0203, 0x0202];

/// `TLS_EMPTY_RENEGOTIATION_INFO_SCSV` (RFC 5746 §3.3): SSLv3 has no extensions.
const RENEGOTIATION_SCSV: u16 = 0x00FF;
/// The number that a client makes up when it shows a ticket.
const MADE_UP: [u8; 32] = [0x50; 32];

impl Hello<'_> {
    /// The record to send. Longer lists than a record holds (16 KiB) are not offered at all.
    pub fn bytes(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(1024);
        body.extend(wire(self.version.min(TlsVersion::Tls1_2)).to_be_bytes());
        body.extend(self.random);
        short(&mut body, self.session());
        let mut suites = list(self.suites);
        if self.version == TlsVersion::Ssl3 {
            suites.extend(RENEGOTIATION_SCSV.to_be_bytes());
        }
        long(&mut body, &suites);
        // Deflate (RFC 3749) is offered wherever it may be, so every answer tells of it.
        let compression: &[u8] = match self.version {
            TlsVersion::Tls1_3 => &[0],
            _ => &[1, 0],
        };
        short(&mut body, compression);
        if self.version > TlsVersion::Ssl3 {
            long(&mut body, &self.extensions());
        }
        record(&body)
    }

    /// The session's number that is offered; a server that takes the session up again echoes it.
    pub fn session(&self) -> &[u8] {
        match self.resume {
            Resume::Nothing | Resume::Psk(..) => &[],
            Resume::Session(number) => number.get(..number.len().min(32)).unwrap_or_default(),
            Resume::Ticket(_) => &MADE_UP,
        }
    }

    fn extensions(&self) -> Vec<u8> {
        let mut all = Vec::new();
        if let Some(name) = self.name {
            let mut entry = vec![0];
            long(&mut entry, name.as_bytes());
            extension(&mut all, 0, &nested(&entry));
        }
        if !self.groups.is_empty() {
            extension(&mut all, 10, &nested(&list(self.groups)));
        }
        if self.version >= TlsVersion::Tls1_2 {
            extension(&mut all, 13, &nested(&list(self.signatures)));
        }
        if self.version == TlsVersion::Tls1_3 {
            extension(&mut all, 51, &nested(&shares(self.shares)));
            extension(&mut all, 45, &[1, 1]);
            extension(&mut all, 43, &[2, 3, 4]);
            if let Resume::Psk(ticket, age, binder) = self.resume {
                extension(&mut all, 41, &offered_key(ticket, age, binder));
            }
            return all;
        }
        extension(&mut all, 11, &[1, 0]);
        extension(&mut all, 5, &[1, 0, 0, 0, 0]);
        extension(&mut all, 23, &[]);
        let ticket: &[u8] = match self.resume {
            Resume::Ticket(ticket) => ticket,
            Resume::Nothing | Resume::Session(_) | Resume::Psk(..) => &[],
        };
        if !matches!(self.resume, Resume::Session(_)) {
            extension(&mut all, 35, ticket);
        }
        let mut before = Vec::new();
        short(&mut before, self.finished);
        extension(&mut all, 0xFF01, &before);
        all
    }
}

/// A version's number on the wire.
pub(crate) const fn wire(version: TlsVersion) -> u16 {
    match version {
        TlsVersion::Ssl2 => 0x0002,
        TlsVersion::Ssl3 => 0x0300,
        TlsVersion::Tls1_0 => 0x0301,
        TlsVersion::Tls1_1 => 0x0302,
        TlsVersion::Tls1_2 => 0x0303,
        TlsVersion::Tls1_3 => 0x0304,
    }
}

/// The handshake message of type 1 in a record; its version is that of SSLv3 or TLS 1.0, which all
/// servers read (RFC 8446 §5.1).
fn record(body: &[u8]) -> Vec<u8> {
    let mut message = vec![1, 0];
    long(&mut message, body);
    let old: u8 = u8::from(body.get(..2) != Some(&[3, 0]));
    let mut record = vec![22, 3, old];
    long(&mut record, &message);
    record
}

fn shares(all: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (group, key) in all {
        extension(&mut bytes, *group, key);
    }
    bytes
}

/// One identity, and a binder of zeros (RFC 8446 §4.2.11).
fn offered_key(ticket: &[u8], age: u32, binder: usize) -> Vec<u8> {
    let mut identity = nested(ticket);
    identity.extend(age.to_be_bytes());
    let mut bytes = nested(&identity);
    let mut binders = Vec::new();
    short(&mut binders, &vec![0; binder]);
    long(&mut bytes, &binders);
    bytes
}

fn list(numbers: &[u16]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect()
}

fn nested(bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(bytes.len() + 2);
    long(&mut all, bytes);
    all
}

fn extension(all: &mut Vec<u8>, number: u16, bytes: &[u8]) {
    all.extend(number.to_be_bytes());
    long(all, bytes);
}

/// Bytes after their length in one byte; what does not fit is left out.
fn short(all: &mut Vec<u8>, bytes: &[u8]) {
    let length = u8::try_from(bytes.len()).unwrap_or(0);
    all.push(length);
    all.extend(bytes.iter().take(usize::from(length)));
}

/// Bytes after their length in two.
fn long(all: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(0);
    all.extend(length.to_be_bytes());
    all.extend(bytes.iter().take(usize::from(length)));
}

#[cfg(test)]
mod tests;

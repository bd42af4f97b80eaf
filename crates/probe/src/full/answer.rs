//! A server's first flight, read from bytes: ServerHello (or HelloRetryRequest), and up to TLS 1.2
//! Certificate, CertificateStatus, ServerKeyExchange, CertificateRequest (RFC 5246 §7.4).
//!
//! Owns: reading it within bounds, whatever the bytes are. Never: reads a socket, checks a signature.
//! A crate that parses TLS would read a wider protocol than these six messages, by older libraries.

use super::suites::{Exchange, Suite};

/// Bytes of one flight. Chains of real servers have 16 KiB at most, and many are kept.
const FLIGHT: usize = 64 * 1024;
/// Certificates and names of authorities that are kept.
const KEPT: usize = 100;
/// The random of a ServerHello that is a HelloRetryRequest (RFC 8446 §4.1.3): SHA-256 of that word.
const RETRY: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// What the flight said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flight {
    /// The version on the wire (`0x0303`), TLS 1.3's too.
    pub version: u16,
    /// The suite that was chosen.
    pub suite: u16,
    /// The session's number.
    pub session: Vec<u8>,
    /// The compression method; 0 is none.
    pub compression: u8,
    /// Numbers of the extensions that were answered.
    pub extensions: Vec<u16>,
    /// It asks for another ClientHello (HelloRetryRequest).
    pub retry: bool,
    /// The group: a TLS 1.3 key share or retry, or a named curve of ServerKeyExchange.
    pub group: Option<u16>,
    /// The prime of a finite-field exchange.
    pub prime: Option<Vec<u8>>,
    /// The certificates, leaf first, DER.
    pub chain: Vec<Vec<u8>>,
    /// An OCSP answer was stapled.
    pub stapled: bool,
    /// A client's certificate is asked for: the authorities' names, DER.
    pub asks: Option<Vec<Vec<u8>>>,
}

/// Where the reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More has to come.
    More,
    /// All that can be read without keys is there.
    Done,
    /// The server sent this alert (RFC 8446 §6) at the fatal level.
    Alert(u8),
}

/// Why bytes are no flight.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlightError {
    /// Not a TLS record.
    #[error("the answer to our ClientHello is not TLS")]
    NotTls,
    /// A message with lengths that contradict each other.
    #[error("a TLS message that cannot be read")]
    Broken,
    /// More bytes than a flight may have.
    #[error("a TLS answer of more than {} KiB", FLIGHT / 1024)]
    TooLong,
}

/// Reads one flight.
#[derive(Debug, Default)]
pub struct FlightReader {
    input: Vec<u8>,
    messages: Vec<u8>,
    taken: usize,
    flight: Option<Flight>,
}

impl FlightReader {
    /// Takes what the server sent. After [`Progress::Done`], an alert or an error there is no more to
    /// be brought.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Progress, FlightError> {
        self.taken += bytes.len();
        if self.taken > FLIGHT {
            return Err(FlightError::TooLong);
        }
        self.input.extend_from_slice(bytes);
        let input = std::mem::take(&mut self.input);
        let mut rest = input.as_slice();
        while let Some((kind, content, after)) = record(rest)? {
            rest = after;
            let progress = match kind {
                21 => alert(content)?,
                22 => self.handshake(content)?,
                // ChangeCipherSpec or encrypted data: what follows needs keys.
                _ if self.flight.is_some() => Progress::Done,
                _ => return Err(FlightError::Broken),
            };
            if progress != Progress::More {
                return Ok(progress);
            }
        }
        self.input = rest.to_vec();
        Ok(Progress::More)
    }

    /// What was read, where it went as far as a ServerHello.
    pub fn into_flight(self) -> Option<Flight> {
        self.flight
    }

    /// The first bytes, where they are no TLS.
    pub(crate) fn is_empty(&self) -> bool {
        self.taken == 0
    }

    fn handshake(&mut self, content: &[u8]) -> Result<Progress, FlightError> {
        self.messages.extend_from_slice(content);
        let messages = std::mem::take(&mut self.messages);
        let mut rest = messages.as_slice();
        while let Some([kind, high, middle, low]) = rest.first_chunk::<4>() {
            let length = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
            let Some(body) = rest.get(4..4 + length) else {
                if length > FLIGHT {
                    return Err(FlightError::TooLong);
                }
                break;
            };
            let progress = self.message(*kind, body)?;
            rest = rest.get(4 + length..).unwrap_or_default();
            if progress == Progress::Done {
                return Ok(progress);
            }
        }
        self.messages = rest.to_vec();
        Ok(Progress::More)
    }

    fn message(&mut self, kind: u8, body: &[u8]) -> Result<Progress, FlightError> {
        let mut body = Bytes(body);
        if kind == 2 && self.flight.is_none() {
            let flight = server_hello(&mut body).ok_or(FlightError::Broken)?;
            let done = flight.version >= 0x0304;
            self.flight = Some(flight);
            return Ok(if done { Progress::Done } else { Progress::More });
        }
        let Some(flight) = &mut self.flight else {
            return Err(FlightError::Broken);
        };
        match kind {
            11 => flight.chain = certificates(&mut body).ok_or(FlightError::Broken)?,
            22 => flight.stapled = true,
            12 => flight.key_exchange(&mut body).ok_or(FlightError::Broken)?,
            13 => flight.asks = Some(authorities(body, flight.version).ok_or(FlightError::Broken)?),
            14 => return Ok(Progress::Done),
            // NewSessionTicket, before a session is taken up again.
            _ => {}
        }
        Ok(Progress::More)
    }
}

impl Flight {
    /// Whether an extension was answered.
    pub fn answers(&self, extension: u16) -> bool {
        self.extensions.contains(&extension)
    }

    fn key_exchange(&mut self, body: &mut Bytes<'_>) -> Option<()> {
        match Suite::of(self.suite).map(Suite::exchange) {
            Some(Exchange::Curve) => {
                // Other than named curves (3) are forbidden since RFC 8422 §5.4.
                if body.byte()? == 3 {
                    self.group = Some(body.number()?);
                }
            }
            Some(Exchange::Field) => self.prime = Some(body.long()?.to_vec()),
            Some(Exchange::Free | Exchange::Other) | None => {}
        }
        Some(())
    }
}

/// The next whole record: its kind, its content, what follows.
type Record<'a> = Option<(u8, &'a [u8], &'a [u8])>;

fn record(bytes: &[u8]) -> Result<Record<'_>, FlightError> {
    let Some((header, rest)) = bytes.split_first_chunk::<5>() else {
        let tls =
            |place: usize, good: &dyn Fn(u8) -> bool| bytes.get(place).is_none_or(|b| good(*b));
        let so_far = tls(0, &|kind| (20..=23).contains(&kind)) && tls(1, &|major| major == 3);
        return if so_far {
            Ok(None)
        } else {
            Err(FlightError::NotTls)
        };
    };
    let [kind, major, _, high, low] = *header;
    if !(20..=23).contains(&kind) || major != 3 {
        return Err(FlightError::NotTls);
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    Ok(rest
        .split_at_checked(length)
        .map(|(content, after)| (kind, content, after)))
}

fn alert(content: &[u8]) -> Result<Progress, FlightError> {
    match content {
        // Warnings (`unrecognized_name`) do not end a handshake, but for close_notify.
        [1, code, ..] if *code != 0 => Ok(Progress::More),
        [_, code, ..] => Ok(Progress::Alert(*code)),
        _ => Err(FlightError::Broken),
    }
}

fn server_hello(body: &mut Bytes<'_>) -> Option<Flight> {
    let mut flight = Flight {
        version: body.number()?,
        ..Flight::default()
    };
    flight.retry = body.take(32)? == RETRY;
    flight.session = body.short()?.to_vec();
    flight.suite = body.number()?;
    flight.compression = body.byte()?;
    if body.0.is_empty() {
        return Some(flight);
    }
    let mut extensions = Bytes(body.long()?);
    while !extensions.0.is_empty() {
        let number = extensions.number()?;
        let mut content = Bytes(extensions.long()?);
        match number {
            43 => flight.version = content.number()?,
            // The group alone in a retry, else before the server's key.
            51 => flight.group = Some(content.number()?),
            _ => {}
        }
        flight.extensions.push(number);
    }
    // Whoever says retry means TLS 1.3.
    (!flight.retry || flight.version >= 0x0304).then_some(flight)
}

fn certificates(body: &mut Bytes<'_>) -> Option<Vec<Vec<u8>>> {
    let mut list = Bytes(body.longer()?);
    let mut chain = Vec::new();
    while !list.0.is_empty() {
        let certificate = list.longer()?;
        if chain.len() < KEPT {
            chain.push(certificate.to_vec());
        }
    }
    Some(chain)
}

fn authorities(mut body: Bytes<'_>, version: u16) -> Option<Vec<Vec<u8>>> {
    body.short()?;
    if version >= 0x0303 {
        body.long()?;
    }
    let mut list = Bytes(body.long()?);
    let mut names = Vec::new();
    while !list.0.is_empty() {
        let name = list.long()?;
        if names.len() < KEPT {
            names.push(name.to_vec());
        }
    }
    Some(names)
}

/// Bytes that are read from the front, never beyond the end.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.take(2)?.first_chunk()?))
    }

    fn short(&mut self) -> Option<&'a [u8]> {
        let length = self.byte()?;
        self.take(usize::from(length))
    }

    fn long(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(usize::from(length))
    }

    fn longer(&mut self) -> Option<&'a [u8]> {
        let [high, middle, low] = *self.take(3)?.first_chunk()?;
        self.take(u32::from_be_bytes([0, high, middle, low]) as usize)
    }
}

#[cfg(test)]
mod tests;

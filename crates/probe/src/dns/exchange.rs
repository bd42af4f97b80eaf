//! One question and its answer on the wire: over UDP, and over TCP where the answer did not fit
//! (RFC 7766 §5).
//!
//! Owns: that an answer belongs to its question, and that nothing waits beyond the deadline. Never:
//! takes a datagram of anybody but the resolver: the socket is connected to it.

use hickory_proto::op::{Message, MessageType};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// The longest datagram that is asked for, in bytes: what passes everywhere in one piece.
pub(super) const PAYLOAD: u16 = 1232;
/// Datagrams looked at for one answer: a flood of wrong ones ends the wait.
const MOST_DATAGRAMS: usize = 64;

/// Why a resolver gave no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The network failed, or nothing came.
    Wire(io::Error),
    /// The same over TCP.
    Stream(io::Error),
    /// In words.
    Other(String),
}

impl Trouble {
    /// Whether an answer may come yet.
    pub(super) fn is_silence(&self) -> bool {
        match self {
            Self::Wire(error) | Self::Stream(error) => is_silence(error),
            Self::Other(_) => false,
        }
    }

    pub(super) fn words(&self) -> String {
        match self {
            Self::Wire(error) => words(error),
            Self::Stream(error) => format!("over TCP: {}", words(error)),
            Self::Other(why) => why.clone(),
        }
    }
}

pub(super) fn exchange(
    server: SocketAddr,
    message: &Message,
    until: Instant,
) -> Result<Message, Trouble> {
    let request = message.to_vec();
    let request = request.map_err(|error| Trouble::Other(error.to_string()))?;
    let answer = datagram(server, message, &request, until).map_err(Trouble::Wire)?;
    if !answer.metadata.truncation {
        return Ok(answer);
    }
    let bytes = stream(server, &request, until).map_err(Trouble::Stream)?;
    let answer = Message::from_vec(&bytes);
    let answer = answer.map_err(|error| Trouble::Other(format!("not a DNS message: {error}")))?;
    match belongs(&answer, message) && !answer.metadata.truncation {
        true => Ok(answer),
        false => Err(Trouble::Other("it answers another question".to_owned())),
    }
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "no answer in time".to_owned(),
        ErrorKind::ConnectionRefused => "nobody answers there".to_owned(),
        _ => error.to_string(),
    }
}

/// Whether a message is the answer to this very question (RFC 5452 §9.1).
fn belongs(answer: &Message, question: &Message) -> bool {
    let same = |(one, other): (&hickory_proto::op::Query, &hickory_proto::op::Query)| {
        one.name == other.name
            && one.query_type == other.query_type
            && one.query_class == other.query_class
    };
    answer.metadata.id == question.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && answer.queries.len() == question.queries.len()
        && answer.queries.iter().zip(&question.queries).all(same)
}

fn datagram(
    server: SocketAddr,
    message: &Message,
    request: &[u8],
    until: Instant,
) -> io::Result<Message> {
    let own: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(own)?;
    socket.connect(server)?;
    socket.send(request)?;
    // Once more when nothing has come in half of the time: datagrams get lost.
    let mut again = Some(Instant::now() + left(until)? / 2);
    let mut buffer = vec![0; usize::from(u16::MAX)];
    for _ in 0..MOST_DATAGRAMS {
        let length = loop {
            let wait = again.map_or(until, |again| again.min(until));
            let wait = left(wait).unwrap_or(Duration::from_millis(1));
            socket.set_read_timeout(Some(wait))?;
            match socket.recv(&mut buffer) {
                Ok(length) => break length,
                Err(error) if is_silence(&error) => {
                    left(until)?;
                    if again.take().is_some() {
                        socket.send(request)?;
                    }
                }
                Err(error) => return Err(error),
            }
        };
        let read = buffer.get(..length).map(Message::from_vec);
        if let Some(Ok(answer)) = read
            && belongs(&answer, message)
        {
            return Ok(answer);
        }
        left(until)?;
    }
    Err(io::Error::other("it answers other questions"))
}

fn is_silence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted
    )
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    match left.is_zero() {
        true => Err(ErrorKind::TimedOut.into()),
        false => Ok(left),
    }
}

fn stream(server: SocketAddr, request: &[u8], until: Instant) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, left(until)?)?;
    let length = u16::try_from(request.len()).map_err(io::Error::other)?;
    stream.set_write_timeout(Some(left(until)?))?;
    stream.write_all(&[length.to_be_bytes().as_slice(), request].concat())?;
    let mut length = [0; 2];
    fill(&mut stream, &mut length, until)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    fill(&mut stream, &mut answer, until)?;
    Ok(answer)
}

/// `read_exact` with one deadline for all of it.
fn fill(stream: &mut TcpStream, buffer: &mut [u8], until: Instant) -> io::Result<()> {
    let mut at = 0;
    while let Some(rest @ [_, ..]) = buffer.get_mut(at..) {
        stream.set_read_timeout(Some(left(until)?))?;
        match stream.read(rest)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            length => at += length,
        }
    }
    Ok(())
}

//! DNS messages over TCP (RFC 7766).
//!
//! Owns: one exchange a connection, within the bounds. Never: UDP, since a signed answer may be
//! longer and the sender's address can be forged.

use crate::bounds::GLANCE;
use crate::{Bounds, Halt, SolverError};
use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType, TSigVerifier};
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// The longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a message and reads the answer to it.
pub(super) fn exchange(
    server: SocketAddr,
    message: &Message,
    verifier: Option<TSigVerifier>,
    bounds: &Bounds<'_>,
) -> Result<Message, SolverError> {
    let bounds = bounds.at_most(PATIENCE);
    bounds.check()?;
    let wrong = |reason: String| SolverError::DnsAnswer { server, reason };
    let request = message.to_vec().map_err(|error| wrong(error.to_string()))?;
    let bytes = attended(server, request, &bounds)?;
    let answer = Message::from_vec(&bytes).map_err(|error| wrong(error.to_string()))?;
    if answer.id != message.id || answer.message_type != MessageType::Response {
        return Err(wrong("it answers another question".into()));
    }
    // A refusal is believed unsigned: one about the key cannot be signed by it (RFC 8945, 5.3.2),
    // and whoever can forge one can cut the line as well.
    if let Some(mut verifier) = verifier
        && answer.response_code == ResponseCode::NoError
    {
        verifier
            .verify(&bytes)
            .map_err(|_| wrong("its signature is not that of the key".into()))?;
    }
    Ok(answer)
}

/// A plain question.
pub(super) fn question(name: &Name, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = false;
    message.add_query(Query::query(name.clone(), kind));
    message
}

/// Talks in a thread of its own, since connecting cannot be interrupted. One that is left behind
/// ends with its deadline.
fn attended(
    server: SocketAddr,
    request: Vec<u8>,
    bounds: &Bounds<'_>,
) -> Result<Vec<u8>, SolverError> {
    let unreachable = |source| SolverError::DnsUnreachable { server, source };
    let (tell, told) = mpsc::channel();
    let (begun, until) = (Instant::now(), Instant::now() + bounds.left());
    // Not as the system calls the end of a wait ("Resource temporarily unavailable").
    let late = |source: io::Error| match source.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            let waited = begun.elapsed().as_secs();
            unreachable(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no answer in {waited} s"),
            ))
        }
        _ => unreachable(source),
    };
    std::thread::spawn(move || {
        // Nobody may be listening any more.
        let _ = tell.send(talk(server, &request, until));
    });
    loop {
        match told.recv_timeout(GLANCE) {
            Ok(answer) => return answer.map_err(late),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(unreachable(io::ErrorKind::BrokenPipe.into()));
            }
            Err(RecvTimeoutError::Timeout) => match bounds.check() {
                Err(Halt::Interrupted) => return Err(SolverError::Interrupted),
                Err(Halt::Deadline) => return Err(late(io::ErrorKind::TimedOut.into())),
                Ok(()) => {}
            },
        }
    }
}

fn talk(server: SocketAddr, request: &[u8], until: Instant) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, left(until))?;
    let length = u16::try_from(request.len()).map_err(io::Error::other)?;
    stream.set_write_timeout(Some(left(until)))?;
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
        if Instant::now() >= until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left(until)))?;
        match stream.read(rest)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => at += length,
        }
    }
    Ok(())
}

/// What is left, and never nothing: a timeout of zero means none.
fn left(until: Instant) -> Duration {
    let left = until.saturating_duration_since(Instant::now());
    left.max(Duration::from_millis(1))
}

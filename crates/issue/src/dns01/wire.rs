//! DNS messages over TCP (RFC 7766).
//!
//! Owns: one exchange a connection, within the bounds. Never: UDP, since a signed answer may be
//! longer and the sender's address can be forged.

use crate::{Bounds, SolverError};
use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType, TSigVerifier};
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

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
    let bytes = talk(server, &request, &bounds)
        .map_err(|source| SolverError::DnsUnreachable { server, source })?;
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

fn talk(server: SocketAddr, request: &[u8], bounds: &Bounds<'_>) -> io::Result<Vec<u8>> {
    let left = || Some(bounds.left().max(Duration::from_millis(1)));
    let mut stream =
        TcpStream::connect_timeout(&server, bounds.left().max(Duration::from_millis(1)))?;
    let length = u16::try_from(request.len()).map_err(io::Error::other)?;
    stream.set_write_timeout(left())?;
    stream.write_all(&[length.to_be_bytes().as_slice(), request].concat())?;
    let mut length = [0; 2];
    fill(&mut stream, &mut length, bounds)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    fill(&mut stream, &mut answer, bounds)?;
    Ok(answer)
}

/// `read_exact` with one deadline for all of it.
fn fill(stream: &mut TcpStream, buffer: &mut [u8], bounds: &Bounds<'_>) -> io::Result<()> {
    let mut at = 0;
    while let Some(rest @ [_, ..]) = buffer.get_mut(at..) {
        if bounds.check().is_err() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(bounds.left().max(Duration::from_millis(1))))?;
        match stream.read(rest)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => at += length,
        }
    }
    Ok(())
}

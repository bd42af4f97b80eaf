//! One connection, in clear or under TLS, that never outlives its deadline.
//!
//! Owns: the socket and the time left. Never: knows SMTP. Each read and write gets only the time
//! that is left to the whole, so a server that sends a byte a second cannot hold us.

use crate::tls;
use openssl::error::ErrorStack;
use openssl::ssl::{HandshakeError, Ssl, SslStream};
use postseal_planner::report::NO_ANSWER;
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A connection.
#[derive(Debug)]
pub(crate) enum Wire {
    Clear(Timed),
    Tls(SslStream<Timed>),
}

impl Wire {
    /// Connects, from an address of this host where one is given.
    pub(crate) fn connect(
        address: SocketAddr,
        from: Option<IpAddr>,
        until: Instant,
    ) -> io::Result<Self> {
        let socket = match from {
            Some(own) => bound(address, own, until)?,
            None => TcpStream::connect_timeout(&address, left(until)?)?,
        };
        Self::over(socket, until)
    }

    /// Takes over a connected socket.
    pub(crate) fn over(socket: TcpStream, until: Instant) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self::Clear(Timed { socket, until }))
    }

    /// Sets another deadline.
    pub(crate) fn set_deadline(&mut self, until: Instant) {
        match self {
            Self::Clear(timed) => timed.until = until,
            Self::Tls(stream) => stream.get_mut().until = until,
        }
    }

    /// The handshake as a client.
    pub(crate) fn connect_tls(self, ssl: Ssl) -> Result<SslStream<Timed>, HandshakeError<Timed>> {
        ssl.connect(self.into_timed()?)
    }

    /// The handshake as a server.
    pub(crate) fn accept_tls(self, ssl: Ssl) -> Result<SslStream<Timed>, HandshakeError<Timed>> {
        ssl.accept(self.into_timed()?)
    }

    /// The socket under it, for a handshake of another kind.
    pub(crate) fn into_timed(self) -> Result<Timed, openssl::error::ErrorStack> {
        match self {
            Self::Clear(timed) => Ok(timed),
            // TLS within TLS is not spoken: the dialogue asks for one handshake only.
            Self::Tls(_) => Err(openssl::error::ErrorStack::get()),
        }
    }

    /// Sends all bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(timed) => timed.write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes).map_err(|error| {
                // A server that hangs up has often said why: its alert came before the reset, and can be read still.
                let last = stream.read(&mut [0; 512]).err();
                last.filter(|last| of_library(last).is_some())
                    .unwrap_or(error)
            }),
        }
    }

    /// Reads what is there, at least a byte; 0 at the end.
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(timed) => timed.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }

    /// QUIT, and the server's goodbye, within `until` and never longer than two seconds.
    /// What comes of it changes nothing, so nothing is said about it.
    pub(crate) fn quit(mut self, until: Instant) {
        self.set_deadline(until.min(Instant::now() + Duration::from_secs(2)));
        if self.send(b"QUIT\r\n").is_ok() {
            let _ = self.receive(&mut [0; 512]);
            if let Self::Tls(stream) = &mut self {
                let _ = stream.shutdown();
            }
        }
    }
}

/// A socket with a deadline for all that is done with it.
#[derive(Debug)]
pub(crate) struct Timed {
    socket: TcpStream,
    until: Instant,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(left(self.until)?))?;
        again(|| self.socket.read(buffer))
    }
}

impl Write for Timed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(left(self.until)?))?;
        again(|| self.socket.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection from `own`. Where that cannot be taken it is made all the same: smtp(8) warns of it, and
/// goes on.
fn bound(address: SocketAddr, own: IpAddr, until: Instant) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    let _ = socket.bind(&SocketAddr::new(own, 0).into());
    socket.connect_timeout(&address.into(), left(until)?)?;
    Ok(socket.into())
}

/// The time left; an error when there is none.
fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        Err(ErrorKind::TimedOut.into())
    } else {
        Ok(left)
    }
}

/// Says `TimedOut` where the kernel says `WouldBlock`, which OpenSSL would take for "try again";
/// tries again itself after a signal.
fn again(mut action: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match action() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(ErrorKind::TimedOut.into());
            }
            done => return done,
        }
    }
}

/// An I/O error in the words of a report.
pub(crate) fn words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::TimedOut => NO_ANSWER.to_owned(),
        ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "the connection was reset".to_owned(),
        _ => match of_library(error) {
            Some(stack) => tls::ended(stack),
            None => error.to_string(),
        },
    }
}

/// What OpenSSL says of it, where it is OpenSSL's.
fn of_library(error: &io::Error) -> Option<&ErrorStack> {
    let error = error.get_ref()?.downcast_ref::<openssl::ssl::Error>()?;
    error.ssl_error()
}

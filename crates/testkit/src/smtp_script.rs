//! A scripted SMTP peer, server or client, that does exactly what a test tells it to.
//!
//! Owns: playing a list of steps over one loopback connection each, and saying where the other
//! side left the script. Never: understands SMTP, so it can be as wrong as a test needs; waits
//! longer than ten seconds for anything.

use openssl::ssl::{Ssl, SslContext, SslStream};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The longest wait for the other side.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a peer does, step by step; at the end it closes the connection.
#[derive(Clone, Default)]
pub struct SmtpScript {
    steps: Vec<Step>,
}

#[derive(Clone)]
enum Step {
    Say(Vec<u8>),
    Flood { unit: Vec<u8>, times: usize },
    Drip { bytes: Vec<u8>, every: Duration },
    Hear(String),
    Swallow(usize),
    Hold,
    Accept(SslContext),
    Connect(SslContext),
    Reset,
}

impl SmtpScript {
    /// A script without steps: accepts, and closes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends bytes as they are.
    pub fn say(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Say(bytes.as_ref().to_vec()))
    }

    /// Sends `unit` so many times; that the other side leaves meanwhile is no error.
    pub fn flood(self, unit: impl AsRef<[u8]>, times: usize) -> Self {
        self.then(Step::Flood {
            unit: unit.as_ref().to_vec(),
            times,
        })
    }

    /// Sends one byte at a time; that the other side leaves meanwhile is no error.
    pub fn drip(self, bytes: impl AsRef<[u8]>, every: Duration) -> Self {
        self.then(Step::Drip {
            bytes: bytes.as_ref().to_vec(),
            every,
        })
    }

    /// Reads a line, which must begin with `words` (case counts).
    pub fn hear(self, words: &str) -> Self {
        self.then(Step::Hear(words.to_owned()))
    }

    /// Reads at least one byte and at most `length`, and forgets them (a ClientHello).
    pub fn swallow(self, length: usize) -> Self {
        self.then(Step::Swallow(length))
    }

    /// Says nothing until the other side closes.
    pub fn hold(self) -> Self {
        self.then(Step::Hold)
    }

    /// Does the TLS handshake as a server.
    pub fn accept_tls(self, context: &SslContext) -> Self {
        self.then(Step::Accept(context.clone()))
    }

    /// Does the TLS handshake as a client.
    pub fn connect_tls(self, context: &SslContext) -> Self {
        self.then(Step::Connect(context.clone()))
    }

    /// Breaks the connection with RST.
    pub fn reset(self) -> Self {
        self.then(Step::Reset)
    }

    /// Plays the server's role on a free loopback port, for one connection.
    pub fn serve(self) -> ScriptedServer {
        ScriptedServer::start(vec![self])
    }

    /// Plays the server's role for one connection to a socket that listens already.
    ///
    /// # Panics
    /// Where the socket has no address.
    #[expect(clippy::expect_used, reason = "test support: the panic is the message")]
    pub fn on(self, listener: TcpListener) -> ScriptedServer {
        let address = listener.local_addr().expect("a bound port has an address");
        let play = move || {
            let (socket, _) = listener.accept().map_err(|error| error.to_string())?;
            play(self.steps, socket)
        };
        let thread = thread::spawn(move || vec![play()]);
        ScriptedServer { address, thread }
    }

    /// Plays the client's role against `address`; the error says which step failed.
    pub fn run(self, address: SocketAddr) -> Result<Heard, String> {
        let socket = TcpStream::connect_timeout(&address, PATIENCE)
            .map_err(|error| format!("cannot connect to {address}: {error}"))?;
        play(self.steps, socket)
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// The lines that were heard, without their ends.
pub type Heard = Vec<String>;

/// A scripted server, under way.
pub struct ScriptedServer {
    address: SocketAddr,
    thread: JoinHandle<Vec<Result<Heard, String>>>,
}

impl ScriptedServer {
    /// Plays each script for one connection, one after the other, on one port.
    ///
    /// # Panics
    /// Without a free loopback port there is no test.
    #[expect(clippy::expect_used, reason = "test support: the panic is the message")]
    pub fn start(scripts: Vec<SmtpScript>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
        let address = listener.local_addr().expect("a bound port has an address");
        let thread = thread::spawn(move || {
            let play_one = |script: SmtpScript| {
                let (socket, _) = listener.accept().map_err(|error| error.to_string())?;
                play(script.steps, socket)
            };
            scripts.into_iter().map(play_one).collect()
        });
        Self { address, thread }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the end of all scripts: the lines heard in each, or where it was left.
    ///
    /// # Panics
    /// When the server itself has panicked.
    #[expect(clippy::expect_used, reason = "test support: the panic is the message")]
    pub fn finish(self) -> Vec<Result<Heard, String>> {
        self.thread.join().expect("the scripted server panicked")
    }
}

fn play(steps: Vec<Step>, socket: TcpStream) -> Result<Heard, String> {
    let mut heard = Vec::new();
    let mut connection = Connection::Clear(socket);
    for (number, step) in steps.into_iter().enumerate() {
        connection = connection
            .step(step, &mut heard)
            .map_err(|error| format!("step {}: {error}; heard {heard:?}", number + 1))?;
    }
    Ok(heard)
}

enum Connection {
    Clear(TcpStream),
    Tls(SslStream<TcpStream>),
}

impl Connection {
    fn step(mut self, step: Step, heard: &mut Heard) -> io::Result<Self> {
        self.socket().set_read_timeout(Some(PATIENCE))?;
        self.socket().set_write_timeout(Some(PATIENCE))?;
        match step {
            Step::Say(bytes) => self.write(&bytes)?,
            Step::Flood { unit, times } => self.flood(&unit, times),
            Step::Drip { bytes, every } => self.drip(&bytes, every),
            Step::Hear(words) => heard.push(self.hear(&words)?),
            Step::Swallow(length) => {
                self.read(&mut vec![0; length])?;
            }
            Step::Hold => while self.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {},
            Step::Accept(context) => {
                let stream = Ssl::new(&context)?.accept(self.into_socket()?);
                return Ok(Self::Tls(stream.map_err(io::Error::other)?));
            }
            Step::Connect(context) => {
                let stream = Ssl::new(&context)?.connect(self.into_socket()?);
                return Ok(Self::Tls(stream.map_err(io::Error::other)?));
            }
            Step::Reset => {
                rustix::net::sockopt::set_socket_linger(self.socket(), Some(Duration::ZERO))?;
            }
        }
        Ok(self)
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Self::Clear(socket) => socket,
            Self::Tls(stream) => stream.get_ref(),
        }
    }

    fn into_socket(self) -> io::Result<TcpStream> {
        match self {
            Self::Clear(socket) => Ok(socket),
            Self::Tls(_) => Err(io::Error::other("TLS was started twice")),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(socket) => socket.write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes),
        }
    }

    fn flood(&mut self, unit: &[u8], times: usize) {
        // In larger pieces: a write a unit would take minutes.
        let pieces = (64 * 1024 / unit.len().max(1)).clamp(1, times.max(1));
        let piece = unit.repeat(pieces);
        let mut left = times;
        while left > 0 {
            let now = left.min(pieces);
            if self.write(&piece[..now * unit.len()]).is_err() {
                return;
            }
            left -= now;
        }
    }

    fn drip(&mut self, bytes: &[u8], every: Duration) {
        for byte in bytes {
            if self.write(&[*byte]).is_err() {
                return;
            }
            thread::sleep(every);
        }
    }

    /// A line, byte by byte, so that nothing of what follows is taken.
    fn hear(&mut self, words: &str) -> io::Result<String> {
        let mut line = Vec::new();
        let mut byte = [0];
        while byte != *b"\n" && line.len() < 64 * 1024 {
            if self.read(&mut byte)? == 0 {
                let words = format!("the end instead of {words:?}");
                return Err(io::Error::new(ErrorKind::UnexpectedEof, words));
            }
            line.push(byte[0]);
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if line.starts_with(words) {
            Ok(line)
        } else {
            Err(io::Error::other(format!("{line:?} instead of {words:?}")))
        }
    }
}

//! A server that answers each ClientHello with what a test makes of it, byte by byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// What a ClientHello asks for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// `0x0304` too.
    pub(crate) version: u16,
    pub(crate) suites: Vec<u16>,
    pub(crate) groups: Vec<u16>,
}

/// The server; its threads end with the test.
pub(crate) struct Server {
    address: SocketAddr,
    connections: Arc<AtomicU32>,
}

impl Server {
    /// Greets, and answers.
    pub(crate) fn start(answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::greeting(answer, |_| "220 mx.example ESMTP\r\n".to_owned())
    }

    /// With a greeting of its own for each connection.
    pub(crate) fn greeting(
        answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static,
        greet: impl Fn(u32) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::run(move |_, asked| answer(asked), greet)
    }

    /// With answers that depend on the connection's number, too.
    pub(crate) fn numbered(
        answer: impl Fn(u32, &Asked) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::run(answer, |_| "220 mx.example ESMTP\r\n".to_owned())
    }

    fn run(
        answer: impl Fn(u32, &Asked) -> Vec<u8> + Send + Sync + 'static,
        greet: impl Fn(u32) -> String + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&connections);
        let (answer, greet) = (Arc::new(answer), Arc::new(greet));
        thread::spawn(move || {
            while let Ok((socket, _)) = listener.accept() {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let (answer, greet) = (Arc::clone(&answer), Arc::clone(&greet));
                thread::spawn(move || {
                    serve(socket, &greet(number), &|asked| answer(number, asked))
                });
            }
        });
        Self {
            address,
            connections,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> u32 {
        self.connections.load(Ordering::SeqCst)
    }
}

/// The other side leaves when it likes; what comes of a connection is seen by the test.
fn serve(mut socket: TcpStream, greeting: &str, answer: &dyn Fn(&Asked) -> Vec<u8>) -> Option<()> {
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    socket.write_all(greeting.as_bytes()).ok()?;
    if !greeting.starts_with("220") {
        return None;
    }
    let mut reader = BufReader::new(socket.try_clone().ok()?);
    for said in ["250-mx.example\r\n250 STARTTLS\r\n", "220 2.0.0 Ready\r\n"] {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        socket.write_all(said.as_bytes()).ok()?;
    }
    // What was sent with STARTTLS is forgotten.
    if reader.fill_buf().ok()?.starts_with(b"NOOP") {
        reader.read_line(&mut String::new()).ok()?;
    }
    let mut header = [0; 5];
    reader.read_exact(&mut header).ok()?;
    let mut body = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    reader.read_exact(&mut body).ok()?;
    let asked = read(&body)?;
    socket.write_all(&answer(&asked)).ok()
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect()
}

/// Reads a ClientHello (RFC 5246 §7.4.1.2).
fn read(body: &[u8]) -> Option<Asked> {
    let mut asked = Asked {
        version: number(body, 4)?,
        ..Asked::default()
    };
    let mut at = 38 + 1 + usize::from(*body.get(38)?);
    let length = usize::from(number(body, at)?);
    asked.suites = numbers(body.get(at + 2..at + 2 + length)?);
    at += 2 + length;
    at += 1 + usize::from(*body.get(at)?) + 2;
    while let (Some(kind), Some(length)) = (number(body, at), number(body, at + 2)) {
        let content = body.get(at + 4..at + 4 + usize::from(length))?;
        match kind {
            10 => asked.groups = numbers(content.get(2..)?),
            43 => asked.version = number(content, 1)?,
            _ => {}
        }
        at += 4 + usize::from(length);
    }
    Some(asked)
}

/// A fatal alert.
pub(crate) fn alert(code: u8) -> Vec<u8> {
    vec![21, 3, 3, 0, 2, 2, code]
}

/// Bytes in records.
pub(crate) fn records(kind: u8, content: &[u8]) -> Vec<u8> {
    let record = |part: &[u8]| {
        let length = u16::try_from(part.len()).unwrap().to_be_bytes();
        [&[kind, 3, 3][..], &length, part].concat()
    };
    content.chunks(16 * 1024).flat_map(record).collect()
}

/// ServerHello and ServerHelloDone.
pub(crate) fn server_hello(
    version: u16,
    suite: u16,
    compression: u8,
    extensions: &[u8],
) -> Vec<u8> {
    let hello = hello(version, [7; 32], suite, compression, extensions);
    records(22, &[hello, vec![14, 0, 0, 0]].concat())
}

/// HelloRetryRequest: TLS 1.3 that names a group (RFC 8446 §4.1.4).
pub(crate) fn retry(suite: u16, group: u16) -> Vec<u8> {
    let [high, low] = group.to_be_bytes();
    let extensions = [0, 43, 0, 2, 3, 4, 0, 51, 0, 2, high, low];
    let random = openssl::sha::sha256(b"HelloRetryRequest");
    records(22, &hello(0x0303, random, suite, 0, &extensions))
}

fn hello(
    version: u16,
    random: [u8; 32],
    suite: u16,
    compression: u8,
    extensions: &[u8],
) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend(random);
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(compression);
    if !extensions.is_empty() {
        body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
        body.extend(extensions);
    }
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[2, length[1], length[2], length[3]], body.as_slice()].concat()
}

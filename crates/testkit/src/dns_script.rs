//! A scripted name server that answers exactly as a test tells it to, however wrong that is.
//!
//! Owns: one loopback address, over UDP and TCP, and the little of RFC 1035 that wrong answers are
//! made of. Never: understands a question; outlives its value.

use crate::pebble::own_address;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const PORT: u16 = 5302;
/// How soon a server notices that it is to end.
const TICK: Duration = Duration::from_millis(50);
const HEADER: usize = 12;

/// A header's flags: an answer, recursion done.
pub const ANSWER: u16 = 0x8180;
/// And DNSSEC vouches for it.
pub const VOUCHED: u16 = ANSWER | 0x0020;
/// It did not fit into the datagram.
pub const CUT: u16 = ANSWER | 0x0200;

/// What is sent back for a request: as many messages as the test likes.
type Script = dyn Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync;

/// A running server.
pub struct DnsScript {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl DnsScript {
    /// Answers datagrams by `udp`, connections by `tcp`.
    pub fn start(
        udp: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync + 'static,
        tcp: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let address: SocketAddr = (own_address(), PORT).into();
        let script = Self {
            address,
            ended: Arc::default(),
            asked: Arc::default(),
        };
        let socket = UdpSocket::bind(address)?;
        socket.set_read_timeout(Some(TICK))?;
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let (ended, asked) = (Arc::clone(&script.ended), Arc::clone(&script.asked));
        thread::spawn(move || datagrams(&socket, &udp, &ended, &asked));
        let (ended, asked) = (Arc::clone(&script.ended), Arc::clone(&script.asked));
        thread::spawn(move || connections(&listener, &tcp, &ended, &asked));
        Ok(script)
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests came.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for DnsScript {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

fn datagrams(socket: &UdpSocket, script: &Script, ended: &AtomicBool, asked: &AtomicUsize) {
    let mut buffer = [0; 4096];
    while !ended.load(Ordering::Relaxed) {
        if let Ok((length, client)) = socket.recv_from(&mut buffer) {
            asked.fetch_add(1, Ordering::Relaxed);
            for message in script(&buffer[..length]) {
                let _ = socket.send_to(&message, client);
            }
        }
    }
}

fn connections(listener: &TcpListener, script: &Script, ended: &AtomicBool, asked: &AtomicUsize) {
    while !ended.load(Ordering::Relaxed) {
        let Ok((mut client, _)) = listener.accept() else {
            thread::sleep(TICK / 10);
            continue;
        };
        asked.fetch_add(1, Ordering::Relaxed);
        let _ = client.set_nonblocking(false);
        let _ = client.set_read_timeout(Some(Duration::from_secs(5)));
        let mut length = [0; 2];
        if client.read_exact(&mut length).is_err() {
            continue;
        }
        let mut request = vec![0; usize::from(u16::from_be_bytes(length))];
        if client.read_exact(&mut request).is_err() {
            continue;
        }
        for message in script(&request) {
            let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
            let _ = client.write_all(&length.to_be_bytes());
            let _ = client.write_all(&message);
        }
    }
}

/// The question's bytes within a request.
pub fn question(request: &[u8]) -> &[u8] {
    let mut end = HEADER;
    while let Some(length) = request.get(end)
        && *length > 0
    {
        end += usize::from(*length) + 1;
    }
    request.get(HEADER..end + 5).unwrap_or_default()
}

/// An answer to a request: these flags, these records.
pub fn reply(request: &[u8], flags: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let count = u16::try_from(records.len()).unwrap_or(u16::MAX);
    let mut message = request.get(..2).unwrap_or_default().to_vec();
    for number in [flags, 1, count, 0, 0] {
        message.extend(number.to_be_bytes());
    }
    message.extend(question(request));
    message.extend(records.iter().flatten());
    message
}

/// A name on the wire.
pub fn name(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).unwrap_or(63));
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

/// A record of this type number.
pub fn record(owner: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = name(owner);
    bytes.extend(kind.to_be_bytes());
    bytes.extend(1_u16.to_be_bytes());
    bytes.extend(300_u32.to_be_bytes());
    bytes.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend(data);
    bytes
}

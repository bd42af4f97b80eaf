//! A small receiving server on loopback, for rehearsals and proofs.
//!
//! Owns: accepting connections, remembering what came, and ending every thread on drop. Never:
//! listens anywhere but on loopback, relays, writes a file, or grows without bounds: where it may
//! not remember a message it does not accept it either, so "accepted" always means "on record".

mod record;
mod serve;

pub use record::{Delivered, SinkSession, TlsUsed};

use mailtls::TlsVersion;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{SslContext, SslMethod, SslOptions, SslVerifyMode, SslVersion};
use openssl::x509::X509;
use record::Record;
use serve::Server;
use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use zeroize::Zeroizing;

/// Connections served at the same time; more are answered 421.
const CONNECTIONS: usize = 64;

/// How a sink is to be.
#[derive(Clone, Debug)]
pub struct SinkOptions {
    /// Where to listen: a loopback address; port 0 takes a free one.
    pub address: SocketAddr,
    /// Its name in the banner.
    pub hostname: String,
    /// What TLS it speaks.
    pub tls: SinkTls,
    /// How much of each message it remembers.
    pub keep: Keep,
}

impl SinkOptions {
    /// A sink on a free port of 127.0.0.1 that remembers whole messages.
    pub fn new(tls: SinkTls) -> Self {
        Self {
            address: ([127, 0, 0, 1], 0).into(),
            hostname: "sink.invalid".to_owned(),
            tls,
            keep: Keep::Whole,
        }
    }
}

/// What TLS a sink speaks.
#[derive(Clone, Debug)]
pub enum SinkTls {
    /// None.
    None,
    /// It offers STARTTLS.
    StartTls(SinkCertificate),
    /// TLS with the first byte.
    Implicit(SinkCertificate),
}

/// What a sink shows in a handshake.
#[derive(Clone, Debug)]
pub struct SinkCertificate {
    /// The chain, leaf first, PEM.
    pub cert_pem: Vec<u8>,
    /// Its key, PEM, not encrypted.
    pub key_pem: Zeroizing<Vec<u8>>,
    /// Speak nothing newer than this.
    pub newest: Option<TlsVersion>,
    /// Whether it asks clients for a certificate of theirs.
    pub asks: Asks,
}

/// Whether a sink asks clients for a certificate. It takes any, and none: what came is on record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asks {
    /// No.
    #[default]
    Nothing,
    /// Yes.
    ForCertificate,
}

impl SinkCertificate {
    /// With all versions that the library allows.
    pub fn new(cert_pem: impl Into<Vec<u8>>, key_pem: impl Into<Vec<u8>>) -> Self {
        Self {
            cert_pem: cert_pem.into(),
            key_pem: Zeroizing::new(key_pem.into()),
            newest: None,
            asks: Asks::Nothing,
        }
    }
}

/// How much of each message is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All of it, up to 1 MiB a message.
    Whole,
    /// The header.
    Header,
}

/// Why a sink cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// Only loopback is served.
    #[error("{0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The address cannot be listened at.
    #[error("cannot listen at {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The certificate or key cannot be used.
    #[error("the sink's certificate cannot be used")]
    Certificate(#[source] ErrorStack),
}

/// A running sink; it stops when dropped.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    record: Arc<Record>,
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// Listens and serves.
    pub fn start(options: SinkOptions) -> Result<Self, SinkError> {
        let address = options.address;
        if !address.ip().is_loopback() {
            return Err(SinkError::NotLoopback(address));
        }
        let server = Server::new(options).map_err(SinkError::Certificate)?;
        let record = Arc::clone(&server.record);
        let stop = Arc::new(Stop::default());
        let listen = |source| SinkError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let thread = thread::Builder::new()
            .name("sink".to_owned())
            .spawn({
                let stop = Arc::clone(&stop);
                move || accept(&listener, &Arc::new(server), &stop)
            })
            .map_err(listen)?;
        Ok(Self {
            address,
            record,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The messages accepted so far.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.record.delivered()
    }

    /// The sessions that ended so far, those without a message too.
    pub fn sessions(&self) -> Vec<SinkSession> {
        self.record.sessions()
    }

    /// Waits until at least `count` messages were accepted, no longer than `deadline`; how many
    /// there are then.
    pub fn wait_for(&self, count: usize, deadline: Duration) -> usize {
        self.record.wait_for(count, deadline)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stop.now(self.address);
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed already, and there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

/// What ends the threads: a flag, and the sockets under way.
#[derive(Debug, Default)]
struct Stop {
    flag: AtomicBool,
    sockets: Mutex<BTreeMap<u64, TcpStream>>,
}

impl Stop {
    fn is_set(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }

    fn now(&self, address: SocketAddr) {
        self.flag.store(true, Ordering::Release);
        // Wakes `accept`, which looks at the flag first.
        let _ = TcpStream::connect_timeout(&address, Duration::from_secs(1));
    }

    fn sockets(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, TcpStream>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn accept(listener: &TcpListener, server: &Arc<Server>, stop: &Arc<Stop>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for number in 0.. {
        let accepted = listener.accept();
        if stop.is_set() {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        match accepted {
            Ok((socket, _)) if threads.len() < CONNECTIONS => {
                threads.extend(spawn(number, socket, server, stop));
            }
            Ok((socket, _)) => serve::too_many(socket),
            // No descriptors left, or the like: better slow than spinning.
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
    for socket in stop.sockets().values() {
        let _ = socket.shutdown(Shutdown::Both);
    }
    for thread in threads {
        let _ = thread.join();
    }
}

/// Serves one connection on a thread of its own; `None` where there is none to be had.
fn spawn(
    number: u64,
    socket: TcpStream,
    server: &Arc<Server>,
    stop: &Arc<Stop>,
) -> Option<JoinHandle<()>> {
    stop.sockets().insert(number, socket.try_clone().ok()?);
    let (server, stop_then) = (Arc::clone(server), Arc::clone(stop));
    let spawned = thread::Builder::new()
        .name("sink session".to_owned())
        .spawn(move || {
            server.serve(socket);
            stop_then.sockets().remove(&number);
        });
    if spawned.is_err() {
        stop.sockets().remove(&number);
    }
    spawned.ok()
}

/// The server's side of TLS.
fn context(certificate: &SinkCertificate) -> Result<SslContext, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::tls_server())?;
    let mut chain = X509::stack_from_pem(&certificate.cert_pem)?.into_iter();
    if let Some(leaf) = chain.next() {
        context.set_certificate(&leaf)?;
    }
    for issuer in chain {
        context.add_extra_chain_cert(issuer)?;
    }
    let key = PKey::private_key_from_pem(&certificate.key_pem)?;
    context.set_private_key(&key)?;
    context.check_private_key()?;
    context.set_max_proto_version(certificate.newest.and_then(ssl_version))?;
    if certificate.asks == Asks::ForCertificate {
        context.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
    }
    // Every session must show its certificate, so none is resumed.
    context.set_options(SslOptions::NO_TICKET);
    Ok(context.build())
}

fn ssl_version(version: TlsVersion) -> Option<SslVersion> {
    match version {
        TlsVersion::Ssl2 | TlsVersion::Ssl3 => Some(SslVersion::SSL3),
        TlsVersion::Tls1_0 => Some(SslVersion::TLS1),
        TlsVersion::Tls1_1 => Some(SslVersion::TLS1_1),
        TlsVersion::Tls1_2 => Some(SslVersion::TLS1_2),
        TlsVersion::Tls1_3 => Some(SslVersion::TLS1_3),
    }
}

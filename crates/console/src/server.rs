//! The process: its runtime, its listener, its end.
//!
//! Owns: connections, their bounds and deadlines. Never: what is answered (`routes`).

use crate::app::{App, Peer, Shared};
use crate::desks::Desks;
use crate::error::ConsoleError;
use crate::limits::Limits;
use crate::password::Hasher;
use crate::{Options, routes};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service as _;

/// How many connections are open at once; further ones wait to be accepted.
const CONNECTIONS: usize = 4096;
/// How long a client may take for the head of a request, and rest between two.
const HEAD: Duration = Duration::from_secs(10);
/// The bytes of a head.
const HEAD_BYTES: usize = 64 * 1024;
/// How long a connection lasts: a reader that takes nothing holds it no longer. Streams come back by themselves.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How long requests may go on once the console is to end.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How many streams of events are open at once.
const STREAMS: usize = 64;

/// A console that listens.
pub struct Console {
    runtime: Runtime,
    listener: TcpListener,
    app: App,
    address: SocketAddr,
}

/// Runs a console until SIGTERM or SIGINT.
pub fn serve(options: Options) -> Result<(), ConsoleError> {
    let console = Console::open(options)?;
    let _inside = console.runtime.enter();
    let cannot = |source| ConsoleError::System {
        doing: "wait for signals",
        source,
    };
    let mut terminated = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(cannot)?;
    console.run(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    });
    Ok(())
}

impl Console {
    /// Opens the desk and listens; nobody is answered before [`Console::run`].
    pub fn open(options: Options) -> Result<Self, ConsoleError> {
        if !options.listen.ip().is_loopback() {
            return Err(ConsoleError::Exposed(options.listen));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|source| ConsoleError::System {
                doing: "start threads",
                source,
            })?;
        let desks = Desks::open(options.desk)?;
        let cannot = |source| ConsoleError::Listen {
            address: options.listen,
            source,
        };
        let listener = runtime.block_on(TcpListener::bind(options.listen));
        let listener = listener.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let app = App::new(Shared {
            desks,
            instance: options.instance,
            hosts: options.hosts,
            listen: address,
            hasher: Hasher::new()?,
            limits: Limits::new(),
            streams: Arc::new(Semaphore::new(STREAMS)),
        });
        Ok(Self {
            runtime,
            listener,
            app,
            address,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is ready; what is being answered then may go on for some seconds.
    pub fn run(&self, stop: impl Future<Output = ()>) {
        let router = routes::router(&self.app);
        self.runtime.block_on(accept(&self.listener, &router, stop));
    }
}

async fn accept(listener: &TcpListener, router: &Router, stop: impl Future<Output = ()>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let open = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            // The semaphore is never closed.
            let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
            Some((slot, listener.accept().await))
        };
        let next = tokio::select! {
            () = &mut stop => break,
            next = next => next,
        };
        match next {
            None => break,
            Some((slot, Ok((stream, peer)))) => answer(stream, peer, slot, router.clone(), &open),
            // Too many open files, say: it passes.
            Some((_, Err(_))) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    let _unfinished = tokio::time::timeout(LAST_WORDS, open.shutdown()).await;
}

/// Answers what comes on a connection.
fn answer(
    stream: TcpStream,
    peer: SocketAddr,
    slot: OwnedSemaphorePermit,
    router: Router,
    open: &GracefulShutdown,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        // A router is always ready.
        router.clone().call(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let connection = open.watch(connection);
    tokio::spawn(async move {
        let _slot = slot;
        // What a client does to its connection is the client's affair.
        let _ended = tokio::time::timeout(LIFETIME, connection).await;
    });
}

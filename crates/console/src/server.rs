//! The process: its runtime, its listener, its end.
//!
//! Owns: connections, their bounds and deadlines. Never: what is answered (`routes`).

use crate::app::{App, Peer, Shared};
use crate::clock;
use crate::desks::Desks;
use crate::error::ConsoleError;
use crate::limits::Limits;
use crate::open::{Open, Work};
use crate::password::Hasher;
use crate::proxies::Proxies;
use crate::tls::Presented;
use crate::turns::Turns;
use crate::{Options, routes};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

/// How many connections are open at once; then the oldest that is not at work goes.
const CONNECTIONS: usize = 4096;
/// How long a client may take for the head of a request, and rest between two.
const HEAD: Duration = Duration::from_secs(10);
/// The bytes of a head.
const HEAD_BYTES: usize = 64 * 1024;
/// How long a connection lasts: a reader that takes nothing holds it no longer. Streams come back by themselves.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How long requests may go on once the console is to end.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long a sealed upload waits for an agent, in milliseconds: a day. Who sent it is told by its job.
const UPLOADS_STAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How often those that waited longer are looked for.
const UPLOADS_EVERY: Duration = Duration::from_secs(10 * 60);
/// How many requests of a list's length are in memory at once, and of one person's; others wait for their turn.
const LISTS: (usize, usize) = (2, 1);
/// How many streams of events are open at once, and of one person's.
const STREAMS: (usize, usize) = (64, 16);

/// A console that listens.
pub struct Console {
    runtime: Runtime,
    listener: TcpListener,
    app: App,
    address: SocketAddr,
    presented: Option<Arc<Presented>>,
}

/// Runs a console until SIGTERM or SIGINT.
pub fn serve(options: Options) -> Result<(), ConsoleError> {
    // As many files as this process may have; where it may have no more, it goes on with what it has.
    let files = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: files.maximum,
        ..files
    };
    let _as_many_as_may_be = setrlimit(Resource::Nofile, all);
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
        if !options.listen.ip().is_loopback() && options.presented.is_none() {
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
            proxies: Proxies::read(&options.trusted_proxies)?,
            two_persons: options.two_persons,
            has_tls: options.presented.is_some(),
            filing: Mutex::new(()),
            lists: Turns::new(LISTS.0, LISTS.1),
            streams: Turns::new(STREAMS.0, STREAMS.1),
        });
        Ok(Self {
            runtime,
            listener,
            app,
            address,
            presented: options.presented,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is ready; what is being answered then may go on for some seconds.
    pub fn run(&self, stop: impl Future<Output = ()>) {
        let doors = Doors {
            router: routes::router(&self.app),
            presented: self.presented.clone(),
            open: Open::new(connections()),
            graceful: GracefulShutdown::new(),
        };
        let uploads = self.runtime.spawn(expire_uploads(self.app.clone()));
        self.runtime.block_on(accept(&self.listener, doors, stop));
        uploads.abort();
    }
}

/// Removes uploads that no agent fetches, now and then; where the desk cannot be reached, the next time.
async fn expire_uploads(app: App) {
    loop {
        let now = clock::now_ms();
        let _next_time = app
            .desks
            .at(move |desk| desk.expire_uploads(now - UPLOADS_STAY_MS, now))
            .await;
        tokio::time::sleep(UPLOADS_EVERY).await;
    }
}

/// What every connection needs.
struct Doors {
    router: Router,
    presented: Option<Arc<Presented>>,
    open: Open,
    graceful: GracefulShutdown,
}

async fn accept(listener: &TcpListener, doors: Doors, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = tokio::select! {
            () = &mut stop => break,
            next = listener.accept() => next,
        };
        match next {
            Ok((stream, peer)) => doors.answer(stream, peer),
            // Too many open files, say: one that rests goes, and it passes.
            Err(_) => {
                doors.open.end_an_idle_one();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    let _unfinished = tokio::time::timeout(LAST_WORDS, doors.graceful.shutdown()).await;
}

/// How many connections may be open: each takes a file, and so do the desk and the assets.
fn connections() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    CONNECTIONS.min(files / 2)
}

impl Doors {
    /// Answers what comes on a connection.
    fn answer(&self, stream: TcpStream, peer: SocketAddr) {
        // Where all are at work, there is no place for another.
        let Some(place) = self.open.enter() else {
            return;
        };
        let tls = self.presented.as_ref().map(|presented| presented.now());
        let work = place.work();
        let (router, watcher) = (self.router.clone(), self.graceful.watcher());
        let answered = async move {
            // What a client does to its connection is the client's affair.
            match tls {
                None => drop(serve_on(stream, peer, router, work, watcher).await),
                Some(None) => {}
                Some(Some(config)) => {
                    let agreed = TlsAcceptor::from(config).accept(stream);
                    if let Ok(Ok(stream)) = tokio::time::timeout(HEAD, agreed).await {
                        drop(serve_on(stream, peer, router, work, watcher).await);
                    }
                }
            }
        };
        tokio::spawn(async move {
            tokio::select! {
                () = place.is_wanted() => {}
                _ended = tokio::time::timeout(LIFETIME, answered) => {}
            }
        });
    }
}

async fn serve_on(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    work: Work,
    watcher: Watcher,
) -> hyper::Result<()> {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        request.extensions_mut().insert(work.clone());
        // A router is always ready.
        router.clone().call(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    watcher.watch(connection).await
}

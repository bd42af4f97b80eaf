//! The answerer on a listening socket.
//!
//! Owns: what a request may look like, and how long it may take. Never: reads a body, answers
//! anything but GET of a known token, lets one slow client keep another waiting.

use super::{PREFIX, checked};
use crate::{Bounds, Challenge, ChallengeKind, Solver, SolverError};
use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// The longest request head.
const MAX_HEAD: usize = 4096;
/// How long one client may take, from the first byte to the last.
const PER_CLIENT: Duration = Duration::from_secs(10);
/// How many clients at once: a CA looks from several places, and from each more than once.
const MAX_CLIENTS: usize = 64;
const GLANCE: Duration = Duration::from_millis(20);

/// The tokens that are answered now; a clone is the same list.
#[derive(Clone, Debug, Default)]
pub struct Answers(Arc<Mutex<BTreeMap<String, String>>>);

impl Answers {
    /// Adds one.
    pub fn add(&self, token: &str, key_authorization: &str) {
        self.lock()
            .insert(token.to_owned(), key_authorization.to_owned());
    }

    /// Takes one away.
    pub fn remove(&self, token: &str) {
        self.lock().remove(token);
    }

    fn get(&self, token: &str) -> Option<String> {
        self.lock().get(token).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers on a socket that is bound already, until the bounds end. Returns then.
pub fn serve(listener: TcpListener, answers: &Answers, bounds: &Bounds<'_>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let room = Arc::new(Semaphore::new(MAX_CLIENTS));
        while bounds.check().is_ok() {
            let Ok(accepted) = tokio::time::timeout(GLANCE, listener.accept()).await else {
                continue;
            };
            let Ok((stream, _)) = accepted else {
                // Out of descriptors, or a client that left: neither is a reason to give up.
                tokio::time::sleep(GLANCE).await;
                continue;
            };
            let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
                continue;
            };
            let answers = answers.clone();
            tokio::spawn(async move {
                let _ = tokio::time::timeout(PER_CLIENT, answer(stream, &answers)).await;
                drop(place);
            });
        }
        Ok(())
    })
}

async fn answer(mut stream: TcpStream, answers: &Answers) -> io::Result<()> {
    let mut head = Vec::with_capacity(MAX_HEAD);
    let mut part = [0; 1024];
    while !ended(&head) && head.len() < MAX_HEAD {
        match stream.read(&mut part).await? {
            0 => return Ok(()),
            length => head.extend_from_slice(part.get(..length).unwrap_or_default()),
        }
    }
    let response = match token(&head).and_then(|token| answers.get(token)) {
        Some(answer) if ended(&head) => response("200 OK", &answer),
        _ => response("404 Not Found", ""),
    };
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}

fn ended(head: &[u8]) -> bool {
    head.windows(4).any(|four| four == b"\r\n\r\n")
}

/// The token that a head asks for.
fn token(head: &[u8]) -> Option<&str> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (path, version) = line.strip_prefix("GET ")?.split_once(' ')?;
    version.strip_prefix("HTTP/1.")?;
    path.strip_prefix(PREFIX)
}

fn response(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The answerer in a thread of this process, for those who are unprivileged anyway.
#[derive(Debug)]
pub struct Http01Listener {
    answers: Answers,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Http01Listener {
    /// Starts to answer on a socket that is bound already, for at most `life`.
    pub fn start(listener: TcpListener, life: Duration) -> Self {
        let answers = Answers::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (theirs, flag) = (answers.clone(), Arc::clone(&stop));
        let thread =
            std::thread::spawn(move || serve(listener, &theirs, &Bounds::new(0, life, &flag)));
        Self {
            answers,
            stop,
            thread: Some(thread),
        }
    }
}

impl Solver for Http01Listener {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::Http01
    }

    fn present(&mut self, challenge: &Challenge, _: &Bounds<'_>) -> Result<(), SolverError> {
        checked(challenge)?;
        if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            let ended = io::Error::other("it has ended");
            return Err(SolverError::Listener(ended));
        }
        self.answers
            .add(&challenge.token, &challenge.key_authorization);
        Ok(())
    }

    fn clean_up(&mut self, challenge: &Challenge, _: &Bounds<'_>) -> Result<(), SolverError> {
        self.answers.remove(&challenge.token);
        Ok(())
    }
}

impl Drop for Http01Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It looks at the flag every few milliseconds.
            let _ = thread.join();
        }
    }
}

//! The console under reads, while somebody tries passwords.
//!
//! Owns: who asks for what and when, and how long each waited. Never: judges it.

use super::PAGES;
use crate::Outcome;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

/// How long it is held.
const HELD: Duration = Duration::from_secs(30);
/// Readers, and how often each asks: 200 times a second in all.
const READERS: u32 = 20;
const EVERY: Duration = Duration::from_millis(100);
/// Those who try passwords, each as fast as it is answered.
const GUESSERS: u32 = 4;

/// What came of it.
pub(super) struct Held {
    /// Requests that were answered, a second.
    pub(super) rate: f64,
    /// From the moment a request was due until its answer was read.
    pub(super) median: Duration,
    pub(super) p99: Duration,
    /// Passwords that were tried meanwhile.
    pub(super) guesses: u64,
}

pub(super) fn held(at: SocketAddr, cookie: &str) -> Outcome<Held> {
    let began = Instant::now();
    let is_over = AtomicBool::new(false);
    let guesses = AtomicU64::new(0);
    let mut all: Vec<Duration> = Vec::new();
    scope(|scope| {
        for _ in 0..GUESSERS {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    if guess(at).is_ok() {
                        guesses.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let readers: Vec<_> = (0..READERS)
            .map(|n| scope.spawn(move || reads(at, cookie, began + EVERY * n / READERS)))
            .collect();
        let mut outcome = Ok(());
        for reader in readers {
            match reader.join() {
                Ok(Ok(waits)) => all.extend(waits),
                Ok(Err(error)) => outcome = Err(error),
                Err(_) => outcome = Err("a reader panicked".into()),
            }
        }
        is_over.store(true, Ordering::Relaxed);
        outcome
    })
    .map_err(|error: String| error)?;
    let rate = all.len() as f64 / began.elapsed().as_secs_f64();
    all.sort();
    let at_share = |hundredths: usize| all.get(all.len() * hundredths / 100).copied();
    Ok(Held {
        rate,
        median: at_share(50).ok_or("no request was answered")?,
        p99: at_share(99).ok_or("no request was answered")?,
        guesses: guesses.into_inner(),
    })
}

/// A reader: asks when it is due, however late the answer before came.
fn reads(at: SocketAddr, cookie: &str, mut due: Instant) -> Result<Vec<Duration>, String> {
    let end = due + HELD;
    let mut waits = Vec::new();
    for (_, query, _) in PAGES.iter().cycle() {
        if due >= end {
            break;
        }
        sleep(due.saturating_duration_since(Instant::now()));
        let asked = format!(
            "GET /policies{query} HTTP/1.1\r\nhost: {at}\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
        );
        let answer = ask(at, &asked).map_err(|error| error.to_string())?;
        if !answer.starts_with("HTTP/1.1 200") {
            return Err(format!("{query}: {answer}"));
        }
        waits.push(due.elapsed());
        due += EVERY;
    }
    Ok(waits)
}

fn guess(at: SocketAddr) -> std::io::Result<String> {
    let form = "name=bench&password=not+the+right+one";
    let length = form.len();
    ask(
        at,
        &format!(
            "POST /sign-in HTTP/1.1\r\nhost: {at}\r\norigin: http://{at}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{form}"
        ),
    )
}

fn ask(at: SocketAddr, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(at)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

//! The scratch instance's log.
//!
//! Owns: the datagram socket `public/postlog` that Postfix's programs write log lines to when
//! `maillog_file` is set (3.4), read by a thread here in place of postlogd. Never: writes a file,
//! keeps more than a bound.

use crate::HostError;
use crate::file::failed;
use std::fs::{self, Permissions};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What is kept of a log; a rehearsal writes a few hundred lines.
const LIMIT: usize = 4 << 20;
/// Postfix's lines are cut at 2 KiB by default and never longer than this.
const LINE: usize = 64 << 10;

/// A handle on the log; the socket is shut when the last one goes.
#[derive(Clone, Debug)]
pub(super) struct LogSink(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    socket: UnixDatagram,
    log: Arc<Log>,
}

#[derive(Debug, Default)]
struct Log {
    bytes: Mutex<Vec<u8>>,
    grown: Condvar,
}

impl LogSink {
    /// Makes the socket at `path` and starts reading.
    pub(super) fn open(path: &Path) -> Result<Self, HostError> {
        // A former attempt's.
        let _ = fs::remove_file(path);
        let socket = UnixDatagram::bind(path).map_err(failed("make", path))?;
        fs::set_permissions(path, Permissions::from_mode(0o666)).map_err(failed("make", path))?;
        let reader = socket.try_clone().map_err(failed("open", path))?;
        let log = Arc::new(Log::default());
        let kept = Arc::clone(&log);
        thread::spawn(move || read(&reader, &kept));
        Ok(Self(Arc::new(Shared { socket, log })))
    }

    /// Everything so far.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.log.lock().clone()
    }

    /// How often `needle` stands in it.
    pub(super) fn count(&self, needle: &[u8]) -> usize {
        let bytes = self.0.log.lock();
        bytes
            .windows(needle.len())
            .filter(|at| *at == needle)
            .count()
    }

    /// Waits until something comes, at most for `time`.
    pub(super) fn wait(&self, time: Duration) {
        let bytes = self.0.log.lock();
        let _ = self.0.log.grown.wait_timeout(bytes, time);
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line; what is not printable becomes `?`, as postlogd does.
    fn push(&self, line: &[u8]) {
        let mut bytes = self.lock();
        if bytes.len() + line.len() < LIMIT {
            let shown = line.iter().map(|byte| match byte {
                0..=31 | 127 => b'?',
                other => *other,
            });
            bytes.extend(shown);
            bytes.push(b'\n');
        }
        self.grown.notify_all();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Ends the reader; if it cannot, the thread sleeps on a socket that nobody can reach.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

fn read(socket: &UnixDatagram, log: &Log) {
    let mut line = vec![0; LINE];
    while let Ok(length @ 1..) = socket.recv(&mut line) {
        let text = &line[..length];
        log.push(text.strip_suffix(b"\n").unwrap_or(text));
    }
}

#[cfg(test)]
mod tests;

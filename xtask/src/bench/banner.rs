//! How long a client waits for a banner while something else happens.
//!
//! Owns: one thread that connects, reads the greeting and goes again. A refused or dropped
//! connection is no end of the wait: the client tries again and the clock runs on.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest single attempt.
const ATTEMPT: Duration = Duration::from_secs(5);
/// Pause between two clients.
const PAUSE: Duration = Duration::from_millis(10);

/// A running watch.
pub struct BannerWatch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl BannerWatch {
    /// Begins to wait for banners on all `ports`, in turn.
    #[must_use]
    pub fn start(ports: &[SocketAddr]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, ports) = (Arc::clone(&stop), ports.to_vec());
        let thread = std::thread::spawn(move || watch(&ports, &flag));
        Self { stop, thread }
    }

    /// Ends it: the longest wait, the one that was running included.
    #[must_use]
    pub fn stop(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        // A thread that panicked saw nothing: the worst is assumed.
        self.thread.join().unwrap_or(Duration::MAX)
    }
}

fn watch(ports: &[SocketAddr], stop: &AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    for port in ports.iter().cycle() {
        let start = Instant::now();
        while !greeted(*port) && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(PAUSE);
        }
        longest = longest.max(start.elapsed());
        if stop.load(Ordering::Relaxed) {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    longest
}

/// Whether the server says 220.
fn greeted(port: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&port, ATTEMPT) else {
        return false;
    };
    let limited = stream.set_read_timeout(Some(ATTEMPT));
    let mut line = Vec::new();
    let read = BufReader::new(&stream).read_until(b'\n', &mut line);
    // The session's end is the server's affair; the banner is what counts.
    let _ = stream.write_all(b"QUIT\r\n");
    limited.is_ok() && read.is_ok() && line.starts_with(b"220")
}

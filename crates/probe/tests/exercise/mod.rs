//! All that reads a server's bytes of TLS, called on the same bytes. The fuzzer and the replay
//! share it.

use postseal_probe::full::answer::{Flight, FlightError, FlightReader, Progress};

/// Reads the bytes whole and byte by byte: nothing may panic, hang or take memory without bound, and
/// what is read does not depend on how the bytes come.
pub(crate) fn exercise(bytes: &[u8]) {
    let whole = read(bytes, bytes.len().max(1));
    // Byte by byte takes its time: of what is long, only the beginning.
    if bytes.len() < 4096 {
        assert_eq!(whole, read(bytes, 1));
    }
    if let (_, Some(flight)) = whole {
        assert!(flight.chain.len() <= 100);
        assert!(flight.asks.is_none_or(|names| names.len() <= 100));
        assert!(flight.session.len() <= 255);
    }
}

fn read(bytes: &[u8], piece: usize) -> (Result<Progress, FlightError>, Option<Flight>) {
    let mut reader = FlightReader::default();
    let mut last = Ok(Progress::More);
    for part in bytes.chunks(piece) {
        last = reader.receive(part);
        if last != Ok(Progress::More) {
            break;
        }
    }
    (last, reader.into_flight())
}

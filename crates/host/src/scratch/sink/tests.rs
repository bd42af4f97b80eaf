//! Tests of `sink`: the scratch instance's log.

use super::*;
use std::time::Instant;

#[test]
fn lines_are_kept_and_made_printable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postlog");
    let sink = LogSink::open(&path).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sender.send_to(b"one\n", &path).unwrap();
    sender.send_to(b"two\x1b[31m\nthree", &path).unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    while sink.count(b"three") == 0 && Instant::now() < end {
        sink.wait(Duration::from_millis(20));
    }
    assert_eq!(sink.bytes(), b"one\ntwo?[31m?three\n");
    assert_eq!(sink.count(b"o"), 2);
}

#[test]
fn more_lines_than_a_socket_queues_do_not_block_their_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postlog");
    let sink = LogSink::open(&path).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    for _ in 0..1000 {
        sender.send_to(&[b'x'; 8000], &path).unwrap();
    }
    assert!(sink.bytes().len() <= LIMIT);
}

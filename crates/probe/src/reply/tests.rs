//! Replies: what is one, what is not, and how much of it is kept.

use super::*;

fn read(bytes: &[u8]) -> Result<Option<Reply>, ReplyError> {
    let mut reader = ReplyReader::default();
    reader.receive(bytes);
    reader.next_reply()
}

fn good(bytes: &[u8], code: u16, lines: &[&str]) {
    let lines = lines.iter().map(|line| (*line).to_owned()).collect();
    assert_eq!(read(bytes), Ok(Some(Reply { code, lines })), "{bytes:?}");
    // The same, when it comes byte by byte.
    let mut reader = ReplyReader::default();
    let (last, first) = bytes.split_last().expect("not empty");
    for byte in first {
        reader.receive(&[*byte]);
        assert_eq!(reader.next_reply(), Ok(None), "{bytes:?}");
    }
    reader.receive(&[*last]);
    assert!(matches!(reader.next_reply(), Ok(Some(_))), "{bytes:?}");
    assert_eq!(reader.take_leftover(), None);
}

fn bad(bytes: &[u8]) {
    assert!(
        matches!(read(bytes), Err(ReplyError::NotSmtp(_))),
        "{bytes:?}"
    );
}

#[test]
fn replies() {
    good(
        b"220 mx.example.com ESMTP\r\n",
        220,
        &["mx.example.com ESMTP"],
    );
    good(b"220 bare line feed\n", 220, &["bare line feed"]);
    good(b"250\r\n", 250, &[""]);
    good(b"250 \r\n", 250, &[""]);
    good(b"220-wait\r\n220 ready\r\n", 220, &["wait", "ready"]);
    good(b"250-\r\n250-A\r\n250 B\r\n", 250, &["", "A", "B"]);
    good(
        b"451-4.3.0 first\r\n421 4.3.0 then\r\n",
        421,
        &["4.3.0 first", "4.3.0 then"],
    );
}

#[test]
fn what_is_not_printable_is_made_so() {
    good(b"250 a\0b\x1b[2Jc\xc3\xa4\x7f\r\n", 250, &["a?b?[2Jc???"]);
    good(b"250 a\rb\r\n", 250, &["a?b"]);
}

#[test]
fn not_replies() {
    bad(b"SSH-2.0-OpenSSH_9.2\r\n");
    bad(b"HTTP/1.1 400 Bad Request\r\n");
    bad(b"\r\n");
    bad(b"22\r\n");
    bad(b"2200 x\r\n");
    bad(b"220x\r\n");
    bad(b"+20 x\r\n");
    bad(b"199 x\r\n");
    bad(b"600 x\r\n");
    bad(b"\xff\xfe\xfd\r\n");
    bad("22\u{e9} x\r\n".as_bytes());
    bad(b"250-ok\r\nnonsense\r\n");
}

#[test]
fn one_reply_after_the_other() {
    let mut reader = ReplyReader::default();
    reader.receive(b"220 one\r\n250-two\r\n250 three\r\n354 fo");
    assert_eq!(reader.next_reply().unwrap().unwrap().to_string(), "220 one");
    assert_eq!(
        reader.next_reply().unwrap().unwrap().to_string(),
        "250 two three"
    );
    assert_eq!(reader.next_reply(), Ok(None));
    reader.receive(b"ur\r\n");
    assert_eq!(
        reader.next_reply().unwrap().unwrap().to_string(),
        "354 four"
    );
}

#[test]
fn what_follows_a_reply_is_told_and_forgotten() {
    let mut reader = ReplyReader::default();
    reader.receive(b"220 go\r\n250-x\r\n25\0");
    assert!(reader.next_reply().unwrap().is_some());
    assert_eq!(reader.take_leftover().as_deref(), Some("250-x??25?"));
    assert_eq!(reader.take_leftover(), None);
    reader.receive(b"250 x\r\n");
    assert_eq!(reader.next_reply().unwrap().unwrap().to_string(), "250 x");
    reader.receive(&[b"220 x\r\n", "y".repeat(10_000).as_bytes()].concat());
    assert!(reader.next_reply().unwrap().is_some());
    assert_eq!(reader.take_leftover().unwrap().len(), 200);
}

#[test]
fn a_long_line_is_cut() {
    let line = [b"250 ", "x".repeat(10_000).as_bytes(), b"\r\n"].concat();
    let reply = read(&line).unwrap().unwrap();
    assert_eq!(reply.lines[0].len(), LINE_KEPT - 4);
    assert_eq!(reply.to_string().len(), 4 + 1000);
}

#[test]
fn a_reply_has_an_end() {
    let endless = b"250 "
        .iter()
        .chain([b'x'].iter().cycle())
        .take(REPLY_BYTES + 1);
    assert_eq!(
        read(&endless.copied().collect::<Vec<_>>()),
        Err(ReplyError::TooLong)
    );
    assert_eq!(
        read(&b"250-\r\n".repeat(REPLY_LINES + 1)),
        Err(ReplyError::TooManyLines)
    );
    let last = [&b"250-\r\n".repeat(REPLY_LINES - 1)[..], b"250 \r\n"].concat();
    assert_eq!(read(&last).unwrap().unwrap().lines.len(), REPLY_LINES);
}

#[test]
fn each_reply_has_its_own_bounds() {
    let mut reader = ReplyReader::default();
    let reply = [b"250 ", "x".repeat(REPLY_BYTES / 2).as_bytes(), b"\r\n"].concat();
    for _ in 0..20 {
        reader.receive(&reply);
        assert!(reader.next_reply().unwrap().is_some());
    }
}

#[test]
fn an_endless_line_is_not_kept() {
    let mut reader = ReplyReader::default();
    for _ in 0..3 {
        reader.receive(&[b'x'; 16 * 1024]);
        assert_eq!(reader.next_reply(), Ok(None));
    }
    assert!(reader.line.capacity() + reader.input.capacity() < 4 * LINE_KEPT);
}

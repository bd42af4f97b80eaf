//! What a message becomes on the wire.

use super::*;

#[test]
fn line_ends_are_put_right() {
    for (message, whole) in [
        (&b"a\r\nb\r\n"[..], &b"a\r\nb\r\n"[..]),
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\r\nb", b"a\r\nb\r\n"),
        (b"a\r\nb\n", b"a\r\nb\r\n"),
        (b"\n", b"\r\n"),
        (b"", b""),
        (b"\n\n.\n", b"\r\n\r\n.\r\n"),
        (b"a\rb\r\n", b"a\rb\r\n"),
    ] {
        assert_eq!(with_crlf(message), whole, "{message:?}");
    }
}

#[test]
fn dots_are_doubled() {
    for (message, whole) in [
        (&b""[..], &b".\r\n"[..]),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"..a\r\na.b\r\n", b"...a\r\na.b\r\n.\r\n"),
    ] {
        assert_eq!(with_dots(message), whole, "{message:?}");
    }
}

#[test]
fn addresses_that_would_be_more_than_one_path() {
    for good in ["", "a@example.com", "o'hara+x@[192.0.2.1]", "postmaster"] {
        assert_eq!(check(good), Ok(()));
    }
    for bad in [
        "a@b>\r\nDATA",
        "a b@c",
        "<a@b>",
        "a@b SIZE=1",
        "a\0@b",
        "ä@b",
    ] {
        assert_eq!(check(bad), Err(SendError::Address(bad.to_owned())));
    }
}

//! Forms with files, whole and damaged.

use super::*;

/// As browsers write it: text, a file of any bytes, a file that was not chosen.
const WHOLE: &[u8] = b"--a-b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n mx \r\n\
    --a-b\r\nContent-Disposition: form-data; name=\"cert\"; filename=\"x; name=.pem\"\r\n\
    Content-Type: application/octet-stream\r\n\r\n\x00\xff\r\n--a-\r\n\r\n--b\r\n\
    --a-b\r\nContent-Disposition: form-data; name=\"key\"; filename=\"\"\r\n\r\n\r\n--a-b--\r\n";
/// What stands in its file.
const FILE: &[u8] = b"\x00\xff\r\n--a-\r\n\r\n--b";

fn read(kind: &str, body: &[u8]) -> Option<Parts> {
    let kind = HeaderValue::from_str(kind).unwrap();
    Parts::read(&kind, &Bytes::copy_from_slice(body)).ok()
}

fn of(body: &[u8]) -> Option<Parts> {
    read("multipart/form-data; boundary=a-b", body)
}

/// One field with this head.
fn with(head: &str) -> Vec<u8> {
    format!("--a-b{head}\r\n\r\nmx\r\n--a-b--").into_bytes()
}

#[test]
fn fields_come_as_they_were_sent() {
    let parts = of(WHOLE).unwrap();
    assert_eq!(parts.0.len(), 3);
    assert_eq!(parts.text("name").unwrap().as_str(), "mx");
    assert_eq!(parts.bytes("cert").unwrap().as_slice(), FILE);
    assert!(parts.bytes("key").is_none() && parts.bytes("x").is_none());
    // What is no text is none.
    assert!(parts.text("cert").is_none());
    assert!(of(b"--a-b--\r\n").unwrap().0.is_empty());
}

#[test]
fn what_the_standards_leave_free_is_read() {
    for kind in [
        "multipart/form-data; boundary=\"a-b\"",
        "multipart/form-data; charset=utf-8; BOUNDARY=a-b",
        "multipart/form-data;boundary=a-b;x=y",
    ] {
        assert!(read(kind, WHOLE).is_some(), "{kind}");
    }
    for head in [
        "\r\nContent-Disposition: form-data; name=\"name\"",
        " \t\r\ncontent-disposition:form-data; name=\"name\"",
        "\r\nContent-Type: text/plain\r\nCONTENT-DISPOSITION: form-data; name=\"name\"",
    ] {
        let parts = of(&with(head)).unwrap_or_else(|| panic!("{head}"));
        assert_eq!(parts.text("name").unwrap().as_str(), "mx", "{head}");
    }
    // What follows the last boundary is nobody's (RFC 2046 §5.1.1).
    let with_more = [
        WHOLE,
        b"--a-b\r\nContent-Disposition: form-data; name=\"x\"",
    ]
    .concat();
    assert_eq!(of(&with_more).unwrap().0.len(), 3);
}

#[test]
fn what_could_be_meant_otherwise_is_refused() {
    for kind in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
    ] {
        assert!(read(kind, WHOLE).is_none(), "{kind}");
    }
    let by = |length| {
        let boundary = "x".repeat(length);
        let kind = format!("multipart/form-data; boundary={boundary}");
        read(&kind, format!("--{boundary}--").as_bytes())
    };
    assert!(by(70).is_some() && by(71).is_none());
    for head in [
        "",
        "x\r\nContent-Disposition: form-data; name=\"name\"",
        "\r\nContent-Disposition: form-data; name=name",
        "\r\nContent-Disposition: form-data; name=\"name",
        "\r\nContent-Type: text/plain",
    ] {
        assert!(of(&with(head)).is_none(), "{head}");
    }
    let by_lf = WHOLE.split(|byte| *byte == b'\r').collect::<Vec<_>>();
    assert!(of(&by_lf.concat()).is_none(), "lines without CR");
    assert!(of(&[b"\r\n", WHOLE].concat()).is_none(), "something before");
    let field = "--a-b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n";
    let many = |n| of(format!("{}--a-b--", field.repeat(n)).as_bytes());
    assert!(many(FIELDS).is_some() && many(FIELDS + 1).is_none());
}

/// A part of a form is none, and no damage ends the program.
#[test]
fn what_is_cut_off_or_damaged_is_refused_or_read_and_nothing_else() {
    let last = WHOLE.len() - "\r\n".len();
    for end in 0..last {
        assert!(of(&WHOLE[..end]).is_none(), "{end} bytes of it");
    }
    for at in 0..last {
        for byte in *b"\r\n-\":;a \x00\xff" {
            let mut damaged = WHOLE.to_vec();
            damaged[at] = byte;
            let read = of(&damaged).map_or(0, |parts| parts.0.len());
            assert!(read <= 3, "{at} {byte}");
            damaged.remove(at);
            let _read = of(&damaged);
        }
    }
}

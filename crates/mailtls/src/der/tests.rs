//! Values, and bytes that only look like them.

use super::*;

#[test]
fn values_are_read_one_after_the_other() {
    let mut reader = Reader::new(b"\x02\x01\x05\x30\x03\x04\x01x\x06\x00");
    assert_eq!(reader.take(SEQUENCE), None);
    assert_eq!(reader.number(), Some(5));
    let mut inner = reader.enter(SEQUENCE).unwrap();
    assert_eq!(inner.take(OCTET_STRING), Some(&b"x"[..]));
    assert!(inner.is_empty() && inner.value().is_none());
    let last = reader.value().unwrap();
    assert_eq!((last.tag, last.whole), (OID, &b"\x06\x00"[..]));
    assert!(reader.is_empty());
}

#[test]
fn lengths_are_read_in_every_definite_form_and_must_fit() {
    let long = [&b"\x04\x82\x01\x00"[..], &[7; 256]].concat();
    assert_eq!(Reader::new(&long).take(OCTET_STRING), Some(&[7; 256][..]));
    assert_eq!(
        Reader::new(b"\x04\x84\x00\x00\x00\x01x").take(OCTET_STRING),
        Some(&b"x"[..])
    );
    for bad in [
        &long[..259],
        b"",
        b"\x04",
        b"\x04\x02x",
        b"\x04\x80x\0\0",
        b"\x04\x81",
        b"\x04\x84\xff\xff\xff\xff",
        b"\x04\x85\0\0\0\0\0",
    ] {
        assert!(Reader::new(bad).value().is_none(), "{bad:?}");
    }
}

#[test]
fn numbers_are_positive_and_fit() {
    let number = |der: &[u8]| Reader::new(der).number();
    assert_eq!(number(b"\x02\x02\x08\x00"), Some(2048));
    assert_eq!(number(b"\x02\x01\x00"), Some(0));
    assert_eq!(
        number(b"\x02\x09\0\xff\xff\xff\xff\xff\xff\xff\xff"),
        Some(u64::MAX)
    );
    for bad in [
        &b"\x02\x00"[..],
        b"\x02\x01\x80",
        b"\x02\x09\x01\0\0\0\0\0\0\0\0",
        b"\x04\x01\x01",
    ] {
        assert_eq!(number(bad), None, "{bad:?}");
    }
}

//! Keys of tables of passwords.

use super::{Credential, Kind, is_host, without_passwords};
use std::path::PathBuf;

fn credential(key: &str) -> Credential {
    Credential {
        key: key.to_owned(),
        file: PathBuf::from("/passwords"),
        line: 1,
        service: None,
    }
}

#[test]
fn a_key_tells_the_next_hop_that_gets_the_credentials() {
    let relay = "[r.example]:587";
    let cases = [
        ("[r.example]:587", Kind::NextHop, Some("[r.example]:587")),
        ("[r.example]", Kind::NextHop, Some("[r.example]")),
        ("r.example:25", Kind::NextHop, Some("r.example:25")),
        ("R.example", Kind::Name, Some(relay)),
        ("other.example", Kind::Name, Some("other.example")),
        ("someone@r.example", Kind::Sender, None),
        ("@r.example", Kind::Sender, None),
    ];
    for (key, kind, hop) in cases {
        let credential = credential(key);
        assert_eq!(credential.kind(), kind, "{key}");
        assert_eq!(credential.next_hop(relay).as_deref(), hop, "{key}");
    }
    assert!(is_host("[R.example]:587", "r.example") && is_host("r.example:25", "r.example"));
    assert!(!is_host("[r.example]:587", "example") && !is_host("", "r.example"));
}

#[test]
fn of_a_source_only_the_keys_stay_each_in_its_line() {
    let source = b"# relay:secret-in-a-comment\n[r.example]:587  user:secret\n\n\
        other.example\n  user:secret two\nlonely\n\"a key\" user:secret\nlast user:secret";
    let kept = without_passwords(source);
    let text = String::from_utf8(kept.to_vec()).unwrap();
    assert_eq!(
        text,
        "\n[r.example]:587 *\n\nother.example *\n\n\n\"a key\" *\nlast *\n"
    );
    assert_eq!(*without_passwords(b""), b"");
    assert_eq!(*without_passwords(b"\xff\xfe\0 x\n"), b"\xff\xfe\0 *\n");
}

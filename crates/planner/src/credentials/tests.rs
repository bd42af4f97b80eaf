//! Keys of tables of passwords.

use super::{Credential, Kind, is_host, named_hops, without_passwords};
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
fn a_key_is_a_next_hop_or_a_server_or_a_sender() {
    let cases = [
        ("[r.example]:587", Kind::NextHop),
        ("[r.example]", Kind::NextHop),
        ("r.example:25", Kind::NextHop),
        ("R.example", Kind::Name),
        ("192.0.2.1", Kind::Name),
        ("2001:db8::1", Kind::Name),
        ("someone@r.example", Kind::Sender),
        ("@r.example", Kind::Sender),
        (super::EVERY, Kind::Every),
    ];
    for (key, kind) in cases {
        assert_eq!(credential(key).kind(), kind, "{key}");
    }
    assert!(is_host("[R.example]:587", "r.example") && is_host("r.example:25", "r.example"));
    assert!(!is_host("[r.example]:587", "example") && !is_host("", "r.example"));
    assert!(is_host("[ipv6:2001:db8::1]:587", "2001:db8::1"));
    assert!(is_host("[2001:db8::1]", "2001:DB8::1"));
}

#[test]
fn the_next_hops_that_lead_to_a_server_are_those_of_routes_and_its_own_name() {
    let routes = "transport_maps = inline:{a.test=smtp:[m.example]:26, b.test=lmtp:[m.example]:24, \
        c.test=:m.example:27, d.test=smtp:[192.0.2.1], e.test=smtp:x.example}\n";
    let relay = "relayhost = [R.example]:587\n";
    let cases: [(&str, &str, &[&str]); 8] = [
        (relay, "[q.example]:1", &["[q.example]:1"]),
        (relay, "r.example", &["[R.example]:587"]),
        (relay, "other.example", &["other.example"]),
        (
            routes,
            "M.example",
            &["[m.example]:26", "m.example:27", "M.example"],
        ),
        (routes, "192.0.2.1", &["[192.0.2.1]"]),
        ("", "192.0.2.2", &["[192.0.2.2]"]),
        ("", "2001:db8::1", &["[ipv6:2001:db8::1]"]),
        ("", "@q.example", &[]),
    ];
    let master = "smtp unix - - n - - smtp\nlmtp unix - - n - - lmtp\n";
    for (main, key, wanted) in cases {
        let main = format!("default_transport = smtp\n{main}");
        let facts = crate::view::tests::facts(&main, master);
        assert_eq!(named_hops(&facts, &credential(key)), wanted, "{main}{key}");
    }
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

//! The tables hold what the registry says, as far as the library at hand knows it too.

use super::*;
use std::collections::BTreeSet;

#[test]
fn every_line_of_the_table_is_a_suite_of_its_own() {
    let lines = include_str!("../suites.txt").lines();
    let data = lines.filter(|line| !line.starts_with('#')).count();
    let numbers: BTreeSet<u16> = Suite::all().iter().map(|suite| suite.id).collect();
    let names: BTreeSet<&str> = Suite::all().iter().map(|suite| suite.name).collect();
    assert_eq!((numbers.len(), names.len()), (data, data));
    assert!(names.iter().all(|name| name.starts_with("TLS_")));
}

#[test]
fn numbers_are_those_of_openssl() {
    use openssl::ssl::{Ssl, SslContext, SslMethod};
    let context = SslContext::builder(SslMethod::tls_client())
        .unwrap()
        .build();
    let ssl = Ssl::new(&context).unwrap();
    let mut known = 0;
    for suite in Suite::all() {
        let parsed = ssl.bytes_to_cipher_list(&suite.id.to_be_bytes(), false);
        let Ok(list) = parsed else { continue };
        let Some(cipher) = list.suites.iter().next() else {
            continue;
        };
        // Of what it does not have it makes up an entry without a name.
        let Some(name) = cipher.standard_name() else {
            continue;
        };
        assert_eq!(name, suite.name, "0x{:04X}", suite.id);
        assert_eq!(openssl::ssl::cipher_name(suite.name), cipher.name());
        known += 1;
    }
    assert!(known > 100, "OpenSSL knows {known} of them only");
}

#[test]
fn key_exchanges_are_told_from_the_name() {
    for (id, exchange, is_older) in [
        (0x1302, Exchange::Free, false),
        (0x00C6, Exchange::Free, false),
        (0xC103, Exchange::Free, false),
        (0xC030, Exchange::Curve, false),
        (0xC02C, Exchange::Curve, false),
        (0xC018, Exchange::Curve, true),
        (0x0033, Exchange::Field, true),
        (0x0034, Exchange::Field, true),
        (0x009F, Exchange::Field, false),
        (0x002F, Exchange::Other, true),
        (0x0004, Exchange::Other, true),
        (0xC004, Exchange::Other, true),
        (0xC0AD, Exchange::Curve, false),
        (0x003C, Exchange::Other, false),
    ] {
        let suite = Suite::of(id).unwrap();
        assert_eq!(
            (suite.exchange(), suite.is_older()),
            (exchange, is_older),
            "{}",
            suite.name
        );
        assert_eq!(suite.is_1_3(), exchange == Exchange::Free);
    }
    assert_eq!(Suite::of(0x5600), None, "a signal is no suite");
}

#[test]
fn weak_suites_are_offered_first() {
    let numbers = numbers(|suite| !suite.is_1_3());
    let place = |id: u16| numbers.iter().position(|other| *other == id).unwrap();
    let order = [0x0001, 0x002F, 0xC013, 0xC030];
    assert!(
        order.windows(2).all(|pair| place(pair[0]) < place(pair[1])),
        "{order:04X?}"
    );
}

#[test]
fn groups() {
    let numbers: BTreeSet<u16> = GROUPS.iter().map(|(id, _)| *id).collect();
    assert_eq!(numbers.len(), GROUPS.len());
    assert_eq!(group_name(0x11EC), "X25519MLKEM768");
    assert_eq!(group_name(23), "prime256v1");
    assert_eq!(group_name(0x2A2A), "group 0x2A2A");
    assert!(groups_1_3().contains(&0x11EC) && !groups_1_3().contains(&26));
    assert!(curves().contains(&26) && !curves().contains(&0x100) && !curves().contains(&0x11EC));
}

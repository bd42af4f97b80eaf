//! Records, and chains that match them or must not.

use super::*;
use crate::forge::{Chain, DAY, NOW, Recipe, chain};
use proptest::prelude::*;

const PEER: Peer<'static> = Peer {
    names: &["mx.example.com"],
    now: NOW,
};

fn record(usage: u8, selector: u8, matching: u8, of: &Certificate) -> TlsaRecord {
    let mut record = TlsaRecord {
        usage,
        selector,
        matching,
        data: Vec::new(),
    };
    record.data = record.association(of).into_owned();
    record
}

fn presented(chain: &Chain) -> [Certificate; 2] {
    [chain.leaf.certificate(), chain.middle.certificate()]
}

#[test]
fn a_record_is_the_digest_of_the_public_key() {
    let forged = Recipe::leaf("mx.example.com").make();
    let record = TlsaRecord::for_certificate(&forged.certificate());
    let key = forged.key.public_key_to_der().unwrap();
    let digest: String = Sha256::digest(key)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(record.to_string(), format!("3 1 1 {digest}"));
    let own = PrivateKey::parse(&forged.key_pem()).unwrap();
    assert_eq!(TlsaRecord::for_key(&own).unwrap(), record);
    assert!(
        TlsaRecord::for_issuer(&forged.certificate())
            .to_string()
            .starts_with("2 1 1 ")
    );
    assert_eq!(forged.certificate().key_fingerprint().prefix(32), digest);
}

#[test]
fn text_is_read_as_in_a_zone_file() {
    let record: TlsaRecord = " 3\t1 1  00FF a\n0 ".parse().unwrap();
    assert_eq!(
        (record.usage, record.data.as_slice()),
        (3, &[0, 0xff, 0xa0][..])
    );
    assert_eq!(record.to_string(), "3 1 1 00ffa0");
    for (text, error) in [
        ("", TlsaError::Fields),
        ("3 1 1", TlsaError::Fields),
        ("3 1 256 00", TlsaError::Number("256".into())),
        ("+3 1 1 00", TlsaError::Number("+3".into())),
        ("TLSA 3 1 1 00", TlsaError::Number("TLSA".into())),
        ("3 1 1 0", TlsaError::Data),
        ("3 1 1 0g", TlsaError::Data),
        ("3 1 1 é", TlsaError::Data),
    ] {
        assert_eq!(text.parse::<TlsaRecord>(), Err(error), "{text:?}");
    }
}

#[test]
fn what_smtp_cannot_use_is_told() {
    let unusable = |usage, selector, matching, length| {
        TlsaRecord {
            usage,
            selector,
            matching,
            data: vec![0; length],
        }
        .unusable()
    };
    assert_eq!(unusable(3, 1, 1, 32), None);
    assert_eq!(unusable(2, 0, 2, 64), None);
    assert_eq!(unusable(2, 0, 0, 1), None);
    for usage in [0, 1] {
        assert_eq!(unusable(usage, 1, 1, 32), Some(Unusable::PublicCa));
    }
    assert_eq!(unusable(4, 1, 1, 32), Some(Unusable::Usage));
    assert_eq!(unusable(3, 2, 1, 32), Some(Unusable::Selector));
    assert_eq!(unusable(3, 1, 3, 32), Some(Unusable::Matching));
    for (matching, length) in [(0, 0), (1, 31), (1, 64), (2, 32)] {
        assert_eq!(unusable(3, 1, matching, length), Some(Unusable::Length));
    }
}

#[test]
fn every_selector_and_digest_matches_its_certificate_only() {
    let chain = chain("mx.example.com");
    let sent = presented(&chain);
    for (usage, own, other) in [(3, 0, 1), (2, 1, 0)] {
        for (selector, matching) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
            let good = [record(usage, selector, matching, &sent[own])];
            assert_eq!(judge(&good, &sent, PEER), Verdict::Match(&good[0]));
            let bad = [record(usage, selector, matching, &sent[other])];
            assert_eq!(
                judge(&bad, &sent, PEER),
                Verdict::Mismatch,
                "{usage} {selector} {matching}"
            );
        }
    }
}

#[test]
fn usage_3_needs_no_date_and_no_name_and_usage_2_needs_both() {
    let chain = chain("mx.example.com");
    let sent = presented(&chain);
    let ee = [TlsaRecord::for_certificate(&sent[0])];
    let ta = [TlsaRecord::for_issuer(&sent[1])];
    let late = Peer {
        now: NOW + 61 * DAY,
        ..PEER
    };
    let stranger = Peer {
        names: &["mx.example.net"],
        ..PEER
    };
    for peer in [late, stranger, Peer { names: &[], ..PEER }] {
        assert_eq!(judge(&ee, &sent, peer), Verdict::Match(&ee[0]));
        assert_eq!(judge(&ta, &sent, peer), Verdict::Mismatch);
    }
    let domain = Peer {
        names: &["example.net", "mx.example.com"],
        ..PEER
    };
    assert_eq!(judge(&ta, &sent, domain), Verdict::Match(&ta[0]));
}

#[test]
fn usage_2_asks_for_an_unbroken_chain_to_the_anchor() {
    let chain = chain("mx.example.com");
    let (leaf, middle, root) = (
        chain.leaf.certificate(),
        chain.middle.certificate(),
        chain.root.certificate(),
    );
    let full = [leaf.clone(), middle.clone(), root.clone()];
    let by_digest = [TlsaRecord::for_issuer(&root)];
    assert_eq!(
        judge(&by_digest, &full, PEER),
        Verdict::Match(&by_digest[0])
    );
    // A digest of what is not sent proves nothing; what stands in the record does.
    assert_eq!(judge(&by_digest, &full[..2], PEER), Verdict::Mismatch);
    for selector in [0, 1] {
        let in_full = [record(2, selector, 0, &root)];
        assert_eq!(
            judge(&in_full, &full[..2], PEER),
            Verdict::Match(&in_full[0])
        );
        assert_eq!(judge(&in_full, &full[..1], PEER), Verdict::Mismatch);
    }
    // The anchor sent beside a leaf that it did not issue.
    let beside = [leaf, root];
    assert_eq!(judge(&by_digest, &beside, PEER), Verdict::Mismatch);
    let stranger = Recipe::leaf("mx.example.com").make().certificate();
    assert_eq!(judge(&by_digest, &[stranger], PEER), Verdict::Mismatch);
    assert_eq!(judge(&by_digest, &[], PEER), Verdict::Mismatch);
}

#[test]
fn of_two_digests_the_stronger_counts_alone() {
    let sent = presented(&chain("mx.example.com"));
    let (leaf, middle) = (&sent[0], &sent[1]);
    let mixed = [record(3, 1, 1, leaf), record(3, 1, 2, middle)];
    assert_eq!(judge(&mixed, &sent, PEER), Verdict::Mismatch);
    let other_selector = [record(3, 1, 1, leaf), record(3, 0, 2, middle)];
    assert_eq!(
        judge(&other_selector, &sent, PEER),
        Verdict::Match(&other_selector[0])
    );
    let mut unusable = record(3, 1, 2, middle);
    unusable.data.pop();
    let beside_unusable = [unusable, record(3, 1, 1, leaf)];
    assert_eq!(
        judge(&beside_unusable, &sent, PEER),
        Verdict::Match(&beside_unusable[1])
    );
}

#[test]
fn without_usable_records_nothing_is_proven() {
    let sent = presented(&chain("mx.example.com"));
    assert_eq!(judge(&[], &sent, PEER), Verdict::Absent);
    let public = [record(1, 1, 1, &sent[0]), record(0, 0, 1, &sent[1])];
    assert_eq!(judge(&public, &sent, PEER), Verdict::NothingUsable);
    assert!(!public[0].names(&sent[0]));
}

#[test]
fn the_owner_name_is_that_of_port_and_host() {
    let name = |host| owner_name(host, 25);
    assert_eq!(
        name("MX.Example.ORG").as_deref(),
        Some("_25._tcp.mx.example.org.")
    );
    assert_eq!(
        name("mx.bücher.example.").as_deref(),
        Some("_25._tcp.mx.xn--bcher-kva.example.")
    );
    for bad in ["", "a b", "[192.0.2.1]", "*.example.org", "a..b"] {
        assert_eq!(name(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(usage: u8, selector: u8, matching: u8, data in prop::collection::vec(any::<u8>(), 1..80)) {
        let record = TlsaRecord { usage, selector, matching, data };
        prop_assert_eq!(record.to_string().parse(), Ok(record));
    }

    #[test]
    fn never_panics(text in "\\PC{0,60}") {
        let _ = text.parse::<TlsaRecord>();
        let _ = owner_name(&text, 25);
    }
}

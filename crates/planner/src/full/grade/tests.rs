//! The tables of NCSC-NL 2025-05 and Mozilla 6.0, and what becomes of a whole look.

use super::*;
use crate::full::{ClientAsked, Evidence, Features, StarttlsSeen};

#[test]
fn suites_by_ncsc() {
    use Ncsc::{Good, Insufficient, PhaseOut, Sufficient};
    for (name, level) in [
        ("TLS_AES_256_GCM_SHA384", Good),
        ("TLS_CHACHA20_POLY1305_SHA256", Good),
        ("TLS_AES_128_GCM_SHA256", Sufficient),
        ("TLS_AES_128_CCM_SHA256", Sufficient),
        ("TLS_AES_128_CCM_8_SHA256", Insufficient),
        ("TLS_SHA256_SHA256", Insufficient),
        ("TLS_SM4_GCM_SM3", Insufficient),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Sufficient),
        ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Sufficient),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CCM", Sufficient),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", Insufficient),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", PhaseOut),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", Insufficient),
        ("TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_GCM_SHA384", PhaseOut),
        ("TLS_ECDHE_RSA_WITH_ARIA_128_CBC_SHA256", PhaseOut),
        ("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", PhaseOut),
        ("TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", PhaseOut),
        ("TLS_DHE_RSA_WITH_AES_128_CCM", PhaseOut),
        ("TLS_DHE_RSA_WITH_AES_128_CBC_SHA", Insufficient),
        ("TLS_DHE_DSS_WITH_AES_128_GCM_SHA256", Insufficient),
        ("TLS_RSA_WITH_AES_256_GCM_SHA384", Insufficient),
        ("TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384", Insufficient),
        ("TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256", Insufficient),
        ("TLS_DH_anon_WITH_AES_256_GCM_SHA384", Insufficient),
        ("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", Insufficient),
        ("TLS_ECDHE_RSA_WITH_NULL_SHA", Insufficient),
        ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", Insufficient),
        ("0xFAFA", Insufficient),
    ] {
        assert_eq!(suite_ncsc(name), level, "{name}");
    }
}

#[test]
fn suites_by_mozilla() {
    for (name, profile) in [
        ("TLS_AES_128_GCM_SHA256", Mozilla::Modern),
        ("TLS_AES_128_CCM_SHA256", Mozilla::Neither),
        (
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            Mozilla::Intermediate,
        ),
        (
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            Mozilla::Intermediate,
        ),
        ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", Mozilla::Neither),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", Mozilla::Neither),
    ] {
        assert_eq!(suite_mozilla(name), profile, "{name}");
    }
}

#[test]
fn groups_and_finite_fields() {
    for (name, level, profile) in [
        ("X25519MLKEM768", Ncsc::Good, Mozilla::Modern),
        ("X25519", Ncsc::Good, Mozilla::Modern),
        ("X448", Ncsc::Good, Mozilla::Neither),
        ("brainpoolP256r1tls13", Ncsc::Good, Mozilla::Neither),
        ("secp224r1", Ncsc::PhaseOut, Mozilla::Neither),
        ("ffdhe2048", Ncsc::Insufficient, Mozilla::Neither),
        ("ffdhe3072", Ncsc::PhaseOut, Mozilla::Neither),
        ("sect163k1", Ncsc::Insufficient, Mozilla::Neither),
    ] {
        assert_eq!(group(name), (level, profile), "{name}");
    }
    let field = |bits, name: Option<&str>| {
        let seen = DhSeen {
            bits,
            name: name.map(str::to_owned),
            suite: "DHE-RSA-AES128-SHA".to_owned(),
        };
        let graded = finite_field(&seen);
        (graded.ncsc.unwrap(), graded.value)
    };
    let own = "4096 bits, a group of its own (DHE-RSA-AES128-SHA)".to_owned();
    assert_eq!(field(4096, None), (Ncsc::Insufficient, own));
    let named = "ffdhe4096 (DHE-RSA-AES128-SHA)".to_owned();
    assert_eq!(field(4096, Some("ffdhe4096")), (Ncsc::PhaseOut, named));
    assert_eq!(field(2048, Some("ffdhe2048")).0, Ncsc::Insufficient);
}

fn suite(name: &str, evidence: Evidence) -> SuiteSeen {
    SuiteSeen {
        id: "0x0000".to_owned(),
        name: name.to_owned(),
        openssl: None,
        evidence,
    }
}

fn version_seen(version: TlsVersion, seen: Seen, suites: &[&str]) -> VersionSeen {
    VersionSeen {
        version,
        seen,
        suites: suites
            .iter()
            .map(|name| suite(name, Evidence::Chosen))
            .collect(),
        order: None,
        unasked: None,
    }
}

fn seen() -> Full {
    const AEAD: &str = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
    const CBC: &str = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA";
    Full {
        connections: 40,
        budget: 150,
        stopped: None,
        no_tls: None,
        versions: vec![
            version_seen(TlsVersion::Ssl3, Seen::No, &[]),
            version_seen(TlsVersion::Tls1_1, Seen::Yes, &[CBC]),
            version_seen(TlsVersion::Tls1_2, Seen::Yes, &[AEAD, CBC]),
            version_seen(TlsVersion::Tls1_3, Seen::unknown("421 4.7.0 later"), &[]),
        ],
        groups: vec![GroupsSeen {
            version: TlsVersion::Tls1_2,
            groups: vec!["X25519".to_owned()],
            evidence: Evidence::Chosen,
            unasked: Some("the budget of 40 connections was used up".to_owned()),
        }],
        dh: Vec::new(),
        certificates: Vec::new(),
        client_certificate: ClientAsked::NotAsked,
        features: Features {
            session_ids: Seen::No,
            tickets: Seen::Yes,
            tickets_1_3: Seen::No,
            resumption_1_3: Seen::No,
            fallback_scsv: Some(Seen::Yes),
            early_data: Seen::No,
            secure_renegotiation: Seen::Yes,
            client_renegotiation: Seen::No,
            compression: Seen::No,
            extended_master_secret: Seen::Yes,
            ocsp: Seen::No,
            sha1_signatures: Seen::No,
        },
        starttls: Some(StarttlsSeen {
            injection: Some(Seen::Yes),
            stripped: Seen::No,
            stripped_by: None,
        }),
    }
}

fn find<'g>(grades: &'g [Graded], fact: &str, value: &str) -> &'g Graded {
    let mut all = grades.iter();
    all.find(|one| one.fact == fact && one.value == value)
        .unwrap_or_else(|| panic!("{fact} {value}: {grades:#?}"))
}

#[test]
fn a_whole_look() {
    let grades = grades(&seen());
    assert_eq!(
        find(&grades, "version", "TLSv1.1").ncsc,
        Some(Ncsc::Insufficient)
    );
    assert_eq!(
        find(&grades, "version", "TLSv1.2").ncsc,
        Some(Ncsc::Sufficient)
    );
    let hidden = find(&grades, "version", "TLSv1.3");
    assert_eq!((hidden.ncsc, hidden.mozilla), (None, None));
    assert_eq!(hidden.undetermined.as_deref(), Some("421 4.7.0 later"));
    assert!(
        grades.iter().all(|one| one.value != "SSLv3"),
        "what is refused has no grade"
    );
    // One suite of two versions is one row.
    let both = find(&grades, "suite", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA");
    assert_eq!(both.versions, [TlsVersion::Tls1_1, TlsVersion::Tls1_2]);
    let more = find(&grades, "group", "others");
    assert!(
        more.undetermined
            .as_ref()
            .is_some_and(|why| why.contains("budget"))
    );
    assert_eq!(
        find(&grades, "STARTTLS injection", "yes").ncsc,
        Some(Ncsc::Insufficient)
    );
    assert_eq!(
        find(&grades, "tickets", "yes").ncsc,
        None,
        "the guidelines say nothing of it"
    );
    assert_eq!(worst(&grades), Some(Ncsc::Insufficient));
}

#[test]
fn nothing_seen_is_not_good() {
    let unknown = || Seen::unknown("nothing listens");
    let mut full = seen();
    for version in &mut full.versions {
        version.seen = unknown();
        version.suites.clear();
    }
    full.groups.clear();
    full.features = Features {
        session_ids: unknown(),
        tickets: unknown(),
        tickets_1_3: unknown(),
        resumption_1_3: unknown(),
        fallback_scsv: None,
        early_data: unknown(),
        secure_renegotiation: unknown(),
        client_renegotiation: unknown(),
        compression: unknown(),
        extended_master_secret: unknown(),
        ocsp: unknown(),
        sha1_signatures: unknown(),
    };
    full.starttls = None;
    let grades = grades(&full);
    assert_eq!(worst(&grades), None);
    assert!(
        grades.iter().all(|one| one.undetermined.is_some()),
        "{grades:#?}"
    );
}

#[test]
fn a_server_without_tls_is_told_once() {
    let mut full = seen();
    full.no_tls = Some("STARTTLS is not offered".to_owned());
    let facts: Vec<(String, String)> = grades(&full)
        .into_iter()
        .map(|one| (one.fact, one.value))
        .collect();
    let wanted = [
        ("tls", "none: STARTTLS is not offered"),
        ("STARTTLS injection", "yes"),
        ("STARTTLS stripped", "no"),
    ];
    assert_eq!(
        facts,
        wanted.map(|(fact, value)| (fact.to_owned(), value.to_owned()))
    );
}

#[test]
fn certificates_by_their_key() {
    for (key, level, profile) in [
        ("prime256v1", Ncsc::Good, Mozilla::Modern),
        ("secp521r1", Ncsc::Good, Mozilla::Neither),
        ("secp224r1", Ncsc::PhaseOut, Mozilla::Neither),
        ("secp256k1", Ncsc::Insufficient, Mozilla::Neither),
    ] {
        assert_eq!(of_curve(key), (level, profile), "{key}");
    }
    assert_eq!(certificate(b"no certificate"), None);
}

#[test]
fn the_report_is_read_again() {
    let text = serde_json::to_string(&seen()).unwrap();
    let read: Full = serde_json::from_str(&text).unwrap();
    assert_eq!(read, seen());
}

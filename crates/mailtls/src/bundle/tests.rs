//! Files as people have them, in every order, and every mistake in them.

use super::*;
use crate::forge::{Chain, DAY, Forged, NOW, Recipe, chain, ec_key};
use proptest::prelude::*;

fn subjects(bundle: &Bundle) -> Vec<&str> {
    bundle
        .chain
        .iter()
        .map(|certificate| certificate.common_name.as_deref().unwrap())
        .collect()
}

fn pem(parts: &[&Forged]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.pem()).collect()
}

fn code(cert: &[u8], key: Option<&[u8]>, chain: Option<&[u8]>) -> &'static str {
    Bundle::read(cert, key, chain).map_or_else(|error| error.code(), |_| "ok")
}

fn notes(bundle: &Bundle) -> Vec<String> {
    bundle.notes.iter().map(ToString::to_string).collect()
}

#[test]
fn certificates_in_any_order_become_leaf_and_intermediates() {
    let Chain { root, middle, leaf } = chain("mx.example.com");
    let low = Recipe::ca("Low").by(&middle).make();
    let deep = Recipe::leaf("deep.example.com").by(&low).make();
    let key = deep.key_pem();
    for parts in [
        [&deep, &low, &middle],
        [&middle, &low, &deep],
        [&low, &middle, &deep],
        [&deep, &middle, &low],
    ] {
        let bundle = Bundle::read(&pem(&parts), Some(&key), None).unwrap();
        assert_eq!(subjects(&bundle), ["deep.example.com", "Low", "Middle"]);
        let in_order = parts[0].pem() == deep.pem() && parts[1].pem() == low.pem();
        assert_eq!(bundle.notes.contains(&Note::Reordered), !in_order);
        assert!(bundle.key.is_some_and(|key| key.matches(&bundle.chain[0])));
    }
    let bundle = Bundle::read(&pem(&[&leaf, &middle]), None, None).unwrap();
    assert_eq!(subjects(&bundle), ["mx.example.com", "Middle"]);
    assert!(bundle.notes.is_empty() && bundle.root.is_none());
    let with_root = Bundle::read(&pem(&[&root, &leaf, &middle]), None, None).unwrap();
    assert_eq!(subjects(&with_root), ["mx.example.com", "Middle"]);
    assert_eq!(with_root.root, Some(root.certificate()));
    assert_eq!(
        notes(&with_root),
        [
            "the certificates were put in order, leaf first",
            "the root CN=Root, O=Test CA was left out: servers do not send it",
        ]
    );
}

#[test]
fn key_certificate_and_chain_may_stand_in_any_files() {
    let Chain { middle, leaf, .. } = chain("mx.example.com");
    let (cert, key, chain) = (leaf.pem(), leaf.key_pem(), middle.pem());
    let all = [chain.clone(), key.clone(), cert.clone()].concat();
    for bundle in [
        Bundle::read(&cert, Some(&key), Some(&chain)),
        Bundle::read(&all, None, None),
        Bundle::read(&all, Some(&key), None),
        Bundle::read(&chain, Some(&key), Some(&cert)),
        Bundle::read(&cert, Some(&all), None),
        Bundle::read(&leaf.der(), Some(&key), Some(&middle.der())),
    ] {
        let bundle = bundle.unwrap();
        assert_eq!(subjects(&bundle), ["mx.example.com", "Middle"]);
        assert!(bundle.key.is_some());
    }
}

#[test]
fn without_a_key_the_leaf_is_the_one_that_issued_nobody() {
    let Chain { middle, leaf, .. } = chain("mx.example.com");
    let other = Recipe::leaf("other.example.com").by(&middle).make();
    let bundle = Bundle::read(&leaf.pem(), None, Some(&pem(&[&middle, &other]))).unwrap();
    assert_eq!(subjects(&bundle), ["mx.example.com", "Middle"]);
    assert_eq!(
        bundle.notes,
        [Note::Unrelated("CN=other.example.com".into())]
    );
    assert_eq!(
        code(&pem(&[&leaf, &other, &middle]), None, None),
        "cert.two-leaves"
    );
    let key = other.key_pem();
    let bundle = Bundle::read(&pem(&[&leaf, &other, &middle]), Some(&key), None).unwrap();
    assert_eq!(subjects(&bundle), ["other.example.com", "Middle"]);
}

#[test]
fn duplicates_and_older_certificates_are_left_out_with_a_note() {
    let Chain { middle, leaf, .. } = chain("mx.example.com");
    let mut old = Recipe::leaf("mx.example.com").by(&middle);
    old.key = leaf.key.clone();
    (old.not_before, old.not_after) = (NOW - 120 * DAY, NOW - 30 * DAY);
    let old = old.make();
    let bundle = Bundle::read(
        &pem(&[&old, &leaf, &middle, &leaf]),
        Some(&leaf.key_pem()),
        None,
    )
    .unwrap();
    assert_eq!(bundle.chain[0], leaf.certificate());
    assert!(
        bundle
            .notes
            .contains(&Note::Duplicate("CN=mx.example.com".into()))
    );
    assert!(
        bundle
            .notes
            .contains(&Note::Older("CN=mx.example.com".into()))
    );
}

#[test]
fn a_cross_signed_intermediate_is_kept_and_the_root_of_its_name_is_not() {
    let old_root = Recipe::ca("Old Root").make();
    let new_root = Recipe::ca("New Root").make();
    let mut cross = Recipe::ca("New Root").by(&old_root);
    cross.key = new_root.key.clone();
    let cross = cross.make();
    let leaf = Recipe::leaf("mx.example.com").by(&new_root).make();
    let bundle = Bundle::read(
        &pem(&[&new_root, &leaf, &cross]),
        Some(&leaf.key_pem()),
        None,
    );
    let bundle = bundle.unwrap();
    assert_eq!(bundle.chain, [leaf.certificate(), cross.certificate()]);
}

#[test]
fn a_self_signed_certificate_is_its_own_leaf_even_as_a_ca() {
    for recipe in [Recipe::leaf("mx.example.com"), Recipe::ca("mx.example.com")] {
        let lone = recipe.make();
        for key in [None, Some(lone.key_pem())] {
            let bundle = Bundle::read(&lone.pem(), key.as_deref(), None).unwrap();
            assert_eq!(subjects(&bundle), ["mx.example.com"]);
            assert!(bundle.root.is_none() && bundle.notes.is_empty());
        }
        let stranger = Recipe::leaf("mx.example.com").make().key_pem();
        let refused = Bundle::read(&lone.pem(), Some(&stranger), None).unwrap_err();
        assert_eq!(refused.code(), "cert.key-mismatch");
    }
}

#[test]
fn other_pem_objects_are_left_out_with_a_note() {
    let leaf = Recipe::leaf("mx.example.com").make();
    let extra = b"-----BEGIN DH PARAMETERS-----\nAQID\n-----END DH PARAMETERS-----\n";
    let bundle = Bundle::read(&[leaf.pem(), extra.to_vec()].concat(), None, None).unwrap();
    assert_eq!(notes(&bundle), ["a DH PARAMETERS was left out"]);
    let bundle = Bundle::read(&leaf.der(), None, None).unwrap();
    assert_eq!(notes(&bundle), ["DER was converted to PEM"]);
}

#[test]
fn every_mistake_has_its_code() {
    let Chain { root, middle, leaf } = chain("mx.example.com");
    let stranger = Recipe::leaf("mx.example.com").make();
    let key = leaf.key_pem();
    let encrypted = leaf
        .key
        .private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_128_cbc(), b"x")
        .unwrap();
    let request = b"-----BEGIN CERTIFICATE REQUEST-----\nAQID\n-----END CERTIFICATE REQUEST-----\n";
    let pkcs7 = b"-----BEGIN PKCS7-----\nAQID\n-----END PKCS7-----\n";
    let fullchain = pem(&[&leaf, &middle]);
    let mut damaged = leaf.der();
    damaged[4] = 0x31;
    let many: Vec<u8> = (0..33)
        .flat_map(|i| Recipe::leaf(&format!("h{i}.example")).make().pem())
        .collect();
    let none = None::<&[u8]>;
    let some = Some::<&[u8]>;
    for (what, cert, key, chain, expected) in [
        ("good", &fullchain[..], some(&key), none, "ok"),
        ("empty", b"", none, none, "cert.empty"),
        ("empty key", &fullchain, some(b" \n"), none, "cert.empty"),
        ("empty chain", &fullchain, none, some(b""), "cert.empty"),
        ("text", b"hello", none, none, "cert.not-pem"),
        (
            "large",
            &vec![b'a'; 10_000_000],
            none,
            none,
            "cert.too-large",
        ),
        ("utf-16", b"\xff\xfe-\0-\0", none, none, "cert.utf16"),
        ("request", request, none, none, "cert.is-request"),
        ("pkcs7", pkcs7, none, none, "cert.damaged"),
        ("truncated", &fullchain[..300], none, none, "cert.truncated"),
        (
            "truncated DER",
            &leaf.der()[..200],
            none,
            none,
            "cert.truncated",
        ),
        ("damaged", &damaged, none, none, "cert.damaged"),
        ("many", &many, none, none, "cert.too-many"),
        ("key only", &key, none, none, "cert.no-certificate"),
        (
            "cert as key",
            &fullchain,
            some(&fullchain),
            none,
            "cert.key-missing",
        ),
        (
            "encrypted key",
            &fullchain,
            some(&encrypted),
            none,
            "cert.key-encrypted",
        ),
        (
            "wrong key",
            &fullchain,
            some(&stranger.key_pem()),
            none,
            "cert.key-mismatch",
        ),
        (
            "two keys",
            &[fullchain.clone(), stranger.key_pem()].concat(),
            some(&key),
            none,
            "cert.two-keys",
        ),
        (
            "CAs only",
            &pem(&[&middle, &root]),
            none,
            none,
            "cert.no-leaf",
        ),
        (
            "CAs and key",
            &pem(&[&middle, &root]),
            some(&key),
            none,
            "cert.no-leaf",
        ),
        ("intermediate", &middle.pem(), none, none, "cert.no-leaf"),
        (
            "missing intermediate",
            &leaf.pem(),
            some(&key),
            some(&root.pem()),
            "cert.chain-broken",
        ),
    ] {
        assert_eq!(code(cert, key, chain), expected, "{what}");
    }
}

#[test]
fn a_password_opens_what_is_under_it_and_the_notes_say_from_what() {
    let Chain { middle, leaf, .. } = chain("mx.example.com");
    let mut others = openssl::stack::Stack::new().unwrap();
    others.push(middle.x509.clone()).unwrap();
    let pkcs12 = openssl::pkcs12::Pkcs12::builder()
        .pkey(&leaf.key)
        .cert(&leaf.x509)
        .ca(others)
        .build2("x")
        .and_then(|pkcs12| pkcs12.to_der())
        .unwrap();
    let files = Files {
        cert: &pkcs12,
        password: Some("x"),
        ..Files::default()
    };
    let bundle = Bundle::from_files(files).unwrap();
    assert_eq!(subjects(&bundle), ["mx.example.com", "Middle"]);
    assert!(bundle.key.is_some_and(|key| key.matches(&bundle.chain[0])));
    assert_eq!(bundle.notes, [Note::FromPkcs12]);
    // A password that nothing asks for does no harm.
    let (cert, key) = (leaf.pem(), leaf.key_pem());
    let files = Files {
        cert: &cert,
        key: Some(&key),
        ..files
    };
    assert!(Bundle::from_files(files).unwrap().notes.is_empty());
}

#[test]
fn a_broken_chain_names_what_is_missing() {
    let Chain { root, leaf, .. } = chain("mx.example.com");
    let error = Bundle::read(&pem(&[&leaf, &root]), None, None).unwrap_err();
    assert_eq!(
        error,
        CertError::ChainBroken {
            subject: "CN=mx.example.com".into(),
            issuer: "CN=Middle, O=Test CA".into(),
        }
    );
}

#[test]
fn a_key_in_the_older_encrypted_form_is_opened_by_its_password() {
    let leaf = Recipe::leaf("mx.example.com").make();
    let cipher = openssl::symm::Cipher::aes_256_cbc();
    let key = leaf.key.ec_key().unwrap();
    let key = key
        .private_key_to_pem_passphrase(cipher, b"secret")
        .unwrap();
    assert!(String::from_utf8_lossy(&key).contains("Proc-Type: 4,ENCRYPTED"));
    let read = |password| {
        Bundle::from_files(Files {
            cert: &leaf.pem(),
            key: Some(&key),
            chain: None,
            password,
        })
    };
    let read_code = |password| read(password).unwrap_err().code();
    assert!(read(Some("secret")).unwrap().key.is_some());
    assert_eq!(read_code(Some("wrong")), "cert.password-wrong");
    assert_eq!(read_code(None), "cert.key-encrypted");
    let old = String::from_utf8_lossy(&key).replace("AES-256-CBC", "DES-CBC");
    let old = Files {
        cert: &leaf.pem(),
        key: Some(old.as_bytes()),
        chain: None,
        password: Some("x"),
    };
    assert_eq!(
        Bundle::from_files(old).unwrap_err().code(),
        "cert.legacy-cipher"
    );
}

#[test]
fn certificates_that_issued_each_other_do_not_loop() {
    let a = Recipe::ca("A").make();
    let mut b = Recipe::ca("B").by(&a);
    b.key = ec_key();
    let b = b.make();
    let mut a_by_b = Recipe::ca("A").by(&b);
    a_by_b.key = a.key.clone();
    let a_by_b = a_by_b.make();
    let leaf = Recipe::leaf("mx.example.com").by(&a).make();
    let bundle = Bundle::read(&pem(&[&b, &a_by_b, &leaf]), Some(&leaf.key_pem()), None).unwrap();
    assert_eq!(subjects(&bundle), ["mx.example.com", "A", "B"]);
}

proptest! {
    #[test]
    fn never_panics(cert in prop::collection::vec(any::<u8>(), 0..100), key in prop::option::of(prop::collection::vec(any::<u8>(), 0..50))) {
        let _ = Bundle::read(&cert, key.as_deref(), None);
    }

    #[test]
    fn any_order_of_blocks_gives_the_same_chain(order in Just(vec![0, 1, 2, 3, 4, 5]).prop_shuffle()) {
        static PARTS: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
        let parts = PARTS.get_or_init(|| {
            let Chain { root, middle, .. } = chain("unused.example");
            let low = Recipe::ca("Low").by(&middle).make();
            let leaf = Recipe::leaf("mx.example.com").by(&low).make();
            vec![leaf.pem(), low.pem(), middle.pem(), root.pem(), leaf.key_pem(), leaf.pem()]
        });
        let file: Vec<u8> = order.iter().flat_map(|i: &usize| parts[*i].clone()).collect();
        let bundle = Bundle::read(&file, None, None).unwrap();
        prop_assert_eq!(subjects(&bundle), ["mx.example.com", "Low", "Middle"]);
        prop_assert!(bundle.root.is_some() && bundle.key.is_some());
        prop_assert!(bundle.notes.contains(&Note::Duplicate("CN=mx.example.com".into())));
    }
}

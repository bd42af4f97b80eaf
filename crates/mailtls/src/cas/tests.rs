//! What may be chosen as a CA, and that what is kept comes back.

use super::*;
use crate::forge::{Forged, Recipe};

fn pem(of: &[&Forged]) -> Vec<u8> {
    of.iter().flat_map(|one| one.pem()).collect()
}

#[test]
fn several_cas_are_kept_and_come_back_each_once() {
    let (root, next) = (Recipe::ca("Root").make(), Recipe::ca("Next").make());
    let middle = Recipe::ca("Middle").by(&root).make();
    let file = pem(&[&middle, &root, &next, &root]);
    let cas = read_cas(&file).unwrap();
    let names: Vec<_> = cas.iter().filter_map(|ca| ca.common_name.clone()).collect();
    assert_eq!(names, ["Middle", "Root", "Next"]);
    assert_eq!(cas_from_der(&cas_to_der(&cas)), cas);
    // A lone one is kept as itself.
    let lone = read_cas(&root.der()).unwrap();
    assert_eq!(cas_to_der(&lone), root.der());
    assert_eq!(cas_from_der(&root.der()), lone);

    let leaf = Recipe::leaf("mx.example.org").by(&next).make();
    let chain = [Certificate::parse(&leaf.der()).unwrap()];
    assert!(leads_to(&chain, &cas));
    assert!(!leads_to(&chain, &lone));
}

#[test]
fn a_certificate_that_issues_none_is_no_ca() {
    let root = Recipe::ca("Root").make();
    let leaf = Recipe::leaf("mx.example.org").by(&root).make();
    for file in [leaf.pem(), leaf.der(), pem(&[&root, &leaf])] {
        let refused = read_cas(&file).unwrap_err();
        assert_eq!(refused.code(), "cert.not-a-ca");
        assert!(refused.to_string().contains("mx.example.org"), "{refused}");
    }
    let nothing = read_cas(b"-----BEGIN X-----\nAAAA\n-----END X-----\n").unwrap_err();
    assert_eq!(nothing.code(), "cert.no-certificate");
    assert_eq!(
        read_cas(b"no certificate").unwrap_err().code(),
        "cert.not-pem"
    );
}

#[test]
fn a_bundle_of_everybody_is_no_choice_and_damage_vouches_for_nothing() {
    let many: Vec<Forged> = (0..51)
        .map(|n| Recipe::ca(&format!("CA {n}")).make())
        .collect();
    let file = pem(&many.iter().collect::<Vec<_>>());
    let refused = read_cas(&file).unwrap_err();
    assert_eq!(refused, CertError::TooManyCas(51));
    assert_eq!(
        read_cas(&pem(&many[..50].iter().collect::<Vec<_>>()))
            .unwrap()
            .len(),
        50
    );
    let whole = many[0].der();
    assert_eq!(cas_from_der(&whole[..whole.len() - 1]), []);
    assert_eq!(
        cas_from_der(&[whole.clone(), b"junk".to_vec()].concat()).len(),
        1
    );
    assert_eq!(cas_from_der(b""), []);
}

//! Who vouches for what, and what is said where nobody does.

use super::*;
use postseal_issue::{KeyType, LeafRequest, PrivateCa, Validity};
use zeroize::Zeroizing;

const NOW: i64 = 1_800_000_000;

struct Made {
    root: Certificate,
    root_pem: String,
    leaf: Certificate,
}

/// A CA, and a certificate that it issued.
fn made() -> Made {
    let validity = Validity::days(NOW, 90);
    let ca = PrivateCa::new("Test Root", KeyType::EcdsaP256, validity).unwrap();
    let leaf = ca.issue(&LeafRequest {
        names: vec!["mx.example.org".to_owned()],
        key_type: KeyType::EcdsaP256,
        validity,
    });
    let parse = |pem: &str| mailtls::pem_certificates(pem.as_bytes()).unwrap().remove(0);
    Made {
        root: parse(&ca.certificate_pem()),
        root_pem: ca.certificate_pem(),
        leaf: parse(&leaf.unwrap().fullchain_pem()),
    }
}

fn system(pem: &str) -> SystemTrust {
    let file = |text: &str| FileLook::File {
        bytes: Zeroizing::new(text.as_bytes().to_vec()),
        mode: 0o644,
        uid: 0,
    };
    SystemTrust::of(&[FileLook::Missing, file(pem), file("of no matter")])
}

fn codes(chain: &[&Certificate], private_ca: Option<&Certificate>, system: &SystemTrust) -> String {
    let chain: Vec<Certificate> = chain.iter().map(|one| (*one).clone()).collect();
    let ca = private_ca.map(|ca| ca.der.as_slice());
    let found = chain_problems(&chain, NOW, &[], ca, system);
    let codes: Vec<_> = found.iter().map(|problem| problem.code).collect();
    codes.join(" ")
}

#[test]
fn the_system_or_a_private_ca_vouches_and_the_chain_itself_never() {
    let (ours, other) = (made(), made());
    let known = system(&[ours.root_pem.as_str(), &other.root_pem].concat());
    let unknown = system(&other.root_pem);
    let leaf = &ours.leaf;
    assert_eq!(codes(&[leaf], None, &known), "");
    // Another CA has the same name; its key is another one.
    assert_eq!(codes(&[leaf], None, &unknown), "cert.chain-incomplete");
    assert_eq!(
        codes(&[leaf, &ours.root], None, &unknown),
        "cert.issuer-unknown"
    );
    assert_eq!(codes(&[leaf], Some(&ours.root), &unknown), "");
    assert_eq!(
        codes(&[leaf], Some(&other.root), &known),
        "cert.chain-incomplete"
    );
}

#[test]
fn where_no_anchors_are_known_nothing_is_said_of_trust() {
    let ours = made();
    for nothing in [SystemTrust::default(), system(""), system("no certificate")] {
        assert_eq!(codes(&[&ours.leaf, &ours.root], None, &nothing), "");
        assert_eq!(
            codes(&[&ours.leaf], None, &nothing),
            "cert.chain-incomplete"
        );
        assert_eq!(
            codes(&[&ours.root], None, &nothing),
            "cert.ca-as-leaf cert.no-alternative-name"
        );
    }
}

#[test]
fn the_remedies_are_commands() {
    let (ours, other) = (made(), made());
    let unknown = system(&other.root_pem);
    let remedies = |chain: &[Certificate]| {
        let found = chain_problems(chain, NOW, &[], None, &unknown);
        found[0].remedy.clone()
    };
    let alone = remedies(std::slice::from_ref(&ours.leaf));
    assert!(
        alone.contains("--chain FILE") && alone.contains("--private-ca FILE"),
        "{alone}"
    );
    let rooted = remedies(&[ours.leaf.clone(), ours.root.clone()]);
    assert!(
        rooted.contains("--private-ca FILE") && rooted.contains("public CA"),
        "{rooted}"
    );
}

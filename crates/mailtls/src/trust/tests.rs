//! Chains that lead to an anchor, and those that must not.

use super::*;
use crate::forge::{DAY, NOW, Recipe, chain};

#[test]
fn a_chain_leads_to_its_root_at_a_time_when_all_are_valid() {
    let chain = chain("mx.example.com");
    let (leaf, middle, root) = (
        chain.leaf.certificate(),
        chain.middle.certificate(),
        chain.root.certificate(),
    );
    let full = [leaf.clone(), middle];
    let anchors = [root];
    assert_eq!(verify_chain(&full, &anchors, NOW), Ok(()));
    for (chain, anchors, now, reason, depth) in [
        (
            &full[..],
            &anchors[..],
            NOW + 61 * DAY,
            "certificate has expired",
            0,
        ),
        (
            &full,
            &anchors,
            NOW - 31 * DAY,
            "certificate is not yet valid",
            2,
        ),
        (
            &full[..1],
            &anchors,
            NOW,
            "unable to get local issuer certificate",
            0,
        ),
        (&full, &[], NOW, "unable to get local issuer certificate", 1),
    ] {
        let error = verify_chain(chain, anchors, now).unwrap_err();
        assert_eq!(error, TrustError::Untrusted { reason, depth });
    }
    assert_eq!(verify_chain(&[], &anchors, NOW), Err(TrustError::Empty));
}

#[test]
fn a_self_signed_certificate_is_trusted_only_as_its_own_anchor() {
    let lone = Recipe::leaf("mx.example.com").make().certificate();
    let own = std::slice::from_ref(&lone);
    assert_eq!(verify_chain(own, own, NOW), Ok(()));
    let error = verify_chain(own, &[], NOW).unwrap_err().to_string();
    assert!(error.starts_with("self-signed certificate"), "{error}");
}

#[test]
fn a_leaf_that_is_not_for_servers_is_not_trusted() {
    let root = Recipe::ca("Root").make();
    let mut recipe = Recipe::leaf("mx.example.com").by(&root);
    recipe.usages = vec!["clientAuth"];
    let leaf = recipe.make().certificate();
    assert!(verify_chain(&[leaf], &[root.certificate()], NOW).is_err());
}

#[test]
fn a_leaf_issued_by_a_leaf_is_not_trusted() {
    let chain = chain("mx.example.com");
    let evil = Recipe::leaf("bank.example").by(&chain.leaf).make();
    let presented = [
        evil.certificate(),
        chain.leaf.certificate(),
        chain.middle.certificate(),
    ];
    assert!(verify_chain(&presented, &[chain.root.certificate()], NOW).is_err());
}

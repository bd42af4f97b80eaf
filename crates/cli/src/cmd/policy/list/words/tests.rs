//! What a list says of servers of which some fail.

use super::{fails_at, servers};
use postseal_planner::Preflight;
use serde_json::json;

/// What was seen at addresses that came out so, with a host that has none where `lost`.
fn seen(outcomes: &[&str], lost: Option<&str>) -> Preflight {
    let address = |outcome: &&str| {
        json!({"address": "192.0.2.1:25", "outcome": outcome, "delivery": null, "words": "",
            "version": null, "fingerprint": null})
    };
    let host = |addresses: Vec<serde_json::Value>, trouble: Option<&str>| {
        json!({"name": "mx.example", "preference": 10, "tlsa": "none", "addresses": addresses,
            "trouble": trouble})
    };
    let mut hosts = vec![host(outcomes.iter().map(address).collect(), None)];
    hosts.extend(lost.map(|why| host(Vec::new(), Some(why))));
    serde_json::from_value(json!({"nexthop": "example", "policy": "encrypt", "at": 0,
        "outcome": "pass", "sentence": "", "hosts": hosts, "findings": [],
        "strongest": {"policy": null, "stronger": []}}))
    .unwrap()
}

#[test]
fn a_pass_that_is_not_one_of_every_server_says_so() {
    for (outcomes, lost, words) in [
        (&["pass", "pass"][..], None, "pass 1970"),
        (
            &["pass", "fail"],
            None,
            "pass, but not at every server 1970",
        ),
        (
            &["pass", "undetermined"],
            None,
            "pass, but not every server could be seen 1970",
        ),
        (
            &["pass"],
            Some("it has no address"),
            "pass, but not every server could be seen 1970",
        ),
    ] {
        let told = servers(&seen(outcomes, lost), "encrypt");
        assert!(told.starts_with(words), "{outcomes:?}: {told}");
    }
    assert_eq!(fails_at(&seen(&["pass", "fail"], None)).count(), 1);
}

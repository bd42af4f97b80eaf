//! What a check says of servers of which some fail.

use super::*;
use serde_json::json;

#[test]
fn a_pass_that_is_not_one_of_every_server_is_no_plain_pass() {
    let address = |outcome: &str| {
        json!({"address": "192.0.2.1:25", "outcome": outcome, "delivery": null, "words": "",
            "version": null, "fingerprint": null})
    };
    let host = json!({"name": "mx.example", "preference": 10, "tlsa": "none", "trouble": null,
        "addresses": [address("pass"), address("fail")]});
    let seen = json!({"nexthop": "example", "policy": "encrypt", "at": 0, "outcome": "pass",
        "sentence": "", "hosts": [host], "findings": [],
        "strongest": {"policy": null, "stronger": []}});
    let one = Checked {
        subject: "example".to_owned(),
        preflight: serde_json::from_value(seen).unwrap(),
        findings: Vec::new(),
    };
    let words = "pass, but not at every server";
    assert_eq!(row(&one)[3], words);
    assert!(story(&one).starts_with(&format!("example: {words} at encrypt\n")));
}

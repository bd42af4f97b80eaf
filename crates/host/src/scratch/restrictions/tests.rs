//! Tests of `restrictions`: access restriction lists without the policy services that they ask.

use super::*;

fn without(value: &str) -> Option<String> {
    without_policy(value.as_bytes()).map(|w| String::from_utf8(w.value).unwrap())
}

#[test]
fn a_policy_service_becomes_no_decision() {
    for (value, expected) in [
        (
            "permit_mynetworks, check_policy_service unix:private/policy, reject",
            "permit_mynetworks,check_client_access,static:DUNNO,reject",
        ),
        (
            "Check_Policy_Service,{ inet:127.0.0.1:10031, timeout=10s }",
            "check_client_access,static:DUNNO",
        ),
        ("check_policy_service", "check_client_access,static:DUNNO"),
        (
            "reject check_policy_service $policy",
            "reject,check_client_access,static:DUNNO",
        ),
    ] {
        assert_eq!(without(value).as_deref(), Some(expected), "{value}");
    }
}

#[test]
fn other_lists_are_left_alone() {
    for value in [
        "",
        "permit",
        "check_policy_services x",
        "{ check_policy_service x }",
        "hash:check_policy_service",
    ] {
        assert_eq!(without(value), None, "{value}");
    }
}

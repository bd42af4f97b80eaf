//! The words of edits. Whether they lead mail there, trivial-rewrite(8) says (crates/cli/tests/policy).

use super::*;

fn lead(parameter: &str, key: Option<&str>, value: &str, transport_by: &str) -> String {
    Lead {
        parameter: parameter.to_owned(),
        key: key.map(str::to_owned),
        value: value.to_owned(),
        transport_by: transport_by.to_owned(),
    }
    .words("smtps-out")
}

#[test]
fn a_parameter_that_takes_no_transport_is_not_given_one() {
    let of_relay = lead("relayhost", None, "[h]:465", "relay_transport");
    assert!(
        of_relay.contains("`relay_transport = smtps-out`"),
        "{of_relay}"
    );
    for (parameter, key) in [(OF_RELAYS, Some("@s.test")), ("smtp_fallback_relay", None)] {
        let by = if key.is_some() { "relay_transport" } else { "" };
        let told = lead(parameter, key, "[h]:465", by);
        assert!(told.contains("takes no transport"), "{told}");
        assert!(!told.contains("smtps-out:"), "{told}");
    }
}

#[test]
fn where_nothing_is_known_of_the_route_no_parameter_is_named_for_it() {
    let told = edits(&[], "[h]:465", "smtps-out");
    assert!(told.contains("`smtps-out:[h]:465`"), "{told}");
    assert!(told.contains("relay hosts take no transport"), "{told}");
}

//! Maps of ours that hand edits make look like somebody's own: no rule stays in force by one after it
//! was removed.

use crate::place::{Place, builder};
use std::fs;

const CODE: &str = "policy.stale-map";

/// How often main.cf and master.cf name a map of ours.
fn named(place: &Place) -> usize {
    let master = fs::read_to_string(place.config().join("master.cf")).unwrap();
    let files = place.main_cf() + &master;
    // An adopted line that has to go is commented out.
    let lines = files.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.matches("postseal.d/policy-").count())
        .sum()
}

fn add(place: &Place, rule: &str) {
    place.must(&format!(
        "policy add {rule} --no-preflight --force --reason x"
    ));
    place.must("apply --yes");
}

#[test]
fn a_removed_rule_is_gone_although_a_service_with_tables_was_adopted_meanwhile() {
    let place = Place::new();
    place.must("set profile=recommended");
    add(&place, "a.example encrypt");
    let custom = "custom/unix=custom unix - - y - - smtp -o \
                  smtp_tls_policy_maps=inline:{{own.example=secure}}";
    place.scene.postconf(&["-Me", custom]);
    place.must("drift --adopt");
    // What was set stays so.
    let settings = place.must("set loglevel.inbound=1").json["settings"].clone();
    assert_eq!(settings["profile"], "recommended", "{settings}");
    place.must("apply --yes");
    assert_eq!(named(&place), 2, "one for all, one for the service");
    place.must("policy add b.example encrypt --no-preflight");
    place.must("apply --yes");
    assert_eq!(named(&place), 2);

    place.must("policy remove a.example");
    place.must("apply --yes");
    assert_eq!(named(&place), 2);
    let explained = place.run("explain x@a.example").json.to_string();
    assert!(!explained.contains("encrypt"), "{explained}");
    place.must("policy remove b.example");
    place.must("apply --yes");
    assert_eq!(named(&place), 0);
    assert_eq!(place.maps(), "");
    let master = fs::read_to_string(place.config().join("master.cf")).unwrap();
    assert!(master.contains("inline:{{own.example=secure}}"), "{master}");
}

#[test]
fn an_old_main_cf_that_is_put_back_brings_no_removed_rule_back() {
    let place = Place::of(builder().set("smtp_tls_policy_maps", "inline:{z.example=may}"));
    add(&place, "a.example encrypt");
    let old = place.main_cf();
    place.must("policy remove a.example");
    add(&place, "b.example encrypt");
    place.write("main.cf", &old);
    for how in ["drift --adopt", "init"] {
        let told = place.must(how).json;
        assert!(told.to_string().contains(CODE), "{how}: {told}");
    }
    place.must("apply --yes");
    assert_eq!(named(&place), 1);
    assert_eq!(place.looked_up("a.example"), None);
    assert_eq!(place.looked_up("b.example").as_deref(), Some("encrypt"));
    assert!(
        place.maps().ends_with("inline:{z.example=may}"),
        "{}",
        place.maps()
    );

    // The same where no rule is left.
    place.write("main.cf", &old);
    place.must("policy remove b.example");
    place.must("init");
    place.must("apply --yes");
    assert_eq!(named(&place), 0, "{}", place.main_cf());
    assert_eq!(place.maps(), "inline:{z.example=may}");
}

#[test]
fn rules_outlive_release_as_rules_that_can_be_removed() {
    for ahead in ["", "inline:{z.example=may}, "] {
        let place = Place::new();
        add(&place, "a.example encrypt");
        add(&place, "b.example secure");
        place.must("release");
        let map = place.maps();
        place
            .scene
            .postconf(&["-e", &format!("smtp_tls_policy_maps={ahead}{map}")]);
        place.must("init");
        assert_eq!(
            place.listed("in_force"),
            ["a.example encrypt", "b.example secure"]
        );
        assert_eq!(place.must("plan").json["pending"], false);
        place.must("policy remove a.example");
        place.must("apply --yes");
        assert_eq!(named(&place), 1);
        let explained = place.run("explain x@a.example").json.to_string();
        assert!(!explained.contains("encrypt"), "{explained}");
        place.must("policy remove b.example");
        place.must("apply --yes");
        assert_eq!(named(&place), 0, "{}", place.main_cf());
    }
}

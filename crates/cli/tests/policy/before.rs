//! Tables that somebody puts before those whose rows are rules.

use crate::place::{Place, builder};
use serde_json::Value;

fn place() -> Place {
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"));
    place.table("own", "a.example encrypt\n");
    place.must("init");
    place
}

fn ahead(found: &Value) -> usize {
    let found = found["findings"].as_array().unwrap().iter();
    found
        .filter(|one| one["code"] == "policy.table-ahead")
        .count()
}

#[test]
fn one_with_rows_becomes_rules_in_its_place() {
    let place = place();
    let front = place.table("front", "a.example may\nf.example dane\n");
    place.put_first(&front);
    let taken = place.must("drift --adopt").json;
    assert_eq!(ahead(&taken), 0);
    assert_eq!(
        place.listed("in_force"),
        ["a.example may", "f.example dane"]
    );
    assert_eq!(place.must("plan").json["pending"], false);
    place.must("policy add z.example encrypt");
    place.must("apply --yes");
    assert_eq!(place.looked_up("a.example").as_deref(), Some("may"));
    assert!(!place.maps().contains("/front"), "{}", place.maps());
}

#[test]
fn one_that_cannot_stays_before_the_rules_and_what_it_shadows_is_said() {
    for command in ["drift --adopt", "init"] {
        let place = place();
        place.write("patterns", "/^f\\./ none\n");
        let patterns = format!("regexp:{}", place.config().join("patterns").display());
        place.put_first(&patterns);
        place.ends(65, "plan");
        let taken = place.must(command).json;
        assert_eq!(ahead(&taken), 1, "{taken}");
        assert_eq!(place.must("plan").json["pending"], false);
        assert_eq!(place.listed("in_force"), ["a.example encrypt"]);
        place.must("policy add f.example encrypt");
        place.must("apply --yes");
        assert!(place.maps().starts_with(&patterns), "{}", place.maps());
        assert!(
            place.maps().contains("/postseal.d/policy-"),
            "{}",
            place.maps()
        );
        assert_eq!(place.maps().matches(':').count(), 2, "{}", place.maps());
        assert_eq!(place.level("f.example"), "none");
        assert_eq!(place.level("a.example"), "encrypt");
        let lint = place
            .must(&format!("lint {}", place.config().display()))
            .json;
        let lint = lint["findings"].as_array().unwrap().iter();
        let shadowed: Vec<_> = lint
            .filter(|one| one["code"] == "policy.shadowed")
            .collect();
        assert_eq!(shadowed.len(), 1);
        let words = shadowed[0].to_string();
        assert!(
            words.contains("f.example") && !words.contains("a.example"),
            "{words}"
        );
        place.must("drift");
        place.must("rollback --yes");
        assert!(place.maps().ends_with("/own"), "{}", place.maps());
        assert!(place.maps().starts_with(&patterns), "{}", place.maps());
        assert_eq!(place.must("plan").json["pending"], false);
    }
}

#[test]
fn before_the_map_of_the_rules_it_stays_and_its_rows_can_be_imported() {
    let place = place();
    place.must("policy add b.example encrypt");
    place.must("apply --yes");
    place.must("set loglevel.outbound=1");
    let front = place.table("front", "b.example none\nf.example may\n");
    place.put_first(&front);
    place.ends(65, "plan");
    let taken = place.must("drift --adopt").json;
    assert_eq!(ahead(&taken), 1, "{taken}");
    // The wish goes on, and does not undo what was taken over.
    place.must("apply --yes");
    assert!(
        place.maps().starts_with(&format!("{front}, ")),
        "{}",
        place.maps()
    );
    assert_eq!(place.scene.value("smtp_tls_loglevel"), "1");
    assert_eq!(place.level("b.example"), "none");
    let rules = ["a.example encrypt", "b.example encrypt"];
    assert_eq!(place.listed("in_force"), rules);
    // As the remedy says.
    place.must(&format!(
        "policy import {}",
        place.config().join("front").display()
    ));
    place.must("apply --yes");
    assert!(
        place.maps().starts_with(&format!("{front}, ")),
        "{}",
        place.maps()
    );
    let main = place.main_cf().replace(&format!("{front}, "), "");
    place.write("main.cf", &main);
    assert_eq!(ahead(&place.must("drift --adopt").json), 0);
    assert_eq!(place.must("plan").json["pending"], false);
    assert_eq!(place.looked_up("b.example").as_deref(), Some("none"));
    assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
    assert_eq!(place.looked_up("f.example").as_deref(), Some("may"));
}

#[test]
fn it_can_be_put_back_too() {
    let place = place();
    let before = place.main_cf();
    place.put_first("static:none");
    place.must("drift --restore --yes");
    assert_eq!(place.main_cf(), before);
    assert_eq!(place.must("plan").json["pending"], false);
}

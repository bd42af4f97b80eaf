//! How tables are named, and of which type ours is.

use crate::place::{Place, builder};

/// The types that are compiled, with Debian's postfix-lmdb and postfix-cdb.
const COMPILED: [&str; 4] = ["hash", "btree", "lmdb", "cdb"];

#[test]
fn of_each_type_a_table_is_adopted_and_ours_takes_its_place_and_goes_back() {
    for kind in COMPILED {
        let builder = builder().set("default_database_type", kind).set(
            "smtp_tls_policy_maps",
            "$default_database_type:$config_directory/own",
        );
        let place = Place::unadopted(builder);
        place.table_of(kind, "own", "a.example encrypt\n");
        let found = place.main_cf();
        let adopted = place.must("init").json;
        // What postmap(1) cannot list is left alone, behind the rules.
        let listed = kind != "cdb";
        assert_eq!(
            adopted["tables"][0]["rows"] == 1,
            listed,
            "{kind}: {adopted}"
        );
        if !listed {
            place.must("policy add a.example encrypt");
        }
        place.must("policy add b.example may");
        place.must("apply --yes");
        assert!(place.maps().starts_with(&format!("{kind}:")), "{kind}");
        assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
        assert_eq!(place.looked_up("b.example").as_deref(), Some("may"));
        place.must("verify");
        place.must("policy remove a.example");
        place.must("apply --yes");
        assert_eq!(place.looked_up("a.example"), None, "{kind}");
        assert_eq!(place.looked_up("b.example").as_deref(), Some("may"));
        place.must("drift");
        place.must("rollback --yes");
        assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
        place.must("rollback 1 --yes");
        assert_eq!(place.main_cf(), found, "{kind}");
        place.must("verify");
    }
}

#[test]
fn a_text_table_by_default_needs_no_compiling() {
    let place = Place::of(builder().set("default_database_type", "texthash"));
    place.must("policy add a.example encrypt");
    place.must("apply --yes");
    assert!(place.maps().starts_with("texthash:"), "{}", place.maps());
    assert_eq!(place.installed().len(), 1, "{:?}", place.installed());
    assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
}

/// What credentials will meet is known before the map is made.
#[test]
fn a_text_table_is_made_where_there_are_credentials() {
    let place = Place::of(
        builder()
            .set("default_database_type", "texthash")
            .set("smtp_sasl_auth_enable", "yes")
            .set("smtp_sasl_security_options", "noanonymous")
            .set(
                "smtp_sasl_password_maps",
                "texthash:{base}/config/passwords",
            ),
    );
    place.write("passwords", "[relay.example.net]:587 user:s3cret\n");
    place.must("policy add [relay.example.net]:587 encrypt --no-preflight");
    place.must("apply --yes");
    let key = "[relay.example.net]:587";
    assert_eq!(place.looked_up(key).as_deref(), Some("encrypt"));
    place.must(&format!(
        "policy edit {key} none --no-preflight --force --reason closing"
    ));
    let refused = place.ends(65, "apply --yes");
    assert_eq!(refused.code(), "outbound.credentials-in-clear");
    place.must("discard");
    place.must("policy add a.example encrypt --no-preflight");
    place.must("apply --yes");
    place.must("rollback --yes");
    assert_eq!(place.installed().len(), 1, "{:?}", place.installed());
    assert_eq!(place.looked_up(key).as_deref(), Some("encrypt"));
}

#[test]
fn for_a_default_type_that_is_not_installed_another_one_is_taken_and_that_is_said() {
    let place = Place::of(builder().set("default_database_type", "sdbm"));
    place.must("policy add a.example encrypt");
    let plan = place.must("plan").json;
    let sentence = plan["sentences"][0].as_str().unwrap();
    for part in [
        "no tables of type sdbm",
        "postconf -m",
        "postfix-sdbm",
        "hash is taken",
    ] {
        assert!(sentence.contains(part), "{sentence}");
    }
    place.must("apply --yes");
    assert!(place.maps().starts_with("hash:"), "{}", place.maps());
    assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
    // Another default changes nothing of what is in force until it is planned.
    let main = place.main_cf().replace("= sdbm", "= texthash");
    place.write("main.cf", &main);
    assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
    place.must("drift");
    place.must("verify");
    place.must("apply --yes");
    assert!(place.maps().starts_with("texthash:"), "{}", place.maps());
    assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
    place.must("drift");
    place.must("verify");
}

#[test]
fn names_are_expanded_as_the_instance_does() {
    let place = Place::unadopted(builder().set(
        "smtp_tls_policy_maps",
        "$default_database_type:$config_directory/own",
    ));
    place.table("own", "a.example encrypt\n*.bad may\n");
    let lint = place.ends(2, &format!("lint {}", place.config().display()));
    let words = lint.json.to_string();
    assert!(words.contains("policy.key-never-matches"), "{words}");
    assert!(!words.contains("maps.missing"), "{words}");
    place.table("own", "a.example encrypt\n");
    let adopted = place.must("init").json;
    assert_eq!(adopted["tables"][0]["rows"], 1);
    let explained = place.must("explain a.example").json;
    assert_eq!(explained["hops"][0]["level"], "encrypt");
    place.must("policy add b.example may");
    place.must("apply --yes");
    assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
}

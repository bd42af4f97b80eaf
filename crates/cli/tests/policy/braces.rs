//! Tables within braces: lists of tables are read as Postfix reads them.

use crate::managed::findings;
use crate::place::{Place, builder};
use crate::scene::Scene;

const ROUTES: &str = "inline:{ {a.example = smtp:[a.example]:26}, b.example=smtp:[b.example]:27, \
     boss@a.example=smtp:[boss.example]:587 }, \
     pipemap:{hash:{base}/config/first, hash:{base}/config/second} \
     unionmap:{ hash:{base}/config/both , inline:{ {none.example = x} } }";

fn place() -> Place {
    let place = Place::unadopted(builder().set("transport_maps", ROUTES).set(
        "relay_domains",
        "inline:{ relayed.example=1, {other.example = 1} }",
    ));
    place.table("first", "piped.example second-key\n");
    place.table("second", "second-key smtp:[piped.example]:28\n");
    place.table("both", "union.example smtp:[union.example]:29\n");
    place.must("init");
    place
}

#[test]
fn explain_goes_where_postfix_sends_mail() {
    let place = place();
    for (domain, hop) in [
        ("a.example", "[a.example]:26"),
        ("b.example", "[b.example]:27"),
        ("piped.example", "[piped.example]:28"),
        ("union.example", "[union.example]:29"),
        ("relayed.example", "relayed.example"),
        ("elsewhere.example", "elsewhere.example"),
    ] {
        let recipient = format!("somebody@{domain}");
        let theirs = place.scene.postfix.resolve("", &recipient).unwrap();
        assert_eq!(theirs.nexthop, hop, "{domain}");
        let told = place.must(&format!("explain {recipient}")).json;
        assert_eq!(told["hops"][0]["nexthop"], hop, "{told}");
    }
}

#[test]
fn a_table_in_braces_is_one_table() {
    let place = place();
    let added = place
        .must("policy add a.example encrypt --follow --no-preflight")
        .json;
    let told = findings(&added, "policy.follows-not");
    // The rows of `inline:` can be listed, those of the other two cannot.
    let of = |word: &str| told.iter().filter(|one| one.contains(word)).count();
    assert_eq!(told.len(), 3, "{told:#?}");
    for word in ["[boss.example]:587", "pipemap:{hash:", "unionmap:{ hash:"] {
        assert_eq!(of(word), 1, "{word}: {told:#?}");
    }
    assert_eq!(place.listed("wanted"), ["[a.example]:26 encrypt"]);

    let place = Place::of(builder().set(
        "transport_maps",
        "inline:{ { a.example = smtp:[a.example]:26 } }",
    ));
    let added = place
        .must("policy add a.example encrypt --follow --no-preflight")
        .json;
    assert!(findings(&added, "policy.follows-not").is_empty(), "{added}");
}

#[test]
fn a_table_in_braces_that_cannot_be_listed_leaves_it_open_whether_it_names_a_next_hop() {
    const CODE: &str = "policy.never-asked-undetermined";
    const HOP: &str = "[127.0.0.9]:26";
    for (parameter, table) in [
        ("transport_maps", "regexp:{ {/^r/ smtp:[127.0.0.9]:26} }"),
        (
            "transport_maps",
            "pipemap:{hash:{base}/config/first, hash:{base}/config/second}",
        ),
        ("transport_maps", "unionmap:{ hash:{base}/config/both }"),
        (
            "sender_dependent_relayhost_maps",
            "randmap:{ [127.0.0.9]:26, [127.0.0.9]:27 }",
        ),
    ] {
        let place = Place::unadopted(builder().set(parameter, table));
        for name in ["first", "second", "both"] {
            place.table(name, "key value\n");
        }
        place.must("init");
        let added = place.must(&format!("policy add {HOP} encrypt --no-preflight"));
        let told = findings(&added.json, CODE);
        let name = format!("{}:{{…}}", table.split(':').next().unwrap());
        assert!(
            told.len() == 1 && told[0].contains(&name),
            "{table}: {}",
            added.stdout
        );
        assert!(!told[0].contains("config/"), "{told:?}");
    }
    // What `static:` says is known.
    let place = Place::of(builder().set("transport_maps", "static:{ smtp:[127.0.0.9]:26 }"));
    let theirs = place.scene.postfix.resolve("", "you@d.test").unwrap();
    assert_eq!(theirs.nexthop, HOP);
    for (hop, count) in [(HOP, 0), ("[127.0.0.9]:27", 1)] {
        let added = place
            .must(&format!("policy add {hop} encrypt --no-preflight"))
            .json;
        assert!(findings(&added, CODE).is_empty(), "{added}");
        assert_eq!(
            findings(&added, "policy.never-asked").len(),
            count,
            "{added}"
        );
    }
}

#[test]
fn explain_asks_tables_of_several_for_parts_of_an_address_as_postfix_does() {
    // Found by the domain alone: the first table says whether that is asked for.
    const PATTERNS: &str = "/^p[.]test$/ smtp:[by.domain]:25\n/@p[.]test$/ smtp:[by.address]:25\n";
    let tables = [
        "unionmap:{regexp:{base}/config/patterns, hash:{base}/config/keys}",
        "unionmap:{hash:{base}/config/keys, regexp:{base}/config/patterns}",
        "pipemap:{regexp:{base}/config/patterns}",
        "unionmap:{unionmap:{regexp:{base}/config/patterns}}",
        "randmap:{smtp:[by.chance]:25}",
    ];
    for table in tables {
        let place = Place {
            scene: Scene::stopped(builder().set("transport_maps", table)),
        };
        place.write("patterns", PATTERNS);
        place.table("keys", "k.test smtp:[by.key]:25\n");
        place.scene.postfix.start().unwrap();
        for recipient in ["you@k.test", "you@p.test", "you@other.test"] {
            let theirs = place.scene.postfix.resolve("", recipient).unwrap();
            let told = place.run(&format!("explain {recipient}")).json;
            assert_eq!(
                told["hops"][0]["nexthop"], theirs.nexthop,
                "{table}: {told}"
            );
        }
    }
}

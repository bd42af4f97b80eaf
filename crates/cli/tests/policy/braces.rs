//! Tables within braces: lists of tables are read as Postfix reads them.

use crate::managed::findings;
use crate::place::{Place, builder};

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

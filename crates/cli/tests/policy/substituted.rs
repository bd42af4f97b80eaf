//! Rows of patterns with `$1`: postmap(1) takes them, trivial-rewrite(8) does not.

use crate::managed::findings;
use crate::place::{Place, builder};

const TABLES: [&str; 4] = [
    "transport_maps",
    "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps",
    "relocated_maps",
];

fn place(parameter: &str, rows: &str) -> Place {
    let place = Place::unadopted(builder().set(parameter, "regexp:{base}/config/patterns"));
    place.write("patterns", rows);
    place.must("init");
    place
}

#[test]
fn explain_goes_where_postfix_sends_mail() {
    for parameter in TABLES {
        let result = match parameter {
            "sender_dependent_relayhost_maps" | "relocated_maps" => "[$1.relay.test]:26",
            _ => "smtp:[$1.relay.test]:26",
        };
        let place = place(parameter, &format!("/^(who|you)@d\\.test$/ {result}\n"));
        let theirs = place.scene.postfix.resolve("who@d.test", "you@d.test");
        let theirs = theirs.unwrap();
        let told = place.run("explain you@d.test --sender who@d.test").json;
        let ours = &told["resolution"];
        assert_eq!(ours["nexthop"], theirs.nexthop, "{parameter}: {told}");
        assert_eq!(ours["transport"], theirs.transport, "{parameter}: {told}");
    }
}

#[test]
fn what_a_later_row_gives_is_undetermined() {
    let rows = "/^(.*)@d\\.test$/ smtp:[$1.relay.test]:26\n/^x@e\\.test$/ smtp:[e.relay.test]:26\n";
    let place = place("transport_maps", rows);
    let told = place.ends(3, "explain you@d.test").json;
    assert_eq!(findings(&told, "policy.row-substitutes").len(), 1, "{told}");
    // A row that says its answer as it stands.
    let told = place.must("explain x@e.test").json;
    assert_eq!(told["hops"][0]["nexthop"], "[e.relay.test]:26");
}

#[test]
fn a_row_within_another_table_is_not_believed_and_lint_names_it() {
    let table = "unionmap:{regexp:{base}/config/patterns}";
    let place = Place::unadopted(builder().set("transport_maps", table));
    place.write(
        "patterns",
        "/^(.*)@d\\.test$/ smtp:[$1.relay.test]:26\n/b\n",
    );
    place.must("init");
    let told = place.ends(3, "explain you@d.test").json;
    assert_eq!(findings(&told, "policy.row-substitutes").len(), 1, "{told}");
    let told = place.run("lint").json;
    for code in ["policy.row-substitutes", "policy.pattern-row-unread"] {
        assert_eq!(findings(&told, code).len(), 1, "{code}: {told}");
    }
}

/// In main.cf `$1` is one of its parameters, and `$$1` what a table of patterns gets.
#[test]
fn lint_names_rows_that_stand_in_main_cf_itself() {
    let told = |value: &str| {
        let place = Place::unadopted(builder().set("transport_maps", value));
        let told = place.run("lint").json;
        findings(&told, "policy.row-substitutes")
    };
    let patterns = told("regexp:{ {/^(.*)@d\\.test$$/ smtp:[$$1.relay.test]:26} }");
    assert!(
        matches!(&patterns[..], [one] if one.contains("trivial-rewrite(8) skips")),
        "{patterns:?}"
    );
    let keys = told("inline:{ {d.test=smtp:[${1}.relay.test]:26} }");
    assert!(
        matches!(&keys[..], [one] if one.contains("puts nothing in its place")),
        "{keys:?}"
    );
    assert_eq!(
        told("regexp:{ {/^a@d\\.test$$/ smtp:[b.test]:26} }"),
        [""; 0]
    );
}

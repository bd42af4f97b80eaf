//! Tables of relative names: Postfix's daemons take them from queue_directory, its commands from where they
//! are called.

use crate::place::{Place, builder};
use std::fs;
use std::process::Command;

#[test]
fn tables_of_relative_names_are_asked_where_postfix_asks_them() {
    let builder = builder().set("smtp_tls_policy_maps", "hash:maps/tls").set(
        "transport_maps",
        "texthash:maps/transport, regexp:maps/patterns",
    );
    let place = Place::unadopted(builder);
    let folder = place.scene.postfix.queue_directory().join("maps");
    fs::create_dir(&folder).unwrap();
    let rows = [
        ("tls", "[127.0.0.9]:26 encrypt\n"),
        ("transport", "d.test smtp:[127.0.0.9]:26\n"),
        ("patterns", "/^(a)@e\\.test$/ smtp:[$1.test]:26\n"),
    ];
    for (name, rows) in rows {
        fs::write(folder.join(name), rows).unwrap();
    }
    let made = Command::new("postmap")
        .args(["-c", place.config().to_str().unwrap()])
        .arg(format!("hash:{}", folder.join("tls").display()))
        .status();
    assert!(made.unwrap().success());
    let theirs = place.scene.postfix.resolve("s@d.test", "you@d.test");
    let told = place.must("explain you@d.test").json;
    let hop = &told["hops"][0];
    assert_eq!(hop["nexthop"], theirs.unwrap().nexthop, "{told}");
    assert_eq!(hop["level"], "encrypt", "{told}");
    // The row that trivial-rewrite(8) skips is read there, too.
    let theirs = place.scene.postfix.resolve("s@d.test", "a@e.test");
    let told = place.must("explain a@e.test").json;
    let ours = &told["hops"][0]["nexthop"];
    assert_eq!(ours, &theirs.unwrap().nexthop, "{told}");
    // It stays as it is, and why is true.
    let kept = place.must("init").stdout;
    assert!(kept.contains("its name is relative"), "{kept}");
}

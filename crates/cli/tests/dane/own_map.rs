//! A map of names of the administrator's own beside what is bound: it is asked for the names of mail
//! exchangers, and what it does not have is judged as without it.

use crate::scene::run;
use crate::site::all;
use crate::world::{World, dane, one};
use postseal_issue::KeyType;

/// `mx` in force, its records published, and a map that has only these names.
fn world(names: &[&str]) -> World {
    let world = World::signed();
    let own = world
        .site
        .make("own", KeyType::EcdsaP256, &["www.own.test"]);
    let map = world.site.scene.named("ownsni");
    let rows: String = names.iter().map(|name| format!("{name} {own}\n")).collect();
    std::fs::write(&map, rows).unwrap();
    let config = world.site.scene.config();
    run(
        "/usr/sbin/postmap",
        &["-c", &config, "-F", &format!("hash:{map}")],
    );
    world.site.scene.edit("main.cf", |text| {
        format!("{text}tls_server_sni_maps = hash:{map}\n")
    });
    world.must("drift --adopt");
    let world = world.serving();
    world.publish(&world.lines("mx", &["key"]));
    world
}

#[test]
fn a_map_that_lacks_the_names_of_senders_does_not_switch_the_guard_off() {
    let world = world(&["www.own.test"]);
    assert_eq!(dane(&world.must("verify")), [[""; 2]; 0]);
    let listed = world.must("cert list").json.to_string();
    assert!(listed.contains("smtpd"), "{listed}");
    let tlsa = world.say("cert tlsa mx");
    assert!(!tlsa.contains("nowhere"), "{tlsa}");
    let names = [world.host("mx"), world.host("mail")];
    let names = names.each_ref().map(String::as_str);
    let other = world.site.make("other", KeyType::Rsa2048, &names);
    let refused = world.ends(65, &format!("cert deploy mx --cert {other}"));
    assert_eq!(refused.code(), "dane.would-break", "{}", refused.stdout);
    assert_eq!(world.site.plainly(), all("mx"));
    let wrong = format!("_25._tcp.mail TLSA 3 1 1 {}\n", "ab".repeat(32));
    world.publish(&wrong);
    world.tells_of_a_mismatch();
}

#[test]
fn only_a_name_that_the_map_has_cannot_be_told() {
    let world = world(&[".signed.test"]);
    world.publish(&format!("_25._tcp.mail TLSA 3 1 1 {}\n", "ab".repeat(32)));
    let told = dane(&world.must("cert check"));
    assert_eq!(told, one("dane.undetermined", "warning"));
    let told = world.say("cert check");
    assert!(told.contains("mail.signed.test"), "{told}");
    // DNS has told all that there is to tell.
    assert!(told.contains("tls_server_sni_maps"), "{told}");
    assert!(!told.contains("resolver"), "{told}");
}

//! What `cert tlsa` prints.

use crate::site::{Site, builder};
use crate::world::{World, records};
use postseal_issue::KeyType;

#[test]
fn the_lines_are_those_of_a_zone_file_for_every_name_and_port_of_this_host() {
    let world = World::signed().serving();
    let text = world.say("cert tlsa mx");
    // As printed, remarks and all: a name server reads it.
    world.publish(&text);
    let rows = records(&world.must("cert tlsa mx"));
    let mut owners: Vec<&str> = rows
        .iter()
        .map(|row| row["owner"].as_str().unwrap())
        .collect();
    owners.dedup();
    let wanted = ["mx", "mail"]
        .map(|label| [25, 465, 587].map(|port| format!("_{port}._tcp.{label}.signed.test.")));
    assert_eq!(owners, wanted.concat());
    assert!(
        rows.iter().all(|row| row["state"] == "published"),
        "{rows:#?}"
    );
    // That of the CA is printed too, where it is sent along; this one sends its leaf alone.
    assert!(rows.iter().all(|row| row["of"] == "key"), "{rows:#?}");
    let told = world.say("cert tlsa mx");
    assert!(
        told.contains("published, and DNSSEC vouches for it"),
        "{told}"
    );
}

#[test]
fn the_issuing_ca_has_a_record_where_it_stands_in_the_chain() {
    let world = World::signed();
    world.import("mx", KeyType::EcdsaP256);
    let chain = world.site.scene.named("mx.both");
    let ca = world.site.scene.named("ca.pem");
    // `ca.pem` is another CA: what does not belong to the chain is not in it.
    world.must(&format!("cert import two --cert {chain} --chain {ca}"));
    let rows = records(&world.must("cert tlsa two"));
    assert!(rows.iter().all(|row| row["of"] == "key"), "{rows:#?}");
}

#[test]
fn names_that_are_said_take_the_place_of_those_found() {
    let world = World::signed().serving();
    let rows = records(&world.must("cert tlsa mx --mx bücher.signed.test"));
    let owners: Vec<&str> = rows
        .iter()
        .map(|row| row["owner"].as_str().unwrap())
        .collect();
    assert_eq!(owners[0], "_25._tcp.xn--bcher-kva.signed.test.");
    assert_eq!(owners.len(), 3);
    assert_eq!(world.ends(65, "cert tlsa nobody").code(), "name.unknown");
}

#[test]
fn domains_of_a_table_are_not_listed_and_that_is_said() {
    let site = Site::of(
        builder()
            .set("myhostname", "mx.signed.test")
            .set("virtual_alias_domains", "hash:/etc/postfix/virtual"),
    );
    site.import("mx", KeyType::EcdsaP256, &["mx.signed.test"]);
    let said = site.must("cert tlsa mx");
    let unlisted = said.json["unlisted"].to_string();
    assert!(
        unlisted.contains("virtual_alias_domains: hash:/etc/postfix/virtual"),
        "{unlisted}"
    );
    let text = site.scene.say(&["cert", "tlsa", "mx"]).stdout;
    assert!(
        text.contains("could not be listed") && text.contains("--mx"),
        "{text}"
    );
    assert!(text.contains("undetermined: DNS was not asked"), "{text}");
}

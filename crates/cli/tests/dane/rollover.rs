//! Keys made ahead: next key, both records, renewal, deploy, old record out.

use crate::world::{World, dane, records};
use mailtls::tlsa::TlsaRecord;
use std::fs;

/// `mx` by a private CA of the store, in force and published.
fn issued() -> World {
    let world = World::signed();
    world.must("cert private-ca ca");
    issue(&world, "");
    world.must("cert bind mx");
    world.must("set mode=may submission=on smtps=on");
    world.must("apply");
    world.publish(&world.lines("mx", &["key"]));
    world
}

fn issue(world: &World, more: &str) {
    let names = format!("{},{}", world.host("mx"), world.host("mail"));
    world.must(&format!("cert request mx --domain {names} --ca ca{more}"));
}

/// `3 1 1` of the newest version.
fn own(world: &World) -> String {
    let chain = world.must("cert export mx");
    let chain = mailtls::pem_certificates(chain.text("chain").as_bytes()).unwrap();
    TlsaRecord::for_certificate(&chain[0]).to_string()
}

fn states(world: &World, of: &str) -> Vec<String> {
    let rows = records(&world.must("cert tlsa mx"));
    let mut states: Vec<String> = rows
        .iter()
        .filter(|row| row["of"] == of)
        .map(|row| row["state"].as_str().unwrap().to_owned())
        .collect();
    states.dedup();
    states
}

#[test]
fn a_key_is_rolled_over_without_a_moment_in_which_senders_would_keep_their_mail() {
    let world = issued();
    let old = own(&world);
    let made = world.must("cert tlsa mx --next-key");
    assert_eq!(made.json["changed"], true);
    let next = made.text("next_key").to_owned();
    assert_ne!(next, old);
    let again = world.must("cert tlsa mx --next-key");
    assert_eq!(
        (again.text("next_key"), &again.json["changed"]),
        (&*next, &false.into())
    );
    assert!(
        world.say("cert show mx").contains(&next),
        "cert show tells of it"
    );
    let said = world.say("cert tlsa mx");
    for step in [
        "1. Publish",
        "2. Wait",
        "3. Renew",
        "4. `postseal cert deploy mx`",
        "5. Take",
    ] {
        assert!(said.contains(step), "{step}: {said}");
    }
    assert_eq!(states(&world, "next-key"), ["different"]);

    // Renewed too early: it is in the store, and not presented.
    issue(&world, " --renew");
    assert_eq!(
        own(&world),
        next,
        "the next certificate is made for the next key"
    );
    assert_eq!(world.refused("cert deploy mx").code(), "dane.would-break");
    let early = world.must("cert show mx");
    assert!(early.json["next_key"].is_null(), "it waits no longer");

    // The key that is presented still is not taken for one to be thrown away.
    assert_eq!(states(&world, "presented"), ["published"]);
    assert_eq!(states(&world, "nothing"), [""; 0]);
    let both = world.lines("mx", &["key", "presented"]);
    assert!(both.contains(&old) && both.contains(&next), "{both}");
    world.publish(&both);
    let deployed = world.must("cert deploy mx");
    assert_eq!(deployed.json["changed"], true, "{}", deployed.stdout);
    assert_eq!(dane(&world.must("verify")), [[""; 2]; 0]);
    assert_eq!(
        states(&world, "nothing"),
        ["published"],
        "the old one is still there"
    );
    world.publish(&world.lines("mx", &["key"]));
    assert_eq!(dane(&world.must("verify")), [[""; 2]; 0]);
    assert_eq!(states(&world, "nothing"), [""; 0]);
}

#[test]
fn both_records_are_published_before_the_renewal() {
    let world = issued();
    world.must("cert tlsa mx --next-key --key-type rsa-2048");
    world.publish(&world.lines("mx", &["key", "next-key"]));
    assert_eq!(states(&world, "next-key"), ["published"]);
    let names = format!("{},{}", world.host("mx"), world.host("mail"));
    let said = world.say(&format!("cert request mx --domain {names} --ca ca --renew"));
    assert!(said.contains("made for the next key"), "{said}");
    world.must("cert deploy mx");
    assert!(
        world.say("cert show mx").contains("RSA"),
        "the kind that was said"
    );
    assert_eq!(dane(&world.must("cert check")), [[""; 2]; 0]);
}

#[test]
fn a_renewal_with_the_same_key_needs_nothing() {
    let world = issued();
    let before = own(&world);
    issue(&world, " --reuse-key");
    assert_eq!(own(&world), before);
    world.must("cert deploy mx");
    assert_eq!(dane(&world.must("verify")), [[""; 2]; 0]);
    // While a next key waits, the key of today is not taken again.
    world.must("cert tlsa mx --next-key");
    let names = world.host("mx");
    let words = format!("cert request mx --domain {names} --ca ca --reuse-key");
    assert_eq!(world.refused(&words).code(), "cert.next-key-waits");
    let shown = world.must("cert show mx");
    assert!(shown.json["next_key"].is_string(), "it waits");
}

#[test]
fn a_certificate_from_elsewhere_finds_the_next_key_by_its_request_and_by_itself() {
    let world = issued();
    let next = world
        .must("cert tlsa mx --next-key")
        .text("next_key")
        .to_owned();
    let names = world.host("mx");
    let request = world.site.scene.named("mx.csr");
    world.must(&format!("cert request mx --domain {names} --out {request}"));
    world.must("cert request mx --forget");
    // The CA answers long after the request was forgotten.
    let signed = world.site.scene.named("mx.crt");
    let folder = world.site.scene.folder().display().to_string();
    crate::scene::run(
        "/usr/bin/openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=Elsewhere CA",
            "-days",
            "30",
            "-keyout",
            &format!("{folder}/ca.key"),
            "-out",
            &format!("{folder}/ca.crt"),
        ],
    );
    crate::scene::run(
        "/usr/bin/openssl",
        &[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &format!("{folder}/ca.crt"),
            "-CAkey",
            &format!("{folder}/ca.key"),
            "-CAcreateserial",
            "-days",
            "20",
            "-copy_extensions",
            "copy",
            "-out",
            &signed,
        ],
    );
    let stranger = fs::read_to_string(&signed).unwrap();
    assert!(stranger.contains("BEGIN CERTIFICATE"));
    world.must(&format!("cert import mx --cert {signed} --renew"));
    assert_eq!(own(&world), next);
    assert!(world.must("cert show mx").json["next_key"].is_null());
}

#[test]
fn a_next_key_is_forgotten_when_it_is_not_wanted_and_with_its_certificate() {
    let world = World::signed();
    world.must("cert private-ca ca");
    issue(&world, "");
    assert_eq!(
        world.ends(65, "cert tlsa mx --forget-next-key").code(),
        "name.unknown"
    );
    assert_eq!(
        world.ends(65, "cert tlsa nobody --next-key").code(),
        "name.unknown"
    );
    let first = world
        .must("cert tlsa mx --next-key")
        .text("next_key")
        .to_owned();
    let again = world.ends(65, "cert tlsa mx --next-key --key-type rsa-2048");
    assert_eq!(again.code(), "cert.next-key-waits");
    world.must("cert tlsa mx --forget-next-key");
    let second = world
        .must("cert tlsa mx --next-key")
        .text("next_key")
        .to_owned();
    assert_ne!(first, second);
    world.must("cert delete mx");
    issue(&world, "");
    assert!(world.must("cert show mx").json["next_key"].is_null());
    assert_ne!(
        own(&world),
        second,
        "a deleted certificate takes its next key along"
    );
}

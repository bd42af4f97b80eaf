//! What is refused before a CA is asked, or by it; and failures of renewals, which leave the old
//! certificate in force and are told everywhere.

use crate::site::all;
use crate::world::World;
use std::fs;

#[test]
fn what_no_ca_would_do_is_said_at_once() {
    let world = World::new();
    let site = &world.site;
    let [http, ca] = [world.by_http(), world.ca()];
    let dns = format!(
        "{ca} --dns-update {} --tsig-key-file {}",
        world.dns.address(),
        world.key_file()
    );
    world.issue("taken", "taken.box.test", "", "taken 1");
    for (exit, code, words) in [
        (64, "cert.no-names", format!("mx {http}")),
        (
            65,
            "acme.wildcard-needs-dns",
            format!("mx --domain a.test,*.box.test {http}"),
        ),
        (
            65,
            "acme.address-needs-http",
            format!("mx --domain 192.0.2.1 {dns}"),
        ),
        (
            65,
            "cert.bad-host-name",
            format!("mx --domain mx_.box.test! {http}"),
        ),
        (
            65,
            "cert.bad-name",
            format!("../mx --domain mx.box.test {http}"),
        ),
        (
            65,
            "cert.exists",
            format!("taken --domain mx.box.test {http}"),
        ),
        (
            64,
            "cert.no-pair",
            format!("mx --domain mx.box.test --key-type rsa-2048,rsa-4096 {http}"),
        ),
        (
            65,
            "acme.unusable",
            format!(
                "mx --domain mx.box.test --ca http://ca.test/ --agree-terms --http {}",
                world.http()
            ),
        ),
    ] {
        let refused = site.ends(exit, &format!("cert issue {words}"));
        assert_eq!(refused.code(), code, "{words}: {refused:#?}");
        assert!(
            !refused.json["error"]["hint"].is_null()
                || !refused.json["findings"][0]["remedy"].is_null()
        );
    }
    for words in [
        format!("mx --domain mx.box.test {http} --webroot /srv"),
        format!("mx --domain mx.box.test {ca} --dns-update 127.0.0.1"),
        format!("mx --domain mx.box.test {ca} --dns-update nowhere --tsig-key-file /x"),
        format!("mx --domain mx.box.test {http} --staging"),
        format!("mx --domain mx.box.test {http} --eab-kid a"),
        format!("mx --domain mx.box.test {http} --timeout soon"),
    ] {
        site.ends(64, &format!("cert issue {words}"));
    }
    let list = site.must("cert list").json;
    assert_eq!(list["certificates"].as_array().unwrap().len(), 1);
}

#[test]
fn terms_are_agreed_to_by_the_operator_alone_and_that_is_noted() {
    let world = World::new();
    let site = &world.site;
    let words = format!("cert issue mx --domain mx.box.test {}", world.by_http());
    let silent = words.replace(" --agree-terms", "");
    let refused = site.ends(65, &silent);
    assert_eq!(refused.code(), "acme.terms-not-agreed", "{refused:#?}");
    let remedy = refused.json["findings"][0]["remedy"].as_str().unwrap();
    assert!(remedy.contains("--agree-terms"), "{remedy}");
    site.must(&words);
    site.must(&silent.replace("issue mx", "issue other"));
}

#[test]
fn contacts_that_are_said_later_reach_the_ca() {
    // Requests are counted, and one with a rejected nonce would be sent twice.
    let world = World::with(World::pebble().set("PEBBLE_WFE_NONCEREJECT", "0"));
    let site = &world.site;
    let words = format!("cert issue mx --domain mx.box.test {}", world.by_http());
    site.must(&words);
    // Pebble notes each request; an account is changed at its own address (RFC 8555, 7.3.2).
    let told = || world.pebble.log().matches("POST /my-account/").count();
    let before = told();
    let again = words.replace("issue mx", "issue other --contact tls@box.test");
    site.must(&again);
    assert_eq!(told(), before + 1);
    site.must(&again.replace("issue other", "issue third"));
    assert_eq!(told(), before + 1, "it knows them");
    // What the CA does not take is told before anything is ordered.
    let wrong = words.replace("issue mx", "issue fourth --contact not-an-address");
    let refused = site.ends(1, &wrong);
    assert_eq!(refused.code(), "acme.refused", "{refused:#?}");
}

#[test]
fn a_taken_port_is_named_before_the_ca_is_asked() {
    let world = World::new();
    let held = std::net::TcpListener::bind(world.http()).unwrap();
    let words = format!("cert issue mx --domain mx.box.test {}", world.by_http());
    let refused = world.site.ends(1, &words);
    assert_eq!(refused.code(), "http01.listener", "{refused:#?}");
    let message = refused.json["error"]["message"].as_str().unwrap();
    assert!(message.contains(&world.http().to_string()), "{message}");
    drop(held);
    world.site.must(&words);
}

#[test]
fn a_name_that_the_ca_cannot_see_is_named_with_its_words() {
    let world = World::new();
    let site = &world.site;
    // The name leads here, but not the port.
    let other = format!("{}:5999", site.scene.postfix.address());
    let words = format!(
        "cert issue mx --domain mx.box.test {} --http {other}",
        world.ca()
    );
    let refused = site.ends(1, &words);
    assert_eq!(refused.code(), "acme.challenge-failed");
    let error = refused.json["error"].to_string();
    assert!(error.contains("mx.box.test failed http-01"), "{error}");
    assert!(error.contains("5002"), "the CA's own words: {error}");
    let hint = refused.json["error"]["hint"].as_str().unwrap();
    assert!(hint.contains(&format!("leads to {other}")), "{hint}");
    assert_eq!(
        site.must("cert list").json["certificates"],
        serde_json::json!([])
    );
}

#[test]
fn one_of_three_fails_and_holds_nothing_back_but_itself() {
    let mut world = World::new();
    for name in ["a", "b", "c"] {
        world.issue(name, &format!("{name}.box.test"), "", &format!("{name} 1"));
    }
    world.forget();
    let site = &world.site;
    let folder = site.scene.named("www");
    fs::create_dir(&folder).unwrap();
    // The one between them is proved by somebody else, who goes away.
    let moved = format!(
        "cert issue b --renew --domain b.box.test {} --webroot {folder}",
        world.ca()
    );
    let failed = site.ends(1, &moved);
    assert_eq!(failed.code(), "acme.challenge-failed");
    let by_hook = format!("{} --dns-hook {}", world.ca(), site.scene.named("hook"));
    hook(&world, "exit 0");
    site.ends(
        1,
        &format!("cert issue b --renew --domain b.box.test {by_hook}"),
    );
    assert_eq!(
        world.renewal("b")["challenge"]["by"],
        "http",
        "a failure changes nothing"
    );
    site.must("cert bind b");
    site.must("cert bind a --sni a.box.test");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    // What `b` listens on is taken by another program while it is renewed.
    let before = site.world();
    let ran = breaking(&world);
    let outcomes: Vec<&str> = ran["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["renewed", "failed", "renewed"], "{ran:#}");
    assert_eq!(site.plainly(), all("b 1"));
    world.know("a", "a 2");
    assert_eq!(site.shown(&crate::site::by_name("a.box.test")), all("a 2"));
    assert_ne!(site.world(), before);

    // Told by every command that is asked.
    for words in [
        "cert list",
        "cert show b",
        "cert check",
        "cert check b",
        "cert renew --check",
    ] {
        let told = site.scene.run(&words.split(' ').collect::<Vec<_>>());
        let findings = told.json["findings"].to_string();
        assert!(
            findings.contains("cert.renewal-failed"),
            "{words}: {findings}"
        );
        assert!(
            findings.contains("b.box.test failed http-01"),
            "{words}: {findings}"
        );
    }
    let status = site.scene.say(&["status"]).stdout;
    assert!(status.contains("[cert.renewal-failed]"), "{status}");
    let list = site.scene.say(&["cert", "list"]);
    assert!(list.stderr.contains("cert.renewal-failed") && !list.stdout.contains("failed"));

    // Put right: held back still, until somebody forces it.
    let held = site.must("cert renew b");
    assert_eq!(held.json["certificates"][0]["outcome"], "held-back");
    site.must("cert renew b --force");
    world.know("b", "b 2");
    assert_eq!(site.plainly(), all("b 2"));
    assert!(world.renewal("b")["failure"].is_null());
}

/// Renews all three by force; the CA sees nothing of b.box.test meanwhile.
fn breaking(world: &World) -> serde_json::Value {
    world.dns_of("b.box.test", "127.0.0.2");
    let ran = world.site.ends(1, "cert renew --force");
    world.dns_of("b.box.test", &world.http().ip().to_string());
    ran.json
}

fn hook(world: &World, body: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = world.site.scene.named("hook");
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_ca_that_is_down_or_has_forgotten_everything() {
    let mut world = World::new();
    world.issue("mx", "mx.box.test", "", "mx 1");
    let directory = world.pebble.directory();
    let address = world.pebble.address();
    world.pebble.stop();
    let failed = world.site.ends(1, "cert renew --force");
    let finding = &failed.json["findings"][0];
    assert_eq!(
        finding["evidence"][0]["text"], "acme.unreachable",
        "{failed:#?}"
    );
    assert!(finding["message"].as_str().unwrap().contains(&directory));
    // Back without its memory, at the same address.
    let again = World::pebble()
        .dns(world.dns.address())
        .at(address)
        .build()
        .unwrap();
    fs::write(
        world.site.scene.named("ca-server.pem"),
        again.server_root_pem(),
    )
    .unwrap();
    world.pebble = again;
    let words = format!(
        "cert issue mx --renew --domain mx.box.test {}",
        world.by_http()
    );
    let silent = words.replace(" --agree-terms", "");
    let unknown = world.site.ends(65, &silent);
    assert_eq!(unknown.code(), "acme.account-unknown", "{unknown:#?}");
    let told = unknown.json["findings"][0].to_string();
    assert!(told.contains("agree to its terms"), "{told}");
    world.site.must(&words);
    world.site.must("cert renew --force");
}

#[test]
fn a_certificate_that_is_not_issued_here_is_not_renewed_here() {
    let world = World::new();
    let site = &world.site;
    site.must("cert self-signed own --domain own.box.test");
    let nothing = site.must("cert renew");
    assert_eq!(nothing.json["certificates"], serde_json::json!([]));
    assert_eq!(site.ends(65, "cert renew own").code(), "cert.not-renewed");
    assert_eq!(site.ends(65, "cert renew nobody").code(), "name.unknown");
    // It becomes one, and stops being one; what is deleted is forgotten.
    world.issue("own", "own.box.test", " --renew", "own 2");
    site.must("cert renew own --force");
    site.must("cert renew own --stop");
    assert_eq!(
        site.ends(65, "cert renew own --stop").code(),
        "cert.not-renewed"
    );
    assert!(world.renewal("own").is_null());
    world.issue("gone", "gone.box.test", "", "gone 1");
    site.must("cert delete gone");
    assert_eq!(
        site.must("cert renew").json["certificates"],
        serde_json::json!([])
    );
}

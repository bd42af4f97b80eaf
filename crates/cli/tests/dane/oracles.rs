//! What others say of the records that are printed: OpenSSL's own DANE, and Postfix's.

use crate::scene::Ran;
use crate::world::{World, dane, one, records};
use std::fs;
use std::process::{Command, Stdio};

/// The record of `mx`, by owner, as OpenSSL takes it.
fn record(world: &World, owner: &str) -> String {
    let rows = records(&world.must("cert tlsa mx"));
    let row = rows.iter().find(|row| row["owner"] == owner).unwrap();
    row["record"].as_str().unwrap().to_owned()
}

#[test]
fn openssl_finds_the_certificate_by_the_record() {
    let world = World::signed().serving();
    let said = |record: &str, port: u16| {
        let at = world.site.scene.postfix.at(port).to_string();
        let start: &[&str] = if port == 465 {
            &[]
        } else {
            &["-starttls", "smtp"]
        };
        let output = Command::new("/usr/bin/openssl")
            .args(["s_client", "-connect", &at, "-verify_return_error"])
            .args([
                "-dane_tlsa_domain",
                "mx.signed.test",
                "-dane_tlsa_rrdata",
                record,
            ])
            .args(start)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for port in [25, 587, 465] {
        let own = record(&world, &format!("_{port}._tcp.mx.signed.test."));
        let text = said(&own, port);
        assert!(text.contains("Verification: OK"), "{text}");
        assert!(text.contains("matched EE certificate at depth 0"), "{text}");
    }
    let other = said(&format!("3 1 1 {}", "ab".repeat(32)), 25);
    assert!(!other.contains("matched EE certificate"), "{other}");
}

/// A program, with the machine's resolver replaced by the test's, for it alone.
fn elsewhere(world: &World, program: &str, words: &[&str]) -> Ran {
    let conf = world.site.scene.named("resolv.conf");
    fs::write(&conf, world.dns.resolv_conf()).unwrap();
    let script = "mount --bind \"$1\" /etc/resolv.conf && shift && exec \"$@\"";
    let output = Command::new("/usr/bin/unshare")
        .args(["--mount", "/bin/sh", "-c", script, "sh", &conf, program])
        .args(words)
        .env_remove("POSTSEAL_RESOLVER")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran::of(&output)
}

/// What Postfix's own client says of `mx.signed.test`.
fn finger(world: &World) -> String {
    let words = "-c -T 5 -l dane -L summary [mx.signed.test]";
    let words: Vec<&str> = words.split(' ').collect();
    let ran = elsewhere(world, "/usr/sbin/posttls-finger", &words);
    ran.stdout + &ran.stderr
}

#[test]
fn postfixs_own_client_agrees_with_verify() {
    let world = World::signed().serving();
    world.publish(&world.lines("mx", &["key"]));
    let said = finger(&world);
    assert!(
        said.contains("Verified TLS connection established"),
        "{said}"
    );
    world.must("verify");
    world.publish(&format!("_25._tcp.mx TLSA 3 1 1 {}\n", "ab".repeat(32)));
    let said = finger(&world);
    assert!(!said.contains("Verified TLS connection"), "{said}");
    world.ends(1, "verify");
}

#[test]
fn the_machines_own_resolver_is_asked_where_none_is_named() {
    let world = World::signed().serving();
    world.publish(&format!("_25._tcp.mx TLSA 3 1 1 {}\n", "ab".repeat(32)));
    let (config, store) = (world.site.scene.config(), world.site.scene.store());
    let words = ["--instance", &config, "--store", &store, "--json", "verify"];
    let ran = elsewhere(&world, crate::scene::POSTSEAL, &words);
    assert_eq!(ran.exit, Some(1), "{ran:#?}");
    assert_eq!(dane(&ran), one("dane.mismatch", "error"));
}

//! Resolvers that do not tell, or may not be believed: never a yes, never a block.

use crate::site::all;
use crate::world::{World, dane, one};
use postseal_issue::KeyType;
use postseal_testkit::dns_script::DnsScript;
use postseal_testkit::resolver::PLAIN;

const WRONG: &str = "_25._tcp.mx TLSA 3 1 1 \
    abababababababababababababababababababababababababababababababab\n";

/// Another certificate is wished for.
fn rebound(world: &World) {
    world.import("other", KeyType::EcdsaP256);
    world.must("cert bind other");
    world.must("cert unbind mx");
}

#[test]
fn without_dnssec_it_is_undetermined() {
    let world = World::of(PLAIN).serving();
    assert_eq!(
        dane(&world.must("verify")),
        one("dane.undetermined", "info")
    );
    world.publish(WRONG);
    assert_eq!(
        dane(&world.must("verify")),
        one("dane.undetermined", "warning")
    );
    rebound(&world);
    assert_eq!(
        dane(&world.must("plan")),
        one("dane.undetermined", "warning")
    );
    assert_eq!(
        dane(&world.must("apply")),
        one("dane.undetermined", "warning")
    );
    assert_eq!(world.site.plainly(), all("other"));
    assert!(world.say("cert tlsa other").contains("not published"));
}

#[test]
fn a_resolver_that_does_not_answer_blocks_nothing() {
    let world = World::signed().serving();
    world.publish(WRONG);
    rebound(&world);
    let silent = DnsScript::start(|_| Vec::new(), |_| Vec::new()).unwrap();
    for (resolver, why) in [
        ("127.0.0.1:1".to_owned(), "nobody answers there"),
        (silent.address().to_string(), "no answer in time"),
    ] {
        let planned = world.site.must(&format!("plan --resolver {resolver}"));
        assert_eq!(dane(&planned), one("dane.undetermined", "warning"));
        assert!(planned.stdout.contains(why), "{}", planned.stdout);
        let listed = world
            .site
            .must(&format!("cert tlsa mx --resolver {resolver}"));
        assert!(
            listed.stdout.contains("\"undetermined\""),
            "{}",
            listed.stdout
        );
    }
    let verified = world.site.must("verify --resolver 127.0.0.1:1");
    assert_eq!(dane(&verified), one("dane.undetermined", "warning"));
    let asked = silent.asked();
    assert!(asked < 40, "one round of questions a command, not {asked}");
}

#[test]
fn a_resolver_that_does_not_vouch_is_not_taken_for_one_that_does() {
    let world = World::signed().serving();
    world.publish(WRONG);
    rebound(&world);
    // The same zone, by a server that does not validate.
    let authority = world.dns.authority();
    let planned = world.site.must(&format!("plan --resolver {authority}"));
    assert_eq!(dane(&planned), one("dane.undetermined", "warning"));
    assert_eq!(dane(&world.must("plan")), one("dane.mismatch", "warning"));
}

#[test]
fn who_wants_no_dns_gets_none_and_a_word_that_is_no_resolver_is_refused() {
    let world = World::signed().serving();
    world.publish(WRONG);
    rebound(&world);
    assert_eq!(dane(&world.site.must("plan --resolver none")), [[""; 2]; 0]);
    let verified = world.site.must("verify --resolver none");
    assert_eq!(verified.json["findings"], serde_json::json!([]));
    assert_eq!(verified.json["outcome"], "pass");
    let bad = world.site.ends(64, "plan --resolver dns.example.org");
    assert_eq!(bad.code(), "resolver.bad-address");
    let config = world.site.scene.named("postseal.toml");
    std::fs::write(&config, format!("resolver = \"{}\"\n", world.dns.address())).unwrap();
    let mut command = world
        .site
        .scene
        .command(&["--config", &config, "--json", "plan"]);
    let output = command.env_remove("POSTSEAL_RESOLVER").output().unwrap();
    assert_eq!(
        dane(&crate::scene::Ran::of(&output)),
        one("dane.mismatch", "warning")
    );
}

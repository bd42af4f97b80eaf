//! Resolvers that do not tell, or may not be believed: never a yes, never a block.

use crate::site::all;
use crate::world::{World, dane, one};
use postseal_issue::KeyType;
use postseal_testkit::dns_script::{CUT, DnsScript, VOUCHED, name, question, reply};
use postseal_testkit::resolver::PLAIN;

const WRONG: &str = "_25._tcp.mx TLSA 3 1 1 \
    abababababababababababababababababababababababababababababababab\n";

/// Types of records.
const A: u8 = 1;
const MX: u8 = 15;
const TLSA: u8 = 52;

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
    let told = world.say("cert tlsa other");
    assert!(
        told.contains("not published") && told.contains("sign the zone"),
        "{told}"
    );
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

/// Answers every question with as much as fits into a message, under the name that was asked for.
fn flood(request: &[u8]) -> Vec<u8> {
    let asked = question(request);
    let kind = asked[asked.len() - 3];
    let data: Vec<Vec<u8>> = match kind {
        A => vec![vec![192, 0, 2, 25]],
        MX => (0..700)
            .map(|n| [&[0, 1][..], &name(&format!("h{n}\u{1b}[2J.signed.test"))].concat())
            .collect(),
        TLSA => (0..200)
            .map(|n| [&[3, 0, 0][..], &[n; 300]].concat())
            .collect(),
        _ => Vec::new(),
    };
    let record = |data: Vec<u8>| {
        let length = u16::try_from(data.len()).unwrap().to_be_bytes();
        let head = [0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 9];
        [&head[..], &length, &data].concat()
    };
    reply(
        request,
        VOUCHED,
        &data.into_iter().map(record).collect::<Vec<_>>(),
    )
}

#[test]
fn a_resolver_that_says_too_much_is_told_in_measure() {
    let world = World::signed().serving();
    let script = DnsScript::start(
        |request| vec![reply(request, CUT, &[])],
        |request| vec![flood(request)],
    )
    .unwrap();
    let resolver = script.address().to_string();
    let verified = world.site.ends(1, &format!("verify --resolver {resolver}"));
    let told = verified.json["findings"].as_array().unwrap();
    assert!(!told.is_empty());
    assert!(
        told.iter()
            .all(|finding| finding.to_string().len() < 20_000)
    );
    assert!(
        !verified.stdout.contains('\u{1b}'),
        "nothing steers the terminal"
    );
    let words = ["cert", "tlsa", "mx", "--resolver", &resolver];
    let listed = world.site.scene.say(&words);
    assert_eq!(listed.exit, Some(0), "{}", listed.stderr);
    let own = listed
        .stdout
        .lines()
        .filter(|line| line.starts_with('_'))
        .count();
    assert_eq!(
        own, 3,
        "the records of mx, and none that a resolver made up"
    );
    assert!(
        listed
            .stdout
            .lines()
            .all(|line| line.starts_with(['_', ';']) || line.is_empty())
    );
}

//! What a real CA does only on bad days: renewal information, due dates, rate limits, wrong chains,
//! silence. The CA is a script; everything else is real.

use crate::jumps::off;
use crate::scene::Ran;
use crate::site::{Site, all, builder};
use postseal_testkit::scripted_ca::ScriptedCa;
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::time::Duration;

pub(crate) struct Scripted {
    pub(crate) site: Site,
    ca: ScriptedCa,
}

impl Scripted {
    pub(crate) fn new() -> Self {
        let (site, ca) = (Site::of(builder()), ScriptedCa::new());
        fs::write(site.scene.named("script.pem"), ca.root_pem()).unwrap();
        fs::create_dir(site.scene.named("www")).unwrap();
        Self { site, ca }
    }

    pub(crate) fn words(&self, name: &str) -> String {
        format!(
            "cert issue {name} --domain mx.box.test --ca {} --ca-root {} --agree-terms --webroot {}",
            self.ca.directory(),
            self.site.scene.named("script.pem"),
            self.site.scene.named("www")
        )
    }

    fn issue(&self, name: &str) -> Ran {
        self.site.must(&self.words(name))
    }

    fn know(&self, name: &str, known: &str) {
        let leaf = self.shown(name)["fingerprint"].clone();
        self.site.know(serde_json::from_value(leaf).unwrap(), known);
    }

    pub(crate) fn shown(&self, name: &str) -> Value {
        self.site.must(&format!("cert show {name}")).json["certificate"].clone()
    }

    /// On all three services.
    fn serve(&self, name: &str) {
        self.site.must(&format!("cert bind {name}"));
        self.site.must("set mode=may submission=on smtps=on");
        self.site.must("apply");
    }
}

/// What became of a certificate.
fn outcome<'a>(ran: &'a Ran, name: &str) -> &'a Value {
    let all = ran.json["certificates"].as_array().unwrap();
    let one = all.iter().find(|one| one["name"] == name);
    &one.unwrap_or_else(|| panic!("{ran:#?}"))["outcome"]
}

#[test]
fn what_is_due_is_renewed_and_served_and_what_is_not_waits() {
    let world = Scripted::new();
    let site = &world.site;
    // One that has lived for most of its life, one that has not.
    world.ca.set(|ca| (ca.from, ca.until) = (-70, 20));
    world.issue("mx");
    world.ca.set(|ca| (ca.from, ca.until) = (-1, 89));
    world.issue("young");
    world.know("mx", "mx 1");
    world.serve("mx");
    assert_eq!(site.plainly(), all("mx 1"));
    let told = site.ends(2, "cert renew --check");
    let states: Vec<_> = ["mx", "young"]
        .map(|name| world.shown(name)["renewal"]["state"].clone())
        .into();
    assert_eq!(states, ["due", "not-due"], "{told:#?}");
    assert_eq!(world.ca.mood().orders.len(), 2, "--check orders nothing");

    let renewed = site.must("cert renew");
    assert_eq!(outcome(&renewed, "mx"), "renewed", "{renewed:#?}");
    assert_eq!(outcome(&renewed, "young"), "not-due");
    world.know("mx", "mx 2");
    assert_eq!(site.plainly(), all("mx 2"));
    let orders = world.ca.mood().orders;
    assert_eq!(orders.len(), 3);
    assert!(orders[0]["replaces"].is_null() && orders[2]["replaces"].is_string());
    site.must("cert renew --check");
    let again = site.must("cert renew");
    assert_eq!(again.json["changed"], false);
    assert_eq!(world.ca.mood().orders.len(), 3);
}

#[test]
fn the_ca_says_when_and_is_asked_again_only_when_it_said() {
    let world = Scripted::new();
    let site = &world.site;
    world.issue("mx");
    world.ca.set(|ca| ca.window = Some([10, 12]));
    let first = site.must("cert renew");
    assert_eq!(outcome(&first, "mx"), "not-due");
    let renewal = &world.shown("mx")["renewal"];
    assert_eq!(renewal["window"]["explanation"], "https://ca.test/why");
    let due = renewal["due_at"].as_str().unwrap();
    let window = &renewal["window"];
    assert!(due >= window["start"].as_str().unwrap() && due < window["end"].as_str().unwrap());
    // Six hours have not passed: neither window nor directory are asked for, the moment stays.
    let before = world.ca.mood();
    site.must("cert renew");
    assert_eq!(&world.shown("mx")["renewal"]["due_at"], due);
    let after = world.ca.mood();
    assert_eq!((after.asked, after.visits), (before.asked, before.visits));
    assert_eq!(after.asked, 1);
    // Its certificates are to be revoked: a window in the past means now.
    world.ca.set(|ca| ca.window = Some([-2, -1]));
    world.issue("other");
    let renewed = site.must("cert renew other");
    assert_eq!(outcome(&renewed, "other"), "renewed", "{renewed:#?}");
    assert_eq!(world.ca.mood().orders.len(), 3);
}

#[test]
fn a_rate_limit_is_told_respected_and_overcome_by_force() {
    let world = Scripted::new();
    let site = &world.site;
    world.ca.set(|ca| ca.busy = Some(7200));
    let refused = site.ends(75, &world.words("mx"));
    assert_eq!(refused.code(), "acme.rate-limited");
    assert_eq!(site.must("cert list").json["certificates"], json!([]));
    let hint = refused.json["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("asked again from 2"), "{hint}");

    world
        .ca
        .set(|ca| (ca.busy, ca.from, ca.until) = (None, -70, 20));
    world.issue("mx");
    world.know("mx", "mx 1");
    world.serve("mx");
    world.ca.set(|ca| ca.busy = Some(3 * 86_400));
    let failed = site.ends(1, "cert renew");
    let finding = &failed.json["findings"][0];
    assert_eq!(finding["code"], "cert.renewal-failed", "{failed:#?}");
    let message = finding["message"].as_str().unwrap();
    assert!(
        message.contains("too many certificates for box.test"),
        "{message}"
    );
    assert_eq!(finding["evidence"][0]["text"], "acme.rate-limited");
    assert_eq!(site.plainly(), all("mx 1"));
    // Held back, and not for hours but for days, as the CA asked.
    world
        .ca
        .set(|ca| (ca.busy, ca.from, ca.until) = (None, -1, 89));
    let held = site.must("cert renew");
    assert_eq!(outcome(&held, "mx"), "held-back");
    let renewal = world.shown("mx")["renewal"].clone();
    let span =
        |field: &str| -> jiff::Timestamp { renewal[field].as_str().unwrap().parse().unwrap() };
    let seconds = span("next").as_second() - span("last_attempt").as_second();
    assert!(
        (3 * 86_400 - 60..=3 * 86_400).contains(&seconds),
        "{seconds}"
    );
    assert_eq!(world.ca.mood().orders.len(), 1);
    let forced = site.must("cert renew --force");
    assert_eq!(outcome(&forced, "mx"), "renewed");
    assert!(world.shown("mx")["renewal"]["failure"].is_null());
    site.must("cert check mx");
}

#[test]
fn the_terms_are_named_and_half_a_pair_is_told() {
    let world = Scripted::new();
    let site = &world.site;
    let silent = world.words("mx").replace(" --agree-terms", "");
    let refused = site.ends(65, &silent);
    let message = refused.json["findings"][0]["message"].as_str().unwrap();
    assert!(message.ends_with(": https://ca.test/terms"), "{message}");
    // The name of the second is taken: the first is not ordered.
    let pair = format!("{} --key-type ecdsa-p256,rsa-2048", world.words("mx"));
    site.must("cert self-signed mx-rsa --domain mx.box.test");
    assert_eq!(site.ends(65, &pair).code(), "cert.exists");
    assert_eq!(world.ca.mood().tries, 0);
    site.must("cert delete mx-rsa");
    // The CA has enough after the first.
    world.ca.set(|ca| ca.most = Some(1));
    let half = site.ends(75, &pair);
    let message = half.json["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("mx was issued and is in the store"),
        "{message}"
    );
    let list = site.must("cert list").json["certificates"].clone();
    assert_eq!(list.as_array().unwrap().len(), 1);
    world.ca.set(|ca| ca.most = None);
    let rest = world.words("mx-rsa");
    site.must(&format!("{rest} --key-type rsa-2048"));
}

#[test]
fn a_wrong_chain_is_not_taken() {
    let world = Scripted::new();
    let site = &world.site;
    world.ca.set(|ca| ca.wrong = true);
    let refused = site.ends(1, &world.words("mx"));
    assert_eq!(refused.code(), "acme.wrong-chain");
    world
        .ca
        .set(|ca| (ca.wrong, ca.from, ca.until) = (false, -70, 20));
    world.issue("mx");
    let before = world.shown("mx")["fingerprint"].clone();
    // For another key, and expired by the clock of this host.
    world.ca.set(|ca| ca.wrong = true);
    site.ends(1, "cert renew");
    world.ca.set(|ca| (ca.wrong, ca.until) = (false, -1));
    let failed = site.ends(1, "cert renew --force");
    assert!(failed.stdout.contains("has expired"), "{}", failed.stdout);
    assert_eq!(world.shown("mx")["fingerprint"], before);
    assert_eq!(world.shown("mx")["version"], 1);
    assert_eq!(world.shown("mx")["renewal"]["failures"], 2);
}

#[test]
fn a_ca_that_never_answers_is_given_up_and_called_once_a_run() {
    let world = Scripted::new();
    let site = &world.site;
    world.ca.set(|ca| (ca.from, ca.until) = (-70, 20));
    for name in ["a", "b", "c"] {
        world.issue(name);
    }
    // It takes longer than anybody waits: one wait, not one for each certificate.
    world.ca.set(|ca| ca.slow = Duration::from_secs(25));
    let visits = world.ca.mood().visits;
    let failed = site.ends(1, "cert renew --timeout 2s");
    for name in ["a", "b", "c"] {
        assert_eq!(outcome(&failed, name), "failed", "{failed:#?}");
        let failure = &world.shown(name)["renewal"]["failure"];
        assert_eq!(failure["code"], "acme.deadline", "{failure}");
    }
    assert!(world.ca.mood().visits <= visits + 1);
    // One that takes the connection and says nothing at all.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let directory = format!("https://{}/dir", mute.local_addr().unwrap());
    let words = format!(
        "cert issue mute --domain mx.box.test --ca {directory} --agree-terms --timeout 1s --webroot {}",
        site.scene.named("www")
    );
    let given_up = site.ends(1, &words);
    assert_eq!(given_up.code(), "acme.deadline");
}

/// A renewal that ends before the one in force: nobody wants it unseen.
fn waiting(world: &Scripted) {
    world.ca.set(|ca| (ca.from, ca.until) = (-1, 89));
    world.issue("mx");
    world.know("mx", "mx 1");
    world.serve("mx");
    world.ca.set(|ca| (ca.from, ca.until) = (-1, 20));
    let refused = world.site.ends(65, "cert renew --force");
    let finding = &refused.json["findings"][0];
    assert_eq!(finding["code"], "cert.renewal-failed", "{finding:#}");
    assert_eq!(told_failed(world), [true; 3]);
    assert_eq!(world.site.plainly(), all("mx 1"));
}

/// Whether it is said to have failed, wherever renewals are told.
fn told_failed(world: &Scripted) -> [bool; 3] {
    ["cert check", "cert list", "cert renew --check"].map(|words| {
        let told = world.site.run(words).json.to_string();
        told.contains("cert.renewal-failed") || told.contains("cert.ends-sooner")
    })
}

/// Nobody tells the renewal; what is in force is seen.
#[test]
fn what_waited_and_is_bound_by_hand_has_not_failed() {
    let world = Scripted::new();
    waiting(&world);
    let site = &world.site;
    site.must("cert bind mx");
    assert!(told_failed(&world)[2], "a wish is not in force");
    site.must("apply");
    world.know("mx", "mx 2");
    assert_eq!(site.plainly(), all("mx 2"));
    assert_eq!(told_failed(&world), [false; 3]);
    let renewal = &world.shown("mx")["renewal"];
    assert_eq!(renewal["state"], "not-due", "{renewal:#}");
    assert_eq!(renewal["failures"], 0);
    assert!(renewal["failure"].is_null());
    let renewed = site.must("cert renew");
    assert_eq!(outcome(&renewed, "mx"), "not-due", "{renewed:#?}");
    // Gone back to the one before: that is what somebody wants.
    site.must("rollback --yes");
    assert_eq!(site.plainly(), all("mx 1"));
    let renewed = site.must("cert renew");
    assert_eq!(outcome(&renewed, "mx"), "not-due", "{renewed:#?}");
    assert_eq!(site.plainly(), all("mx 1"));
}

#[test]
fn what_waited_and_is_deleted_has_not_failed() {
    let world = Scripted::new();
    waiting(&world);
    let site = &world.site;
    site.must("cert delete mx --version 2");
    assert_eq!(told_failed(&world), [false; 3]);
    let orders = world.ca.mood().orders.len();
    let renewed = site.must("cert renew");
    assert_eq!(outcome(&renewed, "mx"), "not-due", "{renewed:#?}");
    assert_eq!(world.ca.mood().orders.len(), orders);
    // The next one is a good one.
    world.ca.set(|ca| (ca.from, ca.until) = (-1, 89));
    let renewed = site.must("cert renew --force");
    assert_eq!(outcome(&renewed, "mx"), "renewed", "{renewed:#?}");
    assert_eq!(told_failed(&world), [false; 3]);
}

/// `--check` asks as `renew` does: both say the same.
#[test]
fn what_the_ca_asks_for_is_due_for_check_too() {
    let world = Scripted::new();
    let site = &world.site;
    world.issue("mx");
    world.ca.set(|ca| ca.window = Some([-10, -5]));
    let told = site.ends(2, "cert renew --check");
    assert!(told.stdout.contains("due"), "{}", told.stdout);
    assert_eq!(world.ca.mood().orders.len(), 1, "--check orders nothing");
    assert_eq!(outcome(&site.must("cert renew"), "mx"), "renewed");
}

/// The version in force is due, and what the CA answers comes without its intermediate.
fn short_of_an_intermediate(world: &Scripted) {
    let root = world.site.scene.named("issuer.pem");
    fs::write(&root, world.ca.issuer_pem()).unwrap();
    world.ca.set(|ca| (ca.from, ca.until) = (-70, 20));
    world
        .site
        .must(&format!("{} --private-ca {root}", world.words("mx")));
    world.know("mx", "mx 1");
    world.serve("mx");
    world
        .ca
        .set(|ca| (ca.from, ca.until, ca.short) = (-1, 89, true));
    world.site.ends(65, "cert renew");
}

/// Seconds from the last attempt to the next.
fn pause(world: &Scripted) -> i64 {
    let renewal = world.shown("mx")["renewal"].clone();
    let at = |field: &str| -> jiff::Timestamp { renewal[field].as_str().unwrap().parse().unwrap() };
    at("next").as_second() - at("last_attempt").as_second()
}

/// A CA that has had a bad day is asked again: less and less often, and at once by force.
#[test]
fn what_came_and_can_never_be_put_in_force_is_ordered_again() {
    let world = Scripted::new();
    let site = &world.site;
    short_of_an_intermediate(&world);
    let orders = || world.ca.mood().orders.len();
    assert_eq!((orders(), site.plainly()), (2, all("mx 1")));
    let first = pause(&world);
    assert!((3600..=4500).contains(&first), "{first}");
    let failure = &site.must("cert show mx").json["findings"].to_string();
    assert!(failure.contains("without its intermediate"), "{failure}");
    assert!(failure.contains("Another one is ordered from"), "{failure}");
    assert_eq!(outcome(&site.must("cert renew"), "mx"), "held-back");
    assert_eq!(orders(), 2);

    // Forced while the CA is no better: asked once more, and left alone for longer.
    let refused = site.ends(65, "cert renew --force");
    assert_eq!(outcome(&refused, "mx"), "failed");
    assert_eq!((orders(), site.plainly()), (3, all("mx 1")));
    assert_eq!(world.shown("mx")["renewal"]["failures"], 2);
    let second = pause(&world);
    assert!((7200..=9000).contains(&second), "{second}");

    // The CA is well again.
    world.ca.set(|ca| ca.short = false);
    let told = off(site, 9 * 3600, "cert renew --check");
    assert_eq!(told.exit, Some(2), "{told:#?}");
    assert_eq!(told.json["certificates"][0]["renewal"]["state"], "due");
    let renewed = off(site, 9 * 3600, "cert renew");
    assert_eq!(outcome(&renewed, "mx"), "renewed", "{renewed:#?}");
    assert_eq!(orders(), 4);
    world.know("mx", "mx 4");
    assert_eq!(site.plainly(), all("mx 4"));
    assert!(world.shown("mx")["renewal"]["failure"].is_null());
    assert_eq!(world.shown("mx")["renewal"]["failures"], 0);
}

#[test]
fn by_force_another_is_ordered_in_the_place_of_what_is_of_no_use() {
    let world = Scripted::new();
    let site = &world.site;
    short_of_an_intermediate(&world);
    let said = site.scene.say(&["cert", "renew", "--check"]).stdout;
    assert!(said.contains("failed, held back until"), "{said}");
    world.ca.set(|ca| ca.short = false);
    let renewed = site.must("cert renew --force");
    assert_eq!(outcome(&renewed, "mx"), "renewed", "{renewed:#?}");
    world.know("mx", "mx 3");
    assert_eq!(site.plainly(), all("mx 3"));
    assert_eq!(told_failed(&world), [false; 3]);
}

/// A next key was asked for later, and by name.
#[test]
fn a_next_key_comes_before_the_key_of_today() {
    let world = Scripted::new();
    let site = &world.site;
    site.must(&format!("{} --reuse-key", world.words("mx")));
    let key = |ran: &Ran| ran.json["next_key"].as_str().unwrap().to_owned();
    let made = site.must("cert tlsa mx --next-key");
    let said = site.scene.say(&["cert", "tlsa", "mx"]).stdout;
    assert!(said.contains("takes the next key"), "{said}");
    let next = key(&made);
    // Whoever asks for the key of today by name is told.
    let again = format!("{} --renew --reuse-key", world.words("mx"));
    for words in [
        again.as_str(),
        "cert request mx --domain mx.box.test --renew --reuse-key",
        "cert self-signed mx --domain mx.box.test --renew --reuse-key",
    ] {
        let refused = site.ends(65, words);
        assert_eq!(refused.code(), "cert.next-key-waits", "{refused:#?}");
    }
    assert_eq!(world.ca.mood().orders.len(), 1);
    let said = site.scene.say(&["cert", "renew", "mx", "--force"]).stdout;
    assert!(said.contains("made for the next key"), "{said}");
    let tlsa = site.must("cert tlsa mx --mx mx.box.test");
    assert!(tlsa.json["next_key"].is_null(), "{:#?}", tlsa.json);
    assert!(tlsa.json["records"].to_string().contains(&next), "{next}");
    // And from then on it is that one.
    site.must("cert renew mx --force");
    let tlsa = site.must("cert tlsa mx --mx mx.box.test");
    assert!(tlsa.json["records"].to_string().contains(&next), "{next}");
}

//! The story end to end: issued over HTTP, bound, served, renewed.

use crate::scene::{Ran, Scene, postseal};
use crate::site::{all, builder, by_name, look};
use crate::world::World;
use postseal_planner::report::{Answered, Ask};

#[test]
fn a_certificate_is_issued_served_and_renewed_and_no_other_is_touched() {
    let world = World::new();
    let site = &world.site;
    let issued = world.issue("mx", "mx.box.test", "", "mx 1");
    assert_eq!(issued.json["changed"], true, "{}", issued.stdout);
    world.issue("mail", "mail.box.test,www.box.test", "", "mail 1");
    site.must("cert bind mx");
    site.must("cert bind mail --sni mail.box.test");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    assert_eq!(site.plainly(), all("mx 1"));
    assert_eq!(site.shown(&by_name("mail.box.test")), all("mail 1"));

    let idle = site.must("cert renew");
    assert_eq!(idle.json["changed"], false, "{}", idle.stdout);
    let renewed = site.must("cert renew mx --force");
    assert_eq!(renewed.json["changed"], true, "{}", renewed.stdout);
    let presented = |ran: &Ran| ran.json["certificates"][0]["presented"].clone();
    assert_eq!(presented(&renewed), "in-force");
    world.know("mx", "mx 2");
    assert_eq!(site.plainly(), all("mx 2"));
    assert_eq!(site.shown(&by_name("mail.box.test")), all("mail 1"));

    site.must("cert renew mail --force");
    world.know("mail", "mail 2");
    assert_eq!(site.shown(&by_name("mail.box.test")), all("mail 2"));
    assert_eq!(site.plainly(), all("mx 2"));
    site.must("verify");
}

/// A wish is no binding: what is renewed meanwhile is not called in force, and the wish means it.
#[test]
fn what_is_renewed_under_a_pending_binding_waits_for_apply() {
    let world = World::new();
    let site = &world.site;
    for (name, domain) in [("mx", "mx.box.test"), ("rk", "mail.box.test")] {
        world.issue(name, domain, "", &format!("{name} 1"));
    }
    let unbound = site.scene.say(&["cert", "renew", "rk", "--force"]).stdout;
    assert!(unbound.contains("(nothing presents it)"), "{unbound}");
    site.must("cert bind mx");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    site.must("cert bind rk --service 465");
    let told = site.scene.say(&["cert", "renew", "rk", "--force"]);
    assert_eq!(told.exit, Some(0), "{}", told.stderr);
    assert!(
        !told.stdout.contains("renewed, in force"),
        "{}",
        told.stdout
    );
    for words in ["nothing presents it yet", "`postseal apply`"] {
        assert!(told.stdout.contains(words), "{}", told.stdout);
    }
    let again = site.must("cert renew rk --force").json;
    assert_eq!(
        again["certificates"][0]["presented"], "pending",
        "{again:#}"
    );
    world.know("rk", "rk 4");
    assert_eq!(site.plainly(), all("mx 1"));
    site.must("apply");
    assert_eq!(site.plainly(), ["mx 1", "mx 1", "rk 4"].map(str::to_owned));
}

#[test]
fn each_instance_of_a_store_gets_what_was_renewed_by_its_own_timer() {
    let world = World::new();
    let site = &world.site;
    world.issue("mx", "mx.box.test", "", "mx 1");
    let other = Scene::bare(builder());
    let on_other = |words: &str| {
        let store = site.scene.store();
        let mut command = postseal(&["--instance", &other.config(), "--store", &store]);
        let output = command.args(words.split(' ')).arg("--json").output();
        let ran = Ran::of(&output.unwrap());
        assert_eq!(ran.exit, Some(0), "{words}: {ran:#?}");
        ran
    };
    let shown_there = || match look(other.postfix.at(25), &[Ask::default()]).remove(0) {
        Answered::Shown(Some(leaf)) => site.called(&leaf),
        answer => format!("{answer:?}"),
    };
    for words in ["init", "cert bind mx", "set mode=may", "apply"] {
        on_other(words);
    }
    site.must("cert bind mx");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    site.must("cert renew --force");
    world.know("mx", "mx 2");
    assert_eq!(site.plainly(), all("mx 2"));
    assert_eq!(shown_there(), "mx 1");
    let deployed = on_other("cert renew");
    assert_eq!(deployed.json["certificates"][0]["outcome"], "deployed");
    assert_eq!(shown_there(), "mx 2");
    assert_eq!(on_other("cert renew").json["changed"], false);
    assert_eq!(site.must("cert renew").json["changed"], false);
}

/// A CA that the system does not know is chosen once; what it issues next is trusted by the same.
#[test]
fn renewals_keep_the_private_ca_that_was_chosen() {
    let world = World::new();
    let site = &world.site;
    let root = site.scene.named("issuing-root.pem");
    std::fs::write(&root, world.pebble.issuing_root_pem().unwrap()).unwrap();
    let codes = |ran: &Ran| ran.json["findings"].to_string();
    let chosen = format!(" --private-ca {root}");
    let issued = world.issue("mx", "mx.box.test", &chosen, "mx 1");
    assert_eq!(codes(&issued), "[]", "{}", issued.stdout);
    let renewed = site.must("cert renew mx --force");
    assert_eq!(renewed.json["changed"], true, "{}", renewed.stdout);
    assert_eq!(codes(&site.must("cert check mx")), "[]");

    // Where none was chosen nobody vouches; chosen later, it is kept from then on.
    let without = world.issue("web", "www.box.test", "", "web 1");
    assert!(
        codes(&without).contains("cert.issuer-unknown"),
        "{}",
        codes(&without)
    );
    let again = format!("{chosen} --renew");
    let with = world.issue("web", "www.box.test", &again, "web 2");
    assert_eq!(codes(&with), "[]", "{}", with.stdout);
    site.must("cert renew web --force");
    assert_eq!(codes(&site.must("cert check web")), "[]");

    // A folder would be a second source of it.
    let folder = site.scene.named("");
    let second = site.ends(65, &format!("cert watch mx --dir {folder} --once"));
    assert_eq!(second.code(), "watch.renewed-here");

    // And the other way round, before a CA is asked; until one of both is given up.
    site.ends(65, &format!("cert watch ext --dir {folder} --once"));
    let words = format!("cert issue ext --domain ext.box.test {}", world.by_http());
    let second = site.ends(65, &words);
    assert_eq!(second.code(), "acme.watched");
    let remedy = second.json["findings"][0]["remedy"].to_string();
    assert!(remedy.contains("cert watch ext --forget"), "{remedy}");
    site.must("cert watch ext --forget");
    site.must(&words);
}

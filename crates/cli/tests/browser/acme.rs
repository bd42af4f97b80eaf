//! A certificate from a real CA (Pebble) by clicking: ordered, presented, renewed; and what a failure says and leaves.

use crate::browser::Browser;
use crate::person::{come_in, leaf, until_it_says};
use crate::scene::Scene;
use crate::site::Site;
use postseal_testkit::dns_server::DnsServer;
use postseal_testkit::pebble::Pebble;
use postseal_testkit::postfix_box::PostfixBox;
use std::fs;

/// Where Pebble looks for the answers of HTTP-01, at the address of the box.
const HTTP: u16 = 5002;

struct World {
    site: Site,
    pebble: Pebble,
    _dns: DnsServer,
}

/// A CA that takes its time, so that there is something to see meanwhile.
fn world() -> World {
    let scene = Scene::adopted(PostfixBox::builder());
    let std::net::IpAddr::V4(address) = scene.postfix.address() else {
        panic!("the box has an IPv4 address");
    };
    let dns = DnsServer::start("box.test", address).unwrap();
    let pebble = Pebble::builder()
        .http_port(HTTP)
        .set("PEBBLE_VA_NOSLEEP", "0")
        .set("PEBBLE_VA_SLEEPTIME", "3")
        .dns(dns.address())
        .build()
        .unwrap();
    let root = scene.named("ca-server.pem");
    fs::write(&root, pebble.server_root_pem()).unwrap();
    let issuing = scene.named("issuing.pem");
    fs::write(&issuing, pebble.issuing_root_pem().unwrap()).unwrap();
    let more = format!(
        "[acme]\nca = \"{}\"\nca_root = \"{root}\"\nprivate_ca = \"{issuing}\"\nhttp = [\"{address}:{HTTP}\"]\n",
        pebble.directory()
    );
    World {
        site: Site::up_in(scene, &more),
        pebble,
        _dns: dns,
    }
}

fn order(browser: &mut Browser, name: &str, domains: &str, renews: bool) {
    browser.go("/certificates/new");
    browser.write("issue-name", name);
    browser.write("issue-domains", domains);
    browser.tick("issue", "agree_terms");
    if renews {
        browser.tick("issue", "renew");
    }
    browser.press("Order it");
}

fn at(world: &World, port: u16) -> String {
    leaf(&world.site, port).expect("a certificate")
}

#[test]
fn a_certificate_is_ordered_presented_and_renewed_by_clicking_and_a_failure_leaves_the_old_one() {
    let mut world = world();
    let mut browser = come_in(&world.site);
    until_it_says(&mut browser, "/certificates/new", &world.pebble.directory());

    order(
        &mut browser,
        "web",
        "mx.box.test, a.box.test, b.box.test",
        false,
    );
    let meanwhile = browser.until("web: ");
    assert!(meanwhile.contains("? running"), "{meanwhile}");
    browser.until("✓ done");

    until_it_says(&mut browser, "/certificates", "web");
    browser.go("/certificates/one?name=web");
    browser.press("Bind");
    browser.until("✓ done");
    browser.go("/smtp-tls");
    browser.choose("inbound", "may");
    browser.press("Save and apply");
    browser.until("kept");
    let first = at(&world, 25);
    let shown = world.site.local(&["cert", "show", "web"]);
    assert_eq!(shown.json["certificate"]["fingerprint"], first.as_str());

    // A name that leads nowhere: the CA says why, and what was there stays.
    order(&mut browser, "web", "mx.elsewhere.test", true);
    let said = browser.until("it did not work");
    assert!(said.contains("mx.elsewhere.test"), "{said}");
    assert!(said.contains("acme."), "{said}");
    assert_eq!(at(&world, 25), first);

    browser.go("/certificates/one?name=web");
    browser.until("Due");
    browser.tick("present", "force");
    browser.press("Renew it");
    browser.until("✓ done");
    let second = at(&world, 25);
    assert_ne!(second, first, "the wire presents the new one");

    world.pebble.stop();
    browser.go("/certificates/one?name=web");
    browser.tick("present", "force");
    browser.press("Renew it");
    let said = browser.until("it did not work");
    for words in ["cert.renewal-failed", "cannot be reached"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(at(&world, 25), second);
    // The certificate's own page says it, too.
    until_it_says(&mut browser, "/certificates/one?name=web", "Failure");
}

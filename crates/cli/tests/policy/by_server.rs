//! Credentials under the name of a server, which mail of any domain may meet: with a real DNS and
//! the real smtp(8). Needs Knot DNS and Unbound.

use crate::carried::authenticating;
use crate::managed::{CLEAR, delivery, findings, greeting, session, submit};
use crate::place::Place;
use postseal_testkit::postfix_box::BoxBuilder;
use postseal_testkit::resolver::Resolver;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};

const BY_SERVER: &str = "outbound.credentials-by-server";
const IN_CLEAR: &str = "outbound.credentials-in-clear";

/// A box that finds servers in DNS.
fn resolved() -> BoxBuilder {
    authenticating()
        .set("smtp_dns_support_level", "enabled")
        .set("smtp_host_lookup", "dns")
}

/// An address that no other test has: its last part is another's in a range of our own.
fn own_address() -> Ipv4Addr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 84, high, low.max(1))
}

/// A zone where `ac.plain.test` has the mail exchanger `authc.plain.test` at an address.
fn resolving(place: &Place, address: Ipv4Addr) -> Resolver {
    let dns = Resolver::start(&format!("ac MX 10 authc\nauthc A {address}\n")).unwrap();
    let jail = place.scene.postfix.queue_directory().join("etc");
    fs::create_dir_all(&jail).unwrap();
    fs::write(jail.join("resolv.conf"), dns.resolv_conf()).unwrap();
    dns
}

#[test]
fn a_rule_for_a_server_does_not_cover_the_domains_whose_exchanger_it_is() {
    let place = Place::of(resolved());
    place.table("passwords", "authc.plain.test user:s3cret\n");
    place.table("transport", "");
    let address = own_address();
    let _dns = resolving(&place, address);

    let synced = place.must("domain sync");
    let told = findings(&synced.json, BY_SERVER);
    assert_eq!(told.len(), 1, "{}", synced.stdout);
    let plan = place.must("plan").json;
    assert_eq!(findings(&plan, BY_SERVER).len(), 1, "{plan}");
    place.must("apply --yes");
    assert_eq!(
        place.looked_up("authc.plain.test").as_deref(),
        Some("encrypt")
    );

    let relay = TcpListener::bind((address, 25)).unwrap();
    let server = session(greeting().say(CLEAR)).on(relay.try_clone().unwrap());
    submit(&place, "seen@ac.plain.test");
    delivery(&place, "seen@ac.plain.test");
    let heard = server.finish().remove(0).unwrap();
    assert!(heard[1].starts_with("AUTH PLAIN "), "{heard:?}");

    // So nothing says that it is safe.
    let told = findings(&place.ends(2, "lint").json, BY_SERVER);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("authc.plain.test") && told[0].contains("noplaintext"),
        "{told:?}"
    );
    let status = place.must("status").json;
    let told = status["credentials_in_clear"].as_array().unwrap();
    assert!(told.len() == 1 && told[0]["code"] == BY_SERVER, "{status}");
    let listed = place.must("domain list").json;
    let hops = listed["credentials"].as_array().unwrap();
    assert_eq!(
        (hops.len(), &hops[1]["level"]),
        (2, &"may".into()),
        "{listed}"
    );

    // What would cover it does.
    let main = place.main_cf();
    place.write(
        "main.cf",
        &main.replace(
            "smtp_sasl_security_options = noanonymous",
            "smtp_sasl_security_options = noanonymous, noplaintext\n\
             smtp_sasl_tls_security_options = noanonymous",
        ),
    );
    place.reload();
    assert!(findings(&place.run("lint").json, BY_SERVER).is_empty());
    let server = greeting().say(CLEAR).hear("QUIT").on(relay);
    submit(&place, "kept@ac.plain.test");
    let line = delivery(&place, "kept@ac.plain.test");
    assert!(line.contains("status=deferred"), "{line}");
    let heard = server.finish().remove(0).unwrap();
    assert!(
        !heard.iter().any(|line| line.starts_with("AUTH")),
        "{heard:?}"
    );
}

#[test]
fn an_address_for_a_key_gets_the_rule_of_the_next_hops_that_lead_to_it() {
    let place = Place::of(resolved());
    let address = own_address();
    place.table("passwords", &format!("{address} user:s3cret\n"));
    place.table(
        "transport",
        &format!("a.example smtp:[{address}]\nb.example smtp:[{address}]:2525\n"),
    );
    let relay = TcpListener::bind((address, 25)).unwrap();
    let server = session(greeting().say(CLEAR)).on(relay);
    submit(&place, "seen@a.example");
    delivery(&place, "seen@a.example");
    assert!(server.finish().remove(0).unwrap()[1].starts_with("AUTH PLAIN "));
    assert_eq!(findings(&place.ends(2, "lint").json, IN_CLEAR).len(), 2);

    let synced = place.must("domain sync");
    assert_eq!(synced.json["added"], 2, "{}", synced.stdout);
    assert!(findings(&synced.json, "domain.key-is-no-next-hop").is_empty());
    place.must("apply --yes");
    assert_eq!(
        place.looked_up(&format!("[{address}]")).as_deref(),
        Some("encrypt")
    );
    let lint = place.run("lint").json;
    assert!(
        findings(&lint, IN_CLEAR).is_empty() && findings(&lint, BY_SERVER).is_empty(),
        "{lint}"
    );
    // Bound only now: rules are held against whoever listens there.
    let relay = TcpListener::bind((address, 25)).unwrap();
    let server = greeting().say(CLEAR).hear("QUIT").on(relay);
    submit(&place, "kept@a.example");
    delivery(&place, "kept@a.example");
    assert_eq!(server.finish().remove(0).unwrap().len(), 2);
}

//! What `verify` and `status` know of outbound: nothing, until mail was sent.

use crate::managed::{delivery, submit};
use crate::place::{Place, builder};
use postseal_probe::{Sink, SinkCertificate, SinkOptions, SinkTls};
use std::fs;

fn text(place: &Place, command: &str) -> String {
    let output = place.scene.command(&[command]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn outbound_is_undetermined_until_a_delivery_was_seen() {
    let place = Place::of(
        builder()
            .set("transport_maps", "hash:{base}/config/transport")
            .set("smtp_tls_loglevel", "1"),
    );
    let read = |name| fs::read(place.scene.named(name)).unwrap();
    let certificate = SinkCertificate::new(read("rsa.pem"), read("rsa.key"));
    let secret = Sink::start(SinkOptions::new(SinkTls::StartTls(certificate))).unwrap();
    let open = Sink::start(SinkOptions::new(SinkTls::None)).unwrap();
    let route = |domain: &str, sink: &Sink| {
        let address = sink.address();
        format!("{domain} smtp:[{}]:{}\n", address.ip(), address.port())
    };
    let routes = route("tls.example", &secret) + &route("clear.example", &open);
    place.table("transport", &routes);
    // The message of the rehearsal is none.
    place.must("set outbound=may param.smtp_tls_note_starttls_offer=yes");
    place.must("apply --yes");
    let verified = place.run("verify").json;
    assert_eq!(
        verified["outbound"]["outcome"], "undetermined",
        "{verified}"
    );
    let said = text(&place, "verify");
    assert!(
        said.contains("? outbound") && said.contains("rehearsal"),
        "{said}"
    );
    let said = text(&place, "status");
    assert!(said.contains("no delivery seen yet"), "{said}");

    for recipient in ["a@clear.example", "b@tls.example"] {
        submit(&place, recipient);
        let line = delivery(&place, recipient);
        assert!(line.contains("status=sent"), "{line}");
    }
    let seen = &place.run("verify").json["outbound"];
    assert_eq!(seen["outcome"], "seen", "{seen}");
    let counts = &seen["deliveries"];
    assert_eq!(
        (&counts["untrusted"], &counts["none"]),
        (&1.into(), &1.into()),
        "{seen}"
    );
    for command in ["verify", "status"] {
        let said = text(&place, command);
        assert!(said.contains("1 untrusted, 1 without TLS"), "{said}");
    }

    // What was seen before a reload says nothing of what holds now.
    crate::scene::run(
        "/usr/sbin/postfix",
        &["-c", &place.scene.config(), "reload"],
    );
    let again = place.run("verify").json;
    assert_eq!(again["outbound"]["outcome"], "undetermined", "{again}");
}

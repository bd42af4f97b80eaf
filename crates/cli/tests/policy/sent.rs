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
    place.reload();
    let again = place.run("verify").json;
    assert_eq!(again["outbound"]["outcome"], "undetermined", "{again}");
}

#[test]
fn mail_that_waits_for_tls_is_told_with_the_rule_that_demands_it() {
    let place = Place::of(builder().set("transport_maps", "hash:{base}/config/transport"));
    let open = Sink::start(SinkOptions::new(SinkTls::None)).unwrap();
    let address = open.address();
    let hop = format!("[{}]:{}", address.ip(), address.port());
    place.table("transport", &format!("clear.example smtp:{hop}\n"));
    place.must("set outbound=may");
    place.must("apply --yes");
    let waits = |verified: &serde_json::Value| -> Vec<serde_json::Value> {
        let findings = verified["findings"].as_array().unwrap().iter();
        let own = findings.filter(|one| one["code"] == "outbound.mail-waits");
        own.cloned().collect()
    };
    assert!(waits(&place.run("verify").json).is_empty());

    place.must(&format!("policy add {hop} encrypt --force --reason test"));
    place.must("apply --yes");
    submit(&place, "a@clear.example");
    let line = delivery(&place, "a@clear.example");
    assert!(line.contains("dsn=4.7.4"), "{line}");
    let verified = place.run("verify");
    let told = waits(&verified.json);
    assert_eq!(told.len(), 1, "{told:?}");
    // What the server lacks is no fault of this one.
    assert_eq!(told[0]["severity"], "warning");
    assert_eq!(verified.exit, Some(0), "{told:?}");
    let message = told[0]["message"].as_str().unwrap();
    let demanded = format!("The rule {hop} encrypt demands it");
    for part in [&*hop, "1 message", "was not offered", &demanded] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let said = text(&place, "verify");
    assert!(said.contains("mail waits for TLS."), "{said}");
    let said = text(&place, "status");
    assert!(said.contains("[outbound.mail-waits]"), "{said}");
    let output = place.scene.command(&["status", "--nagios"]).output();
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(
        said.contains("WARNING") && said.contains("waits for TLS"),
        "{said}"
    );

    // What is not demanded any more goes with its next attempt.
    place.must(&format!("policy edit {hop} may --force --reason test"));
    place.must("apply --yes");
    assert!(waits(&place.run("verify").json).is_empty());
}

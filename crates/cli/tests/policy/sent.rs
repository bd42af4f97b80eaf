//! What `verify` and `status` know of outbound: nothing, until mail was sent.

use crate::managed::{delivery, free_port, greeting, submit, tls};
use crate::place::{Place, builder};
use postseal_testkit::smtp_script::SmtpScript;
use std::net::TcpListener;

const PLAIN: &str = "250 relay.example\r\n";

fn takes_mail(script: SmtpScript) -> SmtpScript {
    script
        .hear("MAIL")
        .say("250 ok\r\n")
        .hear("RCPT")
        .say("250 ok\r\n")
        .hear("DATA")
        .say("354 go\r\n")
        .hear_message()
        .say("250 2.0.0 taken\r\n")
}

#[test]
fn outbound_is_undetermined_until_a_delivery_was_seen() {
    let port = free_port();
    let place = Place::of(
        builder()
            .set("relayhost", &format!("[127.0.0.1]:{port}"))
            .set("smtp_tls_loglevel", "1"),
    );
    let tls = tls(&place);
    let relay = TcpListener::bind(("127.0.0.1", port)).unwrap();
    // The message of the rehearsal is none.
    place.must("set outbound=may");
    place.must("apply --yes");
    let verified = place.run("verify");
    assert_eq!(
        verified.json["outbound"]["outcome"], "undetermined",
        "{}",
        verified.stdout
    );
    assert!(verified.stdout.contains("rehearsal"), "{}", verified.stdout);
    let status = place.must("status");
    assert!(
        status.stdout.contains("no delivery seen yet"),
        "{}",
        status.stdout
    );

    let clear = takes_mail(greeting().say(PLAIN));
    let server = clear.on(relay.try_clone().unwrap());
    submit(&place, "clear@example.org");
    delivery(&place, "clear@example.org");
    drop(server);
    let under_tls = takes_mail(
        greeting()
            .say("250-relay.example\r\n250 STARTTLS\r\n")
            .hear("STARTTLS")
            .say("220 go\r\n")
            .accept_tls(&tls)
            .hear("EHLO")
            .say(PLAIN),
    );
    let server = under_tls.on(relay);
    submit(&place, "tls@example.org");
    delivery(&place, "tls@example.org");
    drop(server);

    let verified = place.run("verify");
    let seen = &verified.json["outbound"];
    assert_eq!(seen["outcome"], "seen", "{seen}");
    assert_eq!(
        (
            &seen["deliveries"]["untrusted"],
            &seen["deliveries"]["none"]
        ),
        (&1.into(), &1.into()),
        "{seen}"
    );
    assert!(
        verified.stdout.contains("1 untrusted, 1 without TLS"),
        "{}",
        verified.stdout
    );
    let status = place.must("status");
    assert!(
        status.stdout.contains("1 untrusted, 1 without TLS"),
        "{}",
        status.stdout
    );

    // What was seen before a reload says nothing of what holds now.
    crate::scene::run(
        "/usr/sbin/postfix",
        &["-c", &place.scene.config(), "reload"],
    );
    let again = place.run("verify").json;
    assert_eq!(again["outbound"]["outcome"], "undetermined", "{again}");
}

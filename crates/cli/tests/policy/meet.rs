//! Rules of several managers for one next hop: what both demand holds on the wire.

use crate::managed::{delivery, free_port, submit, tls};
use crate::place::{Place, builder};
use openssl::ssl::{SslContext, SslVersion};
use postseal_testkit::smtp_script::SmtpScript;
use serde_json::json;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// The TLS of a relay, up to a version; which name it was asked for.
fn relay_tls(place: &Place, newest: SslVersion) -> (SslContext, Arc<Mutex<Vec<String>>>) {
    let whole = tls(place);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let mut context = SslContext::builder(openssl::ssl::SslMethod::tls_server()).unwrap();
    context
        .set_certificate(whole.certificate().unwrap())
        .unwrap();
    context
        .set_private_key(whole.private_key().unwrap())
        .unwrap();
    context.set_max_proto_version(Some(newest)).unwrap();
    context.set_servername_callback(move |session, _| {
        let name = session.servername(openssl::ssl::NameType::HOST_NAME);
        heard.lock().unwrap().extend(name.map(str::to_owned));
        Ok(())
    });
    (context.build(), asked)
}

fn greeting() -> SmtpScript {
    SmtpScript::new()
        .say("220 relay.example ESMTP\r\n")
        .hear("EHLO")
        .say("250-relay.example\r\n250 STARTTLS\r\n")
        .hear("STARTTLS")
        .say("220 go\r\n")
}

#[test]
fn what_both_demand_holds_on_the_wire() {
    let port = free_port();
    let hop = format!("[127.0.0.1]:{port}");
    let place = Place::of(builder().set("relayhost", &hop));
    place.must(&format!(
        "domain add example.org --next-hop {hop} --level encrypt%20servername=relay.test"
    ));
    place.must(&format!(
        "policy add {hop} encrypt --protocols >=TLSv1.3 --no-preflight"
    ));
    let both = "encrypt protocols=>=TLSv1.3 servername=relay.test";
    let plan = place.must("plan");
    assert_eq!(
        plan.json["rules"]["met"][0]["policy"], both,
        "{}",
        plan.stdout
    );
    place.must("apply --yes");
    assert_eq!(place.looked_up(&hop).as_deref(), Some(both));
    // Each is shown with what holds in its place.
    let listed = place.must("policy list").json;
    for (rule, other) in [(0, "domain example.org"), (1, "a rule by hand")] {
        let effective = &listed["rules"][rule]["effective"];
        assert_eq!(effective["in_force"], both);
        assert_eq!(
            effective["instead"],
            json!(format!("merged with {other}: {both}"))
        );
    }
    let text = place.scene.say(&["policy", "list"]).stdout;
    assert!(
        text.contains(&format!("in force, merged with domain example.org: {both}")),
        "{text}"
    );
    let told = place.must(&format!("explain {hop}")).stdout;
    assert!(told.contains("servername=relay.test"), "{told}");

    // One demand: no mail by an older protocol.
    let relay = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let (old, _) = relay_tls(&place, SslVersion::TLS1_2);
    let server = greeting().accept_tls(&old).on(relay.try_clone().unwrap());
    submit(&place, "old@example.org");
    let line = delivery(&place, "old@example.org");
    assert!(
        line.contains("status=deferred") && line.contains("4.7.5"),
        "{line}"
    );
    assert!(server.finish().remove(0).is_err());

    // The other: the name it is asked for.
    let (new, asked) = relay_tls(&place, SslVersion::TLS1_3);
    let script = greeting()
        .accept_tls(&new)
        .hear("EHLO")
        .say("250 relay.example\r\n");
    let script = script.hear("MAIL").say("550 5.1.0 enough\r\n");
    let server = script.on(relay);
    submit(&place, "new@example.org");
    delivery(&place, "new@example.org");
    assert!(server.finish().remove(0).is_ok());
    assert_eq!(*asked.lock().unwrap(), ["relay.test"]);

    // With the entry its demand goes, and nothing else.
    place.must("domain remove example.org");
    place.must("apply --yes");
    assert_eq!(
        place.looked_up(&hop).as_deref(),
        Some("encrypt protocols=>=TLSv1.3")
    );
    place.must("rollback --yes");
    assert_eq!(place.looked_up(&hop).as_deref(), Some(both));
}

#[test]
fn what_no_row_can_say_is_refused_when_the_second_arrives() {
    let hop = "[relay.example]:587";
    let place = Place::of(
        builder()
            .set("relayhost", hop)
            .set("smtp_dns_support_level", "dnssec"),
    );
    place.must(&format!("policy add {hop} dane --no-preflight"));
    let refused = place.ends(65, &format!("domain add example.org --next-hop {hop}"));
    assert_eq!(refused.code(), "policy.incomparable", "{}", refused.stdout);
    let text = refused.json.to_string();
    for part in [
        "dane (by hand)",
        "encrypt (managed by domain example.org)",
        "policy edit",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(place.must("domain list").json["domains"], json!([]));
    place.must(&format!("policy edit {hop} dane-only --no-preflight"));
    place.must(&format!("domain add example.org --next-hop {hop}"));
    place.must("apply --yes");
    assert_eq!(place.looked_up(hop).as_deref(), Some("dane-only"));

    // From the other side: by hand, moved and imported; a reason changes nothing.
    place.must(&format!("policy remove {hop}"));
    place.must("domain edit example.org --level secure --match a.example");
    place.must("apply --yes");
    let other = "secure --match b.example --no-preflight";
    for words in [
        format!("policy add {hop} {other}"),
        format!("policy add {hop} {other} --force --reason because"),
    ] {
        assert_eq!(
            place.ends(65, &words).code(),
            "policy.incomparable",
            "{words}"
        );
    }
    let file = place.write(
        "rules",
        &format!("{hop} secure match=b.example\n[x.example]:587 may\n"),
    );
    let file = file.display();
    let refused = place.ends(65, &format!("policy import {file}"));
    assert!(
        refused.stdout.contains("policy.incomparable"),
        "{}",
        refused.stdout
    );
    place.ends(65, &format!("policy import {file} --partial"));
    assert_eq!(
        place.listed("wanted"),
        [
            format!("{hop} secure match=a.example"),
            "[x.example]:587 may".to_owned()
        ]
    );
}

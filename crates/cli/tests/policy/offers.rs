//! What is offered in place of a rule that would do nothing works when it is pasted.

use crate::place::{Place, builder};
use std::fs;

#[test]
fn an_offered_command_works_for_every_form_of_a_next_hop() {
    let place = Place::of(builder().set("transport_maps", "texthash:{base}/config/transport"));
    let forms = [
        (
            "a.example",
            "smtp:[relay.example.net]:587",
            Some("[relay.example.net]:587"),
        ),
        (
            "b.example",
            "smtp:relay.example.net:587",
            Some("relay.example.net:587"),
        ),
        (
            "c.example",
            "smtp:relay.example.net",
            Some("relay.example.net"),
        ),
        ("d.example", "smtp:[127.0.0.9]", Some("[127.0.0.9]")),
        (
            "f.example",
            "smtp:relay.example.net:submission",
            Some("relay.example.net:submission"),
        ),
        (
            "h.example",
            "smtp:[relay.example.net]:no_such.service",
            None,
        ),
        ("g.example", "lmtp:unix:private/box", None),
    ];
    let rows = forms.map(|(domain, way, _)| format!("{domain} {way}\n"));
    fs::write(place.config().join("transport"), rows.concat()).unwrap();
    for (domain, way, hop) in forms {
        let add = format!(
            "policy add {domain} secure --match nexthop:mx.example.net --ciphers high --no-preflight"
        );
        let refused = place.ends(65, &add);
        assert_eq!(refused.code(), "policy.never-matches", "{way}");
        let remedy = refused.json["findings"][0]["remedy"].as_str().unwrap();
        let Some(hop) = hop else {
            assert!(!remedy.contains("policy add"), "{way}: {remedy}");
            continue;
        };
        let command = remedy.split('`').nth(1).unwrap();
        let words = command.strip_prefix("postseal ").unwrap().replace('\'', "");
        place.must(&format!("{words} --no-preflight"));
        let wished = place.listed("wanted");
        let row = format!("{hop} secure match=nexthop:mx.example.net ciphers=high");
        assert!(wished.contains(&row), "{way}: {wished:?}");
        place.must(&format!("policy remove {hop}"));
    }
}

#[test]
fn what_is_there_already_is_said_and_not_offered() {
    let place = Place::of(builder().set("transport_maps", "texthash:{base}/config/transport"));
    let rows = ".sub.test relay:[127.50.1.2]\nport.test smtp:[127.50.1.3]:465\n";
    fs::write(place.config().join("transport"), rows).unwrap();
    place.must("policy add [127.50.1.2] encrypt --no-preflight");
    place.must("apply --yes");
    let refused = place.ends(65, "policy add .sub.test encrypt --no-preflight");
    let finding = &refused.json["findings"][0];
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains("[127.50.1.2] encrypt"), "{message}");
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(remedy.contains("Nothing needs"), "{remedy}");
    // Another one is an edit.
    let refused = place.ends(65, "policy add .sub.test verify --no-preflight");
    let remedy = refused.json["findings"][0]["remedy"].as_str().unwrap();
    let command = remedy.split('`').nth(1).unwrap().replace('\'', "");
    assert!(command.contains("policy edit"), "{remedy}");
    place.must(&format!(
        "{} --no-preflight",
        command.strip_prefix("postseal ").unwrap()
    ));

    // Where TLS is expected from the first byte, what makes such a client is offered, and works.
    let refused = place.ends(65, "policy add port.test encrypt --no-preflight");
    let remedy = refused.json["findings"][0]["remedy"].as_str().unwrap();
    assert!(!remedy.contains("policy add"), "{remedy}");
    let command = remedy.split('`').nth(1).unwrap().replace('\'', "");
    assert!(command.contains("--smtps"), "{remedy}");
    place.must(command.strip_prefix("postseal ").unwrap());
}

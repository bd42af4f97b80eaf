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

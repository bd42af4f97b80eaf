//! Rules for next hops held against the services that routes send mail there by.

use crate::place::{Place, builder, codes};
use serde_json::Value;

/// It asks no rules, and begins no TLS.
const PLAINOUT: &str =
    "plainout unix - - n - - smtp\n  -o smtp_tls_security_level=none\n  -o smtp_tls_policy_maps=\n";
const WRAPPED: &str = "smtps-out unix - - n - - smtp\n  -o smtp_tls_wrappermode=yes\n";
const HOP: &str = "[127.0.0.9]:25";
const HOP_465: &str = "[127.0.0.9]:465";

/// With a service, and a route.
fn place(service: &str, route: &str) -> Place {
    let maps = "hash:{base}/config/transport";
    let place = Place::unadopted(builder().set("transport_maps", maps));
    place.add_to_master_cf(service);
    place.table("transport", route);
    place.must("init");
    place
}

/// Everything that looks tells of it, and of nothing once it is mended.
fn is_told(place: &Place, code: &str) {
    let lint = format!("lint {}", place.config().display());
    for (exit, words) in [(2, lint.as_str()), (1, "verify")] {
        let told = place.ends(exit, words).json;
        assert!(codes(&told).contains(&code), "{words}: {told}");
    }
    let nagios = place.run("status --nagios");
    assert_ne!(nagios.exit, Some(0), "{}", nagios.stdout);
}

fn is_well(place: &Place) {
    place.ends(0, &format!("lint {}", place.config().display()));
    place.ends(0, "verify");
}

#[test]
fn a_rule_for_a_next_hop_is_refused_where_what_sends_there_does_not_ask_it() {
    let place = place(PLAINOUT, &format!("d1.test plainout:{HOP}\n"));
    let add = format!("policy add {HOP} encrypt --no-preflight");
    let refused = place.ends(65, &add);
    assert_eq!(refused.code(), "policy.never-matches");
    let finding = &refused.json["findings"][0];
    assert_eq!(
        finding["evidence"][0]["text"],
        "master.cf: plainout/unix -o smtp_tls_policy_maps="
    );
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(remedy.contains("plainout/unix"), "{remedy}");
    for policy in ["", " --policy encrypt"] {
        let checked = place.run(&format!("policy check {HOP}{policy}"));
        assert!(
            checked.stdout.contains("policy.never-matches"),
            "{}",
            checked.stdout
        );
        assert_ne!(checked.exit, Some(0));
    }
    // The same for a rule that follows its mail.
    let follow = "policy add d1.test encrypt --follow --no-preflight";
    assert_eq!(place.ends(65, follow).code(), "policy.never-matches");
    // By a service that asks, it holds; until the route is changed.
    place.table("transport", &format!("d1.test smtp:{HOP}\n"));
    place.must(&add);
    place.must("apply --yes");
    is_well(&place);
    place.table("transport", &format!("d1.test plainout:{HOP}\n"));
    is_told(&place, "policy.never-matches");
    let listed = place.run("policy list").stdout;
    assert!(listed.contains("plainout/unix"), "{listed}");
    // Where some of the mail goes by it, the rule is not useless.
    place.table(
        "transport",
        &format!("d1.test plainout:{HOP}\nd2.test smtp:{HOP}\n"),
    );
    let lint = format!("lint {}", place.config().display());
    for words in [lint.as_str(), "verify"] {
        let told = place.must(words).json;
        assert!(codes(&told).contains(&"policy.passed-by"), "{told}");
        assert!(!codes(&told).contains(&"policy.never-matches"), "{told}");
    }
    let planned = place.must("plan");
    assert!(
        planned.stdout.contains("policy.passed-by"),
        "{}",
        planned.stdout
    );
    let status = place.must("status").json;
    assert_eq!(status["passed_by_rules"].as_array().unwrap().len(), 1);
    assert!(status["shadowed_rules"].as_array().unwrap().is_empty());
    let nagios = place.run("status --nagios");
    assert!(nagios.stdout.contains("plainout/unix"), "{}", nagios.stdout);
}

#[test]
fn a_client_that_wraps_helps_no_mail_that_goes_by_another() {
    let clear = format!("p8.test smtp:{HOP_465}\n");
    let wrapped = format!("p8.test smtps-out:{HOP_465}\n");
    for destination in ["p8.test encrypt --follow", &format!("{HOP_465} encrypt")] {
        let place = place(WRAPPED, &clear);
        let add = format!("policy add {destination} --no-preflight");
        let refused = place.ends(65, &add);
        assert_eq!(refused.code(), "policy.no-wrappermode", "{destination}");
        let check = format!("policy check {HOP_465}");
        let checked = place.run(&check).stdout;
        assert!(checked.contains("policy.no-wrappermode"), "{checked}");
        place.table("transport", &wrapped);
        let checked = place.run(&check).stdout;
        assert!(!checked.contains("policy.no-wrappermode"), "{checked}");
        place.must(&add);
        place.must("apply --yes");
        is_well(&place);
        place.table("transport", &clear);
        is_told(&place, "policy.no-wrappermode");
    }
}

#[test]
fn a_domain_whose_row_was_left_at_a_client_that_begins_in_clear_is_told() {
    let place = place("", &format!("old.test smtp:{HOP_465}\n"));
    place.must(&format!("domain add old.test --next-hop {HOP_465} --smtps"));
    place.must("apply --yes");
    is_told(&place, "policy.no-wrappermode");
    place.table("transport", &format!("old.test smtps-out:{HOP_465}\n"));
    is_well(&place);
}

#[test]
fn a_domain_whose_mail_leaves_by_a_service_that_asks_no_rules_is_told() {
    let place = place(PLAINOUT, &format!("d1.test plainout:{HOP}\n"));
    place.must(&format!("domain add d1.test --next-hop {HOP}"));
    place.must("apply --yes");
    is_told(&place, "policy.never-matches");
    place.table("transport", &format!("d1.test smtp:{HOP}\n"));
    is_well(&place);
}

/// The findings of a code, as text.
fn told(json: &Value, code: &str) -> Vec<String> {
    crate::managed::findings(json, code)
}

#[test]
fn recipients_and_names_below_with_next_hops_of_their_own_are_told() {
    const CODE: &str = "policy.follows-not";
    let routes = "a.sc.example smtp:[127.0.0.9]:26\nb.sc.example smtp:\n\
        boss@usr.example smtp:[127.0.0.9]:27\nclerk@usr.example smtp:\n";
    let place = place("", routes);
    let add = |words: &str| place.must(&format!("policy add {words} encrypt --no-preflight"));
    assert!(told(&add("sc.example").json, CODE).is_empty());
    place.must("discard");
    let below = told(&add("sc.example --scope both").json, CODE);
    assert!(
        below.len() == 1
            && below[0].contains("a.sc.example")
            && below[0].contains("[127.0.0.9]:26"),
        "{below:?}"
    );
    let own = told(&add("usr.example").json, CODE);
    assert!(
        own.len() == 1 && own[0].contains("boss@usr.example") && own[0].contains("[127.0.0.9]:27"),
        "{own:?}"
    );
    assert_eq!(told(&place.must("plan").json, CODE).len(), 2);
    place.must("apply --yes");
    let lint = format!("lint {}", place.config().display());
    for words in [lint.as_str(), "policy list", "verify"] {
        let ran = place.run(words);
        assert_eq!(told(&ran.json, CODE).len(), 2, "{words}: {}", ran.stdout);
    }
    let status = place.must("status").json;
    assert_eq!(
        status["passed_by_rules"].as_array().unwrap().len(),
        2,
        "{status}"
    );
    // The rules that are offered.
    add("[127.0.0.9]:26");
    add("[127.0.0.9]:27");
    place.must("apply --yes");
    for words in [lint.as_str(), "policy list"] {
        assert!(told(&place.must(words).json, CODE).is_empty(), "{words}");
    }
}

#[test]
fn a_rule_for_a_next_hop_that_no_route_names_is_told_with_the_one_that_is_named() {
    const CODE: &str = "policy.never-asked";
    let place = place("", "d.example smtp:[relay.plain.test]:587\n");
    let lint = format!("lint {}", place.config().display());
    for (hop, near) in [
        ("[relay.plain.test]:578", true),
        ("[relay.plain.test]", true),
        ("relay.plain.test:587", true),
        ("[nobody.example]:587", false),
    ] {
        let added = place.must(&format!("policy add {hop} encrypt --no-preflight"));
        let found = told(&added.json, CODE);
        assert_eq!(found.len(), 1, "{hop}: {}", added.stdout);
        let offer = "policy add '[relay.plain.test]:587' encrypt";
        assert_eq!(found[0].contains(offer), near, "{found:?}");
        assert_eq!(told(&place.must("plan").json, CODE).len(), 1, "{hop}");
        place.must("apply --yes");
        for words in [lint.as_str(), "policy list"] {
            let ran = place.must(words);
            assert_eq!(told(&ran.json, CODE).len(), 1, "{words}: {}", ran.stdout);
        }
        let checked = place.run(&format!("policy check {hop}"));
        assert!(checked.stdout.contains(CODE), "{}", checked.stdout);
        place.must(&format!("policy remove {hop}"));
        place.must("apply --yes");
    }
    // What is named, by whatever, and what may be.
    place.must("policy add [relay.plain.test]:587 encrypt --no-preflight");
    assert!(told(&place.must("plan").json, CODE).is_empty());
    place.must("discard");
    let hop = "[nobody.example]:587";
    let main = place.main_cf();
    for more in [
        format!("relayhost = {hop}\n"),
        format!("smtp_fallback_relay = {hop}\n"),
        format!("content_filter = smtp:{hop}\n"),
        "sender_dependent_relayhost_maps = regexp:/dev/null\n".to_owned(),
    ] {
        place.write("main.cf", &(main.clone() + &more));
        let added = place.must(&format!("policy add {hop} encrypt --no-preflight"));
        assert!(
            told(&added.json, CODE).is_empty(),
            "{more}: {}",
            added.stdout
        );
        place.must("discard");
    }
}

const LATE: &str = "policy.no-wrappermode";

#[test]
fn that_others_mail_begins_in_clear_is_told_and_no_reason_against_a_rule() {
    let wrapped = format!("good.test smtps-out:{HOP_465}\n");
    let both = format!("{wrapped}bad.test smtp:{HOP_465}\n");
    for destination in ["good.test encrypt --follow", &format!("{HOP_465} encrypt")] {
        let place = place(WRAPPED, &both);
        // Nothing listens there: by the client that wraps nothing is known of the server.
        let added = place.must(&format!("policy add {destination}"));
        let warned = |json: &Value| {
            let told = told(json, LATE);
            assert_eq!(told.len(), 1, "{json}");
            for part in ["smtp/unix", &format!("`smtp:{HOP_465}`"), "\"warning\""] {
                assert!(told[0].contains(part), "{told:?}");
            }
        };
        warned(&added.json);
        warned(&place.must("plan").json);
        place.must("apply --yes");
        let lint = format!("lint {}", place.config().display());
        for words in [lint.as_str(), "verify", "policy list", "plan"] {
            warned(&place.must(words).json);
        }
        let rule = &place.must("policy list").json["rules"][0];
        assert_eq!(rule["holds"], true, "{rule}");
        let checked = place.run(&format!("policy check {HOP_465}"));
        warned(&checked.json);
        assert_eq!(checked.exit, Some(3), "{}", checked.stdout);
        let status = place.must("status").json;
        assert_eq!(status["passed_by_rules"][0]["code"], LATE, "{status}");
        assert!(status["idle_rules"].as_array().unwrap().is_empty());
        let synced = place.must("policy sync").json;
        assert_eq!(synced["changed"], false, "{synced}");
        place.table("transport", &wrapped);
        is_well(&place);
    }
}

#[test]
fn a_rule_whose_own_mail_begins_in_clear_is_an_error() {
    let wrapped = format!("other.test smtps-out:{HOP_465}\n");
    let both = format!("{wrapped}p9.test smtp:{HOP_465}\n");
    let follow = "policy add p9.test encrypt --follow --no-preflight";
    // An entry of the domain is no other; both are made while it goes by one that wraps.
    let entry = format!("domain add p9.test --next-hop {HOP_465} --smtps --no-preflight");
    for add in [follow, &entry] {
        let place = place(WRAPPED, &both);
        if add == follow {
            let refused = place.ends(65, follow);
            assert_eq!(refused.code(), LATE);
            let finding = refused.json["findings"][0].to_string();
            for part in ["p9.test", "smtp/unix", &format!("`smtps-out:{HOP_465}`")] {
                assert!(finding.contains(part), "{finding}");
            }
        }
        place.table("transport", &wrapped.replace("other.test", "p9.test"));
        place.must(add);
        place.must("apply --yes");
        is_well(&place);
        place.table("transport", &both);
        let listed = place.must("policy list").json;
        let hindered = &listed["rules"][0]["hindered"];
        assert_eq!(hindered["by"], "unkept", "{add}: {listed}");
        is_told(&place, LATE);
        let status = place.must("status").json;
        assert_eq!(status["faulty_rules"][0]["code"], LATE, "{add}: {status}");
        place.table("transport", &wrapped.replace("other.test", "p9.test"));
        is_well(&place);
    }
}

#[test]
fn where_a_client_wraps_already_it_is_offered() {
    let place = place(WRAPPED, &format!("p9.test smtp:{HOP_465}\n"));
    let explained = place.run("explain p9.test").json;
    let refused = place
        .ends(65, "policy add p9.test encrypt --follow --no-preflight")
        .json;
    for json in [&explained, &refused] {
        let told = told(json, LATE);
        assert!(!told.is_empty(), "{json}");
        assert!(
            told[0].contains(&format!("`smtps-out:{HOP_465}`")),
            "{told:?}"
        );
        assert!(!told[0].contains("domain add"), "{told:?}");
    }
}

#[test]
fn a_rule_does_not_follow_its_mail_to_a_client_that_keeps_it_back() {
    let place = place(
        WRAPPED,
        &format!("p9.test smtp:{HOP}\nother.test smtps-out:{HOP_465}\n"),
    );
    place.must("policy add p9.test encrypt --follow --no-preflight");
    place.must("apply --yes");
    let route = format!("p9.test smtp:{HOP_465}\nother.test smtps-out:{HOP_465}\n");
    place.table("transport", &route);
    let told = place.ends(2, "policy sync").json;
    let codes = codes(&told);
    for code in ["policy.route-changed", "policy.no-wrappermode"] {
        assert!(codes.contains(&code), "{told}");
    }
    assert_eq!(place.listed("wanted"), [format!("{HOP} encrypt")]);
    // That others' mail begins in clear there is no reason.
    let turned = format!("p9.test smtps-out:{HOP_465}\nother.test smtp:{HOP_465}\n");
    place.table("transport", &turned);
    place.must("policy sync");
    assert_eq!(place.listed("wanted"), [format!("{HOP_465} encrypt")]);
    place.must("discard");
    place.table("transport", &route);
    // Who knows that server says so.
    place.must("policy edit p9.test --force --reason it%20speaks%20in%20clear --no-preflight");
    assert_eq!(place.listed("wanted"), [format!("{HOP_465} encrypt")]);
}

#[test]
fn servers_are_looked_at_as_each_client_would() {
    // One of them knows no protocol that the server speaks.
    let chains = crate::peers::Chains::new();
    let server = chains.sink(crate::peers::Peer::Old);
    let hop = format!("[127.0.0.1]:{}", server.address().port());
    let picky = "picky unix - - n - - smtp\n  -o smtp_tls_mandatory_protocols=TLSv1.3\n";
    let place = place(picky, &format!("a.test smtp:{hop}\nb.test picky:{hop}\n"));
    let refused = place.ends(65, &format!("policy add {hop} encrypt"));
    assert_eq!(refused.code(), "policy.protocol", "{}", refused.stdout);
    let message = refused.json["error"]["message"].to_string();
    assert!(message.contains("transport picky"), "{message}");
    place.table("transport", &format!("a.test smtp:{hop}\n"));
    place.must(&format!("policy add {hop} encrypt"));
}

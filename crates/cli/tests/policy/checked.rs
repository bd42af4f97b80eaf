//! `policy check` and `policy list` say the same of one rule, in force or only wished.

use crate::managed::findings;
use crate::peers::{Chains, Peer};
use crate::place::{Place, builder};
use crate::scene::Scene;
use postseal_testkit::dns_script::{ANSWER, DnsScript, question, record, reply};
use serde_json::Value;
use std::fs;
use std::thread;
use std::time::Duration;

/// The number of A records.
const A: u16 = 1;

fn routed(routes: &str) -> Place {
    let maps = "hash:{base}/config/transport";
    let place = Place::unadopted(builder().set("transport_maps", maps));
    place.table("transport", routes);
    place.must("init");
    place
}

fn outcome(checked: &Value) -> (&str, &str) {
    let seen = &checked["checked"][0]["preflight"];
    let text = |name: &str| seen[name].as_str().unwrap_or_default();
    (text("policy"), text("outcome"))
}

#[test]
fn a_rule_that_is_only_wished_is_judged_as_it_is_wished() {
    let chains = Chains::new();
    let server = chains.sink(Peer::SelfSigned);
    let hop = format!("[127.0.0.1]:{}", server.address().port());
    let place = routed(&format!("d.example smtp:{hop}\n"));
    const POLICY: &str = "secure match=mx.other.test";
    let add = format!("policy add {hop} secure --match mx.other.test --force --reason known");
    place.must(&add);
    for words in [
        "policy check",
        &format!("policy check {hop}"),
        "policy check d.example",
    ] {
        let checked = place.ends(2, words).json;
        assert_eq!(outcome(&checked), (POLICY, "fail"), "{words}: {checked}");
    }
    let listed = place.must("policy list").json;
    assert_eq!(listed["rules"][0]["servers"]["outcome"], "fail");
    // What is tried in its place is said; and what was seen last is what the list says.
    let tried = place
        .must(&format!("policy check {hop} --policy encrypt"))
        .json;
    assert_eq!(outcome(&tried), ("encrypt", "pass"));
    place.must(&format!(
        "policy edit {hop} encrypt --without match --no-preflight"
    ));
    let checked = place.must(&format!("policy check {hop}")).json;
    assert_eq!(outcome(&checked), ("encrypt", "pass"));
    let listed = place.must("policy list").json;
    assert_eq!(listed["rules"][0]["servers"]["outcome"], "pass", "{listed}");
}

#[test]
fn what_a_list_tells_of_a_rule_a_check_tells_too_before_and_after() {
    let place = routed("e.example smtp:[127.0.0.9]:25\nboss@f.example smtp:[127.0.0.9]:26\n");
    place.must("policy add e.example encrypt --no-preflight --force --reason later");
    place.must("policy add f.example encrypt --no-preflight");
    place.must("policy add [relay.plain.test]:578 encrypt --no-preflight");
    let told = |json: &Value, code: &str| findings(json, code).len();
    for state in ["wished", "in force"] {
        let listed = place.must("policy list").json;
        for code in ["policy.never-asked", "policy.follows-not"] {
            assert_eq!(told(&listed, code), 1, "{state}: {listed}");
        }
        let rules = listed["rules"].as_array().unwrap();
        let idle = rules
            .iter()
            .find(|one| one["destination"] == "e.example")
            .unwrap();
        let field = ["hindered_wanted", "hindered"][usize::from(state == "in force")];
        assert_eq!(idle[field]["by"], "idle", "{state}: {idle}");
        for (destination, code) in [
            ("e.example", "policy.never-matches"),
            ("f.example", "policy.follows-not"),
            ("[relay.plain.test]:578", "policy.never-asked"),
        ] {
            let checked = place.run(&format!("policy check {destination}")).json;
            assert_eq!(told(&checked, code), 1, "{state}, {destination}: {checked}");
        }
        if state == "wished" {
            place.must("apply --yes");
        }
    }
    let status = place.must("status").json;
    assert_eq!(
        status["never_asked_rules"].as_array().unwrap().len(),
        1,
        "{status}"
    );
    let told = place.scene.say(&["status"]).stdout;
    assert!(told.contains("policy.never-asked"), "{told}");
    // A rule may be made before its route: nobody is called at night for that.
    let nagios = place.run("status --nagios").stdout;
    assert!(!nagios.contains("[relay.plain.test]:578"), "{nagios}");
}

#[test]
fn tables_that_cannot_be_listed_leave_it_open_whether_a_route_names_a_next_hop() {
    const CODE: &str = "policy.never-asked-undetermined";
    let place = routed("d.example smtp:[127.0.0.9]:25\n");
    let routes = place.write(
        "routes",
        "/^(.*)@r[.]example$/ smtp:[relay.plain.test]:578\n",
    );
    let main = place.main_cf();
    let maps = format!("{main}transport_maps = regexp:{}\n", routes.display());
    place.write("main.cf", &maps);
    let added = place
        .must("policy add [relay.plain.test]:578 encrypt --no-preflight")
        .json;
    let listed = place.must("policy list").json;
    let checked = place.run("policy check [relay.plain.test]:578").json;
    for json in [&added, &listed, &checked] {
        let told = findings(json, CODE);
        assert_eq!(told.len(), 1, "{json}");
        assert!(
            told[0].contains("regexp:") && told[0].contains("info"),
            "{told:?}"
        );
        assert!(findings(json, "policy.never-asked").is_empty(), "{json}");
    }
}

#[test]
fn a_port_by_a_name_that_no_service_has_is_refused() {
    let place = Place::new();
    for destination in ["x.example:nosuch", "[x.example]:nosuch", "[x.example]:465x"] {
        let explained = place.ends(2, &format!("explain {destination}"));
        assert_eq!(findings(&explained.json, "policy.unknown-port").len(), 1);
        let refused = place.ends(
            65,
            &format!("policy add {destination} encrypt --no-preflight"),
        );
        assert_eq!(refused.code(), "policy.unknown-port", "{destination}");
    }
    for destination in ["x.example:domain", "[x.example]:submission"] {
        place.must(&format!("policy add {destination} encrypt --no-preflight"));
        place.must(&format!("explain {destination}"));
    }
    // A name that is none of mail's keeps nobody from looking at the others.
    let chains = Chains::new();
    let server = chains.sink(Peer::Cleartext);
    let hop = format!("[127.0.0.1]:{}", server.address().port());
    place.must(&format!("policy add {hop} encrypt --no-preflight"));
    assert_eq!(place.ends(65, "apply --yes").code(), "policy.no-starttls");
}

#[test]
fn a_timeout_is_one_for_dns_too() {
    // It answers, after a while, that there is an address.
    let slow = |request: &[u8]| {
        thread::sleep(Duration::from_millis(1_500));
        let address = record("mx.slow.test", A, &[127, 0, 0, 1]);
        let is_a = question(request).ends_with(&[0, 1, 0, 1]);
        vec![reply(
            request,
            ANSWER,
            if is_a {
                std::slice::from_ref(&address)
            } else {
                &[]
            },
        )]
    };
    let chains = Chains::new();
    let server = chains.sink(Peer::SelfSigned);
    let hop = format!("[mx.slow.test]:{}", server.address().port());
    let dns = DnsScript::start(slow, |_| Vec::new()).unwrap();
    let place = Place::new();
    let resolver = dns.address();
    let check = format!("policy check {hop} --policy encrypt --resolver {resolver}");
    let seen = place.must(&format!("{check} --timeout 60")).json;
    assert_eq!(outcome(&seen), ("encrypt", "pass"), "{seen}");
    let unseen = place.ends(3, &format!("{check} --timeout 1")).json;
    assert_eq!(outcome(&unseen), ("encrypt", "undetermined"), "{unseen}");
    let add = format!("policy add {hop} encrypt --resolver {resolver} --timeout 1");
    let added = place.must(&add).json;
    assert_eq!(added["servers"][0]["outcome"], "undetermined", "{added}");
}

#[test]
fn piped_a_line_says_why() {
    let place = Place::new();
    let free = crate::managed::free_port();
    let check = format!("policy check [127.0.0.1]:{free} --policy encrypt");
    let words: Vec<&str> = check.split(' ').collect();
    let told = place.scene.run(&words);
    assert!(
        told.stdout.contains("nothing listens there"),
        "{}",
        told.stdout
    );
}

#[test]
fn a_fallback_relay_is_not_one_of_itself() {
    let chains = Chains::new();
    let server = chains.sink(Peer::Cleartext);
    let hop = format!("[127.0.0.1]:{}", server.address().port());
    let place = Place::of(builder().set("smtp_fallback_relay", &hop));
    let checked = place.ends(2, &format!("policy check {hop} --policy encrypt"));
    assert!(!checked.stdout.contains("goes on to"), "{}", checked.stdout);
    assert!(
        checked.stdout.contains("waits in the queue"),
        "{}",
        checked.stdout
    );
    let explained = place.run(&format!("explain {hop}")).stdout;
    assert!(!explained.contains("goes on to"), "{explained}");
    // That of others it is.
    let server = chains.sink(Peer::Cleartext);
    let hop = format!("[127.0.0.1]:{}", server.address().port());
    let other = place.ends(2, &format!("policy check {hop} --policy encrypt"));
    assert!(other.stdout.contains("goes on to"), "{}", other.stdout);
}

#[test]
fn a_check_of_a_rule_in_force_tells_its_changed_route_and_a_table_before_it() {
    let place = routed("e.example smtp:[127.0.0.9]:25\n");
    place.must("policy add e.example encrypt --follow --no-preflight");
    place.must("policy add f.example encrypt --no-preflight");
    place.must("apply --yes");
    place.table("transport", "e.example smtp:[127.0.0.9]:26\n");
    place.write("patterns", "/^f\\./ may\n");
    let patterns = format!("regexp:{}", place.config().join("patterns").display());
    let maps = format!("smtp_tls_policy_maps = {patterns}, {}\n", place.maps());
    place.write("main.cf", &(place.main_cf() + &maps));
    let listed = place.must("policy list").json;
    assert_eq!(
        findings(&listed, "policy.route-changed").len(),
        1,
        "{listed}"
    );
    for (destination, code, part) in [
        ("e.example", "policy.route-changed", "[127.0.0.9]:26"),
        ("[127.0.0.9]:25", "policy.route-changed", "e.example"),
        ("f.example", "policy.shadowed", "says may"),
    ] {
        let checked = place
            .run(&format!("policy check {destination} --timeout 1"))
            .json;
        let told = findings(&checked, code);
        assert_eq!(told.len(), 1, "{destination}: {checked}");
        assert!(told[0].contains(part), "{told:?}");
    }
    let other = place.run("policy check g.example --timeout 1").json;
    for code in ["policy.route-changed", "policy.shadowed"] {
        assert!(findings(&other, code).is_empty(), "{other}");
    }
}

#[test]
fn a_service_that_asks_the_adopted_table_by_its_own_list_meets_its_rules() {
    for own in [
        "hash:{base}/other,hash:{base}/own",
        "hash:$config_directory/own",
    ] {
        let builder = builder()
            .set("transport_maps", "hash:{base}/config/transport")
            .set("smtp_tls_policy_maps", "hash:{base}/config/own");
        let scene = Scene::stopped(builder);
        let place = Place { scene };
        let hop = "[127.0.0.9]:25";
        place.table("own", &format!("{hop} encrypt\n"));
        place.table("other", "other.example may\n");
        place.table("transport", &format!("d.example own:{hop}\n"));
        let master = place.config().join("master.cf");
        let own = own.replace("{base}", &place.scene.config());
        let service = format!("own unix - - n - - smtp\n  -o smtp_tls_policy_maps={own}\n");
        fs::write(&master, fs::read_to_string(&master).unwrap() + &service).unwrap();
        place.scene.postfix.start().unwrap();
        place.must("init");
        assert_eq!(
            place.must("explain d.example").json["hops"][0]["level"],
            "encrypt"
        );
        let listed = place.must("policy list").json;
        assert_eq!(listed["rules"][0]["holds"], true, "{own}: {listed}");
        for words in [
            "policy check --timeout 1",
            "policy check d.example --timeout 1",
        ] {
            // Nothing listens there.
            let checked = place.ends(3, words).json;
            assert!(
                findings(&checked, "policy.never-matches").is_empty(),
                "{checked}"
            );
        }
        // A changed rule stands in the map, which does not come to such a list.
        let edited = place.ends(65, &format!("policy edit {hop} secure --no-preflight"));
        assert_eq!(edited.code(), "policy.never-matches");
    }
}

#[test]
fn a_rule_for_the_names_below_a_domain_is_checked_by_its_own_name() {
    let place = Place::new();
    place.must("policy add .w4.example encrypt --no-preflight");
    place.must("apply --yes");
    let checked = place.ends(3, "policy check .w4.example").json;
    let told = findings(&checked, "policy.nothing-to-check");
    assert!(
        told.len() == 1 && told[0].contains("NAME.w4.example"),
        "{checked}"
    );
    // What the list tells of it.
    place.write(
        "main.cf",
        &(place.main_cf() + "relayhost = [127.0.0.9]:25\n"),
    );
    let checked = place.ends(2, "policy check .w4.example").json;
    assert_eq!(
        findings(&checked, "policy.never-matches").len(),
        1,
        "{checked}"
    );
    place.ends(65, "policy check ..example");
}

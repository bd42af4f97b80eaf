//! Rules from a wish to the wire's tables, and back.

use crate::place::{Place, builder};

#[test]
fn a_rule_is_wished_planned_looked_up_and_taken_back() {
    let place = Place::of(builder().set("smtp_dns_support_level", "dnssec"));
    let before = place.main_cf();
    let added = place.must("policy add Partner.example encrypt --note contract%2012");
    assert_eq!(added.json["added"], 1);
    assert_eq!(
        added.json["before"]["partner.example"],
        serde_json::Value::Null
    );
    place.must("policy add .partner.example secure --match nexthop:dot-nexthop");
    place.must("policy add bücher.example verify --scope both --until 2027-01-31");
    assert_eq!(place.main_cf(), before, "a wish changes nothing");
    assert_eq!(place.listed("in_force"), [] as [&str; 0]);
    let status = place.must("status").json;
    assert_eq!(status["wishes"][0]["after"], "3 rules change");
    let said = place.scene.say(&["status"]).stdout;
    assert!(said.contains("  policy: 3 rules change\n"), "{said}");

    let plan = place.must("plan").json;
    assert_eq!(plan["rules"]["count"], 3);
    assert_eq!(place.installed(), [] as [std::path::PathBuf; 0]);
    place.must("apply --yes");
    let wanted = [
        ("partner.example", Some("encrypt")),
        (".partner.example", Some("secure match=nexthop:dot-nexthop")),
        ("xn--bcher-kva.example", Some("verify")),
        (".xn--bcher-kva.example", Some("verify")),
        ("bücher.example", Some("verify")),
        (".bücher.example", Some("verify")),
        ("other.example", None),
    ];
    for (key, policy) in wanted {
        assert_eq!(place.looked_up(key).as_deref(), policy, "{key}");
    }
    assert_eq!(place.listed("in_force"), place.listed("wanted"));
    let explained = place.must("explain someone@sub.partner.example").json;
    assert_eq!(explained["hops"][0]["level"], "secure");
    assert_eq!(place.must("plan").json["pending"], false);

    let first = place.maps();
    place.must("policy edit partner.example may --note ");
    place.must("policy remove .partner.example");
    place.must("apply --yes");
    assert_ne!(place.maps(), first);
    assert_eq!(place.looked_up("partner.example").as_deref(), Some("may"));
    assert_eq!(place.looked_up(".partner.example"), None);
    // The map from before stays, for who puts an old main.cf back by hand; none that is older.
    assert_eq!(place.installed().len(), 4);
    place.must("policy edit partner.example dane");
    place.must("apply --yes");
    assert_eq!(place.installed().len(), 4);
    place.must("rollback --yes");

    place.must("rollback --yes");
    assert_eq!(place.maps(), first);
    let back = place.looked_up(".partner.example");
    assert_eq!(back.as_deref(), Some("secure match=nexthop:dot-nexthop"));
    place.must("rollback --yes");
    assert_eq!(place.main_cf(), before);
    assert_eq!(place.listed("in_force"), [] as [&str; 0]);
}

#[test]
fn an_administrators_own_map_is_asked_after_ours() {
    let place = Place::of(builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"));
    place.table("own", "own.example encrypt\nboth.example none\n");
    place.must("policy add both.example encrypt");
    place.must("apply --yes");
    let maps = place.maps();
    assert!(
        maps.ends_with(&format!(", hash:{}", place.config().join("own").display())),
        "{maps}"
    );
    for (domain, level) in [("own.example", "encrypt"), ("both.example", "encrypt")] {
        let explained = place.must(&format!("explain {domain}")).json;
        assert_eq!(explained["hops"][0]["level"], level, "{domain}");
    }
    place.must("policy remove both.example");
    place.must("apply --yes");
    assert_eq!(
        place.maps(),
        format!("hash:{}", place.config().join("own").display())
    );
}

#[test]
fn a_rule_that_can_never_match_is_refused_with_the_one_that_would() {
    let place = Place::of(builder().set("transport_maps", "hash:{base}/config/transport"));
    place.table(
        "transport",
        "hermes.example smtp:[relay.example.net]:587\n.below.example smtp:[other.example.net]\nlocal.example discard:\n",
    );
    let refused = place.ends(65, "policy add hermes.example encrypt");
    assert_eq!(refused.code(), "policy.never-matches");
    let finding = &refused.json["findings"][0];
    let words = finding.to_string();
    for part in [
        "hermes.example",
        "[relay.example.net]:587",
        "transport_maps",
    ] {
        assert!(words.contains(part), "{words}");
    }
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("policy add '[relay.example.net]:587' encrypt"),
        "{remedy}"
    );
    place.must("policy add [relay.example.net]:587 encrypt");

    // The domain itself goes its own way, what is below it does not.
    place.must("policy add below.example encrypt");
    for words in [
        "policy edit below.example --scope both",
        "policy add .below.example encrypt",
        "policy add local.example encrypt",
    ] {
        assert_eq!(
            place.ends(65, words).code(),
            "policy.never-matches",
            "{words}"
        );
    }
    let listed = ["[relay.example.net]:587 encrypt", "below.example encrypt"];
    assert_eq!(place.listed("wanted"), listed);

    let forced = place.must("policy add hermes.example may --force --reason it%20will%20move");
    assert_eq!(forced.json["findings"][0]["code"], "policy.never-matches");
    let listed = place.must("policy list hermes").json;
    assert_eq!(listed["rules"][0]["wanted"]["reason"], "it will move");
}

#[test]
fn what_is_no_rule_is_refused_and_nothing_is_stored() {
    let place = Place::new();
    place.must("policy add example.org encrypt");
    let cases = [
        ("policy add *.example.org encrypt", "policy.bad-destination"),
        (
            "policy add someone@example.org encrypt",
            "policy.bad-destination",
        ),
        ("policy add 192.0.2.1 encrypt", "policy.bad-destination"),
        (
            "policy add [mx.example.org]:70000 encrypt",
            "policy.bad-destination",
        ),
        ("policy add a.example bogus", "policy.bad-policy"),
        (
            "policy add a.example may --match nexthop",
            "policy.bad-policy",
        ),
        (
            "policy add a.example secure --match a,b",
            "policy.bad-policy",
        ),
        (
            "policy add a.example encrypt --protocols TLSv9",
            "policy.bad-policy",
        ),
        (
            "policy add a.example encrypt --attribute mach=x",
            "policy.bad-policy",
        ),
        ("policy add a.example fingerprint", "policy.no-fingerprint"),
        (
            "policy add a.example encrypt --attribute enable_rpk=yes",
            "policy.bad-policy",
        ),
        (
            "policy add [mx.example.org] encrypt --scope both",
            "policy.bad-destination",
        ),
        (
            "policy add a.example may --until 2027-02-30",
            "policy.bad-word",
        ),
        ("policy add example.org may", "policy.exists"),
        ("policy add EXAMPLE.org may", "policy.exists"),
        ("policy edit b.example may", "name.unknown"),
        ("policy remove example.org b.example", "name.unknown"),
        ("policy remove example.org *.x", "policy.bad-destination"),
    ];
    for (words, code) in cases {
        let refused = place.ends(65, words);
        assert_eq!(refused.code(), code, "{words}: {}", refused.stdout);
    }
    assert_eq!(place.listed("wanted"), ["example.org encrypt"]);
    // Two rules for one key.
    place.must("policy edit example.org --scope both");
    assert_eq!(
        place.ends(65, "policy add .example.org may").code(),
        "policy.covered"
    );
    place.must("discard");
    assert_eq!(place.listed("wanted"), [] as [&str; 0]);
}

#[test]
fn a_transport_with_maps_of_its_own_gets_the_rules_too() {
    let place = Place::new();
    let master = place.config().join("master.cf");
    let text = std::fs::read_to_string(&master).unwrap();
    let own = place.table("own", "own.example encrypt\n");
    let more = format!(
        "{text}strict unix - - n - - smtp\n  -o smtp_tls_policy_maps={own}\nbare unix - - n - - smtp\n  -o smtp_tls_policy_maps=\n"
    );
    std::fs::write(&master, &more).unwrap();
    place.reload();
    place.must("init");
    place.must("policy add a.example encrypt");
    place.must("apply --yes");
    let text = std::fs::read_to_string(&master).unwrap();
    let ours = place.maps();
    assert!(
        text.contains(&format!("smtp_tls_policy_maps={ours},{own}")),
        "{text}"
    );
    assert!(text.contains("  -o smtp_tls_policy_maps=\n"), "{text}");
    place.must("rollback --yes");
    assert_eq!(std::fs::read_to_string(&master).unwrap(), more);
}

#[test]
fn a_next_hop_on_465_needs_a_client_that_begins_with_tls() {
    let place = Place::new();
    let words = "policy add [relay.example.net]:465 encrypt";
    assert_eq!(place.ends(65, words).code(), "policy.no-wrappermode");
    let master = place.config().join("master.cf");
    let text = std::fs::read_to_string(&master).unwrap();
    let wrapped = "smtps-out unix - - n - - smtp\n  -o smtp_tls_wrappermode=yes\n";
    std::fs::write(&master, format!("{text}{wrapped}")).unwrap();
    place.must(words);
}

#[test]
fn many_rules_come_and_go_as_a_file() {
    let place = Place::new();
    let csv = place.write(
        "rules.csv",
        "destination,policy,scope,note,owner,tags,until\n\
         bücher.example,encrypt,both,\"two words, a comma\",alice,b a,2027-01-31\n\
         [mx.example.org]:587,secure match=nexthop,,,,,\n\
         .below.example,may,,,,,\n",
    );
    let imported = place.must(&format!("policy import {}", csv.display())).json;
    assert_eq!(
        (imported["added"].as_u64(), imported["same"].as_u64()),
        (Some(3), Some(0))
    );
    place.must("apply --yes");
    assert_eq!(
        place.looked_up(".bücher.example").as_deref(),
        Some("encrypt")
    );
    // What is exported, in each form, is what is there.
    for format in ["csv", "json", "map"] {
        let exported = place
            .scene
            .say(&["policy", "export", "--format", format])
            .stdout;
        let file = place.write(&format!("rules.{format}"), &exported);
        let words = format!("policy import {} --format {format}", file.display());
        let again = place.must(&words).json;
        match format {
            // A map has no owners and no scopes.
            "map" => assert_eq!(again["refused_count"], 0, "{exported}"),
            _ => assert_eq!(again["same"], 3, "{format}: {exported}{again}"),
        }
        place.must("discard");
    }
    assert_eq!(place.listed("wanted").len(), 3);
}

#[test]
fn a_file_with_bad_lines_is_refused_whole_with_their_numbers() {
    let place = Place::new();
    let text = "\ngood.example encrypt\n*.bad.example may\nother.example sometimes\n\
                joined.example may\n  x.example may\nempty.example\ngood.example may\n\
                both.example may mach=x\n# contract 12\nlast.example secure\n";
    let map = place.write("rules", text);
    let import = format!("policy import {}", map.display());
    let refused = place.ends(65, &import).json;
    assert_eq!(refused["stored"], false);
    let told: Vec<(u64, &str)> = refused["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let code = one["findings"][0]["code"].as_str().unwrap();
            (one["line"].as_u64().unwrap(), code)
        })
        .collect();
    let expected = [
        (2, "policy.duplicate"),
        (3, "policy.bad-destination"),
        (4, "policy.bad-policy"),
        (5, "policy.joined-row"),
        (7, "policy.no-policy"),
        (8, "policy.duplicate"),
        (9, "policy.bad-policy"),
    ];
    for line in expected {
        assert!(told.contains(&line), "{line:?}: {told:?}");
    }
    assert_eq!(told.len(), expected.len());
    assert_eq!(place.listed("wanted"), [] as [&str; 0]);
    let partial = place.ends(65, &format!("{import} --partial")).json;
    assert_eq!(partial["stored"], true);
    assert_eq!(place.listed("wanted"), ["last.example secure"]);
    let listed = place.must("policy list last").json;
    assert_eq!(listed["rules"][0]["wanted"]["note"], "contract 12");
    for (name, text) in [
        ("junk.json", "{\"schema\": 2, \"rules\": []}"),
        ("junk.json", "[]"),
        ("junk.csv", "destination,colour\na.example,red\n"),
    ] {
        let file = place.write(name, text);
        place.ends(65, &format!("policy import {}", file.display()));
    }
    assert_eq!(
        place.ends(65, "policy import /nowhere/rules.csv").code(),
        "policy.unreadable"
    );
}

#[test]
fn a_list_for_no_day_and_no_level_is_refused() {
    let place = Place::new();
    place.must("policy add a.example encrypt --until 2020-01-31 --no-preflight");
    for words in [
        "policy list --due never",
        "policy list --due 2026-13-40",
        "policy list --due 2026-02-29",
        "policy list --level bogus",
        "policy list --level may%",
    ] {
        let ran = place.ends(64, words);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            said.contains("no day of the calendar") || said.contains("not a TLS security level"),
            "{words}: {said}"
        );
    }
    let listed = |words: &str| place.must(words).json["rules"].as_array().unwrap().len();
    assert_eq!(listed("policy list --due 2020-01-31 --level ENCRYPT"), 1);
    assert_eq!(listed("policy list --due 2020-01-30"), 0);
    assert_eq!(listed("policy list --level dane"), 0);
}

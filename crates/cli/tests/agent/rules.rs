//! Rules for destinations: from the store to the console's pages, and two administrators at one rule.

use crate::site::Site;
use postseal_store::desk::{Desk as _, RuleKind, RuleMark, RulePage, RuleQuery};
use serde_json::Value;
use std::net::TcpListener;

fn page(site: &Site) -> Option<RulePage> {
    site.at_desk(|desk, instance| {
        let all = RuleQuery {
            limit: 10,
            ..RuleQuery::default()
        };
        desk.rule_page(instance, &all).unwrap()
    })
}

/// The rules as the pages show them, once there are so many.
fn shown(site: &Site, count: u64) -> RulePage {
    site.wait("rules at the desk", |site| {
        page(site).is_some_and(|page| page.counts.all == count)
    });
    page(site).unwrap()
}

fn digest(site: &Site, destination: &str) -> String {
    let list = site.local(&["policy", "list"]);
    let rules = list.json["rules"].as_array().unwrap().clone();
    let found = rules.iter().find(|one| one["destination"] == destination);
    found.unwrap()["digest"].as_str().unwrap().to_owned()
}

#[test]
fn rules_reach_the_pages_when_they_change() {
    let site = Site::up();
    assert_eq!(shown(&site, 0).rules, []);
    let words = [
        "policy",
        "add",
        "a.example",
        "encrypt",
        "--no-preflight",
        "--force",
        "--reason=a test",
    ];
    let added = site.remote(&[&words[..], &["--owner=Ingrid", "--tag=partner"]].concat());
    assert_eq!(added.exit, Some(0), "{added:#?}");
    let page = shown(&site, 1);
    let rule = &page.rules[0];
    assert_eq!(
        (
            rule.destination.as_str(),
            rule.policy.as_str(),
            rule.owner.as_str()
        ),
        ("a.example", "encrypt", "Ingrid")
    );
    assert!(rule.is(RuleMark::Pending), "{rule:?}");
    assert!(rule.standing.starts_with("to be added"), "{rule:?}");
    assert_eq!(rule.digest, digest(&site, "a.example"));
    let pending = site.at_desk(|desk, instance| {
        let pending = RuleQuery {
            kind: Some(RuleKind::Marked(RuleMark::Pending)),
            words: vec!["partner".to_owned()],
            limit: 10,
            ..RuleQuery::default()
        };
        desk.rule_page(instance, &pending).unwrap().unwrap()
    });
    assert_eq!((pending.matching.n, pending.rules.len()), (1, 1));
    site.remote(&["discard"]);
    shown(&site, 0);
    // One that is released has none either, whatever it had.
    site.remote(&[&words[..], &["--owner=Ingrid"]].concat());
    shown(&site, 1);
    let released = site.remote(&["release"]);
    assert_eq!(released.exit, Some(0), "{released:#?}");
    shown(&site, 0);
}

#[test]
fn rules_are_handed_over_only_when_they_have_changed() {
    let site = Site::up();
    let first = site.local(&["policy", "rows"]);
    let mark = first.text("mark").to_owned();
    assert_eq!(
        (first.json["same"].as_bool(), mark.is_empty()),
        (Some(false), false)
    );
    let again = |mark: &str| {
        let unless = format!("--unless={mark}");
        site.local(&["policy", "rows", &unless])
    };
    assert_eq!(again(&mark).json["same"], Value::Bool(true));
    site.remote(&[
        "policy",
        "add",
        "a.example",
        "may",
        "--no-preflight",
        "--force",
        "--reason=a test",
    ]);
    let news = again(&mark);
    assert_eq!(
        (&news.json["same"], &news.json["rows"]),
        (&Value::Bool(false), &Value::from(1))
    );
    assert!(
        news.stderr.contains("\"destination\":\"a.example\""),
        "{news:#?}"
    );
    let mark = news.text("mark").to_owned();
    assert_eq!(again(&mark).json["same"], Value::Bool(true));
    // It is the agent's; nobody asks for it from afar.
    assert_eq!(site.remote(&["policy", "rows"]).code(), "task.local-only");
}

#[test]
fn the_second_of_two_administrators_sees_what_the_first_has_changed() {
    let site = Site::up();
    let add = [
        "policy",
        "add",
        "a.example",
        "encrypt",
        "--note=old",
        "--no-preflight",
        "--force",
        "--reason=a test",
    ];
    assert_eq!(site.remote(&add).exit, Some(0));
    let was = format!("--was={}", digest(&site, "a.example"));
    let edit = |note: &str| {
        let note = format!("--note={note}");
        site.remote(&[
            "policy",
            "edit",
            "a.example",
            &was,
            &note,
            "--no-preflight",
            "--force",
            "--reason=a test",
        ])
    };
    let first = edit("the contract of May");
    assert_eq!(first.exit, Some(0), "{first:#?}");
    let second = edit("");
    assert_eq!(second.code(), "policy.changed-meanwhile", "{second:#?}");
    assert!(second.stdout.contains("the contract of May"), "{second:#?}");
    assert_eq!(
        site.local(&["policy", "list"]).json["rules"][0]["wanted"]["note"],
        "the contract of May"
    );
    // Who has seen it may change it, and take words away.
    let was = format!("--was={}", digest(&site, "a.example"));
    let third = site.remote(&[
        "policy",
        "edit",
        "a.example",
        &was,
        "--note=",
        "--no-preflight",
        "--force",
        "--reason=a test",
    ]);
    assert_eq!(third.exit, Some(0), "{third:#?}");
    assert_eq!(
        site.local(&["policy", "list"]).json["rules"][0]["wanted"]["note"],
        Value::Null
    );
}

fn revision(site: &Site) -> i64 {
    let mark = site.local(&["policy", "rows"]).text("mark").to_owned();
    mark.split('.').next().unwrap().parse().unwrap()
}

fn listed(site: &Site) -> Vec<String> {
    let list = site.local(&["policy", "list"]);
    let rules = list.json["rules"].as_array().unwrap().clone();
    let names = rules.iter().map(|one| one["destination"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

#[test]
fn a_list_of_rules_is_tried_taken_and_gone_again_as_one() {
    let site = Site::up();
    let file = site.scene.named("rules.csv");
    let good = "destination,policy,owner\n[127.41.0.1]:25,encrypt,Ingrid\n[127.41.0.2]:25,may,\n";
    std::fs::write(&file, format!("{good}bad..name,may,\n")).unwrap();
    let import =
        |more: &[&str]| site.remote(&[&["policy", "import", &file, "--format=csv"], more].concat());
    let tried = import(&["--check"]);
    assert_eq!(tried.json["refused"][0]["line"], 4, "{tried:#?}");
    assert_eq!(
        (&tried.json["added"], &tried.json["stored"]),
        (&Value::from(2), &Value::Bool(false))
    );
    assert!(listed(&site).is_empty());
    // A long one, its form told by its name, as on the host.
    let long: String = (0..4_000)
        .map(|n| format!("[127.41.{}.{}]:25,may\n", n / 250, n % 250))
        .collect();
    std::fs::write(&file, long).unwrap();
    let tried = site.remote(&["policy", "import", &file, "--check"]);
    assert_eq!(tried.json["added"], Value::from(4_000), "{tried:#?}");
    std::fs::write(&file, good).unwrap();
    let stale = format!("--revision={}", revision(&site) + 7);
    let late = import(&[&stale]);
    assert_eq!(late.code(), "policy.changed-meanwhile", "{late:#?}");
    assert!(listed(&site).is_empty());
    let now = format!("--revision={}", revision(&site));
    let taken = import(&[&now]);
    assert_eq!(
        (taken.exit, &taken.json["added"]),
        (Some(0), &Value::from(2)),
        "{taken:#?}"
    );
    // The same revision is of before.
    std::fs::write(&file, "[127.41.0.1]:25\n[127.41.0.2]:25\n").unwrap();
    let remove =
        |more: &[&str]| site.remote(&[&["policy", "remove", "--from", &file], more].concat());
    assert_eq!(remove(&[&now]).code(), "policy.changed-meanwhile");
    assert_eq!(listed(&site).len(), 2);
    let csv = site.says(&["policy", "export", "--format=csv"]);
    assert!(csv.stdout.contains("[127.41.0.1]:25,encrypt"), "{csv:#?}");
    // One that is not there: none goes.
    std::fs::write(&file, "[127.41.0.1]:25\n[127.41.0.9]:25\n").unwrap();
    let now = format!("--revision={}", revision(&site));
    assert_ne!(remove(&[&now]).exit, Some(0));
    assert_eq!(listed(&site).len(), 2);
    std::fs::write(&file, "[127.41.0.1]:25\n\n[127.41.0.2]:25\n").unwrap();
    let gone = remove(&[&now]);
    assert_eq!(gone.exit, Some(0), "{gone:#?}");
    assert!(listed(&site).is_empty());
}

#[test]
fn a_look_at_servers_is_told_as_it_goes_on() {
    let site = Site::up();
    // Nobody listens there, so it is over at once, and told all the same.
    let server = "127.41.0.1:25";
    let target = "[127.41.0.1]:25";
    let task =
        format!(r#"{{"task":"policy-check","destinations":["{target}"],"policy":"encrypt"}}"#);
    let job = site.ended(site.file(&task));
    let told = site.at_desk(|desk, _| desk.events(job.id, 0, 100).unwrap());
    let looked: Vec<Value> = told
        .iter()
        .map(|event| serde_json::from_str(&event.document).unwrap())
        .collect();
    let looked: Vec<&Value> = looked
        .iter()
        .filter(|one| one["event"] == "looked")
        .collect();
    assert_eq!(looked.len(), 1, "{told:#?} {:?}", job.end);
    assert_eq!(
        (&looked[0]["address"], &looked[0]["done"], &looked[0]["all"]),
        (&Value::from(server), &Value::from(1), &Value::from(1))
    );
    let answer: Value = serde_json::from_str(&job.end.unwrap().answer).unwrap();
    let seen = &answer["checked"][0]["preflight"];
    assert_eq!(seen["hosts"][0]["addresses"][0]["address"], server);
}

/// While the first waits for a server that says nothing, the second changes the rule.
#[test]
fn what_was_seen_is_held_until_the_wish_is_stored() {
    let site = Site::up();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hop = format!("[127.0.0.1]:{}", silent.local_addr().unwrap().port());
    let sure = ["--no-preflight", "--force", "--reason=a test"];
    let add = ["policy", "add", &hop, "encrypt", "--note=old"];
    let added = site.local(&[&add[..], &sure].concat());
    assert_eq!(added.exit, Some(0), "{added:#?}");
    let was = format!("--was={}", digest(&site, &hop));
    let slow = ["policy", "edit", &hop, "may", &was, "--timeout=4"];
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| site.local(&slow));
        let (_held, _) = silent.accept().unwrap();
        let quick = ["policy", "edit", &hop, &was, "--note=the second"];
        let second = site.local(&[&quick[..], &sure].concat());
        (first.join().unwrap(), second)
    });
    assert_eq!(second.exit, Some(0), "{second:#?}");
    assert_eq!(first.code(), "policy.changed-meanwhile", "{first:#?}");
    assert!(first.stdout.contains("the second"), "{first:#?}");
    let now = &site.local(&["policy", "list"]).json["rules"][0]["wanted"];
    assert_eq!(
        (&now["policy"], &now["note"]),
        (&Value::from("encrypt"), &Value::from("the second"))
    );
}

#[test]
fn nobody_removes_what_another_has_changed_or_changes_what_another_has_removed() {
    let site = Site::up();
    let sure = ["--no-preflight", "--force", "--reason=a test"];
    let with = |words: &[&str]| site.remote(&[words, &sure].concat());
    let ends = |ran: &crate::scene::Ran| assert_eq!(ran.exit, Some(0), "{ran:#?}");
    ends(&with(&[
        "policy",
        "add",
        "a.example",
        "encrypt",
        "--note=old",
    ]));
    let was = format!("--was={}", digest(&site, "a.example"));
    ends(&with(&["policy", "edit", "a.example", "--note=new"]));
    let late = site.remote(&["policy", "remove", "a.example", &was]);
    assert_eq!(late.code(), "policy.changed-meanwhile", "{late:#?}");
    assert!(late.stdout.contains("note “new”"), "{late:#?}");
    assert_eq!(listed(&site), ["a.example"]);
    let was = format!("--was={}", digest(&site, "a.example"));
    ends(&site.remote(&["policy", "remove", "a.example", &was]));
    for verb in ["remove", "edit"] {
        let late = site.remote(&["policy", verb, "a.example", &was]);
        assert_eq!(late.code(), "policy.changed-meanwhile", "{late:#?}");
        assert!(late.stdout.contains("has been removed"), "{late:#?}");
    }
    let several = site.remote(&["policy", "remove", "a.example", "b.example", &was]);
    assert_eq!(several.code(), "usage", "{several:#?}");
    let hop = "--next-hop=[127.62.0.9]:25";
    ends(&with(&["domain", "add", "d.example", hop]));
    let entry = || {
        let list = site.local(&["domain", "list"]).json;
        format!("--was={}", list["domains"][0]["digest"].as_str().unwrap())
    };
    let was = entry();
    ends(&with(&[
        "domain",
        "edit",
        "d.example",
        &was,
        "--note=the first",
    ]));
    let late = with(&["domain", "edit", "d.example", &was, "--note=the second"]);
    assert_eq!(late.code(), "policy.changed-meanwhile", "{late:#?}");
    assert!(late.stdout.contains("the first"), "{late:#?}");
    let late = site.remote(&["domain", "remove", "d.example", &was]);
    assert_eq!(late.code(), "policy.changed-meanwhile", "{late:#?}");
    let was = entry();
    ends(&site.remote(&["domain", "remove", "d.example", &was]));
    let late = with(&["domain", "edit", "d.example", &was, "--note=the second"]);
    assert!(late.stdout.contains("has been removed"), "{late:#?}");
}

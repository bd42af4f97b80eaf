//! Rules for destinations, and looks at servers, as people ask for them.

use crate::served::{Agent, Served};
use crate::wire::Ask;
use postseal_store::desk::Clerk as _;
use postseal_store::desk::{Desk as _, End, JobEvent, JobState, Role, RuleMark, RuleRow};
use serde_json::{Value, json};

fn rule(destination: &str, policy: &str) -> RuleRow {
    RuleRow {
        destination: destination.to_owned(),
        shown: destination.to_owned(),
        policy: policy.to_owned(),
        standing: "in force".to_owned(),
        digest: format!("digest of {destination}"),
        ..RuleRow::default()
    }
}

fn told(served: &Served) {
    served.rules(&[
        RuleRow {
            owner: "Ingrid".to_owned(),
            until: "2097-03-01".to_owned(),
            tags: vec!["partner".to_owned()],
            ..rule("a.example", "secure match=mx.a.example")
        },
        RuleRow {
            note: "contract of 2025".to_owned(),
            outcome: "fail".to_owned(),
            sentence: "b.example: its server offers no TLS".to_owned(),
            looked: 1_700_000_000,
            marks: vec![RuleMark::Failing],
            ..rule("b.example", "encrypt")
        },
        RuleRow {
            manager: "domain c.example".to_owned(),
            until: "2024-12-01".to_owned(),
            outcome: "pass".to_owned(),
            looked: 1_600_000_000,
            strongest: "secure".to_owned(),
            marks: vec![RuleMark::Managed, RuleMark::Stronger],
            ..rule("c.example", "dane")
        },
    ]);
}

/// The destinations of the page's rows, in their order.
fn rows(page: &str) -> Vec<&str> {
    let heads = page.split("<th scope=\"row\">").skip(1);
    let names = heads.map(|head| head.split_once("<bdi>").unwrap().1);
    names.map(|rest| rest.split('<').next().unwrap()).collect()
}

fn task(served: &Served, job: u64) -> Value {
    let job = served.desk().job(job).unwrap().unwrap();
    serde_json::from_str(&job.task).unwrap()
}

#[test]
fn rules_are_found_by_what_they_say_and_sorted_by_a_head() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    told(&served);
    let page = |query: &str| {
        let path = format!("/policies{query}");
        served.ask(&Ask::get(&path).cookie(&session)).body
    };
    let all = page("");
    assert_eq!(rows(&all), ["a.example", "b.example", "c.example"]);
    assert!(
        all.contains("a trusted certificate for the recipient&#39;s domain"),
        "{all}"
    );
    assert_eq!(rows(&page("?search=contract")), ["b.example"]);
    assert_eq!(rows(&page("?search=INGRID+secure")), ["a.example"]);
    assert!(page("?search=nowhere").contains("None has all of these words."));
    let due = page("?sort=until");
    assert_eq!(rows(&due), ["c.example", "a.example", "b.example"]);
    let seen = page("?sort=looked");
    assert_eq!(rows(&seen), ["c.example", "b.example", "a.example"]);
    for (kind, found) in [
        ("failing", &["b.example"][..]),
        ("managed", &["c.example"]),
        ("stronger", &["c.example"]),
        ("overdue", &["c.example"]),
        ("idle", &[]),
    ] {
        assert_eq!(rows(&page(&format!("?kind={kind}"))), found, "{kind}");
    }
    assert!(page("?kind=idle").contains("None is of this kind."));
    assert!(
        all.contains("<bdi>2024-12-01</bdi>, past") && !all.contains("<bdi>2097-03-01</bdi>, past")
    );
    assert!(all.contains("its server offers no TLS") && all.contains("would work: <bdi>secure"));
    assert!(all.contains("href=\"/domains\">managed by <bdi>domain c.example"));
    // Who manages a rule changes it, and nobody else.
    assert!(all.contains("Edit b.example") && !all.contains("Edit c.example"));
    let edit = Ask::get("/policies/edit?destination=c.example").cookie(&session);
    assert_eq!(served.ask(&edit).status, 404);
}

#[test]
fn a_rule_is_wished_for_changed_and_removed_by_tasks() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    told(&served);
    let agent = Agent::start(&served, |_| (0, json!({"text": "taken"}).to_string()));
    let fields = [
        ("destination", " d.example "),
        ("level", "secure"),
        ("names", "mx.d.example"),
        ("protocols", ">=TLSv1.3"),
        ("scope", "both"),
        ("follow", "on"),
        ("note", ""),
        ("until", "2027-01-01"),
    ];
    let answer = served.send_form(&session, "/policies/add", &fields);
    assert_eq!(answer.header("location"), "/jobs/1", "{}", answer.body);
    let added = task(&served, 1);
    assert_eq!(
        (&added["task"], &added["destination"], &added["level"]),
        (&json!("policy-add"), &json!("d.example"), &json!("secure"))
    );
    assert_eq!(
        (
            &added["rule"]["match"],
            &added["rule"]["until"],
            &added["rule"]["note"]
        ),
        (&json!("mx.d.example"), &json!("2027-01-01"), &Value::Null)
    );
    assert_eq!(
        (
            &added["rule"]["protocols"],
            &added["rule"]["scope"],
            &added["follow"]
        ),
        (&json!(">=TLSv1.3"), &json!("both"), &json!(true))
    );
    let edit = Ask::get("/policies/edit?destination=a.example").cookie(&session);
    let form = served.ask(&edit).body;
    // What was stands in the form, and with it the state that it was made from.
    for shown in [
        "<option value=\"secure\" selected>",
        "name=\"names\" value=\"mx.a.example\"",
        "value=\"Ingrid\"",
        "value=\"2097-03-01\"",
        "value=\"partner\"",
        "name=\"was\" value=\"digest of a.example\"",
    ] {
        assert!(form.contains(shown), "{shown}: {form}");
    }
    let fields = [
        ("destination", "a.example"),
        ("level", "encrypt"),
        ("names", "mx.a.example"),
        ("had", "match protocols"),
        ("was", "digest of a.example"),
        ("owner", " Olav "),
    ];
    served.send_form(&session, "/policies/edit", &fields);
    let edited = task(&served, 2);
    assert_eq!(
        (&edited["task"], &edited["level"], &edited["was"]),
        (
            &json!("policy-edit"),
            &json!("encrypt"),
            &json!("digest of a.example")
        )
    );
    // What is empty in the form is taken away; names go with a level that has none.
    assert_eq!(edited["without"], json!(["match", "protocols"]));
    let words = json!({"match": null, "owner": "Olav", "note": "", "until": "", "tags": [""]});
    for (key, value) in words.as_object().unwrap() {
        assert_eq!(&edited["rule"][key], value, "{key}");
    }
    let fields = [("destination", "b.example")];
    served.send_form(&session, "/policies/remove", &fields);
    assert_eq!(task(&served, 3)["destinations"], json!(["b.example"]));
    drop(agent.stop());
}

/// Refuses as `policy` does.
fn refuses(task: &str) -> (u8, String) {
    let code = match task.contains("policy-edit") {
        true => "policy.changed-meanwhile",
        false => "policy.exists",
    };
    let finding = json!({"code": code, "severity": "error", "message": "It cannot be.", "remedy": "Do less."});
    let error = json!({"code": code, "message": "refused: It cannot be."});
    let answer =
        json!({"error": error, "findings": [finding], "text": "postseal: error: It cannot be."});
    (65, answer.to_string())
}

#[test]
fn what_is_refused_of_a_rule_stands_in_its_form_with_all_that_was_typed() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    told(&served);
    let agent = Agent::start(&served, refuses);
    let fields = [
        ("destination", "d.example"),
        ("level", "verify"),
        ("names", "mx.d.example"),
        ("ciphers", "high"),
        ("scope", "subdomains"),
        ("follow", "on"),
        ("note", "contract <12>"),
        ("reason", "it is known"),
    ];
    let refused = served.send_form(&session, "/policies/add", &fields);
    assert_eq!(refused.status, 422);
    for shown in [
        "Nothing was stored.",
        "It cannot be.",
        "policy.exists",
        "Do less.",
        "href=\"/policies/edit?destination=d.example\"",
        "name=\"destination\" value=\"d.example\"",
        "<option value=\"verify\" selected>",
        "name=\"ciphers\" value=\"high\"",
        "<option value=\"subdomains\" selected>",
        "name=\"follow\" value=\"on\" checked",
        "value=\"contract &#60;12&#62;\"",
        "value=\"it is known\"",
    ] {
        assert!(refused.body.contains(shown), "{shown}: {}", refused.body);
    }
    let fields = [
        ("destination", "a.example"),
        ("level", "encrypt"),
        ("was", "an older digest"),
        ("note", "mine"),
    ];
    let refused = served.send_form(&session, "/policies/edit", &fields);
    assert_eq!(refused.status, 422);
    // What was seen stays what was seen: nobody's change is lost by sending the form again.
    for shown in [
        "See it as it is now",
        "value=\"an older digest\"",
        "value=\"mine\"",
    ] {
        assert!(refused.body.contains(shown), "{shown}: {}", refused.body);
    }
    drop(agent.stop());
    // The job says it once.
    let job = served.ask(&Ask::get("/jobs/1").cookie(&session)).body;
    let (above, folded) = job.split_once("What the command said").unwrap();
    assert_eq!(above.matches("It cannot be.").count(), 1, "{above}");
    assert!(folded.contains("postseal: error: It cannot be."));
}

#[test]
fn a_rule_that_follows_its_mail_is_changed_and_removed_by_the_name_of_the_recipients() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    served.rules(&[RuleRow {
        manager: "recipient a.example".to_owned(),
        shown: "a.example → [mx.a.example]".to_owned(),
        marks: vec![RuleMark::Managed],
        ..rule("[mx.a.example]", "encrypt protocols=>=TLSv1.2")
    }]);
    let page = served.ask(&Ask::get("/policies").cookie(&session)).body;
    assert!(
        page.contains("follows mail for <bdi>a.example</bdi>"),
        "{page}"
    );
    let (_, removes) = page.split_once("action=\"/policies/remove\"").unwrap();
    assert!(removes.contains("name=\"destination\" value=\"a.example\""));
    let (_, edit) = page.split_once("href=\"/policies/edit?").unwrap();
    let (edit, _) = edit.split_once('"').unwrap();
    let edit = format!("/policies/edit?{}", edit.replace("&amp;", "&"));
    let form = served.ask(&Ask::get(&edit).cookie(&session));
    assert_eq!(form.status, 200, "{}", form.body);
    for shown in [
        "name=\"destination\" value=\"a.example\"",
        "name=\"protocols\" value=\"&#62;=TLSv1.2\"",
        "name=\"had\" value=\"protocols\"",
    ] {
        assert!(form.body.contains(shown), "{shown}: {}", form.body);
    }
}

#[test]
fn whoever_sees_may_have_servers_looked_at_on_the_ports_of_mail() {
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
    let fields = [("targets", "a.example  mx.b.example:465"), ("smtps", "on")];
    let answer = served.send_form(&session, "/probe", &fields);
    assert_eq!(answer.header("location"), "/jobs/1", "{}", answer.body);
    let looked = task(&served, 1);
    assert_eq!(looked["targets"], json!(["a.example", "mx.b.example:465"]));
    assert_eq!(
        (&looked["smtps"], &looked["full"]),
        (&json!(true), &json!(false))
    );
    let fields = [("targets", "10.0.0.1:22")];
    let refused = served.send_form(&session, "/probe", &fields);
    assert!(
        refused.status == 400 || refused.status == 422,
        "{}",
        refused.body
    );
}

/// The links of a page: previous and next.
fn link(page: &str, rel: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("rel=\"{rel}\" href=\""))?;
    let link = rest.split('"').next().unwrap();
    Some(link.replace("&amp;", "&").replace("&#38;", "&"))
}

#[test]
fn a_thousand_rules_are_walked_page_by_page_there_and_back_in_every_order() {
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
    let all: Vec<RuleRow> = (0..1_000)
        .map(|n| RuleRow {
            owner: ["", "Ingrid", "Olav"][n % 3].to_owned(),
            marks: Vec::from_iter((n % 10 == 0).then_some(RuleMark::Failing)),
            ..rule(
                &format!("d{n:04}.example"),
                ["encrypt", "secure"][n / 7 % 2],
            )
        })
        .collect();
    served.rules(&all);
    for (query, count) in [
        ("", 1_000),
        ("?sort=level", 1_000),
        ("?sort=owner", 1_000),
        ("?sort=until&search=d00", 100),
        ("?sort=owner&kind=failing", 100),
        ("?kind=failing&search=d0+ingrid", 33),
        ("?search=secure+example&sort=level", 497),
    ] {
        let ask = |path: &str| served.ask(&Ask::get(path).cookie(&session)).body;
        let mut there = Vec::new();
        let mut page = ask(&format!("/policies{query}"));
        assert!(link(&page, "prev").is_none(), "{query}");
        loop {
            there.push(rows(&page).iter().map(|one| (*one).to_owned()).collect());
            match link(&page, "next") {
                Some(next) => page = ask(&next),
                None => break,
            }
        }
        let found: Vec<String> = there.iter().flatten().cloned().collect();
        let mut once = found.clone();
        once.sort();
        once.dedup();
        assert_eq!((found.len(), once.len()), (count, count), "{query}");
        let grouped = if count == 1_000 {
            "1,000".to_owned()
        } else {
            count.to_string()
        };
        assert!(page.contains(&format!("of {grouped}</span>")), "{query}");
        let mut back: Vec<Vec<String>> = vec![there.last().cloned().unwrap()];
        while let Some(before) = link(&page, "prev") {
            page = ask(&before);
            back.push(rows(&page).iter().map(|one| (*one).to_owned()).collect());
        }
        back.reverse();
        assert_eq!(there, back, "{query}");
    }
}

#[test]
fn a_page_of_rules_that_changed_goes_on_where_it_was() {
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
    let many = |skip: usize| -> Vec<RuleRow> {
        let numbers = (0..120).filter(|n| *n != skip);
        numbers
            .map(|n| rule(&format!("d{n:03}.example"), "encrypt"))
            .collect()
    };
    served.rules(&many(999));
    let ask = |path: &str| served.ask(&Ask::get(path).cookie(&session)).body;
    let next = link(&ask("/policies"), "next").unwrap();
    // The rule that the next page stands behind is gone.
    served.rules(&many(49));
    assert_eq!(rows(&ask(&next)).first(), Some(&"d050.example"));
    let page = ask("/policies?search=d11");
    assert!(page.contains("1–10 of 10"), "{page}");
    let none = ask("/policies?search=d11&after=zzz&from=51");
    assert!(none.contains("None of 10"), "{none}");
}

#[test]
fn a_destination_that_is_typed_is_looked_at_and_its_servers_appear() {
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
    let token = served.form_token(&session);
    let typed = |destination: &str, before: &str| {
        let fields = [
            ("form_token", token.as_str()),
            ("destination", destination),
            ("level", "secure"),
            ("names", "mx.a.example"),
            ("before", before),
        ];
        let ask = Ask::form("/policies/check", &fields).cookie(&session);
        served.ask(&ask.with("hx-request", "true").by_page(served.at))
    };
    assert!(
        typed("", "")
            .body
            .contains("once you have typed a destination")
    );
    let part = typed("a.example", "").body;
    assert!(part.contains("hx-get=\"/policies/check/1\""), "{part}");
    assert_eq!(
        task(&served, 1),
        json!({"task": "policy-check", "destinations": ["a.example"],
            "policy": "secure match=mx.a.example"})
    );
    // What is typed next takes the place of the first look.
    typed("a.example.org", "1");
    assert_eq!(
        served.desk().job(1).unwrap().unwrap().state,
        JobState::Cancelled
    );
    let mut desk = served.desk();
    desk.claim(&crate::served::heartbeat()).unwrap().unwrap();
    let document = json!({"event": "looked", "address": "192.0.2.1:25", "done": 1, "all": 2});
    let event = JobEvent {
        n: 1,
        at_ms: crate::served::now(),
        document: document.to_string(),
    };
    desk.tell(2, &event).unwrap();
    let progress = Ask::get("/policies/check/2").cookie(&session);
    let part = served.ask(&progress).body;
    assert!(
        part.contains("192.0.2.1:25 was looked at, 1 of 2"),
        "{part}"
    );
    assert!(part.contains("hx-get"), "{part}");
    let address = |outcome: &str, words: &str| json!({"address": "192.0.2.1:25", "outcome": outcome, "words": words});
    let answer = json!({"checked": [{"destination": "a.example.org", "preflight": {
        "nexthop": "a.example.org", "policy": "secure match=mx.a.example", "at": 1_700_000_000,
        "outcome": "fail", "sentence": "No server proves that name.",
        "hosts": [{"name": "mx1.a.example", "addresses": [address("pass", "TLSv1.3")]},
                  {"name": "mx2.a.example", "addresses": [address("fail", "another name")]}],
        "strongest": {"policy": "secure match=mx2.a.example:mx1.a.example", "stronger": []},
        "findings": []}}]});
    let end = End {
        exit: 2,
        answer: answer.to_string(),
    };
    desk.end(2, JobState::Done, &end, 1).unwrap();
    let part = served.ask(&progress).body;
    for shown in [
        "mx1.a.example",
        "mx2.a.example",
        "another name",
        "No server proves that name.",
        "data-level=\"secure\" data-names=\"mx2.a.example:mx1.a.example\"",
    ] {
        assert!(part.contains(shown), "{shown}: {part}");
    }
    assert!(!part.contains("hx-get"), "{part}");
}

#[test]
fn programs_read_rules_a_page_at_a_time() {
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
    let ask = |path: &str| served.ask(&Ask::get(path).cookie(&session));
    let none = ask("/api/v1/policies");
    assert_eq!(
        (none.status, none.code().as_str()),
        (404, "console.no-copy-yet")
    );
    told(&served);
    let first = ask("/api/v1/policies?limit=2").json();
    assert_eq!(first["rules"][1]["destination"], "b.example");
    assert_eq!(first["next"], json!({"after": "b.example", "by": ""}));
    let rest = ask("/api/v1/policies?limit=2&after=b.example&by=").json();
    assert_eq!(rest["rules"][0]["manager"], "domain c.example");
    assert_eq!((&rest["next"], &rest["all"]), (&Value::Null, &json!(3)));
}

//! Many rules at once: ticked ones, all that match, lists in and out.

use crate::served::{INSTANCE, Served};
use crate::wire::Ask;
use postseal_store::desk::{
    Clerk as _, Desk as _, End, JobState, Role, RuleChange, RuleMark, RuleRow,
};
use serde_json::{Value, json};

fn rule(destination: &str, policy: &str) -> RuleRow {
    RuleRow {
        destination: destination.to_owned(),
        shown: destination.to_owned(),
        policy: policy.to_owned(),
        digest: "0f".to_owned(),
        ..RuleRow::default()
    }
}

/// Seventy rules, of which every tenth is managed.
fn told(served: &Served) {
    let all: Vec<RuleRow> = (0..70)
        .map(|n| {
            let managed = n % 10 == 9;
            RuleRow {
                manager: if managed { "domain x" } else { "" }.to_owned(),
                marks: Vec::from_iter(managed.then_some(RuleMark::Managed)),
                ..rule(
                    &format!("d{n:02}.example"),
                    "secure match=a,b.example protocols=>=TLSv1.2",
                )
            }
        })
        .collect();
    let mut desk = served.desk();
    let set = desk.begin_rules(INSTANCE, 1).unwrap();
    desk.add_rules(set, &all).unwrap();
    desk.show_rules(INSTANCE, set, "41.7.abc", 2).unwrap();
}

fn task(served: &Served, job: u64) -> Value {
    let job = served.desk().job(job).unwrap().unwrap();
    serde_json::from_str(&job.task).unwrap()
}

/// What the form over the table holds.
fn set(served: &Served, session: &str) -> String {
    let page = served.ask(&Ask::get("/policies").cookie(session)).body;
    let (_, rest) = page.split_once("name=\"set\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn what_is_ticked_becomes_one_job_and_managed_rows_have_no_box() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    told(&served);
    let page = served.ask(&Ask::get("/policies").cookie(&session)).body;
    assert!(
        page.contains("name=\"rule\" value=\"0f d08.example\""),
        "{page}"
    );
    assert!(
        !page.contains("name=\"rule\" value=\"0f d09.example\""),
        "{page}"
    );
    let set = set(&served, &session);
    let fields = [
        ("set", set.as_str()),
        ("rule", "0f d01.example"),
        ("rule", "0f d08.example"),
        ("do", "remove"),
    ];
    let answer = served.send_form(&session, "/policies/bulk", &fields);
    assert_eq!(answer.header("location"), "/jobs/1", "{}", answer.body);
    let removed = task(&served, 1);
    assert_eq!(removed["from"], "d01.example\nd08.example");
    assert_eq!(removed["revision"], 41);
    let fields = [
        ("set", set.as_str()),
        ("rule", "0f d01.example"),
        ("do", "change"),
        ("level", "encrypt"),
        ("owner", "Ingrid, \"the\" admin"),
        ("until", "-"),
    ];
    served.send_form(&session, "/policies/bulk", &fields);
    let changed = task(&served, 2);
    assert_eq!(
        (&changed["task"], &changed["format"]),
        (&json!("policy-import"), &json!("csv"))
    );
    assert_eq!(
        changed["text"],
        "destination,policy,owner,until\nd01.example,encrypt protocols=>=TLSv1.2,\"Ingrid, \"\"the\"\" admin\","
    );
    assert_eq!(
        (&changed["partial"], &changed["revision"]),
        (&json!(false), &json!(41))
    );
}

#[test]
fn all_that_match_are_those_that_were_shown_or_none() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    told(&served);
    let set = set(&served, &session);
    let fields = [
        ("set", set.as_str()),
        ("all", "on"),
        ("search", "d1"),
        ("do", "remove"),
    ];
    served.send_form(&session, "/policies/bulk", &fields);
    let removed = task(&served, 1);
    let lines: Vec<&str> = removed["from"].as_str().unwrap().lines().collect();
    assert_eq!(
        (lines.len(), lines[0], lines[8]),
        (9, "d10.example", "d18.example")
    );
    // Another set is shown by now: who sent the form has not seen it.
    told(&served);
    let late = served.send_form(&session, "/policies/bulk", &fields);
    assert_eq!(late.status, 409, "{}", late.body);
    assert!(late.body.contains("console.rules-changed"), "{}", late.body);
    assert_eq!(served.desk().job(2).unwrap(), None);
    let set = self::set(&served, &session);
    for (more, status) in [
        (("do", "remove"), 400),
        (("rule", "0f d09.example"), 409),
        (("rule", "0f nowhere.example"), 409),
    ] {
        let fields = [("set", set.as_str()), more];
        let refused = served.send_form(&session, "/policies/bulk", &fields);
        assert_eq!(refused.status, status, "{more:?} {}", refused.body);
    }
    let nothing = [
        ("set", set.as_str()),
        ("rule", "0f d01.example"),
        ("do", "change"),
    ];
    assert_eq!(
        served
            .send_form(&session, "/policies/bulk", &nothing)
            .status,
        400
    );
}

#[test]
fn a_list_is_tried_first_and_then_taken_once() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    // Larger than any other request may be.
    let lines: String = (0..4_000)
        .map(|n| format!("d{n}.example encrypt\r\n"))
        .collect();
    let fields = [("format", "", "map"), ("text", "", lines.as_str())];
    let answer = served.send_files(&session, "/policies/import", &fields);
    assert_eq!(answer.header("location"), "/jobs/1", "{}", answer.body);
    let tried = task(&served, 1);
    assert_eq!(
        (&tried["check"], &tried["format"]),
        (&json!(true), &json!("map"))
    );
    assert_eq!(tried["text"].as_str().unwrap(), lines.replace("\r\n", "\n"));
    let job = || served.ask(&Ask::get("/jobs/1").cookie(&session)).body;
    assert!(!job().contains("/policies/import/take"));
    let mut desk = served.desk();
    desk.claim(&crate::served::heartbeat()).unwrap();
    let answer = json!({"text": "Would be 4000 added", "refused_count": 0});
    let end = End {
        exit: 0,
        answer: answer.to_string(),
    };
    desk.end(1, JobState::Done, &end, 1).unwrap();
    assert!(job().contains("/policies/import/take"), "{}", job());
    for _ in 0..2 {
        let taken = served.send_form(&session, "/policies/import/take", &[("job", "1")]);
        assert_eq!(taken.header("location"), "/jobs/2", "{}", taken.body);
    }
    let taken = task(&served, 2);
    assert_eq!(
        (&taken["check"], &taken["text"]),
        (&json!(false), &tried["text"])
    );
    // What was no trial cannot be taken.
    let refused = served.send_form(&session, "/policies/import/take", &[("job", "2")]);
    assert_eq!(refused.status, 404, "{}", refused.body);
    let long = "x".repeat(9 << 20);
    let fields = [("format", "", "map"), ("text", "", long.as_str())];
    let refused = served.send_files(&session, "/policies/import", &fields);
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains("task.too-long"), "{}", refused.body);
}

#[test]
fn a_list_is_filed_by_the_api_as_well() {
    let served = Served::new();
    served.signed_in(Role::Operator);
    let token = served.token(Role::Operator.name(), Role::Operator, i64::MAX);
    let lines = "some.example encrypt\n".repeat(100_000);
    let import = json!({"task": "policy-import", "format": "map", "text": lines});
    let job = served.file(&token, &import.to_string());
    assert_eq!(task(&served, job)["text"], lines);
}

/// A file is taken before what is pasted, whatever it is called; nothing of it is run, opened or shown by its name.
#[test]
fn a_list_is_a_file_whatever_its_name() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    let page = served.ask(&Ask::get("/policies/import").cookie(&session));
    assert!(
        page.body.contains("enctype=\"multipart/form-data\""),
        "{}",
        page.body
    );
    let names = [
        "rules.csv",
        "../../etc/postfix/main.cf",
        "<script>alert(1)</script>.csv",
        "a\u{202e}vsc",
        "-",
    ];
    for (name, job) in names.into_iter().zip(1..) {
        let line = format!("destination,policy\nd{job}.example,encrypt\n");
        let fields = [
            ("format", "", "csv"),
            ("file", name, line.as_str()),
            ("text", "", "pasted.example,may"),
        ];
        let answer = served.send_files(&session, "/policies/import", &fields);
        assert_eq!(
            answer.header("location"),
            format!("/jobs/{job}"),
            "{}",
            answer.body
        );
        assert_eq!(task(&served, job)["text"], line);
        let shown = served.ask(&Ask::get(&format!("/jobs/{job}")).cookie(&session));
        assert!(!shown.body.contains("alert(1)") && !shown.body.contains("main.cf"));
    }
    // No file was chosen: browsers send an empty one without a name.
    let pasted = [
        ("format", "", "map"),
        ("file", "", ""),
        ("text", "", "d.example may"),
    ];
    served.send_files(&session, "/policies/import", &pasted);
    assert_eq!(task(&served, 6)["text"], "d.example may");
    let none = [("format", "", "map"), ("file", "", ""), ("text", "", "")];
    let unknown = [("format", "", "perl"), ("text", "", "d.example may")];
    for fields in [&none[..], &unknown] {
        let refused = served.send_files(&session, "/policies/import", fields);
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
    let long = "x".repeat(40 << 20);
    let fields = [("format", "", "map"), ("file", "long", long.as_str())];
    let refused = served.send_files(&session, "/policies/import", &fields);
    assert_eq!(refused.status, 413, "{}", refused.body);
    assert_eq!(served.desk().job(7).unwrap(), None);
}

/// What was ticked on another page, a while ago, is changed where it is as it was then.
#[test]
fn what_was_ticked_is_changed_only_as_it_was_seen() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    told(&served);
    let set = set(&served, &session);
    let changed = RuleRow {
        digest: "1e".to_owned(),
        ..rule("d02.example", "may")
    };
    let change = RuleChange {
        destinations: vec!["d02.example".to_owned()],
        rules: vec![changed],
    };
    let mut desk = served.desk();
    let made = desk.change_rules(INSTANCE, "41.7.abc", &change, "42.8.abc", 3);
    assert!(made.unwrap());
    let send = |rules: &[&str]| {
        let mut fields = vec![("set", set.as_str()), ("do", "remove")];
        fields.extend(rules.iter().map(|rule| ("rule", *rule)));
        served.send_form(&session, "/policies/bulk", &fields)
    };
    let answer = send(&["0f d01.example", "0f d69.example"]);
    assert_eq!(answer.status, 409, "managed: {}", answer.body);
    let answer = send(&["0f d01.example", "0f d02.example"]);
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert_eq!(send(&["d01.example"]).status, 400);
    let answer = send(&["0f d01.example", "1e d02.example"]);
    assert_eq!(answer.header("location"), "/jobs/1", "{}", answer.body);
    let removed = task(&served, 1);
    assert_eq!(removed["from"], "d01.example\nd02.example");
    assert_eq!(removed["revision"], 42);
}

#[test]
fn an_export_is_a_file_once_its_job_is_done() {
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
    let answer = served.send_form(&session, "/policies/export", &[("format", "csv")]);
    assert_eq!(answer.header("location"), "/jobs/1", "{}", answer.body);
    let ask = |path: &str| served.ask(&Ask::get(path).cookie(&session));
    assert_eq!(ask("/policies/export/1").status, 404);
    let mut desk = served.desk();
    desk.claim(&crate::served::heartbeat()).unwrap();
    let end = End {
        exit: 0,
        answer: json!({"text": "destination,policy\na.example,may\n"}).to_string(),
    };
    desk.end(1, JobState::Done, &end, 1).unwrap();
    assert!(
        ask("/jobs/1")
            .body
            .contains("href=\"/policies/export/1\" download")
    );
    let file = ask("/policies/export/1");
    assert_eq!(file.body, "destination,policy\na.example,may\n");
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"policies.csv\""
    );
    assert!(file.header("content-type").starts_with("text/plain"));
}

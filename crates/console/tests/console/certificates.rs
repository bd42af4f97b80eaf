//! Certificates as people bring, look at and present them, without JavaScript.

use crate::served::{Agent, Served, now};
use crate::wire::{Answer, Ask};
use postseal_store::SqliteStore;
use postseal_store::desk::{Desk as _, Role};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// What nobody but the store may read; no base64 of a sealed upload holds blanks.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nthe key itself\n-----END PRIVATE KEY-----\n";
const PASSWORD: &str = "correct horse battery staple";

fn told(served: &Served, recipient: &str) {
    let certificate = json!({"name": "mx1", "names": ["mx1.example"], "has_key": true, "used_by": ["port 25"],
        "key": "ECDSA P-256", "not_before": "2026-01-01T00:00:00Z", "not_after": "2099-01-01T00:00:00Z",
        "waiting": {"version": 2, "waits_for": [{"code": "cert.names-gone", "message": "A name is gone."}]},
        "renewal": {"ca": "https://ca.example/", "due_at": "2098-12-01T00:00:00Z"}});
    let requests =
        json!([{"name": "mx2", "names": ["mx2.example"], "made": "2026-11-01T00:00:00Z"}]);
    let list = json!({"certificates": [certificate], "requests": requests, "recipient": recipient});
    served.copy("certificates", &list.to_string());
}

fn send(served: &Served, session: &str, fields: &[(&str, &str, &str)]) -> Answer {
    served.send_files(session, "/certificates/import", fields)
}

fn filed(served: &Served, id: u64) -> Value {
    let job = served.desk().job(id).unwrap().unwrap();
    serde_json::from_str(&job.task).unwrap()
}

fn holds(folder: &Path, secret: &str) -> bool {
    let mut entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries.any(|path| match path.is_dir() {
        true => holds(&path, secret),
        false => fs::read(&path)
            .unwrap()
            .windows(secret.len())
            .any(|part| part == secret.as_bytes()),
    })
}

#[test]
fn a_key_is_sealed_to_the_store_before_it_is_filed() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    told(&served, &store.recipient().unwrap());
    let fields = [
        ("name", "", "mx3"),
        ("cert", "mx3.p12", "a certificate"),
        ("cert_text", "", "not looked at beside a file"),
        ("key", "", ""),
        ("key_text", "", KEY),
        ("private_ca", "ca.pem", "a CA"),
        ("password", "", PASSWORD),
        ("renew", "", "on"),
    ];
    let answer = send(&served, &session, &fields);
    assert_eq!(answer.header("location"), "/jobs/1", "{}", answer.body);
    let task = filed(&served, 1);
    assert_eq!(
        (&task["task"], &task["name"], &task["renew"]),
        (&json!("cert-import"), &json!("mx3"), &json!(true))
    );
    let upload = store.open_upload(task["sealed"].as_str().unwrap()).unwrap();
    assert_eq!(upload.cert.as_slice(), b"a certificate");
    assert_eq!(upload.key.unwrap().as_slice(), KEY.trim().as_bytes());
    assert_eq!(upload.private_ca.unwrap().as_slice(), b"a CA");
    assert_eq!(upload.password.unwrap().as_str(), PASSWORD);
    assert!(upload.chain.is_none());
    for secret in ["PRIVATE KEY", "the key itself", PASSWORD] {
        assert!(!holds(served.folder(), secret), "{secret}");
    }
    let job = served.ask(&Ask::get("/jobs/1").cookie(&session)).body;
    assert!(!job.contains("the key itself") && !job.contains(PASSWORD));
}

#[test]
fn an_upload_without_a_store_to_seal_it_to_or_without_a_certificate_is_filed_nowhere() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    let fields = [
        ("name", "", "mx3"),
        ("cert_text", "", "x"),
        ("key_text", "", KEY),
    ];
    for recipient in ["", "age1nobody", "/etc/passwd"] {
        told(&served, recipient);
        let answer = send(&served, &session, &fields);
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(answer.body.contains("console.no-recipient"));
    }
    let answer = send(
        &served,
        &session,
        &[("name", "", "mx3"), ("key_text", "", KEY)],
    );
    assert_eq!(answer.status, 400);
    assert!(served.desk().job(1).unwrap().is_none());
}

#[test]
fn a_form_with_files_is_of_the_session_like_any_other() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    let body =
        "--xyz\r\nContent-Disposition: form-data; name=\"form_token\"\r\n\r\nnone\r\n--xyz--\r\n";
    let ask = Ask::new("POST", "/certificates/import")
        .with("content-type", "multipart/form-data; boundary=xyz")
        .body(body);
    let answer = served.ask(&ask.cookie(&session).by_page(served.at));
    assert_eq!(answer.status, 403);
    assert!(
        answer.body.contains("console.form-token"),
        "{}",
        answer.body
    );
}

#[test]
fn what_is_asked_of_a_certificate_is_one_task_each() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    told(&served, "");
    let page = served.ask(&Ask::get("/certificates/one?name=mx1").cookie(&session));
    for shown in [
        "mx1.example",
        "port 25",
        "A name is gone.",
        "https://ca.example/",
        "ECDSA P-256",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let nobody = served.ask(&Ask::get("/certificates/one?name=nobody").cookie(&session));
    assert_eq!(nobody.status, 404);
    let places = json!({"services": [25, 587], "sni": ["a.example", "b.example"], "client": false, "transport": null});
    let none = json!({"services": [], "sni": [], "client": false, "transport": null});
    type Sent<'a> = (&'a str, &'a [(&'a str, &'a str)], Value);
    let sent: [Sent; 8] = [
        (
            "wish",
            &[
                ("do", "bind"),
                ("services", "25, 587"),
                ("sni", "a.example b.example"),
            ],
            json!({"task": "cert-bind", "name": "mx1", "places": places, "allow_self_signed": false}),
        ),
        (
            "wish",
            &[("do", "unbind")],
            json!({"task": "cert-unbind", "name": "mx1", "places": none}),
        ),
        (
            "wish",
            &[("do", "delete")],
            json!({"task": "cert-delete", "name": "mx1", "version": null}),
        ),
        (
            "present",
            &[("do", "renew"), ("force", "on")],
            json!({"task": "cert-renew", "names": ["mx1"], "force": true}),
        ),
        (
            "present",
            &[("do", "deploy")],
            json!({"task": "cert-deploy", "name": "mx1"}),
        ),
        (
            "look",
            &[("do", "tlsa"), ("mx", "a.example")],
            json!({"task": "cert-tlsa", "name": "mx1", "mx": ["a.example"]}),
        ),
        (
            "look",
            &[("do", "check")],
            json!({"task": "cert-check", "name": "mx1"}),
        ),
        (
            "make",
            &[
                ("do", "self-signed"),
                ("domains", "a.example"),
                ("key", "rsa-2048"),
                ("days", "30"),
            ],
            json!({"task": "cert-self-signed", "name": "mx1", "domains": ["a.example"],
                "key": {"kind": "rsa-2048", "reuse": false, "renew": false}, "days": 30}),
        ),
    ];
    for (n, (to, fields, task)) in (1..).zip(sent) {
        let fields = [&[("name", "mx1")], fields].concat();
        let answer = served.send_form(&session, &format!("/certificates/{to}"), &fields);
        assert_eq!(
            answer.header("location"),
            format!("/jobs/{n}"),
            "{}",
            answer.body
        );
        assert_eq!(filed(&served, n), task);
    }
}

#[test]
fn an_order_and_a_request_are_made_on_the_mail_server() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    let fields = [
        ("do", "issue"),
        ("name", "mx"),
        ("domains", "a.example"),
        ("pair", "on"),
        ("agree_terms", "on"),
        ("contacts", "a@b.example"),
    ];
    served.send_form(&session, "/certificates/make", &fields);
    let task = filed(&served, 1);
    assert_eq!(task["keys"], json!(["rsa-2048", "ecdsa-p256"]));
    assert_eq!(task["order"]["agree_terms"], true);
    for (act, domains) in [("issue", ""), ("private-ca", "a.example")] {
        let fields = [("do", act), ("name", "mx"), ("domains", domains)];
        let answer = served.send_form(&session, "/certificates/make", &fields);
        assert_eq!(answer.status, 400, "{act}");
    }
    told(&served, "");
    let page = served.ask(&Ask::get("/certificates").cookie(&session)).body;
    assert!(
        page.contains("mx2.example") && page.contains("Download the request"),
        "{page}"
    );
}

#[test]
fn a_chain_and_a_request_come_as_files_whoever_looks() {
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
    let agent = Agent::start(&served, |task| {
        let requests = json!([{"name": "mx2", "pem": "a request"}]);
        match task.contains("cert-export") {
            true => (0, json!({"chain": "a chain"}).to_string()),
            false => (0, json!({"requests": requests}).to_string()),
        }
    });
    for (act, name, file, pem) in [
        ("chain", "mx1", "mx1.pem", "a chain"),
        ("request", "mx2", "mx2.csr", "a request"),
    ] {
        let fields = [("do", act), ("name", name)];
        let answer = served.send_form(&session, "/certificates/download", &fields);
        assert_eq!(answer.body, pem);
        let place = answer.header("content-disposition");
        assert_eq!(place, format!("attachment; filename=\"{file}\""));
    }
    let harmful = [("do", "chain"), ("name", "x\"\u{e9}/../y")];
    let answer = served.send_form(&session, "/certificates/download", &harmful);
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"x..y.pem\""
    );
    agent.stop();
}

#[test]
fn a_look_is_shown_beside_the_page_where_it_is_asked_for_there() {
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
    let agent = Agent::start(&served, |_| {
        let finding =
            json!({"code": "cert.expiring", "message": "It ends soon.", "severity": "warning"});
        let seen = json!({"text": "subject CN=mx1", "findings": [finding]});
        (0, seen.to_string())
    });
    let token = served.form_token(&session);
    let fields = [
        ("form_token", token.as_str()),
        ("do", "show"),
        ("name", "mx1"),
    ];
    let ask = Ask::form("/certificates/look", &fields).with("hx-request", "true");
    let answer = served.ask(&ask.cookie(&session).by_page(served.at));
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("subject CN=mx1") && answer.body.contains("cert.expiring"));
    assert!(!answer.body.contains("<html"), "{}", answer.body);
    let tasks = agent.stop();
    assert_eq!(tasks, [json!({"task": "cert-show", "name": "mx1"})]);
}

#[test]
fn what_takes_the_place_of_another_says_so_from_the_start() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    let page = |path| served.ask(&Ask::get(path).cookie(&session)).body;
    let renews = page("/certificates/new?renew=on&name=mx1");
    let ticked = r#"name="renew" value="on" checked"#;
    assert!(
        renews.contains(ticked) && renews.contains(r#"value="mx1""#),
        "{renews}"
    );
    assert!(!page("/certificates/new?name=mx1").contains(ticked));
}

/// A certificate of ten years is not due for three of them, on the wire as on the page.
#[test]
fn what_is_left_of_a_life_is_painted_as_status_judges_it() {
    let (served, session) = Served::to(Role::Auditor);
    for (life, left, painted) in [
        (3650, 300, "fine"),
        (3650, 40, "soon"),
        (3650, 5, "over"),
        (90, 40, "fine"),
        (90, 20, "soon"),
        (90, 5, "over"),
        (90, -1, "over"),
    ] {
        let at = |days: i64| {
            let second = now() / 1000 + days * 86_400 + 3_600;
            jiff::Timestamp::from_second(second).unwrap().to_string()
        };
        let certificate = json!({"name": "mx1", "has_key": true, "used_by": ["smtpd"],
            "not_before": at(left - life), "not_after": at(left)});
        served.copy(
            "certificates",
            &json!({"certificates": [certificate]}).to_string(),
        );
        let page = served.ask(&Ask::get("/certificates").cookie(&session)).body;
        let bar = format!("class=\"left {painted}\"");
        assert!(page.contains(&bar), "{left} of {life}: {page}");
    }
}

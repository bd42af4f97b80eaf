//! Each verb answers the same over every way.

use crate::site::Site;
use serde_json::Value;

/// Verbs that change nothing.
const LOOKS: [&[&str]; 24] = [
    &["status"],
    &["notify"],
    &["show"],
    &["show", "smtpd_tls_security_level", "-x"],
    &["show", "--cipher-list"],
    &["explain", "someone@box.test"],
    &["lint"],
    &["set"],
    &["set", "--check", "loglevel.inbound=1", "--unset=inbound"],
    &["plan"],
    &["history"],
    &["history", "-n", "1"],
    &["diff", "1"],
    &["drift"],
    &["verify"],
    &["export"],
    &["profile", "list"],
    &["profile", "show", "strict"],
    &["policy", "list"],
    &["policy", "export"],
    &["domain", "list"],
    &["cert", "list"],
    &["cert", "show", "mx"],
    &["cert", "check"],
];

/// Verbs that are refused.
const REFUSED: [&[&str]; 8] = [
    &["notify", "test"],
    &["policy", "add", "bad..name", "may"],
    &["cert", "show", "nobody"],
    &["apply", "0123456789abcdef"],
    &["set", "mode=sometimes"],
    &["set", "--whole", "inbound=may"],
    &["rollback", "99"],
    &["profile", "show", "best"],
];

#[test]
fn looks_answer_the_same_from_afar() {
    let site = Site::up();
    for words in [&["set", "mode=may", "--bind=mx"][..], &["apply"]] {
        let done = site.remote(words);
        assert_eq!(done.exit, Some(0), "{words:?}: {done:#?}");
    }
    for words in LOOKS {
        let here = site.local(words);
        let there = site.remote(words);
        assert_eq!(here.exit, there.exit, "{words:?}: {there:#?}");
        assert!(there.json.is_object(), "{words:?}: {there:#?}");
        assert_eq!(timeless(here.json), timeless(there.json), "{words:?}");
    }
    let here = site.scene.say(&["history"]);
    let there = site.says(&["history"]);
    assert_eq!(here.stdout, there.stdout);
}

#[test]
fn refusals_are_the_same_from_afar() {
    let site = Site::up();
    for words in REFUSED {
        let here = site.local(words);
        let there = site.remote(words);
        assert_ne!(here.exit, Some(0), "{words:?}");
        assert_eq!(here.exit, there.exit, "{words:?}: {there:#?}");
        assert_eq!(here.json, there.json, "{words:?}");
    }
}

#[test]
fn what_is_said_on_the_host_alone_is_refused_with_the_reason() {
    let site = Site::up();
    for words in [
        &["try"][..],
        &["recover"],
        &["notify", "check"],
        &["user", "list"],
        &["cert", "export", "mx", "--key", "--yes-export-private-key"],
        &["cert", "import", "mx2", "--dir", "/etc/letsencrypt"],
        &["cert", "request", "mx2", "--domain=a.example", "--ca=own"],
        &["set", "param.smtpd_tls_cert_file=/etc/shadow"],
    ] {
        let there = site.remote(words);
        assert_eq!(there.code(), "task.local-only", "{words:?}: {there:#?}");
        assert_eq!(there.exit, Some(64), "{words:?}: {there:#?}");
    }
}

#[test]
fn an_operation_is_of_who_filed_it() {
    let site = Site::up();
    site.remote(&["set", "loglevel.inbound=1"]);
    let applied = site.remote(&["apply"]);
    assert_eq!(applied.exit, Some(0), "{applied:#?}");
    assert_eq!(site.scene.value("smtpd_tls_loglevel"), "1");
    let history = site.local(&["history"]);
    let actor = &history.json["operations"][0]["actor"];
    assert!(actor.as_str().unwrap().contains("admin"), "{actor}");
}

/// Without when it was looked, and what the log said by then.
fn timeless(mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.remove("observed_at");
        fields.remove("log");
    }
    without_times(&mut document);
    document
}

/// How long each stage of a look took.
fn without_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("micros");
            fields.values_mut().for_each(without_times);
        }
        Value::Array(list) => list.iter_mut().for_each(without_times),
        _ => {}
    }
}

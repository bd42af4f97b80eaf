//! Two full looks at the same server: what changed is told, row by row.

use crate::scene::{self, Scene};
use crate::{serving, words};
use serde_json::Value;
use std::fs;

fn saved(scene: &Scene, words: &[&str], name: &str) -> String {
    let ran = scene.run(words);
    let file = scene.named(name);
    fs::write(&file, ran.json.to_string()).unwrap();
    file
}

/// Before and after of a fact.
fn change<'c>(changes: &'c Value, fact: &str) -> Option<(&'c Value, &'c Value)> {
    let mut all = changes.as_array().unwrap().iter();
    let found = all.find(|one| one["fact"] == fact)?;
    Some((&found["before"], &found["after"]))
}

#[test]
fn what_a_full_look_found_is_compared() {
    let scene = serving(&[("smtpd_tls_protocols", ">=TLSv1")]);
    let at = scene.postfix.at(25).to_string();
    let look = words(&at, &[]);
    let plain = saved(&scene, &["--resolver", "none", "probe", &at], "plain.json");
    let earlier = saved(&scene, &look, "full.json");
    // The same server is the same.
    let compare = [&look[..], &["--compare", &earlier]].concat();
    let ran = scene.run(&compare);
    assert_eq!(
        ran.json["changes"],
        serde_json::json!([]),
        "{:#}",
        ran.json["changes"]
    );
    assert_eq!(ran.json["full_not_compared"], serde_json::json!([]));
    scene.edit("main.cf", |text| {
        text.replace(
            "smtpd_tls_protocols = >=TLSv1",
            "smtpd_tls_protocols = >=TLSv1.3",
        ) + "smtpd_tls_ask_ccert = yes\n"
    });
    scene::run("/usr/sbin/postfix", &["-c", &scene.config(), "reload"]);
    let ran = scene.run(&compare);
    let changes = &ran.json["changes"];
    let is = |fact, before: &str, after: Option<&str>| {
        let (was, now) = change(changes, fact).unwrap_or_else(|| panic!("{fact}: {changes:#}"));
        assert_eq!(
            (was.as_str(), now.as_str()),
            (Some(before), after),
            "{fact}"
        );
    };
    is("version TLSv1.2", "spoken", Some("refused"));
    is("suite ECDHE-RSA-AES256-GCM-SHA384", "TLSv1.2", None);
    let asked = "asked for; TLS 1.3 hides of which authorities";
    is("client certificate", "not asked for", Some(asked));
    assert_eq!(change(changes, "version TLSv1.3"), None);
    assert_eq!(change(changes, "compression"), None);
    // Said in words, too; and the exit code is that of the look.
    let said = scene.say(&compare);
    assert!(
        said.stdout.contains("version TLSv1.2: spoken → refused\n"),
        "{said:#?}"
    );
    assert_eq!(said.exit, scene.say(&look).exit);
    // A report of a plain look, and a plain look after a full one.
    for compare in [
        [&look[..], &["--compare", &plain]].concat(),
        vec!["--resolver", "none", "probe", &at, "--compare", &earlier],
    ] {
        let ran = scene.say(&compare);
        assert!(
            ran.stdout.contains("Not compared is what --full finds at"),
            "{ran:#?}"
        );
        assert!(!ran.stdout.contains("spoken → refused"), "{ran:#?}");
    }
}

//! Superseded keys and maps: told by `cert check`, removed by `cert prune`, and no way back is lost.

use crate::site::{Site, all, by_name};
use postseal_issue::KeyType;
use postseal_planner::report::Ask;
use serde_json::json;

#[test]
fn what_nothing_names_any_more_goes_and_every_rollback_still_works() {
    let site = Site::serving();
    site.scene
        .edit("main.cf", |text| text + "smtpd_tls_loglevel = 1\n");
    site.must("drift --adopt");
    site.import("a", KeyType::EcdsaP256, &["a.box.test"]);
    site.must("cert bind a --sni a.box.test");
    site.must("apply");
    for version in ["second", "third", "fourth"] {
        let files = site.make(version, KeyType::Rsa2048, &["mx.box.test"]);
        site.must(&format!("cert deploy mx --cert {files}"));
        let files = site.make(&format!("a-{version}"), KeyType::EcdsaP256, &["a.box.test"]);
        site.must(&format!("cert deploy a --cert {files}"));
    }
    let before = site.installed();
    // Four versions of two keys, and four maps with their sources.
    assert_eq!(before.len(), 16, "{before:#?}");
    // What changes no file hides nothing of what the newest change of files leads back to.
    site.must("set loglevel.inbound=1");
    let noted = site.must("apply").json;
    assert_eq!(
        (&noted["outcome"], &noted["diff"]),
        (&json!("kept"), &json!(""))
    );
    let checked = site.run("cert check");
    let findings = checked.json["findings"].as_array().unwrap();
    let told = |code: &str| findings.iter().any(|finding| finding["code"] == code);
    assert!(told("cert.superseded-files"), "{}", checked.stdout);

    let pruned = site.must("cert prune");
    assert_eq!(pruned.json["changed"], true);
    let left = site.installed();
    // The newest change renewed `a` alone: what was before it is one more key and one more map.
    assert_eq!(left.len(), 3 + 4, "{left:#?}");
    let removed = pruned.json["removed"].as_array().unwrap().len();
    assert_eq!(removed, before.len() - left.len());
    assert_eq!(site.plainly(), all("fourth"));
    assert_eq!(site.shown(&by_name("a.box.test")), all("a-fourth"));
    site.must("verify");
    assert_eq!(site.must("drift").json["drift_files"], json!([]));
    assert_eq!(site.must("cert prune").json["removed"], json!([]));

    // Back, step by step, to files that are gone.
    assert_eq!(site.must("rollback --yes").json["diff"], "");
    for (plain, named) in [
        ("fourth", "a-third"),
        ("third", "a-third"),
        ("third", "a-second"),
        ("second", "a-second"),
        ("second", "a"),
        ("mx", "a"),
    ] {
        site.must("rollback --yes");
        assert_eq!(site.plainly(), all(plain));
        assert_eq!(site.shown(&by_name("a.box.test")), all(named));
    }
    site.must("verify");
}

#[test]
fn what_an_edit_by_hand_names_no_more_stays_while_it_may_be_taken_back() {
    let site = Site::serving();
    site.import("own", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must("cert bind own");
    site.must("apply");
    let main_cf = format!("{}/main.cf", site.scene.config());
    let good = std::fs::read(&main_cf).unwrap();
    let before = site.installed();
    let other = site.make("other", KeyType::EcdsaP256, &["mx.box.test"]);
    site.scene.edit("main.cf", |text| {
        let is_chain = |line: &str| line.starts_with("smtpd_tls_chain_files");
        let kept = text.lines().filter(|line| !is_chain(line));
        let kept: Vec<&str> = kept.collect();
        format!("{}\nsmtpd_tls_chain_files = {other}\n", kept.join("\n"))
    });
    assert_eq!(site.must("cert prune").json["removed"], json!([]));
    assert_eq!(site.installed(), before);
    postseal_testkit::edited::write(&main_cf, good).unwrap();
    site.reload_until(&Ask::default(), all("own"));
    site.must("verify");
}

//! What `lint --fix` stores and shows, and where it stores nothing.

use crate::scene::{Scene, postseal, stock_master};
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::json;
use std::fs;

const OLD: &str = "smtpd_use_tls = yes\nsmtpd_tls_loglevel = 2\nsmtp_tls_security_level = may\n\
                   smtp_tls_protocols = !SSLv2, !SSLv3\n";

fn scene(main: &str) -> Scene {
    let builder = PostfixBox::builder()
        .append_main_cf(main)
        .master_cf(stock_master());
    let scene = Scene::bare(builder);
    scene.write_chain();
    let chain = scene.named("chain.pem");
    scene.edit("main.cf", |text| {
        format!("{text}smtpd_tls_chain_files = {chain}\n")
    });
    scene
}

#[test]
fn wishes_are_stored_planned_applied_and_taken_back() {
    let scene = scene(OLD);
    let before = scene.files();
    scene.must(&["init"]);
    let looked = scene.ends(2, &["lint", "--fix", "--check"]);
    assert_eq!(looked.json["changed"], json!(false));
    scene.must(&["apply", "--check"]);
    let fixed = scene.must(&["lint", "--fix"]);
    assert_eq!(fixed.json["changed"], json!(true));
    assert_eq!(fixed.json["diff"], looked.json["diff"]);
    let wishes = json!([
        "inbound=may",
        "loglevel.inbound=1",
        "param.smtp_tls_protocols=>=TLSv1",
        "param.smtpd_use_tls=default",
    ]);
    assert_eq!(fixed.json["wishes"], wishes);
    assert_eq!(scene.files(), before);
    let plan = scene.must(&["plan"]);
    assert_eq!(plan.json["plan"], fixed.json["plan"]);
    scene.ends(2, &["apply", "--check"]);
    scene.must(&["apply", "--yes"]);
    assert_eq!(scene.value("smtpd_tls_security_level"), "may");
    assert_eq!(scene.value("smtpd_use_tls"), "no");
    let again = scene.must(&["lint", "--fix"]);
    assert_eq!(again.json["wishes"], json!([]));
    assert_eq!(again.json["changed"], json!(false));
    scene.must(&["rollback", "--yes"]);
    assert_eq!(scene.files(), before);
}

#[test]
fn discarded_wishes_are_gone_and_pending_ones_come_first() {
    let scene = scene(OLD);
    scene.must(&["init"]);
    scene.must(&["set", "inbound=encrypt", "param.smtpd_use_tls=default"]);
    let fixed = scene.must(&["lint", "--fix"]);
    let wishes = json!(["loglevel.inbound=1", "param.smtp_tls_protocols=>=TLSv1"]);
    assert_eq!(fixed.json["wishes"], wishes);
    assert!(
        fixed
            .text("diff")
            .contains("+smtpd_tls_security_level = encrypt")
    );
    scene.must(&["discard"]);
    scene.must(&["apply", "--check"]);
}

#[test]
fn what_somebody_wants_to_keep_is_not_mended() {
    let scene = scene(OLD);
    let config = scene.named("postseal.toml");
    let ignore =
        "[lint]\nignore = [{ code = \"logging.too-much\", reason = \"a hunt for a bug\" }]\n";
    fs::write(&config, ignore).unwrap();
    scene.must(&["init"]);
    let mut command = scene.command(&["lint", "--fix", "--json"]);
    let output = command.env("POSTSEAL_CONFIG", config).output().unwrap();
    let ran = crate::scene::Ran::of(&output);
    let wishes = json!([
        "inbound=may",
        "param.smtp_tls_protocols=>=TLSv1",
        "param.smtpd_use_tls=default",
    ]);
    assert_eq!(ran.json["wishes"], wishes);
}

#[test]
fn an_instance_that_is_not_adopted_is_only_shown() {
    let scene = scene(OLD);
    let before = scene.files();
    let said = scene.say(&["lint", "--fix"]);
    assert_eq!(said.exit, Some(2), "{said:#?}");
    assert!(said.stdout.contains("-smtpd_use_tls = yes\n"), "{said:#?}");
    assert!(
        said.stdout.contains("`postseal init` adopts it"),
        "{said:#?}"
    );
    assert_eq!(scene.files(), before);
}

#[test]
fn a_file_without_a_postfix_is_only_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.cf");
    fs::write(&path, OLD).unwrap();
    let name = path.display().to_string();
    let ran = |words: &[&str]| {
        let output = postseal(words).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let (exit, said, _) = ran(&["lint", "--fix", &name]);
    assert_eq!(exit, Some(2), "{said}");
    assert!(said.contains("+smtp_tls_protocols = >=TLSv1\n"), "{said}");
    assert!(said.contains("because a PATH was named"), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), OLD);

    fs::write(
        &path,
        "smtp_tls_security_level = may\nsmtp_tls_loglevel = 1\n",
    )
    .unwrap();
    let (exit, said, _) = ran(&["lint", "--fix", &name]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(said.starts_with("Nothing to fix by itself.\n"), "{said}");
}

#[test]
fn what_cannot_be_asked_of_fix_is_said() {
    let cases = [
        (&["lint", "--fix", "a", "b"][..], "lint.fix-one-path"),
        (&["lint", "--fix", "--with", "nonsense", "a"], "lint.no-fix"),
        (
            &["lint", "--fix", "--with", "cert.missing", "a"],
            "lint.no-fix",
        ),
        (
            &["lint", "--fix", "--format", "sarif", "a"],
            "cannot be used with",
        ),
        (&["lint", "--check"], "--fix"),
    ];
    for (words, code) in cases {
        let output = postseal(words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{words:?}: {said}");
        assert!(said.contains(code), "{words:?}: {said}");
    }
}

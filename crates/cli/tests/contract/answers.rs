//! What is answered: one document or a table, to the right stream, with the right values.

use crate::scene::{Ran, Scene};
use crate::{VERBS, in_force, unknown};
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::Value;
use std::process::Stdio;

#[test]
fn every_answer_is_one_document_on_stdout_and_nothing_else() {
    let scene = in_force();
    for verb in VERBS {
        let ran = scene.run(verb);
        assert_eq!(ran.exit, Some(0), "{verb:?}: {ran:#?}");
        assert_eq!(ran.json["schema"], 1, "{verb:?}");
        assert!(ran.json["changed"].is_boolean(), "{verb:?} has no changed");
        assert_eq!(ran.stderr, "", "{verb:?}");
        let text = scene.say(verb);
        assert_eq!(text.exit, Some(0), "{verb:?}: {text:#?}");
        assert!(!text.stdout.is_empty(), "{verb:?} says nothing");
        assert!(!text.stdout.contains('\u{1b}'), "{verb:?} colours a pipe");
        for said in [&ran.stdout, &text.stdout] {
            assert!(!said.contains("PRIVATE KEY"), "{verb:?} shows a key");
        }
    }
    for key in [
        "findings",
        "diff",
        "before",
        "pending",
        "steps",
        "expectations",
    ] {
        assert!(
            scene.run(&["plan"]).json.get(key).is_some(),
            "plan has no {key}"
        );
    }
}

#[test]
fn tables_are_tab_separated_when_piped() {
    let scene = in_force();
    let columns = |words: &[&str]| -> Vec<usize> {
        let said = scene.say(words).stdout;
        said.lines().map(|line| line.split('\t').count()).collect()
    };
    assert!(columns(&["set"]).iter().all(|n| *n == 4));
    assert!(columns(&["show"]).iter().all(|n| *n == 3));
    // The operation, and what was imported before it.
    assert_eq!(columns(&["history"]), [5, 5]);
    assert_eq!(columns(&["cert", "list"]), [7]);
    // Service, desired, written, effective, observed; sentences follow.
    let status = scene.say(&["status"]).stdout;
    let rows: Vec<Vec<&str>> = status
        .lines()
        .map(|line| line.split('\t').collect())
        .filter(|row: &Vec<&str>| row.len() == 5)
        .collect();
    let of = |service: &str| rows.iter().find(|row| row[0].starts_with(service)).unwrap();
    assert_eq!(of("smtp/inet")[1..4], ["may", "may", "may"]);
    assert_eq!(of("outbound")[1..4], ["may", "may", "may"]);
    assert_eq!(of("submission/inet")[1], "on");
    assert_eq!(of("submissions/inet")[3], "wrapper");
    assert_eq!(rows.len(), 4, "{status}");
}

#[test]
fn show_says_what_postconf_says() {
    let scene = in_force();
    let tls = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| {
            let name = line.split(" =").next().unwrap();
            postseal_planner::catalog::is_tls_parameter(name)
        });
        lines.map(|line| line.trim_end().to_owned()).collect()
    };
    let all = tls(&scene.postconf(&[]));
    assert!(all.len() > 100, "{}", all.len());
    let names: Vec<&str> = all
        .iter()
        .map(|line| line.split(" =").next().unwrap())
        .collect();
    for (flags, expected) in [
        (&[][..], all.clone()),
        (&["-x"], tls(&scene.postconf(&["-x"]))),
    ] {
        let shown = scene.say(&[&["show"], flags, &names].concat()).stdout;
        let shown: Vec<&str> = shown
            .lines()
            .map(|row| row.split('\t').next().unwrap().trim_end())
            .collect();
        for (shown, expected) in shown.iter().zip(&expected) {
            assert_eq!(shown, expected);
        }
        assert_eq!(shown.len(), expected.len());
    }
    let main = String::from_utf8(scene.files().main).unwrap();
    for value in scene.must(&["show"]).json["values"].as_array().unwrap() {
        let from = value["from"].as_str().unwrap();
        let line: usize = from.strip_prefix("main.cf:").unwrap().parse().unwrap();
        let name = value["name"].as_str().unwrap();
        assert!(
            main.lines().nth(line - 1).unwrap().starts_with(name),
            "{value}"
        );
    }
    let master = String::from_utf8(scene.files().master).unwrap();
    let submission = scene.must(&["show", "--service", "submission"]).json;
    let overrides: Vec<&Value> = submission["values"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|value| value["from"].as_str().unwrap().starts_with("master.cf:"))
        .collect();
    assert!(overrides.len() >= 2, "{submission:#}");
    for value in overrides {
        let (name, text) = (
            value["name"].as_str().unwrap(),
            value["value"].as_str().unwrap(),
        );
        assert_eq!(scene.option("submission/inet", name).as_deref(), Some(text));
        let from = value["from"].as_str().unwrap();
        let line: usize = from
            .trim_start_matches("master.cf:")
            .trim_end_matches(" -o")
            .parse()
            .unwrap();
        assert!(
            master.lines().nth(line - 1).unwrap().contains(name),
            "{value}"
        );
    }
}

#[test]
fn colours_only_where_wanted_and_a_closed_pipe_is_no_crash() {
    let scene = in_force();
    let coloured = |always: &str, no_color: &str| {
        let mut command = scene.command(&["diff", "1", "--color", always]);
        let output = command.env("NO_COLOR", no_color).output().unwrap();
        String::from_utf8(output.stdout).unwrap().contains('\u{1b}')
    };
    assert!(coloured("always", "") && !coloured("auto", "1") && !coloured("never", ""));
    for verb in VERBS {
        let mut child = scene
            .command(verb)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ran = Ran::of(&child.wait_with_output().unwrap());
        assert_eq!(ran.exit, Some(0), "{verb:?}: {}", ran.stderr);
        assert_eq!(ran.stderr, "", "{verb:?}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let scene = in_force();
    for words in [
        &["status"][..],
        &["status", "--json"],
        &["policy", "export", "--format", "csv"],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let mut command = scene.command(words);
        let output = command.stdout(full.unwrap()).output().unwrap();
        let ran = Ran::of(&output);
        assert_eq!(ran.exit, Some(1), "{words:?}");
        assert!(
            ran.stderr.contains("No space left"),
            "{words:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn credentials_are_masked_wherever_a_diff_is_shown() {
    const SECRET: &str = "hunter2-hunter2";
    let scene = Scene::adopted(PostfixBox::builder().append_main_cf(&format!(
        "smtp_sasl_password_maps = static:alice:{SECRET}\nsmtp_tls_loglevel = 1\n"
    )));
    scene.must(&["set", "loglevel.outbound=2"]);
    scene.must(&["apply"]);
    for words in [
        &["plan"][..],
        &["diff", "1"],
        &["history"],
        &["show"],
        &["status"],
        &["rollback", "--check"],
    ] {
        for ran in [scene.run(words), scene.say(words)] {
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!said.contains(SECRET), "{words:?}: {said}");
        }
    }
}

#[test]
fn every_verb_has_a_manual() {
    let help = unknown(&["--help"]);
    assert_eq!((help.exit, help.stderr.as_str()), (Some(0), ""));
    let verbs = [
        "try", "init", "release", "status", "show", "lint", "set", "unset", "discard", "cert",
        "plan", "apply", "confirm", "rollback", "history", "diff", "drift", "verify", "recover",
    ];
    for verb in verbs {
        assert!(
            help.stdout
                .lines()
                .any(|line| line.trim_start().starts_with(verb)),
            "{verb}"
        );
        assert_eq!(unknown(&[verb, "--help"]).exit, Some(0), "{verb}");
    }
    assert_eq!(unknown(&["--version"]).exit, Some(0));
    assert_eq!(unknown(&[]).exit, Some(64));
}

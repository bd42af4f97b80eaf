//! Many targets, and what is none.

use crate::scene::Ran;
use crate::world::{PROGRAM, World, bare};
use postseal_testkit::smtp_script::SmtpScript;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn targets_come_from_the_command_line_a_file_and_standard_input() {
    let world = World::server();
    let list = world.scene.named("targets");
    fs::write(&list, format!("# ours\n{} # submission\n\n", world.at(587))).unwrap();
    let mut command = world.command(&[&world.at(25), "-", "--targets", &list]);
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let other = format!("{}\n127.0.0.1:1\n", world.at(465));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(other.as_bytes())
        .unwrap();
    let ran = Ran::of(&child.wait_with_output().unwrap());
    // One of them could not be reached.
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    let rows: Vec<Vec<&str>> = ran
        .stdout
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    let wanted = [
        world.at(25),
        world.at(465),
        "127.0.0.1:1".to_owned(),
        world.at(587),
    ];
    let names: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(names, wanted, "in their order");
    let words: Vec<(&str, &str)> = rows.iter().map(|row| (row[1], row[2])).collect();
    assert_eq!(words[0], ("ok", "encrypt"));
    assert_eq!(words[1], ("ok", "encrypt"));
    assert_eq!(words[2].0, "unreachable");
    let ended: Vec<&str> = rows.iter().map(|row| row[4]).collect();
    let closed = "tcp 127.0.0.1:1: nothing listens there";
    assert_eq!(ended, ["", "", closed, ""]);
    assert!(rows.iter().all(|row| row.len() == 6), "{rows:#?}");
}

#[test]
fn of_each_server_it_is_told_where_the_look_ended_and_what_to_do() {
    let silent = SmtpScript::new().hold().serve();
    let targets = [&silent.address().to_string(), "127.0.0.1:1"];
    let ran = bare(&[&["--timeout", "1"][..], &targets].concat());
    let rows: Vec<Vec<&str>> = ran
        .stdout
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(rows[0][1], "undetermined", "{ran:#?}");
    let words = format!("banner {}: no answer within the deadline", targets[0]);
    assert_eq!(rows[0][4], words, "{ran:#?}");
    assert_eq!(rows[1][1], "unreachable", "{ran:#?}");
    // The remedy names the command that looked.
    let ran = bare(&["--json", targets[1]]);
    let found = &ran.json["findings"][0];
    assert_eq!(found["code"], "policy.preflight-undetermined", "{ran:#?}");
    let remedy = found["remedy"].as_str().unwrap();
    assert!(remedy.contains("`postseal probe`"), "{remedy}");
    // Piped, findings are rows, too.
    let ran = bare(&[targets[1]]);
    let row = ran.stdout.lines().find(|line| line.contains("\tpolicy."));
    let cells: Vec<&str> = row.unwrap().split('\t').collect();
    assert_eq!((cells.len(), cells[4]), (7, "warning"), "{ran:#?}");
}

#[test]
fn what_is_no_target_is_refused_before_anything_is_asked() {
    let long = format!("{}.test", "a".repeat(300));
    let bad = [
        "a b",
        "",
        "..",
        "mx.test:99999",
        "mx.test:0",
        "[::1",
        "[mx.test]:",
        "-x.test",
        &long,
        "127.0.0.1:0",
        "mx.test\r\nQUIT",
    ];
    for target in bad {
        let ran = bare(&["--json", "--", target]);
        assert_eq!(ran.exit, Some(65), "{target:?}: {ran:#?}");
        assert_eq!(ran.code(), "probe.bad-target", "{target:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    fs::write(&empty, "# nothing\n").unwrap();
    for path in [empty.to_str().unwrap(), "/nonexistent", "/"] {
        let ran = bare(&["--json", "--targets", path]);
        assert_eq!(
            (ran.exit, ran.code()),
            (Some(65), "probe.bad-list"),
            "{path}: {ran:#?}"
        );
    }
    let output = Command::new(PROGRAM)
        .arg("probe")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
}

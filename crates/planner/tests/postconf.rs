//! Postfix itself reads what was planned: every parameter is known to it, every service complete.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use postseal_planner::plan::Cf;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};
use support::{Host, data, script};

fn input(story: &Path, name: &str) -> Vec<u8> {
    fs::read(story.join(name))
        .or_else(|_| fs::read(data("plans/stock").join(name)))
        .expect("a stock file")
}

/// A main.cf younger than two seconds makes every Postfix program sleep.
fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("written");
    let file = fs::File::options().append(true).open(path).expect("opened");
    let then = SystemTime::now() - Duration::from_secs(10);
    file.set_modified(then).expect("a time");
}

fn postconf(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("postconf")
        .arg("-c")
        .arg(folder)
        .args(arguments)
        .output()
        .expect("postconf runs");
    assert!(
        output.status.success(),
        "postconf {arguments:?} ends with {}",
        output.status
    );
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn postconf_reads_every_planned_pair_without_a_new_warning() {
    if Command::new("postconf")
        .arg("-h")
        .arg("mail_version")
        .output()
        .is_err()
    {
        postseal_testkit::beside::missing("there is no postconf here");
        return;
    }
    let mut read = 0;
    for story in fs::read_dir(data("plans")).expect("tests/plans") {
        let story = story.expect("an entry").path();
        let Ok(wish) = fs::read_to_string(story.join("wish")) else {
            continue;
        };
        let mut host = Host::new(&input(&story, "main.cf"), &input(&story, "master.cf"));
        let folder = tempfile::tempdir().expect("a folder");
        let warnings = |host: &Host| {
            write(&folder.path().join("main.cf"), &host.facts.main_cf.bytes);
            write(
                &folder.path().join("master.cf"),
                &host.facts.master_cf.bytes,
            );
            [
                postconf(folder.path(), &["-n"]),
                postconf(folder.path(), &["-M"]),
            ]
            .concat()
        };
        let before = warnings(&host);
        let Ok(plan) = script::run(&mut host, &wish) else {
            continue;
        };
        host.write(Cf::Main, plan.edit(Cf::Main).map(|edit| edit.bytes.clone()));
        host.write(
            Cf::Master,
            plan.edit(Cf::Master).map(|edit| edit.bytes.clone()),
        );
        let after = warnings(&host);
        let new: Vec<&str> = after
            .lines()
            .filter(|line| !before.contains(line) && !line.contains("overriding earlier entry"))
            .collect();
        assert!(new.is_empty(), "{}: {new:?}", story.display());
        read += 1;
    }
    assert!(read >= 25, "only {read} stories lead to a plan");
}

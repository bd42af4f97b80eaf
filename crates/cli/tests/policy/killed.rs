//! Imports that do not come to their end, and imports at once: all of a file is wished, or nothing.

use crate::place::Place;
use crate::scene::{Ran, run};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Instant;

const MANY: usize = 60_000;

fn lines(name: &str, count: usize) -> String {
    let line = |n: usize| format!("{name}{n}.example,encrypt\n");
    (0..count).map(line).collect()
}

fn start(place: &Place, words: &[&str]) -> Child {
    let mut command = place.scene.command(words);
    command.arg("--json").stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Gives it more than a pipe holds: when this returns, most of it was taken.
fn feed(child: &mut Child, text: &str) {
    child
        .stdin
        .as_mut()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn end(mut child: Child) -> Ran {
    drop(child.stdin.take());
    Ran::of(&child.wait_with_output().unwrap())
}

/// How many rules are wished to change.
fn pending(place: &Place) -> u64 {
    let status = place.must("status").json;
    let after = status["wishes"][0]["after"].as_str().unwrap_or("0 rules");
    after.split(' ').next().unwrap().parse().unwrap()
}

fn import(path: &Path) -> String {
    format!("policy import {}", path.display())
}

#[test]
fn one_killed_while_it_reads_has_stored_nothing() {
    let place = Place::new();
    let mut child = start(&place, &["policy", "import", "-", "--format", "csv"]);
    feed(&mut child, &lines("k", MANY));
    signal(&child, Signal::KILL);
    drop(end(child));
    assert_eq!(pending(&place), 0);
    let csv = place.write("rules.csv", &lines("k", 100));
    assert_eq!(place.must(&import(&csv)).json["added"], 100);
}

#[test]
fn one_killed_at_any_moment_has_stored_all_or_nothing() {
    let place = Place::new();
    let csv = place.write("rules.csv", &lines("k", 20_000));
    let path = csv.display().to_string();
    let begun = Instant::now();
    place.must(&import(&csv));
    let whole = begun.elapsed();
    place.must("discard");
    let mut stored = 0;
    for moment in 1..=10 {
        let child = start(&place, &["policy", "import", &path]);
        thread::sleep(whole * moment / 10);
        // It may have ended.
        let _ = kill_process(Pid::from_child(&child), Signal::KILL);
        drop(end(child));
        match pending(&place) {
            0 => {}
            20_000 => {
                stored += 1;
                place.must("discard");
            }
            half => panic!("{half} of 20000 after {moment} tenths"),
        }
    }
    eprintln!("{stored} of 10 had stored all");
    assert_eq!(place.must(&import(&csv)).json["added"], 20_000);
}

#[test]
fn two_at_once_store_both() {
    let place = Place::new();
    let mut slow = start(&place, &["policy", "import", "-", "--format", "csv"]);
    feed(&mut slow, &lines("slow", MANY));
    let csv = place.write("rules.csv", &lines("fast", 1_000));
    // The other one reads yet.
    assert_eq!(place.must(&import(&csv)).json["added"], 1_000);
    let ran = end(slow);
    assert_eq!(ran.json["added"], MANY, "{ran:?}");
    assert_eq!(pending(&place), MANY as u64 + 1_000);
    // Both at the same time, and for the same destinations.
    let other = lines("slow", 5_000).replace("encrypt", "may");
    let path = place.write("other.csv", &other).display().to_string();
    let both = [(); 2].map(|()| start(&place, &["policy", "import", &path]));
    let changed: Vec<u64> = both
        .into_iter()
        .map(|child| {
            let ran = end(child);
            assert_eq!(ran.exit, Some(0), "{ran:?}");
            ran.json["changed_rules"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(changed.iter().sum::<u64>(), 5_000, "{changed:?}");
}

#[test]
fn an_interrupted_import_says_so_and_has_stored_nothing() {
    let place = Place::new();
    // Each waits for more.
    let json = format!("{{\"schema\": 1, \"rules\": [{}", " ".repeat(1 << 20));
    let texts = [
        ("csv", lines("i", MANY)),
        ("map", lines("i", MANY).replace(',', " ")),
        ("json", json),
    ];
    for (format, text) in texts {
        for which in [Signal::INT, Signal::TERM, Signal::HUP] {
            let mut child = start(&place, &["policy", "import", "-", "--format", format]);
            feed(&mut child, &text);
            signal(&child, which);
            let stdin = child.stdin.take();
            let ran = end(child);
            drop(stdin);
            assert_eq!(ran.exit, Some(1), "{format} {which:?}: {ran:?}");
            assert_eq!(ran.code(), "interrupted", "{format} {which:?}: {ran:?}");
        }
    }
    assert_eq!(pending(&place), 0);
}

/// A small file system, until this goes.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn over(folder: &Path, size: &str) -> Self {
        let to = folder.display().to_string();
        let options = format!("size={size},mode=755");
        run(
            "/usr/bin/mount",
            &["-t", "tmpfs", "-o", &options, "none", &to],
        );
        Self(folder.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let folder = self.0.display().to_string();
        run("/usr/bin/umount", &["--lazy", &folder]);
    }
}

#[test]
fn a_disk_that_fills_up_meanwhile_loses_nothing() {
    let place = Place::new();
    place.must("policy add first.example may --no-preflight");
    let csv = place.write("rules.csv", &lines("k", MANY));
    // Where rows wait.
    let waiting = place.scene.folder().join("waiting");
    fs::create_dir(&waiting).unwrap();
    let disk = SmallDisk::over(&waiting, "1m");
    let words = ["policy", "import", csv.to_str().unwrap(), "--json"];
    let mut command = place.scene.command(&words);
    let ran = Ran::of(&command.env("TMPDIR", &waiting).output().unwrap());
    assert_eq!(ran.exit, Some(1), "{ran:?}");
    assert_eq!(ran.code(), "store.full", "{ran:?}");
    assert_eq!(pending(&place), 1);
    drop(disk);
    // Where rules are kept.
    let store = place.scene.folder().join("store");
    let kept = place.scene.folder().join("kept");
    let [from, aside] = [&store, &kept].map(|folder| folder.display().to_string());
    run("/usr/bin/cp", &["-a", &from, &aside]);
    let disk = SmallDisk::over(&store, "3m");
    run("/usr/bin/cp", &["-a", &format!("{aside}/."), &from]);
    let ran = place.run(&import(&csv));
    assert_eq!(ran.exit, Some(1), "{ran:?}");
    assert_eq!(ran.code(), "store.full", "{ran:?}");
    assert_eq!(pending(&place), 1);
    let few = place.write("few.csv", &lines("k", 10));
    assert_eq!(place.must(&import(&few)).json["added"], 10);
    drop(disk);
    assert_eq!(pending(&place), 1);
    assert_eq!(place.must(&import(&csv)).json["added"], MANY);
}

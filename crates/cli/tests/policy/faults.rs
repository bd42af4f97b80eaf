//! What can go wrong while a map is made: no rule is lost, and the map in force answers.

use crate::place::{Place, builder};
use crate::scene::Ran;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

/// In force with one rule, another one wished.
fn place() -> Place {
    let place = Place::of(builder());
    place.must("policy add first.example encrypt");
    place.must("apply --yes");
    place.must("policy add second.example encrypt");
    place
}

/// The first rule answers, the second waits, and nothing is left over.
fn is_as_before(place: &Place) {
    assert_eq!(place.looked_up("first.example").as_deref(), Some("encrypt"));
    assert_eq!(place.looked_up("second.example"), None);
    assert_eq!(place.installed().len(), 2, "{:?}", place.installed());
    assert_eq!(place.listed("in_force"), ["first.example encrypt"]);
    assert_eq!(place.listed("wanted").len(), 2);
}

/// Gives the instance another `postmap` while `work` is done.
fn with_postmap(place: &Place, script: &str, work: impl FnOnce()) {
    let commands = place.config().join("commands");
    fs::create_dir_all(&commands).unwrap();
    for entry in fs::read_dir("/usr/sbin").unwrap().flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("post") && name != "postmap" {
            let _ = std::os::unix::fs::symlink(entry.path(), commands.join(name));
        }
    }
    if !script.is_empty() {
        write_program(&commands.join("postmap"), script);
    }
    let main = place.main_cf();
    let other = format!("{main}command_directory = {}\n", commands.display());
    place.write("main.cf", &other);
    work();
    place.write("main.cf", &main);
}

fn write_program(path: &Path, script: &str) {
    fs::write(path, script).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_postmap_that_fails_is_missing_or_leaves_rows_out() {
    let place = place();
    let scripts = [
        (
            "#!/bin/sh\necho 'postmap: fatal: no space' >&2\nexit 1\n",
            "no space",
        ),
        ("#!/bin/sh\nkill -9 $$\n", "postmap"),
        ("", "postmap"),
        // It ends well and has written nothing.
        ("#!/bin/sh\nexit 0\n", "policy"),
        (
            "#!/bin/sh\ncase \"$*\" in *-q*) exec /usr/sbin/postmap \"$@\";; esac\necho 'postmap: warning: duplicate entry' >&2\nexec /usr/sbin/postmap \"$@\"\n",
            "duplicate entry",
        ),
    ];
    for (script, said) in scripts {
        with_postmap(&place, script, || {
            let failed = place.run("apply --yes");
            assert_eq!(failed.exit, Some(1), "{script}: {}", failed.stdout);
            let words = failed.json.to_string() + &failed.stderr;
            assert!(words.contains(said), "{script}: {words}");
        });
        is_as_before(&place);
    }
    place.must("apply --yes");
    assert_eq!(
        place.looked_up("second.example").as_deref(),
        Some("encrypt")
    );
}

/// More rows than a pipe holds: who writes them waits for postmap to read them.
#[test]
fn a_postmap_that_stops_reading_in_the_middle_of_many_rows() {
    let place = place();
    let name = |n: u32| format!("d{n}.{}.example", "long-name".repeat(6));
    let lines: String = (1..=1_200).map(|n| format!("{},may\n", name(n))).collect();
    let csv = place.write("rules.csv", &lines);
    place.must(&format!("policy import {}", csv.display()));
    let scripts = [
        // It ends well and has read nothing, or some, and has made no map, or one of some rows.
        "exit 0",
        "head -c 70000 > /dev/null; exit 0",
        "head -n 100 | /usr/sbin/postmap \"$@\"",
        "echo 'postmap: fatal: no space' >&2; exit 1",
        "kill -9 $$",
    ];
    for script in scripts {
        let program = format!(
            "#!/bin/sh\ncase \"$*\" in *-[qs]*) exec /usr/sbin/postmap \"$@\";; esac\n{script}\n"
        );
        with_postmap(&place, &program, || {
            let failed = place.run("apply --yes");
            assert_eq!(failed.exit, Some(1), "{script}: {failed:#?}");
            let said = script.contains("no space").then_some("no space");
            let words = failed.json.to_string();
            assert!(
                words.contains(said.unwrap_or("policy")),
                "{script}: {words}"
            );
        });
        assert_eq!(place.installed().len(), 2, "{:?}", place.installed());
        assert_eq!(place.looked_up("first.example").as_deref(), Some("encrypt"));
        assert_eq!(place.looked_up(&name(1)), None);
    }
    place.must("apply --yes");
    for n in [1, 1_200] {
        assert_eq!(place.looked_up(&name(n)).as_deref(), Some("may"), "{n}");
    }
}

#[test]
fn a_postmap_that_hangs_is_ended_by_an_interrupt_and_nothing_is_left_over() {
    let place = place();
    let begun = place.config().join("begun");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *-[qs]*) exec /usr/sbin/postmap \"$@\";; esac\ntouch {}\nexec sleep 3600\n",
        begun.display()
    );
    with_postmap(&place, &script, || {
        let mut command = place.scene.command(&["apply", "--yes", "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        while !begun.exists() {
            thread::sleep(Duration::from_millis(20));
        }
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let ran = Ran::of(&child.wait_with_output().unwrap());
        assert_eq!(ran.exit, Some(1), "{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code(), "interrupted", "{}{}", ran.stdout, ran.stderr);
    });
    is_as_before(&place);
    place.must("apply --yes");
}

#[test]
fn a_map_that_answers_otherwise_is_not_put_in_force() {
    let place = place();
    // It compiles another source than it was given.
    let script = "#!/bin/sh\nfor last; do :; done\ncase \"$*\" in *-q*) exec /usr/sbin/postmap \"$@\";; esac\nfile=${last#*:}\nprintf 'second.example none\\n' > \"$file.other\"\n/usr/sbin/postmap \"hash:$file.other\"\nmv \"$file.other.db\" \"$file.db\"\nrm \"$file.other\"\n";
    with_postmap(&place, script, || {
        let refused = place.run("apply --yes");
        assert_eq!(
            refused.exit,
            Some(65),
            "{}{}",
            refused.stdout,
            refused.stderr
        );
        assert_eq!(refused.code(), "policy.map-answers-wrong");
    });
    is_as_before(&place);
}

#[test]
fn a_read_only_disk_loses_nothing() {
    let place = place();
    let folder = place.config().join("postseal.d");
    let folder = folder.to_str().unwrap();
    crate::scene::run("/usr/bin/mount", &["--bind", folder, folder]);
    crate::scene::run("/usr/bin/mount", &["-o", "remount,ro,bind", folder]);
    let failed = place.run("apply --yes");
    crate::scene::run("/usr/bin/umount", &[folder]);
    assert_eq!(failed.exit, Some(1), "{}{}", failed.stdout, failed.stderr);
    is_as_before(&place);
    place.must("apply --yes");
}

#[test]
fn a_map_that_vanished_is_made_again() {
    let place = place();
    place.must("discard");
    for file in place.installed() {
        fs::remove_file(file).unwrap();
    }
    place.must("drift --restore --yes");
    assert_eq!(place.looked_up("first.example").as_deref(), Some("encrypt"));
}

#[test]
fn of_a_long_file_each_refusal_has_its_own_line() {
    // So many are judged by several threads, and in more than one go.
    let place = Place::of(builder().set("tls_append_default_CA", "no"));
    let bad = [3, 4_321, 9_999, 10_001, 11_999];
    let lines: String = (1..=12_000)
        .map(|n| match bad.contains(&n) {
            true => format!("d{n}.example,secure\n"),
            false => format!("d{n}.example,may\n"),
        })
        .collect();
    let csv = place.write("rules.csv", &lines);
    let refused = place.ends(65, &format!("policy import {}", csv.display()));
    let told = refused.json["refused"].as_array().unwrap().iter();
    let told: Vec<_> = told
        .map(|one| {
            assert_eq!(one["findings"][0]["code"], "policy.nobody-trusted", "{one}");
            (one["line"].clone(), one["destination"].clone())
        })
        .collect();
    let wanted = bad.map(|n| (n.into(), format!("d{n}.example").into()));
    assert_eq!(told, wanted);
}

#[test]
fn what_stands_twice_in_main_cf_is_no_fault_of_a_map() {
    // Each call of postmap warns of it.
    let twice = "mailbox_size_limit = 51200000\nmailbox_size_limit = 51200001\n";
    let place = Place::of(builder().append_main_cf(twice));
    let added = place.must("policy add example.org encrypt --no-preflight");
    assert_eq!(added.json["findings"], serde_json::json!([]), "{added:#?}");
    place.must("apply --yes");
    assert_eq!(place.listed("in_force"), ["example.org encrypt"]);
    // The map was asked.
    let verified = place.must("verify").json;
    assert!(verified["rules_asked"].as_u64() > Some(0), "{verified}");
    place.must("policy remove example.org");
    place.must("apply --yes");
    assert_eq!(place.listed("in_force"), [] as [&str; 0]);
}

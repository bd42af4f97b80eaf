//! Tests of `command`: runs one program with a deadline.

use super::*;
use std::path::PathBuf;

const SOON: Duration = Duration::from_millis(300);
const LATER: Duration = Duration::from_secs(20);

#[test]
fn a_program_that_does_not_end_is_killed_with_what_it_started() {
    let error = Call::new(&[], Path::new("/bin/sh"), SOON)
        .args(["-c", "sleep 1048.5 & sleep 1048.5"])
        .run()
        .map(drop)
        .unwrap_err();
    assert!(matches!(error, HostError::Deadline { .. }), "{error}");
    // A killed process takes a moment to go.
    let end = Instant::now() + LATER;
    while sleepers() > 0 {
        assert!(Instant::now() < end, "a grandchild lives on");
        thread::sleep(Duration::from_millis(5));
    }
}

fn sleepers() -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            line == b"sleep\x001048.5\0"
        })
        .count()
}

#[test]
fn output_is_kept_apart_and_the_environment_is_empty() {
    let output = Call::new(&[], Path::new("/usr/bin/env"), LATER)
        .env("ADDED", "1")
        .run_ok()
        .unwrap();
    let mut lines: Vec<String> = output.text().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["ADDED=1", "LC_ALL=C", &format!("PATH={PATH}")]);
    assert!(output.stderr.is_empty());
}

#[test]
fn a_program_gets_its_input_and_no_shell_reads_its_words() {
    let output = Call::new(&[], Path::new("/bin/cat"), LATER)
        .args(["-", "--", "/dev/null"])
        .input(b"$(id)\n")
        .run_ok()
        .unwrap();
    assert_eq!(output.text(), "$(id)\n");
}

#[test]
fn a_child_that_keeps_the_output_open_is_not_waited_for() {
    let output = Call::new(&[], Path::new("/bin/sh"), LATER)
        .args(["-c", "sleep 3 & echo done"])
        .run();
    assert!(output.unwrap().status.success());
}

/// However busy the machine, and though what it started holds its output open.
#[test]
fn what_was_printed_is_all_there_when_the_program_has_ended() {
    let call = || {
        let script = "sleep 3 & yes | head -c 200000 >&2; echo last";
        let output = Call::new(&[], Path::new("/bin/sh"), LATER)
            .args(["-c", script])
            .run_ok()
            .unwrap();
        assert_eq!(output.stderr.len(), 200_000);
        assert_eq!(output.text(), "last\n");
    };
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(call);
        }
    });
}

#[test]
fn a_failure_says_what_was_run_and_what_it_printed() {
    let prefix = ["/usr/bin/env".to_owned()];
    let program = PathBuf::from("/bin/ls");
    let error = Call::new(&prefix, &program, LATER)
        .arg("/nonexistent")
        .run_ok()
        .map(drop)
        .unwrap_err();
    let shown = error.to_string();
    assert!(
        shown.starts_with("/usr/bin/env /bin/ls /nonexistent failed"),
        "{shown}"
    );
    assert!(shown.contains("No such file"), "{shown}");
    let missing = Call::new(&[], Path::new("/nonexistent"), LATER).run();
    assert!(matches!(missing.map(drop), Err(HostError::Spawn { .. })));
}

#[test]
fn a_flood_of_output_is_cut() {
    let output = Call::new(&[], Path::new("/usr/bin/head"), LATER)
        .args(["-c", "20M", "/dev/zero"])
        .run_ok()
        .unwrap();
    assert_eq!(output.stdout.len(), OUTPUT_LIMIT);
    assert!(output.message().len() <= MESSAGE_LIMIT);
}

//! Processes of our own: an ignored test of this binary, run by another test.
//!
//! What a process shares with its threads (umask, mounts, being killed) needs one of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

const PLACE: &str = "STORE_TEST_PLACE";

/// The command that runs the ignored test `name` for `place`.
pub(crate) fn command(name: &str, place: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    with_arguments(&mut command, name, place);
    command
}

/// The same among mounts of its own, which end with it.
pub(crate) fn command_with_own_mounts(name: &str, place: &Path) -> Command {
    needs_root();
    let mut command = Command::new("unshare");
    command
        .arg("--mount")
        .arg("--")
        .arg(std::env::current_exe().unwrap());
    with_arguments(&mut command, name, place);
    command
}

fn with_arguments(command: &mut Command, name: &str, place: &Path) {
    command
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(PLACE, place);
}

/// Runs the command; what it said is shown when it failed.
pub(crate) fn succeeds(mut command: Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{why}"
    );
}

/// Inside the child: the place it was given.
pub(crate) fn place() -> PathBuf {
    std::env::var_os(PLACE)
        .expect("this is the child of another test, run by it")
        .into()
}

pub(crate) fn needs_root() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test needs root: run it with sudo"
    );
}

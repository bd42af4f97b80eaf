//! `postseal try` believes nobody: each step is sabotaged from outside while the trial waits
//! (`--pause`), and the very checks that pass otherwise must fail.
//!
//! Owns: the sabotages. Never: a switch inside the program. Needs root and Postfix.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use tempfile::TempDir;

const POSTSEAL: &str = env!("CARGO_BIN_EXE_postseal");

/// A trial under way, waiting after a step.
struct Trial {
    child: Child,
    told: BufReader<ChildStderr>,
    folder: PathBuf,
    _parent: TempDir,
}

impl Trial {
    fn start() -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "this test starts a Postfix and needs root"
        );
        let parent = TempDir::with_prefix("postseal-sabotage-").unwrap();
        let folder = parent.path().join("site");
        // Postfix's daemons pass through it.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(parent.path(), open).unwrap();
        let mut child = Command::new(POSTSEAL)
            .args(["try", "--pause", "--dir"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stderr.take().unwrap());
        Self {
            child,
            told,
            folder,
            _parent: parent,
        }
    }

    /// Reads until a step's line; whether it was proved.
    fn step(&mut self) -> Option<(String, bool)> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.told.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some((title, _)) = line.split_once(": proved (") {
                return Some((title.trim().to_owned(), true));
            }
            if let Some((title, _)) = line.split_once(": NOT PROVED (") {
                return Some((title.trim().to_owned(), false));
            }
        }
    }

    /// Lets it go on until the step whose title begins so is proved.
    fn until(&mut self, title: &str) {
        loop {
            let (seen, proved) = self.step().expect("the trial ended early");
            assert!(proved, "{seen} was not proved before any sabotage");
            if is(&seen, title) {
                return;
            }
            self.go_on();
        }
    }

    fn go_on(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Goes on, and demands that the step whose title begins so is not proved, that the trial
    /// says so by its exit code, and that nothing is left.
    fn must_fail_at(mut self, title: &str) {
        loop {
            self.go_on();
            let (seen, proved) = self.step().expect("the trial ended without noticing");
            if !proved {
                assert!(is(&seen, title), "{seen} failed, not {title}");
                break;
            }
            assert!(
                !is(&seen, title),
                "{seen} was proved in spite of the sabotage"
            );
        }
        drop(self.child.stdin.take());
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.told, &mut rest).unwrap();
        let mut answer = String::new();
        let mut stdout = self.child.stdout.take().unwrap();
        std::io::Read::read_to_string(&mut stdout, &mut answer).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(1), "{rest}{answer}");
        assert!(!self.folder.exists(), "the site was left behind: {answer}");
    }

    fn main_cf(&self) -> PathBuf {
        self.folder.join("mx/config/main.cf")
    }

    fn postseal(&self, words: &[&str]) {
        let store = format!("sqlite:{}", self.folder.join("store").display());
        let status = Command::new(POSTSEAL)
            .arg("--instance")
            .arg(self.folder.join("mx/config"))
            .args(["--store", &store, "--resolver", "none", "--json"])
            .args(words)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "postseal {words:?}: {status}");
    }

    fn postfix(&self, who: &str, verb: &str) {
        let config = self.folder.join(who).join("config");
        let output = Command::new("/usr/sbin/postfix")
            .arg("-c")
            .arg(config)
            .arg(verb)
            .output()
            .unwrap();
        assert!(output.status.success(), "postfix {verb}: {output:?}");
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        // Its end of input lets it go on to its own end; only then may its folder go.
        drop(self.child.stdin.take());
        let _ = std::io::copy(&mut self.told, &mut std::io::sink());
        let _ = self.child.wait();
    }
}

/// `7. verify: every port …` has the title `verify`.
fn is(line: &str, title: &str) -> bool {
    line.split_once(". ")
        .is_some_and(|(_, rest)| rest.starts_with(title))
}

fn append(path: &Path, text: &str) {
    let mut bytes = fs::read(path).unwrap();
    bytes.extend_from_slice(text.as_bytes());
    fs::write(path, bytes).unwrap();
}

fn sabotage(after: &str, how: impl Fn(&Trial), fails: &str) {
    let mut trial = Trial::start();
    trial.until(after);
    how(&trial);
    trial.must_fail_at(fails);
}

#[test]
fn a_file_edited_before_init_is_noticed() {
    sabotage(
        "lint",
        |trial| append(&trial.main_cf(), "# me too\n"),
        "init",
    );
}

#[test]
fn a_certificate_of_somebody_else_is_noticed_at_import() {
    sabotage(
        "init",
        |trial| {
            fs::copy(
                trial.folder.join("peer.pem"),
                trial.folder.join("mx-fullchain.pem"),
            )
            .unwrap();
        },
        "cert import",
    );
}

#[test]
fn an_instance_that_is_forgotten_cannot_be_wished_for() {
    sabotage("cert import", |trial| trial.postseal(&["release"]), "set");
}

#[test]
fn wishes_that_are_gone_are_noticed() {
    sabotage("set", |trial| trial.postseal(&["discard"]), "plan");
}

#[test]
fn a_postfix_that_is_stopped_proves_nothing() {
    sabotage("plan", |trial| trial.postfix("mx", "stop"), "apply");
}

#[test]
fn a_foreign_certificate_on_the_wire_is_noticed() {
    sabotage(
        "apply",
        |trial| {
            for entry in fs::read_dir(trial.folder.join("mx/config/postseal.d")).unwrap() {
                fs::copy(trial.folder.join("peer.pem"), entry.unwrap().path()).unwrap();
            }
            trial.postfix("mx", "reload");
        },
        "verify",
    );
}

#[test]
fn a_dead_465_is_noticed() {
    sabotage(
        "apply",
        |trial| {
            let path = trial.folder.join("mx/config/master.cf");
            let text = fs::read_to_string(&path).unwrap();
            let line = text
                .lines()
                .find(|line| line.starts_with("submissions"))
                .expect("no submissions service");
            fs::write(
                &path,
                text.replace(line, &line.replacen("submissions", "127.0.0.1:9", 1)),
            )
            .unwrap();
            trial.postfix("mx", "reload");
        },
        "verify",
    );
}

#[test]
fn a_password_file_that_is_gone_is_noticed() {
    sabotage(
        "verify",
        |trial| fs::remove_file(trial.folder.join("mx/queue/etc/sasldb2")).unwrap(),
        "log in",
    );
}

#[test]
fn a_neighbour_that_is_down_is_noticed() {
    sabotage("log in", |trial| trial.postfix("peer", "stop"), "a message");
}

#[test]
fn a_hand_edit_that_somebody_undid_is_noticed() {
    sabotage(
        "a message",
        |trial| {
            let path = trial.main_cf();
            let text = fs::read_to_string(&path).unwrap();
            fs::write(
                &path,
                text.replace(
                    "smtpd_tls_security_level = may",
                    "smtpd_tls_security_level  =  may",
                ),
            )
            .unwrap();
        },
        "a hand edit",
    );
}

#[test]
fn a_server_that_stops_while_a_wish_is_refused_is_noticed() {
    sabotage(
        "a hand edit",
        |trial| trial.postfix("mx", "stop"),
        "a broken wish",
    );
}

#[test]
fn a_later_edit_makes_the_rollback_differ() {
    sabotage(
        "a broken wish",
        |trial| append(&trial.main_cf(), "# me too\n"),
        "rollback",
    );
}

#[test]
fn an_old_state_that_is_not_the_old_one_is_noticed() {
    sabotage(
        "rollback",
        |trial| {
            let text = format!(
                "smtpd_tls_chain_files = {}\nsmtpd_tls_security_level = may\n",
                trial.folder.join("peer.pem").display()
            );
            append(&trial.main_cf(), &text);
            trial.postfix("mx", "reload");
        },
        "the old state",
    );
}

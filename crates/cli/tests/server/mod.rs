//! A real private Postfix under Postseal's care, serving a good certificate on 25, 587 and 465.
//!
//! Owns: building it by the public commands, running commands on it, looking at its three ports,
//! editing its files as an administrator would. Never: reaches past the commands into the store.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use postseal_planner::report::{Report, StageName, StageOutcome};
use postseal_probe::{Start, Target, probe_all};
use postseal_testkit::broken::{BrokenFiles, Wire};
use postseal_testkit::edited;
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a port has to say something.
const LOOK: Duration = Duration::from_millis(1500);
/// How long a reload may take to show.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long a command may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// The server.
pub(crate) struct Server {
    pub(crate) postfix: PostfixBox,
    pub(crate) files: BrokenFiles,
    fingerprint: mailtls::Fingerprint,
    folder: TempDir,
}

/// Both files' bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) main: Vec<u8>,
    pub(crate) master: Vec<u8>,
}

/// What a command came to.
pub(crate) struct Ran {
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) json: Value,
}

impl Ran {
    /// The stable code of the error, empty where there is none.
    pub(crate) fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    /// All findings, code and severity.
    pub(crate) fn findings(&self) -> Vec<(&str, &str)> {
        let found = self.json["findings"].as_array().into_iter().flatten();
        found
            .map(|finding| {
                (
                    finding["code"].as_str().unwrap_or_default(),
                    finding["severity"].as_str().unwrap_or_default(),
                )
            })
            .collect()
    }

    /// Everything it said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl Server {
    /// Builds it; TLS is switched on by Postseal, as an administrator would.
    pub(crate) fn start() -> Self {
        let server = Self::adopted();
        let chain = server.files.named("{files}/fullchain.pem");
        let key = server.files.named("{files}/key.pem");
        server.must(&["cert", "import", "mx", "--cert", &chain, "--key", &key]);
        server.must(&["cert", "bind", "mx"]);
        server.must(&[
            "set",
            "mode=may",
            "profile=recommended",
            "submission=on",
            "smtps=on",
            "auth-only=yes",
            "loglevel.inbound=1",
        ]);
        server.must(&["apply"]);
        server
    }

    /// A cleartext server that Postseal has adopted.
    pub(crate) fn adopted() -> Self {
        let postfix = PostfixBox::builder()
            .sasl_user("alice", "a password")
            .build()
            .unwrap();
        let folder = TempDir::with_prefix("postseal-broken-").unwrap();
        let files = BrokenFiles::make(&folder.path().join("files"), "mx.box.test").unwrap();
        let chain = mailtls::Bundle::read(files.fullchain_pem.as_bytes(), None, None).unwrap();
        postfix.start().unwrap();
        let server = Self {
            fingerprint: chain.chain[0].fingerprint(),
            postfix,
            files,
            folder,
        };
        server.must(&["init"]);
        server
    }

    /// A folder for the test's own files.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Runs `postseal … --json`.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.run_with("store", words)
    }

    /// The same with another store.
    pub(crate) fn run_with(&self, store: &str, words: &[&str]) -> Ran {
        let mut command = self.command(store);
        command.arg("--json").args(words);
        finished(command, words)
    }

    /// The same without `--json`, every event told.
    pub(crate) fn run_as_text(&self, words: &[&str]) -> Ran {
        let mut command = self.command("store");
        command.arg("--verbose").args(words);
        finished(command, words)
    }

    /// Runs it, and demands that it succeeds.
    pub(crate) fn must(&self, words: &[&str]) -> Ran {
        let ran = self.run(words);
        assert_eq!(ran.exit, Some(0), "{words:?}: {}", ran.said());
        ran
    }

    /// Both files as they are.
    pub(crate) fn pair(&self) -> Pair {
        let read = |name| fs::read(self.postfix.config_directory().join(name)).unwrap();
        Pair {
            main: read("main.cf"),
            master: read("master.cf"),
        }
    }

    /// Writes both files as an editor would, a moment ago.
    pub(crate) fn edit(&self, pair: &Pair) {
        for (name, bytes) in [("main.cf", &pair.main), ("master.cf", &pair.master)] {
            let path = self.postfix.config_directory().join(name);
            edited::write(path, bytes).unwrap();
        }
    }

    /// `postfix reload`, whatever it says.
    pub(crate) fn reload(&self) {
        let mut command = Command::new("/usr/sbin/postfix");
        command
            .arg("-c")
            .arg(self.postfix.config_directory())
            .arg("reload")
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        finished(command, &["postfix", "reload"]);
    }

    /// What ports 25, 587 and 465 show.
    pub(crate) fn wire(&self) -> [Wire; 3] {
        let ports = [
            (25, Start::StartTls),
            (587, Start::StartTls),
            (465, Start::Implicit),
        ];
        let targets = ports.map(|(port, start)| {
            let address = SocketAddr::new(self.postfix.address(), port);
            Target::new(port.to_string(), address, start)
        });
        let reports = probe_all(&targets, LOOK);
        [0, 1, 2].map(|n| self.seen(&reports[n]))
    }

    /// Looks until the ports show this, or it takes too long; what they show in the end.
    pub(crate) fn wire_until(&self, wanted: [Wire; 3]) -> [Wire; 3] {
        let end = Instant::now() + PATIENCE;
        loop {
            let seen = self.wire();
            if seen == wanted || Instant::now() > end {
                return seen;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn command(&self, store: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postseal"));
        let store = format!("sqlite:{}", self.folder.path().join(store).display());
        command
            .arg("--instance")
            .arg(self.postfix.config_directory())
            .args(["--store", &store, "--resolver", "none"]);
        command
    }

    fn seen(&self, report: &Report) -> Wire {
        if let Some(handshake) = &report.handshake {
            return match handshake.fingerprint {
                Some(seen) if seen == self.fingerprint => Wire::Serves,
                _ => Wire::ServesAnother,
            };
        }
        let Some(last) = report.stages.last() else {
            return Wire::Silent;
        };
        match (last.name, &last.outcome) {
            (_, StageOutcome::Closed) => Wire::Closed,
            (StageName::StartTls, StageOutcome::Refused(words)) if words.starts_with("454") => {
                Wire::Refuses
            }
            (StageName::Handshake, _) => Wire::Breaks,
            (StageName::Connect | StageName::Banner, StageOutcome::Unknown(_)) => Wire::Silent,
            _ => Wire::Cleartext,
        }
    }
}

impl Server {
    /// Puts everything back by force, so that the next story has a fair start.
    pub(crate) fn force(&self, pair: &Pair) {
        self.edit(pair);
        self.postfix.kill();
        self.postfix.stop().unwrap();
        self.postfix.start().unwrap();
    }
}

/// Runs a command to its end, with a deadline.
fn finished(mut command: Command, words: &[&str]) -> Ran {
    let folder = TempDir::with_prefix("postseal-said-").unwrap();
    let paths: [PathBuf; 2] = ["out", "err"].map(|name| folder.path().join(name));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(fs::File::create(&paths[0]).unwrap())
        .stderr(fs::File::create(&paths[1]).unwrap())
        .spawn()
        .unwrap();
    let end = Instant::now() + DEADLINE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < end, "{words:?} does not end");
        thread::sleep(Duration::from_millis(2));
    };
    let [stdout, stderr] =
        paths.map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned());
    Ran {
        exit: status.code(),
        json: serde_json::from_str(&stdout).unwrap_or(Value::Null),
        stdout,
        stderr,
    }
}

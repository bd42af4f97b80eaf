//! The scene: a private Postfix, adopted, with a certificate in the store.

use postseal_issue::{KeyType, LeafRequest, PrivateCa, Validity};
use postseal_probe::{Start, Target, probe_all};
use postseal_testkit::edited;
use postseal_testkit::postfix_box::{BoxBuilder, PostfixBox};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub(crate) const POSTSEAL: &str = env!("CARGO_BIN_EXE_postseal");
const PATIENCE: Duration = Duration::from_secs(30);
const DAY: i64 = 86400;

pub(crate) struct Site {
    pub(crate) postfix: PostfixBox,
    pub(crate) folder: TempDir,
    /// Words put before every command's own.
    pub(crate) options: Vec<String>,
}

/// Both files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) main: Vec<u8>,
    pub(crate) master: Vec<u8>,
}

/// A command that ran to its end.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Option<i32>,
    pub(crate) json: Value,
    pub(crate) told: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            exit: output.status.code(),
            json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            told: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub(crate) fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn hint(&self) -> &str {
        self.json["error"]["hint"].as_str().unwrap_or_default()
    }

    /// The codes of what is told beside the answer.
    pub(crate) fn warnings(&self) -> Vec<&str> {
        let warnings = self.json["warnings"].as_array().into_iter().flatten();
        warnings.filter_map(|told| told["code"].as_str()).collect()
    }

    pub(crate) fn message(&self) -> &str {
        self.json["error"]["message"].as_str().unwrap_or_default()
    }
}

impl Site {
    /// Built, started, adopted; the certificate `mx` in the store.
    pub(crate) fn new() -> Self {
        Self::of(PostfixBox::builder())
    }

    pub(crate) fn of(builder: BoxBuilder) -> Self {
        let site = Self::unadopted(builder);
        site.postfix.start().unwrap();
        site.adopt();
        site
    }

    /// Built, and nothing more.
    pub(crate) fn unadopted(builder: BoxBuilder) -> Self {
        let folder = TempDir::with_prefix("postseal-faults-").unwrap();
        let site = Self {
            postfix: builder.set("smtpd_peername_lookup", "no").build().unwrap(),
            folder,
            options: Vec::new(),
        };
        site.certificate();
        site
    }

    pub(crate) fn adopt(&self) {
        self.expect(0, &["init"]);
        self.expect(
            0,
            &["cert", "import", "mx", "--cert", &self.named("mx.pem")],
        );
    }

    fn certificate(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = i64::try_from(now.as_secs()).unwrap();
        let validity = Validity {
            not_before: now - DAY,
            not_after: now + 90 * DAY,
        };
        let ca = PrivateCa::new("Faults Root CA", KeyType::EcdsaP256, validity).unwrap();
        let leaf = ca
            .issue(&LeafRequest {
                names: vec!["mx.box.test".to_owned()],
                key_type: KeyType::EcdsaP256,
                validity,
            })
            .unwrap();
        let text = format!("{}{}", &*leaf.key_pem, leaf.fullchain_pem());
        fs::write(self.named("mx.pem"), text).unwrap();
    }

    pub(crate) fn named(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Wishes that change main.cf and need a key file.
    pub(crate) fn wish(&self) {
        self.expect(0, &["cert", "bind", "mx"]);
        self.expect(0, &["set", "inbound=may"]);
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(POSTSEAL);
        command
            .arg("--instance")
            .arg(self.postfix.config_directory())
            .arg("--store")
            .arg(format!("sqlite:{}", self.named("store/db")))
            .args(["--json", "--verbose", "--resolver", "none"])
            .args(&self.options)
            .args(words)
            .stdin(Stdio::null());
        fs::create_dir_all(self.named("store")).unwrap();
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        Ran::of(&self.command(words).output().unwrap())
    }

    /// What it says to people.
    pub(crate) fn text(&self, words: &[&str]) -> String {
        let mut command = self.command(&[]);
        let plain = command.get_args().filter(|word| *word != "--json");
        let plain: Vec<_> = plain.map(ToOwned::to_owned).collect();
        command = Command::new(POSTSEAL);
        let output = command.args(plain).args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs it; it must end with `exit`.
    pub(crate) fn expect(&self, exit: i32, words: &[&str]) -> Ran {
        let ran = self.run(words);
        assert_eq!(
            ran.exit,
            Some(exit),
            "postseal {words:?}: {} {:#}",
            ran.told,
            ran.json
        );
        ran
    }

    /// Starts it, to be looked at while it works.
    pub(crate) fn start(&self, words: &[&str]) -> Running {
        let mut command = self.command(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        Running {
            told: BufReader::new(child.stderr.take().unwrap()),
            child,
            seen: String::new(),
        }
    }

    pub(crate) fn main_cf(&self) -> PathBuf {
        self.postfix.config_directory().join("main.cf")
    }

    pub(crate) fn master_cf(&self) -> PathBuf {
        self.postfix.config_directory().join("master.cf")
    }

    pub(crate) fn files(&self) -> Files {
        Files {
            main: fs::read(self.main_cf()).unwrap(),
            master: fs::read(self.master_cf()).unwrap(),
        }
    }

    /// An administrator's hand.
    pub(crate) fn append(&self, path: &PathBuf, text: &str) {
        let mut bytes = fs::read(path).unwrap();
        bytes.extend(text.as_bytes());
        edited::write(path, bytes).unwrap();
    }

    /// Files of the configuration directory that nobody should find there.
    pub(crate) fn litter(&self) -> Vec<String> {
        let folders = [
            self.postfix.config_directory(),
            self.postfix.config_directory().join("postseal.d"),
        ];
        let entries = folders
            .iter()
            .filter_map(|folder| fs::read_dir(folder).ok());
        let names = entries
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.ends_with(".tmp") || name.starts_with(".postseal-"))
            .collect()
    }

    pub(crate) fn keys(&self) -> Vec<PathBuf> {
        let folder = self.postfix.config_directory().join("postseal.d");
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// Whether a full handshake on port 25 succeeds now; `None` where no server answers.
    pub(crate) fn serves_tls(&self) -> Option<bool> {
        let target = Target::new("smtp/inet", self.postfix.at(25), Start::StartTls);
        let report = probe_all(&[target], Duration::from_secs(5)).remove(0);
        report.banner.as_ref()?;
        // Without its certificate Postfix still offers anonymous ciphers.
        let handshake = report.handshake.as_ref();
        Some(handshake.is_some_and(|seen| seen.fingerprint.is_some()))
    }

    /// Nothing has changed, nothing lies about, nothing is open, and mail is served as before.
    pub(crate) fn is_as_before(&self, old: &Files) {
        assert!(self.keys().is_empty(), "{:?}", self.keys());
        self.is_as_before_but_for_keys(old);
    }

    /// The same after a rollback, which leaves key files for a change of mind.
    pub(crate) fn is_as_before_but_for_keys(&self, old: &Files) {
        assert_eq!(&self.files(), old);
        assert!(self.litter().is_empty(), "{:?}", self.litter());
        let ran = self.expect(0, &["recover"]);
        assert_eq!(ran.json["recovery"], "nothing", "{:#}", ran.json);
        assert_eq!(self.serves_tls(), Some(false));
    }

    /// The newest operation, from `history`.
    pub(crate) fn newest(&self) -> Value {
        self.expect(0, &["history", "-n", "1"]).json["operations"][0].clone()
    }
}

/// A command at work.
pub(crate) struct Running {
    pub(crate) child: Child,
    told: BufReader<ChildStderr>,
    seen: String,
}

impl Running {
    /// Waits for a line with `words` on its standard error.
    pub(crate) fn until(&mut self, words: &str) {
        loop {
            let mut line = String::new();
            let read = self.told.read_line(&mut line).unwrap();
            self.seen.push_str(&line);
            assert!(read > 0, "it ended before {words:?}: {}", self.seen);
            if line.contains(words) {
                return;
            }
        }
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub(crate) fn end(mut self) -> Ran {
        self.told.read_to_string(&mut self.seen).unwrap();
        let output = self.child.wait_with_output().unwrap();
        Ran {
            told: self.seen,
            ..Ran::of(&output)
        }
    }
}

/// Waits for something that comes by itself.
pub(crate) fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// Runs a program; it must succeed.
pub(crate) fn run(program: &str, args: &[&str]) {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(
        output.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

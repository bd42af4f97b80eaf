//! A private Postfix, the real program, and the files that directives name.
//!
//! Owns: building them, running the program as a user does, asking `postconf` what came of it.
//! Never: reaches past the commands into the store. Needs root and Postfix.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "helpers of tests; each test binary uses its part of this"
)]

use postseal_issue::{KeyType, LeafRequest, PrivateCa, Validity};
use postseal_testkit::edited;
use postseal_testkit::postfix_box::{BoxBuilder, PostfixBox};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub(crate) const POSTSEAL: &str = env!("CARGO_BIN_EXE_postseal");
const DAY: i64 = 86_400;
/// Debian's user and group nobody and nogroup.
const NOBODY: u32 = 65_534;

/// Writes a file that only its owner can read, as keys are kept.
pub(crate) fn write_private(path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
}

/// A private Postfix and a folder for the test's own files.
pub(crate) struct Scene {
    pub(crate) postfix: PostfixBox,
    folder: TempDir,
}

/// Both files' bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) main: Vec<u8>,
    pub(crate) master: Vec<u8>,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) json: Value,
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            exit: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
        }
    }

    /// The stable code of the error, empty where there is none.
    pub(crate) fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    /// A field of the JSON document, as text.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.json[field].as_str().unwrap_or_default()
    }
}

impl Scene {
    /// Built and started; nothing of Postseal yet.
    pub(crate) fn bare(builder: BoxBuilder) -> Self {
        let scene = Self::stopped(builder);
        scene.postfix.start().unwrap();
        scene
    }

    /// Built, and nothing more.
    pub(crate) fn stopped(builder: BoxBuilder) -> Self {
        let postfix = builder.set("smtpd_peername_lookup", "no").build().unwrap();
        let folder = TempDir::with_prefix("postseal-lists-").unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let scene = Self { postfix, folder };
        scene.write_files();
        scene
    }

    /// Adopted, with the certificate `mx` in the store.
    pub(crate) fn adopted(builder: BoxBuilder) -> Self {
        let scene = Self::bare(builder);
        scene.must(&["init"]);
        scene.import();
        scene
    }

    /// Puts the certificate `mx` into the store.
    pub(crate) fn import(&self) {
        let [chain, key] = ["rsa.pem", "rsa.key"].map(|name| self.named(name));
        self.must(&["cert", "import", "mx", "--cert", &chain, "--key", &key]);
    }

    /// What the guides' directives name: two certificates with their keys, the CA that trusts
    /// them, a folder of CAs, a policy table.
    fn write_files(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = i64::try_from(now.as_secs()).unwrap();
        let validity = Validity {
            not_before: now - DAY,
            not_after: now + 90 * DAY,
        };
        let ca = PrivateCa::new("Lists Root CA", KeyType::EcdsaP256, validity).unwrap();
        for (name, key_type) in [("rsa", KeyType::Rsa2048), ("ec", KeyType::EcdsaP256)] {
            let names = vec!["mx.box.test".to_owned()];
            let request = LeafRequest {
                names,
                key_type,
                validity,
            };
            let leaf = ca.issue(&request).unwrap();
            fs::write(self.named(&format!("{name}.pem")), leaf.fullchain_pem()).unwrap();
            let key = self.named(&format!("{name}.key"));
            fs::write(&key, &*leaf.key_pem).unwrap();
            fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
        }
        fs::write(self.named("ca.pem"), ca.certificate_pem()).unwrap();
        fs::create_dir(self.named("certs")).unwrap();
        fs::write(self.named("dh.pem"), "-----BEGIN DH PARAMETERS-----\n").unwrap();
        fs::write(self.named("tls_policy"), "example.com encrypt\n").unwrap();
        run(
            "/usr/sbin/postmap",
            &[
                "-c",
                &self.config(),
                &format!("hash:{}", self.named("tls_policy")),
            ],
        );
    }

    /// The key and its certificates in one file, `chain.pem`.
    pub(crate) fn write_chain(&self) {
        let read = |name: &str| fs::read_to_string(self.named(name)).unwrap();
        let path = self.named("chain.pem");
        fs::write(&path, [read("rsa.key"), read("rsa.pem")].concat()).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }

    /// A file of the test's own folder.
    pub(crate) fn named(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration directory.
    pub(crate) fn config(&self) -> String {
        self.postfix.config_directory().display().to_string()
    }

    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.postfix.config_directory().join(name)
    }

    pub(crate) fn store(&self) -> String {
        format!("sqlite:{}", self.named("store"))
    }

    /// The program on this instance and store.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = postseal(&["--instance", &self.config(), "--store", &self.store()]);
        command.args(words);
        command
    }

    /// Runs it with `--json`.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        let output = self.command(words).arg("--json").output().unwrap();
        Ran::of(&output)
    }

    /// Runs it with these bytes on its standard input.
    pub(crate) fn fed(&self, words: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(words);
        command.arg("--json").stdin(Stdio::piped());
        let pipes = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Ran::of(&child.wait_with_output().unwrap())
    }

    /// Runs it for people, piped.
    pub(crate) fn say(&self, words: &[&str]) -> Ran {
        Ran::of(&self.command(words).output().unwrap())
    }

    /// The program with these words, run by somebody who is not root. A clone may lie where only
    /// root can look (`/root`), so a copy of the program is run.
    pub(crate) fn nobody(&self, words: &[&str]) -> Command {
        let program = self.folder().join("postseal");
        if !program.exists() {
            fs::copy(POSTSEAL, &program).unwrap();
        }
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("POSTSEAL_RESOLVER", "none")
            .args(words)
            .stdin(Stdio::null())
            .uid(NOBODY)
            .gid(NOBODY);
        command
    }

    /// Runs it with `--json`; it must end with 0.
    pub(crate) fn must(&self, words: &[&str]) -> Ran {
        self.ends(0, words)
    }

    /// Runs it with `--json`; it must end with `exit`.
    pub(crate) fn ends(&self, exit: i32, words: &[&str]) -> Ran {
        let ran = self.run(words);
        assert_eq!(ran.exit, Some(exit), "postseal {words:?}: {ran:#?}");
        ran
    }

    /// What `postconf` says of the instance; where it edits main.cf, as an administrator did by it a moment ago.
    pub(crate) fn postconf(&self, words: &[&str]) -> String {
        let said = run(
            "/usr/sbin/postconf",
            &[&["-c", &self.config()], words].concat(),
        );
        if let Some(&("-e" | "-X")) = words.first() {
            edited::a_moment_ago(self.path_of("main.cf")).unwrap();
        }
        said
    }

    /// The value of a parameter, as `postconf` gives it.
    pub(crate) fn value(&self, name: &str) -> String {
        self.postconf(&["-h", name]).trim().to_owned()
    }

    /// The value of a `-o`, as `postconf -P` gives it; none where there is none.
    pub(crate) fn option(&self, service: &str, name: &str) -> Option<String> {
        let said = self.postconf(&["-P", &format!("{service}/{name}")]);
        let (_, value) = said.trim().split_once('=')?;
        Some(value.trim().to_owned())
    }

    pub(crate) fn files(&self) -> Files {
        let read = |name| fs::read(self.path_of(name)).unwrap();
        Files {
            main: read("main.cf"),
            master: read("master.cf"),
        }
    }

    /// An administrator's hand.
    pub(crate) fn edit(&self, name: &str, change: impl Fn(String) -> String) {
        let path = self.path_of(name);
        edited::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
    }
}

/// The program, without an instance or a store of its own; nothing of the environment reaches it.
pub(crate) fn postseal(words: &[&str]) -> Command {
    let mut command = Command::new(POSTSEAL);
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("POSTSEAL_RESOLVER", "none")
        .args(words)
        .stdin(Stdio::null());
    command
}

/// Runs a program; it must succeed. What it printed.
pub(crate) fn run(program: &str, words: &[&str]) -> String {
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {words:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The stock master.cf of the installed Postfix; Debian's package has it in both places.
pub(crate) fn stock_master() -> String {
    let places = [
        "/usr/share/postfix/master.cf.dist",
        "/etc/postfix/master.cf.proto",
    ];
    let found = places.iter().find_map(|path| fs::read_to_string(path).ok());
    found.unwrap_or_else(|| panic!("no stock master.cf in {places:?}"))
}

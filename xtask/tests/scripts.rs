//! `./run`, `./test` and what they share, with false tools in front of the real ones.
//!
//! Nothing is installed and nothing is built: `apt-get`, `cargo` and the like are scripts that
//! write down how they were called.

#![allow(
    clippy::unwrap_used,
    reason = "all of this is tests; a panic is how they fail"
)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const ALL: [&str; 24] = [
    "gcc",
    "libc6-dev",
    "pkg-config",
    "libssl-dev",
    "ca-certificates",
    "postfix",
    "iproute2",
    "sasl2-bin",
    "libsasl2-modules",
    "openssl",
    "mount",
    "e2fsprogs",
    "pebble",
    "knot",
    "knot-dnsutils",
    "unbound",
    "postfix-lmdb",
    "postfix-cdb",
    "faketime",
    "time",
    "testssl.sh",
    "sqlite3",
    "postgresql",
    "chromium",
];

/// A machine whose tools are false.
struct Machine {
    folder: TempDir,
}

impl Machine {
    /// A root with all packages and a cargo of rustup's.
    fn new() -> Self {
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for folder in ["bin", "installed"] {
            fs::create_dir(machine.path(folder)).unwrap();
        }
        for package in ALL.iter().chain(&["util-linux", "curl"]) {
            fs::write(machine.path("installed").join(package), "").unwrap();
        }
        machine.tool("id", "echo 0");
        let installed = machine.path("installed");
        let query = format!("test -e {}/$4 && printf 'installed '", installed.display());
        machine.tool("dpkg-query", &query);
        for name in [
            "cargo",
            "rustup",
            "bash-real",
            "update-rc.d",
            "apt-get",
            "curl",
        ] {
            machine.tool(name, "");
        }
        machine.tool("debconf-set-selections", "cat >>\"$LOG\"");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A tool that notes its name and arguments, then does `body`.
    fn tool(&self, name: &str, body: &str) {
        script(&self.path("bin").join(name), name, body);
    }

    fn without(&self, name: &str) -> &Self {
        fs::remove_file(self.path("bin").join(name)).unwrap();
        self
    }

    fn lacks(&self, package: &str) -> &Self {
        fs::remove_file(self.path("installed").join(package)).unwrap();
        self
    }

    /// Runs `words` from the clone's folder, with nobody to ask.
    fn run(&self, words: &[&str]) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        Command::new(words[0])
            .args(&words[1..])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.folder.path())
            .env("LOG", self.path("log"))
            .env("CARGO_TARGET_DIR", "built")
            .output()
            .unwrap()
    }

    /// Sources what the scripts share and does `body`.
    fn prepared(&self, body: &str) -> Output {
        let clone = clone();
        let clone = clone.display();
        let text = format!("set -eu; here={clone}; . {clone}/.ci/prepare.sh; {body}");
        self.run(&["bash", "-c", &text])
    }

    /// How the tools were called, `id` and `dpkg-query` left out.
    fn calls(&self) -> Vec<String> {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        let asked = |line: &&str| !line.starts_with("id ") && !line.starts_with("dpkg-query ");
        log.lines()
            .filter(asked)
            .map(|line| line.trim().to_owned())
            .collect()
    }
}

fn script(path: &Path, name: &str, body: &str) {
    let text =
        format!("#!/bin/sh\n[ -z \"${{LOG:-}}\" ] || echo \"{name} $*\" >>\"$LOG\"\n{body}\n");
    fs::write(path, text).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

fn clone() -> PathBuf {
    xtask::workspace_root()
}

fn in_clone(name: &str) -> String {
    clone().join(name).display().to_string()
}

/// The exit code and what was said on stderr.
fn ended(output: &Output) -> (i32, String) {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), text)
}

#[test]
fn only_what_is_missing_is_named() {
    let machine = Machine::new();
    let query = "echo 0; exit 1";
    let output = machine.prepared("missing $build_packages $run_packages $test_packages");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    machine.lacks("postfix").lacks("libssl-dev");
    let output = machine.prepared("missing $build_packages $run_packages");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "libssl-dev\npostfix\n"
    );
    // A removed package whose configuration stayed is not installed.
    machine.tool("dpkg-query", "printf 'config-files '");
    let output = machine.prepared("missing postfix");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "postfix\n");
    machine.tool("dpkg-query", query);
    let output = machine.prepared("missing postfix");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "postfix\n");
}

#[test]
fn with_all_packages_nothing_is_installed() {
    let machine = Machine::new();
    let output = machine.prepared("need_packages $build_packages $run_packages");
    assert_eq!(ended(&output), (0, String::new()));
    assert_eq!(machine.calls(), [""; 0]);
}

#[test]
fn without_root_and_sudo_it_ends_with_77() {
    let machine = Machine::new();
    machine.tool("id", "echo 1000");
    machine.tool("sudo", "exit 1");
    for script in ["run", "test"] {
        let (code, text) = ended(&machine.run(&[&in_clone(script)]));
        let wanted = format!("postseal: ./{script} needs root, or sudo that may be used");
        assert_eq!(code, 77);
        assert!(
            text.starts_with(&wanted) && text.lines().count() == 1,
            "{text}"
        );
    }
    let all = machine.calls();
    assert!(all.iter().all(|call| call == "sudo -n true"), "{all:?}");
}

#[test]
fn with_sudo_only_the_trial_runs_as_root() {
    let machine = Machine::new();
    machine.tool("id", "echo 1000");
    machine.tool("sudo", "[ \"$1\" = -n ] || { shift; \"$@\"; }");
    fs::create_dir_all(machine.path("built/release")).unwrap();
    script(&machine.path("built/release/postseal"), "postseal", "");
    let (code, text) = ended(&machine.run(&[&in_clone("run"), "--keep"]));
    assert_eq!(code, 0, "{text}");
    let built = machine.path("built/release/postseal");
    let wanted = [
        "sudo -n true".to_owned(),
        "cargo build --release --package postseal --bin postseal".to_owned(),
        format!("sudo -- {} try --keep", built.display()),
        "postseal try --keep".to_owned(),
    ];
    assert_eq!(machine.calls(), wanted);
}

#[test]
fn run_keeps_yes_and_hands_the_rest_on() {
    let machine = Machine::new();
    fs::create_dir_all(machine.path("built/release")).unwrap();
    script(
        &machine.path("built/release/postseal"),
        "postseal",
        "exit 4",
    );
    let words = [&in_clone("run"), "--dir", "a b", "--yes", "--keep"];
    let (code, text) = ended(&machine.run(&words));
    assert_eq!(code, 4, "the trial's exit code is ours: {text}");
    let last = machine.calls().pop();
    assert_eq!(last.as_deref(), Some("postseal try --dir a b --keep"));
}

#[test]
fn help_does_nothing() {
    let machine = Machine::new();
    let output = machine.run(&[&in_clone("run"), "--help"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.starts_with("Installs what is missing") && text.contains("--keep"),
        "{text}"
    );
    assert_eq!(machine.calls(), [""; 0]);
}

#[test]
fn test_runs_the_check_and_knows_one_word() {
    let machine = Machine::new();
    assert_eq!(ended(&machine.run(&[&in_clone("test")])).0, 0);
    assert_eq!(ended(&machine.run(&[&in_clone(".ci/run")])).0, 0);
    assert_eq!(machine.calls(), ["cargo xtask check"; 2]);
    for words in [&["--no"][..], &["--yes", "--yes"], &["x"]] {
        let script = in_clone("test");
        let all: Vec<&str> = std::iter::once(script.as_str())
            .chain(words.iter().copied())
            .collect();
        let (code, text) = ended(&machine.run(&all));
        assert_eq!(
            (code, text.as_str()),
            (64, "postseal: usage: ./test [--yes]\n")
        );
    }
}

#[test]
fn without_rust_and_without_yes_it_ends_with_69() {
    let machine = Machine::new();
    machine.without("rustup").tool("cargo", "exit 127");
    let (code, text) = ended(&machine.prepared("need_cargo no"));
    assert_eq!(code, 69);
    assert!(
        text.contains("is needed, found none") && text.contains("--yes"),
        "{text}"
    );
    assert_eq!(machine.calls(), ["cargo --version"], "nothing was fetched");
    machine.tool("cargo", "echo 'cargo 1.63.0 (old)'");
    let (code, text) = ended(&machine.prepared("need_cargo no"));
    assert_eq!(code, 69);
    assert!(text.contains("is needed, found 1.63.0"), "{text}");
}

#[test]
fn a_cargo_that_is_new_enough_is_taken() {
    let machine = Machine::new();
    machine
        .without("rustup")
        .tool("cargo", "echo 'cargo 99.0.0 (new)'");
    assert_eq!(
        ended(&machine.prepared("need_cargo no")),
        (0, String::new())
    );
}

#[test]
fn with_yes_rust_is_installed_by_rustup_at_the_pinned_version() {
    let machine = Machine::new();
    machine.without("rustup").tool("cargo", "exit 127");
    let fetched =
        "while [ \"$1\" != --output ]; do shift; done; echo 'echo rustup-init $* >>$LOG' >$2";
    machine.tool("curl", fetched);
    let (code, text) = ended(&machine.prepared("need_cargo yes"));
    assert_eq!(code, 0, "{text}");
    let pinned = fs::read_to_string(clone().join("rust-toolchain.toml")).unwrap();
    let pinned = pinned.split('"').nth(1).unwrap().to_owned();
    let calls = machine.calls();
    assert!(
        calls[1].starts_with("curl --proto =https") && calls[1].ends_with("https://sh.rustup.rs")
    );
    assert!(calls[2].starts_with("rustup-init -y"), "{calls:?}");
    assert!(
        calls[2].ends_with(&format!("--default-toolchain {pinned}")),
        "{calls:?}"
    );
}

/// Runs `.ci/install` with /usr/sbin as an overlay that nobody else sees; `before` and `after`
/// are done in there too.
fn install(machine: &Machine, before: &str, packages: &str, after: &str) -> Output {
    let root = Command::new("id").arg("-u").output().unwrap();
    assert_eq!(
        root.stdout, b"0\n",
        "this test needs root: it mounts over /usr/sbin"
    );
    let layers = machine.path("layers").display().to_string();
    let text = format!(
        "set -eu; mkdir -p {layers}; mount -t tmpfs none {layers}; mkdir {layers}/u {layers}/w
        mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir={layers}/u,workdir={layers}/w /usr/sbin
        rm -f /usr/sbin/policy-rc.d; {before}
        code=0; {script} {packages} || code=$?
        {after}
        exit $code",
        script = in_clone(".ci/install"),
    );
    machine.run(&["unshare", "--mount", "bash", "-c", &text])
}

const SHOW: &str = "ls -d /usr/sbin/policy-rc.d*; cat /usr/sbin/policy-rc.d";

#[test]
fn while_packages_are_installed_no_service_starts() {
    let machine = Machine::new();
    machine.tool(
        "apt-get",
        "sh /usr/sbin/policy-rc.d; echo policy $? >>\"$LOG\"",
    );
    let after = "ls /usr/sbin/policy-rc.d* || true";
    let output = install(&machine, "", "gcc postfix", after);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "nothing stays");
    let calls = machine.calls();
    assert_eq!(
        calls[1],
        "postfix postfix/main_mailer_type select Local only"
    );
    assert_eq!(calls[2], "apt-get update -qq");
    assert_eq!(calls[3], "policy 101");
    assert!(calls[4].starts_with("apt-get install") && calls[4].contains("--no-remove"));
    assert!(calls[4].ends_with(" gcc postfix"), "{calls:?}");
    assert_eq!(calls[6], "update-rc.d postfix disable");
}

#[test]
fn postfix_is_only_spoken_of_when_it_is_installed() {
    let machine = Machine::new();
    assert_eq!(install(&machine, "", "gcc", "").status.code(), Some(0));
    let calls = machine.calls();
    assert!(
        calls.iter().all(|call| call.starts_with("apt-get ")),
        "{calls:?}"
    );
}

#[test]
fn the_policy_of_the_machine_is_put_back() {
    let before = "printf '#!/bin/sh\\nexit 7\\n' >/usr/sbin/policy-rc.d";
    let wanted = "/usr/sbin/policy-rc.d\n#!/bin/sh\nexit 7\n";
    for (apt, code) in [
        ("", 0),
        ("[ $1 = update ]", 1),
        ("[ $1 = update ] || kill -TERM $PPID", 130),
    ] {
        let machine = Machine::new();
        machine.tool("apt-get", apt);
        let output = install(&machine, before, "gcc", SHOW);
        assert_eq!(String::from_utf8_lossy(&output.stdout), wanted, "{apt}");
        assert_eq!(output.status.code(), Some(code), "{apt}");
    }
}

#[test]
fn a_policy_that_is_a_link_stays_a_link() {
    let machine = Machine::new();
    symlink("/nowhere", machine.path("link")).unwrap();
    let before = "ln -s /nowhere /usr/sbin/policy-rc.d";
    let output = install(&machine, before, "gcc", "readlink /usr/sbin/policy-rc.d");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "/nowhere\n");
}

#[test]
fn what_a_killed_installation_left_is_put_right() {
    let machine = Machine::new();
    machine.tool("apt-get", "[ $1 = update ] || kill -KILL $PPID");
    let script = in_clone(".ci/install");
    let before = format!(
        "printf 'exit 7\\n' >/usr/sbin/policy-rc.d; {script} gcc || true; \
         test -e /usr/sbin/policy-rc.d.saved-by-postseal; printf '#!/bin/sh\\n' >{}",
        machine.path("bin/apt-get").display()
    );
    let output = install(&machine, &before, "gcc", SHOW);
    let wanted = "/usr/sbin/policy-rc.d\nexit 7\n";
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        wanted,
        "{output:?}"
    );
}

#[test]
fn an_index_that_cannot_be_fetched_does_not_end_it() {
    let machine = Machine::new();
    machine.tool("apt-get", "[ $1 != update ]");
    let (code, text) = ended(&install(&machine, "", "gcc", ""));
    assert_eq!(code, 0);
    assert!(text.contains("apt-get update failed"), "{text}");
}

//! The scene: a private Postfix that passes mail on to a recording sink, and the real program.
//!
//! Owns: the two worlds between which applies and rollbacks go, and what must not be left behind.
//! The administrator's own submission service has its own certificate, so that port 587 takes mail
//! in both worlds; the change binds another certificate, turns TLS on for port 25 and adds 465.

use postseal_issue::{KeyType, LeafRequest, PrivateCa, Validity};
use postseal_planner::Digest;
use postseal_probe::{Keep, Sink, SinkOptions, SinkTls};
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub(crate) const POSTSEAL: &str = env!("CARGO_BIN_EXE_postseal");
pub(crate) const USER: &str = "alice";
pub(crate) const PASSWORD: &str = "in the jail";
const DAY: i64 = 86400;

/// The administrator's own service, beside the stock master.cf.
const SUBMISSION: &str = "\
submission inet n - y - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_chain_files={base}/config/own.pem
  -o smtpd_tls_security_level=encrypt
  -o smtpd_tls_auth_only=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
";

pub(crate) struct Site {
    pub(crate) postfix: PostfixBox,
    pub(crate) sink: Sink,
    folder: TempDir,
}

/// Both files, as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) main: Digest,
    pub(crate) master: Digest,
}

/// A command that ran to its end.
pub(crate) struct Ran {
    pub(crate) exit: Option<i32>,
    pub(crate) json: Value,
    pub(crate) told: String,
}

impl Site {
    /// Built and started; nothing of Postseal yet but its store, after `init`.
    pub(crate) fn build() -> Self {
        let sink = Sink::start(SinkOptions {
            keep: Keep::Header,
            ..SinkOptions::new(SinkTls::None)
        })
        .unwrap();
        let master = format!("{}{SUBMISSION}", stock());
        let postfix = PostfixBox::builder()
            .sasl_user(USER, PASSWORD)
            .set("default_transport", "smtp")
            .set(
                "relayhost",
                &format!("[127.0.0.1]:{}", sink.address().port()),
            )
            .set("smtp_host_lookup", "native")
            .set("smtp_dns_support_level", "disabled")
            .set("smtpd_peername_lookup", "no")
            .master_cf(master)
            .build()
            .unwrap();
        let folder = TempDir::with_prefix("postseal-kill-").unwrap();
        let site = Self {
            postfix,
            sink,
            folder,
        };
        site.certificates();
        site.postfix.start().unwrap();
        site.expect(&["init"]);
        site.expect(&["cert", "import", "mx", "--cert", &site.named("mx.pem")]);
        site
    }

    /// `own.pem` is the administrator's, `mx.pem` is what will be bound; keys first.
    fn certificates(&self) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let now = i64::try_from(now).unwrap();
        let validity = Validity {
            not_before: now - DAY,
            not_after: now + 90 * DAY,
        };
        let ca = PrivateCa::new("Kill Root CA", KeyType::EcdsaP256, validity).unwrap();
        let own = self.postfix.config_directory().join("own.pem");
        for path in [own, self.folder.path().join("mx.pem")] {
            let leaf = ca
                .issue(&LeafRequest {
                    names: vec!["mx.box.test".to_owned()],
                    key_type: KeyType::EcdsaP256,
                    validity,
                })
                .unwrap();
            fs::write(path, format!("{}{}", &*leaf.key_pem, leaf.fullchain_pem())).unwrap();
        }
    }

    fn named(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The wishes whose apply leads from the first world to the second.
    pub(crate) fn wish(&self) {
        self.expect(&["cert", "bind", "mx"]);
        self.expect(&["set", "inbound=may", "smtps=on", "received-header=yes"]);
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(POSTSEAL);
        command
            .arg("--instance")
            .arg(self.postfix.config_directory())
            .arg("--store")
            .arg(format!("sqlite:{}", self.named("store")))
            .args(["--json", "--verbose", "--resolver", "none"])
            .args(words)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        let output = self.command(words).output().unwrap();
        Ran {
            exit: output.status.code(),
            json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            told: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs it; it must end with 0.
    pub(crate) fn expect(&self, words: &[&str]) -> Ran {
        let ran = self.run(words);
        assert_eq!(
            ran.exit,
            Some(0),
            "postseal {words:?}: {} {}",
            ran.told,
            ran.json
        );
        ran
    }

    /// The newest operation, from `history`.
    pub(crate) fn newest(&self) -> Value {
        self.expect(&["history", "-n", "1"]).json["operations"][0].clone()
    }

    pub(crate) fn newest_number(&self) -> u64 {
        self.newest()["operation"].as_u64().unwrap()
    }

    /// The first operation after number `before`, if there is one.
    pub(crate) fn operation_after(&self, before: u64) -> Option<Value> {
        let history = self.expect(&["history", "-n", "5"]).json;
        let newer = |operation: &&Value| operation["operation"].as_u64() > Some(before);
        let operations = history["operations"].as_array().unwrap();
        operations.iter().rfind(newer).cloned()
    }

    pub(crate) fn world(&self) -> World {
        let digest =
            |name: &str| Digest::of(&fs::read(self.postfix.config_directory().join(name)).unwrap());
        World {
            main: digest("main.cf"),
            master: digest("master.cf"),
        }
    }

    /// Every file below the configuration directory, by name.
    pub(crate) fn files(&self) -> BTreeSet<PathBuf> {
        let mut files = BTreeSet::new();
        let mut folders = vec![self.postfix.config_directory()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.insert(path);
                }
            }
        }
        files
    }

    /// Folders of scratch instances, beside the queue and in it.
    pub(crate) fn scratch_folders(&self) -> Vec<PathBuf> {
        let parents = [
            self.postfix.path().to_owned(),
            self.postfix.queue_directory(),
        ];
        let entries = parents
            .iter()
            .flat_map(|parent| fs::read_dir(parent).unwrap().flatten());
        let scratch = |path: &PathBuf| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().contains("scratch"))
        };
        entries.map(|entry| entry.path()).filter(scratch).collect()
    }

    /// Processes that work in a scratch queue of this site.
    pub(crate) fn scratch_processes(&self) -> usize {
        let inside = |cwd: &Path| {
            cwd.starts_with(self.postfix.path()) && cwd.to_string_lossy().contains("scratch")
        };
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let cwds = entries.filter_map(|entry| fs::read_link(entry.path().join("cwd")).ok());
        cwds.filter(|cwd| inside(cwd)).count()
    }

    /// Waits until nothing is queued; what `postqueue -p` says in the end. After a reload qmgr
    /// puts aside what a delivery agent of before still holds, until its next run; that would
    /// come in five minutes, `postqueue -f` has it now.
    pub(crate) fn drained(&self, patience: Duration) -> String {
        let end = Instant::now() + patience;
        loop {
            self.postqueue("-f");
            let said = self.postqueue("-p");
            if said.contains("Mail queue is empty") || Instant::now() > end {
                return said.trim().to_owned();
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    fn postqueue(&self, how: &str) -> String {
        let output = Command::new("/usr/sbin/postqueue")
            .arg("-c")
            .arg(self.postfix.config_directory())
            .arg(how)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

fn stock() -> String {
    let places = [
        "/usr/share/postfix/master.cf.dist",
        "/etc/postfix/master.cf.proto",
    ];
    places
        .iter()
        .find_map(|path| fs::read_to_string(path).ok())
        .expect("a stock master.cf")
}

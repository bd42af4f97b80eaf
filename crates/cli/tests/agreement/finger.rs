//! What posttls-finger(1) says. It makes one connection; so it is asked for each version, each suite
//! up to TLS 1.2 (by taking out of its list what was chosen before), each group and each kind of key.

use crate::servers::Running;
use crate::{Said, suites, word, yes_no};
use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

const PROGRAM: &str = "/usr/sbin/posttls-finger";
const VERSIONS: [(&str, &str); 4] = [
    ("1.0", "TLSv1"),
    ("1.1", "TLSv1.1"),
    ("1.2", "TLSv1.2"),
    ("1.3", "TLSv1.3"),
];
/// OpenSSL's names of what Postfix 3.7 can be told to use.
const GROUPS: [&str; 5] = ["X25519", "X448", "prime256v1", "secp384r1", "secp521r1"];
/// All suites, with those that have no certificate.
const ALL: &str = "ALL:COMPLEMENTOFALL";

pub(crate) fn ask(server: &Running) -> Said {
    let mut said = Said::new();
    let asker = Asker::new(server);
    let first = asker.run(&["-l", "may"]);
    word(&mut said, "TLS", started(&first, server.wrapper()));
    let mut versions = BTreeSet::new();
    let mut old = Vec::new();
    for (number, name) in VERSIONS {
        if chosen(&asker.run(&["-c", "-l", "may", "-p", name])).is_none() {
            continue;
        }
        versions.insert(number.to_owned());
        if number != "1.3" {
            let names = asker.suites(name);
            old.push((name, names.clone()));
            suites(&mut said, number, names);
        }
    }
    if versions.is_empty() {
        return said;
    }
    let new = versions.contains("1.3");
    said.insert("versions", versions);
    asker.groups(&mut said);
    asker.certificates(&mut said);
    if let Some((version, names)) = old.last() {
        asker.order(version, names, &mut said);
        asker.sessions(version, &mut said);
        let talk = asker.run(&[
            "-c",
            "-l",
            "encrypt",
            "-p",
            version,
            "-L",
            "ssl-debug,summary",
            "-o",
            "tls_medium_cipherlist=ALL:!aNULL",
        ]);
        if chosen(&talk).is_some() {
            let asked = talk.contains("read server certificate request");
            word(
                &mut said,
                "client certificate",
                if asked { "asked" } else { "not asked" },
            );
        }
    }
    if let Some(again) = new.then(|| asker.again("TLSv1.3", "")).flatten() {
        yes_no(&mut said, "sessions again in TLS 1.3", again);
    }
    said
}

/// How TLS begins.
fn started(printed: &str, wrapper: bool) -> &'static str {
    match (chosen(printed).is_some(), wrapper) {
        (true, true) => "from the first byte",
        (true, false) => "STARTTLS",
        (false, _) if printed.contains("STARTTLS rejected: 454") => "refused (454)",
        (false, _) if !printed.contains("STARTTLS") => "none",
        (false, _) => "a handshake that fails",
    }
}

/// The suite of a handshake that succeeded.
fn chosen(printed: &str) -> Option<&str> {
    let line = printed
        .lines()
        .find(|line| line.contains("TLS connection established"))?;
    let (_, rest) = line.split_once(" with cipher ")?;
    rest.split(' ').next()
}

struct Asker<'r> {
    server: &'r Running,
    /// A folder with nothing of this machine's Postfix in it.
    folder: String,
}

impl<'r> Asker<'r> {
    fn new(server: &'r Running) -> Self {
        let folder = server.scene.named("client");
        fs::create_dir(&folder).unwrap();
        fs::write(format!("{folder}/main.cf"), "compatibility_level = 3.6\n").unwrap();
        Self { server, folder }
    }

    /// What it prints.
    fn run(&self, words: &[&str]) -> String {
        let at = self.server.scene.postfix.at(self.server.server.about().0);
        let target = format!("[{}]:{}", at.ip(), at.port());
        let mut command = Command::new(PROGRAM);
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("MAIL_CONFIG", &self.folder)
            .args(["-t", "20", "-T", "20", "-d", "sha256"])
            .args(words);
        if self.server.wrapper() {
            command.arg("-w");
        }
        let output = command.arg(target).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        text(&output.stdout) + &text(&output.stderr)
    }

    /// What is chosen from a list.
    fn of(&self, version: &str, list: &str) -> Option<String> {
        let list = format!("tls_medium_cipherlist={list}");
        let printed = self.run(&["-c", "-l", "may", "-p", version, "-o", &list]);
        chosen(&printed).map(str::to_owned)
    }

    fn suites(&self, version: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut list = ALL.to_owned();
        while let Some(name) = self.of(version, &list) {
            list += &format!(":!{name}");
            assert!(
                names.insert(name),
                "one that was taken out is chosen again: {names:?}"
            );
        }
        names
    }

    fn groups(&self, said: &mut Said) {
        let takes = |group: &&str| {
            let curve = format!("tls_eecdh_auto_curves={group}");
            let kept = "tls_medium_cipherlist=ECDHE:!aNULL";
            chosen(&self.run(&["-c", "-l", "may", "-o", &curve, "-o", kept])).is_some()
        };
        let groups: BTreeSet<String> = GROUPS
            .iter()
            .filter(|group| takes(group))
            .map(|group| (*group).to_owned())
            .collect();
        if !groups.is_empty() {
            said.insert("groups", groups);
        }
    }

    /// Each kind of key alone up to TLS 1.2, and whatever TLS 1.3 shows.
    fn certificates(&self, said: &mut Said) {
        let mut names = BTreeSet::new();
        for (version, list) in [
            ("<=TLSv1.2", "aRSA"),
            ("<=TLSv1.2", "aECDSA"),
            ("TLSv1.3", "ALL"),
        ] {
            let list = format!("tls_medium_cipherlist={list}");
            let words = [
                "-c",
                "-l",
                "fingerprint",
                "-L",
                "summary,peercert",
                "-p",
                version,
                "-o",
                &list,
            ];
            let printed = self.run(&words);
            let print = printed.split_once(" fingerprint=").map(|(_, rest)| rest);
            if let Some(print) = print.and_then(|rest| rest.split(',').next()) {
                names.insert(self.server.certificate(print));
            }
        }
        if !names.is_empty() {
            said.insert("certificates", names);
        }
    }

    /// Two suites in either order.
    fn order(&self, version: &str, names: &BTreeSet<String>, said: &mut Said) {
        let mut with = names.iter().filter(|name| name.starts_with("ECDHE-"));
        if let (Some(one), Some(two)) = (with.next(), with.next()) {
            let first = self.of(version, &format!("{one}:{two}"));
            let second = self.of(version, &format!("{two}:{one}"));
            let same = first == second;
            word(
                said,
                "who chooses the suite",
                if same { "server" } else { "client" },
            );
        }
    }

    fn sessions(&self, version: &str, said: &mut Said) {
        let number = self.again(version, "NO_TICKET");
        if let Some(number) = number {
            yes_no(said, "session numbers up to TLS 1.2", number);
        }
        // With tickets allowed a session number may do in their place.
        if let (Some(either), Some(false)) = (self.again(version, ""), number) {
            yes_no(said, "session tickets up to TLS 1.2", either);
        }
    }

    /// Whether it takes its session up again where it comes back; `None` where it does not come back.
    fn again(&self, version: &str, options: &str) -> Option<bool> {
        let options = format!("tls_ssl_options={options}");
        let printed = self.run(&[
            "-l", "encrypt", "-p", version, "-r", "1", "-m", "1", "-o", &options,
        ]);
        let came = printed.contains("Reconnecting");
        came.then(|| printed.contains("Reusing old session"))
    }
}

//! An adopted Postfix that sends mail, and questions to its map of policies.

use crate::scene::{Ran, Scene};
use postseal_probe::Sink;
use postseal_testkit::edited;
use postseal_testkit::postfix_box::{BoxBuilder, PostfixBox};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) struct Place {
    pub(crate) scene: Scene,
}

impl Place {
    /// It sends by smtp(8).
    pub(crate) fn new() -> Self {
        Self::of(builder())
    }

    pub(crate) fn of(builder: BoxBuilder) -> Self {
        let place = Self::unadopted(builder);
        place.must("init");
        place
    }

    pub(crate) fn unadopted(builder: BoxBuilder) -> Self {
        Self {
            scene: Scene::bare(builder),
        }
    }

    /// Runs the program; words are split at blanks, `%20` is one.
    pub(crate) fn run(&self, words: &str) -> Ran {
        let words: Vec<String> = words
            .split(' ')
            .map(|word| word.replace("%20", " "))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.scene.run(&[&["--json"], words.as_slice()].concat())
    }

    pub(crate) fn must(&self, words: &str) -> Ran {
        self.ends(0, words)
    }

    #[track_caller]
    pub(crate) fn ends(&self, exit: i32, words: &str) -> Ran {
        let ran = self.run(words);
        assert_eq!(
            ran.exit,
            Some(exit),
            "{words}: {}{}",
            ran.stdout,
            ran.stderr
        );
        ran
    }

    /// The destinations and policies that `policy list` shows, `destination policy` each.
    pub(crate) fn listed(&self, field: &str) -> Vec<String> {
        let listed = self.must("policy list").json;
        let rules = listed["rules"].as_array().unwrap().iter();
        let text = |rule: &Value| {
            let policy = rule[field]["policy"].as_str()?;
            Some(format!(
                "{} {policy}",
                rule["destination"].as_str().unwrap()
            ))
        };
        rules.filter_map(text).collect()
    }

    pub(crate) fn main_cf(&self) -> String {
        fs::read_to_string(self.config().join("main.cf")).unwrap()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.scene.postfix.config_directory().to_owned()
    }

    /// What stands in the folder of Postseal's files, sorted.
    pub(crate) fn installed(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.config().join("postseal.d"));
        let entries = entries.into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.sort();
        files
    }

    /// What `postconf` says of the client's maps.
    pub(crate) fn maps(&self) -> String {
        let output = Command::new("/usr/sbin/postconf")
            .args(["-c", &self.scene.config(), "-h", "smtp_tls_policy_maps"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What Postfix looks up for a key, through the first of its maps.
    pub(crate) fn looked_up(&self, key: &str) -> Option<String> {
        let maps = self.maps();
        let first = maps.split([',', ' ']).next().unwrap();
        let output = Command::new("/usr/sbin/postmap")
            .args(["-c", &self.scene.config(), "-q", key, first])
            .output()
            .unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        output.status.success().then(|| text.trim().to_owned())
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.config().join(name);
        match name {
            "main.cf" => edited::write(&path, text).unwrap(),
            _ => fs::write(&path, text).unwrap(),
        }
        path
    }

    /// Appends services to master.cf.
    pub(crate) fn add_to_master_cf(&self, text: &str) {
        let master = fs::read_to_string(self.config().join("master.cf")).unwrap();
        self.write("master.cf", &(master + text));
    }

    /// Names tables before those that the client asks already.
    pub(crate) fn put_first(&self, tables: &str) {
        let named = "smtp_tls_policy_maps = ";
        let main = self.main_cf();
        let edited = main.replace(named, &format!("{named}{tables}, "));
        assert_ne!(edited, main);
        self.write("main.cf", &edited);
    }

    /// `postfix reload`
    pub(crate) fn reload(&self) {
        crate::scene::run("/usr/sbin/postfix", &["-c", &self.scene.config(), "reload"]);
    }

    /// At which level mail for a domain leaves, as `explain` says.
    pub(crate) fn level(&self, domain: &str) -> Value {
        let explained = self.must(&format!("explain {domain}")).json;
        explained["hops"][0]["level"].clone()
    }

    /// Writes a table and compiles it.
    pub(crate) fn table(&self, name: &str, rows: &str) -> String {
        self.table_of("hash", name, rows)
    }

    /// The same of another type.
    pub(crate) fn table_of(&self, kind: &str, name: &str, rows: &str) -> String {
        let path = self.write(name, rows);
        let table = format!("{kind}:{}", Path::new(&path).display());
        crate::scene::run("/usr/sbin/postmap", &["-c", &self.scene.config(), &table]);
        table
    }
}

/// It sends by smtp(8) wherever the mail goes.
pub(crate) fn builder() -> BoxBuilder {
    PostfixBox::builder()
        .set("default_transport", "smtp")
        .set("relay_transport", "smtp")
        .set("smtp_tls_security_level", "may")
        // Whoever trusts nobody can keep no rule with `secure`.
        .set("tls_append_default_CA", "yes")
}

/// A server as a next hop.
pub(crate) fn hop(sink: &Sink) -> String {
    let address = sink.address();
    format!("[{}]:{}", address.ip(), address.port())
}

/// The codes of the findings of an answer.
pub(crate) fn codes(answer: &Value) -> Vec<&str> {
    let found = answer["findings"].as_array().unwrap().iter();
    found.filter_map(|one| one["code"].as_str()).collect()
}

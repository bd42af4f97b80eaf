//! A Postfix in a container: another network, another mount namespace.

use crate::site::{Site, run, wait_for};
use postseal_testkit::postfix_box::PostfixBox;
use std::fs;
use std::process::{Child, Command, Stdio};

/// A process that keeps two namespaces alive.
struct Container(Child);

impl Container {
    fn start() -> Self {
        let child = Command::new("unshare")
            .args(["--mount", "--net", "sleep", "600"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let container = Self(child);
        let here = fs::read_link("/proc/self/ns/net").unwrap();
        let there = format!("/proc/{}/ns/net", container.0.id());
        wait_for("the container", || {
            fs::read_link(&there).is_ok_and(|ns| ns != here)
        });
        container
    }

    fn words(&self) -> Vec<String> {
        let pid = self.0.id().to_string();
        let words = ["nsenter", "-t", &pid, "-m", "-n"];
        words.map(str::to_owned).to_vec()
    }

    fn run(&self, args: &[&str]) {
        let words = self.words();
        let mut all: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        all.extend(args);
        run(&words[0], &all);
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_prefix_and_a_root_in_the_file_of_defaults() {
    let mut site = Site::unadopted(PostfixBox::builder());
    let container = Container::start();
    let address = format!("{}/32", site.postfix.address());
    container.run(&["ip", "link", "set", "lo", "up"]);
    container.run(&["ip", "addr", "add", &address, "dev", "lo"]);
    let config = site.postfix.config_directory().display().to_string();
    container.run(&["/usr/lib/postfix/sbin/master", "-c", &config, "-w"]);
    assert_eq!(site.serves_tls(), None, "it is not on this network");
    let toml = format!(
        "[host]\nprefix = {:?}\nroot = \"/proc/{}/root\"\n",
        container.words(),
        container.0.id()
    );
    fs::write(site.named("postseal.toml"), toml).unwrap();
    site.options = vec!["--config".to_owned(), site.named("postseal.toml")];
    site.adopt();
    site.wish();
    let old = site.files();
    site.expect(0, &["apply"]);
    let ran = site.expect(0, &["verify"]);
    assert_eq!(ran.json["outcome"], "pass", "{:#}", ran.json);
    site.expect(0, &["rollback"]);
    assert_eq!(site.files(), old);
    // A guard knows the container too.
    site.expect(0, &["apply", "--confirm-within", "2s"]);
    wait_for("the rollback", || site.files() == old);
    site.options = vec!["--config".to_owned(), site.named("missing.toml")];
    let ran = site.expect(65, &["status"]);
    assert_eq!(ran.code(), "config.unreadable");
}

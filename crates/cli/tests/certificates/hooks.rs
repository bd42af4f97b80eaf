//! The README's lines for ACME clients, run as those clients run them: with a shell or without,
//! with the words and the environment that they set.

use crate::scene::POSTSEAL;
use crate::site::{Site, all};
use postseal_issue::KeyType;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

const README: &str = include_str!("../../../../README.md");

/// What the README says for a client, from its line of the block.
fn line(client: &str) -> &'static str {
    let lines = README.lines().filter(|line| line.starts_with("    "));
    let mut words = lines.filter_map(|line| line.trim().strip_prefix(client)?.strip_prefix(' '));
    words.next().expect("a line of the README").trim()
}

/// The part between single quotes.
fn quoted(line: &'static str) -> &'static str {
    let (_, rest) = line.split_once('\'').expect("a quote");
    rest.strip_suffix('\'').expect("a quote at its end")
}

/// A fake client: renews, and runs what it is told to.
struct Client<'s> {
    site: &'s Site,
    key: String,
    cert: String,
}

impl<'s> Client<'s> {
    fn renews(site: &'s Site, name: &str) -> Self {
        let path = site.make(name, KeyType::EcdsaP256, &["mx.box.test"]);
        let text = fs::read_to_string(path).unwrap();
        let (key, cert) = text.split_at(text.find("-----BEGIN CERTIFICATE").unwrap());
        Self {
            site,
            key: key.to_owned(),
            cert: cert.to_owned(),
        }
    }

    /// A folder with its files.
    fn folder(&self, name: &str, [cert, key]: [&str; 2]) -> String {
        let folder = self.site.scene.named(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(format!("{folder}/{cert}"), &self.cert).unwrap();
        fs::write(format!("{folder}/{key}"), &self.key).unwrap();
        folder
    }

    /// Runs these words with what a service has in its environment.
    fn runs(&self, words: &[&str], environment: &[(&str, &str)]) {
        let programs = self.site.scene.named("bin");
        let _ = fs::create_dir(&programs);
        let _ = symlink(POSTSEAL, format!("{programs}/postseal"));
        let output = Command::new(words[0])
            .args(&words[1..])
            .env_clear()
            .env("PATH", format!("{programs}:/usr/sbin:/usr/bin:/sbin:/bin"))
            .env("POSTSEAL_INSTANCE", self.site.scene.config())
            .env("POSTSEAL_STORE", self.site.scene.store())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said}");
    }
}

#[test]
fn certbot_names_the_lineage() {
    let site = Site::serving();
    let client = Client::renews(&site, "renewed");
    let hook = quoted(line("certbot"));
    // It runs for every lineage, and nobody wants to be told of the others.
    for (lineage, shown) in [("www.example.org", "mx"), ("mx.example.org", "renewed")] {
        let files = ["fullchain.pem", "privkey.pem"];
        let live = client.folder(&format!("live/{lineage}"), files);
        let environment = [
            ("RENEWED_LINEAGE", live.as_str()),
            ("RENEWED_DOMAINS", "mx.box.test"),
        ];
        client.runs(&["/bin/sh", "-c", hook], &environment);
        assert_eq!(site.plainly(), all(shown), "{lineage}");
    }
}

#[test]
fn dehydrated_calls_a_function_with_the_paths() {
    let site = Site::serving();
    let client = Client::renews(&site, "renewed");
    let folder = client.folder("certs", ["fullchain.pem", "privkey.pem"]);
    let at = |name: &str| format!("{folder}/{name}");
    // As its example hook ends: HANDLER="$1"; shift; "$HANDLER" "$@".
    let hook = format!(
        "{}\nHANDLER=\"$1\"; shift; \"$HANDLER\" \"$@\"",
        line("dehydrated")
    );
    let (key, cert, chain) = (at("privkey.pem"), at("cert.pem"), at("fullchain.pem"));
    for (domain, shown) in [("www.example.org", "mx"), ("mx.example.org", "renewed")] {
        let words = ["/bin/bash", "-c", &hook, "hook.sh", "deploy_cert", domain];
        let files = [&key, &cert, &chain, &at("chain.pem"), "1796083200"];
        client.runs(&[&words[..], &files].concat(), &[]);
        assert_eq!(site.plainly(), all(shown), "{domain}");
    }
}

#[test]
fn lego_splits_at_blanks_and_asks_no_shell() {
    let site = Site::serving();
    let client = Client::renews(&site, "renewed");
    let folder = client.folder("lego", ["mx.example.org.crt", "mx.example.org.key"]);
    fs::write(format!("{folder}/mx.example.org.json"), "{}").unwrap();
    fs::write(format!("{folder}/mx.example.org.issuer.crt"), &client.cert).unwrap();
    let hook = quoted(line("lego"));
    assert!(hook.contains("/var/lib/lego/certificates"), "{hook}");
    let hook = hook.replace("/var/lib/lego/certificates", &folder);
    let words: Vec<&str> = hook.split_whitespace().collect();
    let cert = format!("{folder}/mx.example.org.crt");
    let programs = site.scene.named("bin");
    let program = format!("{programs}/{}", words[0]);
    let words = [&[program.as_str()], &words[1..]].concat();
    client.runs(&["/bin/true"], &[]);
    client.runs(&words, &[("LEGO_CERT_PATH", &cert)]);
    assert_eq!(site.plainly(), all("renewed"));
}

#[test]
fn acme_sh_evaluates_its_command() {
    let site = Site::serving();
    let client = Client::renews(&site, "renewed");
    let folder = client.folder("mx_ecc", ["mx.example.org.cer", "mx.example.org.key"]);
    fs::write(format!("{folder}/fullchain.cer"), &client.cert).unwrap();
    fs::write(
        format!("{folder}/mx.example.org.conf"),
        "Le_Domain='mx.example.org'\n",
    )
    .unwrap();
    let hook = quoted(line("acme.sh"));
    let place = "/root/.acme.sh/mx.example.org_ecc";
    assert!(hook.contains(place), "{hook}");
    let hook = hook.replace(place, &folder);
    client.runs(
        &["/bin/sh", "-c", "eval \"$1\"", "acme.sh", &hook],
        &[("Le_Domain", "mx.example.org")],
    );
    assert_eq!(site.plainly(), all("renewed"));
}

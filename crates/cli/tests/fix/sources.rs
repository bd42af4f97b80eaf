//! Four documents: a product's page and three guides. Their settings, typed anew, on a real Postfix:
//! what lint finds, what `--fix` wishes for, what it finds then, and that Postfix serves TLS with it.
//!
//! Owns: `docs/reference/sources.md`, a section a document (`sources/NAME.md`), written with
//! `BLESS=1`. The box listens on loopback, where lint is milder; so findings and wishes are those of
//! a copy of the configuration that listens everywhere, and the wishes go to the box by `set`.

use crate::scene::{Scene, run, stock_master};
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One document.
struct Source {
    name: &'static str,
    title: &'static str,
    main: &'static str,
    master: &'static str,
    /// Its table of policies.
    policy: &'static str,
    /// Its rows as the remedies of lint would have them, where that takes a hand, and what was done.
    by_hand: Option<[&'static str; 2]>,
    /// What its administrator decides about what `--fix` leaves to people.
    decided: &'static [&'static str],
    /// Where TLS is to be seen in the end: with STARTTLS, and from the first byte.
    ports: [&'static [u16]; 2],
}

const SOURCES: [Source; 4] = [
    Source {
        name: "hermes",
        title: "A product's page of TLS settings",
        main: include_str!("sources/hermes.cf"),
        master: "",
        policy: "example.com encrypt\n.example.org encrypt\n",
        by_hand: None,
        decided: &[],
        ports: [&[25], &[]],
    },
    Source {
        name: "starttls-and-smtps",
        title: "A guide to STARTTLS and SMTPS",
        main: include_str!("sources/starttls-and-smtps.cf"),
        master: include_str!("sources/starttls-and-smtps.master"),
        policy: "",
        by_hand: None,
        decided: &[],
        ports: [&[25, 587], &[465]],
    },
    Source {
        name: "server-and-client",
        title: "A guide to Postfix as TLS server and client",
        main: include_str!("sources/server-and-client.cf"),
        master: include_str!("sources/server-and-client.master"),
        policy: include_str!("sources/server-and-client.policy"),
        by_hand: Some([
            include_str!("sources/server-and-client.mended"),
            "Rows of policies are no settings, so `--fix` leaves them. By hand: `protocols=TLSv1` was taken out; what \
             stood for `[example.com]:25` and `[example.net]:465`, to which no route leads, stands for the domains.",
        ]),
        decided: &[],
        ports: [&[25], &[465]],
    },
    Source {
        name: "enforced",
        title: "A guide that demands TLS of everybody",
        main: include_str!("sources/enforced.cf"),
        master: "",
        policy: "",
        by_hand: None,
        decided: &["level.mandatory-on-public-25", "outbound.mandatory-for-all"],
        ports: [&[25], &[]],
    },
];

const HEAD: &str = "# What administrators find, and what `lint --fix` makes of it

The settings of four documents about Postfix and TLS, on Postfix 3.7.11 with a certificate of a private CA in the
place of theirs. Made by `crates/cli/tests/fix/sources.rs`, which also applies each plan to a real Postfix
and completes a handshake on every port (`BLESS=1 cargo nextest run -p postseal --test fix`).

`--fix` takes what means the same, or mends what does not work. What changes a promise is no program's to decide: it
stays, and is taken by name (`lint --fix --with CODE`). With the plan that is shown, and what is done by hand where that is
said, no finding above info is left.
";

#[test]
fn a_products_page_is_mended() {
    mended(&SOURCES[0]);
}

#[test]
fn a_guide_to_starttls_and_smtps_is_mended() {
    mended(&SOURCES[1]);
}

#[test]
fn a_guide_to_server_and_client_is_mended() {
    mended(&SOURCES[2]);
}

#[test]
fn a_guide_that_demands_tls_is_mended() {
    mended(&SOURCES[3]);
}

#[test]
fn the_sources_stand_side_by_side() {
    let sections = SOURCES.iter().map(|source| read(&section(source)));
    let text = [HEAD.to_owned()].into_iter().chain(sections);
    let text: String = text.collect::<Vec<_>>().join("\n");
    golden(&here("../../docs/reference/sources.md"), &text);
}

fn mended(source: &Source) {
    let scene = scene(source);
    let before = findings(
        &public(&scene, "before")
            .must(&["lint", "--fail-on", "fatal"])
            .json,
    );
    let fix = public(&scene, "fixed").run(&["lint", "--fix"]);
    let wishes = words(&fix);
    let exit = if wishes.is_empty() { 0 } else { 2 };
    assert_eq!(fix.exit, Some(exit), "{fix:#?}");
    let mut by_name = vec!["lint", "--fix"];
    by_name.extend(source.decided.iter().flat_map(|code| ["--with", code]));
    let whole = public(&scene, "whole").ends(exit, &by_name);
    if let Some([rows, _]) = source.by_hand {
        write_rows(&scene, rows);
    }
    scene.must(&["init"]);
    applied(&scene, &wishes);
    let after = findings(
        &public(&scene, "after")
            .must(&["lint", "--fail-on", "error"])
            .json,
    );
    let left: Vec<&str> = above_info(&after);
    assert_eq!(left, source.decided, "{after:#?}");

    let mut decided = Vec::new();
    if !source.decided.is_empty() {
        decided = words(&public(&scene, "decided").ends(2, &by_name));
        applied(&scene, &decided);
    }
    let end = findings(
        &public(&scene, "end")
            .must(&["lint", "--fail-on", "warning"])
            .json,
    );
    assert_eq!(above_info(&end), Vec::<&str>::new(), "{end:#?}");
    // One plan does all of it.
    let all = BTreeSet::from_iter(wishes.iter().chain(&decided).cloned());
    assert_eq!(BTreeSet::from_iter(words(&whole)), all);
    let again = public(&scene, "again").must(&["lint", "--fix"]);
    assert_eq!(again.json["wishes"], serde_json::json!([]), "{again:#?}");
    served(&scene, source);

    let mut text = told(source, [&before, &after, &end], [&wishes, &decided]);
    let diff = whole
        .text("diff")
        .replace(&scene.postfix.path().display().to_string(), "");
    let diff = diff.replace(&scene.postfix.address().to_string(), "192.0.2.25");
    if !wishes.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\nThe plan of `{}`:\n\n```diff\n{diff}```\n",
            by_name.join(" ")
        );
    }
    golden(&section(source), &text);
}

/// The box with the document's settings and the files that they name.
fn scene(source: &Source) -> Scene {
    let builder = PostfixBox::builder()
        .set("default_transport", "smtp")
        .append_main_cf("\n# As the document says.\n")
        .append_main_cf(source.main)
        .master_cf(stock_master() + source.master)
        .sasl_user("ingrid", "secret");
    let scene = Scene::stopped(builder);
    let tls = scene.postfix.path().join("tls");
    fs::create_dir(&tls).unwrap();
    for name in ["rsa.pem", "rsa.key", "ec.pem", "ec.key", "ca.pem"] {
        fs::copy(scene.named(name), tls.join(name)).unwrap();
    }
    write_rows(&scene, source.policy);
    for bits in ["512", "1024", "2048"] {
        let file = tls.join(format!("{bits}.dh")).display().to_string();
        run(
            "/usr/bin/openssl",
            &["dhparam", "-dsaparam", "-out", &file, bits],
        );
    }
    scene.postfix.start().unwrap();
    scene
}

/// The table of policies, made anew.
fn write_rows(scene: &Scene, rows: &str) {
    let path = scene.postfix.path().join("tls/tls_policy");
    fs::write(&path, rows).unwrap();
    let table = format!("hash:{}", path.display());
    run("/usr/sbin/postmap", &["-c", &scene.config(), &table]);
}

/// A copy of the configuration that listens everywhere.
struct Public<'s> {
    scene: &'s Scene,
    folder: PathBuf,
}

fn public<'s>(scene: &'s Scene, name: &str) -> Public<'s> {
    let folder = scene.folder().join("public").join(name);
    fs::create_dir_all(&folder).unwrap();
    for name in ["main.cf", "master.cf"] {
        let text = fs::read_to_string(scene.path_of(name)).unwrap();
        let address = format!("inet_interfaces = {}\n", scene.postfix.address());
        let text = text.replace(&address, "inet_interfaces = all\n");
        fs::write(folder.join(name), text).unwrap();
    }
    Public { scene, folder }
}

impl Public<'_> {
    fn run(&self, words: &[&str]) -> crate::scene::Ran {
        let path = self.folder.display().to_string();
        let all: Vec<&str> = words.iter().copied().chain([path.as_str()]).collect();
        self.scene.run(&all)
    }

    fn ends(&self, exit: i32, words: &[&str]) -> crate::scene::Ran {
        let path = self.folder.display().to_string();
        let all: Vec<&str> = words.iter().copied().chain([path.as_str()]).collect();
        self.scene.ends(exit, &all)
    }

    fn must(&self, words: &[&str]) -> crate::scene::Ran {
        self.ends(0, words)
    }
}

fn words(fix: &crate::scene::Ran) -> Vec<String> {
    let wishes = fix.json["wishes"].as_array().unwrap().iter();
    wishes
        .map(|wish| wish.as_str().unwrap().to_owned())
        .collect()
}

fn applied(scene: &Scene, wishes: &[String]) {
    if wishes.is_empty() {
        return;
    }
    let words = ["set"].into_iter().chain(wishes.iter().map(String::as_str));
    scene.must(&words.collect::<Vec<_>>());
    scene.must(&["apply", "--yes"]);
}

/// Code and what it is about, with the severity; what a machine without DNS says is left out.
fn findings(document: &Value) -> BTreeMap<String, String> {
    let all = document["findings"].as_array().unwrap().iter();
    let told = all.map(|finding| {
        let code = finding["code"].as_str().unwrap();
        let parameter = finding["evidence"][0]["text"].as_str().unwrap_or_default();
        let parameter = parameter.split([' ', '=']).next().unwrap_or_default();
        let severity = finding["severity"].as_str().unwrap().to_owned();
        (format!("{code} {parameter}"), severity)
    });
    told.collect()
}

fn above_info(findings: &BTreeMap<String, String>) -> Vec<&str> {
    let grave = findings.iter().filter(|(_, severity)| *severity != "info");
    grave
        .map(|(what, _)| what.split(' ').next().unwrap())
        .collect()
}

fn told(
    source: &Source,
    columns: [&BTreeMap<String, String>; 3],
    [wishes, decided]: [&[String]; 2],
) -> String {
    let mut text = format!("## {}\n\n", source.title);
    let by_name = !source.decided.is_empty();
    text.push_str(match (by_name, source.by_hand) {
        (true, _) => "| finding | at | before | after `--fix` | after `--fix --with …` |\n|---|---|---|---|---|\n",
        (_, Some(_)) => "| finding | at | before | after `--fix` and a hand |\n|---|---|---|---|\n",
        _ => "| finding | at | before | after `--fix` |\n|---|---|---|---|\n",
    });
    let all: BTreeSet<&String> = columns.iter().flat_map(|c| c.keys()).collect();
    for what in all {
        let (code, parameter) = what.split_once(' ').unwrap();
        let shown = columns
            .iter()
            .map(|column| column.get(what).map_or("–", String::as_str));
        let shown: Vec<&str> = shown.take(if by_name { 3 } else { 2 }).collect();
        let _ = writeln!(text, "| `{code}` | `{parameter}` | {} |", shown.join(" | "));
    }
    let list = |wishes: &[String]| -> String {
        wishes.iter().map(|wish| format!("    {wish}\n")).collect()
    };
    match wishes.is_empty() {
        true => text.push_str("\nNothing is to be mended.\n"),
        false => {
            let _ = write!(text, "\nThe wishes:\n\n{}", list(wishes));
        }
    }
    if let Some([_, done]) = source.by_hand {
        let _ = write!(text, "\n{done}\n");
    }
    if by_name {
        let codes = source.decided.join(" --with ");
        let _ = write!(text, "\nWith `--with {codes}` also:\n\n{}", list(decided));
    }
    text
}

/// A handshake on every port, by OpenSSL's own client.
fn served(scene: &Scene, source: &Source) {
    let [starttls, implicit] = source.ports;
    for port in starttls.iter().chain(implicit) {
        let at = scene.postfix.at(*port).to_string();
        let mut words = vec![
            "s_client",
            "-connect",
            &at,
            "-verify_return_error",
            "-CAfile",
        ];
        let ca = scene.named("ca.pem");
        words.push(&ca);
        if starttls.contains(port) {
            words.extend(["-starttls", "smtp"]);
        }
        let client = Command::new("/usr/bin/openssl")
            .args(&words)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&client.stdout);
        assert!(
            said.contains("Verify return code: 0 (ok)"),
            "{port}: {said}"
        );
        assert!(said.contains("TLSv1.3"), "{port}: {said}");
    }
    scene.must(&["verify"]);
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn section(source: &Source) -> PathBuf {
    here(&format!("tests/fix/sources/{}.md", source.name))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn golden(path: &Path, text: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, text).unwrap();
    }
    assert_eq!(read(path), text, "{}", path.display());
}

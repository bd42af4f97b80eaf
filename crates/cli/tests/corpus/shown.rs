//! `show` on every file of the corpus: what it says is what `postconf` says, and what Postfix
//! refuses it refuses.
//!
//! main.cf: the whole program against `postconf -x`, and against the same files read with no Postfix
//! at hand. master.cf: each service's view against `postconf -x -o NAME=VALUE …`, which is what a
//! daemon reads, and each `-o` against `postconf -P`, raw and expanded.

use crate::place::corpus;
use crate::scene::{Ran, postseal, stock_master};
use postseal_engine::observe_values;
use postseal_host::{HostOptions, PostfixHost};
use postseal_planner::Facts;
use postseal_planner::catalog::{Role, find};
use postseal_planner::plan::Cf;
use postseal_planner::shown::{Which, show};
use postseal_testkit::beside::Sample;
use postseal_testkit::edited;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use tempfile::TempDir;

/// More than there are cores: a `postconf` that refuses a file sleeps for a second first.
const WORKERS: usize = 12;
/// A main.cf for services, with names that `-o` of the corpus refer to.
const MAIN: &str = "compatibility_level = 3.6
myhostname = mx.box.test
smtpd_tls_security_level = may
smtpd_tls_cert_file = $config_directory/$own_name.pem
own_name = mx.$mydomain
smtpd_tls_mandatory_protocols = ${smtpd_tls_wrappermode?{>=TLSv1.2}:{>=TLSv1.1}}
smtpd_tls_ciphers = ${{$smtpd_tls_security_level} == {encrypt} ? {high} : {medium}}
submission_smtpd_tls_mandatory_protocols = >=TLSv1.3
smtp_tls_CAfile = $smtpd_tls_cert_file
smtp_tls_security_level = $smtpd_tls_security_level
";

type Values = BTreeMap<String, String>;

/// What `postconf` came to.
struct Said {
    ok: bool,
    out: String,
}

fn postconf(folder: &Path, words: &[&str]) -> Said {
    let output = Command::new("/usr/sbin/postconf")
        .arg("-c")
        .arg(folder)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Said {
        ok: output.status.success(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
    }
}

/// `name = value` lines, of TLS parameters only.
fn tls(text: &str) -> Values {
    let pairs = text.lines().filter_map(|line| line.split_once(" ="));
    let tls = pairs.filter(|(name, _)| is_tls(name));
    tls.map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

fn is_tls(name: &str) -> bool {
    find(name).is_some_and(|one| one.role == Role::Tls || name.contains("_tls_"))
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    edited::write(folder.join(name), bytes).unwrap();
}

/// Calls `check` with each file and a folder, and sums what it counts.
fn on_each(samples: &[Sample], check: impl Fn(&Sample, &Path) -> usize + Sync) -> usize {
    let queue = Mutex::new(samples.iter());
    let work = || {
        let folder = TempDir::with_prefix("postseal-show-").unwrap();
        let mut count = 0;
        loop {
            let next = queue.lock().unwrap().next();
            let Some(sample) = next else { return count };
            count += check(sample, folder.path());
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|one| one.join().unwrap()).sum()
    })
}

fn program(folder: &Path, words: &[&str]) -> Ran {
    let instance = folder.display().to_string();
    let mut command = postseal(&["--instance", &instance, "--json", "show", "--all"]);
    Ran::of(&command.args(words).output().unwrap())
}

/// A field of each value that the program showed.
fn field<'v>(json: &'v Value, name: &str) -> BTreeMap<&'v str, Option<&'v str>> {
    let values = json["values"].as_array().unwrap().iter();
    values
        .map(|one| (one["name"].as_str().unwrap(), one[name].as_str()))
        .collect()
}

/// Values one by one, so that a difference is told alone.
fn same(place: &str, ours: &BTreeMap<&str, Option<&str>>, theirs: &Values) {
    for (name, value) in theirs {
        let own = ours.get(name.as_str()).copied().flatten();
        assert_eq!(own, Some(value.as_str()), "{place}: {name}");
    }
}

/// Whether Postfix refuses the files; then `show` does.
fn is_refused(sample: &Sample, said: &Said, ran: &Ran) -> bool {
    if said.ok {
        return false;
    }
    assert_eq!(
        (ran.exit, ran.code()),
        (Some(65), "instance.unreadable"),
        "{}: {ran:#?}",
        sample.name
    );
    true
}

#[test]
fn show_says_of_every_main_cf_what_postconf_says() {
    let samples = corpus(Cf::Main);
    let master = stock_master();
    let compared = on_each(&samples, |sample, folder| {
        put(folder, "main.cf", &sample.bytes);
        put(folder, "master.cf", master.as_bytes());
        let ran = program(folder, &[]);
        let said = postconf(folder, &["-x"]);
        if is_refused(sample, &said, &ran) {
            return 0;
        }
        assert_eq!(ran.exit, Some(0), "{}: {ran:#?}", sample.name);
        dies(sample, folder, &ran.json);
        let expanded = tls(&said.out);
        same(&sample.name, &field(&ran.json, "expanded"), &expanded);
        same(
            &sample.name,
            &field(&ran.json, "raw"),
            &tls(&postconf(folder, &[]).out),
        );
        same(
            &sample.name,
            &field(&ran.json, "default"),
            &tls(&postconf(folder, &["-d"]).out),
        );
        places(sample, &ran.json);
        expanded.len()
    });
    println!("{compared} values of main.cf compared");
    assert!(samples.is_empty() || compared > 80 * 150, "{compared}");
}

/// What daemons die of, and `postconf -x` does not, is told beside.
fn dies(sample: &Sample, folder: &Path, json: &Value) {
    let daemons = postconf(folder, &["-m"]);
    let told = json["warnings"].as_array().into_iter().flatten();
    let told = told
        .filter(|one| one["code"] == "instance.unreadable")
        .count();
    assert_eq!(told, usize::from(!daemons.ok), "{}: {json:#}", sample.name);
}

/// What is set stands where it is said to, under its name.
fn places(sample: &Sample, json: &Value) {
    let text = String::from_utf8_lossy(&sample.bytes);
    let lines: Vec<&str> = text.split('\n').collect();
    for (name, from) in field(json, "from") {
        let from = from.unwrap();
        if from == "default" {
            continue;
        }
        let line: usize = from.strip_prefix("main.cf:").unwrap().parse().unwrap();
        let there = lines[line - 1].trim_start();
        assert!(there.starts_with(name), "{}: {name} {from}", sample.name);
    }
}

#[test]
fn without_a_postfix_the_same_is_said_as_far_as_it_can_be_known() {
    let samples = corpus(Cf::Main);
    let known = on_each(&samples, |sample, folder| {
        put(folder, "main.cf", &sample.bytes);
        put(folder, "master.cf", stock_master().as_bytes());
        let ran = program(folder, &["--postfix-version", "3.7.11"]);
        let said = postconf(folder, &["-x"]);
        if is_refused(sample, &said, &ran) {
            return 0;
        }
        let theirs = tls(&said.out);
        let ours = field(&ran.json, "expanded");
        let mut known = 0;
        for (name, value) in &theirs {
            let own = ours.get(name.as_str());
            assert!(own.is_some(), "{}: {name} is not shown", sample.name);
            if let Some(Some(own)) = own {
                assert_eq!(own, value, "{}: {name}", sample.name);
                known += 1;
            }
        }
        known
    });
    println!("{known} values known without Postfix");
    assert!(samples.is_empty() || known > 80 * 145, "{known}");
}

#[test]
fn show_says_of_every_service_what_its_processes_read() {
    let samples = corpus(Cf::Master);
    let compared = on_each(&samples, |sample, folder| {
        put(folder, "main.cf", MAIN.as_bytes());
        put(folder, "master.cf", &sample.bytes);
        let host = PostfixHost::new(HostOptions::new(folder)).unwrap();
        let facts = observe_values(&host);
        let said = postconf(folder, &["-P"]);
        assert_eq!(facts.is_ok(), said.ok, "{}", sample.name);
        let Ok(facts) = facts else { return 0 };
        let raw = overrides(&said.out);
        let expanded = overrides(&postconf(folder, &["-P", "-x"]).out);
        let mut compared = 0;
        for (service, given) in &raw {
            let place = format!("{} {service}", sample.name);
            compared += of_service(&facts, folder, &place, service, given);
            let names: Vec<String> = given.keys().cloned().collect();
            let listing = show(&facts, Which::Named(&names), Some(service)).unwrap();
            for one in &listing.values {
                let place = format!("{place} {}", one.name);
                assert_eq!(one.raw, given[&one.name], "{place}");
                // A computed value (`mynetworks`) ends with a blank there.
                let theirs = expanded[service][&one.name].replace(" ,", ",");
                assert_eq!(one.expanded.as_deref(), Some(&*theirs), "{place}");
                assert!(one.from.ends_with(" -o"), "{place}: {}", one.from);
            }
        }
        compared
    });
    println!("{compared} values of services compared");
    assert!(samples.is_empty() || compared > 20_000, "{compared}");
}

/// `service/type/name = value` lines, by service.
fn overrides(text: &str) -> BTreeMap<String, Values> {
    let mut all: BTreeMap<String, Values> = BTreeMap::new();
    for line in text.lines() {
        let (key, value) = line.split_once(" =").unwrap();
        let (service, name) = key.rsplit_once('/').unwrap();
        let given = all.entry(service.to_owned()).or_default();
        given.insert(name.to_owned(), value.trim().to_owned());
    }
    all
}

/// Everything that a process of the service reads.
fn of_service(facts: &Facts, folder: &Path, place: &str, service: &str, given: &Values) -> usize {
    let options: Vec<String> = given.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let mut words = vec!["-x"];
    words.extend(options.iter().flat_map(|option| ["-o", option.as_str()]));
    let said = postconf(folder, &words);
    assert!(said.ok, "{place}");
    let listing = show(facts, Which::All, Some(service)).unwrap();
    let ours: BTreeMap<&str, Option<&str>> = listing
        .values
        .iter()
        .map(|one| (one.name.as_str(), one.expanded.as_deref()))
        .collect();
    let theirs = tls(&said.out);
    same(place, &ours, &theirs);
    theirs.len()
}

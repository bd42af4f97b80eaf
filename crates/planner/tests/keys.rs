//! Every key with every value, on five hosts: the exact lines that change, the order in which
//! they are published, and what the wire must show; and that all of it can be undone.
//!
//! A host is a folder of `keys/`: its files, and `host`, the script that shapes it. `BLESS=1`
//! writes what the planner says now; read the difference before committing it.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use postfix_cf::MainCf;
use postseal_planner::plan::{Cf, Plan, Step};
use postseal_planner::settings::KEYS;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use support::{Host, data, script, text};

/// Values that no list can hold, and words that only make sense together.
const MORE: [&str; 12] = [
    "outbound=verify trust.outbound=system",
    "outbound=secure trust.outbound=/etc/ssl/own.pem",
    "trust.outbound=/etc/ssl/anchors/",
    "trust.inbound=/etc/ssl/own.pem",
    "client-certs=require inbound=encrypt",
    "mode=encrypt loopback-cleartext=yes",
    "submission=on smtps=on",
    "submission=off smtps=off",
    "param.smtpd_tls_exclude_ciphers=aNULL, MD5",
    "param.smtpd_tls_loglevel=2",
    "param.smtp_tls_security_level=none",
    "profile=recommended param.smtp_tls_protocols=>=TLSv1.3",
];

/// Wishes, each a `set` or several that are wished together.
fn wishes() -> Vec<String> {
    let listed = KEYS.iter().filter(|doc| doc.name != "param.NAME");
    let mut wishes: Vec<String> = listed
        .flat_map(|doc| {
            let values = doc
                .values
                .split(", ")
                .filter(|value| !value.starts_with('/'));
            values.map(|value| format!("{}={value}", doc.name))
        })
        .collect();
    wishes.extend(MORE.map(str::to_owned));
    wishes
}

/// `KEY=VALUE KEY=VALUE`; a value may hold blanks.
fn script_of(wish: &str, word: &str) -> String {
    let starts = |part: &str| {
        let key = part.split('=').next().unwrap_or_default();
        part.contains('=')
            && KEYS
                .iter()
                .any(|doc| doc.name == key || key.starts_with("param."))
    };
    let mut lines: Vec<String> = Vec::new();
    for part in wish.split(' ') {
        match lines.last_mut() {
            Some(line) if !starts(part) => *line = format!("{line} {part}"),
            _ => lines.push(format!("{word} {part}")),
        }
    }
    if word == "unset" {
        lines
            .iter_mut()
            .for_each(|line| *line = line.split('=').next().unwrap_or_default().into());
    }
    lines.join("\n")
}

fn host(name: &str) -> Host {
    let read = |file: &str| fs::read(data("keys").join(name).join(file)).expect("a file of a host");
    let mut host = Host::new(&read("main.cf"), &read("master.cf"));
    host.put("/etc/ssl/own.pem", support::file(support::pem("root")));
    let shape = String::from_utf8(read("host")).expect("a script");
    script::run(&mut host, &shape).expect("a host that can be planned for");
    host
}

fn bytes(host: &Host) -> [Vec<u8>; 2] {
    [&host.facts.main_cf.bytes, &host.facts.master_cf.bytes].map(Vec::clone)
}

/// What changes, as short as it can be said.
fn changes(plan: &Plan, before: &BTreeSet<String>) -> String {
    let mut said = String::new();
    for edit in &plan.edits {
        let lines = edit
            .diff
            .lines()
            .filter(|line| line.starts_with(['-', '+', '\\']));
        for line in lines.filter(|line| !line.starts_with("--- ")) {
            let line = line.strip_prefix("+++ b/").unwrap_or(line);
            let _ = writeln!(said, "{}", line.replace('\r', "<CR>"));
        }
    }
    let steps: Vec<&str> = plan.steps.iter().map(step).collect();
    let _ = writeln!(said, "steps {}", steps.join(", "));
    for line in text::expectations(plan) {
        if !before.contains(&line) {
            let _ = writeln!(said, "wire {line}");
        }
    }
    for confirmation in &plan.confirmations {
        let _ = writeln!(said, "confirm {}", confirmation.code);
    }
    for noticed in &plan.findings {
        if !noticed.was_so_before {
            let _ = writeln!(
                said,
                "{:?} {}",
                noticed.finding.severity, noticed.finding.code
            );
        }
    }
    said
}

fn step(step: &Step) -> &'static str {
    match step {
        Step::InstallChain { .. } | Step::InstallSniMap(_) | Step::InstallPolicyMap(_) => "install",
        Step::Publish { file: Cf::Main } => "main",
        Step::Publish { file: Cf::Master } => "master",
        Step::Reload => "reload",
        Step::Restart => "restart",
        Step::Await => "await",
    }
}

/// What is not about TLS in main.cf, in its order, as it stands there.
fn strangers(main: &[u8]) -> Vec<String> {
    let main = MainCf::parse(main);
    let about_tls = |name: &str| name.contains("tls_") || name == "smtp_dns_support_level";
    let entries = main.entries().filter(|entry| !about_tls(&entry.name()));
    let raw = entries.map(|entry| String::from_utf8_lossy(entry.raw()).trim_end().to_owned());
    raw.collect()
}

/// The golden text of a host, and what does not hold there.
fn told(name: &str) -> (String, Vec<String>) {
    let ground = host(name);
    let idle = ground.clone().plan().expect("a plan of a host as it is");
    assert!(
        idle.is_empty(),
        "{name} has something to do before anything is wished"
    );
    let wire: BTreeSet<String> = text::expectations(&idle).into_iter().collect();
    let (mut said, mut wrong) = (String::new(), Vec::new());
    for wish in wishes() {
        let mut host = ground.clone();
        let _ = writeln!(said, "== {wish}");
        match script::run(&mut host, &script_of(&wish, "set")) {
            Ok(plan) if plan.is_empty() => said.push_str("nothing to do\n"),
            Ok(plan) => {
                said.push_str(&changes(&plan, &wire));
                wrong.extend(not_undone(&ground, &mut host, &plan, &wish));
            }
            Err(refusal) => {
                for finding in &refusal.findings {
                    let _ = writeln!(said, "refused {}\n  {}", finding.code, finding.message);
                }
            }
        }
    }
    (said, wrong)
}

/// Applied, nothing is left to do; rolled back or given back, every byte is as it was.
fn not_undone(ground: &Host, host: &mut Host, plan: &Plan, wish: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    host.apply(plan);
    if strangers(&host.facts.main_cf.bytes) != strangers(&ground.facts.main_cf.bytes) {
        wrong.push(format!(
            "{wish}: a line of main.cf that is not about TLS changed"
        ));
    }
    if !host.plan().is_ok_and(|plan| plan.is_empty()) {
        wrong.push(format!("{wish}: applied, and not settled"));
    }
    for way in ["rollback", &script_of(wish, "unset")] {
        let mut host = host.clone();
        match script::run(&mut host, way) {
            Ok(back) => host.apply(&back),
            Err(refusal) => wrong.push(format!("{wish}: {way}: {refusal}")),
        }
        let (mut now, mut then) = (bytes(&host), bytes(ground));
        if way != "rollback" {
            // A final newline that an added line needed is not taken away again.
            now.iter_mut().chain(&mut then).for_each(unended);
        }
        if now != then {
            wrong.push(format!("{wish}: {way}: other bytes than before"));
        }
    }
    wrong
}

/// Without a newline at its end.
fn unended(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.trim_ascii_end().len());
}

fn check(name: &str) {
    let (said, wrong) = told(name);
    let path = data("keys").join(name).join("expect");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &said).expect("written");
    }
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let differs = said
        .lines()
        .zip(expected.lines())
        .find(|(now, then)| now != then);
    assert!(
        said == expected,
        "{name}: first (now, then): {differs:?}\n{said}"
    );
}

#[test]
fn on_stock_files() {
    check("stock");
}

#[test]
fn on_files_with_duplicates_continuations_crlf_and_no_final_newline() {
    check("worn");
}

#[test]
fn where_services_override_main_cf() {
    check("overrides");
}

#[test]
fn beside_a_content_filter() {
    check("filter");
}

#[test]
fn behind_postscreen() {
    check("postscreen");
}

//! No code of a refusal, a finding or a confirmation without a story that brings it and a near
//! miss that does not.
//!
//! The codes are read from the sources of the planner itself, so that a new one fails here until
//! `stories.txt` tells of it. Lint's and the wire's codes have tests of their own that walk them.

#![allow(clippy::expect_used, reason = "helpers of tests")]

#[path = "../support/mod.rs"]
mod support;

use postseal_planner::{Plan, Refusal, Severity};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use support::{Host, data, script};

/// `### CODE HOW` (`refused`, `error`, `warning`, `info`, `confirm`) or `### !CODE`, a script, and
/// after `--- main` or `--- master` a file that is not the stock one.
const STORIES: &str = include_str!("stories.txt");

struct Story {
    head: &'static str,
    code: &'static str,
    /// `None`: a near miss.
    how: Option<&'static str>,
    script: &'static str,
    main: Option<&'static str>,
    master: Option<&'static str>,
}

fn stories() -> Vec<Story> {
    STORIES.split("### ").skip(1).map(story).collect()
}

fn story(text: &'static str) -> Story {
    let (head, body) = text.split_once('\n').expect("a head and a body");
    let (code, how) = head.split_once(' ').unwrap_or((head, ""));
    let (body, master) = match body.split_once("--- master\n") {
        Some((body, master)) => (body, Some(master)),
        None => (body, None),
    };
    let (script, main) = match body.split_once("--- main\n") {
        Some((script, main)) => (script, Some(main)),
        None => (body, None),
    };
    Story {
        head,
        code: code.trim_start_matches('!'),
        how: (!code.starts_with('!')).then_some(how),
        script,
        main,
        master,
    }
}

/// Every code that a result holds, with how it holds it.
fn said(result: &Result<Plan, Refusal>) -> Vec<(String, &'static str)> {
    let plan = match result {
        Ok(plan) => plan,
        Err(refusal) => {
            let findings = refusal.findings.iter();
            return findings.map(|f| (f.code.to_string(), "refused")).collect();
        }
    };
    let confirmed = plan
        .confirmations
        .iter()
        .map(|c| (c.code.clone(), "confirm"));
    let noticed = plan.findings.iter().map(|noticed| {
        let how = match noticed.finding.severity {
            Severity::Fatal | Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        (noticed.finding.code.to_string(), how)
    });
    confirmed.chain(noticed).collect()
}

fn result(story: &Story) -> Result<Plan, Refusal> {
    let stock =
        |name: &str| fs::read_to_string(data("plans/stock").join(name)).expect("a stock file");
    let main = story.main.map_or_else(|| stock("main.cf"), str::to_owned);
    let master = story
        .master
        .map_or_else(|| stock("master.cf"), str::to_owned);
    let mut host = Host::new(main.as_bytes(), master.as_bytes());
    script::run(&mut host, story.script)
}

#[test]
fn stories_bring_their_code_and_near_misses_do_not() {
    let mut wrong = Vec::new();
    for story in stories() {
        let told = said(&result(&story));
        let here: Vec<&str> = told
            .iter()
            .filter(|(code, _)| code == story.code)
            .map(|(_, how)| *how)
            .collect();
        let right = match story.how {
            Some(how) => here.contains(&how),
            None => here.is_empty(),
        };
        if !right {
            wrong.push(format!("{}\n{}  said {told:?}", story.head, story.script));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The families that the planner itself speaks of; what `lint` says is walked in its own tests.
const FAMILIES: [&str; 14] = [
    "auth",
    "cert",
    "client-certs",
    "dane",
    "drift",
    "inbound",
    "level",
    "loopback",
    "outbound",
    "parameter",
    "plan",
    "profile",
    "rollback",
    "setting",
];

/// Rust files of the planner that refuse or judge plans.
fn sources() -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let roots = [
        "rules",
        "rules/dane",
        "make",
        "settings",
        "compile",
        "rollback",
    ];
    let mut files: Vec<PathBuf> = roots
        .iter()
        .map(|root| source.join(format!("{root}.rs")))
        .collect();
    for root in roots {
        let folder = fs::read_dir(source.join(root)).expect("a module with parts");
        files.extend(folder.map(|entry| entry.expect("an entry").path()));
    }
    files.retain(|file| file.extension().is_some_and(|e| e == "rs") && !file.ends_with("tests.rs"));
    files
}

/// The string literals of a source that look like codes.
fn codes(source: &str) -> BTreeSet<String> {
    let code_lines = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let text: Vec<&str> = code_lines.collect();
    let text = text.join("\n");
    let literals = text.split('"').skip(1).step_by(2);
    let plain = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    literals
        .filter(|literal| {
            literal.split_once('.').is_some_and(|(family, what)| {
                (FAMILIES.contains(&family) || family == "trust") && plain(what)
            })
        })
        // Keys of `set` look like codes.
        .filter(|literal| {
            let key = literal
                .split_once('.')
                .is_some_and(|(_, what)| matches!(what, "inbound" | "submission" | "outbound"));
            !key
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn no_code_without_a_story_and_a_near_miss() {
    let mut known = BTreeSet::new();
    for file in sources() {
        known.extend(codes(&fs::read_to_string(&file).expect("a source")));
    }
    assert!(known.len() >= 30, "{known:?}");
    let stories = stories();
    let firing: BTreeSet<&str> = stories
        .iter()
        .filter(|s| s.how.is_some())
        .map(|s| s.code)
        .collect();
    let missing: BTreeSet<&str> = stories
        .iter()
        .filter(|s| s.how.is_none())
        .map(|s| s.code)
        .collect();
    let without = |told: &BTreeSet<&str>| -> Vec<String> {
        known
            .iter()
            .filter(|code| !told.contains(code.as_str()))
            .cloned()
            .collect()
    };
    assert_eq!(without(&firing), [""; 0], "no story");
    assert_eq!(without(&missing), [""; 0], "no near miss");
    let unknown: Vec<_> = firing
        .union(&missing)
        .filter(|code| !known.contains(**code))
        .collect();
    assert!(
        unknown.is_empty(),
        "stories of codes that are nowhere: {unknown:?}"
    );
}

#[test]
fn refusals_say_what_to_do() {
    for story in stories()
        .iter()
        .filter(|story| story.how == Some("refused"))
    {
        let refusal = result(story).expect_err(story.head);
        assert_eq!(refusal.to_string(), refusal.findings[0].message);
        for finding in &refusal.findings {
            let said = format!("{}: {finding:?}", story.head);
            assert!(finding.severity >= Severity::Error, "{said}");
            assert!(finding.message.ends_with('.'), "{said}");
            assert!(finding.remedy.len() > 10, "{said}");
        }
    }
}

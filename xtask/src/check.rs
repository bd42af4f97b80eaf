//! What CI runs, in order, each step under a heading that shows its command.
//!
//! Owns: the list of steps. Never: skips one silently, or stops at the first that fails. The
//! tests come last, so that the runner's summary ends the output.

use std::num::NonZero;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread::available_parallelism;

/// One step: what it is called and what it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    title: &'static str,
    /// The arguments of cargo.
    cargo: Vec<String>,
}

/// What the machine offers.
#[derive(Clone, Copy, Debug)]
struct Offer {
    nextest: Tool,
    deny: Tool,
    user: User,
    cores: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Here,
    Missing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum User {
    Root,
    Other,
}

/// Runs all steps; fails when one of them failed.
#[must_use]
pub fn run(root: &Path) -> ExitCode {
    let offer = Offer {
        nextest: tool(root, "nextest"),
        deny: tool(root, "deny"),
        user: user(),
        cores: available_parallelism().map_or(1, NonZero::get),
    };
    let mut failed: Vec<&str> = Vec::new();
    let list = steps(offer);
    if offer.deny == Tool::Missing {
        println!("check: NOT RUN: cargo deny is not installed; tidy checks the licences");
    }
    if !root.join("../shared").exists() {
        println!("check: NOT TESTED: ../shared is absent: no real-world file is held to anything");
    }
    println!("check: NOT RUN: advisories need the network: cargo deny check advisories");
    for (place, step) in list.iter().enumerate() {
        if place + 1 == list.len() && !failed.is_empty() {
            println!("\ncheck: failed so far: {}", failed.join(", "));
        }
        if !perform(root, step) {
            failed.push(step.title);
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    // The runner's summary already tells of failed tests, and shall stay the end.
    if failed != ["tests"] {
        eprintln!("check: failed: {}", failed.join(", "));
    }
    ExitCode::FAILURE
}

fn steps(offer: Offer) -> Vec<Step> {
    let mut list = vec![
        step("format", "fmt --all --check"),
        step("clippy", "clippy --workspace --all-targets -- -D warnings"),
        step("tidy", "run --quiet --package xtask -- tidy"),
    ];
    if offer.deny == Tool::Here {
        list.push(step("deny", "deny --offline check bans licenses sources"));
    }
    list.push(step("doc tests", "test --workspace --doc --quiet"));
    list.push(match offer.nextest {
        Tool::Here => {
            let nextest = "nextest run --workspace --no-fail-fast --test-threads";
            step("tests", &format!("{nextest} {}", at_once(offer.cores)))
        }
        Tool::Missing => step(
            "tests",
            "test --workspace --no-fail-fast --lib --bins --tests",
        ),
    });
    if offer.user == User::Other
        && let Some(last) = list.last_mut()
    {
        // Tests with a real Postfix need root; the build stays the user's.
        let runner = "target.'cfg(unix)'.runner = ['sudo', '-n', '-E']";
        let at = if last.cargo[0] == "nextest" { 2 } else { 1 };
        last.cargo
            .splice(at..at, ["--config".to_owned(), runner.to_owned()]);
    }
    list
}

/// How many tests run at once. Most of them wait for a Postfix or a deadline a third of their time: with one a core, the
/// cores would wait with them.
fn at_once(cores: usize) -> usize {
    (cores * 3).div_ceil(2)
}

fn step(title: &'static str, cargo: &str) -> Step {
    let cargo = cargo.split_whitespace().map(str::to_owned).collect();
    Step { title, cargo }
}

fn perform(root: &Path, step: &Step) -> bool {
    println!("\n== {} == cargo {}", step.title, step.cargo.join(" "));
    let mut command = Command::new(crate::cargo());
    command.args(&step.cargo).current_dir(root);
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("check: cannot run cargo: {error}");
            false
        }
    }
}

fn tool(root: &Path, name: &str) -> Tool {
    let mut command = Command::new(crate::cargo());
    let output = command.args([name, "--version"]).current_dir(root).output();
    match output.is_ok_and(|output| output.status.success()) {
        true => Tool::Here,
        false => Tool::Missing,
    }
}

fn user() -> User {
    let output = Command::new("id").arg("-u").output();
    match output.is_ok_and(|output| output.stdout == b"0\n") {
        true => User::Root,
        false => User::Other,
    }
}

#[cfg(test)]
mod tests;

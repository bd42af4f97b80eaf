//! Golden plans: a folder a story, with what is there, what is wished, and what is planned.
//!
//! `BLESS=1` writes what the planner says now; read the difference before committing it.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::{Host, data, script, text};

fn stories() -> Vec<PathBuf> {
    let folders = fs::read_dir(data("plans"))
        .expect("tests/plans")
        .map(|e| e.expect("an entry").path());
    let mut stories: Vec<PathBuf> = folders.filter(|path| path.join("wish").is_file()).collect();
    stories.sort();
    stories
}

/// A story's own file, or the stock one.
fn input(story: &Path, name: &str) -> Vec<u8> {
    fs::read(story.join(name))
        .or_else(|_| fs::read(data("plans/stock").join(name)))
        .expect("a stock file")
}

#[test]
fn every_story_is_planned_as_written_down() {
    let mut wrong = Vec::new();
    let stories = stories();
    assert!(stories.len() >= 30, "only {} stories", stories.len());
    for story in stories {
        let mut host = Host::new(&input(&story, "main.cf"), &input(&story, "master.cf"));
        let wish = fs::read_to_string(story.join("wish")).expect("a wish");
        let result = script::run(&mut host, &wish);
        let said = text::of(&result);
        let path = story.join("expect");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, &said).expect("written");
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if said != expected {
            wrong.push(format!("{}:\n{said}", story.display()));
        }
        // Whatever the story is: what was planned and applied leaves nothing to do.
        if let Ok(plan) = result {
            host.apply(&plan);
            let again = host.plan().expect("a plan of what is there");
            assert!(
                again.is_empty(),
                "{}: not settled:\n{}",
                story.display(),
                text::of(&Ok(again))
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

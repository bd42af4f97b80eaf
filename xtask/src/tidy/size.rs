//! Rules on size: files, functions, the share of short functions, the front door of the CLI.

use super::graph::Graph;
use super::token::{Function, functions};
use super::{File, Offence, Tree};
use std::path::Path;

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 60;
const SHORT_LINES: usize = 30;
const CLI_MAIN: &str = "crates/cli/src/main.rs";
const CLI_MAIN_LINES: usize = 50;
/// A longer function is allowed under a comment that begins so and goes on with the reason.
const EXCUSE: &str = "// tidy: long because ";

pub(super) fn judge_file(file: &File, offences: &mut Vec<Offence>) {
    if !file.is_rust() || file.is_test() {
        return;
    }
    let text = file.text();
    let lines: Vec<&str> = text.lines().collect();
    let (limit, remedy) = if file.path() == Path::new(CLI_MAIN) {
        (CLI_MAIN_LINES, "main.rs only starts; move the rest out")
    } else {
        (FILE_LINES, "split it by what it owns")
    };
    if lines.len() > limit {
        let what = format!("{} lines, more than {limit}", lines.len());
        offences.push(Offence::new(file.path(), limit + 1, what, remedy));
    }
    for function in functions(file.tokens().unwrap_or_default()) {
        if function.length > FUNCTION_LINES && !excused(&lines, function.line) {
            let (name, length) = (&function.name, function.length);
            let what = format!("fn {name} has {length} lines, more than {FUNCTION_LINES}");
            let remedy = "split it, or say above it `// tidy: long because …`";
            offences.push(Offence::new(file.path(), function.line, what, remedy));
        }
    }
}

/// Whether the comments and attributes right above line `line` (from 1) give a reason.
fn excused(lines: &[&str], line: usize) -> bool {
    let above = lines[..line - 1].iter().rev().map(|text| text.trim());
    above
        .take_while(|text| text.starts_with("//") || text.starts_with("#[") || *text == ")]")
        .any(|text| {
            text.strip_prefix(EXCUSE)
                .is_some_and(|why| !why.trim().is_empty())
        })
}

/// Nine functions in ten of every crate are short.
pub(super) fn judge_shares(tree: &Tree, graph: &Graph, offences: &mut Vec<Offence>) {
    for member in graph.members() {
        let sources = tree.files().iter().filter(|file| {
            file.is_rust() && !file.is_test() && file.path().starts_with(&member.folder)
        });
        judge_share(&member.name, sources, offences);
    }
}

fn judge_share<'a>(
    name: &str,
    sources: impl Iterator<Item = &'a File>,
    offences: &mut Vec<Offence>,
) {
    let mut all = 0;
    let mut long: Vec<(&File, Function)> = Vec::new();
    for file in sources {
        let found = functions(file.tokens().unwrap_or_default());
        all += found.len();
        let over = found.into_iter().filter(|one| one.length > SHORT_LINES);
        long.extend(over.map(|one| (file, one)));
    }
    if long.len() <= (all / 10).max(1) {
        return;
    }
    let share = format!("{} of {all} functions of {name}", long.len());
    for (file, function) in &long {
        let (title, length) = (&function.name, function.length);
        let what = format!("fn {title} has {length} lines ({share} are over {SHORT_LINES})");
        let remedy = "nine in ten must be short: shorten some of them";
        offences.push(Offence::new(file.path(), function.line, what, remedy));
    }
}

//! The rule on tests: how many lines of them stand against the lines that ship.
//!
//! Lines that are not blank count. Tests written as data (`tests/**`: configurations, stories,
//! what they expect) are tests. The test kit counts as tests; the workshop counts as neither in
//! the total.

use super::{Crate, Graph, Offence, Report, Tree};
use std::fmt::Write as _;
use std::path::Path;

/// Least lines of tests for a hundred that ship.
const LEAST: usize = 80;

#[derive(Clone, Copy, Default)]
struct Count {
    ships: usize,
    tests: usize,
}

pub(super) fn judge(tree: &Tree, graph: &Graph, report: &mut Report) {
    let mut table = format!(
        "{:<20} {:>8} {:>8} {:>6}",
        "lines", "ships", "tests", "ratio"
    );
    let mut total = Count::default();
    for member in graph.members() {
        let count = count(tree, member);
        row(&mut table, &member.name, count);
        match member.name.as_str() {
            "xtask" => {}
            "postseal-testkit" => total.tests += count.ships + count.tests,
            _ => {
                total.ships += count.ships;
                total.tests += count.tests;
            }
        }
    }
    row(&mut table, "total", total);
    report.notes.push(table);
    if total.tests * 100 < total.ships * LEAST {
        let what = format!("{} lines of tests for {}", total.tests, total.ships);
        let remedy = "write the missing tests (at least 0.8 lines for a line that ships)";
        let offence = Offence::new(Path::new("crates"), 1, what, remedy);
        report.offences.push(offence);
    }
}

fn count(tree: &Tree, member: &Crate) -> Count {
    let mut count = Count::default();
    let sources = tree
        .files()
        .iter()
        .filter(|file| file.is_rust() || file.is_test());
    for file in sources.filter(|file| file.path().starts_with(&member.folder)) {
        let text = file.text();
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        match file.is_test() {
            true => count.tests += lines,
            false => count.ships += lines,
        }
    }
    count
}

fn row(table: &mut String, name: &str, count: Count) {
    let Count { ships, tests } = count;
    let hundredths = tests * 100 / ships.max(1);
    let (whole, part) = (hundredths / 100, hundredths % 100);
    // Writing to a String cannot fail.
    let _ = write!(
        table,
        "\n{name:<20} {ships:>8} {tests:>8} {whole:>3}.{part:02}"
    );
}

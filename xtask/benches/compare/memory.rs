//! The most memory that each command holds.

use crate::site::Site;
use crate::{Outcome, postseal, section};
use xtask::bench::{Contender, Rounds, Section, compare};

/// Commands that change nothing, or the store only; 2 and 3 are answers, too (`drift`, `lint`,
/// `verify` on a Postfix that stands still).
const COMMANDS: [&[&str]; 12] = [
    &["init"],
    &["lint"],
    &["status"],
    &["show"],
    &["set"],
    &["set", "loglevel.inbound=1"],
    &["plan", "--diff"],
    &["cert", "list"],
    &["history"],
    &["drift"],
    &["verify"],
    &["recover"],
];

pub(crate) fn run(rounds: Rounds) -> Outcome<Section> {
    let site = Site::new(&postseal()?)?;
    site.postfix.start()?;
    let contender = |words: &&[&str]| {
        let task = site.postseal(words).or_exit(2).or_exit(3);
        Contender::new(&words.join(" "), [task])
    };
    let mut all: Vec<Contender<'_>> = COMMANDS.iter().map(contender).collect();
    let found = compare(&mut all, rounds)?;
    let row = |one: &xtask::bench::Series| {
        let mebibytes = one.peak() as f64 / f64::from(1 << 20);
        let name = format!("`postseal {}`", one.name);
        vec![name, format!("{mebibytes:.1} MiB"), "≤ 40 MB".to_owned()]
    };
    Ok(section(
        "memory",
        "Peak resident memory of each command on an instance with the stock master.cf.",
        &["command", "peak", "limit"],
        found.iter().map(row).collect(),
    ))
}

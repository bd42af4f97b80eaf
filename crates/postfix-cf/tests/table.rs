//! Rows as the installed postmap(1) reads them: its dump of a compiled source is the oracle.

#![expect(clippy::expect_used, reason = "a test stops at what it did not expect")]

use postfix_cf::table::{Content, rows};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, SystemTime};

const POSTMAP: &str = "/usr/sbin/postmap";

/// Pieces of sources, good and odd; no tabs, because the dump parts key and value by one.
const PIECES: [&str; 26] = [
    "a",
    "b",
    "example.org",
    ".example.org",
    "[mx.example.org]:587",
    " ",
    "  ",
    "\u{c}",
    "\n",
    "\n",
    "\n",
    "\n ",
    "# c\n",
    "encrypt",
    "may",
    "secure match=x",
    "\"",
    "\\",
    "\"a b\"",
    ":",
    ",",
    "UPPER",
    "\r\n",
    "\u{b}",
    "b\u{fc}cher.example",
    "=",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn keys_and_values_are_those_of_postmap(
        pieces in proptest::collection::vec(0..PIECES.len(), 1..40)
    ) {
        let source: String = pieces.iter().map(|at| PIECES[*at]).collect();
        prop_assert_eq!(ours(&source), theirs(&source), "{:?}", source);
    }
}

/// The first of a key counts; keys are folded, as postmap folds them.
fn ours(source: &str) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for row in rows(source.as_bytes()) {
        if let Content::Pair { key, value } = row.content {
            let [key, value] = [key, value].map(|text| String::from_utf8_lossy(&text).into_owned());
            map.entry(key.to_lowercase()).or_insert(value);
        }
    }
    map
}

fn theirs(source: &str) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let main = folder.path().join("main.cf");
    std::fs::write(&main, "compatibility_level = 3.6\n").expect("main.cf");
    // Postfix's programs sleep over a main.cf that is younger than two seconds.
    let old = SystemTime::now() - Duration::from_secs(10);
    let file = std::fs::File::options().append(true).open(&main);
    file.and_then(|file| file.set_modified(old))
        .expect("its time");
    let path = folder.path().join("table");
    std::fs::write(&path, source).expect("a source");
    let table = format!("hash:{}", path.display());
    let postmap = |words: &[&str]| {
        let mut command = Command::new(POSTMAP);
        command.arg("-c").arg(folder.path()).args(words).arg(&table);
        command.output().expect("Postfix is not installed")
    };
    postmap(&[]);
    let dump = postmap(&["-s"]);
    let text = String::from_utf8_lossy(&dump.stdout).into_owned();
    let pair = |line: &str| {
        let (key, value) = line.split_once('\t').expect("key and value");
        (key.to_owned(), value.to_owned())
    };
    text.lines().map(pair).collect()
}

//! The list of directives, and that it is whole.

use postseal_planner::catalog;
use postseal_testkit::beside::samples;
use std::collections::BTreeSet;
use std::path::Path;

/// One directive of the list.
#[derive(Clone, Debug)]
pub(crate) struct Directive {
    pub(crate) name: &'static str,
    pub(crate) expected: Expected,
    pub(crate) batch: &'static str,
    good: &'static str,
    /// A value that must be refused; of an obsolete directive, what the refusal must name.
    pub(crate) bad: &'static str,
    pub(crate) code: &'static str,
}

/// What becomes of a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// `param.NAME=VALUE` sets it.
    Set,
    /// `param.NAME=VALUE` is this word.
    Word(&'static str),
    /// Refused, with its replacement.
    Obsolete,
}

impl Directive {
    /// The good value, with the files of this test.
    pub(crate) fn good(&self, files: &Path) -> String {
        self.good.replace("{files}", &files.display().to_string())
    }
}

/// The whole list.
pub(crate) fn directives() -> Vec<Directive> {
    let lines = include_str!("directives.tsv").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .map(directive)
        .collect()
}

fn directive(line: &'static str) -> Directive {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, expected, batch, good, bad, code] = fields[..] else {
        panic!("{line:?} has not six fields");
    };
    let expected = match expected.split_once(' ') {
        Some(("word", word)) => Expected::Word(word),
        None if expected == "set" => Expected::Set,
        None if expected == "obsolete" => Expected::Obsolete,
        _ => panic!("{name} is {expected:?}"),
    };
    Directive {
        name,
        expected,
        batch,
        good,
        bad,
        code,
    }
}

#[test]
fn the_list_names_every_directive_of_the_guides() {
    let listed: BTreeSet<&str> = directives().iter().map(|d| d.name).collect();
    assert_eq!(listed.len(), directives().len(), "a directive stands twice");
    let guides = samples("sources", 4);
    if guides.is_empty() {
        return;
    }
    let mut named = BTreeSet::new();
    for guide in guides {
        let text = String::from_utf8(guide.bytes).unwrap();
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        named.extend(
            words
                .filter(|word| catalog::is_tls_parameter(word))
                .map(str::to_owned),
        );
    }
    assert!(named.len() > 40, "only {named:?}");
    let missing: Vec<&String> = named
        .iter()
        .filter(|name| !listed.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in the list: {missing:?}");
}

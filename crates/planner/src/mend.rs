//! Mending: the wishes by which findings go away.
//!
//! Owns: [`mend`], which takes the fixes of lint's findings into an intent, looks at what it comes to,
//! and goes on until nothing more is to be fixed. Never: a second path: what comes of it is an intent,
//! which becomes a plan like any other; knows what mends a finding (`lint` does).

use crate::compile::{Files, refuse};
use crate::facts::CfFile;
use crate::lint::{self, LintInput, Surroundings};
use crate::{Facts, Finding, Intent, PostfixVersion, Refusal, Wish, catalog, diff, make, settings};
use postfix_cf::{MainCf, MasterCf};
use std::collections::BTreeMap;

/// One fix may show what the next one is needed for; more rounds than this are a quarrel of rules.
const ROUNDS: usize = 8;

/// What is mended, and what is known of it.
#[derive(Clone, Copy)]
pub struct Mending<'a> {
    /// What is wished; findings that it does away with already are not fixed again.
    pub intent: &'a Intent,
    /// What is in force.
    pub in_force: &'a Intent,
    /// The files, and the host as far as it is known.
    pub facts: &'a Facts,
    /// How much of the facts is known.
    pub known: Known,
    /// What else was gathered of the host.
    pub surroundings: &'a Surroundings,
    /// What OpenSSL makes of a cipher list.
    pub expand: &'a dyn Fn(&str) -> Vec<String>,
    /// Whether the fix of a finding is taken.
    pub takes: &'a dyn Fn(&Finding) -> bool,
    /// Seconds since 1970.
    pub now_unix: i64,
}

/// How much of the facts is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// All of them: Postfix was asked.
    Host,
    /// The version, and what is there of both files: one that is empty is taken for missing.
    Files,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mended {
    /// What is wished now.
    pub wishes: Vec<Wish>,
    /// What was said of the files as the intent leaves them.
    pub before: Vec<Finding>,
    /// What is said of them after the wishes.
    pub after: Vec<Finding>,
    /// Unified diffs of both files, from what they are now.
    pub diff: String,
}

impl Mended {
    /// The findings that are gone.
    pub fn fixed(&self) -> impl Iterator<Item = &Finding> {
        self.before.iter().filter(|finding| !self.is_left(finding))
    }

    fn is_left(&self, finding: &Finding) -> bool {
        let same = |left: &&Finding| {
            let texts = |one: &Finding| -> Vec<String> {
                let seen = one.evidence.iter();
                seen.map(|seen| seen.text.clone()).collect()
            };
            left.code == finding.code
                && (left.message == finding.message || texts(left) == texts(finding))
        };
        self.after.iter().any(|left| same(&left))
    }
}

/// Fixes what lint finds in the files as the intent leaves them.
///
/// # Errors
/// What [`crate::plan()`] refuses of the intent itself: parameters and services that are not there.
/// A Postfix older than the catalogue: what means the same to it is not known.
pub fn mend(mending: &Mending<'_>) -> Result<Mended, Refusal> {
    refuse_too_old(mending.facts.version)?;
    let mut intent = mending.intent.clone();
    let mut facts = mending.facts.clone();
    let mut wishes = Vec::new();
    let mut before = None;
    let mut rounds = 0;
    loop {
        let files = make::compiled(&intent, mending.in_force, mending.facts)?;
        let after = findings(mending, &mut facts, &files);
        let before = before.get_or_insert_with(|| after.clone());
        let chosen = match rounds < ROUNDS {
            true => chosen(mending, &after),
            false => Vec::new(),
        };
        let news: Vec<Wish> = chosen
            .into_iter()
            .filter(|wish| intent.with(wish.clone()) != intent)
            .collect();
        if news.is_empty() {
            return Ok(Mended {
                wishes,
                before: before.clone(),
                after,
                diff: diffs(mending.facts, &files),
            });
        }
        rounds += 1;
        intent = intent.with_all(&news);
        wishes.extend(news);
    }
}

fn refuse_too_old(version: PostfixVersion) -> Result<(), Refusal> {
    if version >= catalog::OLDEST {
        return Ok(());
    }
    Err(refuse(
        "lint.fix-too-old",
        format!(
            "Postfix {version} is older than the parameters that Postseal knows (3.4); nothing is mended for it."
        ),
        "Upgrade Postfix; `postseal lint` says what it can without --fix.",
    ))
}

fn diffs(facts: &Facts, files: &Files) -> String {
    let both = [
        ("main.cf", &facts.main_cf.bytes, &files.main),
        ("master.cf", &facts.master_cf.bytes, &files.master),
    ];
    let changed = both.into_iter().filter(|(_, was, is)| was != is);
    changed
        .map(|(name, was, is)| diff::unified(name, was, is))
        .collect()
}

/// What lint says of these files.
fn findings(mending: &Mending<'_>, facts: &mut Facts, files: &Files) -> Vec<Finding> {
    for (cf, bytes) in [
        (&mut facts.main_cf, &files.main),
        (&mut facts.master_cf, &files.master),
    ] {
        *cf = CfFile::of(cf.path.clone(), bytes.clone());
    }
    let main = MainCf::parse(&files.main);
    let master = MasterCf::parse(&files.master);
    let is_there = |bytes: &[u8]| mending.known == Known::Host || !bytes.is_empty();
    let mut surroundings = mending.surroundings.clone();
    let mut input = LintInput {
        main: is_there(&files.main).then_some((&facts.main_cf.path, &main)),
        master: is_there(&files.master).then_some((&facts.master_cf.path, &master)),
        version: Some(facts.version),
        facts: (mending.known == Known::Host).then_some(facts),
        now_unix: Some(mending.now_unix),
        surroundings: None,
    };
    for list in lint::cipher_lists(&input) {
        let suites = (mending.expand)(&list);
        surroundings.suites.insert(list, suites);
    }
    input.surroundings = Some(&surroundings);
    lint::lint(&input)
}

/// The fixes that are taken, one value a key: what a rule says of a value comes before that a
/// parameter stands twice, and the worse finding before the milder one.
fn chosen(mending: &Mending<'_>, findings: &[Finding]) -> Vec<Wish> {
    let (twice, others): (Vec<_>, Vec<_>) = findings
        .iter()
        .partition(|finding| finding.code.starts_with("syntax."));
    let mut values: BTreeMap<&str, &str> = BTreeMap::new();
    for finding in others.into_iter().chain(twice) {
        let Some(fix) = finding.fix.as_ref().filter(|_| (mending.takes)(finding)) else {
            continue;
        };
        let pairs: Vec<(&str, &str)> = fix.set.iter().filter_map(|w| w.split_once('=')).collect();
        // A fix is taken whole or not at all.
        let at_odds = |(key, value): &(&str, &str)| values.get(key).is_some_and(|v| v != value);
        if !pairs.iter().any(at_odds) {
            values.extend(pairs);
        }
    }
    let version = mending.facts.version;
    let parsed = values
        .into_iter()
        .filter_map(|(key, value)| settings::parse(key, value, version).ok());
    parsed.flatten().collect()
}

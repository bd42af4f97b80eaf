//! The map of the rules as it stands on disk, and what it answers.
//!
//! Owns: whether its files are as they were made, and what a sample of it answers. Never: trusts the
//! time of a file: the name tells the rows, and the source's last line what was compiled of them.

use super::answering::Answering;
use super::meet::beside;
use crate::{Engine, EngineError};
use postseal_host::Host;
use postseal_planner::facts::Facts;
use postseal_planner::plan::{COMPILED, PolicyMap};
use postseal_planner::policy::{Lookup, Rule, changed_lookups, map_not_asked};
use postseal_planner::{Digest, Digesting, Finding, Intent, NamedMap, Severity, named_maps};
use postseal_store::{InstanceState, RuleState};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

/// A line of a source is no longer.
const LONGEST: u64 = 1 << 20;
/// So many changes of the newest operation are asked for.
const CHANGED: usize = 200;

/// What a sample of the map of the rules answered.
#[derive(Clone, Debug, Default)]
pub struct MapAnswers {
    /// How many keys were asked.
    pub asked: usize,
    /// Where it answers otherwise than the rules say, or not at all.
    pub findings: Vec<Finding>,
}

/// The maps of rules that are not as they were made.
pub(crate) fn touched_maps(
    host: &dyn Host,
    facts: &Facts,
    intent: Option<&Intent>,
) -> BTreeMap<PathBuf, String> {
    let maps = named_maps(facts, intent).into_iter();
    let touched = maps.filter_map(|map| Some((map.path.clone(), touched(host, &map)?)));
    touched.collect()
}

/// The same as findings, without a store.
pub fn touched_findings(host: &dyn Host, facts: &Facts) -> Vec<Finding> {
    touched_words(&touched_maps(host, facts, None))
}

/// What is said of touched maps.
pub(crate) fn touched_words(maps: &BTreeMap<PathBuf, String>) -> Vec<Finding> {
    let finding = |(path, what): (&PathBuf, &String)| {
        let path = path.display();
        Finding::new(
            "policy.map-touched",
            Severity::Error,
            format!("The map of the rules for destinations {path} {what}."),
            "`postseal drift --restore` makes it anew from the rules; what was meant by the edit is \
             a rule: `postseal policy add`.",
        )
    };
    maps.iter().map(finding).collect()
}

/// What is the matter with a map. That a file is gone is told elsewhere.
fn touched(host: &dyn Host, map: &NamedMap) -> Option<String> {
    let source = host.open(&map.path).ok()?;
    let Ok(source) = Made::read(source) else {
        return Some("cannot be read".to_owned());
    };
    if source.rows.short(map.digest.len()) != map.digest {
        return Some("was edited by hand".to_owned());
    }
    let (wanted, compiled) = (source.compiled?, map.files.get(1)?);
    let compiled = host.open(compiled).ok()?;
    let same = super::source::digest(compiled).is_ok_and(|now| now.to_string() == wanted);
    (!same).then(|| "was compiled anew by hand, or its index comes from elsewhere".to_owned())
}

/// What a source holds.
struct Made {
    rows: Digest,
    /// The digest of what was compiled of it, where it says so.
    compiled: Option<String>,
}

impl Made {
    fn read(source: impl Read) -> io::Result<Self> {
        let mut source = BufReader::with_capacity(1 << 20, source);
        let mut digest = Digesting::default();
        let mut compiled = None;
        let mut line = Vec::new();
        loop {
            line.clear();
            if (&mut source).take(LONGEST).read_until(b'\n', &mut line)? == 0 {
                return Ok(Self {
                    rows: digest.finish(),
                    compiled,
                });
            }
            let text = str::from_utf8(&line).ok();
            let noted = text.and_then(|text| text.strip_prefix(COMPILED));
            match (noted, &compiled) {
                (Some(noted), None) => compiled = Some(noted.trim_end().to_owned()),
                // It is the last line.
                (Some(_), Some(_)) | (None, Some(_)) => digest.update(b"\n"),
                (None, None) => {}
            }
            if noted.is_none() {
                digest.update(&line);
            }
        }
    }
}

impl Engine<'_> {
    /// Asks who answers for the rules in force: the keys that the newest operation changed, the first,
    /// the last, and some between.
    pub(crate) fn ask_live_map(
        &self,
        state: &InstanceState,
        facts: &Facts,
    ) -> Result<MapAnswers, EngineError> {
        let Some(answering) = Answering::of(state, facts) else {
            return Ok(MapAnswers::default());
        };
        // What nobody asks says nothing of the mail (`map_not_asked` tells it).
        if answering.asking(state, facts).told.is_empty() {
            return Ok(MapAnswers::default());
        }
        let mut lookups = self.in_force_lookups()?;
        let last = self.store.history(&self.instance, 1)?.into_iter().next();
        let changed = match last {
            Some(last) => self.store.rule_changes(last.id, CHANGED)?,
            None => Vec::new(),
        };
        let keys: BTreeSet<String> = lookups.iter().map(|one| one.key.clone()).collect();
        let news = self.expected(&changed)?.into_iter();
        lookups.extend(news.filter(|one| !keys.contains(&one.key)));
        let findings = self.ask_answering(&answering, &lookups).into_iter();
        Ok(MapAnswers {
            asked: lookups.len(),
            findings: findings.map(|one| live(one, &answering)).collect(),
        })
    }

    /// What is said where clients do not ask the map of the rules, or the adopted tables.
    pub(super) fn map_not_asked(&self, state: &InstanceState, facts: &Facts) -> Option<Finding> {
        let answering = Answering::of(state, facts)?;
        map_not_asked(&answering.asking(state, facts), &answering.name())
    }

    /// What the map in force must say of the destinations of rules, whoever has rules for them.
    pub(super) fn expected(&self, states: &[RuleState]) -> Result<Vec<Lookup>, EngineError> {
        let destinations = states.iter().flat_map(|state| beside(&state.id)).collect();
        let states = self.rules_for(&destinations)?.into_iter();
        let rules: Vec<Rule> = states.filter_map(|state| state.in_force).collect();
        Ok(changed_lookups(&[], &rules))
    }
}

/// In the words of what is in force.
fn live(finding: Finding, answering: &Answering) -> Finding {
    let remedy = match answering.is_adopted() {
        true => format!(
            "`postseal drift` tells whether a source was edited; postmap(1) compiles it: {}.",
            answering.name()
        ),
        false => "`postseal drift --restore` makes it anew from the rules.".to_owned(),
    };
    Finding { remedy, ..finding }
}

impl Engine<'_> {
    /// Makes a map beside the one that answers, under another name, and asks it.
    pub(super) fn tried_aside(
        &self,
        map: &PolicyMap,
        make: &dyn Fn(&PolicyMap) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut name = map.path.clone().into_os_string();
        name.push(".tried");
        let aside = PolicyMap {
            path: name.into(),
            ..map.clone()
        };
        let made = make(&aside);
        for file in aside.files() {
            // What cannot be removed now is removed with the next map.
            let _ = self.host.remove(&file);
        }
        made
    }
}

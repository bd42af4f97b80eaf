//! The files that a plan leads through.
//!
//! Owns: what both files hold after the plan, and between its two renames; the keys and maps of
//! names that it installs. Never: writes one.

use crate::{Engine, EngineError};
use postfix_cf::{MainCf, MasterCf};
use postseal_planner::facts::Facts;
use postseal_planner::plan::{Cf, Plan, SniMap, Step};
use postseal_planner::report::ServiceExpectation;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Both files in one state.
pub(super) struct Files {
    pub(super) main: Vec<u8>,
    pub(super) master: Vec<u8>,
    /// The file that changes next.
    pub(super) then: Cf,
}

impl Files {
    pub(super) fn after(plan: &Plan, facts: &Facts) -> Self {
        let bytes = |file, before: &[u8]| plan.edit(file).map_or(before, |e| &e.bytes).to_vec();
        Self {
            main: bytes(Cf::Main, &facts.main_cf.bytes),
            master: bytes(Cf::Master, &facts.master_cf.bytes),
            then: Cf::Main,
        }
    }

    /// The state between the two renames; `None` when only one file changes.
    pub(super) fn between(plan: &Plan, facts: &Facts) -> Option<Self> {
        let order: Vec<Cf> = plan
            .steps
            .iter()
            .filter_map(|step| {
                if let Step::Publish { file } = step {
                    Some(*file)
                } else {
                    None
                }
            })
            .collect();
        let [first, then] = order[..] else {
            return None;
        };
        let after = Self::after(plan, facts);
        Some(match first {
            Cf::Main => Self {
                main: after.main,
                master: facts.master_cf.bytes.clone(),
                then,
            },
            Cf::Master => Self {
                main: facts.main_cf.bytes.clone(),
                master: after.master,
                then,
            },
        })
    }

    pub(super) fn bytes(&self, file: Cf) -> &[u8] {
        match file {
            Cf::Main => &self.main,
            Cf::Master => &self.master,
        }
    }

    /// What this state promises on the wire.
    pub(super) fn expectations(&self, facts: &Facts, plan: &Plan) -> Vec<ServiceExpectation> {
        let (main, master) = (MainCf::parse(&self.main), MasterCf::parse(&self.master));
        postseal_planner::expect(&main, &master, facts, &plan.intent)
    }
}

impl Engine<'_> {
    /// The keys and chains that the plan installs, opened from the store.
    pub(super) fn private_files(
        &self,
        plan: &Plan,
    ) -> Result<BTreeMap<PathBuf, Zeroizing<Vec<u8>>>, EngineError> {
        let mut files = BTreeMap::new();
        for step in &plan.steps {
            if let Step::InstallChain { fingerprint, path } = step {
                let is_it = |name: &str| {
                    let file = postseal_planner::installed_at(Path::new(""), name, fingerprint);
                    file.file_name() == path.file_name()
                };
                files.insert(path.clone(), self.key_and_chain(fingerprint, is_it)?);
            }
        }
        Ok(files)
    }
}

/// The maps of server names that the plan installs.
pub(super) fn sni_maps(plan: &Plan) -> Vec<SniMap> {
    let maps = plan.steps.iter().filter_map(|step| match step {
        Step::InstallSniMap(map) => Some(map.clone()),
        _ => None,
    });
    maps.collect()
}

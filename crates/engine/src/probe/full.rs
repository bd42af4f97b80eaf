//! Everything that the TLS of a target's servers can do.
//!
//! Owns: which addresses are looked at in full, and to which targets what is wrong there belongs. Never:
//! grades.

use super::{ProbeOptions, Prober};
use postseal_planner::full::{FullAt, grades};
use postseal_planner::probed::{AddressProbed, ProbeTarget, Probed};
use postseal_planner::report::StageOutcome;
use postseal_probe::{FullBudget, Target};
use std::collections::BTreeSet;
use std::net::SocketAddr;

impl Prober<'_> {
    /// Looks at every address of the targets that took a connection, each once; `told` hears of each
    /// before. What is wrong with its TLS as such becomes a finding of every target that leads to it.
    pub fn full(
        &self,
        probed: &mut [Probed],
        targets: &[ProbeTarget],
        (options, budget): (&ProbeOptions, FullBudget),
        told: &dyn Fn(SocketAddr),
    ) -> Vec<FullAt> {
        let mut known = BTreeSet::new();
        let mut all = Vec::new();
        for (one, target) in probed.iter().zip(targets) {
            let start = target.opening.into();
            for host in &one.hosts {
                for at in host.addresses.iter().filter(|at| is_connected(at)) {
                    if !known.insert((at.address, at.sni.clone())) {
                        continue;
                    }
                    told(at.address);
                    let target = Target {
                        ehlo_name: options.ehlo_name.clone(),
                        sni: at.sni.clone(),
                        ..Target::new("", at.address, start)
                    };
                    all.extend(self.wire.full(&target, budget).map(|seen| FullAt {
                        host: host.name.clone(),
                        address: at.address,
                        grades: grades(&seen),
                        seen,
                    }));
                }
            }
        }
        note(probed, &all);
        all
    }
}

fn is_connected(at: &AddressProbed) -> bool {
    let stages = at.report.as_ref().map(|report| &report.stages);
    let first = stages.and_then(|stages| stages.first());
    first.is_some_and(|stage| stage.outcome == StageOutcome::Ok)
}

fn note(probed: &mut [Probed], all: &[FullAt]) {
    for one in probed {
        for full in all {
            if !one.leads_to(full.address) {
                continue;
            }
            if let Some(starttls) = &full.seen.starttls {
                one.starttls_seen(&full.host, full.address, starttls);
            }
            one.versions_seen(&full.host, full.address, &full.seen.versions);
        }
    }
}

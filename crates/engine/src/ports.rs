//! Ports: who else listens where this instance does, or is to.
//!
//! Owns: stopping a reload that would end the master because a port is taken, and saying that a
//! port is shared. Never: names the other program; `ss -ltnp` does.

use crate::propose::Proposal;
use crate::{Engine, EngineError};
use postseal_host::{Rival, Share};
use postseal_planner::plan::Step;
use postseal_planner::report::{Outcome, ServiceExpectation, Verdict, WireExpectation};
use postseal_planner::{Finding, Refusal, Severity};
use std::net::SocketAddr;

impl Engine<'_> {
    /// Refuses a reload into ports that another program has: the master would end at it.
    pub(crate) fn refuse_taken_ports(&self, proposal: &Proposal) -> Result<(), EngineError> {
        let plan = &proposal.plan;
        if !plan.steps.contains(&Step::Reload) {
            return Ok(());
        }
        let served = plan
            .expectations
            .iter()
            .filter(|expected| expected.wire != WireExpectation::Closed);
        let mut findings = Vec::new();
        for expected in served {
            for rival in self.host.rivals(&expected.addresses) {
                if rival.share == Share::All {
                    findings.push(taken(rival.address).seen(expected.service.clone()));
                }
            }
        }
        if findings.is_empty() {
            Ok(())
        } else {
            Err(EngineError::Refused(Refusal { findings }))
        }
    }

    /// Takes a good word back where only luck decides who answers.
    pub(crate) fn note_shared_ports(
        &self,
        expectations: &[ServiceExpectation],
        verdict: &mut Verdict,
    ) {
        let addresses: Vec<SocketAddr> = expectations
            .iter()
            .flat_map(|expected| expected.addresses.iter().copied())
            .collect();
        for Rival { address, share } in self.host.rivals(&addresses) {
            let same = |judged: &&mut postseal_planner::report::Judgement| {
                judged.address == address && share == Share::Some
            };
            for judged in verdict.judgements.iter_mut().filter(same) {
                let finding = shared(address).seen(judged.service.clone());
                judged.outcome = Outcome::Fail;
                judged.sentences.push(finding.message.clone());
                judged.findings.push(finding);
            }
        }
    }
}

fn taken(address: SocketAddr) -> Finding {
    Finding::new(
        "service.port-taken",
        Severity::Fatal,
        format!(
            "Port {} on {} belongs to another program: Postfix cannot listen there, and its \
             master process would end at the reload.",
            address.port(),
            address.ip()
        ),
        "`ss -ltnp` names the program; stop it, or leave the service off.",
    )
}

fn shared(address: SocketAddr) -> Finding {
    Finding::new(
        "wire.port-shared",
        Severity::Error,
        format!(
            "Port {} on {} is shared with another program: each of them gets some of the \
             connections.",
            address.port(),
            address.ip()
        ),
        "`ss -ltnp` names the program, often a second Postfix; stop it.",
    )
}

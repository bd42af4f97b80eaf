//! Versions that nobody looks at: which of them come in force, enter the store, and why one waits.
//!
//! Owns: asking the planner, with what it must know. Never: decides; puts anything in force.

use crate::certificates::parsed;
use crate::{Engine, EngineError, Proposal};
use mailtls::{Certificate, Fingerprint};
use postseal_planner::{Finding, Refusal, Request, Severity, questions, share_a_name};
use postseal_store::Certificate as Stored;

/// Whether DNS says its word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dns {
    Asked,
    Unasked,
}

impl Engine<'_> {
    /// Refuses a renewal by which something is lost: it waits for somebody who looks.
    pub(crate) fn refuse_what_is_lost(
        &self,
        proposal: &Proposal,
        name: &str,
    ) -> Result<(), EngineError> {
        let intents = (&proposal.state.desired, &proposal.plan.intent);
        let (facts, now) = (&proposal.facts, self.clock.now_unix());
        let findings = postseal_planner::lost_by_succession(name, intents, facts, now);
        match findings.is_empty() {
            true => Ok(()),
            false => Err(EngineError::Refused(Refusal { findings })),
        }
    }

    /// Why `cert deploy` would not put the newest version of a certificate in force, without asking
    /// DNS; nothing where it would, or where Postfix cannot be looked at.
    pub(crate) fn why_it_waits(&self, newest: &Stored) -> Result<Vec<Finding>, EngineError> {
        self.refused_by(newest, Dns::Unasked)
    }

    /// The same, with what published records forbid.
    pub(crate) fn why_it_is_refused(&self, newest: &Stored) -> Result<Vec<Finding>, EngineError> {
        self.refused_by(newest, Dns::Asked)
    }

    fn refused_by(&self, newest: &Stored, dns: Dns) -> Result<Vec<Finding>, EngineError> {
        let (Some(state), Some(leaf)) =
            (self.store.instance(&self.instance)?, newest.chain.first())
        else {
            return Ok(Vec::new());
        };
        let next = state.desired.renewed(&newest.name, Fingerprint::of(leaf));
        let Ok(mut facts) = self.observe_for(Some(&next)) else {
            return Ok(Vec::new());
        };
        let now = self.clock.now_unix();
        let request = |intent| Request {
            intent,
            in_force: &state.desired,
            parent: state.head,
            written: &state.written,
        };
        if dns == Dns::Asked {
            self.ask_dns(&mut facts, |facts| questions(&request(&next), facts));
        }
        let refused = |intent| {
            let plan = postseal_planner::plan(&request(intent), &facts, now);
            plan.err().map_or_else(Vec::new, |refusal| refusal.findings)
        };
        let intents = (&state.desired, &next);
        let mut why = postseal_planner::lost_by_succession(&newest.name, intents, &facts, now);
        let before = refused(&state.desired);
        for finding in refused(&next) {
            let known = why
                .iter()
                .chain(&before)
                .any(|one| one.code == finding.code);
            if !known {
                why.push(finding);
            }
        }
        Ok(why)
    }

    /// The older version of a certificate that is in force instead of its newest, where one is.
    pub(crate) fn older_in_force(&self, name: &str) -> Result<Option<u32>, EngineError> {
        let newest = self.newest(name)?.map(|newest| newest.version);
        Ok(self
            .users()?
            .older_in_force(name, newest.unwrap_or_default()))
    }

    /// Refuses what has no name in common with the certificate that it is said to renew: a hook
    /// that runs for every certificate of its client hands each of them in. Compared with what is
    /// in force, else with the newest version.
    pub(crate) fn refuse_stranger(
        &self,
        name: &str,
        leaf: &Certificate,
    ) -> Result<(), EngineError> {
        let versions = self.store.certificate_versions(name)?;
        let users = self.users()?;
        let in_force = |stored: &&Stored| !users.in_force(name, stored.version).is_empty();
        let mut known: Vec<&Stored> = versions.iter().filter(in_force).collect();
        if known.is_empty() {
            known.extend(versions.first());
        }
        let mut for_names = None;
        for stored in known {
            let chain = parsed(stored)?;
            match chain.first() {
                Some(own) if !share_a_name(own, leaf) => for_names = Some(own.names_shown()),
                _ => return Ok(()),
            }
        }
        for_names.map_or(Ok(()), |own| Err(stranger(name, &own, &leaf.names_shown())))
    }
}

fn stranger(name: &str, own: &str, others: &str) -> EngineError {
    let message = format!(
        "This certificate is for {others}, and {name} for {own}: they have no name in common, so \
         it is no renewal of {name}. It was not taken."
    );
    let remedy = format!(
        "A hook that runs for several certificates has to deploy this one only. If it is to take \
         the place of {name}: `postseal cert import {name} --renew …`, `postseal cert bind {name}`, \
         then `postseal apply`."
    );
    let finding = Finding::new("cert.other-names", Severity::Error, message, remedy);
    EngineError::Refused(finding.into())
}

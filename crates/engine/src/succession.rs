//! Versions that nobody looks at: which of them come in force, enter the store, and why one waits.
//!
//! Owns: asking the planner, with what it must know. Never: decides; puts anything in force.

use crate::certificates::parsed;
use crate::{Engine, EngineError, Proposal};
use mailtls::{Certificate, Fingerprint};
use postseal_planner::calendar::day;
use postseal_planner::intent::Binding;
use postseal_planner::{
    AllTheSame, Finding, Intent, Refusal, Request, Severity, is_selfish, lost_by_succession,
    questions, share_a_name,
};
use postseal_store::Certificate as Stored;

/// Whether DNS says its word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dns {
    Asked,
    Unasked,
}

/// What `cert deploy` would come to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prospect {
    /// Why it would not put the version in force; nothing where it would.
    pub(crate) waits_for: Vec<Finding>,
    /// That DNS did not tell whether published records forbid it, where that is so.
    pub(crate) untold: Option<Finding>,
}

impl Engine<'_> {
    /// Refuses a renewal by which something is lost: it waits for somebody who looks.
    pub(crate) fn refuse_what_is_lost(
        &self,
        proposal: &Proposal,
        name: &str,
    ) -> Result<(), EngineError> {
        let intents = (&proposal.state.desired, &proposal.plan.intent);
        let ground = (&proposal.facts, self.clock.now_unix());
        let findings = lost_by_succession(name, intents, ground, AllTheSame::Possible);
        match findings.is_empty() {
            true => Ok(()),
            false => Err(EngineError::Refused(Refusal { findings })),
        }
    }

    /// Why `cert deploy` would not put the newest version of a certificate in force, without asking
    /// DNS; nothing where it would, or where Postfix cannot be looked at.
    pub(crate) fn why_it_waits(&self, newest: &Stored) -> Result<Vec<Finding>, EngineError> {
        Ok(self.deployed(newest, Dns::Unasked)?.waits_for)
    }

    /// The same, with what published records forbid, as far as DNS tells.
    pub(crate) fn prospect(&self, newest: &Stored) -> Result<Prospect, EngineError> {
        self.deployed(newest, Dns::Asked)
    }

    fn deployed(&self, newest: &Stored, dns: Dns) -> Result<Prospect, EngineError> {
        let (Some(state), Some(leaf)) =
            (self.store.instance(&self.instance)?, newest.chain.first())
        else {
            return Ok(Prospect::default());
        };
        let next = state.desired.renewed(&newest.name, Fingerprint::of(leaf));
        let Ok(mut facts) = self.observe_for(Some(&next)) else {
            return Ok(Prospect::default());
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
        let planned = |intent| postseal_planner::plan(&request(intent), &facts, now);
        let refused = |intent| {
            let refusal = planned(intent).err();
            refusal.map_or_else(Vec::new, |refusal| refusal.findings)
        };
        let intents = (&state.desired, &next);
        let lost = |same| lost_by_succession(&newest.name, intents, (&facts, now), same);
        let mut why = lost(AllTheSame::Possible);
        let before = refused(&state.desired);
        // What `apply` would refuse all the same is not offered.
        let meant = self.bound_by_hand(&state.desired, (&next, &newest.name), is_selfish(&why))?;
        let is_news = |found: &Finding| before.iter().all(|known| known.code != found.code);
        if !why.is_empty() && refused(&meant).iter().any(is_news) {
            why = lost(AllTheSame::Refused);
        }
        for finding in refused(&next) {
            let known = why
                .iter()
                .chain(&before)
                .any(|one| one.code == finding.code);
            if !known {
                why.push(finding);
            }
        }
        let silent = |found: &Finding| {
            found.code == "dane.undetermined" && found.severity >= Severity::Warning
        };
        let noticed = planned(&next).map_or_else(|_| Vec::new(), |plan| plan.findings);
        let mut noticed = noticed.into_iter().map(|noticed| noticed.finding);
        Ok(Prospect {
            waits_for: why,
            untold: noticed.find(silent),
        })
    }

    /// What `cert bind` makes of `wanted` with the bindings that `next` has of a name; `selfish`: with
    /// `--allow-self-signed`.
    fn bound_by_hand(
        &self,
        wanted: &Intent,
        (next, name): (&Intent, &str),
        selfish: bool,
    ) -> Result<Intent, EngineError> {
        let its = next.bindings.iter().filter(|bound| bound.name == name);
        let bindings = its.cloned().map(|bound| Binding {
            allow_self_signed: bound.allow_self_signed || selfish,
            ..bound
        });
        let wishes = self.binding_wishes(wanted, bindings.collect())?;
        Ok(wanted.with_all(&wishes))
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
        let mut for_names = None;
        for own in self.to_be_renewed(name)? {
            match share_a_name(&own, leaf) {
                false => for_names = Some(own.names_shown()),
                true => return Ok(()),
            }
        }
        for_names.map_or(Ok(()), |own| Err(stranger(name, &own, &leaf.names_shown())))
    }

    /// Refuses what began and ends before all that it is said to renew, as a folder has it that was put
    /// back from a backup: in the store it would be the newest, and never come in force.
    pub(crate) fn refuse_outdated(
        &self,
        name: &str,
        leaf: &Certificate,
    ) -> Result<(), EngineError> {
        let own = self.to_be_renewed(name)?;
        let is_older =
            |own: &Certificate| leaf.not_before < own.not_before && ends_sooner(leaf, own);
        let now = self.clock.now_unix();
        let versions = self.store.certificate_versions(name)?;
        let known = versions
            .iter()
            .any(|one| one.chain.first() == Some(&leaf.der));
        let counts = |own: &&Certificate| own.not_after >= now;
        match own.iter().find(counts) {
            Some(newer) if !known && own.iter().all(is_older) => Err(outdated(name, leaf, newer)),
            _ => Ok(()),
        }
    }

    /// The leaves of the versions that a renewal of this name would take the place of: those in force,
    /// else the newest.
    fn to_be_renewed(&self, name: &str) -> Result<Vec<Certificate>, EngineError> {
        let versions = self.store.certificate_versions(name)?;
        let users = self.users()?;
        let in_force = |stored: &&Stored| !users.in_force(name, stored.version).is_empty();
        let mut known: Vec<&Stored> = versions.iter().filter(in_force).collect();
        if known.is_empty() {
            known.extend(versions.first());
        }
        let mut leaves = Vec::new();
        for stored in known {
            leaves.extend(parsed(stored)?.into_iter().next());
        }
        Ok(leaves)
    }
}

/// CAs round the end of what they issue.
const A_DAY: i64 = 86_400;

/// Whether a certificate ends so much before another one that it is not presented in its place without
/// anybody looking.
pub(crate) fn ends_sooner(leaf: &Certificate, other: &Certificate) -> bool {
    leaf.not_after < other.not_after.saturating_sub(A_DAY)
}

/// How somebody who looks has it presented. `from`: the options that say where it is.
pub(crate) fn bound_all_the_same(name: &str, from: &str) -> String {
    format!(
        "`postseal cert import {name} --renew {from}`, `postseal cert bind {name}`, then `postseal apply`"
    )
}

fn outdated(name: &str, leaf: &Certificate, newer: &Certificate) -> EngineError {
    let message = format!(
        "This certificate ({} to {}) began and ends before the one that {name} has ({} to {}): it is no \
         renewal. Nothing was imported or presented.",
        day(leaf.not_before),
        day(leaf.not_after),
        day(newer.not_before),
        day(newer.not_after),
    );
    let remedy = format!(
        "See that the client hands in what it issued last. If this one is to be presented all the same: \
         {}.",
        bound_all_the_same(name, "…")
    );
    let finding = Finding::new("cert.older-version", Severity::Error, message, remedy);
    EngineError::Refused(finding.into())
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

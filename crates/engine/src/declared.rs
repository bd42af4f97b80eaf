//! The whole intent of an instance as one document says it.
//!
//! Owns: what of the intent a document says, and making what is wished equal to it: all of it or
//! nothing. Never: reads the document's form (faces do), or puts anything in force by another way
//! than `apply`.
//!
//! A section that is not there leaves what it speaks of as it is; what a section that is there does
//! not name is taken back.

use crate::approve::Acceptance;
use crate::change::{Changed, Keep};
use crate::domains::MOST;
use crate::propose::Proposal;
use crate::rules::Held;
use crate::{DomainRequest, Engine, EngineError, Forced, Look, Refused, RuleRequest, Wholeness};
use postseal_planner::intent::{Binding, Intent, Key, Place, Setting, Wish};
use postseal_planner::policy::{Manager, Rule};
use postseal_planner::{Finding, Refusal, Severity, settings};
use postseal_store::{RuleState, RuleView, TrialEnd};
use std::collections::BTreeMap;

/// What a document says of an intent; `None` where it has no such section.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// What is set.
    pub settings: Option<Vec<DeclaredSetting>>,
    /// Who presents which certificate.
    pub certificates: Option<Vec<DeclaredBinding>>,
    /// Rules for the next hops of credentials.
    pub credentials: Option<DeclaredCredentials>,
    /// Entries of domains.
    pub domains: Option<Vec<DeclaredDomain>>,
    /// Rules made by hand; those that cannot be read as what is wrong with them.
    pub rules: Option<Vec<Result<RuleRequest, Refused>>>,
}

/// One `KEY=VALUE`.
#[derive(Clone, Debug)]
pub struct DeclaredSetting {
    /// As `postseal set` spells it.
    pub key: String,
    /// As `postseal set` takes it.
    pub value: String,
    /// Where it was read.
    pub line: usize,
}

/// One binding.
#[derive(Clone, Debug)]
pub struct DeclaredBinding {
    /// The certificate's name in the store. What is bound is the version that is bound already, else
    /// the newest.
    pub name: String,
    /// Where it is presented.
    pub place: Place,
    /// Whether it may be self-signed.
    pub allow_self_signed: bool,
    /// Where it was read.
    pub line: usize,
}

/// One entry.
#[derive(Clone, Debug)]
pub struct DeclaredDomain {
    /// What is said of it.
    pub entry: DomainRequest,
    /// Where it was read.
    pub line: usize,
}

/// Whether the next hops of credentials have rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclaredCredentials {
    /// They have, as `domain sync` makes them.
    Rules,
    /// They have not.
    None,
}

/// What is wanted of an instance, but for its rules by hand, which are read a page at a time.
#[derive(Clone, Debug)]
pub struct Intended {
    /// Settings and bindings.
    pub intent: Intent,
    /// Whether the next hops of credentials have rules.
    pub credentials: DeclaredCredentials,
    /// The rules of the entries of domains.
    pub domains: Vec<Rule>,
    /// Whether there is any rule by hand, or one that follows its mail.
    pub has_rules: bool,
}

impl Engine<'_> {
    /// What is wanted, or in force.
    ///
    /// # Errors
    /// [`EngineError::NotAdopted`], and what the store fails with.
    pub fn intended(&self, view: RuleView) -> Result<Intended, EngineError> {
        let state = self.state()?;
        let intent = match view {
            RuleView::InForce => state.desired,
            _ => state.draft.unwrap_or(state.desired),
        };
        let of_view = |state: RuleState| match view {
            RuleView::InForce => state.in_force,
            _ => state.wanted,
        };
        let managed = self.store.managed_rules(&self.instance, MOST)?;
        let managed: Vec<Rule> = managed.into_iter().filter_map(of_view).collect();
        let by = |rule: &Rule| Manager::of(&rule.id);
        let follows = |rule: &Rule| matches!(by(rule), Some(Manager::Recipient(_)));
        let has_rules = managed.iter().any(follows) || self.has_rules_by_hand(view)?;
        let credentials = match managed
            .iter()
            .any(|rule| by(rule) == Some(Manager::Passwords))
        {
            true => DeclaredCredentials::Rules,
            false => DeclaredCredentials::None,
        };
        let mut domains = managed;
        domains.retain(|rule| matches!(by(rule), Some(Manager::Domain(_))));
        domains.sort_by(|one, other| one.id.manager.cmp(&other.id.manager));
        Ok(Intended {
            intent,
            credentials,
            domains,
            has_rules,
        })
    }

    fn has_rules_by_hand(&self, view: RuleView) -> Result<bool, EngineError> {
        const PAGE: usize = 1_000;
        let mut after = None;
        loop {
            let page = self
                .store
                .rules(&self.instance, view, after.as_ref(), PAGE)?;
            if page.iter().any(|rule| rule.id.manager.is_empty()) {
                return Ok(true);
            }
            match page.last() {
                Some(last) => after = Some(last.id.clone()),
                None => return Ok(false),
            }
        }
    }

    /// What applying a document would do. Nothing is stored.
    ///
    /// # Errors
    /// What speaks against a line of it, or against the whole.
    pub fn propose_declared(&mut self, declared: &Declared) -> Result<Proposal, EngineError> {
        self.refuse_while_open()?;
        self.tried(TrialEnd::TakenBack, |engine| {
            engine.wish_declared(declared)?;
            engine.propose()
        })
    }

    /// Makes what is wished equal to a document, and puts it in force. What is refused before the
    /// rehearsal leaves all wishes as they were; afterwards they are pending, like others.
    ///
    /// # Errors
    /// As [`Engine::propose_declared`] and [`Engine::apply`].
    pub fn apply_declared(
        &mut self,
        declared: &Declared,
        accepted: &[Acceptance],
        keep: Keep,
    ) -> Result<Changed, EngineError> {
        let _lock = self.host.lock()?;
        self.settle_what_is_open()?;
        self.refuse_while_open()?;
        let proposal = self.tried(TrialEnd::Kept, |engine| {
            engine.wish_declared(declared)?;
            let proposal = engine.propose()?;
            engine.refuse_barred(&proposal, accepted)?;
            engine.approve(proposal.clone(), accepted)?;
            Ok(proposal)
        })?;
        self.carry_out(proposal, accepted, keep)
    }

    /// Does `work` on the store on trial: where it fails, nothing of it is stored.
    pub(crate) fn tried<T>(
        &mut self,
        end: TrialEnd,
        work: impl FnOnce(&mut Self) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.store.begin_trial()?;
        let done = work(self);
        let end = match done.is_ok() {
            true => end,
            false => TrialEnd::TakenBack,
        };
        let ended = self.store.end_trial(end);
        let done = done?;
        ended?;
        Ok(done)
    }

    fn wish_declared(&mut self, declared: &Declared) -> Result<(), EngineError> {
        self.state()?;
        if let Some(settings) = &declared.settings {
            self.wish_settings(settings)?;
        }
        if let Some(bindings) = &declared.certificates {
            self.wish_bindings(bindings)?;
        }
        // First all are gone, so that nothing that the document does not name speaks against what it
        // does.
        if declared.rules.is_some() {
            for manager in Manager::OF_POLICY {
                self.store.wish_none(&self.instance, manager)?;
            }
        }
        if let Some(domains) = &declared.domains {
            self.store.wish_none(&self.instance, Manager::OF_DOMAINS)?;
            self.wish_domains(domains)?;
        }
        match declared.credentials {
            Some(DeclaredCredentials::Rules) => {
                // `apply` looks at their servers.
                self.sync_credentials(&Forced::No, Look::Never)?;
            }
            Some(DeclaredCredentials::None) => {
                let manager = Manager::Passwords.to_string();
                self.store.wish_none(&self.instance, &manager)?;
            }
            None => {}
        }
        match &declared.rules {
            Some(rules) => self.wish_rules_declared(rules),
            None => Ok(()),
        }
    }

    fn wish_settings(&mut self, pairs: &[DeclaredSetting]) -> Result<(), EngineError> {
        let version = self.host.look()?.version;
        let mut wanted: BTreeMap<Key, Setting> = BTreeMap::new();
        for pair in pairs {
            let DeclaredSetting { key, value, line } = pair;
            let wishes = settings::parse(key, value, version)
                .map_err(|refusal| EngineError::Refused(at(refusal, *line, key)))?;
            for wish in wishes {
                if let Wish::Set(known, setting) = wish
                    && wanted.insert(known.clone(), setting).is_some()
                {
                    return Err(twice(&known.name(), *line));
                }
            }
        }
        // In the order of the keys: a parameter of its own is said after the word that governs it.
        let bare = |intent: &Intent| Intent {
            settings: BTreeMap::new(),
            ..intent.clone()
        };
        let set = |intent: Intent, (key, setting)| intent.with(Wish::Set(key, setting));
        self.wish_intent(|now| wanted.into_iter().fold(bare(now), set))
    }

    fn wish_bindings(&mut self, said: &[DeclaredBinding]) -> Result<(), EngineError> {
        let state = self.state()?;
        let now = state.draft.unwrap_or(state.desired).bindings;
        let mut bindings: Vec<Binding> = Vec::with_capacity(said.len());
        for one in said {
            let same = |bound: &&Binding| bound.name == one.name && bound.place == one.place;
            if bindings.iter().any(|bound| same(&bound)) {
                return Err(twice(
                    &format!("{} ({})", one.name, one.place.text()),
                    one.line,
                ));
            }
            let fingerprint = match now.iter().find(same) {
                Some(bound) => bound.fingerprint,
                None => self.newest_leaf(one)?,
            };
            bindings.push(Binding {
                name: one.name.clone(),
                fingerprint,
                allow_self_signed: one.allow_self_signed,
                place: one.place.clone(),
            });
        }
        // The order matters within a place alone.
        let by_place = |bindings: &[Binding]| {
            let mut sorted = bindings.to_vec();
            sorted.sort_by(|one, other| one.place.cmp(&other.place));
            sorted
        };
        match by_place(&now) == by_place(&bindings) {
            true => Ok(()),
            false => self.wish_intent(|intent| Intent {
                bindings,
                ..intent.clone()
            }),
        }
    }

    fn newest_leaf(&self, one: &DeclaredBinding) -> Result<mailtls::Fingerprint, EngineError> {
        let newest = self.newest(&one.name)?;
        let leaf = newest.as_ref().and_then(|stored| stored.chain.first());
        let Some(leaf) = leaf else {
            let finding = Finding::new(
                "document.no-certificate",
                Severity::Error,
                format!("There is no certificate {} in the store.", one.name),
                "Import it first: a document names certificates, it does not hold them.",
            );
            return Err(refused(finding.at_line(one.line, &one.name)));
        };
        Ok(mailtls::Certificate::parse(leaf)?.fingerprint())
    }

    fn wish_domains(&mut self, said: &[DeclaredDomain]) -> Result<(), EngineError> {
        for DeclaredDomain { entry, line } in said {
            let forced = entry.reason.clone().map_or(Forced::No, Forced::Because);
            let added = self.add_domain(entry, &forced, Look::Never);
            added.map_err(|error| match error {
                EngineError::Refused(refusal) => {
                    EngineError::Refused(at(refusal, *line, &entry.domain))
                }
                error => error,
            })?;
        }
        Ok(())
    }

    fn wish_rules_declared(
        &mut self,
        rules: &[Result<RuleRequest, Refused>],
    ) -> Result<(), EngineError> {
        let mut rows = rules.iter().cloned();
        let whole = Wholeness::AllOrNothing;
        let imported = self.import_held(&mut rows, whole, Held::AsPlanned, &|_| {})?;
        if imported.refused == 0 {
            return Ok(());
        }
        let told = imported.wished.refused;
        let more = imported.refused - told.len() as u64;
        let mut findings: Vec<Finding> = told.into_iter().flat_map(|one| one.findings).collect();
        if more > 0 {
            findings.push(Finding::new(
                "document.more-refused",
                Severity::Error,
                format!("{more} more rules were refused."),
                "Mend those above first.",
            ));
        }
        Err(EngineError::Refused(Refusal { findings }))
    }

    fn wish_intent(&mut self, of: impl FnOnce(&Intent) -> Intent) -> Result<(), EngineError> {
        let state = self.state()?;
        let after = of(state.draft.as_ref().unwrap_or(&state.desired));
        let pending = (after != state.desired).then_some(&after);
        Ok(self.store.set_draft(&self.instance, pending)?)
    }
}

fn twice(what: &str, line: usize) -> EngineError {
    let finding = Finding::new(
        "document.twice",
        Severity::Error,
        format!("{what} is said twice."),
        "Take one of the lines out.",
    );
    refused(finding.at_line(line, what))
}

fn refused(finding: Finding) -> EngineError {
    EngineError::Refused(finding.into())
}

/// What was refused, with its line.
fn at(mut refusal: Refusal, line: usize, what: &str) -> Refusal {
    let findings = refusal.findings.drain(..);
    let findings = findings.map(|finding| finding.at_line(line, what));
    Refusal {
        findings: findings.collect(),
    }
}

//! Adoption, and the wishes that make a draft.
//!
//! Owns: `init`, `release`, `set`, `unset`, `bind`, `unbind`, `discard` — everything that changes
//! only Postseal's memory. Never: changes a byte of Postfix.

use crate::certificates::{parsed, unknown};
use crate::{Engine, EngineError, TablesRead};
use postseal_planner::facts::Facts;
use postseal_planner::intent::{Binding, Intent, Owned, Place, Wish};
use postseal_planner::plan::Base;
use postseal_planner::{Finding, Refusal, Request, owned, questions, settings, uncovered};
use postseal_store::{Certificate, InstanceState};

/// Told of a table that is left alone for that, too.
const NOT_COMPILED: &str = "policy.table-not-compiled";

/// What `init` found and took over.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// The TLS parameters now owned.
    pub owned: Owned,
    /// What lint says of the instance as it is.
    pub findings: Vec<Finding>,
    /// Whether it was adopted before.
    pub again: Again,
    /// What was owned before; nothing the first time.
    pub before: Owned,
    /// What became of the tables of policies.
    pub tables: TablesRead,
}

impl Engine<'_> {
    /// Adopts the instance as it is. Stores nothing when Postfix cannot read it. Repeated: takes
    /// over hand edits as `drift --adopt` does, keeping what was set.
    pub fn init(&mut self) -> Result<Adoption, EngineError> {
        let lock = self.host.lock()?;
        let facts = self.observe()?;
        let owned = owned::of(&facts);
        let (again, before, tables) = match self.store.instance(&self.instance)? {
            Some(state) => {
                drop(lock);
                let tables = self.adopt_drift()?.taken;
                let again = if state.written == owned && !tables.is_news() {
                    Again::Unchanged
                } else {
                    Again::TakenOver
                };
                (again, state.written, tables)
            }
            None => {
                let tables = self.read_tables(&facts, &owned, None)?;
                self.put_adopted(&fresh(&facts, &owned), &tables)?;
                (Again::First, Owned::default(), tables)
            }
        };
        let mut findings = postseal_planner::lint_facts(&facts, self.clock.now_unix());
        findings.extend(tables.findings.iter().cloned());
        let known = |one: &Finding| tables.findings.iter().any(|told| told.code == one.code);
        let idle = self.idle_in_force(&facts)?.findings().into_iter();
        findings.extend(idle.filter(|one| one.code != NOT_COMPILED || !known(one)));
        Ok(Adoption {
            owned,
            findings,
            again,
            before,
            tables,
        })
    }

    /// Stores a state with the rules of adopted tables, all at once.
    pub(crate) fn put_adopted(
        &mut self,
        state: &InstanceState,
        tables: &TablesRead,
    ) -> Result<(), EngineError> {
        let with = |intent: &Intent| Intent {
            tables: tables.tables.clone(),
            ..intent.clone()
        };
        let state = InstanceState {
            desired: with(&state.desired),
            draft: state.draft.as_ref().map(with),
            ..state.clone()
        };
        match tables.is_news() {
            true => self.store.adopt_rules(&self.instance, &state)?,
            false => self.store.adopt(&self.instance, &state)?,
        }
        Ok(())
    }

    /// Forgets the instance. Postfix stays as it is.
    pub fn release(&mut self) -> Result<(), EngineError> {
        let _lock = self.host.lock()?;
        self.state()?;
        self.refuse_while_open()?;
        Ok(self.store.release(&self.instance)?)
    }

    /// Adds `KEY=VALUE` wishes to the draft: all of them or none.
    pub fn set(&mut self, pairs: &[(String, String)]) -> Result<Wished, EngineError> {
        let version = self.host.look()?.version;
        let mut wishes = Vec::new();
        for (key, value) in pairs {
            wishes.extend(settings::parse(key, value, version).map_err(EngineError::Refused)?);
        }
        self.wish(&wishes)
    }

    /// Gives keys back to what was adopted.
    pub fn unset(&mut self, keys: &[String]) -> Result<Wished, EngineError> {
        let mut wishes = Vec::new();
        for key in keys {
            wishes.extend(settings::parse_unset(key).map_err(EngineError::Refused)?);
        }
        self.wish(&wishes)
    }

    /// Binds stored certificates, each in the place of one with the same kind of key.
    ///
    /// # Errors
    /// A binding that would break a published TLSA record is refused, and nothing is stored: no
    /// later wish mends it, only a record that is published first (RFC 7671, 8.1).
    pub fn bind(&mut self, bindings: Vec<Binding>) -> Result<Wished, EngineError> {
        let state = self.state()?;
        let before = state.draft.as_ref().unwrap_or(&state.desired);
        let wishes = self.binding_wishes(before, bindings)?;
        let after = before.with_all(&wishes);
        let [was, planned] = self.planned(&state, [before, &after], Ask::Dns);
        let mut refused = planned.refused;
        refused.retain(|found| !was.refused.contains(found));
        let mut noticed = planned.noticed;
        noticed.retain(|found| !was.noticed.contains(found));
        let breaks = |found: &Finding| found.code == "dane.would-break";
        if refused.iter().any(breaks) {
            refused.retain(breaks);
            return Err(EngineError::Refused(Refusal { findings: refused }));
        }
        let mut wished = self.wish(&wishes)?;
        wished.misgivings = refused;
        wished.noticed = noticed;
        Ok(wished)
    }

    /// `wanted`, and `stored` bound to every service.
    pub(crate) fn with_bound(
        &self,
        wanted: &Intent,
        stored: &Certificate,
    ) -> Result<Intent, EngineError> {
        let chain = parsed(stored)?;
        let leaf = chain.first().ok_or_else(|| unknown(&stored.name))?;
        let binding = Binding {
            name: stored.name.clone(),
            fingerprint: leaf.fingerprint(),
            allow_self_signed: true,
            place: Place::Server,
        };
        let wishes = self.binding_wishes(wanted, vec![binding])?;
        Ok(wanted.with_all(&wishes))
    }

    /// `bindings` as wishes, each with the end of the one whose place it takes.
    pub(crate) fn binding_wishes(
        &self,
        wanted: &Intent,
        bindings: Vec<Binding>,
    ) -> Result<Vec<Wish>, EngineError> {
        let mut wishes = Vec::new();
        for binding in bindings {
            let same =
                |other: &&Binding| other.place == binding.place && other.name != binding.name;
            for other in wanted.bindings.iter().filter(same) {
                if self.key_kind(&other.fingerprint)? == self.key_kind(&binding.fingerprint)? {
                    let place = Some(other.place.clone());
                    wishes.push(Wish::Unbind(other.name.clone(), place));
                }
            }
            wishes.push(Wish::Bind(binding));
        }
        Ok(wishes)
    }

    /// Takes bindings of a certificate away: those in `places`, or all where none is named.
    pub fn unbind(&mut self, name: &str, places: &[Place]) -> Result<Wished, EngineError> {
        let state = self.state()?;
        let wanted = state.draft.as_ref().unwrap_or(&state.desired);
        let bound = |place: Option<&Place>| {
            let mut bindings = wanted.bindings.iter();
            bindings.any(|b| b.name == name && place.is_none_or(|place| *place == b.place))
        };
        let unknown = |name: String| EngineError::Unknown {
            what: "bound certificate",
            name,
        };
        if !bound(None) {
            return Err(unknown(name.to_owned()));
        }
        if let Some(place) = places.iter().find(|place| !bound(Some(place))) {
            return Err(unknown(format!("{name} ({})", place.text())));
        }
        let wishes: Vec<Wish> = if places.is_empty() {
            vec![Wish::Unbind(name.to_owned(), None)]
        } else {
            let places = places.iter().cloned();
            places
                .map(|place| Wish::Unbind(name.to_owned(), Some(place)))
                .collect()
        };
        let before = wanted.clone();
        let after = before.with_all(&wishes);
        let bare = |found: &Finding| found.code == "level.no-certificate";
        let [was, after] = self.planned(&state, [&before, &after], Ask::Nobody);
        let (was, mut faults) = (was.refused, after.refused);
        faults.retain(|fault| was.iter().all(|before| before != fault));
        let findings: Vec<Finding> = faults.iter().filter(|one| bare(one)).cloned().collect();
        if !findings.is_empty() && !was.iter().any(bare) {
            return Err(EngineError::Refused(Refusal { findings }));
        }
        let mut wished = self.wish(&wishes)?;
        wished.noticed = uncovered(&wished.before, &wished.after, &faults);
        let told = |fault: &Finding| {
            let mut told = wished.noticed.iter();
            told.any(|one| one.message.contains(&fault.message))
        };
        wished.misgivings = faults.into_iter().filter(|one| !told(one)).collect();
        Ok(wished)
    }

    /// What plans of these two intents would be refused for, or say; nothing where the instance
    /// cannot be looked at now, which is for `plan` to say.
    fn planned(&self, state: &InstanceState, intents: [&Intent; 2], ask: Ask) -> [Planned; 2] {
        // One picture for both: the second names what the first does, and more.
        let Ok(mut facts) = self.observe_for(Some(intents[1])) else {
            return Default::default();
        };
        let [before, after] = intents.map(|intent| Request {
            intent,
            in_force: &state.desired,
            parent: state.head,
            written: &state.written,
        });
        if ask == Ask::Dns {
            self.ask_dns(&mut facts, |facts| questions(&after, facts));
        }
        [before, after].map(|request| {
            match postseal_planner::plan(&request, &facts, self.clock.now_unix()) {
                Ok(plan) => Planned {
                    noticed: plan.findings.into_iter().map(|one| one.finding).collect(),
                    ..Planned::default()
                },
                Err(refusal) => Planned {
                    refused: refusal.findings,
                    ..Planned::default()
                },
            }
        })
    }

    /// Drops all pending wishes.
    pub fn discard(&mut self) -> Result<Wished, EngineError> {
        let state = self.state()?;
        self.store.set_draft(&self.instance, None)?;
        let rules = self.store.discard_rules(&self.instance)?;
        Ok(Wished {
            rules,
            misgivings: Vec::new(),
            noticed: Vec::new(),
            before: state.draft.unwrap_or_else(|| state.desired.clone()),
            after: state.desired.clone(),
            in_force: state.desired,
        })
    }

    /// The state of the instance, or why there is none.
    pub(crate) fn state(&self) -> Result<InstanceState, EngineError> {
        self.store
            .instance(&self.instance)?
            .ok_or_else(|| EngineError::NotAdopted {
                instance: self.instance.clone(),
            })
    }

    pub(crate) fn wish(&mut self, wishes: &[Wish]) -> Result<Wished, EngineError> {
        let state = self.state()?;
        let before = state.draft.unwrap_or_else(|| state.desired.clone());
        let after = before.with_all(wishes);
        let pending = (after != state.desired).then_some(&after);
        self.store.set_draft(&self.instance, pending)?;
        Ok(Wished {
            rules: 0,
            misgivings: Vec::new(),
            noticed: Vec::new(),
            before,
            after,
            in_force: state.desired,
        })
    }
}

/// Who is asked about a plan that nobody carries out yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    Dns,
    Nobody,
}

/// What a plan would be refused for, else what it says.
#[derive(Default)]
struct Planned {
    refused: Vec<Finding>,
    noticed: Vec<Finding>,
}

/// What came of a wish.
#[derive(Clone, Debug)]
pub struct Wished {
    /// What was wished before, or in force where nothing was.
    pub before: Intent,
    /// What is wished now.
    pub after: Intent,
    /// What is in force.
    pub in_force: Intent,
    /// What a plan of what is wished now would be refused for, and was not before.
    pub misgivings: Vec<Finding>,
    /// What else such a plan says, and did not before.
    pub noticed: Vec<Finding>,
    /// How many wishes about rules for destinations were dropped.
    pub rules: u64,
}

/// Whether an instance was adopted before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The first time.
    First,
    /// It was, and nothing owned has changed since.
    Unchanged,
    /// It was, and hand edits were taken over.
    TakenOver,
}

/// Whether there was something to change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "self-evident")]
pub enum Changes {
    #[default]
    None,
    Some,
}

/// Digests of both files.
pub(crate) fn base(facts: &Facts) -> Base {
    Base {
        main_cf: facts.main_cf.digest,
        master_cf: facts.master_cf.digest,
    }
}

fn fresh(facts: &Facts, owned: &Owned) -> InstanceState {
    InstanceState {
        desired: Intent {
            adopted: owned.clone(),
            ..Intent::default()
        },
        draft: None,
        written: owned.clone(),
        base: base(facts),
        head: None,
    }
}

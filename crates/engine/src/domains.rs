//! Domains whose next hop needs encryption, and credentials that must not go in clear: the rules
//! that they manage.
//!
//! Owns: from an entry, or a key of `smtp_sasl_password_maps`, to the rule it manages. Never:
//! changes where mail goes: routing is the administrator's, and what is missing there is said with
//! the line to add. The rule may come before the route, because the other order would send
//! credentials in clear meanwhile.

mod passwords;
mod route;
mod rows;
mod wished;

use crate::observe::observe_unadopted;
use crate::rules::{Forced, Look};
use crate::{Engine, EngineError, RulesWished, Wish};
use mailtls::Level;
use mailtls::destination::{Destination, Kind, Scope};
use mailtls::policy::Policy;
pub use passwords::{HopState, Synced};
use postseal_planner::policy::{About, Entry, Manager, Rule, RuleError, RuleId, dialect};
use postseal_planner::{Facts, Finding, Refusal, Severity};
use postseal_store::{RuleState, RuleWish};
pub use route::Route;

/// The setting that makes the client for port 465.
const SMTPS_OUT: &str = "smtps-out";
/// The policy of an entry that names none.
const USUAL: &str = "encrypt";
/// More managed rules than this are not read.
pub(crate) const MOST: usize = 100_000;

/// An entry of a domain, as it is wished; what is `None` stays, or is as usual.
#[derive(Clone, Debug, Default)]
pub struct DomainRequest {
    /// The domain.
    pub domain: String,
    /// Where its mail goes [default: where it goes now].
    pub next_hop: Option<String>,
    /// The policy [default: encrypt].
    pub policy: Option<String>,
    /// Whether the next hop demands authentication.
    pub requires_auth: Option<bool>,
    /// Whether the next hop expects TLS from the first byte.
    pub smtps: Option<bool>,
    /// A line for whoever reads it later; an empty one takes it away.
    pub note: Option<String>,
    /// Why its rule is kept although its servers speak against it, where that is known beforehand.
    pub reason: Option<String>,
}

/// An entry of a domain.
#[derive(Clone, Debug)]
pub struct DomainState {
    /// The domain, as a person reads it.
    pub domain: String,
    /// Its rule, as it is and as it is wished. Where the next hop changes there are two.
    pub rule: RuleState,
    /// Where its mail goes now.
    pub route: Route,
}

impl DomainState {
    /// Whether its mail goes where the entry says, as it says.
    pub fn is_routed(&self) -> bool {
        let rule = self.rule.wanted.as_ref().or(self.rule.in_force.as_ref());
        let smtps = rule.is_some_and(|rule| entry(rule).smtps);
        self.route.takes(&self.rule.id.destination) && (!smtps || self.route.wraps)
    }
}

/// What came of a wish about domains.
#[derive(Clone, Debug, Default)]
pub struct DomainsWished {
    /// Their rules.
    pub rules: RulesWished,
    /// Settings that changed with them.
    pub settings: Vec<Wish>,
}

impl Engine<'_> {
    /// Wishes for a new entry.
    ///
    /// # Errors
    /// `domain.exists`, and what speaks against the entry. What its servers show against its rule is in
    /// the report.
    pub fn add_domain(
        &mut self,
        request: &DomainRequest,
        forced: &Forced,
        look: Look,
    ) -> Result<DomainsWished, EngineError> {
        let domain = domain(&request.domain)?;
        if self
            .entries(&domain)?
            .iter()
            .any(|one| one.wanted.is_some())
        {
            return Err(refused(
                "domain.exists",
                format!("There is an entry for {} already.", request.domain),
                format!("`postseal domain edit {}` changes it.", request.domain),
            ));
        }
        self.put_domain(&domain, request, None, (forced, look))
    }

    /// Wishes for an entry to be another one.
    ///
    /// # Errors
    /// [`EngineError::Unknown`], and what speaks against the entry. What its servers show against its
    /// rule is in the report.
    pub fn edit_domain(
        &mut self,
        request: &DomainRequest,
        forced: &Forced,
        look: Look,
    ) -> Result<DomainsWished, EngineError> {
        let domain = domain(&request.domain)?;
        let now = self.entry_of(&domain)?;
        let now = now.ok_or_else(|| unknown(&request.domain))?;
        self.put_domain(&domain, request, Some(now), (forced, look))
    }

    /// Wishes for entries to be gone, and their rules with them; all of them, or none.
    ///
    /// # Errors
    /// [`EngineError::Unknown`].
    pub fn remove_domains(&mut self, domains: &[String]) -> Result<DomainsWished, EngineError> {
        let mut gone = Vec::new();
        for name in domains {
            let states = self.entries(&domain(name)?)?;
            let wanted: Vec<Rule> = states.into_iter().filter_map(|one| one.wanted).collect();
            if wanted.is_empty() {
                return Err(unknown(name));
            }
            gone.extend(wanted);
        }
        let ids = gone.iter().map(|rule| rule.id.clone());
        let wishes: Vec<RuleWish> = ids.map(RuleWish::Remove).collect();
        let mut wished = self.wish_managed(RulesWished::default(), &wishes)?;
        if gone.iter().any(|rule| entry(rule).smtps) {
            self.without_client(&gone, &mut wished)?;
        }
        Ok(wished)
    }

    /// All entries, and where the mail of each goes now.
    pub fn domains(&self) -> Result<Vec<DomainState>, EngineError> {
        self.state()?;
        let facts = observe_unadopted(self.host)?;
        let mut found = Vec::new();
        for state in self.store.managed_rules(&self.instance, MOST)? {
            if let Some(Manager::Domain(domain)) = Manager::of(&state.id) {
                found.push(DomainState {
                    route: route::of(self.host, &facts, &domain)?,
                    domain: shown(&domain),
                    rule: state,
                });
            }
        }
        found.sort_by(|one, other| one.domain.cmp(&other.domain));
        Ok(found)
    }

    fn put_domain(
        &mut self,
        domain: &str,
        request: &DomainRequest,
        now: Option<Rule>,
        (forced, look): (&Forced, Look),
    ) -> Result<DomainsWished, EngineError> {
        self.state()?;
        let facts = observe_unadopted(self.host)?;
        let route = route::of(self.host, &facts, domain)?;
        let rule = wanted(domain, request, now.as_ref(), &route, &facts)?;
        let mut report = RulesWished::default();
        let rules = vec![rule.clone()];
        let rules = self.judged_managed(&facts, rules, (forced, look), &mut report)?;
        if !report.refused.is_empty() {
            return Ok(DomainsWished {
                rules: report,
                settings: Vec::new(),
            });
        }
        let mut wishes: Vec<RuleWish> = rules.into_iter().map(RuleWish::Put).collect();
        let moved = now.filter(|now| now.id != rule.id);
        wishes.extend(moved.map(|now| RuleWish::Remove(now.id)));
        let mut wished = self.wish_managed(report, &wishes)?;
        if entry(&rule).smtps && !route.wraps {
            let on = [(SMTPS_OUT.to_owned(), "on".to_owned())];
            let set = self.set(&on)?;
            wished.settings = crate::wishes(&set.before, &set.after);
        }
        let findings = &mut wished.rules.findings;
        findings.extend(route::differs(domain, &rule, &route));
        if entry(&rule).requires_auth {
            findings.extend(passwords::missing(&rule.id, &facts));
        }
        Ok(wished)
    }

    /// The rule of a domain's entry, as it is wished; `None` where there is none, or it is to be removed.
    ///
    /// # Errors
    /// `domain.bad-domain`, and what the store fails with.
    pub fn entry_of(&self, name: &str) -> Result<Option<Rule>, EngineError> {
        let states = self.entries(&domain(name)?)?;
        Ok(states.into_iter().find_map(|state| state.wanted))
    }

    /// The rules of a domain's entry: one, or two while its next hop changes.
    fn entries(&self, domain: &str) -> Result<Vec<RuleState>, EngineError> {
        let manager = Manager::Domain(domain.to_owned()).to_string();
        let mut managed = self.store.managed_rules(&self.instance, MOST)?;
        managed.retain(|state| state.id.manager == manager);
        Ok(managed)
    }

    /// Gives the client for port 465 back where nothing needs it any more.
    fn without_client(
        &mut self,
        gone: &[Rule],
        wished: &mut DomainsWished,
    ) -> Result<(), EngineError> {
        let managed = self.store.managed_rules(&self.instance, MOST)?;
        let mut others = managed.iter().filter_map(|state| state.wanted.as_ref());
        if others.any(|rule| entry(rule).smtps) {
            return Ok(());
        }
        let facts = observe_unadopted(self.host)?;
        for rule in gone {
            let Some(Manager::Domain(domain)) = Manager::of(&rule.id) else {
                continue;
            };
            let route = route::of(self.host, &facts, &domain)?;
            if route.transport == postseal_planner::SMTPS_OUT_NAME {
                wished.rules.findings.push(route::still_used(&domain));
                return Ok(());
            }
        }
        let unset = self.unset(&[SMTPS_OUT.to_owned()])?;
        wished.settings = crate::wishes(&unset.before, &unset.after);
        Ok(())
    }
}

/// The rule of an entry.
fn wanted(
    domain: &str,
    request: &DomainRequest,
    now: Option<&Rule>,
    route: &Route,
    facts: &Facts,
) -> Result<Rule, EngineError> {
    let kept = now.map(|now| now.id.destination.clone());
    let next_hop = match request.next_hop.clone().or(kept) {
        Some(next_hop) => next_hop,
        None => route.only().ok_or_else(|| {
            refused(
                "domain.no-next-hop",
                format!("Mail for {domain} {}.", route.words()),
                "Say where it shall go: --next-hop '[relay.example.net]:587'.".to_owned(),
            )
        })?,
    };
    let policy = request.policy.clone();
    let policy = policy.or_else(|| now.map(|now| now.policy.clone()));
    let policy = policy.unwrap_or_else(|| USUAL.to_owned());
    let dialect = dialect(facts.version);
    let mut rule = Rule::new(&next_hop, Some(Scope::Domain), &policy, dialect).map_err(bad)?;
    firm(
        &rule,
        &Policy::parse(&policy, dialect).map_err(|error| bad(error.into()))?,
    )?;
    let before = now.map(entry);
    let entry = Entry {
        requires_auth: request
            .requires_auth
            .unwrap_or(before.is_some_and(|before| before.requires_auth)),
        smtps: request
            .smtps
            .unwrap_or(before.is_some_and(|before| before.smtps)),
    };
    rule.id.manager = Manager::Domain(domain.to_owned()).to_string();
    if !entry.smtps && rule.id.destination.ends_with(":465") && !route.wraps {
        return Err(needs_smtps(&rule));
    }
    let note = match &request.note {
        Some(note) => Some(note.clone()).filter(|note| !note.is_empty()),
        None => now.and_then(|now| now.about.note.clone()),
    };
    let about = About {
        note,
        entry: Some(entry),
        reason: request.reason.clone(),
        ..About::default()
    };
    rule.with(about).map_err(bad)
}

/// Nothing weaker than `encrypt` keeps credentials, or mail that must not go in clear.
fn firm(rule: &Rule, policy: &Policy) -> Result<(), EngineError> {
    if Level::never_cleartext(policy.level) {
        return Ok(());
    }
    Err(refused(
        "domain.level-too-weak",
        format!(
            "At level {} mail for {} can go in clear.",
            policy.level,
            rule.id.shown()
        ),
        "Take encrypt or a stronger level: dane-only, fingerprint, verify, secure.".to_owned(),
    ))
}

fn needs_smtps(rule: &Rule) -> EngineError {
    refused(
        "domain.needs-smtps",
        format!(
            "{} expects TLS from the first byte, and the client that mail goes by begins in clear.",
            rule.id.shown()
        ),
        "Say --smtps: it makes a client in master.cf that begins with TLS.".to_owned(),
    )
}

/// What an entry says besides its rule.
pub(crate) fn entry(rule: &Rule) -> Entry {
    rule.about.entry.unwrap_or(Entry {
        requires_auth: false,
        smtps: false,
    })
}

fn id_of(wish: &RuleWish) -> &RuleId {
    match wish {
        RuleWish::Put(rule) => &rule.id,
        RuleWish::Remove(id) => id,
    }
}

/// A domain, with A-labels.
fn domain(text: &str) -> Result<String, EngineError> {
    let (destination, scope) = Destination::parse(text).map_err(|error| bad(error.into()))?;
    match (destination.kind(), scope) {
        (Kind::Domain, Scope::Domain) => Ok(destination.ascii().to_owned()),
        _ => Err(refused(
            "domain.bad-domain",
            format!("{text:?} is no domain."),
            "Name the domain of recipients, as example.org; where its mail goes is --next-hop."
                .to_owned(),
        )),
    }
}

fn shown(domain: &str) -> String {
    let id = RuleId {
        destination: domain.to_owned(),
        manager: String::new(),
    };
    id.shown()
}

fn unknown(name: &str) -> EngineError {
    EngineError::Unknown {
        what: "entry for the domain",
        name: name.to_owned(),
    }
}

fn bad(error: RuleError) -> EngineError {
    refused(
        error.code(),
        error.to_string(),
        "`postseal domain add --help` has the forms.".to_owned(),
    )
}

fn refused(code: &'static str, message: String, remedy: String) -> EngineError {
    EngineError::Refused(Refusal {
        findings: vec![Finding::new(code, Severity::Error, message, remedy)],
    })
}

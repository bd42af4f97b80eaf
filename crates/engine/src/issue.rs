//! Issue: a certificate from a CA that speaks ACME, and how it is to be renewed.
//!
//! Owns: the way from an account over an order into the store, which gets the certificate and its
//! renewal at once or nothing. Never: answers a challenge (whoever is handed in does), deploys what
//! came, holds the instance's lock while the CA is talked to.

mod account;
mod way;

use crate::certificates::CertificateView;
use crate::import::chosen_cas;
use crate::{Engine, EngineError, Event, KeyChoice, Wanted, make};
use account::Entry;
pub(crate) use account::{Accounts, Failed};
use mailtls::Certificate;
use postseal_issue::acme::{Account, AcmeError, ExternalAccount, Order};
use postseal_issue::{Bounds, Challenge, ChallengeKind, Issued, Key, KeyType, Solver, SolverError};
use postseal_planner::renewal::{Life, Method, NextKey, Progress, Renewal, Way};
use postseal_planner::{Finding, Severity};
use postseal_store::{StoreError, Succession};
use std::net::SocketAddr;
use std::time::Duration;
pub(crate) use way::challenge;
use way::check_way;

/// How often a busy store is tried; each time it waits by itself.
const PATIENCE: u32 = 10;

/// Makes those who answer challenges.
pub trait Answerers {
    /// One who answers in this way. What can be seen to be wrong with it is said now.
    fn answerer(&self, way: &Way) -> Result<Box<dyn Solver>, SolverError>;
}

/// What ordering needs of the world.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Who answers challenges.
    pub answerers: &'a dyn Answerers,
    /// Numbers that nobody foresees.
    pub chance: &'a dyn Fn() -> u64,
    /// How long one order may take.
    pub allowed: Duration,
}

/// A certificate to be issued.
#[derive(Debug)]
pub struct Issue {
    /// The name in the store.
    pub name: String,
    /// How, now and at each renewal.
    pub method: Method,
    /// Whether it may follow another certificate under its name.
    pub succession: Succession,
    /// Whether the CA's terms are agreed to.
    pub terms: Terms,
    /// `mailto:` URLs for a new account.
    pub contacts: Vec<String>,
    /// The file of the CAs that vouch for it, where the system's do not; renewals keep them.
    pub private_ca: Option<Vec<u8>>,
    /// What a new account is bound to.
    pub external: Option<ExternalAccount>,
}

/// Whether a CA's terms are agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// The operator said so.
    Agreed,
    /// Nothing was said of them.
    NotSaid,
}

/// What was issued.
#[derive(Debug)]
pub struct Freshly {
    /// The certificate as it is in the store.
    pub view: CertificateView,
    /// What is worth knowing beside it.
    pub findings: Vec<Finding>,
}

impl Engine<'_> {
    /// Whether a certificate could be ordered, as far as can be seen without a CA.
    pub fn check_issue(&self, issue: &Issue) -> Result<(), EngineError> {
        self.prepared(issue).map(drop)
    }

    /// What is to be made, its names in their plain form.
    fn prepared(&self, issue: &Issue) -> Result<Wanted, EngineError> {
        let mut wanted = wanted(&issue.name, &issue.method, issue.succession)?;
        self.check_free(&wanted)?;
        self.refuse_other_key(&wanted)?;
        self.refuse_watched(&issue.name)?;
        if self.newest(&issue.name)?.is_none() {
            // There is no key yet that could be used again.
            wanted.succession = Succession::First;
            wanted.key = KeyChoice::New(made_type(&issue.method)?);
        }
        wanted.names = make::names(&wanted)?;
        check_way(&wanted.names, &issue.method.way)?;
        issue.private_ca.as_deref().map(chosen_cas).transpose()?;
        Ok(wanted)
    }

    /// Orders a certificate and puts it into the store with how it is renewed.
    pub fn issue(&mut self, issue: Issue, means: &Means<'_>) -> Result<Freshly, EngineError> {
        let mut issue = issue;
        let wanted = self.prepared(&issue)?;
        issue.method.names.clone_from(&wanted.names);
        let _lock = self.ordering_lock()?;
        let mut arrived = self.first_order(&issue, &wanted, means)?;
        arrived.private_ca = issue.private_ca.as_deref().map(chosen_cas).transpose()?;
        let renewal = self.first_renewal(issue, &arrived, means);
        self.put_arrived(&wanted, &arrived, &renewal)?;
        Ok(Freshly {
            view: self.certificate(&renewal.name)?,
            findings: arrived.findings,
        })
    }

    /// Orders it with the account that there is, or that the operator's agreement makes.
    fn first_order(
        &mut self,
        issue: &Issue,
        wanted: &Wanted,
        means: &Means<'_>,
    ) -> Result<Arrived, EngineError> {
        let entry = Entry::of(issue);
        let account = self.enter(&issue.method, &entry, means)?;
        let mut solver = self.answerer(&issue.method, means)?;
        let key = self.key_for(wanted)?;
        let replaces = self.replaced(&issue.name, &issue.method)?;
        let asked = Asked {
            name: &issue.name,
            method: &issue.method,
            key: &key,
            replaces: replaces.as_deref(),
        };
        let ordered = self.order(&asked, &account, &mut *solver, means);
        if let (Err(AcmeError::AccountUnknown(_)), Terms::Agreed) = (&ordered, issue.terms) {
            // The CA has lost its memory; the operator agreed to begin anew.
            let account = self.register(&issue.method, &entry, means)?;
            return Ok(self.order(&asked, &account, &mut *solver, means)?);
        }
        match ordered {
            // Agreeing is the remedy, so it is said to what.
            Err(AcmeError::AccountUnknown(why)) => {
                let terms = self.terms(&issue.method, means).unwrap_or_default();
                Err(account::unknown(&issue.method, &why, terms.as_deref()))
            }
            ordered => Ok(ordered?),
        }
    }

    /// How what has come is renewed from now on.
    fn first_renewal(&self, issue: Issue, arrived: &Arrived, means: &Means<'_>) -> Renewal {
        let mut renewal = Renewal {
            name: issue.name,
            method: issue.method,
            progress: Progress::default(),
        };
        renewal.progress.choose(&arrived.life, (means.chance)());
        // Here `cert deploy` presents it, or nobody.
        renewal.progress.deployed(&arrived.life, &self.instance);
        renewal
    }

    /// Renews a certificate no more; it stays as it is.
    pub fn stop_renewing(&mut self, name: &str) -> Result<(), EngineError> {
        self.certificate(name)?;
        let _lock = self.ordering_lock()?;
        match self.store.delete_renewal(name)? {
            true => self.note_done(&format!("stopped renewing certificate {name} by ACME")),
            false => Err(not_issued(name)),
        }
    }

    /// One order, from the account to a chain that fits.
    pub(crate) fn order(
        &self,
        asked: &Asked<'_>,
        account: &Account,
        solver: &mut dyn Solver,
        means: &Means<'_>,
    ) -> Result<Arrived, AcmeError> {
        self.doing(
            asked.name,
            format!("ordering it from {}", asked.method.directory),
        );
        let mut told = Told {
            solver,
            tell: &|doing| self.doing(asked.name, doing),
        };
        let order = Order {
            names: &asked.method.names,
            key: asked.key,
            replaces: asked.replaces,
        };
        let addresses: &[SocketAddr] = match &asked.method.way {
            Way::Http { addresses } => addresses,
            _ => &[],
        };
        let ordered = account.order(&order, &mut told, &self.bounds(means.allowed));
        let ordered = ordered.map_err(|error| error.at(addresses))?;
        self.doing(asked.name, "the CA has issued it".to_owned());
        let leaf = mailtls::pem_certificates(ordered.issued.cert_pem.as_bytes());
        let leaf = leaf.ok().and_then(|leaf| leaf.into_iter().next());
        let leaf = leaf.ok_or_else(|| AcmeError::WrongChain("it is empty".to_owned()))?;
        Ok(Arrived {
            life: life(&leaf),
            issued: ordered.issued,
            private_ca: None,
            findings: ordered.left_behind.iter().map(left_behind).collect(),
        })
    }

    /// Puts what came into the store, together with its renewal.
    pub(crate) fn put_arrived(
        &mut self,
        wanted: &Wanted,
        arrived: &Arrived,
        renewal: &Renewal,
    ) -> Result<(), EngineError> {
        let source = format!("ACME, {}", renewal.method.directory);
        let chosen = arrived.private_ca.clone();
        let new = self.as_stored(wanted, &arrived.issued, chosen, &source)?;
        // A CA counts what it issued: it is not lost to a busy database.
        let mut tries = 1..PATIENCE;
        loop {
            match self.store.put_issued(&new, renewal) {
                Err(StoreError::Locked) if tries.next().is_some() => {}
                other => break other?,
            }
        }
        self.settle_keys(&wanted.name)?;
        self.note_newest("fetched", &wanted.name)
    }

    /// The certificate that the next one takes the place of, PEM, where the same CA issued it.
    fn replaced(&self, name: &str, method: &Method) -> Result<Option<String>, EngineError> {
        let known = self.store.renewals()?;
        let mut known = known.iter();
        if !known.any(|one| one.name == name && one.method.directory == method.directory) {
            return Ok(None);
        }
        self.leaf_pem(name)
    }

    /// The newest certificate under a name, PEM.
    pub(crate) fn leaf_pem(&self, name: &str) -> Result<Option<String>, EngineError> {
        let Some(der) = self
            .newest(name)?
            .and_then(|newest| newest.chain.into_iter().next())
        else {
            return Ok(None);
        };
        let pem = Certificate::parse(&der)?.to_pem()?;
        Ok(Some(String::from_utf8_lossy(&pem).into_owned()))
    }

    pub(crate) fn answerer(
        &self,
        method: &Method,
        means: &Means<'_>,
    ) -> Result<Box<dyn Solver>, AcmeError> {
        let answerer = means.answerers.answerer(&method.way);
        answerer.map_err(|source| AcmeError::Solver {
            name: method.names.first().cloned().unwrap_or_default(),
            challenge: challenge(&method.way),
            source,
        })
    }

    pub(crate) fn doing(&self, certificate: &str, doing: String) {
        let certificate = certificate.to_owned();
        self.tell(Event::Ordering { certificate, doing });
    }

    pub(crate) fn bounds(&self, allowed: Duration) -> Bounds<'_> {
        Bounds::new(self.clock.now_unix(), allowed, self.interrupted)
    }
}

/// What a CA is asked for.
pub(crate) struct Asked<'a> {
    pub(crate) name: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) key: &'a Key,
    pub(crate) replaces: Option<&'a str>,
}

/// What came of it.
pub(crate) struct Arrived {
    pub(crate) life: Life,
    pub(crate) issued: Issued,
    /// Who was chosen to vouch for it; none: whoever did for the version before.
    pub(crate) private_ca: Option<Vec<u8>>,
    pub(crate) findings: Vec<Finding>,
}

/// The wish as `make` knows it.
pub(crate) fn wanted(
    name: &str,
    method: &Method,
    succession: Succession,
) -> Result<Wanted, EngineError> {
    let made = made_type(method)?;
    let reused = method.key == NextKey::Reused && succession == Succession::Renewal;
    Ok(Wanted {
        name: name.to_owned(),
        names: method.names.clone(),
        key: match reused {
            true => KeyChoice::Reuse,
            false => KeyChoice::New(made),
        },
        days: 0,
        succession,
    })
}

fn made_type(method: &Method) -> Result<KeyType, EngineError> {
    KeyType::of_word(&method.key_type).ok_or_else(|| {
        let message = format!("The kind of key {:?} is unknown.", method.key_type);
        let remedy = "Issue the certificate again with --renew and a --key-type of this version.";
        refusal("cert.unknown-key-type", message, remedy)
    })
}

pub(crate) fn life(leaf: &Certificate) -> Life {
    Life {
        of: leaf.fingerprint(),
        not_before: leaf.not_before,
        not_after: leaf.not_after,
    }
}

pub(crate) fn not_issued(name: &str) -> EngineError {
    let message = format!("The certificate {name} is not issued by ACME: nothing renews it.");
    let remedy =
        format!("`postseal cert issue {name} --renew --domain …` has it issued and renewed.");
    let finding = Finding::new("cert.not-renewed", Severity::Error, message, remedy);
    EngineError::Refused(finding.into())
}

fn refusal(code: &'static str, message: String, remedy: &str) -> EngineError {
    EngineError::Refused(Finding::new(code, Severity::Error, message, remedy).into())
}

fn left_behind(error: &SolverError) -> Finding {
    let message = format!(
        "The answer to a challenge could not be taken away again: {}.",
        postseal_planner::whole_chain(error)
    );
    let remedy = "Take it away by hand; the certificate is good all the same.";
    Finding::new("acme.left-behind", Severity::Warning, message, remedy)
}

/// A solver that tells what it does.
struct Told<'a> {
    solver: &'a mut dyn Solver,
    tell: &'a dyn Fn(String),
}

impl Solver for Told<'_> {
    fn kind(&self) -> ChallengeKind {
        self.solver.kind()
    }

    fn present(&mut self, challenge: &Challenge, bounds: &Bounds<'_>) -> Result<(), SolverError> {
        (self.tell)(format!("answering {} for {}", self.kind(), challenge.name));
        self.solver.present(challenge, bounds)
    }

    fn clean_up(&mut self, challenge: &Challenge, bounds: &Bounds<'_>) -> Result<(), SolverError> {
        self.solver.clean_up(challenge, bounds)
    }
}

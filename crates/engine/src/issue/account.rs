//! Accounts with CAs: restored, or registered once the operator agreed to the terms.
//!
//! Owns: that an account's credentials go from the CA into the store, sealed, before anything is
//! ordered; and that a CA which cannot be reached is not called for each certificate again. Never:
//! agrees to terms by itself.

use super::{Issue, Means, Terms};
use crate::{Engine, EngineError};
use postseal_issue::acme::{
    Account, AcmeCa, AcmeError, ExternalAccount, Problem, terms_of_service,
};
use postseal_planner::renewal::{Failure, Mend, Method};
use postseal_planner::{Finding, Severity};
use postseal_store::AcmeAccount;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;
use std::time::Duration;

/// How long a CA may take to answer at all.
const HELLO: Duration = Duration::from_secs(60);

/// What a new account is registered with.
pub(super) struct Entry {
    terms: Terms,
    contacts: Vec<String>,
    external: Option<ExternalAccount>,
}

/// The accounts of one run, and the CAs that could not be reached in it.
#[derive(Default)]
pub(crate) struct Accounts(BTreeMap<(String, Option<String>), Result<Account, Failed>>);

/// A failure, and when the CA wants to be asked again.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    pub(crate) failure: Failure,
    pub(crate) retry_at: Option<i64>,
    pub(crate) interrupted: bool,
}

impl Failed {
    pub(crate) fn of(error: &AcmeError, now: i64) -> Self {
        Self {
            failure: Failure {
                code: error.code().to_owned(),
                message: postseal_planner::whole_chain(error),
                remedy: remedy(error),
                at: now,
                of: None,
                mend: Mend::Itself,
            },
            retry_at: error.retry_at(),
            interrupted: matches!(error, AcmeError::Interrupted)
                || matches!(error, AcmeError::Solver { source, .. }
                    if matches!(source, postseal_issue::SolverError::Interrupted)),
        }
    }
}

impl Entry {
    pub(super) fn of(issue: &Issue) -> Self {
        Self {
            terms: issue.terms,
            contacts: issue.contacts.clone(),
            external: issue.external.clone(),
        }
    }
}

impl Engine<'_> {
    /// The account with a CA, which is registered where there is none yet.
    pub(super) fn enter(
        &mut self,
        method: &Method,
        entry: &Entry,
        means: &Means<'_>,
    ) -> Result<Account, EngineError> {
        if let Some(credentials) = self.store.acme_credentials(&method.directory)? {
            let bounds = self.bounds(means.allowed.min(HELLO));
            let account = Account::restore(&ca(method), &credentials, &bounds)?;
            self.tell_contacts(method, entry, &account, &credentials, means)?;
            return Ok(account);
        }
        if entry.terms == Terms::Agreed {
            return self.register(method, entry, means);
        }
        let terms = self.terms(method, means)?;
        Err(not_agreed(method, terms.as_deref()))
    }

    /// Where the terms of a CA stand, where it names them.
    pub(super) fn terms(
        &self,
        method: &Method,
        means: &Means<'_>,
    ) -> Result<Option<String>, AcmeError> {
        let bounds = self.bounds(means.allowed.min(HELLO));
        terms_of_service(&ca(method), &bounds)
    }

    /// That an external account is said where it has no use: only a new account is bound to one
    /// (RFC 8555, 7.3.4). To be asked before the first certificate of a run is ordered.
    pub fn unused_external(&self, issue: &Issue) -> Result<Option<Finding>, EngineError> {
        let directory = &issue.method.directory;
        let known = self.store.acme_account(directory)?.is_some();
        Ok((known && issue.external.is_some()).then(|| external_unused(directory)))
    }

    /// Tells the CA of contacts that are said and that it was not told of yet (RFC 8555, 7.3.2).
    fn tell_contacts(
        &mut self,
        method: &Method,
        entry: &Entry,
        account: &Account,
        credentials: &[u8],
        means: &Means<'_>,
    ) -> Result<(), EngineError> {
        let Some(mut kept) = self.store.acme_account(&method.directory)? else {
            return Ok(());
        };
        if entry.contacts.is_empty() || entry.contacts == kept.contacts {
            return Ok(());
        }
        account.tell_contacts(&entry.contacts, &self.bounds(means.allowed.min(HELLO)))?;
        kept.contacts.clone_from(&entry.contacts);
        Ok(self.store.put_acme_account(&kept, credentials)?)
    }

    pub(super) fn register(
        &mut self,
        method: &Method,
        entry: &Entry,
        means: &Means<'_>,
    ) -> Result<Account, EngineError> {
        let bounds = self.bounds(means.allowed.min(HELLO));
        let external = entry.external.as_ref();
        let registered = Account::register(&ca(method), &entry.contacts, external, &bounds)?;
        let kept = AcmeAccount {
            directory: method.directory.clone(),
            contacts: entry.contacts.clone(),
            made_ms: self.clock.now_ms(),
        };
        let credentials = &registered.credentials.0;
        self.store.put_acme_account(&kept, credentials)?;
        let what = format!("agreed to the terms of {}", method.directory);
        self.note_done(&what)?;
        Ok(registered.account)
    }

    /// The kept account, opened once a run; a CA that could not be reached stays so for this run.
    pub(crate) fn account<'a>(
        &self,
        accounts: &'a mut Accounts,
        method: &Method,
        means: &Means<'_>,
    ) -> Result<Result<&'a Account, Failed>, EngineError> {
        let key = (method.directory.clone(), method.roots_pem.clone());
        let opened = match accounts.0.entry(key) {
            Place::Occupied(known) => known.into_mut(),
            Place::Vacant(place) => place.insert(self.restore(method, means)?),
        };
        Ok(opened.as_ref().map_err(Clone::clone))
    }

    fn restore(
        &self,
        method: &Method,
        means: &Means<'_>,
    ) -> Result<Result<Account, Failed>, EngineError> {
        let Some(credentials) = self.store.acme_credentials(&method.directory)? else {
            let now = self.clock.now_unix();
            return Ok(Err(Failed::of(&AcmeError::Credentials, now)));
        };
        let bounds = self.bounds(means.allowed.min(HELLO));
        let restored = Account::restore(&ca(method), &credentials, &bounds);
        Ok(restored.map_err(|error| Failed::of(&error, self.clock.now_unix())))
    }
}

/// The remedy, in Postseal's own words where it has a command for it.
fn remedy(error: &AcmeError) -> String {
    match error {
        AcmeError::AccountUnknown(_) | AcmeError::Credentials => {
            "Issue it again, as it was, with --renew --agree-terms: that registers a new account"
                .to_owned()
        }
        error => error.remedy(),
    }
}

fn ca(method: &Method) -> AcmeCa {
    AcmeCa {
        directory: method.directory.clone(),
        roots_pem: method
            .roots_pem
            .as_ref()
            .map(|pem| pem.clone().into_bytes()),
    }
}

fn external_unused(directory: &str) -> Finding {
    let message = format!(
        "There was an account with {directory} already, and it was used: --eab-kid is for a new one, \
         and had no effect."
    );
    let remedy = "Nothing, where that account is meant; leave --eab-kid and its key out.";
    Finding::new(
        "acme.external-account-unused",
        Severity::Info,
        message,
        remedy,
    )
}

/// The CA has forgotten the account, or closed it.
pub(super) fn unknown(method: &Method, why: &Problem, terms: Option<&str>) -> EngineError {
    let at = match terms {
        Some(url) => format!(": {url}"),
        None => "; it names no address of them.".to_owned(),
    };
    let message = format!(
        "The CA {} does not know the account: {why}; to register a new one is to agree to its terms{at}",
        method.directory
    );
    let remedy = "Read them, and say it again with --agree-terms: that registers a new account.";
    let finding = Finding::new("acme.account-unknown", Severity::Error, message, remedy);
    EngineError::Refused(finding.into())
}

fn not_agreed(method: &Method, terms: Option<&str>) -> EngineError {
    let at = terms.map_or_else(String::new, |url| format!(": {url}"));
    let message = format!(
        "There is no account with {} yet; registering one means to agree to its terms{at}",
        method.directory
    );
    let remedy = "Read them, and say --agree-terms.";
    let finding = Finding::new("acme.terms-not-agreed", Severity::Error, message, remedy);
    EngineError::Refused(finding.into())
}

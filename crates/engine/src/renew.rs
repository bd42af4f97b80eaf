//! Renew: every certificate whose time has come, one after the other.
//!
//! Owns: that one failure holds back no other, that a new version is presented on the one path of a
//! change, and that what came of it is remembered. Never: decides when (`planner::renewal` does);
//! holds the instance's lock while a CA is talked to.

mod bindings;
mod lock;
mod next;
mod present;
mod told;
mod views;

use crate::certificates::unknown;
use crate::issue::{Accounts, Means, life, not_issued};
use crate::{Changed, Engine, EngineError, Kind};
use bindings::Bindings;
use mailtls::{Certificate, Fingerprint, Window};
use postseal_planner::Finding;
use postseal_planner::renewal::{Answer, Decision, Here, Life, Moment, Presents, Renewal};
use std::time::Duration;
pub use told::RenewalView;
pub(crate) use views::Renewals;

/// How long a CA may take to name its window: the renewal does not depend on it.
const WINDOW: Duration = Duration::from_secs(30);

/// Whether the time and earlier failures count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// They do.
    No,
    /// Order now.
    Yes,
}

/// What became of one certificate.
#[derive(Debug)]
pub struct Renewed {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub end: RenewalEnd,
    /// What is worth knowing.
    pub findings: Vec<Finding>,
}

/// How one renewal ended.
#[derive(Debug)]
pub enum RenewalEnd {
    /// Its time has not come.
    NotDue {
        /// When it comes, seconds since 1970.
        at: i64,
        /// The older version that is in force instead of the newest, where one is.
        older: Option<u32>,
    },
    /// An earlier failure holds it back.
    HeldBack {
        /// Until when, seconds since 1970.
        until: i64,
    },
    /// A newer version is in the store, and presented wherever the name is bound.
    Renewed {
        /// The version before.
        before: Fingerprint,
        /// The newest.
        after: Fingerprint,
        /// What came of it in the instance.
        presented: Presented,
    },
    /// The newest version, issued earlier, is presented now.
    Deployed {
        /// What came of it in the instance.
        presented: Presented,
    },
    /// It failed. What was in force is in force.
    Failed {
        /// The kind of failure.
        kind: Kind,
    },
    /// The operator stopped it; nothing of it stays.
    Interrupted,
}

/// Who presents a newest version that a renewal has brought.
#[derive(Debug)]
pub enum Presented {
    /// Nobody: the name is not bound.
    Nowhere,
    /// Nobody yet: the name is bound by a pending wish alone, which means this version now.
    Pending,
    /// Everyone who presented an older one, by this change.
    By(Box<Changed>),
}

impl Presented {
    /// The change of the instance, where there was one.
    pub fn changed(&self) -> Option<&Changed> {
        match self {
            Self::By(changed) => Some(changed),
            Self::Nowhere | Self::Pending => None,
        }
    }
}

/// One certificate on its way.
struct Case {
    renewal: Renewal,
    life: Life,
    presents: Presents,
}

impl Case {
    fn here<'a>(&self, instance: &'a str) -> Here<'a> {
        Here {
            instance,
            presents: self.presents,
        }
    }

    fn settle(&mut self, instance: &str) {
        let here = self.here(instance);
        self.renewal.progress.settle(&self.life, here);
    }

    fn waits(&self, instance: &str) -> bool {
        self.renewal.progress.waits(&self.life, self.here(instance))
    }

    fn decide(&self, instance: &str, now: i64) -> Decision {
        let here = self.here(instance);
        self.renewal.progress.decide(&self.life, here, now)
    }

    fn failure(&self, instance: &str, now: i64) -> Option<Finding> {
        told::failure(&self.renewal, &self.life, self.here(instance), now)
    }
}

impl Engine<'_> {
    /// Renews what is due, of these names or of all; by force whatever the time. Ends early only
    /// when it is interrupted.
    pub fn renew(
        &mut self,
        names: &[String],
        force: Force,
        means: &Means<'_>,
    ) -> Result<Vec<Renewed>, EngineError> {
        let _lock = self.ordering_lock()?;
        let mut accounts = Accounts::default();
        let mut renewed = Vec::new();
        for case in self.cases(names)? {
            let name = case.renewal.name.clone();
            let one = self.renew_one(case, force, &mut accounts, means);
            let one = one.unwrap_or_else(|error| told::broken(name, &error));
            let stop = matches!(one.end, RenewalEnd::Interrupted);
            renewed.push(one);
            if stop {
                break;
            }
        }
        Ok(renewed)
    }

    /// Asks the CAs when they would like the renewals of these names, or of all, where it is time to
    /// ask: what is due is then what [`Engine::renew`] would renew. Asks nobody while another process
    /// orders.
    pub fn ask_windows(&mut self, names: &[String], means: &Means<'_>) -> Result<(), EngineError> {
        let Ok(_lock) = self.ordering_lock() else {
            return Ok(());
        };
        let all = self.store.renewals()?.into_iter().map(|one| one.name);
        let renewed: Vec<String> = all
            .filter(|name| names.is_empty() || names.contains(name))
            .collect();
        if renewed.is_empty() {
            return Ok(());
        }
        let mut accounts = Accounts::default();
        for mut case in self.cases(&renewed)? {
            if !self.is_interrupted() {
                self.ask_when(&mut case, &mut accounts, means)?;
            }
        }
        Ok(())
    }

    /// Settles what is known of a renewal, and asks when it shall be.
    fn ask_when(
        &mut self,
        case: &mut Case,
        accounts: &mut Accounts,
        means: &Means<'_>,
    ) -> Result<(), EngineError> {
        let before = case.renewal.clone();
        case.settle(&self.instance);
        if !self.is_interrupted() {
            self.ask_window(case, accounts, means)?;
        }
        case.renewal.progress.choose(&case.life, (means.chance)());
        if case.renewal != before {
            self.store.update_renewal(&case.renewal)?;
        }
        Ok(())
    }

    /// The renewals of these names, or all.
    fn cases(&self, names: &[String]) -> Result<Vec<Case>, EngineError> {
        let renewals = self.store.renewals()?;
        for name in names {
            if self.newest(name)?.is_none() {
                return Err(unknown(name));
            }
            if !renewals.iter().any(|renewal| renewal.name == *name) {
                return Err(not_issued(name));
            }
        }
        let bindings = Bindings::of(self)?;
        let mut cases = Vec::new();
        for renewal in renewals {
            if !names.is_empty() && !names.contains(&renewal.name) {
                continue;
            }
            let newest = self.newest(&renewal.name)?;
            let Some(der) = newest.as_ref().and_then(|newest| newest.chain.first()) else {
                continue;
            };
            let life = life(&Certificate::parse(der)?);
            cases.push(Case {
                presents: bindings.presents(&renewal.name, &life.of),
                renewal,
                life,
            });
        }
        Ok(cases)
    }

    fn renew_one(
        &mut self,
        mut case: Case,
        force: Force,
        accounts: &mut Accounts,
        means: &Means<'_>,
    ) -> Result<Renewed, EngineError> {
        self.ask_when(&mut case, accounts, means)?;
        let now = self.clock.now_unix();
        let name = case.renewal.name.clone();
        let wanted = match force {
            Force::Yes => Decision::Order,
            Force::No => case.decide(&self.instance, now),
        };
        let decision = match wanted {
            // What is there already need not be ordered again, but where it is of no use.
            Decision::Order if case.waits(&self.instance) && self.may_come(&name)? => {
                Decision::Deploy
            }
            wanted => wanted,
        };
        let (end, findings) = match decision {
            _ if self.is_interrupted() => (RenewalEnd::Interrupted, Vec::new()),
            Decision::NotDue { at } => {
                self.forget_failure(case)?;
                let older = self.older_in_force(&name)?;
                (RenewalEnd::NotDue { at, older }, Vec::new())
            }
            Decision::HeldBack { until } => {
                let findings = case.failure(&self.instance, now);
                (
                    RenewalEnd::HeldBack { until },
                    findings.into_iter().collect(),
                )
            }
            Decision::Deploy => self.present(case, means)?,
            Decision::Order => self.order_next(case, accounts, means)?,
        };
        Ok(Renewed {
            name,
            end,
            findings,
        })
    }

    fn forget_failure(&mut self, mut case: Case) -> Result<(), EngineError> {
        if case.renewal.progress.failure.is_some() {
            case.renewal.progress.forget_failure();
            self.store.update_renewal(&case.renewal)?;
        }
        Ok(())
    }

    /// Asks the CA when it would like the renewal (RFC 9773), where it is time to ask.
    fn ask_window(
        &self,
        case: &mut Case,
        accounts: &mut Accounts,
        means: &Means<'_>,
    ) -> Result<(), EngineError> {
        let progress = &case.renewal.progress;
        let now = self.clock.now_unix();
        if case.waits(&self.instance) || !progress.asks(&case.life, now) {
            return Ok(());
        }
        let Some(pem) = self.leaf_pem(&case.renewal.name)? else {
            return Ok(());
        };
        let answer = match self.account(accounts, &case.renewal.method, means)? {
            Err(_) => Answer::Silence,
            Ok(account) => match account.renewal_info(&pem, &self.bounds(WINDOW)) {
                Err(_) => Answer::Silence,
                Ok(None) => Answer::NoWindow,
                Ok(Some(info)) => Answer::Window {
                    window: Window {
                        start: info.start,
                        end: info.end,
                    },
                    explanation: info.explanation,
                    after: i64::try_from(info.ask_again.as_secs()).unwrap_or(i64::MAX),
                },
            },
        };
        case.renewal.progress.answered(&case.life, answer, now);
        Ok(())
    }

    fn moment(&self, means: &Means<'_>) -> Moment {
        Moment {
            now: self.clock.now_unix(),
            chance: (means.chance)(),
        }
    }
}

type Ended = (RenewalEnd, Vec<Finding>);

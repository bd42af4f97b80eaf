//! How the certificates of the store are renewed, for whoever shows them.
//!
//! Owns: finding a certificate's renewal among all. Never: renews; judges (the planner does).

use super::{Bindings, RenewalView};
use crate::{CertificateView, Engine, EngineError};
use postseal_planner::renewal::{Here, Life, Renewal};

/// All renewals, and who presents what here.
pub(crate) struct Renewals {
    /// By name.
    all: Vec<Renewal>,
    bindings: Bindings,
    instance: String,
    now: i64,
}

impl Renewals {
    pub(crate) fn of(engine: &Engine<'_>) -> Result<Self, EngineError> {
        Ok(Self {
            all: engine.store.renewals()?,
            bindings: Bindings::of(engine)?,
            instance: engine.instance.clone(),
            now: engine.clock.now_unix(),
        })
    }

    /// How a certificate is renewed whose newest version lives so long.
    pub(crate) fn of_certificate(&self, name: &str, life: &Life) -> Option<RenewalView> {
        let at = self.all.binary_search_by(|one| one.name.as_str().cmp(name));
        let renewal = self.all.get(at.ok()?)?.clone();
        let here = Here {
            instance: &self.instance,
            presents: self.bindings.presents(name, &life.of),
        };
        Some(RenewalView::of(renewal, life, here, self.now))
    }
}

impl Engine<'_> {
    /// The certificates that are renewed by ACME, by name.
    pub fn renewed_certificates(&self) -> Result<Vec<CertificateView>, EngineError> {
        let mut views = Vec::new();
        for renewal in self.store.renewals()? {
            if self.newest(&renewal.name)?.is_some() {
                views.push(self.certificate(&renewal.name)?);
            }
        }
        Ok(views)
    }
}

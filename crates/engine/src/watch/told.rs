//! Findings of the store's certificates that appear and disappear.
//!
//! Owns: telling each of them once. Never: judges a certificate.

use super::Watched;
use crate::Engine;
use postseal_planner::Finding;
use std::collections::BTreeSet;

/// A difference between two judgements.
#[derive(Debug)]
pub enum CheckNews {
    /// It was not there before.
    Appeared {
        /// The certificate.
        name: String,
        /// What is wrong.
        finding: Finding,
    },
    /// It is there no more.
    Gone {
        /// The certificate.
        name: String,
        /// What was wrong: its code.
        code: String,
    },
}

/// What was told: certificate and code.
#[derive(Default)]
pub(super) struct Told(BTreeSet<(String, String)>);

impl Engine<'_> {
    /// Judges the certificates of the store, and tells what differs from the last time.
    pub(super) fn check_round(&self, told: &mut Told, tell: &mut dyn FnMut(Watched<'_>)) {
        let mut now = BTreeSet::new();
        let judged = self.check_certificates(None, &mut |view| {
            for finding in view.problems {
                let key = (view.name.clone(), finding.code.to_string());
                if !told.0.contains(&key) && !now.contains(&key) {
                    let name = view.name.clone();
                    tell(Watched::Checked(CheckNews::Appeared { name, finding }));
                }
                now.insert(key);
            }
        });
        match judged {
            Ok(()) => {
                for (name, code) in told.0.difference(&now).cloned() {
                    tell(Watched::Checked(CheckNews::Gone { name, code }));
                }
                told.0 = now;
            }
            Err(error) => tell(Watched::Blind { error: &error }),
        }
    }
}

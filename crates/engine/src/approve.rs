//! Approve: `Proposal` → `Approved`.
//!
//! Owns: the only way to make an [`Approved`]. Never: asks anybody; answers are handed in.

use crate::propose::Proposal;
use crate::{Engine, EngineError};

/// A typed confirmation: `--accept CODE=ANSWER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The finding's code.
    pub code: String,
    /// What was typed.
    pub answer: String,
}

/// A plan that may be carried out. Made only here.
#[derive(Debug)]
pub(crate) struct Approved {
    pub(crate) proposal: Proposal,
    pub(crate) accepted: Vec<Acceptance>,
}

impl Engine<'_> {
    /// Lets a plan pass when its parent is the head and every confirmation was typed.
    pub(crate) fn approve(
        &self,
        proposal: Proposal,
        accepted: &[Acceptance],
    ) -> Result<Approved, EngineError> {
        let head = self.state()?.head;
        if proposal.plan.parent != head {
            return Err(EngineError::Stale(
                "another operation was kept since this plan was made; run `postseal plan` again"
                    .to_owned(),
            ));
        }
        for wanted in &proposal.plan.confirmations {
            let given = accepted
                .iter()
                .any(|given| given.code == wanted.code && given.answer == wanted.answer);
            if !given {
                return Err(EngineError::Unconfirmed {
                    code: wanted.code.clone(),
                    answer: wanted.answer.clone(),
                    message: wanted.message.clone(),
                });
            }
        }
        Ok(Approved {
            proposal,
            accepted: accepted.to_vec(),
        })
    }
}

//! What carrying a task out may do.
//!
//! Owns: who only looks, and who may change Postfix. Never: the right to it; the console's table says that.

use super::Task;

/// What carrying a task out may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Nothing changes.
    Look,
    /// What is wished, or in the store, changes; Postfix does not.
    Wish,
    /// Postfix may change.
    Change,
}

impl Task {
    /// What carrying it out may do.
    pub fn effect(&self) -> Effect {
        match (self.looks(), self.changes()) {
            (true, _) => Effect::Look,
            (false, true) => Effect::Change,
            // Whatever is new is at least a wish.
            (false, false) => Effect::Wish,
        }
    }

    fn looks(&self) -> bool {
        match self {
            Self::Set { pairs, beside } => {
                beside.check || (pairs.is_empty() && beside.wishes_nothing())
            }
            Self::Lint { fix, .. } => !fix,
            Self::Apply { check, .. } | Self::Rollback { check, .. } => *check,
            Self::Drift {
                adopt,
                restore,
                check,
            } => *check || !(*adopt || *restore),
            Self::CertRequest { name, .. } => name.is_none(),
            _ => matches!(
                self,
                Self::Status {}
                    | Self::Notify {}
                    | Self::Show { .. }
                    | Self::Explain { .. }
                    | Self::Plan { .. }
                    | Self::History { .. }
                    | Self::Diff { .. }
                    | Self::Verify {}
                    | Self::Probe { .. }
                    | Self::Export { .. }
                    | Self::ProfileList {}
                    | Self::ProfileShow { .. }
                    | Self::ProfileDiff { .. }
                    | Self::PolicyList { .. }
                    | Self::PolicyCheck { .. }
                    | Self::PolicyExport { .. }
                    | Self::DomainList {}
                    | Self::CertList {}
                    | Self::CertShow { .. }
                    | Self::CertCheck { .. }
                    | Self::CertExport { .. }
                    | Self::CertTlsa { .. }
            ),
        }
    }

    fn changes(&self) -> bool {
        matches!(
            self,
            Self::Apply { .. }
                | Self::Confirm {}
                | Self::Rollback { .. }
                | Self::Drift { restore: true, .. }
                | Self::CertRenew { .. }
                | Self::CertDeploy { .. }
                | Self::CertPrune {}
        )
    }
}

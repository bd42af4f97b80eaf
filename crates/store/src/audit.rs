//! An entry of the audit log.
//!
//! Owns: its shape. Never: changes one; the log is only added to.

/// Who did what, when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Who: `root`, `alice (sudo)`.
    pub actor: String,
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
    /// What was done.
    pub what: String,
}

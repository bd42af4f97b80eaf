//! An operation that is in force and waits for somebody to say that it is good.
//!
//! Owns: it as it is shown, with the moment at which it ends by itself. Never: keeps or undoes one.

use super::doc::Doc;

/// What `apply` says of one.
const AWAITING: &str = "awaiting-confirmation";

/// Such an operation.
pub(crate) struct Waits {
    pub(crate) operation: String,
    pub(crate) subject: String,
    /// The moment; empty where it is at work still.
    pub(crate) until: String,
}

impl Waits {
    /// As the agent saw it last.
    pub(crate) fn seen(status: &Doc) -> Option<Self> {
        let open = status.at("open_operation");
        open.is_there().then(|| Self {
            operation: open.text("operation"),
            subject: open.text("subject"),
            until: open.text("confirm_by"),
        })
    }

    /// As a job has left it.
    pub(crate) fn left_by(answer: &Doc) -> Option<Self> {
        let waits = answer.text("outcome") == AWAITING;
        waits.then(|| Self {
            operation: answer.text("operation"),
            subject: String::new(),
            until: answer.text("confirm_by"),
        })
    }
}

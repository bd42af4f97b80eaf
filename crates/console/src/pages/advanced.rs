//! What may be wished for beside the form of SMTP TLS: the words of `set`, and each TLS parameter of this Postfix.
//!
//! Owns: a row of either table. Never: which there are; the agent's copies tell.

use super::doc::Doc;

/// A word of `set`.
pub(super) struct Key {
    pub(super) name: String,
    pub(super) values: String,
    pub(super) meaning: String,
    pub(super) default: String,
}

impl Key {
    pub(super) fn of(doc: &Doc) -> Self {
        Self {
            name: doc.text("key"),
            values: doc.text("values"),
            meaning: doc.text("meaning"),
            default: doc.text("default"),
        }
    }
}

/// A TLS parameter of main.cf.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) default: String,
    /// The release of Postfix that brought it; empty for one that is older than all that are supported.
    pub(super) since: String,
    /// Where it is set, or `default`.
    pub(super) from: String,
}

impl Parameter {
    pub(super) fn of(doc: &Doc) -> Self {
        Self {
            name: doc.text("name"),
            value: doc.text("value"),
            default: doc.text("default"),
            since: doc.text("since"),
            from: doc.text("from"),
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.from != "default"
    }
}

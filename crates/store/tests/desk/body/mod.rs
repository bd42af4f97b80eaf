//! What every desk must do, whatever it lies on.

pub(crate) mod changes;
pub(crate) mod people;
pub(crate) mod rules;
pub(crate) mod tasks;
pub(crate) mod together;

use postseal_store::desk::Desk;

pub(crate) const MX: &str = "/etc/postfix";

/// Opens the desk of a test, once more each time.
pub(crate) type Open<'a> = &'a (dyn Fn() -> Box<dyn Desk> + Sync);

//! The copies that pages show.
//!
//! Owns: which there are, and by which task each is made. Never: how a page looks.

use postseal_planner::task::Task;

/// A copy's name, and the task whose answer it is.
pub(crate) type CopyOf = (&'static str, fn() -> Task);

/// All copies, in the order in which they are made: what a change alters soonest comes first.
pub(crate) const COPIES: [CopyOf; 9] = [
    ("plan", || Task::Plan { diff: false }),
    ("status", || Task::Status {}),
    ("history", || Task::History { limit: None }),
    ("certificates", || Task::CertList {}),
    ("domains", || Task::DomainList {}),
    ("findings", || Task::Lint {
        fix: false,
        with: Vec::new(),
    }),
    ("drift", || Task::Drift {
        adopt: false,
        restore: false,
        check: false,
    }),
    ("keys", || Task::Set { pairs: Vec::new() }),
    ("profiles", || Task::ProfileList {}),
];

//! Who may do what: the permission matrix.
//!
//! Owns: the one table of roles and rights. Never: who somebody is (`caller`), or where a right is asked for
//! (`routes` and `filing`).

use postseal_planner::task::{Effect, Task};
use postseal_store::desk::Role;

/// What is needed for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// Nothing: signing in is possible for anybody.
    Anyone,
    /// Seeing what is there.
    See,
    /// Having the agent do something.
    File(Effect),
    /// Saying yes to what somebody else wants to put in force, where that is asked for.
    Approve,
    /// Adding and removing users and tokens, and sending a mail to those who are told by mail.
    Manage,
}

impl Right {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::See => "see",
            Self::File(Effect::Look) => "look",
            Self::File(Effect::Wish) => "wish",
            Self::File(Effect::Change) => "change",
            Self::Approve => "approve",
            Self::Manage => "manage",
        }
    }
}

/// What is needed to have the agent do a task, or to give up a job with it. A mail to somebody changes nothing, and is
/// for those who manage whom the console knows, too.
pub(crate) fn needed(task: &Task) -> Right {
    match task {
        Task::NotifyTest {} => Right::Manage,
        task => Right::File(task.effect()),
    }
}

/// All rights that a role gives.
pub(crate) fn rights() -> impl Iterator<Item = Right> {
    [
        Right::See,
        LOOK,
        WISH,
        CHANGE,
        Right::Approve,
        Right::Manage,
    ]
    .into_iter()
}

/// What each role may, the least first. A look changes nothing, so whoever sees may ask for one.
const MATRIX: [(Role, &[Right]); 4] = [
    (Role::Auditor, &[Right::See, LOOK]),
    (Role::Approver, &[Right::See, LOOK, Right::Approve]),
    (Role::Operator, &[Right::See, LOOK, WISH, CHANGE]),
    (
        Role::Admin,
        &[
            Right::See,
            LOOK,
            WISH,
            CHANGE,
            Right::Approve,
            Right::Manage,
        ],
    ),
];

const LOOK: Right = Right::File(Effect::Look);
const WISH: Right = Right::File(Effect::Wish);
const CHANGE: Right = Right::File(Effect::Change);

/// Whether a role has a right.
pub fn may(role: Role, right: Right) -> bool {
    right == Right::Anyone
        || MATRIX
            .iter()
            .any(|(of, rights)| *of == role && rights.contains(&right))
}

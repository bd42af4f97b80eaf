//! Who may do what: the permission matrix.
//!
//! Owns: the one table of roles and rights. Never: who somebody is (`caller`), or where a right is asked for
//! (`routes` and `filing`).

use postseal_planner::task::Effect;
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
}

/// What each role may, the least first. A look changes nothing, so whoever sees may ask for one.
const MATRIX: [(Role, &[Right]); 4] = [
    (Role::Auditor, &[Right::See, Right::File(Effect::Look)]),
    (Role::Approver, &[Right::See, Right::File(Effect::Look)]),
    (Role::Operator, &EVERYTHING),
    (Role::Admin, &EVERYTHING),
];

const EVERYTHING: [Right; 4] = [
    Right::See,
    Right::File(Effect::Look),
    Right::File(Effect::Wish),
    Right::File(Effect::Change),
];

/// Whether a role has a right.
pub fn may(role: Role, right: Right) -> bool {
    right == Right::Anyone
        || MATRIX
            .iter()
            .any(|(of, rights)| *of == role && rights.contains(&right))
}

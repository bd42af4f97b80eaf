//! What lint says of an instance by other means than its files: Postfix's own words, the store.
//!
//! Owns: the rules, so that they are explained beside all others. Never: finds them (whoever lints
//! does: they take a Postfix, or a store).

use super::rule::{Rule, rule};
use crate::Severity::{Fatal, Info};

/// The rules.
pub(super) const EXPLAINED: &[Rule] = &[UNREADABLE, REVIEW_DUE];

/// What Postfix itself says of a configuration that it cannot read.
#[rustfmt::skip]
pub const UNREADABLE: Rule = rule("instance.unreadable", Fatal, "a configuration that Postfix cannot read",
    "No program of Postfix starts with it: services die one by one as their processes end.",
    "Put right what Postfix names.");

/// A day of review has come.
#[rustfmt::skip]
pub const REVIEW_DUE: Rule = rule("policy.review-due", Info, "rules for destinations that are to be looked at again",
    "They were put down until a day that has come. They stay in force: taking one away may send mail in clear, and keeping one may stop it.",
    "`postseal policy edit DESTINATION --until DAY` keeps a rule, `postseal policy remove DESTINATION` takes it away.");

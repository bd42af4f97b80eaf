//! Rules that would do nothing, where the next hop of the mail has one already, or no client can
//! deliver there.
//!
//! Owns: the words, and the edit that is offered. Never: knows which rules there are.

use super::judge::expects_tls;
use super::lead::{Lead, edits};
use super::offer::command;
use super::useless::{Cause, NEVER_MATCHES};
use super::{Rule, Useless};
use crate::finding::{Finding, Severity};

impl Useless {
    /// The next hops by which the mail leaves instead, in lower case, where a rule for them would
    /// apply.
    pub fn other_hops(&self) -> Vec<String> {
        match &self.cause {
            Cause::OtherHop {
                hops,
                not_asked: None,
                ..
            } => hops.iter().map(|hop| hop.to_ascii_lowercase()).collect(),
            _ => Vec::new(),
        }
    }

    /// What is said of a rule that is wished where these are there for all of the next hops.
    pub fn kept_by(&self, rule: &Rule, there: &[Rule]) -> Finding {
        let (shown, name) = (rule.id.shown(), self.name.as_str());
        let rows: Vec<String> = there
            .iter()
            .map(|one| format!("{} {}", one.id.destination, one.policy))
            .collect();
        let edits: Vec<String> = there
            .iter()
            .filter(|one| one.policy != rule.policy)
            .map(|one| {
                format!(
                    "`{}`",
                    command(&one.id.destination, Some(&one.policy), &rule.policy)
                )
            })
            .collect();
        let remedy = match edits.as_slice() {
            [] => format!("Nothing needs to be done: `postseal explain {name}` shows it."),
            edits => format!("Where that is not enough: {}.", edits.join(", ")),
        };
        let message = format!(
            "A rule for {shown} would do nothing: mail for {name} leaves by a next hop that has a \
             rule already, {}.",
            rows.join(", ")
        );
        Finding::new(NEVER_MATCHES, Severity::Error, message, remedy)
    }
}

/// What makes the rule for a next hop that expects TLS from the first byte, where the client that
/// sends there begins in clear; where there is one that begins with TLS, how all of that mail can go by it.
pub(super) fn wrapped(
    hops: &[String],
    name: &str,
    instead: Option<&str>,
    leads: &[Lead],
) -> String {
    let hop = hops.iter().find(|hop| expects_tls(hop));
    let hop = hop.map_or("", String::as_str);
    let all = instead.filter(|_| !leads.is_empty()).map(|instead| {
        let edits = edits(leads, hop, instead);
        format!(" Or let {instead}/unix take it, which begins with TLS. {edits}")
    });
    let all = all.unwrap_or_default();
    format!(
        "{hop} expects TLS from the first byte, and the client that sends there begins in clear: \
         no mail can be delivered. `postseal domain add {name} --next-hop '{hop}' --smtps` makes a \
         client that begins with TLS, and the rule, and says how to lead the mail there.{all}"
    )
}

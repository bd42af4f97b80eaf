//! Rules that follow the mail of a recipient's domain.
//!
//! Owns: from a rule for recipients to rules for the next hops that their mail takes, and back; and
//! what is said of that. Never: looks anything up (see [`crate::resolve`]), or forgets the wish where
//! mail goes another way: rules stay with the recipient's domain as their manager.
//!
//! A followed rule *is* its rules for next hops: there is no second record that could be left behind.

use super::judge::{names, not_sent};
use super::{Both, Manager, Rule, RuleError, RuleId};
use crate::explain::{Delivery, deliverer, listed_hops, table_failed};
use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::lint::{Rule as Code, row};
use crate::resolve::{Answers, Asked, Envelope, Resolution, Ways, resolve_in};
use crate::view::{Files, View};
use mailtls::destination::Scope;
use mailtls::policy::Dialect;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A recipient that no table will name.
const ANYBODY: &str = "anybody";
const MAPS: &str = "smtp_tls_policy_maps";

/// The code of mail that takes another way than the rest of a rule's.
pub const FOLLOWS_NOT: &str = "policy.follows-not";

/// What `lint --explain` tells of it.
#[rustfmt::skip]
pub(crate) const EXPLAINED: &[Code] = &[
    row(FOLLOWS_NOT, Severity::Warning, "mail of a rule's domain that leaves elsewhere",
        "A row of transport_maps for a single recipient or a name below the domain, or one for a sender, gives that mail a next hop of its own, and Postfix looks policies up by next hop: the rule of the domain does not hold there.",
        "Make a rule for that next hop, too."),
];

/// That a rule follows the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// Which recipients it is for.
    pub scope: Scope,
}

/// Where the mail of a recipient's domain goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// Key of the rule that is needed → what decides about that next hop.
    pub hops: BTreeMap<String, String>,
    /// Why there is none for a name.
    pub against: Vec<Finding>,
}

impl Followed {
    /// In words, after “mail leaves by”.
    pub fn words(&self) -> String {
        let hops = self.hops.iter().map(|(hop, by)| format!("{hop} ({by})"));
        hops.collect::<Vec<_>>().join(", ")
    }
}

impl Rule {
    /// The rule for recipients that this one, for a next hop, was made of.
    pub fn followed(&self) -> Option<Self> {
        let Some(Manager::Recipient(recipient)) = Manager::of(&self.id) else {
            return None;
        };
        let scope = self.about.follow?.scope;
        Some(Self {
            id: RuleId {
                destination: recipient,
                manager: String::new(),
            },
            both: match scope {
                Scope::Both => Both::Yes,
                Scope::Domain | Scope::Subdomains => Both::No,
            },
            ..self.clone()
        })
    }

    /// The same rule, wished for recipients: it is to follow their mail.
    pub fn following(mut self) -> Self {
        let scope = self.scope();
        self.about.follow = Some(Follow { scope });
        self
    }

    /// The rules for next hops that a rule for recipients comes to.
    ///
    /// # Errors
    /// A next hop that is none, as Postfix has it in its tables.
    pub fn compiled(
        &self,
        hops: &BTreeSet<String>,
        dialect: Dialect,
    ) -> Result<Vec<Self>, RuleError> {
        let manager = Manager::Recipient(self.id.destination.clone()).to_string();
        let compiled = |hop: &String| {
            let mut rule = Self::new(hop, None, &self.policy, dialect)?;
            rule.id.manager.clone_from(&manager);
            rule.about = self.clone().following().about;
            Ok(rule)
        };
        hops.iter().map(compiled).collect()
    }
}

/// Where the mail that each rule for recipients is for goes.
pub fn follow_all(wishes: &[&Rule], facts: &Facts, answers: &Answers) -> Vec<Asked<Followed>> {
    let files = Files::of(facts);
    let view = files.view(facts);
    let ways = Ways::new(&view);
    wishes
        .iter()
        .map(|wish| follow(wish, &ways, answers))
        .collect()
}

fn follow(wish: &Rule, ways: &Ways<'_>, answers: &Answers) -> Asked<Followed> {
    let mut followed = Followed::default();
    for name in names(wish) {
        let recipient = format!("{ANYBODY}@{name}");
        let envelope = Envelope {
            sender: "",
            recipient: &recipient,
        };
        match resolve_in(ways, envelope, answers) {
            Asked::Unanswered(question) => return Asked::Unanswered(question),
            Asked::Answered(way) => followed.take(wish, ways.view(), &name, &way),
        }
    }
    // Both halves of a rule may fail for one cause.
    followed
        .against
        .dedup_by(|one, other| one.code == other.code);
    Asked::Answered(followed)
}

impl Followed {
    fn take(&mut self, wish: &Rule, view: &View<'_>, name: &str, way: &Resolution) {
        if let Some(why) = &way.failed {
            return self.against.push(table_failed(why));
        }
        if deliverer(view, &way.transport) != Delivery::Smtp {
            return self.against.push(not_sent(wish, name, way));
        }
        let mut services = view.services.iter();
        let service = services.find(|one| one.kind == "unix" && one.name == way.transport);
        if service.is_some_and(|one| one.overrides.contains_key(MAPS)) {
            return self.against.push(own_maps(wish, way));
        }
        for hop in listed_hops(&way.nexthop) {
            let key = match hop.eq_ignore_ascii_case(name) {
                // A name below the domain stands for all of them.
                true if name != wish.id.destination => {
                    format!(".{}", wish.id.destination.trim_start_matches('.'))
                }
                // As the rule for it is known.
                _ => RuleId::parse(hop).map_or_else(|_| hop.to_owned(), |id| id.destination),
            };
            self.hops.insert(key, way.nexthop_by.clone());
        }
    }

    /// What a person should know of following: what else the rules hold for.
    pub fn told(&self, wish: &Rule) -> Vec<Finding> {
        let own = wish.id.destination.trim_start_matches('.');
        let others = self.hops.iter();
        let others = others.filter(|(hop, _)| hop.trim_start_matches('.') != own);
        others.map(|(hop, by)| shared(wish, hop, by)).collect()
    }
}

fn shared(wish: &Rule, hop: &str, by: &str) -> Finding {
    let shown = wish.id.shown();
    let what = match by {
        "relayhost" => "all mail of the relayhost, to whatever domain",
        "default_transport" => "all mail that default_transport sends there, to whatever domain",
        "relay_transport" => "all mail for relay_domains",
        _ => "whatever else is sent there",
    };
    Finding::new(
        "policy.follows",
        Severity::Warning,
        format!(
            "Mail for {shown} leaves by {hop} ({by}), so the rule is made for that next hop, and holds \
             for {what}."
        ),
        format!(
            "Give {shown} a next hop of its own in transport_maps where other mail shall not have to \
             meet {}.",
            wish.policy
        ),
    )
}

fn own_maps(wish: &Rule, way: &Resolution) -> Finding {
    Finding::new(
        "policy.never-matches",
        Severity::Error,
        format!(
            "A rule for {} would do nothing: its mail is sent by {} ({}), which has {MAPS} of its own \
             in master.cf.",
            wish.id.shown(),
            way.transport,
            way.transport_by,
        ),
        format!("Take `-o {MAPS}` out of that service, or put the row into its table."),
    )
}

/// Mail that takes another way than that of its domain.
pub fn follows_not(wish: &Rule, whose: &str, hop: &str, by: &str) -> Finding {
    Finding::new(
        FOLLOWS_NOT,
        Severity::Warning,
        format!(
            "Mail {whose} leaves by {hop} ({by}), for which the rule of {} is not made.",
            wish.id.shown()
        ),
        format!(
            "Make one for that next hop, too: `postseal policy add '{hop}' {}`.",
            wish.policy
        ),
    )
}

/// A table that may name other ways, and cannot be listed.
pub fn ways_unknown(wish: &Rule, table: &str, why: &str) -> Finding {
    let shown = wish.id.shown();
    Finding::new(
        FOLLOWS_NOT,
        Severity::Warning,
        format!(
            "Which other next hops mail for {shown} takes cannot be known: {table} may name some, and {why}."
        ),
        "`postseal explain RECIPIENT --sender SENDER` shows the way of one message.",
    )
}

/// Where mail goes cannot be told.
pub fn route_unknown(why: &str) -> Finding {
    Finding::new(
        "policy.route-unknown",
        Severity::Warning,
        format!(
            "Whether mail still takes the next hops of rules that follow it cannot be told: {why}."
        ),
        "Mend what Postfix cannot read; `postseal lint` tells of it.",
    )
}

/// Mail no longer takes the next hops that a followed rule is made for.
pub fn route_changed(wish: &Rule, made_for: &BTreeSet<String>, now: &Followed) -> Option<Finding> {
    let shown = wish.id.shown();
    let same = now.hops.keys().eq(made_for.iter());
    if now.against.is_empty() && same {
        return None;
    }
    let made_for: Vec<&str> = made_for.iter().map(String::as_str).collect();
    let (way, remedy) = match now.against.first() {
        Some(why) => (
            format!("cannot be followed: {}", why.message),
            format!("`postseal policy remove '{shown}'`, where the rule is not wanted any more."),
        ),
        None => (
            format!("leaves by {} now", now.words()),
            "`postseal policy sync` makes the rule for the next hops that it takes.".to_owned(),
        ),
    };
    Some(Finding::new(
        "policy.route-changed",
        Severity::Error,
        format!(
            "Mail for {shown} {way}; its rule ({}) is made for {}.",
            wish.policy,
            made_for.join(", ")
        ),
        remedy,
    ))
}

#[cfg(test)]
mod tests;

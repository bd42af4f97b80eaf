//! The next hops that the keys of `smtp_sasl_password_maps` send credentials to.
//!
//! Owns: from the keys to the rules they manage. Never: sees a password: only keys are read.

use super::{MOST, id_of};
use crate::explain::explain_in;
use crate::observe::observe_unadopted;
use crate::rules::{Forced, Look};
use crate::{Engine, EngineError, RulesWished};
use mailtls::Level;
use mailtls::destination::Scope;
use postseal_host::Host;
use postseal_planner::credentials::{
    self, ByServer, Credential, Credentials, EVERY, Hidden, Kind, PARAMETER, SenderHop, by_sender,
    by_server_in, credentials, exposed_in, named_hops,
};
use postseal_planner::explain::{Delivery, Subject};
use postseal_planner::lint::credentials_by_server;
use postseal_planner::policy::{Manager, Rule, RuleId, dialect};
use postseal_planner::{Facts, Finding, Severity};
use postseal_store::{RuleState, RuleWish};
use std::collections::{BTreeMap, BTreeSet};

/// A domain that no table names.
const ANYWHERE: &str = "any-domain.invalid";
/// The next hop of senders without a relay, in words.
const ANY_DOMAIN: &str = "any domain";
/// More next hops are not named.
const NAMED: usize = 3;
/// The next hop of credentials for a server, where it is not named: in words.
const OF_SERVER: &str = "any domain whose MX it is";
/// The policy of a managed rule.
const POLICY: &str = "encrypt";

/// A next hop that gets credentials.
#[derive(Clone, Debug)]
pub struct HopState {
    /// The next hop.
    pub nexthop: String,
    /// The keys that send them there.
    pub keys: Vec<String>,
    /// The level there now; `None` where no mail can go, or a table of sites decides.
    pub level: Option<Level>,
    /// The rule that they manage.
    pub rule: Option<RuleState>,
}

impl HopState {
    /// Whether it stands for whatever server takes the recipient's domain.
    pub fn is_anywhere(&self) -> bool {
        self.nexthop == ANY_DOMAIN
    }

    /// Whether it stands for whatever domain the server is the mail exchanger of.
    pub fn is_any_of_server(&self) -> bool {
        self.nexthop.starts_with(OF_SERVER)
    }
}

/// What came of [`Engine::sync_credentials`].
#[derive(Clone, Debug, Default)]
pub struct Synced {
    /// The rules.
    pub rules: RulesWished,
    /// Tables whose keys cannot be listed: of their next hops nothing is known, and no rule is taken away.
    pub unlisted: Vec<String>,
}

impl Engine<'_> {
    /// The next hops that get credentials, with the level that holds there now.
    pub fn credential_hops(&self) -> Result<Vec<HopState>, EngineError> {
        let facts = observe_unadopted(self.host)?;
        let Hops { named, anywhere } = hops(self.host, &facts, &credentials(&facts))?;
        let manager = Manager::Passwords.to_string();
        let mut managed = self.store.managed_rules(&self.instance, MOST)?;
        managed.retain(|state| state.id.manager == manager);
        let mut found = Vec::new();
        let exposed = exposed_in(&facts);
        for (nexthop, keys) in named {
            let in_clear = exposed.iter().filter(|one| one.nexthop == nexthop);
            // A client that a route leads by may not ask the rules.
            let level = match in_clear.map(|one| one.level).min() {
                Some(level) => Some(level),
                None if Subject::parse(&nexthop).is_ok() => level(self.host, &facts, &nexthop)?,
                None => None,
            };
            let rule = managed
                .iter()
                .find(|state| state.id.destination.eq_ignore_ascii_case(&nexthop));
            found.push(HopState {
                level,
                rule: rule.cloned(),
                nexthop,
                keys,
            });
        }
        if !anywhere.is_empty() {
            found.push(HopState {
                nexthop: ANY_DOMAIN.to_owned(),
                keys: anywhere,
                level: level(self.host, &facts, ANYWHERE)?,
                rule: None,
            });
        }
        found.extend(by_server_in(&facts).into_iter().map(of_server));
        Ok(found)
    }

    /// Wishes that every next hop with credentials has a managed rule, and that those whose key is
    /// gone have none. What is refused is in the report; nothing is stored then.
    pub fn sync_credentials(&mut self, forced: &Forced, look: Look) -> Result<Synced, EngineError> {
        self.state()?;
        let facts = observe_unadopted(self.host)?;
        let credentials = credentials(&facts);
        let Hops {
            named,
            anywhere: senders,
        } = hops(self.host, &facts, &credentials)?;
        let mut findings: Vec<Finding> = senders.iter().map(|key| anywhere(key)).collect();
        findings.extend(credentials_by_server(&facts));
        let mut rules = Vec::new();
        for nexthop in named.keys() {
            match Rule::new(nexthop, Some(Scope::Domain), POLICY, dialect(facts.version)) {
                Ok(mut rule) => {
                    rule.id.manager = Manager::Passwords.to_string();
                    rules.push(rule);
                }
                Err(error) => findings.push(no_next_hop(nexthop, &error.to_string())),
            }
        }
        findings.extend(credentials.hidden.iter().map(hidden));
        let tables = credentials.hidden.iter();
        let unlisted: Vec<String> = tables.map(|one| one.table.key.clone()).collect();
        let mut report = RulesWished::default();
        let rules = self.judged_managed(&facts, rules, (forced, look), &mut report)?;
        report.findings.extend(findings);
        if !report.refused.is_empty() {
            let rules = report;
            return Ok(Synced { rules, unlisted });
        }
        let wanted: BTreeSet<RuleId> = rules.iter().map(|rule| rule.id.clone()).collect();
        let mut wishes: Vec<RuleWish> = rules.into_iter().map(RuleWish::Put).collect();
        if unlisted.is_empty() {
            wishes.extend(self.outlived(&wanted)?.into_iter().map(RuleWish::Remove));
        }
        let rules = self.wish_managed(report, &wishes)?.rules;
        debug_assert!(wishes.iter().all(|wish| Manager::of(id_of(wish)).is_some()));
        Ok(Synced { rules, unlisted })
    }

    /// Managed rules whose key is gone.
    fn outlived(&self, wanted: &BTreeSet<RuleId>) -> Result<Vec<RuleId>, EngineError> {
        let managed = self.store.managed_rules(&self.instance, MOST)?;
        let ours = managed.into_iter().filter(|state| {
            Manager::of(&state.id) == Some(Manager::Passwords)
                && state.wanted.is_some()
                && !wanted.contains(&state.id)
        });
        Ok(ours.map(|state| state.id).collect())
    }
}

/// The next hops of keys.
struct Hops {
    /// Next hop → keys.
    named: BTreeMap<String, Vec<String>>,
    /// Keys of senders whose next hop depends on the recipient.
    anywhere: Vec<String>,
}

fn hops(host: &dyn Host, facts: &Facts, credentials: &Credentials) -> Result<Hops, EngineError> {
    let by_sender = by_sender(facts);
    let mut found = Hops {
        named: BTreeMap::new(),
        anywhere: Vec::new(),
    };
    for credential in &credentials.keys {
        let nexthops = match credential.kind() {
            Kind::NextHop | Kind::Name | Kind::Every => named_hops(facts, credential),
            Kind::Sender if by_sender => sender_hops(host, facts, credential)?,
            Kind::Sender => continue,
        };
        for nexthop in nexthops {
            if nexthop == ANYWHERE {
                found.anywhere.push(credential.key.clone());
                continue;
            }
            let keys = found.named.entry(nexthop).or_default();
            keys.push(credential.key.clone());
        }
    }
    Ok(found)
}

/// Credentials of a server, by next hops that no rule of its name covers.
fn of_server(one: ByServer) -> HopState {
    let named: Vec<&str> = one
        .nexthops
        .iter()
        .map(String::as_str)
        .take(NAMED)
        .collect();
    HopState {
        nexthop: match named.as_slice() {
            [ANY_DOMAIN, ..] => OF_SERVER.to_owned(),
            named => format!("{OF_SERVER}: {}", named.join(", ")),
        },
        keys: vec![one.credential.key],
        level: Some(one.level),
        rule: None,
    }
}

/// Where mail of a sender goes, whoever it is for.
fn sender_hops(
    host: &dyn Host,
    facts: &Facts,
    credential: &Credential,
) -> Result<Vec<String>, EngineError> {
    let sender = match credential.key.starts_with('@') {
        true => format!("anybody{}", credential.key),
        false => credential.key.clone(),
    };
    let subject = Subject::Address(format!("anybody@{ANYWHERE}"));
    let explained = explain_in(host, facts, &subject, &sender)?;
    let hops = explained.hops.into_iter();
    let smtp = hops.filter(|hop| hop.delivery == Delivery::Smtp);
    let mut found: BTreeSet<String> = smtp.map(|hop| hop.nexthop).collect();
    // Single senders of a domain may have relays of their own.
    let more = credentials::sender_hops(facts, credential).into_iter();
    found.extend(more.filter_map(|hop| match hop {
        SenderHop::Relay(nexthop) => Some(nexthop),
        SenderHop::Anywhere => None,
    }));
    Ok(found.into_iter().collect())
}

fn level(host: &dyn Host, facts: &Facts, nexthop: &str) -> Result<Option<Level>, EngineError> {
    let subject = match nexthop {
        ANYWHERE => Subject::Domain(ANYWHERE.to_owned()),
        nexthop => Subject::NextHop(nexthop.to_owned()),
    };
    let explained = explain_in(host, facts, &subject, "")?;
    Ok(explained.hops.iter().filter_map(|hop| hop.level).min())
}

/// What is missing for authentication at a next hop.
pub(super) fn missing(id: &RuleId, facts: &Facts) -> Option<Finding> {
    let found = credentials(facts);
    let mut keys = found.keys.iter();
    let there = keys.any(|one| match one.kind() {
        Kind::Sender | Kind::Every => true,
        Kind::NextHop => one.key.eq_ignore_ascii_case(&id.destination),
        Kind::Name => credentials::is_host(&id.destination, &one.key),
    });
    if there || !found.hidden.is_empty() {
        return None;
    }
    let shown = id.shown();
    Some(Finding::new(
        "domain.no-credentials",
        Severity::Warning,
        format!("Postfix has no credentials for {shown}, which requires authentication."),
        format!(
            "Set smtp_sasl_auth_enable = yes, and add a row `{shown} USER:PASSWORD` to a table of \
             {PARAMETER}."
        ),
    ))
}

fn anywhere(key: &str) -> Finding {
    let (why, remedy) = match key {
        EVERY => (
            "every server gets the same",
            "Name the next hop that they are for, in a table: a row `[HOST]:PORT USER:PASSWORD` in \
             place of static:.",
        ),
        _ => (
            "there is no relay for that sender",
            "Give the sender a relay in sender_dependent_relayhost_maps, or take the key out.",
        ),
    };
    Finding::new(
        "domain.credentials-for-any-host",
        Severity::Error,
        format!(
            "The credentials of {key} go to whatever server takes the recipient's domain: {why}."
        ),
        remedy,
    )
}

fn no_next_hop(key: &str, why: &str) -> Finding {
    Finding::new(
        "domain.key-is-no-next-hop",
        Severity::Warning,
        format!("{PARAMETER} has a key that is no next hop: {why}."),
        "As it stands no rule can be made for it: write the next hop as routes name it, \
         `[HOST]:PORT`, or take it out.",
    )
    .seen(key.to_owned())
}

fn hidden(Hidden { table, why }: &Hidden) -> Finding {
    let table = &table.key;
    Finding::new(
        "domain.credentials-not-listed",
        Severity::Warning,
        format!("Which next hops get credentials from {table} is not known: {why}."),
        "Make an entry for each: `postseal domain add DOMAIN --next-hop … --requires-auth`.",
    )
}

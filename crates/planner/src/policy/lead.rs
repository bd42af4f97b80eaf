//! What leads mail to a next hop by a transport, as it is written.
//!
//! Owns: the edit that leads it there by another one. Never: finds who has to.
//!
//! A relay host has no transport of its own: `relayhost = smtps-out:[host]:465` is a host named
//! `smtps-out` to Postfix. Its mail takes `default_transport`, that for relay_domains `relay_transport`,
//! and what is said of a sender comes before `default_transport` only (trivial-rewrite(8), `resolve.c`).

use crate::resolve::{Answer, Resolution};
use std::collections::BTreeMap;

/// More are not named.
const NAMED: usize = 3;

pub(super) const RELAYHOST: &str = "relayhost";
pub(super) const OF_RELAYS: &str = "sender_dependent_relayhost_maps";
pub(super) const OF_SENDERS: &str = "sender_dependent_default_transport_maps";
const DEFAULT: &str = "default_transport";

/// What leads mail to a next hop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lead {
    /// The parameter that names the next hop, itself or by its tables.
    pub(super) parameter: String,
    /// What its tables say it for.
    pub(super) key: Option<String>,
    /// As it is written.
    pub(super) value: String,
    /// The parameter that the transport comes from.
    pub(super) transport_by: String,
}

/// What leads by each transport.
pub type Leads = BTreeMap<String, Vec<Lead>>;

/// Notes one, where there are not enough.
pub(super) fn note(leads: &mut Vec<Lead>, lead: Lead) {
    if leads.len() < NAMED && !leads.contains(&lead) {
        leads.push(lead);
    }
}

impl Lead {
    /// What decided about a message; nothing where it goes to its recipient's domain.
    pub(crate) fn of(way: &Resolution) -> Option<Self> {
        let bare = |by: &str| by.split(" (").next().unwrap_or(by).to_owned();
        let transport_by = bare(&way.transport_by);
        let parameter = match bare(&way.nexthop_by).as_str() {
            RELAYHOST | OF_RELAYS if transport_by == OF_SENDERS => OF_SENDERS.to_owned(),
            other => other.to_owned(),
        };
        if !parameter.ends_with("_maps") {
            let is_parameter = !parameter.contains(' ');
            return is_parameter.then(|| Self {
                value: format!("{}:{}", way.transport, way.nexthop),
                key: None,
                parameter,
                transport_by,
            });
        }
        let mut asked = way.consulted.iter().rev();
        asked.find_map(|one| match &one.answer {
            Answer::Found(value) if one.parameter == parameter => Some(Self {
                key: Some(one.key.clone()),
                value: value.clone(),
                parameter: parameter.clone(),
                transport_by: transport_by.clone(),
            }),
            _ => None,
        })
    }

    /// A parameter of a client that names relays (`smtp_fallback_relay`).
    pub(crate) fn fallback(parameter: &str, value: &str) -> Self {
        Self {
            parameter: parameter.to_owned(),
            key: None,
            value: value.to_owned(),
            transport_by: String::new(),
        }
    }

    /// As it is written.
    pub(super) fn shown(&self) -> String {
        let Self {
            parameter,
            key,
            value,
            ..
        } = self;
        match key {
            Some(key) => format!("{parameter}: {key} {value}"),
            None => format!("{parameter} = {value}"),
        }
    }

    /// Whether it takes what others do not.
    pub(super) const fn is_fallback(&self) -> bool {
        self.transport_by.is_empty()
    }

    /// What to write for another transport.
    fn words(&self, name: &str) -> String {
        let Self {
            parameter,
            key,
            value,
            transport_by,
        } = self;
        let rest = value.split_once(':').map_or("", |(_, rest)| rest);
        match (parameter.as_str(), key) {
            (RELAYHOST, _) => format!(
                "relayhost takes no transport: write `{transport_by} = {name}` in main.cf, by which \
                 its mail goes."
            ),
            (OF_RELAYS, Some(key)) if transport_by == DEFAULT => format!(
                "{OF_RELAYS} takes no transport: in place of its `{key} {value}` write \
                 `{key} {name}:{value}` to {OF_SENDERS}."
            ),
            (OF_RELAYS, _) => format!(
                "{OF_RELAYS} takes no transport, and mail for relay_domains that of {transport_by}, \
                 whoever sends it: name a port with STARTTLS there, or write `{transport_by} = {name}` \
                 in main.cf, where all of that mail goes to port 465."
            ),
            (_, Some(key)) => {
                format!("{parameter} says `{value}` for {key}: write `{name}:{rest}` there.")
            }
            _ if self.is_fallback() => format!(
                "{parameter} takes no transport: name a port with STARTTLS there, or no relay."
            ),
            _ => format!("Write `{parameter} = {name}:{rest}` in main.cf."),
        }
    }
}

/// The edits by which mail comes to a next hop by the transport `name`.
pub(super) fn edits(leads: &[Lead], hop: &str, name: &str) -> String {
    if leads.is_empty() {
        return format!(
            "Write `{name}:{hop}` in the row that leads there; relay hosts take no transport, their mail \
             goes by {DEFAULT} (`postseal explain RECIPIENT` shows what decides)."
        );
    }
    let words: Vec<String> = leads.iter().map(|lead| lead.words(name)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests;

//! Clients that begin in clear where TLS is expected from the first byte (port 465).
//!
//! Owns: the words, of mail that cannot arrive so and of mail of others that goes to the same next hop;
//! and which routes lead mail there so. Never: lists routes, or finds the clients of a rule (`routed` does).
//!
//! A rule does what it says for the mail that goes by a client which wraps. That others' mail goes to
//! the same next hop by another client is a fault of that route, and no reason against the rule.

use super::judge::{Judged, WRAPPERMODE};
use super::lead::{Lead, Leads, edits};
use super::words_of::with_rows;
use super::{Manager, Rule, RuleId, wrapping};
use crate::compile::SMTPS_OUT_NAME;
use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::view::Files;
use std::collections::BTreeMap;

/// The code of what is said here.
pub const NO_WRAPPERMODE: &str = "policy.no-wrappermode";

/// A client that begins in clear, and whose mail cannot arrive. `instead` is the name of one that begins
/// with TLS, `leads` what leads the mail there.
pub(crate) fn no_wrappermode(
    hop: &str,
    transport: &str,
    instead: Option<&str>,
    leads: &[Lead],
) -> Finding {
    Finding::new(
        NO_WRAPPERMODE,
        Severity::Error,
        format!(
            "{hop} has a port for TLS from the first byte, and {transport}/unix begins in clear: a \
             server that begins with TLS takes no mail so."
        ),
        remedy(hop, instead, leads),
    )
}

/// The same of every client that sends there.
pub(super) fn every_client(hop: &str, instead: Option<&str>, leads: &[Lead]) -> Finding {
    Finding::new(
        NO_WRAPPERMODE,
        Severity::Error,
        format!(
            "{hop} has a port for TLS from the first byte, and every smtp(8) that sends mail there \
             begins in clear: a server that begins with TLS takes no mail so."
        ),
        remedy(hop, instead, leads),
    )
}

fn remedy(hop: &str, instead: Option<&str>, leads: &[Lead]) -> String {
    if leads.iter().any(Lead::is_fallback) {
        return edits(leads, hop, "");
    }
    match instead {
        Some(name) => format!(
            "Send it by {name}/unix, which begins with TLS. {}",
            edits(leads, hop, name)
        ),
        None => format!(
            "Send it by a service of master.cf with -o smtp_tls_wrappermode=yes and -o \
             smtp_tls_security_level=encrypt: `postseal set smtps-out=on` makes {SMTPS_OUT_NAME}. {}",
            edits(leads, hop, SMTPS_OUT_NAME)
        ),
    }
}

impl Judged {
    /// The transport that begins in clear and takes the very mail that the rule is for, where another one
    /// wraps. A rule for a next hop that nobody's mail is named for has none.
    pub fn own_late(&self) -> Option<&str> {
        let late = self.late.iter().find(|late| self.own.contains(late));
        late.map(String::as_str)
    }

    /// A client that goes there and begins with TLS.
    fn in_time(&self) -> Option<&str> {
        let in_time = self.clients.iter().find(|one| !self.late.contains(one));
        in_time.map(String::as_str)
    }

    /// What leads there by a transport.
    fn leads_by(&self, transport: &str) -> &[Lead] {
        self.leads.get(transport).map_or(&[], Vec::as_slice)
    }
}

/// What is said of routes by which mail comes to a next hop that expects TLS from the first byte, and begins
/// in clear, but for what a parameter leads there that is `known` to whoever asks.
pub fn late_routes(facts: &Facts, leads: &BTreeMap<String, Leads>, known: &[&str]) -> Vec<Finding> {
    let files = Files::of(facts);
    let view = files.view(facts);
    let instead = wrapping(&view).map(|one| one.name.as_str());
    let is_late = |transport: &str| {
        let mut clients = view.services.iter().filter(|one| one.is_smtp_client());
        let client = clients.find(|one| one.kind == "unix" && one.name == transport);
        client.is_some_and(|client| !view.is_yes(Some(client), WRAPPERMODE))
    };
    let mut found = Vec::new();
    for (hop, by) in leads {
        for (transport, leads) in by.iter().filter(|(transport, _)| is_late(transport)) {
            let leads = leads
                .iter()
                .filter(|lead| !known.contains(&&*lead.parameter));
            let leads: Vec<Lead> = leads.cloned().collect();
            if !leads.is_empty() {
                let finding = no_wrappermode(hop, transport, instead, &leads);
                found.push(leads.iter().map(Lead::shown).fold(finding, Finding::seen));
            }
        }
    }
    found
}

/// What speaks against a rule whose own mail goes by a client that begins in clear.
pub fn own_late(rule: &Rule, judged: &Judged) -> Option<Finding> {
    let late = judged.own_late()?;
    let hop = rule.id.shown();
    let mut found = no_wrappermode(&hop, late, judged.in_time(), judged.leads_by(late));
    if let Some(Manager::Domain(name) | Manager::Recipient(name)) = Manager::of(&rule.id) {
        let destination = name;
        let manager = String::new();
        let id = RuleId {
            destination,
            manager,
        };
        found.message = format!("Mail for {} goes there: {}", id.shown(), found.message);
    }
    Some(found.seen(format!("{hop} {}", rule.policy)))
}

/// What is said of rules whose next hop others' mail reaches by a client that begins in clear: a finding a
/// client.
pub(super) fn told(rules: &[(&Rule, &Judged)]) -> Vec<Finding> {
    let mut causes: BTreeMap<&str, Vec<(&Rule, &Judged)>> = BTreeMap::new();
    for (rule, judged) in rules {
        for late in judged.late.iter().filter(|one| !judged.own.contains(one)) {
            causes.entry(late).or_default().push((rule, judged));
        }
    }
    let found = causes.into_iter();
    found
        .filter_map(|(late, rules)| of_others(late, &rules))
        .collect()
}

fn of_others(late: &str, rules: &[(&Rule, &Judged)]) -> Option<Finding> {
    let (first, judged) = rules.first()?;
    let hop = first.id.shown();
    let name = judged.in_time().unwrap_or_default();
    let finding = Finding::new(
        NO_WRAPPERMODE,
        Severity::Warning,
        format!(
            "A part of the mail for {hop} is sent by {late}/unix, which begins in clear, and a server \
             that begins with TLS takes none of it; what {name}/unix sends there arrives."
        ),
        edits(judged.leads_by(late), &hop, name),
    );
    let rules: Vec<&Rule> = rules.iter().map(|(rule, _)| *rule).collect();
    Some(with_rows(finding, &rules))
}

//! The names of a certificate that was brought just now: those that were asked for, and those that
//! anybody asks this server for.
//!
//! Owns: telling at once what would else be told when it is too late. Never: refuses it; it may be
//! for names that only mail clients know.

use crate::Engine;
use crate::observe::assemble;
use mailtls::Certificate;
use postseal_planner::{Finding, Severity, dane, is_issuing_ca};

/// Names that a request asked for and the CA's answer lacks.
pub(crate) fn missing(asked: &[String], leaf: &Certificate) -> Option<Finding> {
    let lost: Vec<&str> = asked
        .iter()
        .map(String::as_str)
        .filter(|name| !leaf.covers(name))
        .collect();
    if lost.is_empty() {
        return None;
    }
    let message = format!(
        "The request was for {} too, and the certificate has only {}.",
        lost.join(", "),
        leaf.names_shown()
    );
    let remedy = "Ask the CA why it left them out, or request it anew; clients that ask for them \
                  refuse this one.";
    Some(Finding::new(
        "cert.names-missing",
        Severity::Warning,
        message,
        remedy,
    ))
}

impl Engine<'_> {
    /// That a certificate has neither this server's name nor one that senders find it by. Nothing
    /// where Postfix cannot be asked.
    pub(crate) fn for_others(&self, chain: &[Certificate]) -> Option<Finding> {
        let leaf = chain.first()?;
        let is_servers = leaf.allows_server_auth() && !is_issuing_ca(chain);
        let mut facts = assemble(self.host.look().ok()?, Vec::new());
        let host = facts.values.get("myhostname").cloned().unwrap_or_default();
        if !is_servers || leaf.is_ca || host.contains('$') || leaf.matches_name(&host) {
            return None;
        }
        self.ask_dns(&mut facts, |facts| dane::questions(facts, &[]));
        let mut senders = dane::mx_names(&facts, &[]).hosts;
        if senders.iter().any(|name| leaf.matches_name(name)) {
            return None;
        }
        senders.retain(|name| *name != host);
        senders.insert(0, host);
        let message = format!(
            "The certificate is for {}; this server is found as {}.",
            leaf.names_shown(),
            senders.join(", ")
        );
        let remedy = "Nothing, where it is for names that clients ask for (`postseal cert bind NAME \
                      --sni HOST`) or were told; else have it issued for this server's name.";
        Some(Finding::new(
            "cert.for-others",
            Severity::Info,
            message,
            remedy,
        ))
    }
}

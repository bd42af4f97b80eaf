//! Which TLS policy a message meets on its way out, and why.
//!
//! Owns: from a recipient, a domain or a next hop to the level that smtp(8) will use, the row that
//! decides, and what it promises. Never: looks anything up (see [`crate::resolve`]), or says what a
//! server would answer.

mod hop;
mod promise;
mod subject;

use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::policy::{Lead, fallback_in_clear, relays_of, usual_client};
use crate::resolve::{
    Answer, Answers, Asked, Consulted, Envelope, Resolution, SKIPPED, SUBSTITUTES, Stop, Tables,
    resolve,
};
use crate::view::{Files, View};
pub(crate) use hop::listed_hops;
pub use hop::{Delivery, Hop, Row, Source};
use mailtls::Level;
use mailtls::destination::literal_address;
pub use subject::{Subject, SubjectError};

/// A recipient that no table will name.
const ANYBODY: &str = "anybody";

/// The way of a message, and the policy it meets.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What was asked about.
    pub subject: Subject,
    /// How the recipient was resolved; `None` for a next hop as it stands.
    pub resolution: Option<Resolution>,
    /// `content_filter`: mail that comes in goes there first, and is resolved when it comes back.
    pub content_filter: Option<String>,
    /// The next hops, each with its policy; several where a list is given.
    pub hops: Vec<Hop>,
    /// The next hops that take what none of their servers does (`smtp_fallback_relay`).
    pub fallbacks: Vec<Hop>,
    /// Every look into a policy table, in order.
    pub consulted: Vec<Consulted>,
    /// What is wrong: rows that do nothing, rows that Postfix refuses, tables that fail.
    pub findings: Vec<Finding>,
}

/// Explains. `sender` is the envelope sender, where it matters; empty for none. `by` is the transport
/// that routes name for a next hop as it stands; without one it is what would usually go there.
pub fn explain(
    facts: &Facts,
    subject: &Subject,
    sender: &str,
    by: Option<&str>,
    answers: &Answers,
) -> Asked<Explanation> {
    let resolution = match subject {
        Subject::NextHop(_) => None,
        Subject::Address(_) | Subject::Domain(_) => {
            let recipient = match subject {
                Subject::Domain(domain) => format!("{ANYBODY}@{domain}"),
                Subject::Address(text) | Subject::NextHop(text) => text.clone(),
            };
            let recipient = recipient.as_str();
            match resolve(facts, Envelope { sender, recipient }, answers) {
                Asked::Unanswered(question) => return Asked::Unanswered(question),
                Asked::Answered(resolution) => Some(resolution),
            }
        }
    };
    let files = Files::of(facts);
    let view = files.view(facts);
    let mut tables = Tables::new(answers);
    let filter = view.value(None, "content_filter");
    let mut explanation = Explanation {
        subject: subject.clone(),
        resolution,
        content_filter: (!filter.is_empty()).then_some(filter),
        hops: Vec::new(),
        fallbacks: Vec::new(),
        consulted: Vec::new(),
        findings: Vec::new(),
    };
    match explanation.follow(&view, by, &mut tables) {
        Ok(()) => {
            explanation.consulted = tables.into_consulted();
            Asked::Answered(explanation)
        }
        Err(Stop::Ask(question)) => Asked::Unanswered(question),
        // Each hop notes its own failing table; nothing else fails.
        Err(Stop::Failed(why)) => {
            explanation.findings.push(table_failed(&why));
            Asked::Answered(explanation)
        }
    }
}

impl Explanation {
    /// Whether the way, or what holds on it, could not be told.
    pub fn is_undetermined(&self) -> bool {
        let resolution = self.resolution.as_ref();
        let mut hops = self.hops.iter().chain(&self.fallbacks);
        resolution.is_some_and(|one| one.failed.is_some()) || hops.any(Hop::is_undetermined)
    }

    fn follow(
        &mut self,
        view: &View<'_>,
        by: Option<&str>,
        tables: &mut Tables<'_>,
    ) -> Result<(), Stop> {
        let (transport, nexthop) = match (&self.resolution, &self.subject) {
            (Some(resolution), _) => {
                if let Some(why) = &resolution.failed {
                    self.findings.push(way_unknown(why));
                    return Ok(());
                }
                (resolution.transport.clone(), resolution.nexthop.clone())
            }
            (None, subject) => {
                let nexthop = subject.to_string();
                let usual = || usual_client(&nexthop, view);
                (by.map_or_else(usual, str::to_owned), nexthop)
            }
        };
        let way = hop::Way {
            view,
            version: view.facts().version,
            transport: &transport,
            lead: self.resolution.as_ref().and_then(Lead::of),
        };
        self.hops = way.hops(&nexthop, tables)?;
        for hop in &self.hops {
            self.findings.extend(hop.findings.iter().cloned());
        }
        self.fall_back(&way, tables)?;
        self.useless_row(&way, tables)
    }

    /// Where mail goes that no server of the next hops takes: by a policy of its own.
    fn fall_back(&mut self, way: &hop::Way<'_>, tables: &mut Tables<'_>) -> Result<(), Stop> {
        let (parameter, relays) = relays_of(way.view, way.transport);
        if relays.is_empty() || self.hops.iter().all(|hop| hop.source.is_none()) {
            return Ok(());
        }
        let relays_by = hop::Way {
            lead: Some(Lead::fallback(parameter, &relays.join(" "))),
            ..*way
        };
        self.fallbacks = relays_by.hops(&relays.join(" "), tables)?;
        for hop in &self.fallbacks {
            self.findings.extend(hop.findings.iter().cloned());
        }
        let open = self
            .fallbacks
            .iter()
            .filter_map(|hop| Some((hop, hop.level?)));
        let open = open.filter(|(_, level)| !level.never_cleartext());
        let mut strict = self.hops.iter();
        let strict = strict.find(|hop| hop.level.is_some_and(Level::never_cleartext));
        if let Some(hop) = strict {
            let policy = hop
                .policy
                .as_ref()
                .map_or_else(String::new, ToString::to_string);
            let of = format!("what holds for {}", hop.nexthop);
            self.findings.extend(open.map(|(relay, level)| {
                fallback_in_clear(&of, &relay.nexthop, parameter, level, &policy)
            }));
        }
        for hop in &mut self.hops {
            // What a relay itself does not take, it is not tried again with.
            let others = relays
                .iter()
                .filter(|one| !one.eq_ignore_ascii_case(&hop.nexthop));
            let others: Vec<&str> = others.map(String::as_str).collect();
            if !others.is_empty() {
                hop.goes_on_to(&format!("{} ({parameter})", others.join(", ")));
            }
        }
        Ok(())
    }

    /// A row for the recipient's domain that does nothing, because its mail leaves by another
    /// next hop.
    fn useless_row(&mut self, way: &hop::Way<'_>, tables: &mut Tables<'_>) -> Result<(), Stop> {
        let Some(resolution) = &self.resolution else {
            return Ok(());
        };
        let domain = resolution
            .recipient
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain);
        let speaks = self.hops.iter().any(|hop| hop.level.is_some());
        let is_hop = self
            .hops
            .iter()
            .any(|hop| hop.nexthop.eq_ignore_ascii_case(domain));
        if !speaks || is_hop || domain.is_empty() {
            return Ok(());
        }
        let Some(row) = tables.aside(|tables| way.row(domain, tables))? else {
            return Ok(());
        };
        let hops: Vec<&str> = self.hops.iter().map(|hop| hop.nexthop.as_str()).collect();
        let by = &resolution.nexthop_by;
        self.findings.push(
            Finding::new(
                "policy.never-matches",
                Severity::Error,
                format!(
                    "The row {} {} of {} does nothing for {domain}: its mail leaves by {} ({by}), \
                     and Postfix looks policies up by next hop.",
                    row.key,
                    row.text,
                    row.table,
                    hops.join(", ")
                ),
                format!(
                    "Write a row for the next hop: {}.",
                    hops.iter()
                        .map(|hop| format!("`{hop} {}`", row.text))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            )
            .seen(format!("{}: {}", row.table, row.key)),
        );
        Ok(())
    }
}

/// Who delivers by a transport.
pub(crate) fn deliverer(view: &View<'_>, transport: &str) -> Delivery {
    let version = view.facts().version;
    let way = hop::Way {
        view,
        version,
        transport,
        lead: None,
    };
    way.delivery()
}

/// The policy that a transport meets at one next hop.
pub(crate) fn met(
    view: &View<'_>,
    transport: &str,
    nexthop: &str,
    answers: &Answers,
) -> Asked<Vec<Hop>> {
    let version = view.facts().version;
    let way = hop::Way {
        view,
        version,
        transport,
        lead: None,
    };
    match way.hops(nexthop, &mut Tables::new(answers)) {
        Ok(hops) => Asked::Answered(hops),
        Err(Stop::Ask(question)) => Asked::Unanswered(question),
        // Each hop notes its own failing table.
        Err(Stop::Failed(_)) => Asked::Answered(Vec::new()),
    }
}

/// A table of routes. That Postfix can ask it where its own postmap cannot is not known.
fn way_unknown(why: &str) -> Finding {
    let why = why.trim();
    if why.contains(SKIPPED) {
        return Finding::new(
            SUBSTITUTES,
            Severity::Error,
            format!("Where the mail goes is undetermined: {why}."),
            "Write the row without $1: one for each next hop, or a table of keys.",
        );
    }
    Finding {
        message: format!(
            "Where the mail goes is undetermined, because a table cannot be asked; as long as \
             Postfix cannot either, it defers the mail: {why}"
        ),
        ..table_failed(why)
    }
}

pub(crate) fn table_failed(why: &str) -> Finding {
    Finding::new(
        "policy.table-failed",
        Severity::Fatal,
        format!(
            "A table cannot be asked, so Postfix defers the mail: {}",
            why.trim()
        ),
        "Look at the table with postmap -q; build it again with postmap where its index is missing.",
    )
}

/// Whether smtp(8) takes a next hop for a host name, and looks its parents up, too
/// (`valid_hostname.c`).
pub(crate) fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        let letters = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(letters)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let numeric = text
        .chars()
        .all(|letter| letter.is_ascii_digit() || letter == '.');
    text.len() <= 255 && !numeric && text.split('.').all(label)
}

/// `[192.0.2.1]`, `[IPv6:2001:db8::1]`, `[host]`.
fn is_literal(text: &str) -> bool {
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| literal_address(inner).is_some() || is_domain(inner))
}

/// `[host]`, `[host]:port`, `host:port`.
pub(crate) fn is_next_hop(text: &str) -> bool {
    let port = |port: &str| {
        let number = port.parse::<u16>().is_ok_and(|port| port > 0);
        let digits = port.chars().all(|letter| letter.is_ascii_digit());
        number
            || (!digits
                && !port.is_empty()
                && port.chars().all(|l| l.is_ascii_alphanumeric() || l == '-'))
    };
    if text.starts_with('[') {
        return match text.rsplit_once("]:") {
            Some((head, tail)) => is_literal(&format!("{head}]")) && port(tail),
            None => is_literal(text),
        };
    }
    let Some((host, tail)) = text.rsplit_once(':') else {
        return false;
    };
    (is_domain(host) || host.parse::<std::net::Ipv4Addr>().is_ok()) && port(tail)
}

/// For the words of a look.
impl Consulted {
    /// What it gave, in a word or two.
    pub fn gave(&self) -> &str {
        match &self.answer {
            Answer::Found(value) => value,
            Answer::NotFound => "nothing",
            Answer::Failed(why) => why,
        }
    }
}

#[cfg(test)]
mod tests;

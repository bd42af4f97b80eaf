//! One next hop: the service that goes there, the row that is found for it, and the level.
//!
//! Owns: smtp(8)'s own look into `smtp_tls_policy_maps` and its fallbacks (`smtp_tls_policy.c` of
//! Postfix 3.7). Never: how the next hop was found.

use super::{is_domain, promise};
use crate::finding::{Finding, Severity};
use crate::policy::{Lead, expects_tls, faults, holds_back, no_wrappermode, wrapping};
use crate::preflight::{Client, NoDane};
use crate::resolve::{Stop, Tables, parents};
use crate::version::PostfixVersion;
use crate::view::{Service, View};
use mailtls::Level;
use mailtls::policy::{Dialect, Policy};

/// Who delivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// smtp(8).
    Smtp,
    /// lmtp(8), whose TLS parameters begin with `lmtp_`.
    Lmtp,
    /// Another program: no SMTP connection, so no TLS.
    Other(String),
    /// Nobody: `error` and `retry`.
    Nobody,
    /// master.cf has no such service.
    Missing,
}

/// A row of a policy table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `type:name`.
    pub table: String,
    /// The key that was found.
    pub key: String,
    /// Its right-hand side.
    pub text: String,
}

/// Where a level comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A row.
    Row(Row),
    /// The parameter, in main.cf or as `-o` of the service.
    Default(&'static str),
    /// The obsolete table of sites, by its parameter. What it says is not known here: it is asked for
    /// the names of servers, too, which only the DNS tells (`smtp_tls_per_site`, postconf(5)).
    Sites(&'static str),
}

/// A next hop and its policy.
#[derive(Clone, Debug)]
pub struct Hop {
    /// The next hop, as it is looked up.
    pub nexthop: String,
    /// The transport.
    pub transport: String,
    /// Who delivers.
    pub delivery: Delivery,
    /// Where the level comes from.
    pub source: Option<Source>,
    /// The policy as it is read; `None` where there is none, or it cannot be read.
    pub policy: Option<Policy>,
    /// The level that smtp(8) comes to use; `None` where it does not deliver, or cannot.
    pub level: Option<Level>,
    /// What that promises, in a sentence.
    pub sentence: String,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl Hop {
    /// Whether the level is not known here.
    pub fn is_undetermined(&self) -> bool {
        matches!(self.source, Some(Source::Sites(_)))
    }

    /// That what its servers do not take does not wait.
    pub(super) fn goes_on_to(&mut self, relays: &str) {
        const WAITS: &str = "waits in the queue";
        if self.level.is_none() {
            return;
        }
        match self.sentence.contains(WAITS) {
            true => {
                self.sentence = self
                    .sentence
                    .replace(WAITS, &format!("goes on to {relays}"))
            }
            false => self
                .sentence
                .push_str(&format!(" What no server there takes goes on to {relays}.")),
        }
    }
}

/// The next hops of a list (Postfix 3.5 and later), as smtp(8) splits it.
pub(crate) fn listed_hops(list: &str) -> impl Iterator<Item = &str> {
    let list = list.strip_prefix("inet:").unwrap_or(list);
    list.split([',', ' ', '\t', '\r', '\n'])
        .filter(|hop| !hop.is_empty())
}

/// A transport on an instance.
pub(super) struct Way<'a> {
    pub(super) view: &'a View<'a>,
    pub(super) version: PostfixVersion,
    pub(super) transport: &'a str,
    /// What leads the mail there, where that is known.
    pub(super) lead: Option<Lead>,
}

impl Way<'_> {
    /// The hops of a next hop, which may be a list (Postfix 3.5 and later).
    pub(super) fn hops(&self, nexthop: &str, tables: &mut Tables<'_>) -> Result<Vec<Hop>, Stop> {
        let delivery = self.delivery();
        let speaks = matches!(delivery, Delivery::Smtp | Delivery::Lmtp);
        if !speaks || nexthop.starts_with("unix:") {
            return Ok(vec![self.silent(nexthop, delivery)]);
        }
        listed_hops(nexthop)
            .map(|word| self.hop(word, &delivery, tables))
            .collect()
    }

    fn service(&self) -> Option<&Service> {
        let id = format!("{}/unix", self.transport);
        self.view.services.iter().find(|one| one.id == id)
    }

    pub(super) fn delivery(&self) -> Delivery {
        if matches!(self.transport, "error" | "retry") {
            return Delivery::Nobody;
        }
        match self.service().map(|service| service.command.as_str()) {
            None => Delivery::Missing,
            Some("smtp") => Delivery::Smtp,
            Some("lmtp") => Delivery::Lmtp,
            Some("error") => Delivery::Nobody,
            Some(other) => Delivery::Other(other.to_owned()),
        }
    }

    /// Where nobody speaks SMTP over the network.
    fn silent(&self, nexthop: &str, delivery: Delivery) -> Hop {
        let transport = self.transport;
        let sentence = match &delivery {
            Delivery::Nobody => format!("The mail is not delivered: {nexthop}."),
            Delivery::Missing => {
                format!("The mail waits in the queue: master.cf has no service {transport}.")
            }
            Delivery::Other(program) => {
                format!("{program}(8) delivers on this host; no TLS connection is made.")
            }
            Delivery::Smtp | Delivery::Lmtp => {
                "A socket of this host takes the mail; it does not go over the network.".to_owned()
            }
        };
        Hop {
            nexthop: nexthop.to_owned(),
            transport: transport.to_owned(),
            delivery,
            source: None,
            policy: None,
            level: None,
            sentence,
            findings: Vec::new(),
        }
    }

    fn hop(
        &self,
        nexthop: &str,
        delivery: &Delivery,
        tables: &mut Tables<'_>,
    ) -> Result<Hop, Stop> {
        let mut hop = Hop {
            sentence: String::new(),
            ..self.silent(nexthop, delivery.clone())
        };
        if self.by_sites(&mut hop) {
            return Ok(hop);
        }
        match self.row(nexthop, tables) {
            Ok(Some(row)) => {
                self.by_row(&mut hop, row);
                self.faults(&mut hop, tables)?;
            }
            Ok(None) => {
                self.by_default(&mut hop);
                self.faults(&mut hop, tables)?;
            }
            Err(Stop::Failed(why)) => {
                hop.sentence = format!("The mail waits in the queue: {}", why.trim());
                hop.findings.push(super::table_failed(&why));
            }
            Err(ask) => return Err(ask),
        }
        self.conditions(&mut hop);
        Ok(hop)
    }

    /// The row that smtp(8) finds for a next hop: itself, then, where it is a bare host name, its
    /// parents with a dot before them. The first table with an answer wins for each key.
    pub(super) fn row(&self, nexthop: &str, tables: &mut Tables<'_>) -> Result<Option<Row>, Stop> {
        let parameter = self.parameter("smtp_tls_policy_maps", "lmtp_tls_policy_maps");
        let maps = self.view.list(self.service(), parameter);
        let above = is_domain(nexthop)
            .then(|| parents(nexthop))
            .into_iter()
            .flatten();
        for key in std::iter::once(nexthop).chain(above) {
            for table in &maps {
                if let Some(text) = tables.lookup(parameter, table, key)? {
                    return Ok(Some(Row {
                        table: table.clone(),
                        key: key.to_owned(),
                        text,
                    }));
                }
            }
        }
        Ok(None)
    }

    fn by_row(&self, hop: &mut Hop, row: Row) {
        let dialect = Dialect {
            major: self.version.major,
            minor: self.version.minor,
        };
        match Policy::parse(&row.text, dialect) {
            Ok(policy) => {
                hop.level = Some(policy.level);
                hop.policy = Some(policy);
            }
            Err(error) => {
                hop.sentence =
                    format!("The mail waits in the queue: Postfix refuses the row ({error}).");
                hop.findings.push(
                    Finding::new(
                        "policy.row-refused",
                        Severity::Fatal,
                        format!(
                            "Postfix refuses the policy of {}: {error}; mail for it is deferred \
                             (4.7.5, client TLS configuration problem).",
                            row.key
                        ),
                        "Mend the row, and run postmap on its table.",
                    )
                    .seen(format!("{}: {} {}", row.table, row.key, row.text)),
                );
            }
        }
        hop.source = Some(Source::Row(row));
    }

    /// What is wrong with the policy on this host, whoever the server is. That a level has no DNSSEC
    /// is said by `conditions`.
    fn faults(&self, hop: &mut Hop, tables: &mut Tables<'_>) -> Result<(), Stop> {
        let Some(level) = hop.level else {
            return Ok(());
        };
        let policy = hop.policy.clone().unwrap_or_else(|| Policy::of(level));
        let client = Client::in_view(self.view, self.transport);
        let faults = faults(&policy, &hop.nexthop, &client, tables)?;
        for fault in faults.into_iter().filter(|fault| holds_back(&fault.code)) {
            // At may the mail goes all the same.
            if level != Level::May {
                hop.level = None;
                hop.sentence = format!("The mail waits in the queue: {}", fault.message);
            }
            hop.findings.push(fault);
        }
        Ok(())
    }

    /// Whether the table of sites decides: it is asked only where there is no table of policies
    /// (`smtp_tls_policy.c`).
    fn by_sites(&self, hop: &mut Hop) -> bool {
        let value = |smtp, lmtp| self.view.value(self.service(), self.parameter(smtp, lmtp));
        let sites = value("smtp_tls_per_site", "lmtp_tls_per_site");
        let policies = value("smtp_tls_policy_maps", "lmtp_tls_policy_maps");
        if sites.is_empty() || !policies.is_empty() {
            return false;
        }
        let parameter = self.parameter("smtp_tls_per_site", "lmtp_tls_per_site");
        hop.source = Some(Source::Sites(parameter));
        hop.sentence = format!(
            "What holds is undetermined: {parameter} = {sites} decides, by the next hop and by the \
             name of each server, and Postseal does not read that table."
        );
        hop.findings.push(Finding::new(
            "policy.per-site-decides",
            Severity::Warning,
            format!(
                "{parameter} = {sites} decides about the TLS of {}; Postseal does not read that table.",
                hop.nexthop
            ),
            "Look a next hop and its servers up with postmap -q. To be told here, make rules of its \
             rows, and set the parameter to nothing.",
        ));
        true
    }

    fn by_default(&self, hop: &mut Hop) {
        let parameter = self.parameter("smtp_tls_security_level", "lmtp_tls_security_level");
        let text = match hop.delivery {
            Delivery::Lmtp => self.view.value(self.service(), parameter),
            _ => self.view.client_level(self.service()),
        };
        let level = match text.is_empty() {
            true => Some(Level::None),
            false => text.parse().ok(),
        };
        hop.source = Some(Source::Default(parameter));
        hop.level = level;
        if level.is_none() {
            hop.sentence =
                format!("The mail waits in the queue: {parameter} = {text} is no level.");
        }
    }

    /// What else decides at a level: DNSSEC for the dane levels, wrapper mode.
    fn conditions(&self, hop: &mut Hop) {
        let Some(level) = hop.level else { return };
        let client = Client::in_view(self.view, self.transport);
        hop.sentence = promise::of(level, hop.policy.as_ref(), &client);
        let lookups = client.lookups;
        if let (Level::Dane | Level::DaneOnly, Some(hindrance)) = (level, lookups.no_dane) {
            without_dnssec(hop, level, hindrance);
        }
        let parameter = self.parameter("smtp_tls_wrappermode", "lmtp_tls_wrappermode");
        let wraps = self.view.is_yes(self.service(), parameter);
        if wraps && matches!(hop.level, Some(Level::None | Level::May)) {
            hop.level = None;
            hop.sentence = format!(
                "The mail waits in the queue: {parameter} = yes needs the level encrypt or a \
                 stronger one."
            );
        } else if wraps && hop.level == Some(Level::Dane) {
            hop.sentence = format!(
                "Where DNSSEC-signed TLSA records exist, mail is only sent to a server that matches \
                 them; where none exist it waits in the queue: {parameter} = yes needs the level \
                 encrypt or a stronger one."
            );
        } else if !wraps && expects_tls(&hop.nexthop) {
            let instead = wrapping(self.view).map(|one| one.name.as_str());
            let leads = self.lead.as_slice();
            let finding = no_wrappermode(&hop.nexthop, self.transport, instead, leads);
            hop.findings.push(finding.seen(hop.nexthop.clone()));
            hop.sentence = format!(
                "The mail waits in the queue where the server begins with TLS, as one on such a port \
                 does. Where it greets in clear: {}",
                hop.sentence
            );
        }
    }

    fn parameter(&self, smtp: &'static str, lmtp: &'static str) -> &'static str {
        match self.delivery() {
            Delivery::Lmtp => lmtp,
            _ => smtp,
        }
    }
}

/// `dane` falls back to `may` without DNSSEC, `dane-only` defers.
fn without_dnssec(hop: &mut Hop, level: Level, hindrance: NoDane) {
    let need = format!("needs {}", hindrance.needs());
    (hop.level, hop.sentence) = match level {
        Level::Dane => (
            Some(Level::May),
            format!("dane {need}, so may is used. {}", Level::May.promises()),
        ),
        _ => (
            None,
            format!("The mail waits in the queue: {level} {need}."),
        ),
    };
    hop.findings.push(Finding::new(
        "policy.dane-without-dnssec",
        Severity::Error,
        format!("{level} for {} has no DNSSEC to rest on.", hop.nexthop),
        hindrance.remedy(),
    ));
}

//! Where mail goes: what trivial-rewrite(8) makes of a recipient.
//!
//! Owns: address class, transport, next hop and the order in which Postfix consults its tables
//! (`resolve.c`, `transport.c`, `mail_addr_find.c`, `match_list.c` of Postfix 3.7; held against
//! the running daemon in the tests). Never: looks anything up. What it must know of a table it
//! yields as a [`Question`]; whoever called answers it and calls again, so that the same answers
//! always give the same way.

mod address;
mod lists;
mod patterns;
mod tables;
mod transport;
mod ways;

use crate::facts::Facts;
use crate::view::View;
use address::Parts;
use postfix_cf::{MainCf, MasterCf};
use std::collections::BTreeMap;
use std::rc::Rc;

pub(crate) use lists::parents;
pub(crate) use patterns::{EXPLAINED as PATTERNS_EXPLAINED, SUBSTITUTES};
pub use patterns::{pattern_files, skipped_here, skipped_rows};
pub(crate) use tables::{SKIPPED, Stop, Tables};
pub(crate) use ways::Ways;

/// What has to be looked up on the instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// A key in a lookup table, as `postmap -q KEY TABLE` answers it.
    Lookup {
        /// `type:name`.
        table: String,
        /// The key, as it is.
        key: String,
    },
    /// The content of a file that a list names (`mydestination = /etc/postfix/domains`).
    File(String),
    /// Whether a file of trust anchors (`tafile=`) can be used by smtp(8): something is found, or why
    /// it cannot.
    Anchors(String),
    /// What an OpenSSL cipher list selects; nothing is found where no handshake can succeed by it.
    Ciphers(String),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A value, or a file's content.
    Found(String),
    /// No such key.
    NotFound,
    /// The table cannot be asked; why. Postfix defers the mail.
    Failed(String),
}

/// Everything that has been looked up so far.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    known: BTreeMap<Question, Answer>,
}

impl Answers {
    /// Remembers an answer.
    pub fn put(&mut self, question: Question, answer: Answer) {
        self.known.insert(question, answer);
    }

    /// What is known.
    pub fn get(&self, question: &Question) -> Option<&Answer> {
        self.known.get(question)
    }
}

/// Either the result, or what has to be looked up first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked<T> {
    /// Look this up and ask again.
    Unanswered(Question),
    /// The result.
    Answered(T),
}

/// The class of a recipient's domain (ADDRESS_CLASS_README).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// `mydestination`, or an address literal of this host.
    Local,
    /// `virtual_alias_domains`: every recipient must have been rewritten to another one.
    VirtualAlias,
    /// `virtual_mailbox_domains`.
    VirtualMailbox,
    /// `relay_domains`.
    Relay,
    /// Everything else.
    Default,
}

impl Class {
    /// The class, as ADDRESS_CLASS_README calls it, with the parameter that makes it so.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Local => "local (mydestination)",
            Self::VirtualAlias => "virtual alias (virtual_alias_domains)",
            Self::VirtualMailbox => "virtual mailbox (virtual_mailbox_domains)",
            Self::Relay => "relay (relay_domains)",
            Self::Default => "default (no domain of this host)",
        }
    }
}

/// One look into a table, in the order of the looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consulted {
    /// The parameter that names it.
    pub parameter: String,
    /// `type:name`, or a file.
    pub table: String,
    /// The key.
    pub key: String,
    /// What it gave.
    pub answer: Answer,
}

/// Where a recipient's mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The recipient as resolved.
    pub recipient: String,
    /// Its domain's class.
    pub class: Class,
    /// The service of master.cf that delivers.
    pub transport: String,
    /// The next hop, as the transport gets it. For `error` and `retry` the reason.
    pub nexthop: String,
    /// What decided about the transport: a parameter, or a table.
    pub transport_by: String,
    /// What decided about the next hop.
    pub nexthop_by: String,
    /// Every look into a table, in order.
    pub consulted: Vec<Consulted>,
    /// Why it could not be resolved: Postfix defers the mail.
    pub failed: Option<String>,
}

/// A recipient, and who sends.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The envelope sender; empty for bounces.
    pub sender: &'a str,
    /// The recipient, `user@domain`.
    pub recipient: &'a str,
}

/// Resolves a recipient as trivial-rewrite(8) does.
pub fn resolve(facts: &Facts, envelope: Envelope<'_>, answers: &Answers) -> Asked<Resolution> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let view = View::new(&main, &master, facts);
    resolve_in(&Ways::new(&view), envelope, answers)
}

/// The same on files that are parsed already.
pub(crate) fn resolve_in(
    ways: &Ways<'_>,
    envelope: Envelope<'_>,
    answers: &Answers,
) -> Asked<Resolution> {
    let mut resolver = Resolver {
        ways,
        tables: Tables::new(answers),
        result: Resolution::of(envelope.recipient),
    };
    let stopped = resolver.run(envelope);
    let mut result = resolver.result;
    result.consulted = resolver.tables.into_consulted();
    match stopped {
        Ok(()) => Asked::Answered(result),
        Err(Stop::Ask(question)) => Asked::Unanswered(question),
        Err(Stop::Failed(why)) => {
            result.failed = Some(why);
            Asked::Answered(result)
        }
    }
}

impl Resolution {
    fn of(recipient: &str) -> Self {
        Self {
            recipient: recipient.to_owned(),
            class: Class::Default,
            transport: String::new(),
            nexthop: String::new(),
            transport_by: String::new(),
            nexthop_by: String::new(),
            consulted: Vec::new(),
            failed: None,
        }
    }
}

struct Resolver<'a> {
    ways: &'a Ways<'a>,
    tables: Tables<'a>,
    result: Resolution,
}

impl Resolver<'_> {
    fn run(&mut self, envelope: Envelope<'_>) -> Result<(), Stop> {
        let parts = self.recipient(envelope.recipient)?;
        let domain = parts.domain.clone();
        self.result.recipient = format!("{}@{domain}", parts.local);
        if parts.is_local {
            self.by_parameter(Class::Local, "local_transport", &domain);
        } else {
            self.elsewhere(envelope.sender, &domain)?;
        }
        if self.result.class != Class::VirtualAlias {
            self.split_transport();
            self.transport_maps(&domain)?;
        }
        self.relocated()
    }

    /// The recipient once local domains and routing operators are taken off it.
    fn recipient(&mut self, text: &str) -> Result<Parts, Stop> {
        let ways = self.ways;
        address::recipient(text, ways.rewriting(), |domain| self.is_local(domain))
    }

    /// Delivery to a domain that is not this machine's own.
    fn elsewhere(&mut self, sender: &str, domain: &str) -> Result<(), Stop> {
        if self.in_list("virtual_alias_domains", domain)? {
            self.result.class = Class::VirtualAlias;
            self.result.transport = "error".to_owned();
            self.result.nexthop = "5.1.1 User unknown".to_owned();
            if self.is_yes("show_user_unknown_table_name") {
                self.result.nexthop.push_str(" in virtual alias table");
            }
            self.result.transport_by = "virtual_alias_domains".to_owned();
            self.result.nexthop_by = "virtual_alias_domains".to_owned();
            return Ok(());
        }
        if self.in_list("virtual_mailbox_domains", domain)? {
            self.by_parameter(Class::VirtualMailbox, "virtual_transport", domain);
            return Ok(());
        }
        let sender = if sender.is_empty() { "<>" } else { sender };
        if self.in_domain_list("relay_domains", domain)? {
            self.by_parameter(Class::Relay, "relay_transport", domain);
        } else {
            self.by_parameter(Class::Default, "default_transport", domain);
            let name = "sender_dependent_default_transport_maps";
            let found = self.by_address(name, sender)?;
            if let Some(found) = found.filter(|found| !leaves_it(found)) {
                self.result.transport = found;
                self.result.transport_by = name.to_owned();
            }
        }
        self.relayhost(sender)
    }

    /// A relay host overrides the recipient's domain; that of the sender comes first.
    fn relayhost(&mut self, sender: &str) -> Result<(), Stop> {
        let name = "sender_dependent_relayhost_maps";
        let found = self.by_address(name, sender)?;
        if let Some(found) = found.filter(|found| !leaves_it(found)) {
            self.result.nexthop = found;
            name.clone_into(&mut self.result.nexthop_by);
            return Ok(());
        }
        let relayhost = self.value("relayhost");
        if !relayhost.is_empty() {
            self.result.nexthop = relayhost.to_string();
            self.result.nexthop_by = "relayhost".to_owned();
        }
        Ok(())
    }

    fn by_parameter(&mut self, class: Class, name: &str, domain: &str) {
        self.result.class = class;
        self.result.transport = self.value(name).to_string();
        self.result.transport_by = name.to_owned();
        self.result.nexthop = domain.to_owned();
        self.result.nexthop_by = "the recipient's domain".to_owned();
    }

    /// `transport:nexthop` in one of the parameters overrides the next hop.
    fn split_transport(&mut self) {
        let whole = std::mem::take(&mut self.result.transport);
        let (transport, nexthop) = whole.split_once(':').unwrap_or((&whole, ""));
        if !nexthop.is_empty() {
            self.result.nexthop = nexthop.to_owned();
            self.result.nexthop_by = self.result.transport_by.clone();
        }
        self.result.transport = transport.to_owned();
    }

    /// Recipients that have moved bounce, whatever their domain's class.
    fn relocated(&mut self) -> Result<(), Stop> {
        let recipient = self.result.recipient.clone();
        if let Some(moved) = self.by_address("relocated_maps", &recipient)? {
            self.result.transport = "error".to_owned();
            self.result.nexthop = format!("5.1.6 User has moved to {moved}");
            self.result.transport_by = "relocated_maps".to_owned();
            self.result.nexthop_by = "relocated_maps".to_owned();
        }
        Ok(())
    }

    fn value(&self, name: &str) -> Rc<str> {
        self.ways.value(name)
    }

    fn is_yes(&self, name: &str) -> bool {
        self.ways.is_yes(name)
    }

    fn list(&self, name: &str) -> Rc<[String]> {
        self.ways.list(name)
    }
}

/// DUNNO, or nothing, in a table of senders ends the search and leaves what holds for everybody in
/// force (postconf(5)).
fn leaves_it(found: &str) -> bool {
    found.is_empty() || found.eq_ignore_ascii_case("DUNNO")
}

#[cfg(test)]
mod tests;

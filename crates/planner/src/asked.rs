//! The names by which this host's certificates are asked for.
//!
//! Owns: which they are, and why each is asked for. Never: asks DNS; what the facts do not tell is said to be unknown.

use crate::dane;
use crate::dns::Question;
use crate::facts::Facts;
use crate::intent::{Intent, Place};
use crate::names::{Names, plain};
use crate::view::View;
use postfix_cf::{MainCf, MasterCf};
use serde::Serialize;
use std::collections::BTreeSet;

/// Why a name is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AskedAs {
    /// It is the host's own (`myhostname`).
    HostName,
    /// The MX of one of its domains names it (RFC 5321 §5.1).
    MailExchanger,
    /// A certificate is bound to it (RFC 6066 §3, `tls_server_sni_maps`).
    ServerName,
}

/// A name by which a certificate of this host is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskedName {
    /// A host name; `.example.org` is any name below it.
    pub name: String,
    /// Why.
    pub asked_as: AskedAs,
}

/// Those that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AskedNames {
    /// The host's own first.
    pub names: Vec<AskedName>,
    /// What could not be listed or asked, in words: there may be more.
    pub unknown: Vec<String>,
}

/// The names by which certificates are asked for, as far as the facts hold what DNS says.
pub fn asked_names(facts: &Facts, intent: &Intent) -> AskedNames {
    let found = dane::mx_names(facts, &[]);
    let mut all = AskedNames {
        unknown: found.unlisted,
        ..AskedNames::default()
    };
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let own = View::new(&main, &master, facts).value(None, "myhostname");
    if !own.is_empty() {
        all.add(&own, AskedAs::HostName);
    }
    for host in &found.hosts {
        all.add(host, AskedAs::MailExchanger);
    }
    for bound in &intent.bindings {
        if let Place::Sni(name) = &bound.place {
            all.add(name, AskedAs::ServerName);
        }
    }
    for question in &found.questions {
        if let (Question::Mx(domain), None) = (question, facts.dns.get(question)) {
            all.unknown
                .push(format!("the MX of {domain}: DNS was not asked"));
        }
    }
    all
}

impl AskedNames {
    fn add(&mut self, name: &str, asked_as: AskedAs) {
        let plain = mailtls::host_name(name);
        let same = |one: &AskedName| {
            one.name.eq_ignore_ascii_case(name)
                || plain.is_some() && mailtls::host_name(&one.name) == plain
        };
        if !self.names.iter().any(same) {
            self.names.push(AskedName {
                name: name.to_owned(),
                asked_as,
            });
        }
    }
}

/// Whether a certificate that has these names is for the one that is asked for, as peers compare them (RFC 9525 §6.3):
/// a `*` stands for one label. `.example.org` wants any name below it.
pub fn are_for(names: &[String], asked: &str) -> bool {
    let own: BTreeSet<String> = names.iter().map(|name| plain(name)).collect();
    let any = asked.strip_prefix('.').map(|below| format!("any.{below}"));
    Names::from(own).serve(&plain(any.as_deref().unwrap_or(asked)))
}

#[cfg(test)]
mod tests;

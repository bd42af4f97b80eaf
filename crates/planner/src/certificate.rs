//! Certificate problems as findings.
//!
//! Owns: how grave each is for a mail server, and whose names count where. Never: finds one
//! (`mailtls` does).

use crate::facts::Facts;
use crate::intent::{Binding, Intent, Place};
use crate::view::{Service, View};
use crate::{Finding, Severity};
use mailtls::{CertError, CertProblem, Certificate, Gravity};
use postfix_cf::{MainCf, MasterCf};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The ports of mail clients (RFC 6409, RFC 8314). Servers look a mail exchanger up by its name;
/// clients are told one, and which nobody but their users knows.
const OF_CLIENTS: [u16; 2] = [587, 465];

/// The finding of a certificate problem. Soon expiring is no error yet.
pub fn certificate_finding(problem: &CertProblem) -> Finding {
    let severity = match (problem.code, problem.gravity) {
        ("cert.expiring", _) => Severity::Warning,
        (_, Gravity::Note) => Severity::Info,
        (_, Gravity::Warning) => Severity::Warning,
        (_, Gravity::Error) => Severity::Error,
    };
    // A path in main.cf does not start where the caller stands; a relative one is taken from
    // queue_directory (Postfix 3.7.11), and `lint` tells of it.
    let remedy = match problem.code == CertError::Missing.code() {
        true => "Put the file back, or correct the path in main.cf or master.cf.".to_owned(),
        false => problem.remedy.clone(),
    };
    Finding {
        code: Cow::Borrowed(problem.code),
        severity,
        message: sentence(&problem.message),
        evidence: Vec::new(),
        remedy,
        fix: None,
    }
}

/// That nobody vouches for a certificate but itself.
pub(crate) const SELFISH: [&str; 2] = ["cert.self-signed", "cert.system-certificate"];

/// Whether a certificate is shown where TLS is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Clients may go on without TLS, or without looking at who they talk to.
    Optionally,
    /// Mail programs look, and refuse what nobody vouches for.
    Demanded,
}

/// How grave a problem is to those who keep the file that a server presents, said once for `lint`, `init`,
/// `status` and `cert check`. One that ends soon is urgent to them.
pub(crate) fn gravity_of_kept(problem: &CertProblem, shown: Shown) -> Severity {
    match problem.gravity {
        Gravity::Note => Severity::Info,
        Gravity::Warning => Severity::Warning,
        // Mail between servers works with it.
        Gravity::Error if SELFISH.contains(&problem.code) && shown == Shown::Optionally => {
            Severity::Warning
        }
        Gravity::Error => Severity::Error,
    }
}

/// Whether only mail clients come to these services.
pub(crate) fn only_clients(services: &[&Service]) -> bool {
    let of_clients = |service: &&Service| {
        let port = service.port();
        port.is_some_and(|port| OF_CLIENTS.contains(&port))
    };
    !services.is_empty() && services.iter().all(of_clients)
}

/// That a certificate is for another name than this server's, where only mail clients see it: they
/// may well have been told the other one.
pub(crate) fn told_to_clients(leaf: &Certificate, host: &str) -> Finding {
    Finding::new(
        "cert.names-of-clients",
        Severity::Info,
        format!(
            "The certificate is for {}, not for {host}: mail clients have to be told a name \
             that it has.",
            leaf.names_shown()
        ),
        "Nothing, where they are. Else tell them one of its names, or have it issued for theirs.",
    )
}

/// A certificate that does not have the name under which a binding of `intent` presents it.
pub fn name_finding(
    leaf: &Certificate,
    bound: &Binding,
    intent: &Intent,
    facts: &Facts,
) -> Option<Finding> {
    let (main, master) = (&facts.main_cf.bytes, &facts.master_cf.bytes);
    let (main, master) = (MainCf::parse(main), MasterCf::parse(master));
    let view = View::new(&main, &master, facts);
    let asked = asked_for(&bound.place, facts)?;
    let problem = mailtls::name_problem(leaf, &asked)?;
    Some(match asked_by_clients(&view, bound, intent) {
        true => told_to_clients(leaf, &asked),
        false => certificate_finding(&problem),
    })
}

/// The first name by which a certificate of this place is asked for.
fn asked_for(place: &Place, facts: &Facts) -> Option<String> {
    let host = facts.values.get("myhostname");
    let host = host.filter(|host| !host.is_empty() && !host.contains('$'));
    match place {
        Place::Server | Place::Port(_) => host.cloned(),
        // Any name below it.
        Place::Sni(name) if name.starts_with('.') => Some(format!("any{name}")),
        Place::Sni(name) => Some(name.clone()),
        Place::Client(_) => None,
    }
}

/// The names that servers or clients ask for where `bound` presents `before`, that it has, and that
/// `after` lacks; each as an error.
pub(crate) fn names_lost(
    (before, after): (&Certificate, &Certificate),
    bound: &Binding,
    intent: &Intent,
    facts: &Facts,
) -> Vec<Finding> {
    let (main, master) = (&facts.main_cf.bytes, &facts.master_cf.bytes);
    let (main, master) = (MainCf::parse(main), MasterCf::parse(master));
    let view = View::new(&main, &master, facts);
    let mut asked = BTreeSet::from_iter(asked_for(&bound.place, facts));
    if matches!(bound.place, Place::Server | Place::Port(_)) {
        if asked_by_clients(&view, bound, intent) {
            return Vec::new();
        }
        asked.extend(crate::rules::dane::hosts(&view));
    }
    let lost = asked.iter().filter(|name| before.matches_name(name));
    let lost = lost.filter_map(|name| mailtls::name_problem(after, name));
    lost.map(|problem| Finding {
        severity: Severity::Error,
        ..certificate_finding(&problem)
    })
    .collect()
}

/// Whether only mail clients see what a binding presents to those who ask for no name. A port of
/// theirs is so before a service is there.
fn asked_by_clients(view: &View<'_>, bound: &Binding, intent: &Intent) -> bool {
    match bound.place {
        Place::Sni(_) | Place::Client(_) => false,
        Place::Port(port) if OF_CLIENTS.contains(&port) => true,
        Place::Server | Place::Port(_) => only_clients(&presenting(view, bound, intent)),
    }
}

/// The servers that a binding presents a certificate on: what is said of a port goes before what is
/// said of all.
pub(crate) fn presenting<'v>(
    view: &'v View<'_>,
    bound: &Binding,
    intent: &Intent,
) -> Vec<&'v Service> {
    let mut ports = Vec::new();
    for other in &intent.bindings {
        if let Place::Port(port) = other.place {
            ports.push(port);
        }
    }
    let is_its = |service: &&Service| match (&bound.place, service.port()) {
        (Place::Port(own), Some(port)) => port == *own,
        (_, Some(port)) => !ports.contains(&port),
        (_, None) => false,
    };
    view.servers().filter(is_its).collect()
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    // The name of a file stays as it is.
    let begins = text.split(' ').next().unwrap_or_default();
    let is_word = begins.chars().all(char::is_alphabetic);
    let first = letters.next().into_iter();
    let first = first.flat_map(|letter| match is_word {
        true => letter.to_uppercase().collect(),
        false => vec![letter],
    });
    let mut sentence: String = first.chain(letters).collect();
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

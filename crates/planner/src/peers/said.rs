//! Exclusions in an administrator's words.
//!
//! Owns: the sentences. Never: finds anything out.

use super::lacks::{Feature, Lack};
use super::{Demand, Exclusion, Whom};
use crate::words;
use mailtls::TlsVersion;

/// A sentence names no more suites than this.
const SHOWN: usize = 3;

pub(super) fn sentence(one: &Exclusion) -> String {
    let (who, then) = match (one.whom, one.demand) {
        (Whom::Senders, Demand::Opportunistic) => (
            format!("{} senders", turned_away(one)),
            "they send in clear, or keep the mail",
        ),
        (Whom::Senders, Demand::Mandatory) => (
            format!("{} senders", turned_away(one)),
            "they keep the mail",
        ),
        (Whom::MailClients, _) => (
            format!("{} mail clients", turned_away(one)),
            "they cannot send",
        ),
        (Whom::Servers, Demand::Opportunistic) => (
            format!("{} finds no TLS with servers", outgoing(one)),
            "it waits for the next try, and goes in clear where that is allowed",
        ),
        (Whom::Servers, Demand::Mandatory) => (
            format!("{} that demands TLS does not reach servers", outgoing(one)),
            "it waits in the queue",
        ),
    };
    format!("{who} that {}: {then}.", lack(&one.lack))
}

fn turned_away(one: &Exclusion) -> String {
    let names = one.services.iter().enumerate();
    let places: Vec<String> = names
        .map(|(at, service)| match one.ports.get(at) {
            Some(port) => format!("{port} ({service})"),
            None => service.clone(),
        })
        .collect();
    match places.len() {
        1 => format!("Port {} turns away", places[0]),
        _ => format!("Ports {} turn away", words::list(&places)),
    }
}

fn outgoing(one: &Exclusion) -> String {
    let own = one.services.iter().filter(|service| *service != "main.cf");
    let own: Vec<String> = own.cloned().collect();
    match one.services.len() == own.len() {
        true => format!("Mail by {}", words::list(&own)),
        false => "Outgoing mail".to_owned(),
    }
}

fn lack(lack: &Lack) -> String {
    match lack {
        Lack::Tls => "use no TLS".to_owned(),
        Lack::Versions { gone, left } => versions(gone, left),
        Lack::Suites {
            gone,
            without,
            newer,
        } => suites(gone, without, *newer),
        Lack::Groups { gone } => {
            let names: Vec<String> = gone.iter().map(|name| shown(name)).collect();
            format!("know no other group for ECDHE than {}", either(&names))
        }
    }
}

/// Curves as OpenSSL writes them.
fn shown(group: &str) -> String {
    match group.starts_with('x') {
        true => group.to_ascii_uppercase(),
        false => group.to_owned(),
    }
}

fn either(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

fn versions(gone: &[TlsVersion], left: &[TlsVersion]) -> String {
    let (newest, oldest_left) = (gone.iter().max(), left.iter().min());
    match (newest, oldest_left) {
        (Some(newest), Some(oldest)) if newest < oldest => {
            format!("speak no more than {newest}")
        }
        (_, None) => "use TLS at all (nothing is left to agree on)".to_owned(),
        _ => {
            let names: Vec<String> = gone.iter().map(ToString::to_string).collect();
            format!("speak nothing but {}", either(&names))
        }
    }
}

fn suites(gone: &[String], without: &[Feature], newer: bool) -> String {
    let only = if newer {
        "speak no more than TLSv1.2 and "
    } else {
        ""
    };
    // Nobody lives by anonymous suites: others say more.
    let usual = |suite: &&String| Feature::Certificate.is_of(suite);
    let order = gone.iter().filter(usual);
    let order = order.chain(gone.iter().filter(|suite| !usual(suite)));
    let few: Vec<String> = order.take(SHOWN).cloned().collect();
    let more = gone.len().saturating_sub(SHOWN);
    let few = match more {
        0 => either(&few),
        more => format!("{} and {more} more", few.join(", ")),
    };
    if without.is_empty() {
        return format!("{only}have no other suite than {few}");
    }
    let names: Vec<&str> = without.iter().map(|feature| feature.name()).collect();
    let verb = if gone.len() == 1 { "is" } else { "are" };
    format!("{only}lack {} (what goes {verb} {few})", names.join(" or "))
}

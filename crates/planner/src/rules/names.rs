//! Names that mail clients were shown, and are shown no more.
//!
//! Owns: telling of them, before it is so and as long as there is a way back. Never: forbids it.
//!
//! Servers look a mail exchanger up by its own name, which is known here: without it a renewal waits
//! (`succession`). Which of the other names mail clients were told, their users alone know. Names are
//! mostly dropped on purpose, and a renewal that waited for each of them would end as an expired
//! certificate, which locks all clients out. So it is put in force, and told.

use super::World;
use crate::certificate::presenting;
use crate::expect::{row, speaker, unasked};
use crate::facts::Facts;
use crate::intent::{Binding, Intent, Place};
use crate::names::Names;
use crate::view::{Service, View};
use crate::{Finding, Severity, words};
use mailtls::Certificate;
use postfix_cf::{MainCf, MasterCf};
use std::collections::BTreeMap;

/// The names that each service for mail clients has shown so far and will not any more.
pub(crate) fn compare(before: &World<'_>, after: &World<'_>, findings: &mut Vec<Finding>) {
    let mut gone: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for service in after.view.servers() {
        let mut known = before.view.servers();
        let known = known.find(|known| known.id == service.id);
        let pair = known.and_then(|known| Some([leaves(before, known)?, leaves(after, service)?]));
        let Some([old, new]) = pair else { continue };
        // What nobody could verify is missed by nobody.
        let is_of_use = |leaf: &Certificate| !leaf.self_signed && leaf.not_after >= before.now;
        if !old.iter().all(is_of_use) {
            continue;
        }
        let names = lost(&old, &new, &after.view, after.intent);
        if !names.is_empty() {
            gone.entry(names).or_default().push(service.name.clone());
        }
    }
    for (names, services) in gone {
        let message = format!(
            "Mail clients on {} were shown a certificate for {}, and are shown one without from now \
             on: those that were told {} refuse it.",
            words::list(&services),
            words::some(&names),
            this(&names)
        );
        let remedy = "Nothing, where no mail client was told it; else have one issued with it. Once \
                      this is in force, `postseal rollback` leads back to the one before.";
        let finding = Finding::new("cert.names-gone", Severity::Warning, message, remedy);
        findings.push(finding);
    }
}

/// The leaves that a service for mail clients shows to those that ask for no name; `None` where it
/// is not for them, shows none, or the files do not tell.
fn leaves(world: &World<'_>, service: &Service) -> Option<Vec<Certificate>> {
    let speaker = speaker(&world.view, service);
    if !world.view.for_mail_clients(speaker) || !world.view.offers_tls(speaker) {
        return None;
    }
    let chains = unasked(&world.view, speaker, world.facts)?;
    let leaves = chains
        .into_iter()
        .filter_map(|chain| chain.into_iter().next());
    let leaves: Vec<Certificate> = leaves.collect();
    (!leaves.is_empty()).then_some(leaves)
}

/// The names that all of the old leaves serve, whichever a client takes, and not all of the new ones.
/// Of the server's own name is told whenever a certificate lacks it.
fn lost(old: &[Certificate], new: &[Certificate], view: &View<'_>, intent: &Intent) -> Vec<String> {
    let host = mailtls::host_name(&view.value(None, "myhostname"));
    let mut old = old.iter().map(Names::of);
    let first = old.next().unwrap_or_default();
    let others: Vec<Names> = old.collect();
    let new: Vec<Names> = new.iter().map(Names::of).collect();
    let mut lost = first.served_by_all(&others).missing_in(&new);
    // Who asks for a name that is bound by itself is shown that certificate.
    lost.retain(|name| row(intent, name).is_empty() && host.as_ref() != Some(name));
    lost
}

/// The names of `earlier` that mail clients miss in `current`, which is in force where `bound` says:
/// as long as one can go back to it.
pub fn names_missed(
    (earlier, current): (&Certificate, &Certificate),
    bound: &Binding,
    intent: &Intent,
    facts: &Facts,
) -> Option<Finding> {
    if !matches!(bound.place, Place::Server | Place::Port(_)) {
        return None;
    }
    let (main, master) = (&facts.main_cf.bytes, &facts.master_cf.bytes);
    let (main, master) = (MainCf::parse(main), MasterCf::parse(master));
    let view = View::new(&main, &master, facts);
    let services = presenting(&view, bound, intent).into_iter();
    let services = services.filter(|service| view.for_mail_clients(speaker(&view, service)));
    let services: Vec<String> = services.map(|service| service.name.clone()).collect();
    let names = lost(
        std::slice::from_ref(earlier),
        std::slice::from_ref(current),
        &view,
        intent,
    );
    if services.is_empty() || names.is_empty() {
        return None;
    }
    let message = format!(
        "It is not for {}, and the version before, which is valid until {}, is: mail clients on {} \
         that were told {} refuse it.",
        words::some(&names),
        words::date(earlier.not_after),
        words::list(&services),
        this(&names)
    );
    let remedy = "Nothing, where no mail client was told it; else have one issued with it.";
    Some(Finding::new(
        "cert.names-gone",
        Severity::Info,
        message,
        remedy,
    ))
}

fn this(names: &[String]) -> &'static str {
    match names {
        [_] => "this name",
        _ => "one of these names",
    }
}

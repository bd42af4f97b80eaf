//! What neither a rehearsal nor a look at the wire can prove, and why.
//!
//! Owns: the list, read from the files alone, so that silence is never taken for proof. Never:
//! judges what can be seen (`judge` does), or says what a scratch instance leaves out of its own
//! accord (the host does).

use crate::expect::{behind_proxy, proxy_protocol};
use crate::facts::Facts;
use crate::plan::{Cf, OutboundChange, Plan};
use crate::report::{Judgement, Outcome};
use crate::view::{Service, View};
use postfix_cf::{MainCf, MasterCf};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

#[cfg(test)]
mod tests;

/// The lists of smtpd(8) that may look into access tables.
const RESTRICTIONS: [&str; 8] = [
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
    "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions",
    "smtpd_etrn_restrictions",
];

/// The servers that nobody but their proxy can look at: undetermined at each of their addresses.
pub fn unproved(main_cf: &[u8], master_cf: &[u8], facts: &Facts) -> Vec<Judgement> {
    let (main, master) = (MainCf::parse(main_cf), MasterCf::parse(master_cf));
    let view = View::new(&main, &master, facts);
    behind_proxies(&view)
        .flat_map(|service| {
            let mut addresses = view.addresses(service);
            if addresses.is_empty() {
                addresses.push((Ipv4Addr::UNSPECIFIED, 0).into());
            }
            let sentence = unseen(&view, service);
            addresses.into_iter().map(move |address| Judgement {
                service: service.id.clone(),
                address,
                outcome: Outcome::Undetermined,
                sentences: vec![sentence.clone()],
                findings: Vec::new(),
            })
        })
        .collect()
}

/// What the rehearsal of a plan does not try, a sentence each.
pub fn not_rehearsed(plan: &Plan, facts: &Facts) -> Vec<String> {
    let bytes = |file, now| plan.edit(file).map_or(now, |edit| edit.bytes.as_slice());
    let main = MainCf::parse(bytes(Cf::Main, &facts.main_cf.bytes));
    let master = MasterCf::parse(bytes(Cf::Master, &facts.master_cf.bytes));
    let view = View::new(&main, &master, facts);
    let mut sentences: Vec<String> = behind_proxies(&view)
        .map(|service| unseen(&view, service))
        .collect();
    sentences.extend(postscreens(&view));
    if plan.outbound != OutboundChange::None {
        sentences.extend(policy_rows(&view));
        sentences.extend(filter_actions(&view));
    }
    sentences
}

/// The servers that are left out of every look at the wire, a sentence each.
pub(crate) fn sentences(view: &View<'_>) -> impl Iterator<Item = String> {
    behind_proxies(view).map(move |service| unseen(view, service))
}

fn behind_proxies<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Service> {
    view.servers()
        .filter(move |service| behind_proxy(view, service))
}

fn unseen(view: &View<'_>, service: &Service) -> String {
    let name = proxy_protocol(service);
    format!(
        "Service {} is not proved: it waits for the header of its proxy ({name} = {}) and answers \
         nobody else.",
        service.id,
        view.value(Some(service), name)
    )
}

/// Clients of a rehearsal, like those of this host, are handed on before postscreen(8) tests them.
fn postscreens(view: &View<'_>) -> impl Iterator<Item = String> {
    let postscreens = view.servers().filter(|s| s.command == "postscreen");
    postscreens.map(|service| {
        format!(
            "Service {}: postscreen(8) hands the rehearsal's clients to smtpd(8) at once; what it \
             and tlsproxy(8) answer to strangers was not tried.",
            service.id
        )
    })
}

/// smtp(8) looks a row up by its next hop, and that is a sink here.
fn policy_rows(view: &View<'_>) -> Option<String> {
    let name = "smtp_tls_policy_maps";
    let clients = view.services.iter().filter(|s| s.is_smtp_client());
    let everywhere = clients.map(Some).chain([None]);
    let maps: BTreeSet<String> = everywhere
        .map(|service| view.value(service, name))
        .filter(|value| !value.is_empty())
        .collect();
    (!maps.is_empty()).then(|| {
        format!(
            "Rows of {name} ({}): a row is found by its next hop, and the rehearsed mail's next \
             hop is a sink, so none was applied.",
            maps.into_iter().collect::<Vec<_>>().join("; ")
        )
    })
}

/// The rehearsed mail comes through pickup(8): no table of smtpd(8) sees it.
fn filter_actions(view: &View<'_>) -> Option<String> {
    let mut tables = BTreeSet::new();
    for service in view.servers() {
        for name in RESTRICTIONS {
            let words = view.list(Some(service), name);
            tables.extend(words.windows(2).filter_map(access_table));
        }
    }
    (!tables.is_empty()).then(|| {
        format!(
            "FILTER actions of access tables ({}): the rehearsed mail passes no smtpd(8), so none \
             of them chose its next hop.",
            tables.into_iter().collect::<Vec<_>>().join(", ")
        )
    })
}

/// The table of `check_…_access TYPE:NAME`.
fn access_table(pair: &[String]) -> Option<String> {
    let [check, table] = pair else { return None };
    let check = check.to_ascii_lowercase();
    let looks_up = check.starts_with("check_") && check.ends_with("_access");
    (looks_up && table.contains(':')).then(|| table.clone())
}

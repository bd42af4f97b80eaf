//! Names of an administrator's own tables of server names (`tls_server_sni_maps`), asked for on the wire.
//!
//! Owns: which tables those are, which of their names a look asks for, whether what is shown for
//! a name is for it, and telling of a table without keys. Never: lists a table; counts a name as good that was not asked for.
//!
//! `postmap -F` puts keys and chains into such a table, and smtpd(8) loads them when a client asks for
//! the name: a broken row stops that client's handshake alone, and no program of Postfix tells before.

use crate::compile::{is_installed, sni};
use crate::expect::{asked, own_tables, speaker};
use crate::facts::Facts;
use crate::lint::without_keys;
use crate::report::{
    Ask, Judgement, Outcome, Presented, Report, ServiceExpectation, TlsExpectation, Verdict,
    WireExpectation,
};
use crate::view::{Service, View};
use crate::{Finding, certificate_finding, words};
use mailtls::{Certificate, name_problem};
use postfix_cf::{MainCf, MasterCf};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// More names of one service are not asked for: each is a connection.
const MOST: usize = 50;
/// A name has no more characters (RFC 1035 §2.3.4).
const LONGEST: usize = 253;
const REMEDY: &str = "Name a chain that has the name in this row of the source of `tls_server_sni_maps`, \
                      and compile it with `postmap -F`.";

/// What each of the tables lists: its keys, or why they cannot be known.
pub type ListedNames = BTreeMap<String, Result<Vec<String>, String>>;

/// The administrator's own tables of server names.
pub fn own_name_tables(facts: &Facts) -> BTreeSet<String> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    own_tables(&View::new(&main, &master, facts))
}

/// Has the names of these tables asked for at each server that finds them there: any certificate
/// will do for a name, but a handshake must come of it. Answers with what is said of tables
/// beside: what could not be listed, and that there are too many names.
pub fn expect_own_names(
    expectations: &mut [ServiceExpectation],
    listed: &ListedNames,
    facts: &Facts,
) -> Vec<Judgement> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let view = View::new(&main, &master, facts);
    let mut beside = Vec::new();
    for service in view.servers() {
        let mut expected = expectations.iter_mut();
        let Some(expected) = expected.find(|expected| expected.service == service.id) else {
            continue;
        };
        let Some(presented) = presented(&mut expected.wire) else {
            continue;
        };
        let (mut names, mut told) = (BTreeSet::new(), Vec::new());
        let mut outcome = Outcome::Pass;
        for table in view.list(Some(speaker(&view, service)), sni::PARAMETER) {
            match listed.get(&table) {
                Some(Ok(keys)) => names.extend(keys.iter().filter_map(|key| asked_for(key))),
                Some(Err(why)) => {
                    told.push(unlisted(service, &table, why));
                    outcome = Outcome::Undetermined;
                }
                None => {}
            }
        }
        // Of a name that is bound, it is known which certificate must be shown.
        names.retain(|name| {
            presented
                .iter()
                .all(|one| one.ask.name.as_ref() != Some(name))
        });
        if names.len() > MOST {
            let all = names.len();
            told.push(format!("Of the {all} names that service {} finds in `tls_server_sni_maps`, {MOST} are asked for.", service.id));
        }
        presented.extend(names.into_iter().take(MOST).map(any_certificate));
        let judged = expected.addresses.iter().map(|address| Judgement {
            service: service.id.clone(),
            address: *address,
            outcome,
            sentences: told.clone(),
            findings: Vec::new(),
        });
        beside.extend(judged.filter(|judged| !judged.sentences.is_empty()));
    }
    beside
}

/// Names the tables that were compiled without their files, as `lint` does, at each server that asks
/// them: of their names, a handshake shows no more than that it fails, and a look may ask for none.
pub fn add_without_keys(verdict: &mut Verdict, facts: &Facts) {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let view = View::new(&main, &master, facts);
    for service in view.servers() {
        let speaker = speaker(&view, service);
        if !view.offers_tls(speaker) {
            continue;
        }
        let tables = view.list(Some(speaker), sni::PARAMETER).into_iter();
        let own = tables.filter(|table| !is_installed(table));
        let causes: Vec<Finding> = own
            .filter_map(|table| without_keys(&table, facts))
            .collect();
        let judgements = verdict.judgements.iter_mut();
        for judged in judgements.filter(|judged| judged.service == service.id) {
            for cause in &causes {
                judged.outcome = Outcome::Fail;
                judged.sentences.push(cause.message.clone());
                // The cause first: a list shows one.
                judged.findings.insert(0, cause.clone().seen(&*service.id));
            }
        }
    }
}

/// Certificates that are not for the name of their row, each name once.
pub fn own_names_unfit(expectations: &[ServiceExpectation], reports: &[Report]) -> Vec<Finding> {
    let mut unfit: BTreeMap<String, Finding> = BTreeMap::new();
    for report in reports {
        let mut expected = expectations.iter();
        let handshake = expected
            .find(|one| one.service == report.service && one.addresses.contains(&report.address))
            .and_then(ServiceExpectation::certified);
        let presented = handshake.into_iter().flat_map(|wanted| &wanted.presented);
        for wanted in presented.filter(|wanted| wanted.certificates.is_empty()) {
            let seen = report.asked.iter().find(|seen| seen.ask == wanted.ask);
            let leaf = seen.and_then(|seen| Certificate::parse(seen.leaf.as_deref()?).ok());
            let (Some(leaf), Some(name)) = (leaf, &wanted.ask.name) else {
                continue;
            };
            if let Some(problem) = name_problem(&leaf, name) {
                let finding = unfit.remove(name).unwrap_or_else(|| Finding {
                    remedy: REMEDY.to_owned(),
                    ..certificate_finding(&problem)
                });
                let place = format!(
                    "shown by {} to clients that {}",
                    report.address,
                    words::asked(name)
                );
                unfit.insert(name.clone(), finding.seen(place));
            }
        }
    }
    unfit.into_values().collect()
}

fn presented(wire: &mut WireExpectation) -> Option<&mut Vec<Presented>> {
    match wire {
        WireExpectation::Serving {
            tls: TlsExpectation::StartTls { handshake, .. } | TlsExpectation::Wrapper { handshake },
            ..
        } => Some(&mut handshake.presented),
        _ => None,
    }
}

/// What to ask for, to meet a row; nothing for a key that no client asks for.
fn asked_for(key: &str) -> Option<String> {
    let sayable = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_name = key.bytes().all(sayable) && key.parse::<IpAddr>().is_err();
    let name = asked(&key.to_ascii_lowercase());
    (is_name && !key.is_empty() && name.len() <= LONGEST).then_some(name)
}

fn any_certificate(name: String) -> Presented {
    Presented {
        ask: Ask {
            name: Some(name),
            algorithm: None,
        },
        certificates: Vec::new(),
    }
}

fn unlisted(service: &Service, table: &str, why: &str) -> String {
    format!(
        "Service {} finds server names in {table}, and what it shows for them was not looked at: {why}.",
        service.id
    )
}

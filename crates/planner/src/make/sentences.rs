//! What a plan does, in an administrator's words.
//!
//! Owns: the sentences. Never: decides anything; they are not part of a plan's id.

use super::build::Pairs;
use crate::compile::{sni, stored_at};
use crate::facts::{Facts, MasterState};
use crate::intent::{Intent, Named};
use crate::plan::{OutboundChange, PolicyMap, SniMap, Step};
use crate::report::{AuthExpectation, ServiceExpectation, TlsExpectation, WireExpectation};
use crate::view::View;
use crate::{Plan, diff, owned, unproved, words};
use mailtls::{Certificate, Level};

/// A sentence names no more than this.
const NAMES_SHOWN: usize = 5;

/// The sentences of a plan; none for an empty one.
pub(super) fn of(plan: &Plan, pairs: &Pairs, facts: &Facts) -> Vec<String> {
    if plan.is_empty() {
        return Vec::new();
    }
    let mut sentences = Vec::new();
    sentences.extend(plan.steps.iter().filter_map(|step| installed(step, facts)));
    sentences.extend(both_forms(plan));
    sentences.extend(changed(pairs));
    sentences.extend(plan.expectations.iter().filter_map(expected));
    let after = View::new(&pairs.after.main, &pairs.after.master, facts);
    sentences.extend(unproved::sentences(&after));
    if let OutboundChange::Rehearse { level } = plan.outbound
        && let Ok(level) = level.postfix_name().parse::<Level>()
    {
        sentences.push(format!(
            "Outgoing mail at level {level}: {}",
            level.promises()
        ));
    }
    sentences.push(effect(plan, facts));
    sentences
}

fn installed(step: &Step, facts: &Facts) -> Option<String> {
    let path = match step {
        Step::InstallChain { path, .. } => path,
        Step::InstallSniMap(map) => return Some(names(map)),
        Step::InstallPolicyMap(map) => return Some(policies(map, facts)),
        _ => return None,
    };
    let stored = stored_at(facts, path)?;
    let leaf = stored
        .chain
        .first()
        .and_then(|der| Certificate::parse(der).ok());
    let shown = leaf.map_or_else(String::new, |leaf| {
        format!(", {}", words::certificate(&leaf))
    });
    Some(format!(
        "Key and chain of the certificate {}{shown} are written to {} (readable by root only).",
        stored.name,
        path.display()
    ))
}

fn policies(map: &PolicyMap, facts: &Facts) -> String {
    if let Some(what) = facts.touched.get(&map.path) {
        return format!(
            "The map of the rules for destinations is made anew, because it {what}: {}.",
            map.name()
        );
    }
    let rows = match map.policies.rows {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    };
    let why = match sni::lacking(facts) {
        Some(lacking) => format!(
            " This Postfix has no tables of type {lacking} (default_database_type; `postconf -m` \
             lists what it has, and a package like postfix-{lacking} may bring it): {} is taken.",
            map.table
        ),
        None => String::new(),
    };
    format!(
        "The rules for destinations are written to the map {} ({rows}), which answers once main.cf \
         names it.{why}",
        map.name()
    )
}

/// Rows of names whose other spelling the adopted tables did not have, where a map takes their
/// place.
fn both_forms(plan: &Plan) -> Option<String> {
    let named = |intent: &Intent| intent.tables.as_ref().map(|tables| tables.named);
    if named(&plan.earlier) != Some(Named::Still) || named(&plan.intent) != Some(Named::NoMore) {
        return None;
    }
    let tables = plan.earlier.tables.as_ref()?;
    let there: u64 = tables.tables.iter().map(|table| table.rows).sum();
    let more = tables.policies.rows.checked_sub(there);
    more.filter(|more| *more > 0).map(|more| {
        format!(
            "Internationalized names stood in one form only in {more} rows of the tables; the map \
             has them with U-labels and with A-labels."
        )
    })
}

fn names(map: &SniMap) -> String {
    let rows = map.source.lines();
    let names: Vec<String> = rows
        .filter_map(|row| row.split(' ').next())
        .map(str::to_owned)
        .collect();
    let (shown, more) = names.split_at(names.len().min(NAMES_SHOWN));
    let more = match more.len() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    format!(
        "Clients that ask for {}{more} get the certificate bound to that name, by the map {} \
         (readable by root only).",
        words::list(shown),
        map.path.display()
    )
}

/// One sentence a parameter.
fn changed(pairs: &Pairs) -> Vec<String> {
    let before = owned::read(&pairs.before.main, &pairs.before.master);
    let after = owned::read(&pairs.after.main, &pairs.after.master);
    owned::drift(&before, &after)
        .into_iter()
        .map(|change| {
            let (place, name) = (&change.place, &change.parameter);
            let shown =
                |value: &Option<String>| value.as_deref().map(|value| diff::shown(name, value));
            match (shown(&change.written), shown(&change.now)) {
                (Some(old), Some(new)) => {
                    format!("{place}: {name} changes from “{old}” to “{new}”.")
                }
                (None, Some(new)) => format!("{place}: {name} is set to “{new}”."),
                (Some(old), None) => format!("{place}: {name} (“{old}”) no longer applies."),
                (None, None) => String::new(),
            }
        })
        .collect()
}

fn expected(service: &ServiceExpectation) -> Option<String> {
    let port = service.addresses.first()?.port();
    let name = &service.service;
    let WireExpectation::Serving { tls, auth } = &service.wire else {
        return Some(format!("Port {port} ({name}) is closed."));
    };
    let tls = match tls {
        TlsExpectation::Off => "serves in cleartext only",
        TlsExpectation::StartTls {
            required: false, ..
        } => "offers STARTTLS",
        TlsExpectation::StartTls { required: true, .. } => "requires STARTTLS",
        TlsExpectation::Wrapper { .. } => "speaks TLS from the first byte",
    };
    let auth = match auth {
        AuthExpectation::OnlyUnderTls => ", with AUTH only under TLS",
        AuthExpectation::Always => ", with AUTH also in cleartext",
        AuthExpectation::Never | AuthExpectation::Any => "",
    };
    Some(format!("Port {port} ({name}) {tls}{auth}."))
}

fn effect(plan: &Plan, facts: &Facts) -> String {
    let restart = plan.steps.contains(&Step::Restart);
    match facts.master {
        MasterState::Stopped => "Postfix does not run: nothing can be proved on the wire.",
        MasterState::Running(_) if restart => {
            "Postfix is stopped and started: sessions in flight are cut."
        }
        MasterState::Running(_) => "Postfix is reloaded: sessions in flight go on.",
    }
    .to_owned()
}

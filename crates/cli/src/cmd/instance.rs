//! `init` and `release`.
//!
//! Owns: their words. Never: touches a byte of Postfix.

use crate::answer::{Answer, findings_text};
use crate::change::Change;
use crate::config::Global;
use crate::failure::Failure;
use crate::session::Session;
use postseal_engine::{Adoption, Again};
use postseal_planner::Severity;
use postseal_planner::intent::Owned;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn init(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::open(global)?;
    let mut engine = session.engine();
    let adoption = engine.init()?;
    let instance = engine.instance.clone();
    let said = said(&instance, &adoption);
    let worth: Vec<_> = adoption
        .findings
        .iter()
        .filter(|f| f.severity >= Severity::Warning)
        .collect();
    let noticed = if worth.is_empty() {
        String::new()
    } else {
        format!("As it is now:\n{}", findings_text(worth))
    };
    let document = change(&adoption)
        .findings(&adoption.findings)
        .document(json!({"instance": instance, "owned": adoption.owned}));
    Ok(Answer::new(said + &noticed, document))
}

fn said(instance: &str, adoption: &Adoption) -> String {
    let main = adoption.owned.main.len();
    let services = adoption.owned.services.values();
    let overrides: usize = services.map(|service| service.len()).sum();
    match adoption.again {
        Again::First => format!(
            "Adopted {instance}: {main} TLS parameters of main.cf and {overrides} of master.cf's -o options. No byte of Postfix was changed.\n"
        ),
        Again::Unchanged => {
            format!("{instance} was adopted before; no TLS parameter has changed since.\n")
        }
        Again::TakenOver => format!(
            "{instance} was adopted before; the hand edits since then are taken over:\n{}",
            change(adoption).diff()
        ),
    }
}

/// The owned parameters before and after.
fn change(adoption: &Adoption) -> Change {
    let (before, after) = (values(&adoption.before), values(&adoption.owned));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let adopted = Change::default().of("adopted", adoption.again != Again::First, true);
    names.into_iter().fold(adopted, |change, name| {
        let value = |values: &BTreeMap<String, String>| values.get(name).cloned();
        change.of(name.clone(), value(&before), value(&after))
    })
}

fn values(owned: &Owned) -> BTreeMap<String, String> {
    let of_services = owned.services.iter().flat_map(|(service, options)| {
        options
            .iter()
            .map(move |(name, value)| (format!("{service} {name}"), value.clone()))
    });
    owned.main.clone().into_iter().chain(of_services).collect()
}

pub(crate) fn release(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let mut engine = session.engine();
    engine.release()?;
    let text = format!(
        "Postseal has forgotten {}; Postfix stays as it is.\n",
        engine.instance
    );
    let document = Change::default()
        .of("adopted", true, false)
        .document(json!({"instance": engine.instance}));
    Ok(Answer::new(text, document))
}

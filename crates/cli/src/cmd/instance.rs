//! `init` and `release`.
//!
//! Owns: their words. Never: touches a byte of Postfix.

use crate::answer::{Answer, findings_text};
use crate::config::Global;
use crate::failure::Failure;
use crate::session::Session;
use postseal_planner::Severity;
use serde_json::json;

pub(crate) fn init(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::open(global)?;
    let mut engine = session.engine();
    let adoption = engine.init()?;
    let instance = engine.instance.clone();
    let overrides: usize = adoption
        .owned
        .services
        .values()
        .map(|service| service.len())
        .sum();
    let said = if adoption.again == postseal_engine::Again::Unchanged {
        format!("{instance} was adopted before; nothing has changed since.\n")
    } else {
        format!(
            "Adopted {instance}: {} TLS parameters of main.cf and {overrides} of master.cf's -o options. No byte of Postfix was changed.\n",
            adoption.owned.main.len()
        )
    };
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
    let document = json!({
        "changed": adoption.again != postseal_engine::Again::Unchanged,
        "instance": instance,
        "owned": adoption.owned,
        "findings": adoption.findings,
    });
    Ok(Answer::new(said + &noticed, document))
}

pub(crate) fn release(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let mut engine = session.engine();
    engine.release()?;
    let text = format!(
        "Postseal has forgotten {}; Postfix stays as it is.\n",
        engine.instance
    );
    Ok(Answer::new(
        text,
        json!({"changed": true, "instance": engine.instance}),
    ))
}

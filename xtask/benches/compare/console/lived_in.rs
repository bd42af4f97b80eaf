//! What an agent copies of a server that is lived in.
//!
//! Owns: documents as the commands print them, in the size of a busy site. Never: rules, which are handed over otherwise.

use crate::Outcome;
use postseal_store::desk::{CopyOf, Desk, Heartbeat};
use serde_json::{Value, json};

/// Certificates in the store, findings of lint, operations in the history.
const CERTIFICATES: usize = 50;
const FINDINGS: usize = 50;
const OPERATIONS: usize = 50;

/// Copies of everything, just made by an agent that lives.
pub(super) fn copied(desk: &mut dyn Desk, instance: &str, now_ms: i64) -> Outcome<()> {
    desk.beat(&Heartbeat {
        instance: instance.to_owned(),
        agent: "bench".to_owned(),
        version: "bench".to_owned(),
        now_ms,
        lease_ms: now_ms + 60_000,
    })?;
    let certificates: Vec<Value> = (0..CERTIFICATES).map(certificate).collect();
    let findings: Vec<Value> = (0..FINDINGS).map(finding).collect();
    let operations: Vec<Value> = (0..OPERATIONS).map(operation).collect();
    for (of, document) in [
        (CopyOf::Status, status(&certificates)),
        (CopyOf::Certificates, json!({"certificates": certificates})),
        (CopyOf::Findings, json!({"findings": findings})),
        (CopyOf::Plan, json!({"pending": false, "sentences": []})),
        (CopyOf::History, json!({"operations": operations})),
    ] {
        desk.put_copy(instance, of.name(), &document.to_string(), now_ms)?;
    }
    Ok(())
}

fn status(certificates: &[Value]) -> Value {
    let names = ["smtp/inet", "submission/inet", "submissions/inet"];
    let services = names.map(|service| {
        json!({"service": service, "desired": "may", "written": "may", "effective": "may", "pending": false})
    });
    let judgements = names.map(|service| {
        json!({"service": service, "outcome": "pass", "findings": [],
            "sentences": ["TLS 1.3 was spoken.", "The certificate is the one that is bound."]})
    });
    json!({
        "master_running": true,
        "services": services,
        "outbound": {"desired": "dane", "written": "dane", "effective": "dane"},
        "observed": {"judgements": judgements},
        "observed_at": "2026-11-22T12:00:00Z",
        "asked_for": {"names": [{"name": "mx.example.net", "asked_as": "host-name"}], "unknown": []},
        "certificates": certificates,
        "wishes": [],
        "last_operation": operation(1),
    })
}

fn certificate(n: usize) -> Value {
    json!({
        "name": format!("mx{n}"), "version": 1, "names": [format!("mx{n}.example.net")], "addresses": [],
        "subject": format!("CN=mx{n}.example.net"), "issuer": "CN=A CA", "serial": format!("{n:032X}"),
        "key": "ECDSA P-256", "not_before": "2026-01-01T00:00:00Z", "not_after": "2099-01-01T00:00:00Z",
        "fingerprint": format!("{n:064x}"), "self_signed": false, "chain_length": 2, "has_key": true,
        "source": "import", "used_by": Vec::from_iter((n == 0).then_some("smtpd")),
    })
}

fn finding(n: usize) -> Value {
    json!({
        "code": "policy.never-asked", "severity": "warning", "remedy": "Remove the rule, or name the next hop.",
        "message": format!("Nothing asks for the rule for d{n}.example.net."),
        "evidence": [{"file": "/etc/postfix/main.cf", "line": n, "text": "smtp_tls_policy_maps = …"}],
    })
}

fn operation(n: usize) -> Value {
    json!({
        "id": n, "actor": "admin", "started": "2026-11-22T12:00:00Z", "outcome": "kept",
        "subject": "set mode=may", "changed": true,
    })
}

//! What `postseal probe --full` says.

use crate::servers::Running;
use crate::{Said, suites, word, yes_no};
use serde_json::Value;
use std::collections::BTreeSet;

pub(crate) fn ask(server: &Running) -> Said {
    let words = ["--resolver", "none", "probe", &server.at(), "--full"];
    let ran = server.scene.run(&words);
    let mut said = Said::new();
    let report = &ran.json["probed"][0]["hosts"][0]["addresses"][0]["report"];
    word(&mut said, "TLS", &started(report));
    let full = &ran.json["full"][0]["seen"];
    if full.is_object() {
        read(server, full, &mut said);
    }
    assert!(!report.is_null(), "{}: {ran:#?}", server.server.title);
    said
}

/// How TLS begins.
fn started(report: &Value) -> String {
    let stages = report["stages"].as_array().into_iter().flatten();
    let mut last = None;
    let mut starttls = false;
    for stage in stages {
        starttls |= stage["name"] == "start-tls";
        last = Some(stage);
    }
    let last = last.expect("a stage");
    match (starttls, report["handshake"].is_object()) {
        (true, true) => "STARTTLS".to_owned(),
        (false, true) => "from the first byte".to_owned(),
        (true, false) => match last["outcome"]["detail"].as_str() {
            Some(detail) if detail.starts_with("454") => "refused (454)".to_owned(),
            Some("STARTTLS is not offered") => "none".to_owned(),
            other => format!("{other:?}"),
        },
        (false, false) => "none".to_owned(),
    }
}

fn read(server: &Running, full: &Value, said: &mut Said) {
    let list = |field: &str| full[field].as_array().cloned().unwrap_or_default();
    let mut versions = BTreeSet::new();
    let mut orders = BTreeSet::new();
    for one in list("versions") {
        let name = one["version"].as_str().unwrap();
        let number = crate::table::version(name);
        match one["seen"]["seen"].as_str() {
            Some("yes") => drop(versions.insert(number.to_owned())),
            Some("no") => continue,
            _ => {
                versions.insert(format!("{number} undetermined"));
                continue;
            }
        }
        let names = one["suites"].as_array().unwrap().iter();
        let named = |suite: &Value| {
            let name = suite["openssl"].as_str().or(suite["name"].as_str());
            name.unwrap().to_owned()
        };
        let names: BTreeSet<String> = names.map(named).collect();
        // Looked at, and stopped before the first one was asked.
        if !names.is_empty() || one["unasked"].is_null() {
            suites(said, number, names);
        }
        if let Some(order) = one["order"].as_str() {
            orders.insert(order.to_owned());
        }
    }
    if !versions.is_empty() {
        said.insert("versions", versions);
    }
    put(said, "who chooses the suite", orders);
    let groups = list("groups").into_iter().flat_map(|one| {
        let groups = one["groups"].as_array().unwrap().clone();
        groups
            .into_iter()
            .map(|name| name.as_str().unwrap().to_owned())
    });
    put(said, "groups", groups.collect());
    let bits = list("dh").into_iter().map(|one| one["bits"].to_string());
    put(said, "finite-field bits", bits.collect());
    let leaves = list("certificates");
    let leaves = leaves
        .iter()
        .map(|one| server.certificate(one["fingerprint"].as_str().unwrap()));
    put(said, "certificates", leaves.collect());
    features(full, said);
}

fn features(full: &Value, said: &mut Said) {
    match full["client_certificate"]["client-certificate"].as_str() {
        Some("asked" | "asked-under-keys") => word(said, "client certificate", "asked"),
        Some("not-asked") => word(said, "client certificate", "not asked"),
        _ => word(said, "client certificate", "undetermined"),
    }
    for (fact, field) in [
        ("session tickets up to TLS 1.2", "tickets"),
        ("session numbers up to TLS 1.2", "session_ids"),
        ("sessions again in TLS 1.3", "resumption_1_3"),
        ("secure renegotiation", "secure_renegotiation"),
        ("client renegotiates", "client_renegotiation"),
        ("compression", "compression"),
        ("extended master secret", "extended_master_secret"),
        ("stapled OCSP answer", "ocsp"),
    ] {
        match full["features"][field]["seen"].as_str() {
            Some(seen @ ("yes" | "no")) => yes_no(said, fact, seen == "yes"),
            _ => word(said, fact, "undetermined"),
        }
    }
}

fn put(said: &mut Said, fact: &'static str, words: BTreeSet<String>) {
    if !words.is_empty() {
        said.insert(fact, words);
    }
}

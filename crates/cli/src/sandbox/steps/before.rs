//! Before anything is changed: lint, init, the certificate, the wishes, the plan.
//!
//! Owns: what each of these must prove, above all that no byte has changed. Never: applies.

use super::look::{probe, untouched};
use crate::sandbox::Proof;
use crate::sandbox::site::Site;
use postseal_probe::Start;
use serde_json::Value;

pub(super) fn lint(site: &mut Site) -> Proof {
    let ran = site.cli.run(&["lint"])?;
    let findings = ran
        .json
        .get("findings")
        .and_then(|findings| findings.as_array());
    let count = findings.ok_or("lint gave no findings at all")?.len();
    untouched(site)?;
    let clear = probe(site, 25, Start::Clear)?;
    let offered = clear
        .ehlo_before
        .iter()
        .any(|word| word.starts_with("STARTTLS"));
    if offered {
        return Err("port 25 offers STARTTLS before anything was done".to_owned());
    }
    Ok(vec![
        format!("lint read the configuration and reported {count} findings; it changed nothing."),
        "Port 25 offers no STARTTLS: mail arrives in clear today.".to_owned(),
    ])
}

pub(super) fn init(site: &mut Site) -> Proof {
    site.cli.expect(0, &["init"])?;
    let same = untouched(site)?;
    let plan = site.cli.expect(0, &["plan"])?;
    if plan.json.get("pending").and_then(Value::as_bool) != Some(false) {
        return Err("the plan right after adoption is not empty".to_owned());
    }
    Ok(vec![
        same,
        "The plan right after adoption is empty.".to_owned(),
    ])
}

pub(super) fn certificate(site: &mut Site) -> Proof {
    let path = |name: &str| site.folder().join(name).display().to_string();
    let (cert, key, ca) = (
        path("mx-fullchain.pem"),
        path("mx-privkey.pem"),
        path("ca.pem"),
    );
    let words = [
        "cert",
        "import",
        "mx",
        "--cert",
        &cert,
        "--key",
        &key,
        "--private-ca",
        &ca,
    ];
    let ran = site.cli.expect(0, &words)?;
    let stored = ran
        .json
        .pointer("/certificate/fingerprint")
        .and_then(|f| f.as_str())
        .unwrap_or_default();
    if stored != site.fingerprint.to_string() {
        return Err(format!(
            "the store holds {stored}, not the certificate that was imported"
        ));
    }
    site.cli.expect(0, &["cert", "bind", "mx"])?;
    untouched(site)?;
    Ok(vec![
        format!(
            "The store holds mx ({}…), its key sealed.",
            site.fingerprint.prefix(6)
        ),
        "It is bound; nothing is in force yet, and no byte of Postfix has changed.".to_owned(),
    ])
}

pub(super) fn set(site: &mut Site) -> Proof {
    let wishes = [
        "set",
        "mode=may",
        "profile=recommended",
        "submission=on",
        "smtps=on",
        "auth-only=yes",
        "received-header=yes",
        "loglevel.inbound=1",
        "loglevel.outbound=1",
    ];
    site.cli.expect(0, &wishes)?;
    untouched(site)?;
    Ok(vec![format!(
        "{} wishes are pending; no byte of Postfix has changed.",
        wishes.len() - 1
    )])
}

pub(super) fn plan(site: &mut Site) -> Proof {
    let ran = site.cli.expect(0, &["plan"])?;
    let diff = ran
        .json
        .get("diff")
        .and_then(|diff| diff.as_str())
        .unwrap_or_default();
    let lines = |mark: char, head: &str| {
        diff.lines()
            .filter(|line| line.starts_with(mark) && !line.starts_with(head))
            .count()
    };
    let (added, removed) = (lines('+', "+++"), lines('-', "---"));
    if added == 0 {
        return Err("the plan changes nothing".to_owned());
    }
    untouched(site)?;
    let sentences = ran
        .json
        .get("sentences")
        .and_then(|s| s.as_array())
        .cloned()
        .unwrap_or_default();
    let mut told = vec![format!(
        "The diff adds {added} lines and takes {removed} away; nothing is written yet."
    )];
    told.extend(
        sentences
            .iter()
            .filter_map(|s| s.as_str())
            .map(|s| format!("“{s}”")),
    );
    Ok(told)
}

//! The change: apply, and what the wire, the users and the messages say of it.
//!
//! Owns: these proofs. Never: takes Postseal's word for one.

use super::PORTS;
use super::look::{LOOK, presents, probe, target};
use crate::sandbox::Proof;
use crate::sandbox::files::Files;
use crate::sandbox::mail::{self, Door};
use crate::sandbox::site::Site;
use postseal_probe::Start;
use serde_json::Value;

pub(super) fn apply(site: &mut Site) -> Proof {
    let ran = site.cli.expect(0, &["apply", "--yes"])?;
    if ran.json.get("outcome").and_then(|outcome| outcome.as_str()) != Some("kept") {
        return Err("the operation was not kept".to_owned());
    }
    let proofs = ran
        .json
        .pointer("/proved/judgements")
        .and_then(Value::as_array);
    let passed = |judged: &&Value| judged.get("outcome").and_then(Value::as_str) == Some("pass");
    let count = proofs.map_or(0, |judged| judged.iter().filter(passed).count());
    if count < PORTS.len() {
        return Err(format!(
            "the operation was kept, but only {count} ports were proved"
        ));
    }
    site.operation = ran.json.get("operation").and_then(Value::as_u64);
    let now = Files::of(&site.cli.instance)?;
    let kept = now.keeps_the_lines_of(&site.original)?;
    Ok(vec![
        "The plan worked in a scratch Postfix, was written, and was proved on the live ports."
            .to_owned(),
        kept,
    ])
}

pub(super) fn verify(site: &mut Site) -> Proof {
    let mut told = Vec::new();
    for (port, tls, required) in [
        (25, Start::StartTls, Required::No),
        (587, Start::StartTls, Required::Yes),
        (465, Start::Implicit, Required::No),
    ] {
        let report = probe(site, port, tls)?;
        let handshake = presents(site, port, &report)?;
        if required == Required::Yes
            && !report
                .mail_before_tls
                .as_deref()
                .is_some_and(|a| a.starts_with("530"))
        {
            return Err(format!(
                "port {port} takes mail without TLS: {:?}",
                report.mail_before_tls
            ));
        }
        told.push(format!(
            "Port {port} completes a handshake: {}, {}, certificate mx ({}…).",
            handshake.version,
            handshake.cipher,
            site.fingerprint.prefix(6)
        ));
    }
    told.push("Port 587 answers 530 to mail without TLS.".to_owned());
    site.cli.expect(0, &["verify"])?;
    told.push("`postseal verify` comes to the same result.".to_owned());
    Ok(told)
}

/// Whether TLS is required before MAIL.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Required {
    Yes,
    No,
}

pub(super) fn log_in(site: &mut Site) -> Proof {
    let mut told = Vec::new();
    for (port, tls) in [(587, Start::StartTls), (465, Start::Implicit)] {
        let mut target = target(site, port, tls);
        target.credentials = Some(mail::credentials(site));
        let report = postseal_probe::probe(&target, LOOK);
        if report
            .ehlo_before
            .iter()
            .any(|word| word.starts_with("AUTH"))
        {
            return Err(format!("port {port} offers AUTH in clear"));
        }
        let answer = report.auth.unwrap_or_default();
        if !answer.starts_with("235") {
            return Err(format!(
                "logging in on port {port} was answered: {answer:?}"
            ));
        }
        target.credentials = None;
        let relay = postseal_probe::relay_test(
            &target,
            "stranger@elsewhere.test",
            "somebody@example.com",
            LOOK,
        )
        .map_err(|error| error.to_string())?;
        if !relay.starts_with("554") {
            return Err(format!(
                "a stranger's RCPT on port {port} was answered: {relay:?}"
            ));
        }
        told.push(format!(
            "Port {port}: logging in under TLS gives 235; a stranger's RCPT gives 554."
        ));
    }
    Ok(told)
}

pub(super) fn messages(site: &mut Site) -> Proof {
    let inward = Door {
        address: site.peer.at(25),
        tls: Start::Clear,
        credentials: None,
    };
    let header = mail::deliver(&inward, "somebody@peer.try.test", &site.mx, "mx.try.test")?;
    let line = mail::received(&header, "mx.try.test")?;
    let cipher = under_tls(line)?;
    logged(&site.mx.log(), "TLS connection established from")?;
    let mut told = vec![format!(
        "peer → mx arrived; mx's Received header says: {cipher}."
    )];
    let outward = Door {
        address: site.mx.at(587),
        tls: Start::StartTls,
        credentials: Some(mail::credentials(site)),
    };
    let header = mail::deliver(&outward, "alice@mx.try.test", &site.peer, "peer.try.test")?;
    let cipher = under_tls(mail::received(&header, "peer.try.test")?)?;
    logged(&site.mx.log(), "TLS connection established to")?;
    told.push(format!(
        "alice → mx (587) → peer arrived; peer's Received header says: {cipher}."
    ));
    told.push("mx's log has a TLS line for each direction.".to_owned());
    Ok(told)
}

fn under_tls(received: &str) -> Result<String, String> {
    let start = received
        .find("using TLS")
        .ok_or_else(|| format!("no TLS in: {received}"))?;
    let words = &received[start + "using ".len()..];
    Ok(words.split(" (").next().unwrap_or(words).to_owned())
}

fn logged(log: &str, words: &str) -> Result<(), String> {
    if log.contains(words) {
        Ok(())
    } else {
        Err(format!("mx's log has no line “{words}”"))
    }
}

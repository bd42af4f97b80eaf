//! The main job, step by step, and what each step must prove.
//!
//! Owns: the order and the proofs. Never: goes on after a proof that failed.

use super::Proof;
use super::files::Files;
use super::mail::{self, Door};
use super::site::Site;
use postseal_planner::report::{Handshake, Report, StageOutcome};
use postseal_probe::{MailBeforeTls, Start, Target};
use serde_json::Value;
use std::fs;
use std::time::Duration;

/// One look at a port.
const LOOK: Duration = Duration::from_secs(8);

/// The ports that mx serves in the end.
const PORTS: [u16; 3] = [25, 465, 587];

/// A step of the main job.
pub(super) struct Step {
    pub(super) title: &'static str,
    pub(super) run: fn(&mut Site) -> Proof,
}

/// All of them, in order.
pub(super) const STEPS: &[Step] = &[
    Step {
        title: "lint: what is wrong today",
        run: lint,
    },
    Step {
        title: "init: adopt, observe-only",
        run: init,
    },
    Step {
        title: "cert import and bind",
        run: certificate,
    },
    Step {
        title: "set: what is wanted",
        run: set,
    },
    Step {
        title: "plan: what would be done",
        run: plan,
    },
    Step {
        title: "apply: rehearse, write, prove",
        run: apply,
    },
    Step {
        title: "verify: every port by its own handshake",
        run: verify,
    },
    Step {
        title: "log in, and no open relay",
        run: log_in,
    },
    Step {
        title: "a message in each direction",
        run: messages,
    },
    Step {
        title: "a hand edit is found",
        run: drift,
    },
    Step {
        title: "a broken wish is refused",
        run: refusal,
    },
    Step {
        title: "rollback",
        run: rollback,
    },
    Step {
        title: "the old state is back",
        run: old_state,
    },
];

fn lint(site: &mut Site) -> Proof {
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

fn init(site: &mut Site) -> Proof {
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

fn certificate(site: &mut Site) -> Proof {
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

fn set(site: &mut Site) -> Proof {
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

fn plan(site: &mut Site) -> Proof {
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

fn apply(site: &mut Site) -> Proof {
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

fn verify(site: &mut Site) -> Proof {
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

fn log_in(site: &mut Site) -> Proof {
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

fn messages(site: &mut Site) -> Proof {
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

fn drift(site: &mut Site) -> Proof {
    let path = site.cli.instance.join("main.cf");
    let before = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let edited = before.replace(
        "smtpd_tls_security_level = may",
        "smtpd_tls_security_level = none",
    );
    if edited == before {
        return Err("main.cf does not hold `smtpd_tls_security_level = may`".to_owned());
    }
    fs::write(&path, edited).map_err(|error| error.to_string())?;
    let ran = site.cli.expect(2, &["drift"])?;
    let named = ran
        .json
        .pointer("/drift/0/parameter")
        .and_then(|name| name.as_str());
    if named != Some("smtpd_tls_security_level") {
        return Err(format!("drift names {named:?}"));
    }
    site.cli.expect(0, &["drift", "--restore", "--yes"])?;
    let now = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    if now != before {
        return Err("putting the drift back did not give the same bytes".to_owned());
    }
    Ok(vec![
        "smtpd_tls_security_level was edited by hand to none: `postseal drift` names it."
            .to_owned(),
        "`postseal drift --restore` put it back, by the same path as any change.".to_owned(),
    ])
}

fn refusal(site: &mut Site) -> Proof {
    let before = Files::of(&site.cli.instance)?;
    let at_once = site
        .cli
        .expect(65, &["set", "inbound=ecnrypt"])?
        .code()
        .to_owned();
    site.cli
        .expect(0, &["set", "inbound=encrypt", "inbound-certificate=none"])?;
    let whole = site.cli.expect(65, &["apply", "--yes"])?.code().to_owned();
    site.cli.expect(0, &["discard"])?;
    Files::of(&site.cli.instance)?.same_as(&before)?;
    presents(site, 25, &probe(site, 25, Start::StartTls)?)?;
    Ok(vec![
        format!("inbound=ecnrypt is refused at once [{at_once}]."),
        format!(
            "Mandatory TLS without a certificate is refused as a whole [{whole}]; nothing was written."
        ),
        "Port 25 still presents mx.".to_owned(),
    ])
}

fn rollback(site: &mut Site) -> Proof {
    let operation = site
        .operation
        .ok_or("there is no operation to go back from")?
        .to_string();
    site.cli.expect(0, &["rollback", &operation, "--yes"])?;
    let same = Files::of(&site.cli.instance)?.same_as(&site.original)?;
    Ok(vec![format!("Operation {operation} is undone."), same])
}

fn old_state(site: &mut Site) -> Proof {
    site.cli.expect(0, &["verify"])?;
    let report = probe(site, 25, Start::Clear)?;
    if report
        .ehlo_before
        .iter()
        .any(|word| word.starts_with("STARTTLS"))
    {
        return Err("port 25 still offers STARTTLS".to_owned());
    }
    for port in [587, 465] {
        let report = postseal_probe::probe(&target(site, port, Start::Clear), LOOK);
        if !report
            .stages
            .iter()
            .any(|stage| stage.outcome == StageOutcome::Closed)
        {
            return Err(format!("port {port} is still open"));
        }
    }
    Ok(vec![
        "Port 25 offers no STARTTLS, 587 and 465 are closed: as it was found.".to_owned(),
        "`postseal verify` says so too.".to_owned(),
    ])
}

fn untouched(site: &Site) -> Result<String, String> {
    Files::of(&site.cli.instance)?.same_as(&site.original)
}

fn target(site: &Site, port: u16, tls: Start) -> Target {
    let mut target = Target::new(format!("{port}"), site.mx.at(port), tls);
    target.ehlo_name = "client.try.test".to_owned();
    if tls == Start::StartTls {
        target.mail_before_tls = MailBeforeTls::Ask;
    }
    target
}

fn probe(site: &Site, port: u16, tls: Start) -> Result<Report, String> {
    let report = postseal_probe::probe(&target(site, port, tls), LOOK);
    match report
        .stages
        .iter()
        .find(|stage| stage.outcome != StageOutcome::Ok)
    {
        None => Ok(report),
        Some(stage) => Err(format!(
            "port {port}: {:?} ended with {:?}",
            stage.name, stage.outcome
        )),
    }
}

fn presents(site: &Site, port: u16, report: &Report) -> Result<Handshake, String> {
    let handshake = report
        .handshake
        .clone()
        .ok_or_else(|| format!("port {port}: no handshake"))?;
    if handshake.fingerprint != Some(site.fingerprint) {
        return Err(format!(
            "port {port} presents another certificate: {:?}",
            handshake.fingerprint
        ));
    }
    Ok(handshake)
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
